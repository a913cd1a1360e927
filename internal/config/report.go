package config

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"curfew/policy"
)

// report returns the problems in the order of the file, each once, and each at
// a place that exists: a column that was counted inside a quoted text with
// escapes, or in one that goes over several lines, can lie behind the line.
func (r *reader) report(text []byte) []policy.Problem {
	if len(r.problems) == 0 {
		return nil
	}
	lines := splitLines(text)
	widths := map[int]int{} // of lines, counted once: all problems can be on one
	for i := range r.problems {
		pos := &r.problems[i].Pos
		if pos.File != r.name || pos.Line == 0 {
			continue
		}
		pos.Line = min(pos.Line, len(lines))
		width, ok := widths[pos.Line]
		if !ok {
			width = utf8.RuneCountInString(lines[pos.Line-1])
			widths[pos.Line] = width
		}
		pos.Col = min(max(pos.Col, 1), width+1)
	}
	sortProblems(r.problems)
	return slices.Compact(r.problems)
}

// sortProblems puts what has no line first, then goes by the place.
func sortProblems(problems []policy.Problem) {
	slices.SortStableFunc(problems, func(a, b policy.Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col), cmp.Compare(a.Text, b.Text))
	})
}

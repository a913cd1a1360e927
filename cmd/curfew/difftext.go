package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"curfew/policy"
)

// textWidth is what a line keeps to, as far as names allow.
const textWidth = 100

// A diffText shows a comparison to people at a terminal.
type diffText struct {
	w       io.Writer
	colours palette
	err     error
}

// writeDiffText writes a comparison as text, headed as by diff(1).
func writeDiffText(w io.Writer, c *comparison, colours palette) error {
	t := &diffText{w: w, colours: colours}
	if c.differs() {
		t.printf("--- %s\n+++ %s\n%s\n", plainly(c.before.Source), plainly(c.after.Source), c.when())
	}
	if len(c.settings) > 0 {
		t.printf("\nthe whole file\n")
		t.settings(c.settings)
	}
	for _, p := range c.pairs {
		if p.differs() {
			t.pair(p)
		}
	}
	if c.differs() {
		t.printf("\n")
	}
	for _, s := range c.renames(strconv.Quote) {
		t.printf("%s\n", s)
	}
	t.printf("%s", filled(strings.Split(c.sum(), "; "), "; "))
	return t.err
}

// when is the span that was compared.
func (c *comparison) when() string {
	const minute = dateLayout + " 15:04"
	return fmt.Sprintf("calls from %s to %s, %s", shownTime(c.span.from, minute), shownTime(c.span.to, minute), c.span.from.Location())
}

func (t *diffText) printf(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format, args...)
	}
}

// pair writes one pair of policies: what it is, whom it is about, what differs.
func (t *diffText) pair(p *policyPair) {
	title, where := p.title(plainly), plainly(place(p.latest().policy.Pos()))+", "+p.zones()
	t.printf("\n%s%s%s\n", title, gap(title, where, 2), t.colours.dim(where))
	t.printf("  %s\n", p.whom(textWidth-2, plainly))
	for i := range p.groups {
		t.group(&p.groups[i])
	}
	if p.loaded != "" {
		t.printf("  loaded   %s\n", p.loaded)
	}
	t.settings(p.settings)
}

// group writes a line such as "moved stop every Friday 20:00 → 19:00, from Fri 27
// Nov, 57 times". At its end is the line of the file that makes the calls, since
// each of them has one.
func (t *diffText) group(g *callGroup) {
	action := fmt.Sprintf("%-5s", g.power.Action())
	if g.power == policy.Running {
		action = t.colours.green(action)
	} else {
		action = t.colours.yellow(action)
	}
	line := g.line()
	if g.by != "" {
		line += ", " + plainly(g.by)
	}
	what, reach := g.text()
	text := blanks(groupIndent) + what // in blanks, since colours have no width
	if reach != "" {
		sep := gap(text+",", reach, groupIndent)
		text += "," + strings.TrimPrefix(sep, " ") + reach
	}
	last := text[strings.LastIndexByte(text, '\n')+1:]
	t.printf("  %-7s  %s  %s%s%s\n", g.kind, action, text[groupIndent:], gap(last, line, groupIndent), t.colours.dim(line))
}

// groupIndent is where the text of a group begins, behind its kind and its power.
const groupIndent = 18

func blanks(n int) string { return strings.Repeat(" ", max(n, 0)) }

// text is what a group says: the days and the times; from when on and how often,
// which is left out where there is one on each of the days that are counted, and
// empty where they are named one by one.
func (g *callGroup) text() (what, reach string) {
	switch {
	case g.listed():
		return g.times + " on " + g.days(), ""
	case g.week == 0 && g.crowded():
		return g.times + " " + g.days(), g.reach() + ", " + g.often()
	case g.week == 0:
		return g.times + " " + g.days(), g.reach()
	}
	return g.days() + " " + g.times, g.reach() + ", " + g.often()
}

// gap is what stands between two texts: blanks where both fit into a line, else
// the begin of a line of its own for the second.
func gap(a, b string, indent int) string {
	if utf8.RuneCountInString(a)+2+utf8.RuneCountInString(b) <= textWidth {
		return "  "
	}
	return "\n" + blanks(indent)
}

// line is the line that makes the calls, of the old file where they go.
func (g *callGroup) line() string {
	c := g.changes[0]
	if g.by != "" {
		return fmt.Sprintf("line %d", c.by.Pos.Line)
	}
	if g.kind == changeRemoved {
		return fmt.Sprintf("old line %d", c.old.because.Pos.Line)
	}
	return fmt.Sprintf("line %d", c.new.because.Pos.Line)
}

func (t *diffText) settings(all []setting) {
	for _, s := range all {
		t.printf("  setting  %s\n", plainly(s.String()))
	}
}

// plainly is text of somebody else's that a terminal can bear: what is not
// printable is quoted.
func plainly(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

package policy

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// maxExpr is the longest expression that is read, in bytes. Five fields that
// list every value they have are shorter by half.
const maxExpr = 1024

// An ExprError is why a cron expression or a window was refused.
type ExprError struct {
	Expr string // the whole expression
	Col  int    // where in it, in bytes from 1, one past its end where something is missing there; 0: the whole
	Text string // what is wrong
	Hint string // what to write instead; may be empty
	noun string // what it is, where that is not a cron expression
}

// Error returns the expression, the column, what is wrong and the hint, in one
// line.
func (e *ExprError) Error() string {
	s := fmt.Sprintf("parse %s %q: ", cmp.Or(e.noun, "cron"), clip(e.Expr))
	if e.Col > 0 {
		s += fmt.Sprintf("column %d: ", e.Col)
	}
	s += e.Text
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// ParseSchedule compiles a cron expression of five fields (minute, hour, day of
// the month, month, day of the week) or a macro such as @daily, read in loc;
// nil means UTC. Day 7 is Sunday, alone and at the end of a range. An error is
// an *ExprError. An expression that names no date, such as "0 0 31 2 *", is
// none: see Schedule.Fires.
func ParseSchedule(expr string, loc *time.Location) (*Schedule, error) {
	if loc == nil {
		loc = time.UTC
	}
	five, fault := normalise(expr)
	if fault != nil {
		fault.Expr = expr
		return nil, fault
	}
	spec, err := parseFive(five)
	if err != nil {
		return nil, &ExprError{Expr: expr, Text: err.Error()}
	}
	names := bitSets(spec)
	return &Schedule{
		expr:  expr,
		loc:   loc,
		names: names,
		real:  followsRealTime(five),
		fires: names.fires(),
	}, nil
}

// parseFive hands five fields to robfig's parser. It has panicked on input that
// looked harmless, and a daemon must outlive a line of its file.
func parseFive(expr string) (spec *cron.SpecSchedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot be read: %v", p)
		}
	}()
	parsed, err := cron.ParseStandard(expr)
	if err != nil {
		return nil, err
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, errors.New("is no schedule of five fields")
	}
	return spec, nil
}

// bitSets takes over robfig's sets. Its topmost bit marks a field with a "*"
// (one with a step of 2 or more has none, and counts as given).
func bitSets(s *cron.SpecSchedule) fields {
	const star = 1 << 63
	return fields{
		minute: s.Minute &^ star,
		hour:   uint32(s.Hour &^ star),
		dom:    uint32(s.Dom &^ star),
		month:  uint32(s.Month &^ star),
		dow:    uint32(s.Dow &^ star),
		either: s.Dom&star == 0 && s.Dow&star == 0,
	}
}

// followsRealTime looks at the text of the first two fields: "*/15" and
// "0-59/15" have the same bits and differ on the night of a change.
func followsRealTime(five string) bool {
	f := strings.Fields(five)
	return strings.ContainsRune("*?", rune(f[0][0])) || strings.ContainsRune("*?", rune(f[1][0]))
}

// normalise returns expr as five fields in the form that robfig's parser reads,
// or what is wrong with it, strictly: that parser lets some mistakes slip.
func normalise(expr string) (string, *ExprError) {
	if len(expr) > maxExpr {
		return "", &ExprError{Text: fmt.Sprintf("is %d bytes long, the most is %d", len(expr), maxExpr)}
	}
	words, fault := split(expr)
	if fault != nil {
		return "", fault
	}
	if len(words) == 0 {
		return "", &ExprError{Text: "the expression is empty", Hint: fiveFields}
	}
	if fault := refusedForm(words); fault != nil {
		return "", fault
	}
	if words[0].text[0] == '@' {
		return macro(words)
	}
	if len(words) != len(fieldKinds()) {
		return "", wrongCount(words)
	}
	out := make([]string, 0, len(words))
	for i, kind := range fieldKinds() {
		text, fault := kind.normalise(words[i])
		if fault != nil {
			return "", fault
		}
		out = append(out, text)
	}
	return strings.Join(out, " "), nil
}

const fiveFields = `five fields: minute, hour, day of the month, month, day of the week, as in "0 20 * * MON-FRI"`

// A word is a piece of an expression with the column of its first byte.
type word struct {
	text string
	col  int
}

// split cuts expr at blanks and refuses what is not printable ASCII, so that a
// column is the same counted in bytes and in characters.
func split(expr string) ([]word, *ExprError) {
	var words []word
	begin := -1
	for i, r := range expr + " " {
		switch {
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			if begin >= 0 {
				words = append(words, word{expr[begin:i], begin + 1})
			}
			begin = -1
		case r < ' ' || r > '~':
			return nil, &ExprError{Col: i + 1, Text: fmt.Sprintf("%q has no place in an expression", r), Hint: "plain letters, digits and * , - / only"}
		case begin < 0:
			begin = i
		}
	}
	return words, nil
}

// refusedForm refuses whole forms that other crons know.
func refusedForm(words []word) *ExprError {
	first := words[0]
	upper := strings.ToUpper(first.text)
	switch {
	case strings.HasPrefix(upper, "TZ=") || strings.HasPrefix(upper, "CRON_TZ="):
		return &ExprError{Col: first.col, Text: "a time zone has no place in an expression", Hint: "it has a setting of its own: timezone: " + zoneExample(first.text)}
	case strings.HasPrefix(upper, "@EVERY"):
		return &ExprError{Col: first.col, Text: "@every counts from no fixed instant", Hint: `write the times, as in "*/15 * * * *"`}
	case upper == "@REBOOT":
		return &ExprError{Col: first.col, Text: "@reboot is no time", Hint: "a policy names times; what was missed is caught up anyway"}
	}
	return nil
}

func zoneExample(prefix string) string {
	_, zone, _ := strings.Cut(prefix, "=")
	if zone == "" {
		return "Europe/Berlin"
	}
	return zone
}

// macro replaces a macro with its five fields. "@hourly" follows real time by
// the "*" in its hour.
func macro(words []word) (string, *ExprError) {
	first := words[0]
	if len(words) > 1 {
		return "", &ExprError{Col: words[1].col, Text: fmt.Sprintf("nothing may follow %s", first.text)}
	}
	switch strings.ToLower(first.text) {
	case "@hourly":
		return "0 * * * *", nil
	case "@daily", "@midnight":
		return "0 0 * * *", nil
	case "@weekly":
		return "0 0 * * 0", nil
	case "@monthly":
		return "0 0 1 * *", nil
	case "@yearly", "@annually":
		return "0 0 1 1 *", nil
	}
	return "", &ExprError{Col: first.col, Text: "there is no " + first.text, Hint: "@hourly, @daily, @weekly, @monthly or @yearly"}
}

func wrongCount(words []word) *ExprError {
	n := len(words)
	switch {
	case n == 6:
		return &ExprError{Text: "has six fields", Hint: "there are no seconds and no years: " + fiveFields}
	case n > 6:
		return &ExprError{Col: words[5].col, Text: fmt.Sprintf("has %d fields", n), Hint: fiveFields}
	}
	return &ExprError{Text: "has only " + plural(n, "field"), Hint: fiveFields}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

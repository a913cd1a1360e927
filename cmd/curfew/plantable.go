package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"curfew/internal/config"
	"curfew/policy"
)

// A planTable shows a plan to people. Its columns are as wide as the file needs,
// since the rows are written as they come.
type planTable struct {
	loc      *time.Location
	span     span
	layout   string
	id, name int // widths
	colours  palette
	buf      bytes.Buffer
	edge     *planEdge // whose texts head and tail are
	head     string
	tail     string

	transitions, calls, touched, cancelled int
}

func newPlanTable(file *config.Config, lines []*planLine, s span, colours palette) *planTable {
	t := &planTable{loc: file.Location, span: s, layout: "Mon _2 Jan 15:04", colours: colours}
	if s.to.After(s.from.AddDate(0, 11, 0)) {
		t.layout = "Mon _2 Jan 2006 15:04"
	}
	for _, l := range lines {
		t.name = max(t.name, len([]rune(l.policy.Name())))
		for _, id := range l.ids {
			t.id = max(t.id, len(id))
		}
	}
	return t
}

// write writes the whole table: whose times they are, the rows, the sum.
func (t *planTable) write(w io.Writer, rows iter.Seq[planRow]) error {
	const day = "Mon _2 Jan 2006 15:04"
	_, err := fmt.Fprintf(w, "times in %s, from %s to %s\n", t.loc, t.span.from.Format(day), t.span.to.Format(day))
	for r := range rows {
		if err == nil {
			err = t.row(w, r)
		}
		if err != nil {
			return err
		}
	}
	if err == nil {
		_, err = fmt.Fprintln(w, t.summary())
	}
	return err
}

// row writes one line. All but the deployment is the same for a policy's members,
// so it is put into words once.
func (t *planTable) row(w io.Writer, r planRow) error {
	if r.edge != t.edge {
		t.edge, t.head, t.tail = r.edge, t.headOf(r.edge), t.tailOf(r.edge)
	}
	t.count(r.edge)
	t.buf.Reset()
	t.buf.WriteString(t.head)
	t.buf.WriteString(string(r.id))
	for n := len(r.id); n < t.id; n++ {
		t.buf.WriteByte(' ')
	}
	t.buf.WriteString(t.tail)
	_, err := w.Write(t.buf.Bytes())
	return err
}

// count adds a row to the sum.
func (t *planTable) count(e *planEdge) {
	if e.Cancelled != "" {
		t.cancelled++
		return
	}
	t.transitions++
	switch e.call {
	case callExpected:
		t.calls++
	case callIfTouched:
		t.touched++
	}
}

// headOf is what stands before the deployment: when, and what.
func (t *planTable) headOf(e *planEdge) string {
	action := fmt.Sprintf("%-5s", e.Power.Action())
	switch {
	case e.Cancelled != "":
		action = t.colours.dim("-----")
	case e.Power == policy.Running:
		action = t.colours.green(action)
	default:
		action = t.colours.yellow(action)
	}
	return e.At.In(t.loc).Format(t.layout) + "  " + action + "  "
}

// tailOf is what stands behind the deployment: the policy, the reason, the line.
func (t *planTable) tailOf(e *planEdge) string {
	name := e.line.policy.Name()
	pad := strings.Repeat(" ", max(0, t.name-len([]rune(name))))
	return fmt.Sprintf("  %s%s  %-44s  %s\n", name, pad, e.because(t.loc), t.colours.dim(place(e.Because.Pos)))
}

// place is the line of the file, without the column that only an error needs.
func place(p policy.Pos) string {
	p.Col = 0
	return p.String()
}

// because is the reason of an edge in words: the expression, the time that the
// line names where that is another one than the call's, and whether a call is to
// be expected. shown is the zone in which the edge's instant is shown.
func (e *planEdge) because(shown *time.Location) string {
	s := e.Because.Ref
	if own := e.line.policy.Location(); e.shifted() || shown.String() != own.String() {
		s += ", for " + e.nominal()
		if shown.String() != own.String() {
			s += " " + own.String()
		}
	}
	if lead := e.NominalAt.Sub(e.At); lead > 0 {
		s += ", lead " + shortSpan(lead)
	}
	switch {
	case e.Cancelled == policy.Superseded:
		return s + fmt.Sprintf("; %s cancelled: superseded by a later line, the clocks skip both", e.Power.Action())
	case e.Cancelled != "":
		return s + fmt.Sprintf("; %s cancelled: %s", e.Power.Action(), e.Cancelled)
	case e.call == callNever:
		return s + "; dry run, no call"
	case e.call == callUnneeded:
		return s + "; no call expected"
	case e.call == callIfTouched:
		return s + "; a call only if it is " + e.Power.Other().String()
	}
	return s
}

// shifted reports whether the call is due at another local time than the line
// names: a lead, or a time that the clocks skip.
func (e *planEdge) shifted() bool { return civilOf(e.At, e.line.policy.Location()) != e.Nominal }

// nominal is the local time that the line names, with its date where the call is
// on another.
func (e *planEdge) nominal() string {
	at, n := civilOf(e.At, e.line.policy.Location()), e.Nominal
	if at.Year != n.Year || at.Month != n.Month || at.Day != n.Day {
		return n.String()
	}
	return fmt.Sprintf("%02d:%02d", n.Hour, n.Minute)
}

func civilOf(t time.Time, loc *time.Location) policy.Civil {
	t = t.In(loc)
	return policy.Civil{Year: t.Year(), Month: t.Month(), Day: t.Day(), Hour: t.Hour(), Minute: t.Minute()}
}

// shortSpan is a duration without its zeros: 10m, not 10m0s.
func shortSpan(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// summary is the last line. What a call costs the quota is not in it: that is a
// question of its own, over more than one span.
func (t *planTable) summary() string {
	s := plural(t.transitions, "transition", "transitions") + ", " + plural(t.calls, "call", "calls") + " expected"
	if t.touched > 0 {
		s += fmt.Sprintf(", %d only if somebody acts", t.touched)
	}
	if t.cancelled > 0 {
		s += fmt.Sprintf(", %d cancelled", t.cancelled)
	}
	return s
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"curfew/internal/config"
	"curfew/policy"
)

// A planTable shows a plan to people. Its columns are as wide as the file needs,
// since the rows are written as they come.
type planTable struct {
	loc     *time.Location
	span    span
	layout  string
	columns planColumns
	colours palette
	alone   bool // one deployment is all that is shown
	buf     bytes.Buffer
	peaks   *callPeaks

	transitions, calls, touched, cancelled int

	unclear map[*planMember]bool // who may be protected
	protect policy.Pos           // by which line
}

// planColumns are the widths of the columns, in characters.
type planColumns struct{ id, name, policy, because int }

func newPlanTable(file *config.Config, lines []*planLine, s span, colours palette) *planTable {
	t := &planTable{
		loc: file.Location, span: s, layout: "Mon _2 Jan 15:04", colours: colours,
		peaks: newPeaks(file), unclear: map[*planMember]bool{},
	}
	if s.to.After(s.from.AddDate(0, 11, 0)) {
		t.layout = "Mon _2 Jan 2006 15:04"
	}
	w := &t.columns
	for _, l := range lines {
		w.policy = max(w.policy, utf8.RuneCountInString(l.policy.Name()))
		for _, m := range l.members {
			w.id = max(w.id, utf8.RuneCountInString(string(m.id)))
			w.name = max(w.name, utf8.RuneCountInString(m.name))
		}
	}
	// A row has 100 characters where its texts allow that.
	where := len(file.Source) + 1 + len(strconv.Itoa(bytes.Count(file.Text, []byte("\n"))+1))
	rest := 100 - len(t.layout) - len("  start    ") - w.id - w.name - w.policy - 4 - where
	if w.name > 0 {
		rest--
	}
	w.because = min(max(rest, 26), 44)
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
		_, err = io.WriteString(w, t.summary())
	}
	return err
}

// row writes one line. All but the deployment is the same for a policy's members,
// so it is put into words once.
func (t *planTable) row(w io.Writer, r planRow) error {
	e := r.edge
	if e.shown[0] == "" {
		e.shown = [2]string{t.headOf(e), t.tailOf(e)}
	}
	t.count(r)
	t.buf.Reset()
	t.buf.WriteString(e.shown[0])
	t.cell(string(r.member.id), t.columns.id)
	if t.columns.name > 0 {
		t.buf.WriteByte(' ')
		t.cell(printable(r.member.name), t.columns.name)
	}
	t.buf.WriteString(e.shown[1])
	_, err := w.Write(t.buf.Bytes())
	return err
}

// cell writes a text in a column of that width.
func (t *planTable) cell(s string, width int) {
	t.buf.WriteString(s)
	for n := utf8.RuneCountInString(s); n < width; n++ {
		t.buf.WriteByte(' ')
	}
}

// count adds a row to the sum.
func (t *planTable) count(r planRow) {
	e := r.edge
	switch {
	case !e.transition():
		return
	case e.Cancelled != "":
		t.cancelled++
		return
	}
	t.transitions++
	switch e.need {
	case policy.Call:
		t.calls++
	case policy.CallIfTouched:
		t.touched++
	default:
		return
	}
	t.peaks.add(e)
	if e.bar != nil && e.bar.kind == barPerhaps && e.Power == policy.Stopped {
		t.unclear[r.member], t.protect = true, e.bar.pos
	}
}

// headOf is what stands before the deployment: when, and what.
func (t *planTable) headOf(e *planEdge) string {
	action := fmt.Sprintf("%-5s", e.Power.Action())
	switch {
	case e.Cancelled != "" || !e.transition():
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
	pad := strings.Repeat(" ", max(0, t.columns.policy-utf8.RuneCountInString(name)))
	return fmt.Sprintf("  %s%s  %-*s  %s\n", name, pad, t.columns.because, e.because(t.loc), t.colours.dim(place(e.pos())))
}

// summary is the last line, and one more where the plan depends on a name.
func (t *planTable) summary() string {
	s := plural(t.transitions, "transition", "transitions") + ", " + plural(t.calls, "call", "calls") + " expected"
	if t.touched > 0 {
		s += fmt.Sprintf(", %d only if somebody acts", t.touched)
	}
	if t.cancelled > 0 {
		s += fmt.Sprintf(", %d cancelled", t.cancelled)
	}
	if peak := t.peaks.text(t.alone); peak != "" {
		s += " · " + peak
	}
	if n := len(t.unclear); n > 0 {
		s += fmt.Sprintf("\n%s not protected (%s): --inventory FILE tells",
			plural(n, "deployment is stopped only if its name is", "deployments are stopped only if their names are"), place(t.protect))
	}
	return s + "\n"
}

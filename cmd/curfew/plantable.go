package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strconv"
	"time"
	"unicode/utf8"

	"curfew/internal/config"
	"curfew/policy"
)

// A planTable shows a plan to people. Its columns are as wide as the file needs,
// since the rows are written as they come. A row is a line where that fits; else
// the reason and its place follow on one of their own. What does not fit there
// either is cut: the other formats have the whole.
type planTable struct {
	loc     *time.Location
	span    span
	layout  string
	source  string // the file, where rows have no more than the lines in it; else empty
	columns planColumns
	colours palette
	alone   bool // one deployment is all that is shown
	buf     bytes.Buffer
	peaks   *callPeaks

	transitions, calls, touched, cancelled int

	unclear map[*planMember]bool // who may be protected
	protect policy.Pos           // by which line
}

// planColumns are the widths of the columns, in characters. The time has room for
// the pass of a local time that comes twice, where a row needs it.
type planColumns struct{ time, id, name, policy, because int }

// head is how wide a row is up to the reason.
func (w *planColumns) head() int {
	n := w.time + len("  start  ") + w.id + len("  ") + w.policy + len("  ")
	if w.name > 0 {
		n += 1 + w.name
	}
	return n
}

// The width of the reasons that a table is made for, and that from which on its
// places name the file.
const (
	leastReason = 26
	roomyReason = 36
	mostReason  = 44
)

func newPlanTable(file *config.Config, lines []*planLine, s span, colours palette) *planTable {
	t := &planTable{
		loc: file.Location, span: s, layout: "Mon _2 Jan 15:04", colours: colours,
		peaks: newPeaks(file), unclear: map[*planMember]bool{},
	}
	if s.to.After(s.from.AddDate(0, 11, 0)) {
		t.layout = "Mon _2 Jan 2006 15:04"
	}
	w := &t.columns
	w.time = len(t.layout) + passWidth(lines, s, t.loc)
	for _, l := range lines {
		w.policy = max(w.policy, utf8.RuneCountInString(l.policy.Name()))
		for _, m := range l.members {
			w.id = max(w.id, utf8.RuneCountInString(string(m.id)))
			w.name = max(w.name, utf8.RuneCountInString(m.name))
		}
	}
	last := policy.Pos{File: file.Source, Line: bytes.Count(file.Text, []byte("\n")) + 1}
	room := func() int { return textWidth - w.head() - len("  ") - utf8.RuneCountInString(t.place(last)) }
	if room() < roomyReason {
		t.source = file.Source
	}
	w.because = min(max(room(), leastReason), mostReason)
	return t
}

// maxSetBack is more than clocks were ever set back by.
const maxSetBack = 26 * time.Hour

// passWidth is the room that rows need to tell two passes of a local time apart;
// mostly none.
func passWidth(lines []*planLine, s span, loc *time.Location) int {
	width := 0
	for at := s.from.Add(-maxSetBack).In(loc); ; {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(s.to.Add(maxSetBack)) {
			return width
		}
		back := setBack(end, loc)
		from, to := end.Add(-back), end.Add(back)
		if from.Before(s.from) {
			from = s.from
		}
		if to.After(s.to) {
			to = s.to
		}
		for _, l := range lines {
			if from.Before(to) {
				width = max(width, l.passWidth(span{from, to}, loc))
			}
		}
		at = end.In(loc)
	}
}

func (l *planLine) passWidth(s span, loc *time.Location) int {
	width := 0
	for e := range l.policy.Edges(s.from, s.to) {
		if pass := passOf(e.At.In(loc)); pass != "" {
			width = max(width, 1+utf8.RuneCountInString(pass))
		}
	}
	return width
}

// write writes the whole table: whose times they are, the rows, the sum.
func (t *planTable) write(w io.Writer, rows iter.Seq[planRow]) error {
	const day = "Mon _2 Jan 2006 15:04"
	head := []string{fmt.Sprintf("times in %s, from %s to %s", t.loc, shownTime(t.span.from, day), shownTime(t.span.to, day))}
	if t.source != "" {
		head = append(head, "lines of "+plainly(t.source))
	}
	_, err := io.WriteString(w, filled(head, ", "))
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
	at := shownTime(e.At.In(t.loc), t.layout)
	return at + blanks(t.columns.time-utf8.RuneCountInString(at)) + "  " + action + "  "
}

// tailOf is what stands behind the deployment: the policy, the reason, the line.
func (t *planTable) tailOf(e *planEdge) string {
	name := printable(e.line.policy.Name())
	pad := blanks(t.columns.policy - utf8.RuneCountInString(name))
	reason, pos := e.becauseAt(t.loc)
	where := t.place(pos)
	width := utf8.RuneCountInString(reason) + len("  ") + utf8.RuneCountInString(where)
	if t.columns.head()+width <= textWidth {
		reason += blanks(min(t.columns.because-utf8.RuneCountInString(reason), textWidth-t.columns.head()-width))
		return fmt.Sprintf("  %s%s  %s  %s\n", name, pad, reason, t.colours.dim(where))
	}
	const least, most = 4, len("Mon _2 Jan 15:04  ") // below what is done, where that fits
	indent := max(least, min(most, textWidth-width))
	if over := indent + width - textWidth; over > 0 {
		runes := []rune(reason)
		reason = string(runes[:max(len(runes)-over-1, 0)]) + "…"
	}
	return fmt.Sprintf("  %s\n%s%s  %s\n", name, blanks(indent), reason, t.colours.dim(where))
}

// place is a line of the file, without what all rows would repeat.
func (t *planTable) place(p policy.Pos) string {
	if t.source != "" {
		return ":" + strconv.Itoa(p.Line)
	}
	return based(p)
}

// based is a line of the file, without the file's directory.
func based(p policy.Pos) string {
	p.File = filepath.Base(p.File)
	return plainly(place(p))
}

// summary is the sum, and more where the plan depends on a name.
func (t *planTable) summary() string {
	s := []string{plural(t.transitions, "transition", "transitions") + ", " + plural(t.calls, "call", "calls") + " expected"}
	if t.touched > 0 {
		s[0] += fmt.Sprintf(", %d only if somebody acts", t.touched)
	}
	if t.cancelled > 0 {
		s[0] += fmt.Sprintf(", %d cancelled", t.cancelled)
	}
	if peak := t.peaks.text(t.alone); peak != "" {
		s = append(s, peak)
	}
	text := filled(s, " · ")
	if n := len(t.unclear); n > 0 {
		text += filled([]string{fmt.Sprintf("%s not protected (%s)", plural(n, "deployment is stopped only if its name is",
			"deployments are stopped only if their names are"), based(t.protect)), "--inventory FILE tells"}, ": ")
	}
	return text
}

// filled joins texts to lines that fit, as far as each of them does.
func filled(texts []string, sep string) string {
	s, width := "", 0
	for i, text := range texts {
		n := utf8.RuneCountInString(text)
		switch {
		case i == 0:
		case width+utf8.RuneCountInString(sep)+n <= textWidth:
			s, width = s+sep, width+utf8.RuneCountInString(sep)
		default:
			s, width = s+"\n", 0
		}
		s, width = s+text, width+n
	}
	return s + "\n"
}

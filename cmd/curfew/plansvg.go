package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/internal/config"
	"curfew/internal/picture"
	"curfew/policy"
)

// writePlanSVG draws a plan: a row for each deployment with the hours in which its
// policy wants it running, stopped or left alone. The deployments of a policy
// share one lane, whatever their number.
func writePlanSVG(w io.Writer, file *config.Config, lines []*planLine, s span, now time.Time) error {
	const day = "Mon 2 Jan 2006 15:04"
	p := picture.Picture{
		Title: "What the policies want, " + shownTime(s.from, day) + " to " + shownTime(s.to, day),
		Note:  "times in " + file.Location.String() + ", by " + printable(file.Source) + " alone: no holds, nobody who interferes",
		From:  s.from, To: s.to, Now: now, Location: file.Location,
	}
	for _, l := range lines {
		p.Rows = append(p.Rows, l.rows(s)...)
	}
	if slices.ContainsFunc(p.Rows, func(r picture.Row) bool { return r.Sum != "" }) {
		p.Sum = "running"
	}
	return p.Write(w)
}

// rows are those of a policy's deployments. Those that nothing keeps from a call,
// and those that are kept from it alike, share one lane.
func (l *planLine) rows(s span) []picture.Row {
	lanes := map[*bar]picture.Row{}
	rows := make([]picture.Row, len(l.members))
	for i, m := range l.members {
		lane, known := lanes[m.bar]
		if !known {
			lane = l.lane(s, m.bar)
			lanes[m.bar] = lane
		}
		rows[i] = lane
		rows[i].Name, rows[i].Note = m.caption(l.dry)
	}
	return rows
}

// heading is a policy's name, and its zone where that is not the picture's.
func (l *planLine) heading(shown *time.Location) string {
	if own := l.policy.Location().String(); own != shown.String() {
		return l.policy.Name() + ", " + own
	}
	return l.policy.Name()
}

// caption is what stands before a deployment's lane: what it is called, and below
// that its id where it has a name, and why calls for it are not made.
func (m *planMember) caption(dry bool) (name, note string) {
	name = string(m.id)
	var notes []string
	if m.name != "" {
		name, notes = m.name, []string{name}
	}
	if dry {
		notes = append(notes, "dry run")
	}
	switch {
	case m.bar == nil:
	case m.bar.kind == barPerhaps:
		notes = append(notes, "unless its name is protected")
	case m.bar.kind == barAll:
		notes = append(notes, "left alone: "+m.bar.text)
	default:
		notes = append(notes, m.bar.text)
	}
	return name, strings.Join(notes, " · ")
}

// runningHours is for how long bars run, empty where none does.
func runningHours(bars []picture.Bar) string {
	var sum time.Duration
	for _, b := range bars {
		if b.Kind == picture.Running {
			sum += b.To.Sub(b.From)
		}
	}
	if sum == 0 {
		return ""
	}
	return strconv.FormatFloat(sum.Round(6*time.Minute).Hours(), 'f', -1, 64) + " h"
}

// bars are what a policy wants throughout a span: its stretches of running, and
// between them what it decides.
func (l *planLine) bars(s span) []picture.Bar {
	var all []picture.Bar
	at := s.from
	for _, st := range l.stretches(s) {
		begin, end := st.from, st.to
		if begin.Before(s.from) {
			begin = s.from
		}
		if end.After(s.to) {
			end = s.to
		}
		if !end.After(begin) {
			continue // it ends where the span begins
		}
		all = append(all, l.notRunning(at, begin)...)
		all = append(all, picture.Bar{From: begin, To: end, Kind: picture.Running, Title: l.runningTitle(&st, s)})
		at = end
	}
	return append(all, l.notRunning(at, s.to)...)
}

// runningTitle says from when to when, and why.
func (l *planLine) runningTitle(st *stretch, s span) string {
	const layout = "Mon 2 Jan 15:04"
	loc := s.from.Location()
	title := "running"
	if !st.noBegin {
		title += " from " + shownTime(st.from.In(loc), layout)
	}
	if !st.noEnd {
		title += " to " + shownTime(st.to.In(loc), layout)
	}
	if !st.noBegin && !st.noEnd {
		title += ", " + shortSpan(st.to.Sub(st.from))
	}
	return title + "\n" + l.why(st)
}

// notRunning are the bars of a time in which running is not wanted.
func (l *planLine) notRunning(from, to time.Time) []picture.Bar {
	var all []picture.Bar
	for at := from; at.Before(to); {
		d := l.policy.Decide(at)
		b := picture.Bar{From: at, To: to, Kind: picture.Nothing}
		if d.Want == policy.Stopped {
			b.Kind = picture.Stopped
		}
		if !d.Until.IsZero() && d.Until.Before(to) {
			b.To = d.Until
		}
		at = b.To
		if n := len(all) - 1; n >= 0 && all[n].Kind == b.Kind {
			all[n].To = b.To
			continue
		}
		all = append(all, b)
	}
	return all
}

// marks are what bars do not show: the starts and stops that are cancelled, or kept
// back by a bar, and would have made a difference; and those that are needed only if
// somebody acted.
func (l *planLine) marks(s span, b *bar) []picture.Mark {
	var all []picture.Mark
	for e, need := range l.policy.Calls(s.from, s.to) {
		own := planEdge{Edge: e, need: need, line: l}
		pe := own.under(b)
		kind, ok := pe.mark(need)
		if !ok {
			continue
		}
		shown := s.from.Location()
		reason, pos := pe.becauseAt(shown)
		all = append(all, picture.Mark{
			At: e.At, Kind: kind,
			Title: fmt.Sprintf("%s %s (%s)", shownTime(e.At.In(shown), "Mon 2 Jan 15:04"), reason, place(pos)),
		})
	}
	return all
}

// mark is the sign that an edge gets, if it gets one. need is what the edge would
// need if nothing stood in its way.
func (e *planEdge) mark(need policy.Need) (picture.MarkKind, bool) {
	switch {
	case e.Power == policy.None:
		return 0, false
	case e.Cancelled != "" && e.bar != nil:
		return picture.MarkCancelled, need != policy.NoCall
	case e.Cancelled != "":
		return picture.MarkCancelled, e.line.policy.Decide(e.At).Want != e.Power
	case e.Power == policy.Running:
		return picture.MarkStart, e.need == policy.CallIfTouched
	}
	return picture.MarkStop, e.need == policy.CallIfTouched
}

package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"curfew/policy"
)

// icalTime is a date with time in UTC (RFC 5545, 3.3.5).
const icalTime = "20060102T150405Z"

// farAhead is how far a stretch that reaches out of a plan is followed, so that
// it is the same event in every plan that has a part of it.
const farAhead = 400 * 24 * time.Hour

// A stretch is a longest time throughout which a policy wants running. Where no
// begin or end of it is near, it is cut at the plan's.
type stretch struct {
	from, to       time.Time
	begin, end     policy.Edge
	noBegin, noEnd bool
}

// stretches are those of a line that have a part in the span, in order.
func (l *planLine) stretches(s span) []stretch {
	var all []stretch
	now := l.running(s)
	for e := range l.policy.Edges(s.from, s.to) {
		switch {
		case e.Cancelled != "":
		case e.Power == policy.Running && now == nil:
			now = &stretch{from: e.At, begin: e}
		case e.Power != policy.Running && now != nil:
			now.to, now.end = e.At, e
			all = append(all, *now)
			now = nil
		}
	}
	if now != nil {
		l.ended(now, s)
		all = append(all, *now)
	}
	return all
}

// running is the stretch that goes on when a span begins, nil where none does.
func (l *planLine) running(s span) *stretch {
	before := s.from.Add(-time.Nanosecond)
	if l.policy.Decide(before).Want != policy.Running {
		return nil
	}
	now := &stretch{from: s.from, noBegin: true}
	for e, ok := l.policy.Prev(before); ok && e.At.After(s.from.Add(-farAhead)); e, ok = l.policy.Prev(e.At.Add(-time.Nanosecond)) {
		if e.Power != policy.Running {
			now.noBegin = false
			break
		}
		now.from, now.begin = e.At, e
	}
	if now.noBegin {
		now.from = s.from
	}
	return now
}

// ended looks behind a span for the end of a stretch.
func (l *planLine) ended(now *stretch, s span) {
	now.to, now.noEnd = s.to, true
	last := s.to.Add(-time.Nanosecond)
	for e, ok := l.policy.Next(last); ok && e.At.Before(s.to.Add(farAhead)); e, ok = l.policy.Next(e.At) {
		if e.Power != policy.Running {
			now.to, now.end, now.noEnd = e.At, e, false
			return
		}
	}
}

// writePlanICal writes a calendar by RFC 5545 with an event for each deployment
// and each stretch of time in which its policy wants it running. An event keeps
// its UID whatever span is asked for, so that whoever subscribes sees one.
func writePlanICal(w io.Writer, account string, lines []*planLine, s span) error {
	out := icalWriter{w: w}
	out.lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//curfew//plan//EN", "METHOD:PUBLISH", "X-WR-CALNAME:curfew "+icalText(account))
	for _, l := range lines {
		for _, st := range l.stretches(s) {
			why := l.why(&st)
			for _, m := range l.members {
				out.event(account, m, l, &st, why, s.from)
			}
			if out.err != nil {
				return out.err
			}
		}
	}
	out.lines("END:VCALENDAR")
	return out.err
}

// why is what begins and ends a stretch, each with its line.
func (l *planLine) why(st *stretch) string {
	s := "policy " + l.policy.Name()
	for _, at := range []struct {
		word string
		edge policy.Edge
		none bool
	}{{"start", st.begin, st.noBegin}, {"stop", st.end, st.noEnd}} {
		if at.none {
			s += "\n" + at.word + ": not in sight"
			continue
		}
		e := planEdge{Edge: at.edge, line: l}
		text := e.because(l.policy.Location())
		if at.edge.Power != policy.None {
			text = e.reason(l.policy.Location())
		}
		s += fmt.Sprintf("\n%s: %s (%s)", at.word, text, place(at.edge.Because.Pos))
	}
	if l.dry {
		s += "\ndry run: no call is made"
	}
	return s
}

// An icalWriter writes content lines and keeps the first error.
type icalWriter struct {
	w   io.Writer
	buf []byte
	err error
}

// event writes one event. The time of its making is the plan's begin, so that the
// same question has the same answer.
func (o *icalWriter) event(account string, m *planMember, l *planLine, st *stretch, why string, made time.Time) {
	began, name := st.from.UTC().Format(icalTime), string(m.id)
	if st.noBegin {
		began = "ever"
	}
	if m.name != "" {
		name = m.name + " (" + name + ")"
	}
	if m.bar != nil && m.bar.kind != barPerhaps {
		why += "\n" + m.bar.text
	}
	o.lines("BEGIN:VEVENT",
		"UID:"+icalText(string(m.id)+"-"+began+"@"+account+".curfew"),
		"DTSTAMP:"+made.UTC().Format(icalTime),
		"DTSTART:"+st.from.UTC().Format(icalTime),
		"DTEND:"+st.to.UTC().Format(icalTime),
		"SUMMARY:"+icalText(name)+" running",
		"DESCRIPTION:"+icalText(why),
		"CATEGORIES:"+icalText(l.policy.Name()),
		"TRANSP:TRANSPARENT",
		"END:VEVENT")
}

// lines writes content lines, folded so that none is longer than 75 octets
// without its line break, and no character is cut (RFC 5545, 3.1).
func (o *icalWriter) lines(lines ...string) {
	o.buf = o.buf[:0]
	for _, l := range lines {
		for room := 75; len(l) > room; room = 74 { // a blank begins the others
			cut := room
			for cut > 1 && !utf8.RuneStart(l[cut]) {
				cut--
			}
			o.buf = append(append(o.buf, l[:cut]...), "\r\n "...)
			l = l[cut:]
		}
		o.buf = append(append(o.buf, l...), "\r\n"...)
	}
	if o.err == nil {
		_, o.err = o.w.Write(o.buf)
	}
}

// icalText escapes a value of the type TEXT (RFC 5545, 3.3.11). Other control
// characters than line breaks cannot stand in it at all.
func icalText(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || c == '\\' || c == ';' || c == ',' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\\' || r == ';' || r == ',':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r != 0x7f:
			b.WriteRune(r)
		}
	}
	return b.String()
}

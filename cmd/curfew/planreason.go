package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"curfew/policy"
)

// windowText parts the text of a window on the same days or overnight into its
// days and its times. Cron expressions have no colon.
var windowText = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z,\s-]*?)\s*[0-9]{1,2}:[0-9]{2}\s*-\s*[0-9]{1,2}:[0-9]{2}\s*$`)

// because is an edge in words: why it is there, and what comes of it. shown is
// the zone in which its instant is shown.
func (e *planEdge) because(shown *time.Location) string {
	switch {
	case e.Power == policy.None:
		return e.daysAt() + ": nothing wanted"
	case e.Cancelled == policy.Superseded:
		return fmt.Sprintf("%s for %s cancelled: superseded, the clocks skip both", e.Power.Action(), e.nominal())
	case e.Cancelled != "":
		return fmt.Sprintf("%s cancelled: %s", e.Power.Action(), e.Cancelled)
	}
	return e.reason(shown) + e.outcome()
}

// becauseAt is because, fit for a page, and the line to look at. What keeps a
// deployment from a call has a line of its own, which then is that.
func (e *planEdge) becauseAt(shown *time.Location) (string, policy.Pos) {
	if e.bar != nil && e.Cancelled == e.bar.text {
		return printable(e.Power.Action() + " cancelled: " + e.bar.what), e.bar.pos
	}
	return printable(e.because(shown)), e.pos()
}

// outcome is what comes of an edge that counts, where that is no call.
func (e *planEdge) outcome() string {
	switch {
	case e.line.dry:
		return ", dry run, no call"
	case e.need == policy.NoCall:
		return ", no call expected"
	case e.need == policy.CallIfTouched:
		return ", only if " + e.Power.Other().String()
	}
	return ""
}

// reason is what makes an edge: the expression, the window or the days, the time
// that the line names where that is another one than the call's, and the lead.
func (e *planEdge) reason(shown *time.Location) string {
	var parts []string
	own := e.line.policy.Location()
	elsewhere := shown.String() != own.String()
	moved := e.shifted() || elsewhere
	if what := e.what(); !moved || e.Power != policy.Running || !e.ofWindow() {
		parts = append(parts, what)
	}
	if moved {
		s := "for " + e.nominal()
		if elsewhere {
			s += " " + own.String()
		}
		parts = append(parts, s)
	}
	if lead := e.NominalAt.Sub(e.At); lead > 0 {
		parts = append(parts, "lead "+shortSpan(lead))
	}
	if e.PutOff != (policy.Civil{}) {
		parts = append(parts, e.putOff())
	}
	return strings.Join(parts, ", ")
}

// what names the line: a cron expression by its text, a window by its days.
func (e *planEdge) what() string {
	if e.Because.Kind == policy.KindCalendar {
		return e.daysAt()
	}
	if !e.ofWindow() {
		return e.Because.Ref
	}
	end := "end of "
	if e.Power == policy.Running {
		end = "begin of "
	}
	if m := windowText.FindStringSubmatch(e.Because.Ref); m != nil {
		return end + m[1] + " window"
	}
	return end + e.Because.Ref
}

// ofWindow reports whether a window makes the edge.
func (e *planEdge) ofWindow() bool {
	return e.Because.Kind == policy.KindEdge && strings.Contains(e.Because.Ref, ":")
}

// daysAt says whether days of a calendar begin or end at an edge.
func (e *planEdge) daysAt() string {
	date := time.Date(e.Nominal.Year, e.Nominal.Month, e.Nominal.Day, 0, 0, 0, 0, time.UTC)
	begins := e.Power == policy.None || e.namedBy(date)
	ends := e.Power != policy.None && e.namedBy(date.AddDate(0, 0, -1))
	if begins && ends {
		begins, ends = e.decides()
	}
	switch {
	case begins && !ends:
		return "begin of " + e.Because.Ref
	case ends && !begins:
		return "end of " + e.Because.Ref
	}
	return e.Because.Ref
}

// decides tells a begin from an end where the calendar has the days on both sides
// and another exception has one of them: by what becomes of the policy's own
// times on the date. Neither is true where there are none.
func (e *planEdge) decides() (begins, ends bool) {
	for other := range e.line.policy.Edges(e.At, e.At.Add(26*time.Hour)) {
		c := other.Nominal
		switch {
		case other.Because.Kind == policy.KindCalendar || c.Year != e.Nominal.Year || c.Month != e.Nominal.Month || c.Day != e.Nominal.Day:
		case other.Cancellation == policy.CancelledDay || other.Cancellation == policy.CancelledUntouched:
			return true, false
		default:
			ends = true
		}
	}
	return false, ends
}

// namedBy reports whether e is quoted as the given date of a calendar would be.
func (e *planEdge) namedBy(date time.Time) bool {
	for _, c := range e.line.calendars {
		if !strings.HasPrefix(e.Because.Ref, c.Name) {
			continue
		}
		day, ok := c.Days.On(policy.Date{Year: date.Year(), Month: date.Month(), Day: date.Day()})
		if ok && (day.Name == "" && c.Name == e.Because.Ref || c.Name+" "+strconv.Quote(day.Name) == e.Because.Ref) {
			return true
		}
	}
	return false
}

// putOff says from when a start was put off, and by which day off, which stands
// with the edge that is missing there.
func (e *planEdge) putOff() string {
	p, c := e.line.policy, e.PutOff
	was := time.Date(c.Year, c.Month, c.Day, c.Hour, c.Minute, 0, 0, p.Location())
	s := "put off from " + was.Format("Mon 15:04") // what it names, whichever pass
	if e.NominalAt.Sub(was) > 6*24*time.Hour {
		s = "put off from " + c.String()
	}
	const around = 25 * time.Hour // more than a clock is ever set by
	for lost := range p.Edges(was.Add(-around-p.Options().StartLead), was.Add(around)) {
		if lost.Cancellation == policy.CancelledOff && lost.Nominal == c {
			return s + ": " + lost.CancelledBy.Ref
		}
	}
	return s
}

// pos is the line that decides about an edge: where a calendar cancels it, the
// one that names the calendar. What protects a deployment says its own line.
func (e *planEdge) pos() policy.Pos {
	if e.CancelledBy.Pos.Line > 0 {
		return e.CancelledBy.Pos
	}
	return e.Because.Pos
}

// place is the line of the file, without the column that only an error needs.
func place(p policy.Pos) string {
	p.Col = 0
	return p.String()
}

// shifted reports whether the call is due at another local time than the line
// names: a lead, or a time that the clocks skip. 24:00 is no other time than the
// next day's 00:00.
func (e *planEdge) shifted() bool {
	n := time.Date(e.Nominal.Year, e.Nominal.Month, e.Nominal.Day, e.Nominal.Hour, e.Nominal.Minute, 0, 0, time.UTC)
	return civilOf(e.At, e.line.policy.Location()) != civilOf(n, time.UTC)
}

// nominal is the local time that the line names, with its date where the call is
// on another.
func (e *planEdge) nominal() string {
	at, n := civilOf(e.At, e.line.policy.Location()), e.Nominal
	s := fmt.Sprintf("%02d:%02d", n.Hour, n.Minute)
	if at.Year != n.Year || at.Month != n.Month || at.Day != n.Day {
		s = n.String()
	}
	// In a gap it is no time that a clock shows, so it is none that it shows twice.
	loc := e.line.policy.Location()
	if pass := passOf(e.NominalAt.In(loc)); pass != "" && civilOf(e.NominalAt, loc) == n {
		s += " " + pass
	}
	return s
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

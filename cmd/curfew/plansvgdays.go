package main

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"curfew/internal/picture"
	"curfew/policy"
)

// daysOff are the dates of a span on which a calendar changes what a policy's own
// times say: those whose edges it cancels, and those that follow on one at which
// its days begin. A holiday on which the policy would do nothing anyway is none.
func (l *planLine) daysOff(s span) []picture.Day {
	if len(l.calendars) == 0 {
		return nil
	}
	found := map[time.Time]string{}
	if e, ok := l.policy.Prev(s.from); ok {
		l.wholeDays(e, s, found)
	}
	// A lead may put a start before its date.
	for e := range l.policy.Edges(s.from.AddDate(0, 0, -1), s.to.AddDate(0, 0, 1)) {
		l.wholeDays(e, s, found)
		if e.CancelledBy.Kind == policy.KindCalendar {
			found[dateOf(e.Nominal)] = e.Cancelled
		}
	}
	var all []picture.Day
	for _, date := range slices.SortedFunc(maps.Keys(found), time.Time.Compare) {
		year, month, day := date.Date()
		all = append(all, picture.Day{Date: time.Date(year, month, day, 12, 0, 0, 0, l.policy.Location()), Title: found[date]})
	}
	return all
}

// wholeDays adds the dates of the days that begin with e, where it is such an
// edge: that date and those behind it, as long as its calendar has them.
func (l *planLine) wholeDays(e policy.Edge, s span, found map[time.Time]string) {
	if e.Because.Kind != policy.KindCalendar {
		return
	}
	date := dateOf(e.Nominal)
	pe := planEdge{Edge: e, line: l}
	if e.Power != policy.None && pe.namedBy(date.AddDate(0, 0, -1)) {
		if begins, _ := pe.decides(); !begins {
			return // the days before it end here
		}
	}
	effect := e.Power.String()
	if e.Power == policy.None {
		effect = policy.EffectUntouched.String()
	}
	for ; date.Before(s.to.AddDate(0, 0, 1)); date = date.AddDate(0, 0, 1) {
		name, ok := l.calendarDay(e.Because.Ref, dateOf(e.Nominal), date)
		if !ok {
			return
		}
		found[date] = name + ": " + effect
	}
}

// calendarDay returns what the calendar that calls the day begin ref calls another
// date, and false where it does not have that.
func (l *planLine) calendarDay(ref string, begin, date time.Time) (string, bool) {
	for _, c := range l.calendars {
		if name, ok := calendarName(c.Name, c.Days, begin); ok && name == ref {
			return calendarName(c.Name, c.Days, date)
		}
	}
	return "", false
}

// calendarName is a date as it is quoted: holidays "Neujahr".
func calendarName(calendar string, days *policy.Calendar, date time.Time) (string, bool) {
	day, ok := days.On(policy.Date{Year: date.Year(), Month: date.Month(), Day: date.Day()})
	if day.Name != "" {
		calendar += " " + strconv.Quote(day.Name)
	}
	return calendar, ok
}

// dateOf is the date of a local time, as midnight in UTC.
func dateOf(c policy.Civil) time.Time {
	return time.Date(c.Year, c.Month, c.Day, 0, 0, 0, 0, time.UTC)
}

package calendar

import (
	"maps"
	"slices"
	"time"

	"curfew/policy"
)

// The years for which everything is written out, both included.
const (
	FirstYear = 2000
	LastYear  = 2099
)

// A day is a civil date as the number of days since 1970-01-01, in no zone.
type day int

const (
	firstDay day = 10957 // 1 January of FirstYear
	lastDay  day = 47481 // 31 December of LastYear

	// fourCenturies is the period of the Gregorian calendar, weekdays included.
	fourCenturies day = 146097

	daySeconds = 24 * 60 * 60
)

// dayOf returns the day of a date; a day past the end of its month runs on into
// the next one.
func dayOf(year int, month time.Month, dom int) day {
	return dayAt(time.Date(year, month, dom, 0, 0, 0, 0, time.UTC))
}

// dayAt returns the day of t in its own location.
func dayAt(t time.Time) day {
	year, month, dom := t.Date()
	return day(time.Date(year, month, dom, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)
}

// midnight returns the beginning of d in UTC.
func (d day) midnight() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

// date returns d as a policy.Date.
func (d day) date() policy.Date {
	year, month, dom := d.midnight().Date()
	return policy.Date{Year: year, Month: month, Day: dom}
}

// String returns the date as "2026-12-24".
func (d day) String() string { return d.midnight().Format(time.DateOnly) }

// sheet collects days: each once, under the name that it was given first.
type sheet map[day]string

// add enters a day unless it lies outside the years or is there already.
func (s sheet) add(d day, name string) {
	if _, taken := s[d]; !taken && d >= firstDay && d <= lastDay {
		s[d] = name
	}
}

// days returns the days in order.
func (s sheet) days() []policy.Day {
	days := make([]policy.Day, 0, len(s))
	for _, d := range slices.Sorted(maps.Keys(s)) {
		days = append(days, policy.Day{Date: d.date(), Name: s[d]})
	}
	return days
}

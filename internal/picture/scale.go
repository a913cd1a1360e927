package picture

import (
	"iter"
	"time"
)

// A unit is what an axis counts in.
type unit uint8

const (
	hours unit = iota
	days
	weeks
	months
	years
)

// seconds is about how long one of a unit is.
func (u unit) seconds() float64 {
	return [...]float64{hours: 3600, days: 86400, weeks: 7 * 86400, months: 30 * 86400, years: 365 * 86400}[u]
}

// A step is every how many of a unit there is a tick, and how that is labelled.
type step struct {
	every  int
	unit   unit
	layout string // of package time
	need   int    // pixels between two ticks
}

// A scale is the two lines of an axis: what is between two ticks of the upper one
// is counted by the lower.
type scale struct{ lower, upper step }

// scales are those that there are, the finest first.
func scales() []scale {
	day := step{1, days, "Mon 2 Jan", 0}
	month, shortMonth, year := step{1, months, "January 2006", 0}, step{1, months, "Jan 2006", 0}, step{1, years, "2006", 0}
	return []scale{
		{step{1, hours, "15", 24}, day},
		{step{2, hours, "15", 24}, day},
		{step{3, hours, "15", 24}, day},
		{step{6, hours, "15", 24}, day},
		{step{12, hours, "15", 24}, day},
		{step{1, days, "Mon 2", 48}, month},
		{step{1, days, "2", 17}, month},
		{step{1, weeks, "2", 20}, shortMonth},
		{step{1, months, "Jan", 30}, year},
		{step{3, months, "Jan", 30}, year},
		{step{1, years, "2006", 40}, year},
		{step{10, years, "2006", 40}, step{10, years, "2006", 0}},
		{step{100, years, "2006", 40}, step{100, years, "2006", 0}},
		{step{1000, years, "2006", 40}, step{1000, years, "2006", 0}},
	}
}

// scale picks the finest scale whose ticks do not crowd a plot of that width.
func (p *Picture) scale(width float64) scale {
	all := scales()
	for _, s := range all {
		if width*float64(s.lower.every)*s.lower.unit.seconds()/seconds(p.From, p.To) >= float64(s.lower.need) {
			return s
		}
	}
	return all[len(all)-1]
}

// seconds is the time between two instants, also where that is too long for a
// time.Duration.
func seconds(from, to time.Time) float64 {
	return float64(to.Unix()-from.Unix()) + float64(to.Nanosecond()-from.Nanosecond())/1e9
}

// A tick is the stretch of real time from one tick to the next, both of which may
// lie outside the span.
type tick struct {
	from, to time.Time
	label    string
}

// ticks yields those of a step that have a part in the span, in order.
func (p *Picture) ticks(s step) iter.Seq[tick] {
	if s.unit == hours {
		return p.hourTicks(s)
	}
	return func(yield func(tick) bool) {
		loc := p.location()
		name := s.floor(shownAt(p.From.In(loc)))
		for from := dayBegin(name, loc); from.Before(p.To); {
			next := s.next(name)
			to := dayBegin(next, loc)
			if to.After(from) && to.After(p.From) && !yield(tick{from, to, name.Format(s.layout)}) {
				return
			}
			name, from = next, to
		}
	}
}

// floor returns the last date of s at or before a local time, as midnight in UTC.
func (s step) floor(t time.Time) time.Time {
	year, month, day := t.Date()
	switch s.unit {
	case weeks:
		day -= (int(t.Weekday()) + 6) % 7 // back to Monday
	case months:
		day, month = 1, month-time.Month(int(month-1)%s.every)
	case years:
		year, month, day = year-year%s.every, 1, 1
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// next returns the date of s after one of its dates.
func (s step) next(date time.Time) time.Time {
	switch s.unit {
	case weeks:
		return date.AddDate(0, 0, 7*s.every)
	case months:
		return date.AddDate(0, s.every, 0)
	case years:
		return date.AddDate(s.every, 0, 0)
	}
	return date.AddDate(0, 0, s.every)
}

// hourTicks yields the full hours that the local clock shows: an hour that comes
// twice has two, one that is skipped has none.
func (p *Picture) hourTicks(s step) iter.Seq[tick] {
	const grain = 15 * time.Minute // offsets of today's zones are multiples of it
	return func(yield func(tick) bool) {
		for d := range p.dates() {
			for at := d.from; at.Before(d.to); at = at.Add(grain) {
				switch hour, minute, second := at.Clock(); {
				case at.Before(p.From) || minute+second > 0 || hour%s.every > 0:
				case !at.Before(p.To):
					return
				case !yield(tick{at, at.Add(time.Duration(s.every) * time.Hour), at.Format(s.layout)}):
					return
				}
			}
		}
	}
}

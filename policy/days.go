package policy

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"
)

// A Date is a day of the civil calendar, in no zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// String returns the date as "2026-12-24".
func (d Date) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// valid reports whether there is such a day in the years that are searched.
func (d Date) valid() bool {
	return d.Year >= firstYear && d.Year <= lastYear && d.Month >= time.January && d.Month <= time.December &&
		d.Day >= 1 && d.Day <= monthLength(d.Year, int(d.Month))
}

// number counts the days from 1970-01-01.
func (d Date) number() int64 { return dayNumber(d.Year, int(d.Month), d.Day) }

// A Day is one date of a calendar. Name is what the day is called there, such
// as "1. Weihnachtstag"; it may be empty.
type Day struct {
	Date Date
	Name string
}

// A Calendar is a named set of dates: immutable, and safe for any number of
// goroutines. What repeats (yearly dates, rules of iCalendar, public holidays)
// was written out date by date by whoever loaded it.
type Calendar struct {
	name string
	days []Day // sorted, each date once
}

// NewCalendar makes a calendar of days in any order. Of several days with one
// date the first is kept. Dates that do not exist, or lie outside the years 1
// to 9999, are the loader's to refuse; here they are left out.
func NewCalendar(name string, days []Day) *Calendar {
	sorted := slices.DeleteFunc(slices.Clone(days), func(d Day) bool { return !d.Date.valid() })
	slices.SortStableFunc(sorted, func(a, b Day) int { return compareDates(a.Date, b.Date) })
	sorted = slices.CompactFunc(sorted, func(a, b Day) bool { return a.Date == b.Date })
	return &Calendar{name: name, days: slices.Clip(sorted)}
}

func compareDates(a, b Date) int {
	return cmp.Or(cmp.Compare(a.Year, b.Year), cmp.Compare(a.Month, b.Month), cmp.Compare(a.Day, b.Day))
}

// Name returns the calendar's name.
func (c *Calendar) Name() string { return c.name }

// Len returns the number of dates.
func (c *Calendar) Len() int { return len(c.days) }

// On returns the day of that date, and false where the calendar does not have it.
func (c *Calendar) On(d Date) (Day, bool) {
	i, ok := slices.BinarySearchFunc(c.days, d, func(day Day, d Date) int { return compareDates(day.Date, d) })
	if !ok {
		return Day{}, false
	}
	return c.days[i], true
}

// Days yields the days in the order of their dates.
func (c *Calendar) Days() iter.Seq[Day] { return slices.Values(c.days) }

// Last returns the last date, and false where there is none.
func (c *Calendar) Last() (Date, bool) {
	if len(c.days) == 0 {
		return Date{}, false
	}
	return c.days[len(c.days)-1].Date, true
}

// Effect is what a calendar's dates do to a policy that names it under except.
type Effect uint8

// The effects. EffectOff takes beginnings only; the others hold for the whole
// local day.
const (
	EffectOff       Effect = iota // no start, no window begins: put off to the first later date that is not off
	EffectStopped                 // stopped is wanted
	EffectRunning                 // running is wanted
	EffectUntouched               // nothing is wanted
)

// String returns the word of the configuration file.
func (e Effect) String() string {
	switch e {
	case EffectOff:
		return "off"
	case EffectStopped:
		return "stopped"
	case EffectRunning:
		return "running"
	case EffectUntouched:
		return "untouched"
	}
	return "unknown"
}

// ParseEffect reads the word of the configuration file, and returns false for
// any other.
func ParseEffect(word string) (Effect, bool) {
	for e := EffectOff; e <= EffectUntouched; e++ {
		if word == e.String() {
			return e, true
		}
	}
	return 0, false
}

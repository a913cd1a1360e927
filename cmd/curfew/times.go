package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// timeHelp is how people may write a time.
const timeHelp = `RFC 3339, "2026-12-24 18:00", "2026-12-24", "Fri 22:00" (the next one), or a duration from now such as 36h, 7d or -2h`

// parseTime reads a time as it is given to a flag. What names no zone is read in
// loc: a local time that the clocks skip is the first instant after the gap, one
// that they show twice is the first of the two, as in a policy. The answer is in
// loc, between the years 1 and 9999.
func parseTime(text string, now time.Time, loc *time.Location) (time.Time, error) {
	t, ok := readTime(strings.TrimSpace(text), now.In(loc), loc)
	if !ok {
		return time.Time{}, fmt.Errorf("%q is no time: want %s", text, timeHelp)
	}
	t = t.In(loc)
	if y := t.Year(); y < 1 || y > 9999 {
		return time.Time{}, fmt.Errorf("%q is not between the years 1 and 9999", text)
	}
	return t, nil
}

func readTime(text string, now time.Time, loc *time.Location) (time.Time, bool) {
	if text == "now" {
		return now, true
	}
	if d, ok := readSpan(text); ok {
		return now.Add(d), true
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, true
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02"} {
		if civil, err := time.Parse(layout, text); err == nil {
			return localInstant(civil, loc), true
		}
	}
	return readWeekday(text, now, loc)
}

// readSpan reads a duration of Go's, or a number of days of 24 hours.
func readSpan(text string) (time.Duration, bool) {
	if n, ok := strings.CutSuffix(text, "d"); ok {
		days, err := strconv.ParseInt(n, 10, 32)
		const most = 100 * 365 // far below where a duration ends
		return time.Duration(days) * 24 * time.Hour, err == nil && -most <= days && days <= most
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// readWeekday reads "Fri 22:00": the next such local time after now.
func readWeekday(text string, now time.Time, loc *time.Location) (time.Time, bool) {
	name, clock, ok := strings.Cut(text, " ")
	day, known := weekday(name)
	at, err := time.Parse("15:04", strings.TrimSpace(clock))
	if !ok || !known || err != nil {
		return time.Time{}, false
	}
	ahead := (int(day-now.Weekday()) + 7) % 7
	for _, days := range []int{ahead, ahead + 7} { // today's may be over
		civil := time.Date(now.Year(), now.Month(), now.Day()+days, at.Hour(), at.Minute(), 0, 0, time.UTC)
		if t := localInstant(civil, loc); t.After(now) {
			return t, true
		}
	}
	return time.Time{}, false
}

// weekday reads an English name of a day, or its first three letters.
func weekday(name string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if full := d.String(); strings.EqualFold(name, full) || strings.EqualFold(name, full[:3]) {
			return d, true
		}
	}
	return 0, false
}

// localInstant returns the first instant at which the clocks of loc show what
// civil shows in UTC, or have passed it where they skip it. Go's time.Date
// promises neither side of a jump.
func localInstant(civil time.Time, loc *time.Location) time.Time {
	near := time.Date(civil.Year(), civil.Month(), civil.Day(), civil.Hour(), civil.Minute(), civil.Second(), 0, loc)
	begin, end := near.ZoneBounds()
	var first time.Time
	for _, at := range []time.Time{begin.Add(-time.Nanosecond), near, end} { // the offsets that can hold
		_, offset := at.In(loc).Zone()
		t := civil.Add(-time.Duration(offset) * time.Second).In(loc)
		if wall(t).Equal(civil) && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	switch {
	case !first.IsZero():
		return first
	case wall(near).Before(civil):
		return end.In(loc) // near is in front of the gap
	}
	return begin.In(loc)
}

// wall is what the clocks show at t, as if they were UTC's.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// shownTime is a time for people, by a layout of package time that names no zone.
// Where the clock in t's zone shows that time of day twice it has the zone's
// abbreviation behind it, which tells the two apart: "Sun 25 Oct 02:30 CEST".
func shownTime(t time.Time, layout string) string {
	s := t.Format(layout)
	if pass := passOf(t); pass != "" {
		s += " " + pass
	}
	return s
}

// passOf names the pass of a local time that comes twice: by the abbreviation of
// the zone at that time, or by the offset where both have one abbreviation. It is
// empty where the time comes once.
func passOf(t time.Time) string {
	begin, end := t.ZoneBounds()
	name, offset := t.Zone()
	for _, side := range []struct {
		at     time.Time
		beside bool // whether t is no farther from it than the clocks are set back there
	}{
		{begin.Add(-time.Nanosecond), t.Sub(begin) < setBack(begin, t.Location())},
		{end, !end.IsZero() && end.Sub(t) <= setBack(end, t.Location())},
	} {
		if !side.beside {
			continue
		}
		if other, _ := side.at.In(t.Location()).Zone(); other == name {
			return offsetText(offset)
		}
		return name
	}
	return ""
}

// setBack is how far the clocks are set back at an instant of a change; zero where
// they are not, or where there is none.
func setBack(at time.Time, loc *time.Location) time.Duration {
	if at.IsZero() {
		return 0
	}
	_, before := at.Add(-time.Nanosecond).In(loc).Zone()
	_, behind := at.In(loc).Zone()
	return max(0, time.Duration(before-behind)*time.Second)
}

// offsetText is an offset from UTC, in seconds, as RFC 3339 has it.
func offsetText(seconds int) string {
	return time.Unix(0, 0).In(time.FixedZone("", seconds)).Format("-07:00")
}

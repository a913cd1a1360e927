package calendar

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A moment is the value of a DTSTART, an EXDATE and the like.
type moment struct {
	kind kind
	day  day // as written
	secs int // since its midnight, as written
	zone string
}

// kind says how a moment is written (RFC 5545, sections 3.3.4 and 3.3.5).
type kind uint8

const (
	onDate   kind = iota // 20261224
	floating             // 20261224T000000
	inZone               // TZID=Europe/Berlin:20261224T000000
	inUTC                // 20261224T000000Z
)

// oldest is the first year that is read: Outlook and Apple write 1601 and 1604
// where a year is not known.
const oldest = 1600

// parseMoment reads one value of p. A date with VALUE=DATE may carry a time and
// one without may lack it: both are found, and what was meant is plain.
func parseMoment(value string, p property) (moment, error) {
	text := strings.ToUpper(strings.TrimSpace(value))
	m := moment{zone: zoneName(p.param("TZID"))}
	form := "20060102T150405"
	switch {
	case strings.EqualFold(p.param("VALUE"), "DATE") || len(text) == len("20261224"):
		m.kind, form = onDate, "20060102"
		text = text[:min(len(text), len(form))]
	case strings.HasSuffix(text, "Z"):
		m.kind, text = inUTC, strings.TrimSuffix(text, "Z")
	case strings.EqualFold(m.zone, "UTC"), strings.EqualFold(m.zone, "Etc/UTC"):
		m.kind = inUTC
	case m.zone != "":
		m.kind = inZone
	default:
		m.kind = floating
	}
	t, err := time.Parse(form, text)
	if err != nil || t.Nanosecond() != 0 || t.Year() < oldest {
		return m, fmt.Errorf("%q is no date", clip(value, maxName))
	}
	m.day, m.secs = dayAt(t), t.Hour()*3600+t.Minute()*60+t.Second()
	return m, nil
}

// A clock tells on which local date of an event a UTC time falls.
type clock struct {
	utc     bool  // the event itself is in UTC
	offsets []int // of its zone, in seconds east of Greenwich, where the file has them
}

// local returns the local date of m, and false where that is a guess: a zone is
// needed and the file does not describe it. What is not in UTC is the date as
// written, in whatever zone.
//
// Where m is no midnight, as with an UNTIL one second before it, the smallest
// offset is taken: that keeps such an instant on its day in winter and in summer.
func (c clock) local(m moment) (day, bool) {
	if m.kind != inUTC || c.utc {
		return m.day, true
	}
	if d, ok := c.beginning(m); ok {
		return d, true
	}
	switch {
	case m.secs == 0, m.secs == daySeconds-1:
		return m.day, true // a date, by somebody who had to write a time
	case len(c.offsets) > 0:
		return floorDay(m.instant() + slices.Min(c.offsets)), true
	case (m.secs+1)%quarter == 0: // the second before a midnight
		m.secs++
		d, _ := c.beginning(m)
		return d - 1, true
	}
	return m.day, false
}

// beginning returns the day that begins at m, a time in UTC, and false where
// none does. Of the offsets that a zone has had, the one that turns m into a
// midnight is the right one: the rules of summer time need not be known.
//
// Where the zone is not described, any quarter of an hour may be a midnight:
// 23:00 UTC is one in Berlin, 05:00 in New York. The line between east and west
// is drawn so that Auckland and Honolulu are right, and Pago Pago is not.
func (c clock) beginning(m moment) (day, bool) {
	const east = 11 * 3600
	for _, offset := range c.offsets {
		if at := m.instant() + offset; at%daySeconds == 0 {
			return day(at / daySeconds), true
		}
	}
	switch {
	case len(c.offsets) > 0, m.secs%quarter != 0:
		return 0, false
	case m.secs >= east:
		return m.day + 1, true
	}
	return m.day, true
}

// quarter is a quarter of an hour, in seconds: all zones are whole multiples of
// it away from UTC.
const quarter = 15 * 60

// instant returns the seconds from 1970 to m, a time in UTC.
func (m moment) instant() int { return int(m.day)*daySeconds + m.secs }

// floorDay returns the day in which a second since 1970-01-01 lies.
func floorDay(second int) day {
	if second < 0 {
		second -= daySeconds - 1
	}
	return day(second / daySeconds)
}

var offsetForm = regexp.MustCompile(`^([+-])([0-9]{2})([0-9]{2})([0-9]{2})?$`)

// parseOffset reads a TZOFFSETTO: +0100, in seconds.
func parseOffset(text string) (int, bool) {
	m := offsetForm.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	secs := number(m[2])*3600 + number(m[3])*60 + number(m[4])
	if m[1] == "-" {
		secs = -secs
	}
	return secs, secs > -daySeconds && secs < daySeconds
}

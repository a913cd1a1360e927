package policy

import (
	"math"
	"time"
)

// Instants here are whole seconds since 1970 in UTC, and local times are the
// same count read off a local clock: local = instant + offset. Both are int64,
// so that nothing in a search allocates.

// The widest offsets from UTC that a zone file may hold, and so the farthest
// that one span's clock can lie from another's (RFC 9636, section 3.2).
const (
	maxOffset = 26 * 3600
	maxShift  = 2 * maxOffset
)

const secondsPerDay = 24 * 60 * 60

// A span is a stretch of time, [from, to), on which a zone's offset is off. It
// may end where the offset does not change: time.Location also cuts at the
// turn of the year.
type span struct {
	from, to int64
	off      int64
}

// spanAt returns a span that holds the instant at. What time.Location says of
// the years beyond a zone's last listed change is meant for time.Date, which
// looks near a change only; so both ends are checked here.
func spanAt(loc *time.Location, at int64) span {
	s := claimed(loc, at)
	if s.to <= at {
		// It takes every year to have 365 days, and so the last day of a leap
		// year to lie behind the end of its span. Nothing changes on that day.
		s.to = (floorDiv(at, secondsPerDay) + 1) * secondsPerDay
	}
	if s.from == math.MinInt64 {
		return s
	}
	// It takes a rule to hold from the turn of the year, though the last listed
	// change may have come after that.
	for first := claimed(loc, s.from); first.off != s.off && s.from < first.to && first.to <= at; {
		s.from = first.to
		first = claimed(loc, s.from)
	}
	return s
}

// claimed returns the bounds and the offset of at as time.Location gives them.
func claimed(loc *time.Location, at int64) span {
	t := time.Unix(at, 0).In(loc)
	start, end := t.ZoneBounds()
	_, off := t.Zone()
	s := span{from: math.MinInt64, to: math.MaxInt64, off: int64(off)}
	if !start.IsZero() {
		s.from = start.Unix()
	}
	if !end.IsZero() {
		s.to = end.Unix()
	}
	return s
}

// reached returns the latest local time that the clock has shown up to the
// instant at, which s holds. After a fold that is later than what it shows now.
func (s span) reached(loc *time.Location, at int64) int64 {
	top := at + s.off
	for from := s.from; from > at-maxShift; {
		before := spanAt(loc, from-1)
		top = max(top, from-1+before.off)
		from = before.from
	}
	return top
}

// ahead returns the earliest local time that the clock will still show from the
// instant at on, which s holds. Before a fold that is earlier than what it shows
// now.
func (s span) ahead(loc *time.Location, at int64) int64 {
	low := at + s.off
	for to := s.to; to != math.MaxInt64 && to < at+maxShift; {
		after := spanAt(loc, to)
		low = min(low, to+after.off)
		to = after.to
	}
	return low
}

// lastShown returns the last instant at which the clock shows local, and false
// where that time is skipped.
func lastShown(loc *time.Location, local int64) (int64, bool) {
	s := spanAt(loc, local+maxOffset)
	for {
		at := local - s.off
		if s.from <= at && at < s.to {
			return at, true
		}
		if s.from <= local-maxOffset {
			return 0, false
		}
		s = spanAt(loc, s.from-1)
	}
}

// A moment is an instant with a span that holds it and the latest local time
// that the clock has shown up to it.
type moment struct {
	span
	at, local int64
}

func momentAt(loc *time.Location, at int64) moment {
	s := spanAt(loc, at)
	return moment{s, at, s.reached(loc, at)}
}

// day returns the latest date that the clock has shown, counted from 1970-01-01.
func (m moment) day() int64 { return floorDiv(m.local, secondsPerDay) }

// place returns the first instant at which the clock shows local or later: the
// instant itself where it occurs once, the first pass where it occurs twice,
// the end of the gap where it is skipped. It never falls as local grows. A
// guess is any span; the right one saves a look-up.
func place(loc *time.Location, local int64, guess span) (at, off int64) {
	if at := local - guess.off; at < guess.to && guess.from <= at-maxShift {
		return at, guess.off
	}
	s := spanAt(loc, local-maxOffset)
	for s.to != math.MaxInt64 && local >= s.to+s.off {
		s = spanAt(loc, s.to)
	}
	return max(s.from, local-s.off), s.off
}

// floorDiv returns a/b rounded down, for a positive b.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

package picture

import (
	"iter"
	"slices"
	"time"
)

// dayBegin returns the first instant at which a clock in loc shows that date, of
// which only year, month and day count: the end of the gap where its midnight is
// skipped, the first pass where it comes twice. A date that the clock leaps over
// begins where the next one does.
func dayBegin(date time.Time, loc *time.Location) time.Time {
	year, month, day := date.Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	var found time.Time
	// The offsets on both sides of whatever may happen there.
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := midnight.Add(near).In(loc).Zone()
		at := midnight.Add(-time.Duration(offset) * time.Second).In(loc)
		if !shownAt(at).Before(midnight) && (found.IsZero() || at.Before(found)) {
			found = at
		}
	}
	// In a gap, midnight by either offset may lie behind the end of it.
	if begin, _ := found.ZoneBounds(); !begin.IsZero() && begin.Before(found) &&
		shownBefore(begin, loc).Before(midnight) && !shownAt(begin.In(loc)).Before(midnight) {
		return begin.In(loc)
	}
	return found
}

// shownBefore is what a clock in loc would show at an instant if it had not been
// changed then, as a time in UTC.
func shownBefore(at time.Time, loc *time.Location) time.Time {
	_, offset := at.Add(-1).In(loc).Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// A jump is a change of the clocks.
type jump struct {
	at     time.Time
	before string        // what clocks would have shown
	after  string        // what they show
	by     time.Duration // how far they were moved, backwards below zero
}

// longestJumps is how long a picture may be in which changes of clocks are
// drawn: behind it they are a pattern and no news.
const longestJumps = 5 * 366 * 24 * time.Hour

// jumps yields the changes of the clocks of a zone inside the span.
func (p *Picture) jumps(loc *time.Location) iter.Seq[jump] {
	return func(yield func(jump) bool) {
		if p.To.Sub(p.From) > longestJumps {
			return
		}
		for at := p.From.In(loc); ; {
			_, end := at.ZoneBounds()
			if end.IsZero() || !end.Before(p.To) {
				return
			}
			at = end.In(loc)
			old := shownBefore(end, loc)
			by := shownAt(at).Sub(old)
			if by == 0 {
				continue // another name for the same time
			}
			if !yield(jump{at, old.Format("15:04"), at.Format("15:04"), by}) {
				return
			}
		}
	}
}

// ownJumps are the changes of the clocks of a row's zone, where that is not the
// picture's and changes at other instants.
func (d *drawing) ownJumps(r *Row) []jump {
	if r.Location == nil || r.Location.String() == d.location().String() {
		return nil
	}
	all, known := d.own[r.Location.String()]
	if known {
		return all
	}
	for j := range d.jumps(r.Location) {
		if !slices.ContainsFunc(d.leaps, func(of jump) bool { return of.at.Equal(j.at) && of.by == j.by }) {
			all = append(all, j)
		}
	}
	d.own[r.Location.String()] = all
	return all
}

// shownAt is what a clock in the zone of at shows, as a time in UTC.
func shownAt(at time.Time) time.Time {
	_, offset := at.Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// dates yields the local days that have a part in the span, in order: each as
// the real time that it takes, which may reach out of the span, from an instant in
// the zone of the axis on. A date that the zone leapt over is none.
func (p *Picture) dates() iter.Seq[tick] { return p.ticks(step{every: 1, unit: days}) }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

package policy

import (
	"time"
)

// A Schedule is one cron expression in one zone, compiled. It is immutable and
// may be shared. Its bit sets are robfig/cron's; the way from them to instants
// and back is this package's own.
//
// An expression whose minute or hour field, as text, begins with "*" or "?"
// follows real time: it runs at every minute at which the local clock shows a
// time that it names, so twice in a repeated hour and not in a skipped one. Any
// other names fixed local times that happen once a day whatever the clocks do:
// at the first instant after the gap where the time is skipped, on the first
// pass only where it occurs twice. Runs that fall together count once.
type Schedule struct {
	expr  string
	loc   *time.Location
	names fields
	real  bool
	fires bool
}

// Expr returns the expression as it was written.
func (s *Schedule) Expr() string { return s.expr }

// Location returns the zone in which s is read.
func (s *Schedule) Location() *time.Location { return s.loc }

// FollowsRealTime reports whether s runs by the minutes that pass rather than
// once for each local time; see Schedule.
func (s *Schedule) FollowsRealTime() bool { return s.real }

// Fires reports whether s names any date at all: "0 0 31 2 *" does not. It is
// exact over the whole calendar.
func (s *Schedule) Fires() bool { return s.fires }

// Next returns the first instant after the given one, in the schedule's zone,
// or false where there is none up to the year 9999.
func (s *Schedule) Next(after time.Time) (time.Time, bool) {
	r, ok := s.next(seconds(after))
	return s.instant(r, ok)
}

// Prev returns the last instant at or before the given one, in the schedule's
// zone, or false where there is none back to the year 1.
func (s *Schedule) Prev(upTo time.Time) (time.Time, bool) {
	r, ok := s.prev(seconds(upTo))
	return s.instant(r, ok)
}

func (s *Schedule) instant(r run, ok bool) (time.Time, bool) {
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(r.at, 0).In(s.loc), true
}

// A run is one instant of a schedule with the local time behind it: the latest,
// where a gap put several at one instant.
type run struct {
	at      int64
	nominal int64
	moved   bool // a gap put it where the clock shows something else
}

// The instants that are answered for, with room for any zone.
const (
	minInstant = -62135596800 + maxOffset // 0001-01-01 and a day
	maxInstant = 253402300799 - maxOffset // 9999-12-31 less a day
)

// seconds returns t in whole seconds, cut to what is answered for. Runs lie on
// whole seconds, so what is after t is after them.
func seconds(t time.Time) int64 {
	return min(max(t.Unix(), minInstant-1), maxInstant)
}

func (s *Schedule) next(after int64) (run, bool) { return s.nextOn(nil, after) }

func (s *Schedule) prev(upTo int64) (run, bool) { return s.prevOn(nil, upTo) }

// nextOn is next for those local times alone whose date is one of on, which is
// nil for all.
func (s *Schedule) nextOn(on *dates, after int64) (run, bool) {
	if !s.fires || after >= maxInstant {
		return run{}, false
	}
	if s.real {
		return s.nextRealOn(on, after)
	}
	return s.nextFixed(on, after)
}

func (s *Schedule) prevOn(on *dates, upTo int64) (run, bool) {
	if !s.fires || upTo < minInstant {
		return run{}, false
	}
	if s.real {
		return s.prevRealOn(on, upTo)
	}
	return s.prevFixed(on, upTo)
}

// nextFixed looks for the first local time beyond all that the clock has shown:
// since place never falls, just those have their instant still ahead.
func (s *Schedule) nextFixed(on *dates, after int64) (run, bool) {
	now := spanAt(s.loc, after)
	local, ok := s.names.nextOn(on, now.reached(s.loc, after)+1)
	if !ok {
		return run{}, false
	}
	at, off := place(s.loc, local, now)
	if shown := at + off; shown != local {
		local, _ = s.names.prevOn(on, shown) // the last of those that share the end of the gap
		return run{at, local, local != shown}, true
	}
	return run{at: at, nominal: local}, true
}

// prevFixed looks for the last local time that the clock has reached.
func (s *Schedule) prevFixed(on *dates, upTo int64) (run, bool) {
	now := spanAt(s.loc, upTo)
	local, ok := s.names.prevOn(on, now.reached(s.loc, upTo))
	if !ok {
		return run{}, false
	}
	at, off := place(s.loc, local, now)
	return run{at, local, at+off != local}, true
}

// nextReal walks the spans from the one after "after" on until one of them
// shows a local time that s names. What was found for one span holds for the
// next unless that begins before where the search began, or beyond the find.
func (s *Schedule) nextReal(after int64) (run, bool) {
	now := spanAt(s.loc, after+1)
	from := after + 1 + now.off
	local, ok := s.names.next(from)
	for ok && local-now.off >= now.to {
		begin := now.to
		now = spanAt(s.loc, begin)
		if shown := begin + now.off; shown < from || shown > local {
			from = shown
			local, ok = s.names.next(from)
		}
	}
	return run{at: local - now.off, nominal: local}, ok
}

// prevReal is nextReal the other way.
func (s *Schedule) prevReal(upTo int64) (run, bool) {
	now := spanAt(s.loc, upTo)
	from := upTo + now.off
	local, ok := s.names.prev(from)
	for ok && local-now.off < now.from {
		end := now.from - 1
		now = spanAt(s.loc, end)
		if shown := end + now.off; shown > from || shown < local {
			from = shown
			local, ok = s.names.prev(from)
		}
	}
	return run{at: local - now.off, nominal: local}, ok
}

// nextRealOn passes over runs on other dates. Inside one span the clock only
// rises, so that it can leap to the next date that counts; where the next span
// begins, the clock may show an earlier one.
func (s *Schedule) nextRealOn(on *dates, after int64) (run, bool) {
	r, ok := s.nextReal(after)
	for ok && on != nil {
		day := floorDiv(r.nominal, secondsPerDay)
		to, found := on.next(day)
		if found && to == day || !found && on.over(day) {
			return r, found
		}
		now := spanAt(s.loc, r.at)
		leap := now.to
		if found {
			leap = min(leap, to*secondsPerDay-now.off)
		}
		r, ok = s.next(max(r.at, leap-1))
	}
	return r, ok
}

// prevRealOn is nextRealOn the other way.
func (s *Schedule) prevRealOn(on *dates, upTo int64) (run, bool) {
	r, ok := s.prevReal(upTo)
	for ok && on != nil {
		day := floorDiv(r.nominal, secondsPerDay)
		to, found := on.prev(day)
		if found && to == day || !found && on.ahead(day) {
			return r, found
		}
		now := spanAt(s.loc, r.at)
		leap := max(now.from, minInstant)
		if found {
			leap = max(leap, (to+1)*secondsPerDay-now.off)
		}
		r, ok = s.prev(min(r.at, leap) - 1)
	}
	return r, ok
}

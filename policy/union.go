package policy

import (
	"math"
	"sort"
)

// The edges of windows are those of the union of their stays: a begin that no
// other stay holds or touches from the left, and an end that no stay holds. The
// end of a dropped stay is an end all the same, since a date that is off takes
// beginnings only: what somebody started by hand is stopped as on other days.

// nextWindow finds the first edge of one power after the given instant.
func (p *Policy) nextWindow(power Power, after int64) (firing, bool) {
	find := p.firstEnd
	if power == Running {
		find = p.firstBegin
	} else if power != Stopped {
		return firing{}, false
	}
	for {
		from, ok := p.skipAhead(after)
		if !ok {
			return firing{}, false
		}
		f, ok := find(from)
		if !ok || !p.joined(&f) {
			return f, ok
		}
		after = f.led
	}
}

// prevWindow is nextWindow the other way.
func (p *Policy) prevWindow(power Power, upTo int64) (firing, bool) {
	find := p.finalEnd
	if power == Running {
		find = p.finalBegin
	} else if power != Stopped {
		return firing{}, false
	}
	for {
		from, ok := p.skipBack(upTo)
		if !ok {
			return firing{}, false
		}
		f, ok := find(from)
		if !ok || !p.joined(&f) {
			return f, ok
		}
		upTo = f.led - 1
	}
}

// nextOfWindows finds the first edge of either power. Inside a stay that is an
// end; outside it is a begin, or the end of a dropped stay.
func (p *Policy) nextOfWindows(after int64) (firing, bool) {
	if p.covering(after) != nil {
		return p.nextWindow(Stopped, after)
	}
	start, ok := p.nextWindow(Running, after)
	if len(p.off) == 0 {
		return start, ok
	}
	stop, found := p.nextWindow(Stopped, after)
	if found && (!ok || stop.led < start.led) {
		return stop, true
	}
	return start, ok
}

// prevOfWindows finds the last edge of either power: inside a stay that is a
// begin, and outside an end.
func (p *Policy) prevOfWindows(upTo int64) (firing, bool) {
	if p.covering(upTo) != nil {
		return p.prevWindow(Running, upTo)
	}
	return p.prevWindow(Stopped, upTo)
}

// joined reports whether another stay makes f no edge.
func (p *Policy) joined(f *firing) bool {
	if f.power == Running {
		return p.covering(f.led-1) != nil
	}
	return p.covering(f.led) != nil
}

// firstBegin finds the first begin of a stay after the given instant, the lead
// included; of several at one instant one on its own date before one that was
// put off, then the one with the latest local time, then the first in the file.
func (p *Policy) firstBegin(after int64) (firing, bool) {
	if after >= maxInstant {
		return firing{}, false
	}
	m := momentAt(p.loc, after+p.lead())
	var best stay
	for i := range p.windows {
		s, ok := p.nextStay(&p.windows[i], &m)
		if ok && (best.window == nil || s.begin < best.begin || s.begin == best.begin && s.precedes(&best)) {
			best = s
		}
	}
	return p.begun(&best)
}

// finalBegin finds the last begin of a stay at or before the given instant, the
// lead included.
func (p *Policy) finalBegin(upTo int64) (firing, bool) {
	if upTo < minInstant {
		return firing{}, false
	}
	m := momentAt(p.loc, upTo+p.lead())
	var best stay
	for i := range p.windows {
		s, ok := p.lastStay(&p.windows[i], &m, math.MinInt64)
		if ok && (best.window == nil || s.begin > best.begin || s.begin == best.begin && s.precedes(&best)) {
			best = s
		}
	}
	return p.begun(&best)
}

// precedes reports whether s rather than t stands for an instant at which both
// begin.
func (s *stay) precedes(t *stay) bool {
	if s.wasPutOff != t.wasPutOff {
		return t.wasPutOff
	}
	return s.nominal > t.nominal
}

// begun makes a firing of the begin of s, and none where there is no s.
func (p *Policy) begun(s *stay) (firing, bool) {
	if s.window == nil {
		return firing{}, false
	}
	return firing{
		run: run{s.begin, s.nominal, s.beginMoved}, power: Running, led: s.begin - p.lead(), because: &s.window.because,
		wasPutOff: s.wasPutOff, putOff: s.day*secondsPerDay + s.window.begin,
	}, true
}

// firstEnd finds the first end of a stay after the given instant; of several at
// one instant the one with the latest local time, then one that closes its date,
// then the first in the file.
func (p *Policy) firstEnd(after int64) (firing, bool) {
	if after >= maxInstant {
		return firing{}, false
	}
	m := momentAt(p.loc, after)
	var best stay
	for i := range p.windows {
		s, ok := p.nextEnd(&p.windows[i], &m)
		if ok && (best.window == nil || s.end < best.end || s.end == best.end && s.outlasts(&best)) {
			best = s
		}
	}
	return p.ended(&best)
}

// finalEnd finds the last end of a stay at or before the given instant.
func (p *Policy) finalEnd(upTo int64) (firing, bool) {
	if upTo < minInstant {
		return firing{}, false
	}
	m := momentAt(p.loc, upTo)
	var best stay
	for i := range p.windows {
		s, ok := p.prevEnd(&p.windows[i], &m)
		if ok && (best.window == nil || s.end > best.end || s.end == best.end && s.outlasts(&best)) {
			best = s
		}
	}
	return p.ended(&best)
}

// shut returns the local time at which s ends.
func (s *stay) shut() int64 { return s.day*secondsPerDay + s.window.end }

// outlasts reports whether s rather than t stands for an instant at which both
// end.
func (s *stay) outlasts(t *stay) bool {
	if s.shut() != t.shut() {
		return s.shut() > t.shut()
	}
	return s.window.closes && !t.window.closes
}

// ended makes a firing of the end of s, and none where there is no s.
func (p *Policy) ended(s *stay) (firing, bool) {
	if s.window == nil {
		return firing{}, false
	}
	return firing{
		run: run{s.end, s.shut(), s.endMoved}, power: Stopped, led: s.end, because: &s.window.because,
		closes: s.window.closes,
	}, true
}

// nextAbsentWindow finds the first begin of a window after the given instant,
// the lead included, that is missing because its date is off, and looks no
// farther than to upTo. Where another stay runs at that time nothing is missing,
// and where another such window reaches to it, it would have been no edge.
func (p *Policy) nextAbsentWindow(after, upTo int64) (firing, bool) {
	for {
		m := momentAt(p.loc, after+p.lead())
		var best stay
		for i := range p.windows {
			s, ok := p.nextAbsent(&p.windows[i], &m)
			if ok && (best.window == nil || s.begin < best.begin || s.begin == best.begin && s.precedes(&best)) {
				best = s
			}
		}
		f, ok := p.begun(&best)
		if !ok || f.led > upTo || p.covering(best.begin) == nil && !p.absentBefore(best.begin) {
			return f, ok
		}
		after = f.led
	}
}

// nextAbsent returns the first stay of w that would begin after m if its date
// were not off.
func (p *Policy) nextAbsent(w *window, m *moment) (stay, bool) {
	for day := floorDiv(m.local-w.begin, secondsPerDay) + 1; ; day++ {
		day = w.onOrAfter(day)
		to, ok := p.dates[absent].next(day)
		if !ok {
			return stay{}, false
		}
		if to != day {
			day = to - 1
			continue
		}
		if s, ok := p.stay(w, day, day, m.span); ok {
			return s, true
		}
	}
}

// absentBefore reports whether a stay whose date is off would begin before at
// and reach to it.
func (p *Policy) absentBefore(at int64) bool {
	m := momentAt(p.loc, at-1)
	for i := range p.windows {
		w := &p.windows[i]
		for day := floorDiv(m.local-w.begin, secondsPerDay); day*secondsPerDay+w.end > m.local; day-- {
			if !w.begins(day) || holding(p.off, day) == nil {
				continue
			}
			if s, ok := p.stay(w, day, day, m.span); ok && s.end >= at {
				return true
			}
		}
	}
	return false
}

// nearDays is how far from a stretch of dates off an edge can lie that it makes,
// in days: what it takes away ends before the second date after it.
const nearDays = 3

// findLive lists the stretches of dates off near which windows without a gap
// have an edge. They have none elsewhere, and would else be searched for ever.
// Where a stretch takes anything away, that begins with an end, at the latest
// where the first window of the week would begin.
func (p *Policy) findLive() []int {
	var out []int
	for i := range p.off {
		first := p.off[i].first
		at, _ := place(p.loc, (first-1)*secondsPerDay, span{})
		limit, _ := place(p.loc, (first+9)*secondsPerDay, span{})
		f, ok := p.firstEnd(at)
		for ok && f.led < limit && p.joined(&f) {
			f, ok = p.firstEnd(f.led)
		}
		if ok && f.led < limit {
			out = append(out, i)
		}
	}
	return out
}

// skipAhead returns the instant after which an edge is to be looked for, and
// false where none lies ahead.
func (p *Policy) skipAhead(after int64) (int64, bool) {
	if !p.gapless {
		return after, true
	}
	day := momentAt(p.loc, after).day()
	i := sort.Search(len(p.live), func(i int) bool { return p.off[p.live[i]].last+nearDays >= day })
	if i == len(p.live) {
		return 0, false
	}
	near, _ := place(p.loc, (p.off[p.live[i]].first-nearDays)*secondsPerDay, span{})
	return max(after, near-1), true
}

// skipBack returns the instant up to which an edge is to be looked for, and
// false where none lies behind.
func (p *Policy) skipBack(upTo int64) (int64, bool) {
	if !p.gapless {
		return upTo, true
	}
	day := momentAt(p.loc, upTo).day()
	i := sort.Search(len(p.live), func(i int) bool { return p.off[p.live[i]].first-nearDays > day }) - 1
	if i < 0 {
		return 0, false
	}
	near, _ := place(p.loc, (p.off[p.live[i]].last+nearDays+1)*secondsPerDay, span{})
	return min(upTo, near), true
}

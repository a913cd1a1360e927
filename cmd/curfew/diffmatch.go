package main

import (
	"slices"
	"time"
)

// How far a call may move. A short way is found first, so that 23:00 moves to
// 01:00 of the next day; then any within a local day, so that Monday's 06:00
// moves to Monday's 20:00; then what is left within the longest way.
const (
	shortWay = 6 * time.Hour
	longWay  = 12 * time.Hour
)

// A matcher finds which of the calls that go was moved to which of those that
// come. Both are of one power and in order; what it has matched it takes out.
type matcher struct {
	removed, added []call
	moved          []callChange
}

// match finds all that moved.
func (m *matcher) match(loc *time.Location) {
	m.removed, m.added = m.within(m.removed, m.added, shortWay)
	m.sameDays(loc)
	m.removed, m.added = m.within(m.removed, m.added, longWay)
}

// changes are the moved calls and those that are left.
func (m *matcher) changes() []callChange {
	all := m.moved
	for _, c := range m.removed {
		all = append(all, callChange{old: c})
	}
	for _, c := range m.added {
		all = append(all, callChange{new: c})
	}
	return all
}

// sameDays matches what is on one local day, however far apart.
func (m *matcher) sameDays(loc *time.Location) {
	var removed, added []call // what is left
	r, a := m.removed, m.added
	for len(r) > 0 && len(a) > 0 {
		day := min(dayOf(r[0].at, loc), dayOf(a[0].at, loc))
		on := func(calls []call) int {
			n := 0
			for n < len(calls) && dayOf(calls[n].at, loc) == day {
				n++
			}
			return n
		}
		i, j := on(r), on(a)
		leftR, leftA := m.within(r[:i], a[:j], 48*time.Hour)
		removed, added = append(removed, leftR...), append(added, leftA...)
		r, a = r[i:], a[j:]
	}
	m.removed, m.added = append(removed, r...), append(added, a...)
}

// within matches calls that are each other's nearest and no farther apart than
// limit, until none are left, and returns the rest. The closest two of all are
// always each other's nearest, by the way in which ties are decided, so each
// round finds some.
func (m *matcher) within(removed, added []call, limit time.Duration) (leftR, leftA []call) {
	for {
		// Of those that are equally near, one side takes the later and the other
		// the earlier: a row of times that moves half its step ahead then matches
		// in one round, not in as many as it has times.
		taken := map[int]bool{}
		leftR = nil
		for _, r := range removed {
			j, ok := nearest(added, r.at, true)
			if ok && added[j].at.Sub(r.at).Abs() <= limit {
				if i, _ := nearest(removed, added[j].at, false); removed[i].at.Equal(r.at) {
					m.moved = append(m.moved, callChange{old: r, new: added[j]})
					taken[j] = true
					continue
				}
			}
			leftR = append(leftR, r)
		}
		if len(taken) == 0 {
			return removed, added
		}
		leftA = nil
		for j, a := range added {
			if !taken[j] {
				leftA = append(leftA, a)
			}
		}
		removed, added = leftR, leftA
	}
}

// nearest finds the call nearest to an instant; of two that are equally near the
// later or the earlier one.
func nearest(calls []call, at time.Time, later bool) (int, bool) {
	i, _ := slices.BinarySearchFunc(calls, at, func(c call, t time.Time) int { return c.at.Compare(t) })
	switch {
	case len(calls) == 0:
		return 0, false
	case i == len(calls):
		return i - 1, true
	case i == 0:
		return 0, true
	}
	ahead, behind := calls[i].at.Sub(at), at.Sub(calls[i-1].at)
	if behind < ahead || behind == ahead && !later {
		return i - 1, true
	}
	return i, true
}

// dayOf counts the local date of an instant in days, so that dates can be
// compared and subtracted.
func dayOf(t time.Time, loc *time.Location) int {
	y, m, d := t.In(loc).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

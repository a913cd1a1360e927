package policy

import (
	"math"
	"sort"
	"time"
)

// Days on which one power, or nothing, is wanted throughout lie over the edges
// of the policy's own times. A stretch of them runs from the first instant of
// its first date to the first instant of the date after its last. In it the
// edges whose nominal date lies in it do not count, wherever a lead puts their
// instant; those of other dates do, also where a lead puts them into it.
//
// Its begin and its end are edges where the wanted power differs on their two
// sides. After the end that is what the policy's own times want then, edges
// included that did not count: a stop that fell on such a day is put off, not
// dropped.

// A wholeDay is a stretch of them in one zone.
type wholeDay struct {
	stretch
	opens, closes int64 // instants
}

// placeDays finds the instants of stretches.
func placeDays(list []stretch, loc *time.Location) []wholeDay {
	out := make([]wholeDay, 0, len(list))
	for _, s := range list {
		opens, _ := place(loc, s.first*secondsPerDay, span{})
		closes, _ := place(loc, s.to(), span{})
		out = append(out, wholeDay{s, opens, closes})
	}
	return out
}

// untouchedGap is how long after its begin a stretch on which nothing is wanted
// makes itself felt where an edge of the day before lies at that very instant,
// such as the end of a window at 24:00: that edge counts, and is given a minute,
// as if it had come at 23:59.
const untouchedGap = 60

// dayBehind returns the index of the first stretch that ends after t: all before
// it are over.
func (p *Policy) dayBehind(t int64) int {
	return sort.Search(len(p.whole), func(i int) bool { return p.whole[i].closes > t })
}

// dayAt returns the index of the last stretch to have begun by t, -1 where there
// is none, and whether it goes on.
func (p *Policy) dayAt(t int64) (index int, inside bool) {
	i := p.dayBehind(t)
	if i == len(p.whole) || p.whole[i].opens > t || p.dayBegin(i) > t {
		return i - 1, false
	}
	return i, true
}

// dayBegin returns the instant from which a stretch is felt.
func (p *Policy) dayBegin(i int) int64 {
	d := &p.whole[i]
	if d.effect != EffectUntouched {
		return d.opens
	}
	f, ok := p.prevBase(d.opens)
	if ok && f.led == d.opens && f.nominal <= d.first*secondsPerDay && p.dayOfDate(f.date()) == nil {
		return d.opens + untouchedGap
	}
	return d.opens
}

// dayOfDate returns the stretch that has a date, nil where none does.
func (p *Policy) dayOfDate(day int64) *wholeDay {
	i := sort.Search(len(p.whole), func(i int) bool { return p.whole[i].last >= day })
	if i < len(p.whole) && p.whole[i].first <= day {
		return &p.whole[i]
	}
	return nil
}

// dayOf returns the stretch that keeps f from counting, nil where f counts: the
// one that has its date, or one that begins at its instant, the later of two
// local times, and wants the other power.
func (p *Policy) dayOf(f *firing) *wholeDay {
	if d := p.dayOfDate(f.date()); d != nil || !f.moved && !f.closes {
		return d
	}
	i := p.dayBehind(f.led)
	if i == len(p.whole) {
		return nil
	}
	d := &p.whole[i]
	if d.opens != f.led || d.first*secondsPerDay < f.nominal || d.power() != f.power.Other() {
		return nil
	}
	return d
}

// leap returns an instant after which the edges behind f, which d keeps from
// counting, are to be looked for. Up to a lead before the end of d all are alike;
// in real time only while the clock does not fall, since that may show an earlier
// date.
func (p *Policy) leap(f *firing, d *wholeDay) int64 {
	if f.led < d.opens {
		return f.led
	}
	to := d.closes - p.lead()
	if p.real {
		to = min(to, spanAt(p.loc, f.led).to)
	}
	return max(f.led, to-1)
}

// leapBack is leap the other way: it returns the instant up to which to look.
func (p *Policy) leapBack(f *firing, d *wholeDay) int64 {
	from := d.opens
	if p.real {
		now := spanAt(p.loc, f.led)
		from = max(from, now.from, d.first*secondsPerDay-now.off)
	}
	return min(f.led-1, from)
}

// prevCounting finds the last edge of either power by the policy's own times
// that counts, back to an instant.
func (p *Policy) prevCounting(upTo, least int64) (firing, bool) {
	for {
		f, ok := p.prevBase(upTo)
		if !ok || f.led < least {
			return firing{}, false
		}
		d := p.dayOf(&f)
		if d == nil {
			return f, true
		}
		upTo = p.leapBack(&f, d)
	}
}

// wantedAt returns the power that is wanted at t.
func (p *Policy) wantedAt(t int64) Power {
	i, inside := p.dayAt(t)
	least := int64(math.MinInt64)
	if inside {
		least = p.dayBegin(i)
	} else if i >= 0 {
		least = p.whole[i].closes
	}
	f, ok := p.prevCounting(t, least)
	switch {
	case ok:
		return f.power
	case inside:
		return p.whole[i].power()
	case i >= 0:
		return p.baseAt(least)
	}
	return p.standing(t).Want
}

// baseAt returns the power that the policy's own times want at t.
func (p *Policy) baseAt(t int64) Power {
	if f, ok := p.prevBase(t); ok {
		return f.power
	}
	return p.standing(t).Want
}

// standing is what is wanted at t where no edge lies behind: nothing, but for
// windows without a gap.
func (p *Policy) standing(t int64) Decision {
	if !p.gapless {
		return Decision{}
	}
	if w := p.covering(t); w != nil {
		return Decision{Want: Running, Because: w.because}
	}
	return Decision{}
}

// dayEdge returns the edge that the begin or end of a stretch makes at an
// instant, and false where it makes none: the same is wanted on both sides, or
// an edge of the policy's own times lies there.
func (p *Policy) dayEdge(at int64) (firing, bool) {
	if _, ok := p.prevCounting(at, at); ok {
		return firing{}, false
	}
	i, inside := p.dayAt(at)
	d := &p.whole[max(i, 0)]
	f := firing{run: run{at: at}, led: at, stretch: &d.stretch, over: !inside}
	if inside {
		f.power, f.nominal = d.power(), d.first*secondsPerDay
	} else {
		f.power, f.nominal = p.baseAt(at), d.to()
	}
	return f, f.power != p.wantedAt(at-1)
}

// nextWithDays finds the first edge of a power that counts, whole days among
// them. It looks no farther than to the first, and behind the last stretch every
// edge by the policy's own times counts, so that it ends.
func (p *Policy) nextWithDays(power Power, after int64) (firing, bool) {
	own := p.own
	if power == None && p.baseAt(after) == None {
		own = own.with(None) // no edge lies behind, so that days may end in nothing
	}
	for past := after; ; {
		f, ok := p.nextBase(power, after)
		before := int64(math.MaxInt64)
		if ok {
			before = f.led
		}
		if day, found := p.nextDayEdge(power, own, past, before); found || !ok {
			return day, found
		}
		d := p.dayOf(&f)
		if d == nil {
			return f, true
		}
		past, after = before-1, p.leap(&f, d)
	}
}

// nextDayEdge finds the first edge of a power that a stretch makes between two
// instants, where the ends of stretches lead to one of own.
func (p *Policy) nextDayEdge(power Power, own powers, after, before int64) (firing, bool) {
	for i := p.dayBehind(after); i < len(p.whole) && p.whole[i].opens < before; i++ {
		instants := [2]int64{math.MinInt64, math.MinInt64}
		if power == either || power == p.whole[i].power() {
			instants[0] = p.dayBegin(i)
		}
		if power == either || own.hold(power) {
			instants[1] = p.whole[i].closes
		}
		for _, at := range instants {
			if at <= after || at >= before {
				continue
			}
			if f, ok := p.dayEdge(at); ok && (power == either || power == f.power) {
				return f, true
			}
		}
	}
	return firing{}, false
}

// prevWithDays finds the last edge that counts, whole days among them.
func (p *Policy) prevWithDays(upTo int64) (firing, bool) {
	i, inside := p.dayAt(upTo)
	for ; i >= 0; i-- {
		if !inside {
			at := p.whole[i].closes
			if f, ok := p.prevFrom(at, upTo); ok {
				return f, true
			}
			upTo = at - 1
		}
		at := p.dayBegin(i)
		if f, ok := p.prevFrom(at, upTo); ok {
			return f, true
		}
		upTo, inside = min(upTo, at-1), false
	}
	return p.prevCounting(upTo, math.MinInt64)
}

// prevFrom finds the last edge up to upTo, back to an instant at which a stretch
// begins or ends.
func (p *Policy) prevFrom(at, upTo int64) (firing, bool) {
	if f, ok := p.prevCounting(upTo, at); ok || at > upTo {
		return f, ok
	}
	return p.dayEdge(at)
}

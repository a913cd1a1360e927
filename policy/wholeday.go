package policy

import "math"

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

// untouchedGap is how long after its begin a stretch on which nothing is wanted
// makes itself felt where an edge of the day before lies at that very instant,
// such as the end of a window at 24:00: that edge counts, and is given a minute,
// as if it had come at 23:59.
const untouchedGap = 60

// dayAt returns the index of the last stretch of whole days to have begun by t,
// -1 where there is none, and whether it goes on.
func (p *Policy) dayAt(t int64) (index int, inside bool) {
	m := momentAt(p.loc, t)
	i := from(p.whole, m.day())
	if i == len(p.whole) || m.day() < p.whole[i].first || p.dayBegin(i) > t {
		return i - 1, false
	}
	return i, true
}

// dayBegin returns the instant from which a stretch is felt.
func (p *Policy) dayBegin(i int) int64 {
	s := &p.whole[i]
	at, _ := place(p.loc, s.first*secondsPerDay, span{})
	if s.effect == EffectUntouched {
		if f, ok := p.prevBase(either, at); ok && f.led == at && f.nominal <= s.first*secondsPerDay && holding(p.whole, f.date()) == nil {
			return at + untouchedGap
		}
	}
	return at
}

// dayEnd returns the instant at which a stretch ends.
func (p *Policy) dayEnd(i int) int64 {
	at, _ := place(p.loc, p.whole[i].to(), span{})
	return at
}

// dayOf returns the stretch that keeps f from counting, nil where f counts: the
// one that has its date, or one that begins at its instant, the later of two
// local times, and wants the other power.
func (p *Policy) dayOf(f *firing) *stretch {
	if s := holding(p.whole, f.date()); s != nil || !f.moved && !f.closes {
		return s
	}
	s := holding(p.whole, momentAt(p.loc, f.led).day())
	if s == nil || s.first*secondsPerDay < f.nominal || s.power() != f.power.Other() {
		return nil
	}
	if at, _ := place(p.loc, s.first*secondsPerDay, span{}); at != f.led {
		return nil
	}
	return s
}

// leap returns an instant after which the edges behind f, which s keeps from
// counting, are to be looked for. Up to a lead before the end of s all are alike,
// but only while the clock does not fall, since that may show an earlier date.
func (p *Policy) leap(f *firing, s *stretch) int64 {
	begin, _ := place(p.loc, s.first*secondsPerDay, span{})
	if f.led < begin {
		return f.led
	}
	end, _ := place(p.loc, s.to(), span{})
	return max(f.led, min(end-p.lead(), spanAt(p.loc, f.led).to)-1)
}

// prevCounting finds the last edge of either power by the policy's own times
// that counts, back to an instant.
func (p *Policy) prevCounting(upTo, least int64) (firing, bool) {
	for {
		f, ok := p.prevBase(either, upTo)
		if !ok || f.led < least {
			return firing{}, false
		}
		s := p.dayOf(&f)
		if s == nil {
			return f, true
		}
		upTo = p.leapBack(&f, s)
	}
}

// leapBack is leap the other way: it returns the instant up to which to look.
func (p *Policy) leapBack(f *firing, s *stretch) int64 {
	begin, _ := place(p.loc, s.first*secondsPerDay, span{})
	now := spanAt(p.loc, f.led)
	return min(f.led-1, max(begin, now.from, s.first*secondsPerDay-now.off))
}

// wantedAt returns the power that is wanted at t.
func (p *Policy) wantedAt(t int64) Power {
	i, inside := p.dayAt(t)
	least := int64(math.MinInt64)
	if inside {
		least = p.dayBegin(i)
	} else if i >= 0 {
		least = p.dayEnd(i)
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
	if f, ok := p.prevBase(either, t); ok {
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
	f := firing{run: run{at: at}, led: at, stretch: &p.whole[max(i, 0)], over: !inside}
	if inside {
		f.power, f.nominal = f.stretch.power(), f.stretch.first*secondsPerDay
	} else {
		f.power, f.nominal = p.baseAt(at), f.stretch.to()
	}
	return f, f.power != p.wantedAt(at-1)
}

// nextWithDays finds the first edge of a power that counts, whole days among
// them. It looks no farther than to the first, and behind the last stretch every
// edge by the policy's own times counts, so that it ends.
func (p *Policy) nextWithDays(power Power, after int64) (firing, bool) {
	for past := after; ; {
		f, ok := p.nextBase(power, after)
		before := int64(math.MaxInt64)
		if ok {
			before = f.led
		}
		if day, found := p.nextDayEdge(power, past, before); found || !ok {
			return day, found
		}
		s := p.dayOf(&f)
		if s == nil {
			return f, true
		}
		past, after = before-1, p.leap(&f, s)
	}
}

// nextDayEdge finds the first edge of a power that a stretch makes between two
// instants.
func (p *Policy) nextDayEdge(power Power, after, before int64) (firing, bool) {
	for i := from(p.whole, momentAt(p.loc, after).day()); i < len(p.whole); i++ {
		if p.whole[i].first*secondsPerDay-maxOffset >= before {
			break
		}
		for _, at := range p.dayInstants(i, power) {
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

// dayInstants returns the instants at which a stretch begins and ends, and one
// before all time for what cannot be an edge of that power.
func (p *Policy) dayInstants(i int, power Power) [2]int64 {
	at := [2]int64{math.MinInt64, math.MinInt64}
	if power == either || power == p.whole[i].power() {
		at[0] = p.dayBegin(i)
	}
	if power == either || p.own.hold(power) {
		at[1] = p.dayEnd(i)
	}
	return at
}

// prevWithDays finds the last edge that counts, whole days among them.
func (p *Policy) prevWithDays(upTo int64) (firing, bool) {
	i, _ := p.dayAt(upTo)
	if f, ok := p.prevBase(either, upTo); ok && (i < 0 || f.led > p.whole[i].to()+maxOffset) && p.dayOf(&f) == nil {
		return f, true
	}
	for ; i >= 0; i-- {
		instants := p.dayInstants(i, either)
		for k := len(instants) - 1; k >= 0; k-- {
			at := instants[k]
			if at > upTo {
				continue
			}
			if f, ok := p.prevCounting(upTo, at); ok {
				return f, true
			}
			if f, ok := p.dayEdge(at); ok {
				return f, true
			}
			upTo = at - 1
		}
	}
	return p.prevCounting(upTo, math.MinInt64)
}

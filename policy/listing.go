package policy

import (
	"iter"
	"time"
)

// Edges yields the edges with from <= At < to in the order of their instants,
// those that do not count among them, which come first at an instant:
//
//   - where a gap moves a start and a stop to one instant, the one with the
//     earlier local time, Cancelled as Superseded and without a lead;
//   - an edge whose date wants one power throughout, or nothing;
//   - a start, or the begin of a window, whose date is off, where it would have
//     been; what it was put off to, if to anything, is an edge of its own.
//
// Where windows join there is no edge.
func (p *Policy) Edges(from, to time.Time) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		for after := from.Add(-1); ; {
			e, ok := p.Next(after)
			ok = ok && e.At.Before(to)
			upTo := to.Add(-1)
			if ok {
				upTo = e.At
			}
			for lost := range p.lost(seconds(after), seconds(upTo)) {
				if !yield(lost) {
					return
				}
			}
			if !ok || !yield(e) {
				return
			}
			after = e.At
		}
	}
}

// lost yields the edges that do not count after the given instant, up to upTo.
func (p *Policy) lost(after, upTo int64) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		var all [3]listed
		heads := all[:]
		if len(p.off)+len(p.whole) == 0 {
			heads = all[:1]
		}
		for i := range heads {
			heads[i] = p.nextLost(i, after, upTo)
		}
		for {
			first := 0
			for i := range heads {
				if heads[i].ok && (!heads[first].ok || heads[i].led < heads[first].led) {
					first = i
				}
			}
			if h := &heads[first]; !h.ok || !yield(p.cancelled(h)) {
				return
			}
			heads[first] = p.nextLost(first, heads[first].led, upTo)
		}
	}
}

// listed is an edge that does not count.
type listed struct {
	firing
	why  Cancellation
	date int64 // whose effect it is
	ok   bool
}

// nextLost returns the first edge after the given instant, up to upTo, of one of
// the three kinds that do not count.
func (p *Policy) nextLost(kind int, after, upTo int64) listed {
	var l listed
	switch kind {
	case 0:
		l = p.nextSuperseded(after, upTo)
	case 1:
		l = p.nextOnDay(after, upTo)
	case 2:
		l = p.nextOff(after, upTo)
	}
	l.ok = l.ok && l.led <= upTo
	return l
}

// nextSuperseded looks where gaps end: only there is anything superseded.
func (p *Policy) nextSuperseded(after, upTo int64) listed {
	if len(p.starts) == 0 || len(p.stops) == 0 {
		return listed{}
	}
	for now := spanAt(p.loc, after); now.to <= upTo; {
		end := now.to
		then := spanAt(p.loc, end)
		gap := then.off > now.off
		now = then
		if !gap {
			continue
		}
		if f, ok := p.loserAt(end); ok {
			return listed{firing: f, why: CancelledSuperseded, ok: true}
		}
	}
	return listed{}
}

// loserAt returns the superseded one of two firings at the instant at.
func (p *Policy) loserAt(at int64) (firing, bool) {
	start, ok := p.prevRun(starts, at)
	stop, found := p.prevRun(stops, at)
	if !ok || !found || start.at != at || stop.at != at {
		return firing{}, false
	}
	if start.nominal > stop.nominal {
		return stop, true
	}
	return start, true
}

// nextOff finds the first start whose date is off.
func (p *Policy) nextOff(after, upTo int64) listed {
	if len(p.off) == 0 {
		return listed{}
	}
	var f firing
	var ok bool
	if len(p.windows) > 0 {
		f, ok = p.nextAbsentWindow(after, upTo)
	} else {
		f, ok = p.nextStart(absent, after)
	}
	return listed{f, CancelledOff, f.date(), ok}
}

// nextOnDay finds the first edge that its date, or a day that begins at its
// instant, keeps from counting.
func (p *Policy) nextOnDay(after, upTo int64) listed {
	for len(p.whole) > 0 {
		f, ok := p.nextBase(either, after)
		if !ok || f.led > upTo {
			break
		}
		s := p.dayOf(&f)
		switch {
		case s == nil:
			after = f.led
		case s.effect == EffectUntouched:
			return listed{f, CancelledUntouched, f.date(), true}
		default:
			return listed{f, CancelledDay, max(f.date(), s.first), true}
		}
	}
	return listed{}
}

// cancelled makes an Edge of l, with the reason.
func (p *Policy) cancelled(l *listed) Edge {
	e := p.edge(&l.firing)
	e.Cancellation = l.why
	if l.why == CancelledSuperseded {
		e.Cancelled = Superseded
		return e
	}
	e.CancelledBy = p.decidedBy(l.date)
	e.Cancelled = e.CancelledBy.Ref
	if l.why != CancelledOff {
		e.Cancelled += ": " + p.dayOfDate(l.date).effect.String()
	}
	return e
}

// decidedBy names the exception that decides about a date, which one does.
func (p *Policy) decidedBy(day int64) Because {
	year, month, dom := dateOf(day)
	for i := range p.except {
		e := &p.except[i]
		if d, ok := e.calendar.On(Date{year, time.Month(month), dom}); ok {
			return Because{KindCalendar, e.Pos, quoted(e.Calendar, d.Name)}
		}
	}
	return Because{}
}

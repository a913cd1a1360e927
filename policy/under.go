package policy

import (
	"fmt"
	"time"
)

// Cancels tells what keeps e, an edge of p that counts, from being due: Skip
// where it is among those that a skip of its power cancels (Count of them after
// From, those at or after Until excepted; a zero Until excepts none), Pause
// where it lies in [From, Until) of a pause, and 0 where nothing does. An edge
// of None is no transition: nothing cancels it, and no skip counts it. The
// overrides are those of one deployment. Two skips do not add up: each counts
// from its own From.
func (p *Policy) Cancels(over []Override, e Edge) OverrideKind {
	if e.Power == None {
		return 0
	}
	if p.skipped(over, e.Power, e.At.Unix()) {
		return Skip
	}
	for i := range over {
		if over[i].Kind == Pause && over[i].covers(e.At) {
			return Pause
		}
	}
	return 0
}

// DecideUnder returns what p wants at t of a deployment with these overrides,
// of which no two holds or pauses are in force at once; in the order of their
// begin:
//
//   - A skip takes its edges out.
//   - A hold in force wants its power: from its begin where it changed what was
//     wanted, else since whenever that was so. One that is over leaves the
//     edges after its begin as they are, those inside it with their own
//     instant; where none came, its end is a transition of its own if what is
//     wanted now differs from what it held. An edge at its very begin comes
//     before it.
//   - A pause wants nothing until the first edge at or after its end.
//
// The Decision is constant from t to its Until. Backwards it holds since Since
// or since the last begin or end of an override, whichever is later, so that
// something is due just when Since lies behind what is settled.
func (p *Policy) DecideUnder(over []Override, t time.Time) Decision {
	return under(func(t time.Time) Decision { return p.decideWith(over, t) }, over, t)
}

// Under is DecideUnder for somebody who has the policy's decision d at t, its
// skipped edges left out, and no policy. It cannot look behind d's edge: under a
// hold that changed nothing and has that edge inside it, Since is zero, so that
// nothing is due.
func (d Decision) Under(over []Override, t time.Time) Decision {
	return under(func(t time.Time) Decision {
		if d.Since.After(t) {
			return Decision{}
		}
		return d
	}, over, t)
}

// decideWith is Decide without the edges that skips cancel.
func (p *Policy) decideWith(over []Override, t time.Time) Decision {
	at := seconds(t)
	f, ok := p.prev(at)
	for ok && p.skipped(over, f.power, f.led) {
		f, ok = p.prev(f.led - 1)
	}
	var d Decision
	if ok {
		d.Want, d.Since, d.Because = f.power, time.Unix(f.led, 0).In(p.loc), p.because(&f)
	} else {
		d = p.standing(at)
	}
	f, ok = p.next(either, at)
	for ok && p.skipped(over, f.power, f.led) {
		f, ok = p.next(either, f.led)
	}
	if ok {
		d.Until = time.Unix(f.led, 0).In(p.loc)
	}
	return d
}

// skipped reports whether a skip cancels the edge of a power at an instant.
func (p *Policy) skipped(over []Override, power Power, led int64) bool {
	if len(over) == 0 || power == None {
		return false
	}
	at := time.Unix(led, 0)
	for i := range over {
		o := &over[i]
		if o.Kind == Skip && o.Power == power && o.From.Before(at) &&
			(o.Until.IsZero() || at.Before(o.Until)) && p.amongNext(o, led) {
			return true
		}
	}
	return false
}

// amongNext reports whether an edge of the power that o skips is among the next
// ones, as many as it skips.
func (p *Policy) amongNext(o *Override, led int64) bool {
	after := seconds(o.From)
	for n := o.Count; n > 0; n-- {
		next, ok := p.next(o.Power, after)
		if !ok || next.led >= led {
			return ok && next.led == led
		}
		after = next.led
	}
	return false
}

// under answers at t from base, which is the policy's decision at any instant.
func under(base func(time.Time) Decision, over []Override, t time.Time) Decision {
	d := underThose(base, over, nil, t)
	for i := range over {
		if from := over[i].From; over[i].lasts() && from.After(t) {
			d.Until = earlier(d.Until, from)
		}
	}
	return d
}

// underThose is under by the holds and pauses before the given one (by all,
// where it is nil). Each answers in terms of what those before it would have
// left.
func underThose(base func(time.Time) Decision, over []Override, before *Override, t time.Time) Decision {
	o := latest(over, before, t)
	switch {
	case o == nil:
		return base(t)
	case o.Kind == Pause:
		return underPause(base, o, t)
	case o.covers(t):
		return underHold(base, over, o)
	}
	if d := base(t); d.Since.After(o.From) {
		return d
	}
	left := underThose(base, over, o, t)
	if left.Want != o.Power {
		left.Since, left.Because = o.Until, o.because()
	}
	return left
}

// underPause looks no further back: whether the pause is over or not, only an
// edge from its end on makes a difference.
func underPause(base func(time.Time) Decision, o *Override, t time.Time) Decision {
	last := o.Until.Add(-1)
	if t.After(last) {
		last = t
	}
	d := base(last)
	if !d.Since.Before(o.Until) {
		return d
	}
	if !d.Until.IsZero() && d.Until.Before(o.Until) {
		d.Until = o.Until // base could not look ahead
	}
	return Decision{Want: None, Since: o.From, Until: d.Until, Because: o.because()}
}

// underHold is a hold in force. One that changed nothing has to find out since
// when its power was wanted: by what came up to its begin or, where it took the
// place of another that held the same, by that one.
func underHold(base func(time.Time) Decision, over []Override, o *Override) Decision {
	held := Decision{Want: o.Power, Since: o.From, Until: o.Until, Because: o.because()}
	if o.Power != o.Before {
		return held
	}
	kept := underThose(base, over, o, o.From)
	if kept.Want != o.Power {
		kept = underThose(base, over, o, o.From.Add(-1))
	}
	held.Since = kept.Since
	return held
}

// latest returns the hold or pause that began last, at or before t, of those
// before the given one; nil where there is none. One that ends where it begins
// was never in force.
func latest(over []Override, before *Override, t time.Time) *Override {
	var last *Override
	for i := range over {
		o := &over[i]
		if o.lasts() && !o.From.After(t) && (before == nil || o.precedes(before)) && (last == nil || last.precedes(o)) {
			last = o
		}
	}
	return last
}

func (o *Override) lasts() bool {
	return (o.Kind == Hold || o.Kind == Pause) && o.From.Before(o.Until)
}

func (o *Override) precedes(other *Override) bool {
	if o.From.Equal(other.From) {
		return o.ID < other.ID
	}
	return o.From.Before(other.From)
}

func (o *Override) covers(t time.Time) bool { return !t.Before(o.From) && t.Before(o.Until) }

// because names o by its number and author.
func (o *Override) because() Because {
	ref := fmt.Sprintf("%s #%d", o.Kind, o.ID)
	if o.Author != "" {
		ref += " by " + o.Author
	}
	return Because{Kind: KindOverride, Ref: ref}
}

// earlier returns the earlier of two instants, of which a zero one means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

package policy

import (
	"fmt"
	"time"
)

// Cancels tells what keeps e, an edge of p that counts, from being due: Skip
// where it is among those that a skip of its power cancels (Count of them after
// From, those at or after Until excepted; a zero Until excepts none), Pause
// where it lies in [From, Until) of a pause, and 0 where nothing does. The
// overrides are those of one deployment. Two skips do not add up: each counts
// from its own From.
func (p *Policy) Cancels(over []Override, e Edge) OverrideKind {
	if p.skipped(over, e) {
		return Skip
	}
	for i := range over {
		if over[i].Kind == Pause && over[i].covers(e.At) {
			return Pause
		}
	}
	return 0
}

// DecideUnder returns what p wants at t of a deployment with these overrides.
//
// The Decision is constant from t to its Until. Backwards it holds from Since
// or from the last begin or end of an override, whichever is later: an edge
// that fell inside a hold keeps its instant, and a hold that changes nothing
// keeps the instant of what was wanted before it. So it is due just when Since
// lies behind what the deployment has settled.
func (p *Policy) DecideUnder(over []Override, t time.Time) Decision {
	return p.decideWith(over, edgesUpTo(over, t)).Under(over, t)
}

// decideWith is Decide without the edges that skips cancel.
func (p *Policy) decideWith(over []Override, t time.Time) Decision {
	var d Decision
	e, ok := p.Prev(t)
	for ok && p.skipped(over, e) {
		e, ok = p.Prev(e.At.Add(-1))
	}
	if ok {
		d.Want, d.Since, d.Because = e.Power, e.At, e.Because
	}
	e, ok = p.Next(t)
	for ok && p.skipped(over, e) {
		e, ok = p.Next(e.At)
	}
	if ok {
		d.Until = e.At
	}
	return d
}

func (p *Policy) skipped(over []Override, e Edge) bool {
	for i := range over {
		o := &over[i]
		if o.Kind == Skip && o.Power == e.Power && o.From.Before(e.At) &&
			(o.Until.IsZero() || e.At.Before(o.Until)) && p.amongNext(o.Count, o.From, e) {
			return true
		}
	}
	return false
}

// amongNext reports whether e is one of the next n edges of its power.
func (p *Policy) amongNext(n int, after time.Time, e Edge) bool {
	for ; n > 0; n-- {
		next, ok := p.NextOf(e.Power, after)
		if !ok || !next.At.Before(e.At) {
			return ok && next.At.Equal(e.At)
		}
		after = next.At
	}
	return false
}

// edgesUpTo returns the instant whose edges decide at t: t, but the instant
// before it began where a hold is in force that keeps what was wanted, so that
// an edge inside it does not hide the one that may still be due.
func edgesUpTo(over []Override, t time.Time) time.Time {
	for o := latest(over, nil, t); o != nil && o.covers(t) && o.keeps(); o = latest(over, o, t) {
		t = o.From.Add(-1)
	}
	return t
}

// Under returns the decision at t once holds and pauses have had their say; d
// is the policy's own at t. Where a hold is in force that changed nothing, d's
// edge must lie before the hold, as DecideUnder sees to: one inside has hidden
// it, and the answer's Since is then zero, so that nothing is due for it.
//
//   - A hold in force wants its power from its begin, where it changed it.
//   - One that is over leaves the edges inside it and after it as they are, and
//     makes a transition of its own at its end where no edge came and what is
//     wanted now differs from what it held.
//   - A pause wants nothing until the first edge at or after its end.
func (d Decision) Under(over []Override, t time.Time) Decision {
	d = d.under(over, nil, t)
	for i := range over {
		if from := over[i].From; over[i].lasts() && from.After(t) {
			d.Until = earlier(d.Until, from)
		}
	}
	return d
}

// under is Under by the overrides that began before the given one (all, where
// it is nil). They come in the order of their begin, so each answers in terms
// of what those before it would have left.
func (d Decision) under(over []Override, before *Override, t time.Time) Decision {
	o := latest(over, before, t)
	switch {
	case o == nil:
		return d
	case o.Kind == Pause:
		return d.underPause(o)
	case o.covers(t):
		return d.underHold(over, o)
	case !d.Since.Before(o.From):
		return d
	}
	left := d.under(over, o, t)
	if left.Want != o.Power {
		left.Since, left.Because = o.Until, o.because()
	}
	return left
}

// underPause needs no word of whether the pause is over: nothing is wanted
// until an edge at or after its end.
func (d Decision) underPause(o *Override) Decision {
	if !d.Since.Before(o.Until) {
		return d
	}
	until := d.Until
	if !until.IsZero() && until.Before(o.Until) {
		until = o.Until
	}
	return Decision{Want: None, Since: o.From, Until: until, Because: o.because()}
}

func (d Decision) underHold(over []Override, o *Override) Decision {
	held := Decision{Want: o.Power, Since: o.From, Until: o.Until, Because: o.because()}
	if !o.keeps() {
		return held
	}
	held.Since = time.Time{}
	if d.Since.Before(o.From) {
		held.Since = d.under(over, o, o.From.Add(-1)).Since
	}
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

func (o *Override) keeps() bool { return o.Kind == Hold && o.Power == o.Before }

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

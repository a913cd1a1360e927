package sim

import (
	"fmt"
	"slices"
	"time"

	"curfew/internal/simplatform"
	"curfew/policy"
)

// A Hand is what people are taken to do under a policy of one power, each day at
// one local time: they undo what it did. Without them such a policy would have
// nothing to do from its second day on, and a deployment that somebody stopped
// once would seem to be one that is stopped for ever.
type Hand struct {
	Policy string
	Power  policy.Power // that they bring about: the one that the policy does not have
	Clock  string       // the local time, "09:00"
	Zone   string       // of Clock
}

// When people come and go, where the policy does nothing within half an hour of
// that; else the first half hour behind at which that is so.
const (
	comeAt  = 9 * 60 // minutes behind midnight
	leaveAt = 18 * 60
	apart   = 30
)

// A hand is a Hand at work.
type hand struct {
	policy *policy.Policy
	power  policy.Power
	minute int // local
}

// handOf returns who undoes what p does; false where nobody needs to: it has both
// powers, or does nothing itself, be it that all its deployments are protected.
func (o *Options) handOf(p *policy.Policy) (hand, bool) {
	both := p.Has(policy.Running) && p.Has(policy.Stopped)
	acts := func(m policy.Member) bool { return o.stopped(p, m, o.named(m)) }
	if both || !slices.ContainsFunc(p.Members(), acts) {
		return hand{}, false
	}
	h := hand{policy: p, power: policy.Running, minute: comeAt}
	if p.Has(policy.Running) {
		h.power, h.minute = policy.Stopped, leaveAt
	}
	h.minute = quiet(p, h.minute, o.From)
	return h, true
}

// quiet is the first minute of a day, of those half an hour apart from minute on,
// with nothing of p around it; minute itself where there is none. Somebody who
// acts as the policy does would be a race, not a day like others.
func quiet(p *policy.Policy, minute int, from time.Time) int {
	const day, most = 24 * 60, 2000 // a policy that acts each minute leaves no room anyway
	var busy [day]bool
	n := 0
	for e := range p.Edges(from, from.AddDate(0, 0, 35)) {
		if n++; n > most {
			break
		}
		at := e.At.In(p.Location())
		for near := 1 - apart; near < apart; near++ {
			busy[(at.Hour()*60+at.Minute()+near+day)%day] = true
		}
	}
	for later := 0; later < day; later += apart {
		if m := (minute + later) % day; !busy[m] {
			return m
		}
	}
	return minute
}

// on is the instant at which h acts on the date of t, so many days on.
func (h hand) on(t time.Time, days int) time.Time {
	year, month, date := t.In(h.policy.Location()).Date()
	return time.Date(year, month, date+days, 0, h.minute, 0, 0, h.policy.Location())
}

// next is the first time behind t at which h acts, last the last one up to t.
func (h hand) next(t time.Time) time.Time {
	for days := 0; ; days++ {
		if at := h.on(t, days); at.After(t) {
			return at
		}
	}
}

func (h hand) last(t time.Time) time.Time {
	for days := 0; ; days-- {
		if at := h.on(t, days); !at.After(t) {
			return at
		}
	}
}

// left is the power of the policy's deployments at t: that of who acted last, the
// policy or people.
func (h hand) left(t time.Time) policy.Power {
	if e, ok := h.policy.Prev(t); ok && e.Power != policy.None && e.At.After(h.last(t)) {
		return e.Power
	}
	return h.power
}

// told is what h does, in words that a report keeps.
func (h hand) told() Hand {
	return Hand{h.policy.Name(), h.power, fmt.Sprintf("%02d:%02d", h.minute/60, h.minute%60), h.policy.Zone()}
}

// hands puts people beside the policies that have one power only.
func (t *tally) hands() {
	for _, p := range t.options.Config.Set.Policies {
		if h, ok := t.options.handOf(p); ok {
			t.byHand = append(t.byHand, h.told())
			t.comes(h)
		}
	}
}

// comes plans the next day of h, and that one the day behind it.
func (t *tally) comes(h hand) {
	m := t.machine
	at := h.next(m.server())
	m.at(at.Sub(m.epoch), func() error {
		for _, d := range h.policy.Members() {
			if d.Named(t.options.name(d)) == policy.Barred {
				continue // nothing was done to it
			}
			if err := undo(m.world, at, string(d.ID), h.power); err != nil {
				return err
			}
		}
		t.comes(h)
		return nil
	})
}

// undo lets somebody bring a deployment to a power where it is at rest in the
// other one.
func undo(w *simplatform.World, at time.Time, id string, power policy.Power) error {
	status, act := simplatform.Stopped, simplatform.PersonStart
	if power == policy.Stopped {
		status, act = simplatform.Running, simplatform.PersonStop
	}
	if w.StatusAt(id, at) != status {
		return nil
	}
	return w.Act(at, simplatform.Act{ID: id, Do: act})
}

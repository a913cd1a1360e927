package sim

import (
	"cmp"
	"slices"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// WaitDown is the wait of a transition that was due while no daemon ran.
const WaitDown scheduler.Wait = "daemon_down"

// Waits is how long due transitions waited for one reason, before they were
// settled or the span ended. What is shorter than a second is no wait.
type Waits struct {
	Wait       scheduler.Wait
	Count      int           // transitions that waited for it
	Total      time.Duration // all of them together
	Longest    time.Duration // one of them
	Deployment policy.DeploymentID
	Power      policy.Power
	At         time.Time // the instant of the one of Longest
}

// waits follows why each due transition waits. The Fleet tells when a POST ended
// and when a transition was settled, to the millisecond; what held a POST back is
// in its Snapshot alone, which is too dear for every turn. So it is asked a second
// after each edge, after each answer that settles nothing, and now and then while
// something waits.
type waits struct {
	m        *machine
	edges    []edgeAhead
	open     map[policy.DeploymentID]*waiting
	sums     map[scheduler.Wait]*Waits
	sampleAt time.Duration // real
	down     lapse         // the last time without a daemon
	wrong    lapse         // the last time with a wrong clock: an edge may come when it should not
}

// A lapse is a stretch of real time; to is never while it lasts.
type lapse struct{ from, to time.Duration }

func (l lapse) covers(at time.Duration) bool { return l.from <= at && at < l.to }

// edgeAhead is the first edge of a policy that has not come.
type edgeAhead struct {
	policy *policy.Policy
	at     time.Time // zero where there is none
}

// waiting is a due transition, what it waits for now, and what it waited for.
type waiting struct {
	of    scheduler.Transition
	why   scheduler.Wait
	since time.Duration // real
	spent []spent
}

type spent struct {
	on scheduler.Wait
	d  time.Duration
}

const (
	sampleAfter = time.Second     // what is due longer than that waits
	sampleEvery = 5 * time.Minute // while something waits
)

func newWaits(m *machine, set *policy.Set) *waits {
	w := &waits{m: m, open: map[policy.DeploymentID]*waiting{}, sums: map[scheduler.Wait]*Waits{}, sampleAt: never}
	for _, p := range set.Policies {
		if len(p.Members()) > 0 {
			w.edges = append(w.edges, edgeAhead{p, m.server()})
		}
	}
	return w
}

// began takes in that a process starts. What waits meanwhile waited for that.
func (w *waits) began(life int) {
	now := w.m.real
	if life > 1 {
		w.down.to = now
		for _, o := range w.open {
			o.turn(WaitDown, max(o.since, w.down.from))
			o.turn(scheduler.WaitSlot, now)
		}
	}
	w.plan(now + sampleAfter)
}

// died takes in that no process runs from now on.
func (w *waits) died() { w.down = lapse{w.m.real, never} }

// stepped takes in that the host's clock is wrong from now on, righted that it is
// right again.
func (w *waits) stepped() { w.wrong = lapse{w.m.real, never} }
func (w *waits) righted() { w.wrong.to = w.m.real }

// soon asks for another sample.
func (w *waits) soon() { w.plan(w.m.real + sampleAfter) }

func (w *waits) plan(at time.Duration) {
	if at >= w.sampleAt {
		return
	}
	w.sampleAt = at
	w.m.at(at, func() error {
		if w.sampleAt == at {
			w.sample()
		}
		return nil
	})
}

// sample asks the Fleet what waits, and why.
func (w *waits) sample() {
	w.sampleAt = never
	held := false
	if w.m.fleet != nil {
		for _, v := range w.m.fleet.Snapshot(w.m.now()).Deployments {
			if v.Due.Zero() {
				continue
			}
			held = held || v.Wait != scheduler.WaitConfirm // whose end comes by itself
			w.on(v.Deployment, v.Due, v.Wait)
		}
	}
	if held {
		w.plan(w.m.real + sampleEvery)
	}
	if at := w.nextEdge(); !at.IsZero() {
		w.plan(at.Sub(w.m.epoch) + sampleAfter)
	}
}

// nextEdge is the first edge of any policy that has not come; zero for none.
func (w *waits) nextEdge() time.Time {
	now := w.m.server()
	var first time.Time
	for i := range w.edges {
		e := &w.edges[i]
		if !e.at.IsZero() && !e.at.After(now) {
			next, _ := e.policy.Next(now)
			e.at = next.At
		}
		if !e.at.IsZero() && (first.IsZero() || e.at.Before(first)) {
			first = e.at
		}
	}
	return first
}

// called takes in how a POST ended.
func (w *waits) called(n scheduler.CallEnded) {
	why := waitAfter(n.Verdict)
	if why != scheduler.WaitConfirm && why != scheduler.WaitUnknown {
		w.soon() // it may be something else that holds the next one back
	}
	if w.open[n.Deployment] == nil {
		w.on(n.Deployment, n.Transition, scheduler.WaitSlot)
	}
	w.on(n.Deployment, n.Transition, why)
}

// waitAfter is what a transition waits for after an answer to its POST, as far as
// the answer tells.
func waitAfter(v scheduler.Verdict) scheduler.Wait {
	switch v {
	case scheduler.Took:
		return scheduler.WaitConfirm
	case scheduler.Unclear:
		return scheduler.WaitUnknown
	case scheduler.NotSent:
		return scheduler.WaitBackoff
	case scheduler.Unauthorized:
		return scheduler.WaitKey
	case scheduler.NotFound:
		return scheduler.WaitGone
	case scheduler.Refused:
		return scheduler.WaitLook
	}
	return scheduler.WaitPermit
}

// on notes that a transition waits for why from now on; from its instant on where
// nothing is known of it yet.
func (w *waits) on(id policy.DeploymentID, t scheduler.Transition, why scheduler.Wait) {
	o := w.open[id]
	if o != nil && (!o.of.At.Equal(t.At) || o.of.Power != t.Power) {
		w.close(id, o)
		o = nil
	}
	if o == nil {
		since := min(w.m.real, max(0, t.At.Sub(w.m.epoch)))
		o = &waiting{of: t, why: why, since: since}
		switch {
		case w.down.covers(since):
			o.why = WaitDown
			o.turn(why, w.down.to)
		case w.wrong.covers(since):
			o.why = scheduler.WaitClock
		}
		w.open[id] = o
	}
	if o.why != why {
		o.turn(why, w.m.real)
	}
}

// turn ends what o waited for at a real instant, and lets it wait for why.
func (o *waiting) turn(why scheduler.Wait, at time.Duration) {
	o.spent = append(o.spent, spent{o.why, at - o.since})
	o.why, o.since = why, at
}

func (w *waits) settled(n scheduler.Settled) {
	if o := w.open[n.Deployment]; o != nil && !o.of.At.After(n.At) {
		w.close(n.Deployment, o)
	}
}

// close adds up what a transition waited for.
func (w *waits) close(id policy.DeploymentID, o *waiting) {
	delete(w.open, id)
	o.turn("", w.m.real)
	for i, s := range o.spent {
		if slices.ContainsFunc(o.spent[:i], func(p spent) bool { return p.on == s.on }) {
			continue // it is in the sum of the first one
		}
		sum := time.Duration(0)
		for _, p := range o.spent[i:] {
			if p.on == s.on {
				sum += p.d
			}
		}
		w.add(id, o.of, s.on, sum)
	}
}

func (w *waits) add(id policy.DeploymentID, t scheduler.Transition, why scheduler.Wait, d time.Duration) {
	if d < time.Second {
		return
	}
	s := w.sums[why]
	if s == nil {
		s = &Waits{Wait: why}
		w.sums[why] = s
	}
	s.Count++
	s.Total += d
	if d > s.Longest {
		s.Longest, s.Deployment, s.Power, s.At = d, id, t.Power, t.At
	}
}

// report closes what still waits and returns the sums.
func (w *waits) report() []Waits {
	for _, id := range sortedIDs(w.open) {
		w.close(id, w.open[id])
	}
	var all []Waits
	for _, s := range w.sums {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Waits) int { return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Wait, b.Wait)) })
	return all
}

func sortedIDs(open map[policy.DeploymentID]*waiting) []policy.DeploymentID {
	ids := make([]policy.DeploymentID, 0, len(open))
	for id := range open {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

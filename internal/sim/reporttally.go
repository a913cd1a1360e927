package sim

import (
	"cmp"
	"slices"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// A tally is the witness of Simulate: it counts.
type tally struct {
	unmoved
	options  *Options
	machine  *machine
	weather  *weather
	waits    *waits
	limits   [quota.Methods]quota.Limit
	key      [quota.Methods]window
	each     map[policy.DeploymentID]*seat
	last     *seat // of the request before
	peaks    [quota.Methods]Peak
	outcomes map[outcomeKey]int
	late     map[scheduler.LateCause]*Lateness
	alarms   map[scheduler.AlarmKind]*AlarmCount
	marks    []Mark
	byHand   []Hand
}

// A seat has the requests for one deployment. Looks come round in the same order
// again and again, so that the one to follow is known without the map: a year of a
// hundred deployments has ten million.
type seat struct {
	id       policy.DeploymentID
	requests [quota.Methods]window
	then     *seat // that followed the last time
}

func (t *tally) seat(id policy.DeploymentID) *seat {
	s := t.last.then
	if s.id != id {
		s = t.each[id]
		t.last.then = s
	}
	t.last = s
	return s
}

type outcomeKey struct {
	kind   scheduler.OutcomeKind
	reason scheduler.Reason
}

func newTally(o *Options) *tally {
	t := &tally{
		options: o, limits: o.Config.Quotas, each: map[policy.DeploymentID]*seat{},
		outcomes: map[outcomeKey]int{}, late: map[scheduler.LateCause]*Lateness{}, alarms: map[scheduler.AlarmKind]*AlarmCount{},
	}
	for _, p := range o.Config.Set.Policies {
		for _, m := range p.Members() {
			s := &seat{id: m.ID}
			s.then, t.last = s, s
			t.each[m.ID] = s
		}
	}
	for i, lim := range t.limits {
		t.peaks[i].Limit = lim
	}
	return t
}

// watch tells t which machine it is the witness of.
func (t *tally) watch(m *machine, w *weather) {
	t.machine, t.weather = m, w
	t.waits = newWaits(m, t.options.Config.Set)
	w.waits = t.waits
}

func (t *tally) began(life int, _ scheduler.Now, _ scheduler.State) { t.waits.began(life) }

func (t *tally) called(scheduler.Call) error { return nil }

// arrived counts what the platform counts: a request that reached it.
func (t *tally) arrived(c scheduler.Call, r simplatform.Response) error {
	if r.Fault != simplatform.NoFault {
		t.weather.befell(c, &r)
	}
	if c.Deployment == "" || r.Delivery == simplatform.NotReached {
		return nil // the list of all has a quota of its own on this platform
	}
	now, per, p := t.machine.real, t.limits[c.Method].Per, &t.peaks[c.Method]
	p.Key.reach(t.key[c.Method].add(now, per), t.machine, c.Deployment)
	p.Deployment.reach(t.seat(c.Deployment).requests[c.Method].add(now, per), t.machine, c.Deployment)
	return nil
}

func (t *tally) noticed(_ scheduler.Now, all []scheduler.Notice) error {
	for _, n := range all {
		switch n := n.(type) {
		case scheduler.Settled:
			t.outcomes[outcomeKey{n.Kind, n.Reason}] += n.Count
			t.waits.settled(n)
			if t.options.Marks {
				t.marks = append(t.marks, Mark{n.Deployment, n.Power, n.At, n.Kind, n.Reason, n.Count, n.Took})
			}
		case scheduler.CallEnded:
			t.latest(n)
			t.waits.called(n)
		case scheduler.AttemptEnded:
			t.waits.soon()
		case scheduler.Alarm:
			t.alarm(n)
		}
	}
	return nil
}

func (t *tally) alarm(n scheduler.Alarm) {
	a := t.alarms[n.Kind]
	if a == nil {
		a = &AlarmCount{Kind: n.Kind, First: n.Text}
		t.alarms[n.Kind] = a
	}
	a.Count++
}

// latest keeps the latest POST of every cause.
func (t *tally) latest(n scheduler.CallEnded) {
	if n.Cause == "" {
		return
	}
	l := t.late[n.Cause]
	if l == nil {
		l = &Lateness{Cause: n.Cause, Max: -1}
		t.late[n.Cause] = l
	}
	l.Calls++
	if n.Late > l.Max {
		l.Max, l.Deployment, l.At = n.Late, n.Deployment, n.Transition.At
	}
}

// report puts the counts in order.
func (t *tally) report() *Report {
	m, o := t.machine, t.options
	score := m.world.Score()
	r := &Report{
		From: o.From, To: m.server(), Deployments: len(t.each),
		StartTakes: cmp.Or(o.StartTakes, DefaultStartTakes), StopTakes: cmp.Or(o.StopTakes, DefaultStopTakes), ByHand: t.byHand,
		Mishaps:   t.weather.mishaps(),
		OverQuota: score.OverQuota, Repeated: score.Repeated, Limited: score.Limited, Peaks: t.peaks, Marks: t.marks,
	}
	for i := range r.Calls {
		r.Calls[i] = score.Calls[methodOf(quota.Method(i))]
	}
	r.Calls[quota.Get] += score.Calls[simplatform.List]
	r.Waits = t.waits.report()
	t.sums(r)
	t.powers(r)
	r.arrivals(o.Config)
	return r
}

// powers adds what the platform has of each deployment, and what is still due.
func (t *tally) powers(r *Report) {
	m, o := t.machine, t.options
	for _, p := range m.config.Set.Policies {
		for _, d := range p.Members() {
			s := m.world.Spent(string(d.ID), r.From, r.To)
			r.Powers = append(r.Powers, Powers{
				d.ID, o.name(d), p.Name(), o.dry(p), !p.Has(policy.Stopped), s.Running, s.Stopped, s.Other, m.world.History(r.To, string(d.ID)),
			})
		}
	}
	if m.fleet == nil {
		return // the span ended while no daemon ran
	}
	for _, v := range m.fleet.Snapshot(m.now()).Deployments {
		if !v.Due.Zero() && v.Due.At.Before(r.To) {
			r.Waiting = append(r.Waiting, Waiting{v.Deployment, v.Due.Power, v.Due.At, v.Wait})
		}
	}
}

// sums adds what was counted by kind, in an order that does not change.
func (t *tally) sums(r *Report) {
	for k, n := range t.outcomes {
		r.Outcomes = append(r.Outcomes, OutcomeCount{k.kind, k.reason, n})
	}
	slices.SortFunc(r.Outcomes, func(a, b OutcomeCount) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason))
	})
	for _, l := range t.late {
		r.Lateness = append(r.Lateness, *l)
	}
	slices.SortFunc(r.Lateness, func(a, b Lateness) int { return cmp.Compare(a.Cause, b.Cause) })
	for _, a := range t.alarms {
		r.Alarms = append(r.Alarms, *a)
	}
	slices.SortFunc(r.Alarms, func(a, b AlarmCount) int { return cmp.Compare(a.Kind, b.Kind) })
}

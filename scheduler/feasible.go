package scheduler

import (
	"cmp"
	"slices"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// Infeasible is a power of one policy that the quotas cannot carry: calls that
// would come too late to count as on time, or stops that would not be made, since
// the start after them could not come in time.
type Infeasible struct {
	Policy  *policy.Policy
	Power   policy.Power
	Scope   quota.Scope // Deployment or Key: over what the quota is counted
	Limit   quota.Limit
	Because policy.Because
	First   time.Time     // the instant of the first of them
	Late    time.Duration // how late its last call would be
	Skipped bool          // the stop, or that before the start, would not be made at all
	Count   int           // transitions of single deployments
}

// Feasible says what of the calls that the policies need with from <= instant <
// to the quotas cannot carry, by the arithmetic by which the daemon itself
// spends them. Calls are what counts, not edges: two stops with no start between
// them are one, and a start of what curfew never stops is none. A call may be five
// minutes late. Both scopes are tried where the scope is Auto; what only Key
// cannot carry has that Scope. The order is that of the policies, then of the
// powers, then of the scopes.
//
// Of c it reads the policies, the quotas and who is protected; a dry run of all
// is tried like any other, since somebody means to end it. The name of a
// deployment, empty where it is not known, says who bears another one than the
// file asserts, and gets no call.
//
// Nothing is known here of what people do, of other users of the quota, or of
// calls that fail. Every call is taken to end as soon as it is made. Policies that
// act every minute take seconds: it asks ended now and then, and stops with its error
// once nobody waits for the answer.
func Feasible(c Config, name func(policy.Member) string, from, to time.Time, ended func() error) ([]Infeasible, error) {
	f := feasibility{ended: ended, limits: c.Quotas, found: map[findingKey]*Infeasible{}}
	for _, p := range c.Set.Policies {
		if p.Options().DryRun {
			continue
		}
		if n := callable(p, c.Protect, name); n > 0 {
			f.walk(p, n, from, to)
		}
	}
	for _, m := range [...]quota.Method{quota.Start, quota.Stop} {
		if c.Quotas[m].Scope != quota.Deployment {
			f.whole(m)
		}
	}
	return f.sorted(c.Set), ended()
}

// callable counts the deployments of p that get calls where nobody but curfew
// acts: of those that are protected, the ones that p only starts, as people stop
// them. What is not known stands in nobody's way here: it may turn out to be no
// bar.
func callable(p *policy.Policy, protect *policy.Protection, name func(policy.Member) string) (n int) {
	for _, m := range p.Members() {
		called := name(m)
		standing, _ := protect.Of(m.ID, called)
		spared := standing == policy.Barred && p.Has(policy.Stopped)
		if m.Named(called) != policy.Barred && !spared {
			n++
		}
	}
	return n
}

// feasibility collects what Feasible finds.
type feasibility struct {
	ended  func() error // not nil once nobody waits for the answer
	limits [quota.Methods]quota.Limit
	wanted [quota.Methods][]demand // over the whole key
	found  map[findingKey]*Infeasible
}

type findingKey struct {
	policy *policy.Policy
	power  policy.Power
	scope  quota.Scope
}

// A demand is the calls of a policy at one instant, one for each deployment.
type demand struct {
	p     *policy.Policy
	edge  policy.Edge
	n     int
	again bool // a start of what the policy stopped before
}

// walk follows one deployment of p, which stands for n that are like it: its own
// quotas, and what they add to the key's.
func (f *feasibility) walk(p *policy.Policy, n int, from, to time.Time) {
	var logs [quota.Methods]quota.Log
	id := uint64(0)
	left := false // the last stop was not made: it runs still
	for e, need := range p.Calls(from, to) {
		if f.ended() != nil {
			return
		}
		if need == policy.NoCall || left && e.Power == policy.Running {
			continue
		}
		left = false
		m := methodOf(e.Power)
		at := time.Duration(e.At.Sub(from))
		if e.Power == policy.Stopped && f.limits[quota.Start].Scope != quota.Key && f.startTooLate(p, &logs[quota.Start], e, from) {
			f.add(demand{p: p, edge: e, n: n}, quota.Deployment, 0, true)
			left = true
			continue
		}
		f.wanted[m] = append(f.wanted[m], demand{p, e, n, need == policy.Call && e.Power == policy.Running})
		if f.limits[m].Scope == quota.Key {
			continue
		}
		ready := logs[m].Ready(f.limits[m], 0, at)
		if ready-at > inTime {
			f.add(demand{p: p, edge: e, n: n}, quota.Deployment, ready-at, false)
		}
		id++
		if permit, ok := logs[m].Claim(id, m, f.limits[m], ready, ready, ready); ok {
			logs[m].End(permit.ID(), ready, true)
		}
	}
}

// startTooLate reports whether the start after stop e could not have its permit
// within five minutes of its instant.
func (f *feasibility) startTooLate(p *policy.Policy, starts *quota.Log, e policy.Edge, from time.Time) bool {
	next, ok := p.NextOf(policy.Running, e.At)
	if !ok {
		return false
	}
	at := next.At.Sub(from)
	return starts.Ready(f.limits[quota.Start], 0, at)-at > inTime
}

// whole follows all calls of one method where the whole key shares their quota.
func (f *feasibility) whole(m quota.Method) {
	lim := f.limits[m]
	all := f.wanted[m]
	slices.SortStableFunc(all, func(a, b demand) int { return a.edge.At.Compare(b.edge.At) })
	used := window{lim: lim}
	for _, d := range all {
		if f.ended() != nil {
			return
		}
		if n, late := used.take(d.edge.At, d.n); n > 0 {
			// Of a start that comes too late, the stop before it is not made.
			f.add(demand{p: d.p, edge: d.edge, n: n}, quota.Key, late, d.again)
		}
	}
}

// A window counts calls of a whole key, many at a time.
type window struct {
	lim  quota.Limit
	used []taken // in the order of their instants
	n    int     // how many there are in used
}

type taken struct {
	at time.Time
	n  int
}

// take makes n calls that are wanted at one instant as soon as the quota allows,
// and returns how many of them are more than five minutes late, and how late the
// last of them is. One call at a time it would be quota.Log's arithmetic: each is
// free again one window and its margin later.
func (w *window) take(at time.Time, n int) (tooLate int, late time.Duration) {
	if w.lim.N < 1 {
		return n, quota.Never
	}
	again := w.lim.Per + w.lim.Margin()
	when := at
	if last := len(w.used) - 1; last >= 0 && w.used[last].at.After(at) {
		when = w.used[last].at // those that wait since before come first
	}
	for rest := n; rest > 0; {
		w.forget(when.Add(-again))
		now := min(rest, w.lim.N-w.n)
		if now > 0 {
			w.used = append(w.used, taken{when, now})
			w.n, rest, late = w.n+now, rest-now, when.Sub(at)
			if late > inTime {
				tooLate += now
			}
		}
		if rest > 0 {
			when = w.used[0].at.Add(again)
		}
		if late := when.Sub(at); late > givenUp {
			return tooLate + rest, late // a newer edge has taken over long since
		}
	}
	return tooLate, late
}

// forget drops what was made up to then.
func (w *window) forget(upTo time.Time) {
	for len(w.used) > 0 && !w.used[0].at.After(upTo) {
		w.n -= w.used[0].n
		w.used = w.used[1:]
	}
}

// givenUp is how late a call is when nobody waits for it any more.
const givenUp = 24 * time.Hour

func (f *feasibility) add(d demand, s quota.Scope, late time.Duration, skipped bool) {
	key := findingKey{d.p, d.edge.Power, s}
	i := f.found[key]
	if i == nil {
		i = &Infeasible{
			Policy: d.p, Power: d.edge.Power, Scope: s, Limit: f.limits[methodOf(d.edge.Power)],
			Because: d.edge.Because, First: d.edge.At, Late: late, Skipped: skipped,
		}
		f.found[key] = i
	}
	i.Count += d.n
}

// sorted puts what was found into the order of the file.
func (f *feasibility) sorted(set *policy.Set) []Infeasible {
	place := map[*policy.Policy]int{}
	for i, p := range set.Policies {
		place[p] = i
	}
	all := make([]Infeasible, 0, len(f.found))
	for _, i := range f.found {
		all = append(all, *i)
	}
	slices.SortFunc(all, func(a, b Infeasible) int {
		return cmp.Or(cmp.Compare(place[a.Policy], place[b.Policy]), cmp.Compare(a.Power, b.Power), cmp.Compare(a.Scope, b.Scope))
	})
	return all
}

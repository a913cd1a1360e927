package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// A file is what the daemon is told, as the oracle reads it.
type file struct {
	specs      []policy.Spec
	set        *policy.Set
	protection *policy.Protection
	protect    []string
	dry        bool
	rules      map[policy.DeploymentID]*ruleOf
}

// A ruleOf is what one deployment's policy asks for, worked out by the oracle.
type ruleOf struct {
	name    string
	zone    string
	options policy.Options
	edges   []due
	asserts map[policy.DeploymentID]string // the names that the file gives its deployments
}

// last is the latest edge at or before t, one after which nothing is wanted
// included.
func (r *ruleOf) last(t time.Time) (due, bool) {
	i, found := slices.BinarySearchFunc(r.edges, t, func(d due, t time.Time) int { return d.at.Compare(t) })
	for ; found && i < len(r.edges) && r.edges[i].at.Equal(t); i++ {
	}
	for i--; i >= 0; i-- {
		if !r.edges[i].untouched {
			return r.edges[i], true
		}
	}
	return due{}, false
}

// wants is the power that the latest edge before or at t asks for.
func (r *ruleOf) wants(t time.Time) policy.Power {
	d, _ := r.last(t)
	return d.power
}

// next is the first edge of a power after t.
func (r *ruleOf) next(t time.Time, power policy.Power) (time.Time, bool) {
	for _, e := range r.edges {
		if e.at.After(t) && e.power == power && !e.untouched {
			return e.at, true
		}
	}
	return time.Time{}, false
}

// firstFault is the first problem that keeps a file from being used.
func firstFault(problems []policy.Problem) error {
	for _, p := range problems {
		if !p.Warning {
			return p
		}
	}
	return nil
}

// work works the policies of a set out for the checker.
func work(set *policy.Set, specs []policy.Spec, env policy.Env, read tapes, from, to time.Time) *file {
	f := &file{specs: specs, set: set, rules: map[policy.DeploymentID]*ruleOf{}}
	for i, s := range specs {
		p := set.Policies[i]
		r := &ruleOf{
			name: s.Name, zone: s.Zone, options: p.Options(), asserts: map[policy.DeploymentID]string{},
			edges: edgesOf(s, env.Calendars, read.of(env.Zones[s.Zone], from, to), from, to),
		}
		for _, m := range s.Deployments {
			f.rules[m.ID] = r
			if m.Name != "" {
				r.asserts[m.ID] = m.Name
			}
		}
	}
	return f
}

// tapes are read once for all files of a script.
type tapes map[*time.Location]*tape

// of returns the tape of a zone, with room for weeks that began before and for
// starts that are put off to later.
func (all tapes) of(loc *time.Location, from, to time.Time) *tape {
	if all[loc] == nil {
		all[loc] = newTape(loc, from.Add(-20*24*time.Hour), to.Add(16*24*time.Hour))
	}
	return all[loc]
}

// outcomesOf is I17: every edge ends in exactly one outcome, and none is left
// out. Edges that were passed over are in one record with their count.
func (k *checker) outcomesOf(id policy.DeploymentID) []string {
	wrong := k.twice(id)
	rule := k.file.rules[id]
	first, last, n := -1, -1, 0
	for _, o := range k.spoken[id] {
		if o.Reason == scheduler.ReasonActivation {
			continue
		}
		i := rule.edgeOf(o)
		if i < 0 && o.Because.Kind != policy.KindEdge {
			continue // an override's, or a correction
		}
		if i < 0 {
			return append(wrong, fmt.Sprintf("I11: %s has an outcome for %s, and no line says so", id, when(o.Transition)))
		}
		if first < 0 || i < first {
			first = i
		}
		last = max(last, rule.lastOf(i, o.Count))
		n += o.Count
	}
	if first < 0 {
		return append(wrong, k.unsettled(id, last)...)
	}
	if least, most := rule.transitions(first, last); n < least || n > most {
		wrong = append(wrong, fmt.Sprintf("I17: %s has %d edges from %s to %s, and %d outcomes", id, least,
			rule.edges[first].at.UTC().Format("Mon 15:04"), rule.edges[last].at.UTC().Format("Mon 15:04"), n))
	}
	return append(wrong, k.unsettled(id, last)...)
}

// edgeOf is the edge that an outcome is of, -1 for none. Of days on which nothing
// is wanted no other outcome can come than that.
func (r *ruleOf) edgeOf(o scheduler.Outcome) int {
	return slices.IndexFunc(r.edges, func(d due) bool {
		return d.at.Equal(o.At) && d.power == o.Power && d.untouched == (o.Reason == scheduler.ReasonUntouched)
	})
}

// lastOf is the last of count edges like the one at i, which one outcome has.
func (r *ruleOf) lastOf(i, count int) int {
	last := i
	for j := i; j < len(r.edges) && count > 0; j++ {
		if r.edges[j].power != policy.None && r.edges[j].untouched == r.edges[i].untouched {
			last = j
			count--
		}
	}
	return last
}

// transitions counts the edges from one to another that have an outcome. An
// untouched one at the very instant of an edge may go with it.
func (r *ruleOf) transitions(first, last int) (least, most int) {
	counts := map[int64]bool{}
	for _, e := range r.edges[first : last+1] {
		counts[e.at.UnixNano()] = counts[e.at.UnixNano()] || !e.untouched
	}
	for _, e := range r.edges[first : last+1] {
		if e.power == policy.None {
			continue
		}
		if most++; !e.untouched || !counts[e.at.UnixNano()] {
			least++
		}
	}
	return least, most
}

// twice looks for transitions that have two outcomes. A deployment that comes
// back into the file begins anew.
func (k *checker) twice(id policy.DeploymentID) []string {
	var wrong []string
	seen := map[occurrence]bool{}
	for _, o := range k.spoken[id] {
		if o.Reason == scheduler.ReasonActivation {
			clear(seen)
			continue
		}
		key := occurrenceOf(id, o.Transition)
		if o.Count == 1 && seen[key] {
			wrong = append(wrong, fmt.Sprintf("I17: %s has two outcomes for %s", id, when(o.Transition)))
		}
		seen[key] = true
	}
	return wrong
}

func when(t scheduler.Transition) string {
	return t.Power.Action() + " of " + t.At.UTC().Format("Mon 15:04:05")
}

// unsettled looks for edges after the last that has an outcome: the daemon must
// know of the latest one that it is due.
func (k *checker) unsettled(id policy.DeploymentID, last int) []string {
	e, ok := k.file.rules[id].last(k.wall())
	if !ok || e.power == policy.None || last >= 0 && !e.at.After(k.file.rules[id].edges[last].at) {
		return nil
	}
	for _, v := range k.m.fleet.Snapshot(k.m.now()).Deployments {
		if v.Deployment == id && (!v.Due.Zero() || v.Wait != scheduler.WaitNone || !k.seenSince(id, e)) {
			return nil
		}
	}
	return []string{fmt.Sprintf("I17: %s: the %s of %s has no outcome and is not due", id, e.power.Action(), e.at.UTC().Format("Mon 15:04:05"))}
}

// seenSince reports whether the deployment was under the daemon's eyes when the
// edge came.
func (k *checker) seenSince(id policy.DeploymentID, e due) bool {
	at, ok := k.active[id]
	return ok && at.Before(e.at)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

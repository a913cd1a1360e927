package sim

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// A file is what the daemon is told, as the oracle reads it.
type file struct {
	specs []policy.Spec
	set   *policy.Set
	rules map[policy.DeploymentID]*ruleOf
}

// A ruleOf is what one deployment's policy asks for, worked out by the oracle.
type ruleOf struct {
	name    string
	options policy.Options
	edges   []due
}

// last is the latest edge at or before t.
func (r *ruleOf) last(t time.Time) (due, bool) {
	i, found := slices.BinarySearchFunc(r.edges, t, func(d due, t time.Time) int { return d.at.Compare(t) })
	if found {
		i++
	}
	if i == 0 {
		return due{}, false
	}
	return r.edges[i-1], true
}

// next is the first edge of a power after t.
func (r *ruleOf) next(t time.Time, power policy.Power) (time.Time, bool) {
	for _, e := range r.edges {
		if e.at.After(t) && e.power == power {
			return e.at, true
		}
	}
	return time.Time{}, false
}

// newFile compiles policies for the daemon and works them out for the checker.
func newFile(t testing.TB, from, to time.Time, specs ...policy.Spec) *file {
	t.Helper()
	f := &file{specs: specs, set: compile(t, specs...), rules: map[policy.DeploymentID]*ruleOf{}}
	for i, s := range specs {
		p := f.set.Policies[i]
		r := &ruleOf{name: s.Name, options: p.Options(), edges: edgesOf(s, p.Location(), from, to)}
		for _, m := range s.Deployments {
			f.rules[m.ID] = r
		}
	}
	return f
}

// outcomes is I17: every edge ends in exactly one outcome, and none is left out.
// Edges that were passed over are in one record with their count.
func (k *checker) outcomes() []string {
	var wrong []string
	for _, id := range k.ids() {
		wrong = append(wrong, k.outcomesOf(id)...)
	}
	return wrong
}

func (k *checker) outcomesOf(id policy.DeploymentID) []string {
	wrong := k.twice(id)
	rule := k.file.rules[id]
	first, last, n := -1, -1, 0
	for _, o := range k.spoken[id] {
		if o.Reason == scheduler.ReasonActivation {
			continue
		}
		i := slices.IndexFunc(rule.edges, func(d due) bool { return d.at.Equal(o.At) && d.power == o.Power })
		if i < 0 && o.Because.Kind != policy.KindEdge {
			continue // an override's, or a correction
		}
		if i < 0 {
			return append(wrong, fmt.Sprintf("I11: %s has an outcome for %s, and no line says so", id, when(o.Transition)))
		}
		if first < 0 || i < first {
			first = i
		}
		last = max(last, i)
		n += o.Count
	}
	if first >= 0 && n != last-first+1 {
		wrong = append(wrong, fmt.Sprintf("I17: %s has %d edges from %s to %s, and %d outcomes", id, last-first+1,
			rule.edges[first].at.UTC().Format("Mon 15:04"), rule.edges[last].at.UTC().Format("Mon 15:04"), n))
	}
	return append(wrong, k.unsettled(id, last)...)
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
	if !ok || last >= 0 && !e.at.After(k.file.rules[id].edges[last].at) {
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

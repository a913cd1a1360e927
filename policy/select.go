package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// A Select puts every deployment whose name fits under a policy, beside those
// that the policy names. Whom that is, an inventory tells: see Set.Resolve.
type Select struct {
	Name Pattern
	Max  int // more than that are a mistake, and change nothing
	Pos  Pos
}

// A Named is a deployment of an inventory: the list of all that a key can see.
type Named struct {
	ID   DeploymentID
	Name string
}

// Selects reports whether any policy selects deployments, so that an inventory
// is needed.
func (s *Set) Selects() bool {
	return slices.ContainsFunc(s.Policies, func(p *Policy) bool { return p.selects != nil })
}

// Resolve returns the set with the deployments that its policies select from an
// inventory, behind those that they name, by id. A deployment that any policy
// names is selected by none; one that two select is under neither; a policy that
// would select more than its max keeps whom it selected before, as far as nobody
// else has them. before is the set that was in force, nil where there was none.
// The problems are warnings, in the order of the file: each is an alarm, and
// changes nothing else.
func (s *Set) Resolve(inventory []Named, before *Set) (*Set, []Problem) {
	if !s.Selects() {
		return s, nil
	}
	r := resolver{set: s, of: map[DeploymentID]*Policy{}, chosen: make([][]Member, len(s.Policies))}
	for _, p := range s.Policies {
		for _, m := range p.named() {
			r.of[m.ID] = p
		}
	}
	inventory = slices.Clone(inventory)
	slices.SortFunc(inventory, func(a, b Named) int { return cmp.Compare(a.ID, b.ID) })
	for _, n := range inventory {
		r.choose(n)
	}
	for i := range s.Policies {
		r.limit(i, before)
	}
	return r.resolved(), r.problems
}

// Holding returns the set with whom its policies selected by a ledger: for each
// deployment the name of its policy. Those that a policy names are not among
// them. It is what Resolve takes for the set that was in force before a restart.
func (s *Set) Holding(of map[DeploymentID]string) *Set {
	r := resolver{set: s, of: map[DeploymentID]*Policy{}, chosen: make([][]Member, len(s.Policies))}
	for _, p := range s.Policies {
		for _, m := range p.named() {
			r.of[m.ID] = p
		}
	}
	for _, id := range slices.Sorted(maps.Keys(of)) {
		i := slices.IndexFunc(s.Policies, func(p *Policy) bool { return p.name == of[id] && p.selects != nil })
		if _, taken := r.of[id]; !taken && i >= 0 {
			r.chosen[i] = append(r.chosen[i], Member{ID: id, Pos: s.Policies[i].selects.Pos})
		}
	}
	return r.resolved()
}

// Selected returns the members that p selected, not those that the file names.
func (p *Policy) Selected() []Member { return p.members[len(p.members)-p.selected:] }

// named returns the members that the file names, without those selected.
func (p *Policy) named() []Member { return p.members[:len(p.members)-p.selected] }

// A resolver gathers who is selected by which policy.
type resolver struct {
	set      *Set
	of       map[DeploymentID]*Policy // who is named, then also who is chosen
	chosen   [][]Member               // by policy
	problems []Problem
}

// choose finds the policy that selects n, if just one does.
func (r *resolver) choose(n Named) {
	if _, taken := r.of[n.ID]; taken || n.ID == "" {
		return
	}
	found := -1
	for i, p := range r.set.Policies {
		if p.selects == nil || !p.selects.Name.Matches(n.Name) {
			continue
		}
		if found >= 0 {
			r.fault(p.selects.Pos, fmt.Sprintf("deployment %s, called %q, is selected by policy %q and by policy %q: it is under neither",
				n.ID, n.Name, r.set.Policies[found].name, p.name), "make one of the patterns narrower, or name the deployment by its id")
			return
		}
		found = i
	}
	if found >= 0 {
		r.chosen[found] = append(r.chosen[found], Member{ID: n.ID, Pos: r.set.Policies[found].selects.Pos})
	}
}

// limit has a policy keep whom it had where it would select more than its max.
func (r *resolver) limit(i int, before *Set) {
	p := r.set.Policies[i]
	if p.selects == nil || len(r.chosen[i]) <= p.selects.Max {
		for _, m := range r.chosen[i] {
			r.of[m.ID] = p
		}
		return
	}
	n := len(r.chosen[i])
	r.chosen[i] = nil
	for _, m := range p.selectedBefore(before) {
		if _, taken := r.of[m.ID]; !taken {
			r.chosen[i] = append(r.chosen[i], Member{ID: m.ID, Pos: p.selects.Pos})
			r.of[m.ID] = p
		}
	}
	keeps := fmt.Sprintf("keeps the %d that it had", len(r.chosen[i]))
	if before == nil {
		keeps = "would get none of them"
	}
	r.fault(p.selects.Pos, fmt.Sprintf("%q selects %d deployments, more than max: %d: policy %q %s",
		p.selects.Name.Text, n, p.selects.Max, p.name, keeps), "make the pattern narrower, or max larger")
	r.problems[len(r.problems)-1].Warning = before != nil
}

// selectedBefore is whom the policy of p's name selected in an earlier set, at
// most as many as p may.
func (p *Policy) selectedBefore(before *Set) []Member {
	if before == nil {
		return nil
	}
	for _, old := range before.Policies {
		if old.name == p.name {
			members := old.Selected()
			return members[:min(len(members), p.selects.Max)]
		}
	}
	return nil
}

func (r *resolver) fault(at Pos, text, hint string) {
	r.problems = append(r.problems, Problem{Pos: at, Text: text, Hint: hint, Warning: true})
}

// resolved builds the set: the policies are those that were, but for whom they
// concern.
func (r *resolver) resolved() *Set {
	out := &Set{of: r.of}
	for i, p := range r.set.Policies {
		q := *p
		q.members = append(slices.Clone(p.named()), r.chosen[i]...)
		q.selected = len(r.chosen[i])
		out.Policies = append(out.Policies, &q)
	}
	clear(out.of)
	for _, q := range out.Policies {
		for _, m := range q.members {
			out.of[m.ID] = q
		}
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return out
}

// SameMembers reports whether two sets of the same policies concern the same
// deployments.
func (s *Set) SameMembers(o *Set) bool {
	return slices.EqualFunc(s.Policies, o.Policies, func(a, b *Policy) bool { return slices.Equal(a.members, b.members) })
}

// Select returns what p selects beside the deployments that it names; nil for
// nothing.
func (p *Policy) Select() *Select { return p.selects }

package main

import (
	"cmp"
	"slices"
	"time"

	"curfew/internal/config"
	"curfew/policy"
)

// How two files are compared, from the file to the page:
//
//	pairsOf      deployments by the policies that they are under, before and after
//	callsOf      the calls of a policy in the span: package policy's own
//	changesOf    what only one side has, and what of it moved (diffmatch.go)
//	groupsOf     changes that a person names in one breath (diffgroup.go)
//	atLoad       what the daemon does when it is given the new file (diffload.go)
//
// All of it goes by policies, never by deployments: a policy of ten thousand
// members is compared once.

// A comparison is what one configuration changes of what another does in a span.
type comparison struct {
	before, after *config.Config
	span          span
	pairs         []*policyPair // in the order of the new file, then what is gone, in that of the old one
	settings      []setting     // of the files
}

// compare compares two configurations that are right. It asks package policy for
// the calls of both and subtracts them; what a policy means is decided there
// alone. The instant at which the span begins is that of the change.
func compare(before, after *config.Config, inv *inventory, s span) *comparison {
	c := &comparison{before: before, after: after, span: s, settings: fileSettings(before, after)}
	c.pairs = pairsOf(sidesOf(before, inv), sidesOf(after, inv))
	for _, p := range c.pairs {
		p.groups = groupsOf(p.changes(s), p.location(), s)
		p.settings = p.pairSettings()
		p.loaded = p.atLoad(s.from)
	}
	return c
}

// differs reports whether there is a difference, and not only another name.
func (c *comparison) differs() bool {
	return len(c.settings) > 0 || slices.ContainsFunc(c.pairs, (*policyPair).differs)
}

// A subject is what a policy is about: a deployment, or all those that it selects
// by a pattern, as long as nobody has said which they are.
type subject struct {
	id      policy.DeploymentID
	pattern string
}

// String returns the id, or whom the pattern means.
func (s subject) String() string {
	if s.id == "" {
		return "all called " + s.pattern
	}
	return string(s.id)
}

// A policyPair is the deployments that are under one policy before a change and
// under one behind it. What the change does is the same for all of them, so it
// is found once.
type policyPair struct {
	before, after *side // nil: under none
	subjects      []subject
	groups        []callGroup
	settings      []setting
	loaded        string // what is done when the new file is loaded; empty: nothing else than before
}

// A side is a policy with what its file says of those of its deployments for whom
// that is the same.
type side struct {
	policy *policy.Policy
	reach  reach
	dry    bool
	order  int // in the file
}

// A reach is how much of a policy happens to a deployment.
type reach uint8

// The reaches.
const (
	allCalls reach = iota
	noStops        // it is protected
	noCalls        // it bears another name than the file asserts
)

// lets reports whether a call for that power is made at all. A nil side has no
// policy, and makes none.
func (s *side) lets(power policy.Power) bool {
	return s != nil && s.reach != noCalls && !(s.reach == noStops && power == policy.Stopped)
}

func (p *policyPair) differs() bool {
	return len(p.groups) > 0 || len(p.settings) > 0 || p.loaded != ""
}

// renamed reports whether the two policies have different names.
func (p *policyPair) renamed() bool {
	return p.before != nil && p.after != nil && p.before.policy.Name() != p.after.policy.Name()
}

// location is the zone of the times: the new policy's.
func (p *policyPair) location() *time.Location { return p.latest().policy.Location() }

// latest is the side that counts from now on, or the one that counted last.
func (p *policyPair) latest() *side {
	if p.after != nil {
		return p.after
	}
	return p.before
}

// pairsOf sorts the deployments of both files into pairs: those with the same two
// sides.
func pairsOf(was, is map[subject]*side) []*policyPair {
	byKey := map[[2]*side]*policyPair{}
	add := func(s subject, old, new *side) {
		p := byKey[[2]*side{old, new}]
		if p == nil {
			p = &policyPair{before: old, after: new}
			byKey[[2]*side{old, new}] = p
		}
		p.subjects = append(p.subjects, s)
	}
	for s, old := range was {
		add(s, old, is[s])
	}
	for s, new := range is {
		if was[s] == nil {
			add(s, nil, new)
		}
	}
	return sortedPairs(byKey)
}

// sidesOf finds what each deployment of a file is under. Without an inventory, a
// name that is asserted is the only one that is known, and whoever a policy
// selects is one subject. Of policies that select by the same pattern the first
// has it; that none of them gets anybody is the daemon's to say.
func sidesOf(file *config.Config, inv *inventory) map[subject]*side {
	sides := map[subject]*side{}
	b := barring{inv: inv, protection: policy.NewProtection(file.Protect, file.Policies.Policies), bars: map[bar]*bar{}}
	for i, p := range file.Policies.Policies {
		var of [noCalls + 1]*side
		for r := range of {
			of[r] = &side{policy: p, reach: reach(r), dry: file.DryRun || p.Options().DryRun, order: i}
		}
		for _, m := range p.Members() {
			sides[subject{id: m.ID}] = of[b.of(m).reach()]
		}
		if sel := p.Select(); sel != nil && inv == nil && sides[subject{pattern: sel.Name.Text}] == nil {
			sides[subject{pattern: sel.Name.Text}] = of[allCalls]
		}
	}
	return sides
}

// reach is how much b leaves of a policy. A bar that may turn out to be none is
// taken for none.
func (b *bar) reach() reach {
	switch {
	case b == nil || b.kind == barPerhaps:
		return allCalls
	case b.kind == barAll:
		return noCalls
	}
	return noStops
}

// sortedPairs puts pairs, and the deployments in them, into an order that does
// not hang on that of a map.
func sortedPairs(byKey map[[2]*side]*policyPair) []*policyPair {
	pairs := make([]*policyPair, 0, len(byKey))
	for _, p := range byKey {
		slices.SortFunc(p.subjects, func(a, b subject) int {
			return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.pattern, b.pattern))
		})
		pairs = append(pairs, p)
	}
	order := func(s *side, none int) int {
		if s == nil {
			return none
		}
		return s.order
	}
	const last = 1 << 30
	slices.SortFunc(pairs, func(a, b *policyPair) int {
		return cmp.Or(cmp.Compare(order(a.after, last), order(b.after, last)),
			cmp.Compare(order(a.before, -1), order(b.before, -1)),
			cmp.Compare(a.subjects[0].id, b.subjects[0].id))
	})
	return pairs
}

// A call is one that a policy needs where nobody interferes, or may need.
type call struct {
	at      time.Time
	power   policy.Power
	because policy.Because
}

// A callKey is what makes two calls of a deployment the same one.
type callKey struct {
	at    int64 // edges are on whole seconds
	power policy.Power
}

func (c call) key() callKey { return callKey{c.at.Unix(), c.power} }

// callsOf returns the calls of a policy in a span; none under no policy. What is
// protected has no stops, and what bears another name has nothing. That a policy is on dry run takes no call away: it is a
// setting, and whoever tries one out wants to see its times.
func callsOf(s *side, over span) []call {
	if s == nil {
		return nil
	}
	var calls []call
	for e, need := range s.policy.Calls(over.from, over.to) {
		if need == policy.NoCall || !s.lets(e.Power) {
			continue
		}
		calls = append(calls, call{e.At, e.Power, e.Because})
	}
	return calls
}

// beyond is how far behind a span a call is still looked at, so that the last
// ones of the span find where they were moved to.
const beyond = 24 * time.Hour

// changes are what the pair's new policy changes of the calls of the old one in
// a span: calls one end of which lies in it.
func (p *policyPair) changes(s span) []callChange {
	if p.sameCalls() {
		return nil
	}
	wide := span{s.from, s.to.Add(beyond)}
	changes := changesOf(callsOf(p.before, wide), callsOf(p.after, wide), p.location())
	within := func(c call) bool { return !c.at.IsZero() && c.at.Before(s.to) }
	changes = slices.DeleteFunc(changes, func(c callChange) bool { return !within(c.old) && !within(c.new) })
	p.explain(changes, s)
	return changes
}

// explain finds the days by which calls are removed: the new policy still has
// them, and says why they do not count.
func (p *policyPair) explain(changes []callChange, s span) {
	if p.after == nil || !slices.ContainsFunc(changes, func(c callChange) bool { return c.kind() == changeRemoved }) {
		return
	}
	cancelled := map[callKey]policy.Because{}
	for e := range p.after.policy.Edges(s.from, s.to) {
		if e.CancelledBy.Kind == policy.KindCalendar {
			cancelled[callKey{e.At.Unix(), e.Power}] = e.CancelledBy
		}
	}
	for i := range changes {
		if c := &changes[i]; c.kind() == changeRemoved {
			c.by = cancelled[c.old.key()]
		}
	}
}

// sameCalls reports whether the two policies cannot differ in their calls.
func (p *policyPair) sameCalls() bool {
	return p.before != nil && p.after != nil && p.before.reach == p.after.reach &&
		p.before.policy.Fingerprint() == p.after.policy.Fingerprint()
}

// A callChange is a call that is removed (there is no new one), added (there is
// no old one) or moved.
type callChange struct {
	old, new call
	by       policy.Because // the new file's days by which it is removed, if it is by days
}

// The kinds of change.
type changeKind uint8

const (
	changeMoved changeKind = iota
	changeAdded
	changeRemoved
	changeKinds = 3
)

// String returns the word for people and programs.
func (k changeKind) String() string {
	switch k {
	case changeAdded:
		return "added"
	case changeRemoved:
		return "removed"
	}
	return "moved"
}

func (c callChange) kind() changeKind {
	switch {
	case c.old.at.IsZero():
		return changeAdded
	case c.new.at.IsZero():
		return changeRemoved
	}
	return changeMoved
}

// main is the call by whose date the change is told: the one that people know.
func (c callChange) main() call {
	if c.old.at.IsZero() {
		return c.new
	}
	return c.old
}

// changesOf compares calls that are in the order of their instants. Local days
// are those of loc. Whether a call is certain, or only made where somebody acted,
// does not matter: it is about when one may leave.
func changesOf(old, new []call, loc *time.Location) []callChange {
	removed, added := without(old, new), without(new, old)
	var changes []callChange
	for _, power := range []policy.Power{policy.Running, policy.Stopped} {
		m := matcher{removed: ofPower(removed, power), added: ofPower(added, power)}
		m.match(loc)
		changes = append(changes, m.changes()...)
	}
	slices.SortStableFunc(changes, func(a, b callChange) int { return a.main().at.Compare(b.main().at) })
	return changes
}

// without returns the calls that the others do not have at their instant.
func without(calls, others []call) []call {
	has := make(map[callKey]bool, len(others))
	for _, c := range others {
		has[c.key()] = true
	}
	var left []call
	for _, c := range calls {
		if !has[c.key()] {
			left = append(left, c)
		}
	}
	return left
}

func ofPower(calls []call, power policy.Power) []call {
	var of []call
	for _, c := range calls {
		if c.power == power {
			of = append(of, c)
		}
	}
	return of
}

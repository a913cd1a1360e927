package main

import (
	"fmt"
	"time"

	"curfew/policy"
)

// atLoad says what is done with the pair's deployments when the new file is
// loaded at t; nothing where that is what would have been done without it. It
// goes by the law that nothing a file says acts on the past.
func (p *policyPair) atLoad(t time.Time) string {
	switch {
	case p.after == nil:
		return "no call any more; what is so stays so"
	case p.before == nil:
		return p.dryly("new, so " + p.settled(t))
	case p.before.policy.Fingerprint() == p.after.policy.Fingerprint():
		return ""
	}
	// What is due under the old rule stays due where the same power is wanted: the
	// change alone does nothing then.
	was, is := p.before.policy.Decide(t).Want, p.after.policy.Decide(t).Want
	if was == is {
		return ""
	}
	change := fmt.Sprintf("%s → %s now: ", wantWord(was), wantWord(is))
	if is != policy.None && p.after.policy.Options().Converge && !p.barred(is) {
		return p.dryly(change + is.Action() + " at once, on_change: converge")
	}
	return p.dryly(change + p.settled(t))
}

// settled is what follows where all that lies behind t is taken to be settled. A
// start whose lead has begun, and whose local time is ahead, is not behind.
func (p *policyPair) settled(t time.Time) string {
	of := p.after.policy
	if e, ok := of.Prev(t); ok && e.Power != policy.None && e.NominalAt.After(t) && !p.barred(e.Power) {
		return fmt.Sprintf("%s at once, for %s", e.Power.Action(), shownTime(e.NominalAt.In(of.Location()), dateLayout+" 15:04"))
	}
	e, ok := of.Next(t)
	for ok && (e.Power == policy.None || p.barred(e.Power)) {
		e, ok = p.following(e)
	}
	if !ok {
		return "no call, and none later"
	}
	return fmt.Sprintf("no call; the next is %s %s", e.Power.Action(), shownTime(e.At.In(of.Location()), dateLayout+" 15:04"))
}

// following is the next edge behind e that may be a call.
func (p *policyPair) following(e policy.Edge) (policy.Edge, bool) {
	switch p.after.reach {
	case noCalls:
		return policy.Edge{}, false
	case noStops:
		return p.after.policy.NextOf(policy.Running, e.At)
	}
	return p.after.policy.Next(e.At)
}

// barred reports whether nothing makes the deployments have that power.
func (p *policyPair) barred(power policy.Power) bool { return !p.after.lets(power) }

// dryly adds that nothing leaves, where it does not.
func (p *policyPair) dryly(s string) string {
	if p.after.dry {
		return s + "; dry run"
	}
	return s
}

func wantWord(p policy.Power) string {
	if p == policy.None {
		return "nothing"
	}
	return p.String()
}

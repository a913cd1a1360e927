package main

import (
	"fmt"
	"slices"
	"strings"

	"curfew/internal/config"
	"curfew/policy"
)

// title says which policy it is, and what has become of its deployments.
func (p *policyPair) title(quote func(string) string) string {
	switch {
	case p.before == nil:
		return quote(p.after.policy.Name()) + " (new in it)"
	case p.after == nil:
		return quote(p.before.policy.Name()) + " (under no policy any more)"
	case p.renamed():
		return fmt.Sprintf("%s (under %s before)", quote(p.after.policy.Name()), quote(p.before.policy.Name())) + p.standing()
	}
	return quote(p.after.policy.Name()) + p.standing()
}

// standing says whether the change is one of who may be called for.
func (p *policyPair) standing() string {
	was, is := p.before.reach, p.after.reach
	switch {
	case was == is:
		return ""
	case is == noCalls:
		return " (not touched any more: another name is asserted)"
	case was == noCalls && is == noStops:
		return " (its name is right now, and it is protected)"
	case was == noCalls:
		return " (its name is right now)"
	case is == noStops:
		return " (protected now)"
	}
	return " (not protected any more)"
}

// zones names the zone of the times, and the old one where that was another.
func (p *policyPair) zones() string {
	s := "times in " + p.latest().policy.Zone()
	if p.before != nil && p.before.policy.Zone() != p.latest().policy.Zone() {
		s += ", before in " + p.before.policy.Zone()
	}
	return s
}

// whom names the first deployments, as many as fit, and counts the others.
func (p *policyPair) whom(most int, quote func(string) string) string {
	var b strings.Builder
	width := 0
	for i, s := range p.subjects {
		name := s.String()
		rest := fmt.Sprintf(" and %d more", len(p.subjects)-i)
		if i > 0 && width+len([]rune(name))+len(", ")+len(rest) > most {
			return b.String() + rest
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(name))
		width += len([]rune(name)) + len(", ")
	}
	return b.String()
}

// renames are the policies of which nothing but the name has changed, in words.
func (c *comparison) renames(quote func(string) string) []string {
	has := func(file *config.Config, name string) bool {
		return slices.ContainsFunc(file.Policies.Policies, func(p *policy.Policy) bool { return p.Name() == name })
	}
	var all []string
	for _, p := range c.pairs {
		if p.differs() || !p.renamed() {
			continue
		}
		old, new := p.before.policy.Name(), p.after.policy.Name()
		s := fmt.Sprintf("policy %s is called %s now: no call differs", quote(old), quote(new))
		if has(c.after, old) || has(c.before, new) {
			s = fmt.Sprintf("%s: under %s now, before under %s: no call differs", p.whom(40, quote), quote(new), quote(old))
		}
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// A callSum is how many calls of all deployments a comparison found.
type callSum struct {
	calls, dry [changeKinds]int // of each kind; how many of them nobody would make
	live       int              // of both files, on dry run in the old one alone
	quiet      int              // of both files, on dry run in the new one alone
	settings   int
}

// count counts what the sum says.
func (c *comparison) count() callSum {
	n := callSum{settings: len(c.settings)}
	for _, p := range c.pairs {
		for i := range p.groups {
			g := &p.groups[i]
			calls := len(g.changes) * len(p.subjects)
			n.calls[g.kind] += calls
			if p.dryKind(g.kind) {
				n.dry[g.kind] += calls
			}
		}
		n.settings += len(p.settings)
		switch {
		case p.before == nil || p.after == nil:
		case p.before.dry && !p.after.dry:
			n.live += p.stayed(c.span) * len(p.subjects)
		case !p.before.dry && p.after.dry:
			n.quiet += p.stayed(c.span) * len(p.subjects)
		}
	}
	return n
}

// dryKind reports whether changes of a kind are of calls that are not made: what
// goes was not, what comes is not, and what moved neither was nor is.
func (p *policyPair) dryKind(kind changeKind) bool {
	was, is := p.before != nil && p.before.dry, p.after != nil && p.after.dry
	switch kind {
	case changeAdded:
		return is
	case changeRemoved:
		return was
	}
	return was && is
}

// stayed is how many of the new policy's calls in a span the old one had too, be
// it at another time.
func (p *policyPair) stayed(s span) int {
	n := len(callsOf(p.after, s))
	for i := range p.groups {
		for _, c := range p.groups[i].changes {
			if c.kind() == changeAdded && c.new.at.Before(s.to) {
				n--
			}
		}
	}
	return n
}

// sum is the last line: of calls, those of each deployment counted.
func (c *comparison) sum() string {
	if !c.differs() {
		return "no call and no setting differs"
	}
	n := c.count()
	s := fmt.Sprintf("%s moved%s, %d added%s, %d removed%s", plural(n.calls[changeMoved], "call", "calls"), n.dryOf(changeMoved),
		n.calls[changeAdded], n.dryOf(changeAdded), n.calls[changeRemoved], n.dryOf(changeRemoved))
	if n.live > 0 {
		s += "; " + plural(n.live, "call goes live (dry_run before)", "calls go live (dry_run before)")
	}
	if n.quiet > 0 {
		s += "; " + plural(n.quiet, "call is not made any more (dry_run)", "calls are not made any more (dry_run)")
	}
	if n.settings > 0 {
		s += "; " + plural(n.settings, "setting differs", "settings differ")
	}
	return s
}

// dryOf says how many of the calls of a kind are not made.
func (n *callSum) dryOf(kind changeKind) string {
	switch n.dry[kind] {
	case 0:
		return ""
	case n.calls[kind]:
		return " (all dry_run)"
	}
	return fmt.Sprintf(" (%d dry_run)", n.dry[kind])
}

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

// totals counts calls over all deployments of all pairs, and settings.
func (c *comparison) totals() (calls [changeKinds]int, settings int) {
	settings = len(c.settings)
	for _, p := range c.pairs {
		for _, g := range p.groups {
			calls[g.kind] += len(g.changes) * len(p.subjects)
		}
		settings += len(p.settings)
	}
	return calls, settings
}

// sum is the last line: of calls, those of each deployment counted.
func (c *comparison) sum() string {
	calls, settings := c.totals()
	if !c.differs() {
		return "no call and no setting differs"
	}
	s := fmt.Sprintf("%s moved, %d added, %d removed", plural(calls[changeMoved], "call", "calls"), calls[changeAdded], calls[changeRemoved])
	if settings > 0 {
		s += "; " + plural(settings, "setting differs", "settings differ")
	}
	return s
}

package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/policy"
)

// A setting is one that differs. Old is empty where there was none, New where
// there is none any more.
type setting struct{ key, old, new string }

// String says it in a line.
func (s setting) String() string {
	switch {
	case s.old == "":
		return s.key + ": " + s.new + " is new"
	case s.new == "":
		return s.key + ": " + s.old + " is gone"
	}
	return s.key + ": " + s.old + " → " + s.new
}

// differing keeps the settings whose two values are not the same.
func differing(all []setting) []setting {
	return slices.DeleteFunc(all, func(s setting) bool { return s.old == s.new })
}

// fileSettings are those of the whole file that change how calls are made, or
// what is known of them. When they are made is not among them.
func fileSettings(a, b *config.Config) []setting {
	all := []setting{
		{"api.name", a.Name, b.Name},
		{"api.endpoint", a.Endpoint, b.Endpoint},
	}
	for m := range quota.Methods {
		key := "api.quotas." + quota.Method(m).String()
		was, is := a.Quotas[m], b.Quotas[m]
		all = append(all,
			setting{key + ".limit", strconv.Itoa(was.N), strconv.Itoa(is.N)},
			setting{key + ".per", shortSpan(was.Per), shortSpan(is.Per)},
			setting{key + ".scope", was.Scope.String(), is.Scope.String()})
	}
	all = append(all,
		setting{"ledger", a.Ledger, b.Ledger},
		setting{"listen", a.Listen, b.Listen},
		setting{"observe", eachOrList(a.ObserveList), eachOrList(b.ObserveList)},
		setting{"observe_every", shortSpan(a.ObserveEvery), shortSpan(b.ObserveEvery)},
		setting{"dry_run", strconv.FormatBool(a.DryRun), strconv.FormatBool(b.DryRun)},
		setting{"clock", checkOrTrust(a.TrustClock), checkOrTrust(b.TrustClock)},
		setting{"metrics.per_deployment", a.PerDeployment.String(), b.PerDeployment.String()},
	)
	all = append(all, protectSettings(a.Protect, b.Protect)...)
	return differing(append(all, priceSettings(a, b)...))
}

func eachOrList(list bool) string {
	if list {
		return "list"
	}
	return "each"
}

func checkOrTrust(trust bool) string {
	if trust {
		return "trust"
	}
	return "check"
}

// protectSettings are the entries that only one of the files has.
func protectSettings(a, b []policy.Pattern) []setting {
	var all []setting
	lacks := func(of []policy.Pattern, text string) bool {
		return !slices.ContainsFunc(of, func(p policy.Pattern) bool { return p.Text == text })
	}
	for _, p := range a {
		if lacks(b, p.Text) {
			all = append(all, setting{key: "protect", old: p.Text})
		}
	}
	for _, p := range b {
		if lacks(a, p.Text) {
			all = append(all, setting{key: "protect", new: p.Text})
		}
	}
	return all
}

// priceSettings say whether the figures of what was saved differ: by the price
// that is nobody's own, and by those of the deployments that have another change.
func priceSettings(a, b *config.Config) []setting {
	rest := setting{"prices", priceOf(a, "", ""), priceOf(b, "", "")}
	all, counts := []setting{rest}, map[setting]int{rest: 1}
	for _, p := range b.Policies.Policies {
		for _, m := range p.Members() {
			s := setting{"prices", priceOf(a, m.ID, m.Name), priceOf(b, m.ID, m.Name)}
			if counts[s]++; counts[s] == 1 && s.old != s.new {
				all = append(all, setting{"prices of " + string(m.ID), s.old, s.new})
			}
		}
	}
	for i := range all[1:] {
		s := &all[1+i]
		if n := counts[setting{"prices", s.old, s.new}]; n > 1 {
			s.key += fmt.Sprintf(" and %d more", n-1)
		}
	}
	return all
}

func priceOf(file *config.Config, id policy.DeploymentID, name string) string {
	p, ok := file.Prices.At(id, name)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%g running, %g stopped %s", p.Running, p.Stopped, p.Currency)
}

// pairSettings are those of the policies that change no instant.
func (p *policyPair) pairSettings() []setting {
	if p.before == nil || p.after == nil {
		return nil
	}
	a, b := p.before.policy.Options(), p.after.policy.Options()
	all := []setting{
		{"enforce", enforceWord(a.Enforce), enforceWord(b.Enforce)},
		{"catch_up_within", orNone(a.CatchUpWithin), orNone(b.CatchUpWithin)},
		{"confirm_within", shortSpan(a.ConfirmWithin), shortSpan(b.ConfirmWithin)},
		{"min_span", shortSpan(a.MinSpan), shortSpan(b.MinSpan)},
		{"on_change", onChange(a.Converge), onChange(b.Converge)},
		{"dry_run", strconv.FormatBool(a.DryRun), strconv.FormatBool(b.DryRun)},
	}
	if was, is := p.before.policy.Select(), p.after.policy.Select(); was != nil && is != nil {
		all = append(all, setting{"select.name", was.Name.Text, is.Name.Text}, setting{"select.max", strconv.Itoa(was.Max), strconv.Itoa(is.Max)})
	}
	return differing(append(all, p.nameSettings()...))
}

// nameSettings are the names that the deployments of the pair are asserted to
// bear.
func (p *policyPair) nameSettings() []setting {
	was, is := assertedNames(p.before.policy), assertedNames(p.after.policy)
	var all []setting
	for _, s := range p.subjects {
		all = append(all, setting{"name of " + s.String(), was[s.id], is[s.id]})
	}
	return all
}

func assertedNames(p *policy.Policy) map[policy.DeploymentID]string {
	names := map[policy.DeploymentID]string{}
	for _, m := range p.Members() {
		if m.Name != "" {
			names[m.ID] = m.Name
		}
	}
	return names
}

func enforceWord(e policy.Enforce) string {
	switch e {
	case policy.EnforceRunning:
		return "running"
	case policy.EnforceStopped:
		return "stopped"
	case policy.EnforceBoth:
		return "both"
	}
	return "none"
}

func orNone(d time.Duration) string {
	if d == 0 {
		return "none"
	}
	return shortSpan(d)
}

func onChange(converge bool) string {
	if converge {
		return "converge"
	}
	return "settle"
}

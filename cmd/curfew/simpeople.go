package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/internal/sim"
)

// mostPeople is how many start times the text tells of; more are worth a program.
const mostPeople = 6

// people is what start times mean for those who come then, and which lead would
// have helped where that is not good.
func (v simView) people() []string {
	groups := grouped(v.Starts, alike)
	left := 0
	if left = len(groups) - mostPeople; left > 0 {
		slices.SortStableFunc(groups, func(a, b []sim.Starts) int {
			return cmp.Or(cmp.Compare(b[0].Never, a[0].Never), cmp.Compare(b[0].Late, a[0].Late), cmp.Compare(b[0].Worst, a[0].Worst))
		})
		groups = groups[:mostPeople]
	}
	var all []string
	for _, g := range groups {
		all = append(all, v.visit(g[0], andOthers(v.name(g[0].Deployment), len(g))))
	}
	if left > 0 {
		all = append(all, fmt.Sprintf("and %s that went no worse: -o json has them", plural(left, "other start time", "other start times")))
	}
	for _, l := range v.Leads {
		all = append(all, leadText(l))
	}
	return all
}

// alike is what the text says of starts, but for whose they are.
func alike(s sim.Starts) sim.Starts {
	s.Deployment, s.Name = "", ""
	for _, d := range []*time.Duration{&s.Median, &s.P95, &s.Worst} {
		*d = d.Truncate(time.Second)
	}
	return s
}

// visit is one start time in a sentence.
func (v simView) visit(s sim.Starts, who string) string {
	at := s.Nominal
	if s.Zone != v.file.Location.String() {
		at += " (" + s.Zone + ")"
	}
	if s.Late+s.Never == 0 {
		return fmt.Sprintf("who come at %s find %s running on %s", at, who, allDays(s.InTime))
	}
	in := fmt.Sprintf("%d of %s", s.InTime, plural(s.Count(), "day", "days"))
	if s.InTime == 0 {
		in = "none of " + plural(s.Count(), "day", "days")
	}
	parts := []string{fmt.Sprintf("who come at %s find %s running on %s", at, who, in)}
	if s.Late > 0 {
		parts = append(parts, v.late(s))
	}
	if s.Never > 0 {
		parts = append(parts, fmt.Sprintf("on %d it did not run at all", s.Never))
	}
	return strings.Join(parts, "; ")
}

// late is how late it was on the days on which it was.
func (v simView) late(s sim.Starts) string {
	came := s.WorstAt.Add(s.Worst) // in the policy's zone, as WorstAt is
	worst := strings.ReplaceAll(s.WorstAt.Format(v.day())+": "+came.Format("15:04"), " ", unbroken)
	text := fmt.Sprintf("on %d it came late, at worst by %s (%s)", s.Late, spanText(s.Worst), worst)
	if s.P95 >= time.Second && s.Median < s.Worst.Truncate(time.Second) {
		text += fmt.Sprintf("; half of all days by at most %s, 95 %% by at most %s", spanText(s.Median), spanText(s.P95))
	}
	return text
}

func allDays(n int) string {
	if n == 1 {
		return "the one day"
	}
	return fmt.Sprintf("all %d days", n)
}

// leadText is what a longer start_lead would have done.
func leadText(l sim.Lead) string {
	late := plural(l.Late, "late start", "late starts")
	switch {
	case l.Helped == 0 && l.Capped:
		return fmt.Sprintf("→ %s: a start_lead that helps would reach the stop before the start", l.Policy)
	case l.Helped == 0:
		return fmt.Sprintf("→ %s: no start_lead makes up for that; see what was waited for", l.Policy)
	case l.Helped == l.Late:
		return fmt.Sprintf("→ %s: start_lead: %s (now %s) would have had %s in time", l.Policy, spanText(l.Needed), spanText(l.Now), late)
	}
	return fmt.Sprintf("→ %s: start_lead: %s (now %s) would have had %d of %s in time", l.Policy, spanText(l.Needed), spanText(l.Now), l.Helped, late)
}

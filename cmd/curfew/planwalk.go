package main

import (
	"iter"
	"slices"
	"time"

	"curfew/internal/config"
	"curfew/policy"
)

// A planLine is a policy whose edges are walked through: computed once, whatever
// the number of its deployments.
type planLine struct {
	policy *policy.Policy
	ids    []policy.DeploymentID // sorted
	dry    bool                  // it never calls
	last   policy.Power          // what the last edge wanted
}

// planLines returns the policies of a file, ready to be walked through.
func planLines(file *config.Config) []*planLine {
	lines := make([]*planLine, 0, len(file.Policies.Policies))
	for _, p := range file.Policies.Policies {
		l := &planLine{policy: p, dry: file.DryRun || p.Options().DryRun}
		for _, m := range p.Members() {
			l.ids = append(l.ids, m.ID)
		}
		slices.Sort(l.ids)
		lines = append(lines, l)
	}
	return lines
}

// A planEdge is one edge of a policy, for all of its deployments.
type planEdge struct {
	policy.Edge
	line *planLine
	call need
}

// need says whether an edge needs a call where nobody interferes.
type need uint8

const (
	callExpected  need = iota
	callUnneeded       // it is so already
	callIfTouched      // the policy has one power only: a call if somebody acted
	callNever          // a dry run
)

// A planRow is one transition of one deployment.
type planRow struct {
	id   policy.DeploymentID
	edge *planEdge
}

// walk yields the rows of a span by instant, then by deployment. It holds the
// edges of one day in memory, never the rows: those of a large fleet are
// millions.
func walk(lines []*planLine, s span) iter.Seq[planRow] {
	return func(yield func(planRow) bool) {
		for _, l := range lines {
			if e, ok := l.policy.Prev(s.from.Add(-time.Nanosecond)); ok {
				l.last = e.Power
			}
		}
		// Every edge at one instant is in one of the days, so the order holds
		// across them.
		for from := s.from; from.Before(s.to); from = from.Add(24 * time.Hour) {
			to := from.Add(24 * time.Hour)
			if to.After(s.to) {
				to = s.to
			}
			if !yieldDay(edgesOf(lines, span{from, to}), yield) {
				return
			}
		}
	}
}

// edgesOf collects the edges of a day by instant; those of one policy keep their
// order.
func edgesOf(lines []*planLine, s span) []planEdge {
	var edges []planEdge
	for _, l := range lines {
		if len(l.ids) == 0 {
			continue
		}
		for e := range l.policy.Edges(s.from, s.to) {
			edges = append(edges, planEdge{e, l, l.needs(e)})
			if e.Cancelled == "" {
				l.last = e.Power
			}
		}
	}
	slices.SortStableFunc(edges, func(a, b planEdge) int { return a.At.Compare(b.At) })
	return edges
}

// needs compares an edge with the one before it, as if nobody but curfew acted.
func (l *planLine) needs(e policy.Edge) need {
	switch {
	case e.Cancelled != "":
		return callUnneeded
	case l.dry:
		return callNever
	case !l.policy.Has(e.Power.Other()):
		return callIfTouched
	case l.last == e.Power:
		return callUnneeded
	}
	return callExpected
}

// yieldDay yields the rows of edges that are sorted by instant.
func yieldDay(edges []planEdge, yield func(planRow) bool) bool {
	for len(edges) > 0 {
		n := 1
		for n < len(edges) && edges[n].At.Equal(edges[0].At) {
			n++
		}
		if !yieldInstant(edges[:n], yield) {
			return false
		}
		edges = edges[n:]
	}
	return true
}

// yieldInstant yields the rows of one instant by deployment. A deployment is in
// one policy, so only that one's edges can concern it twice.
func yieldInstant(edges []planEdge, yield func(planRow) bool) bool {
	if len(edges) == 1 {
		for _, id := range edges[0].line.ids {
			if !yield(planRow{id, &edges[0]}) {
				return false
			}
		}
		return true
	}
	var rows []planRow // of this instant only
	for i := range edges {
		for _, id := range edges[i].line.ids {
			rows = append(rows, planRow{id, &edges[i]})
		}
	}
	slices.SortStableFunc(rows, func(a, b planRow) int {
		switch {
		case a.id < b.id:
			return -1
		case a.id > b.id:
			return 1
		}
		return 0
	})
	for _, r := range rows {
		if !yield(r) {
			return false
		}
	}
	return true
}

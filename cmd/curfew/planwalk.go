package main

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"curfew/policy"
)

// A planEdge is one edge of a policy, for all of its deployments but those of
// which a bar says otherwise.
type planEdge struct {
	policy.Edge
	need     policy.Need
	line     *planLine
	bar      *bar               // what makes this edge another one than that of the policy
	variants map[*bar]*planEdge // the same edge for those who are barred
	shown    [2]string          // what a writer made of it: it differs between deployments in the middle alone
}

// of returns the edge as it is for one deployment.
func (e *planEdge) of(m *planMember) *planEdge {
	if m.bar == nil {
		return e
	}
	v := e.variants[m.bar]
	if v == nil {
		if v = e.under(m.bar); v == e {
			return e
		}
		if e.variants == nil {
			e.variants = map[*bar]*planEdge{}
		}
		e.variants[m.bar] = v
	}
	return v
}

// under returns the edge as it is for those whom b, if it is there, stands in the
// way of.
func (e *planEdge) under(b *bar) *planEdge {
	if b == nil || e.Cancelled != "" || e.Power == policy.None {
		return e
	}
	return e.barred(b)
}

// barred returns the edge for those whom b stands in the way of.
func (e *planEdge) barred(b *bar) *planEdge {
	v := &planEdge{Edge: e.Edge, need: e.need, line: e.line, bar: b}
	switch {
	case b.kind == barAll || b.kind == barStops && e.Power == policy.Stopped:
		v.Cancelled, v.need = b.text, policy.NoCall
	case b.kind == barStops && e.need == policy.Call:
		v.need = policy.CallIfTouched // nobody but a person stops it
	}
	return v
}

// transition reports whether e is a start or a stop, cancelled or not, and not
// the begin of days on which nothing is wanted.
func (e *planEdge) transition() bool { return e.Power != policy.None }

// A planRow is one edge for one deployment.
type planRow struct {
	member *planMember
	edge   *planEdge
}

// walk yields the rows of a span by instant, then by deployment. It holds the
// edges of one day in memory, never the rows: those of a large fleet are
// millions.
func walk(lines []*planLine, s span) iter.Seq[planRow] {
	return func(yield func(planRow) bool) {
		var all []*feed
		for _, l := range lines {
			if len(l.members) > 0 {
				f := newFeed(l, s)
				defer f.stop()
				all = append(all, f)
			}
		}
		// Every edge at one instant is in one of the days, so the order holds
		// across them.
		for to := s.from; to.Before(s.to); {
			to = to.Add(24 * time.Hour)
			if !yieldDay(edgesBefore(all, to), yield) {
				return
			}
		}
	}
}

// A feed is the edges of one policy, one after the other. What an edge needs
// depends on those before it, so that a policy is asked once for the whole span.
type feed struct {
	line *planLine
	edge policy.Edge // the next one
	need policy.Need
	more bool
	next func() (policy.Edge, policy.Need, bool)
	stop func()
}

func newFeed(l *planLine, s span) *feed {
	f := &feed{line: l}
	f.next, f.stop = iter.Pull2(l.policy.Calls(s.from, s.to))
	f.edge, f.need, f.more = f.next()
	return f
}

// edgesBefore takes the edges before an instant from all feeds, in their order;
// those of one policy keep theirs.
func edgesBefore(all []*feed, to time.Time) []planEdge {
	var edges []planEdge
	for _, f := range all {
		for f.more && f.edge.At.Before(to) {
			e := planEdge{Edge: f.edge, need: f.need, line: f.line}
			if f.line.dry {
				e.need = policy.NoCall
			}
			edges = append(edges, e)
			f.edge, f.need, f.more = f.next()
		}
	}
	slices.SortStableFunc(edges, func(a, b planEdge) int { return a.At.Compare(b.At) })
	return edges
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
		for _, m := range edges[0].line.members {
			if !yield(planRow{m, edges[0].of(m)}) {
				return false
			}
		}
		return true
	}
	var rows []planRow // of this instant only
	for i := range edges {
		for _, m := range edges[i].line.members {
			rows = append(rows, planRow{m, edges[i].of(m)})
		}
	}
	slices.SortStableFunc(rows, func(a, b planRow) int { return cmp.Compare(a.member.id, b.member.id) })
	for _, r := range rows {
		if !yield(r) {
			return false
		}
	}
	return true
}

package torture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a policy can want, as the platform's log calls the way there.
const (
	start = "start"
	stop  = "stop"
)

// A law is what the policies of a run say, in numbers from which both the file
// for the daemon and the instants for the judge are made.
type law struct {
	rules []rule
	first time.Time // midnight of the first day on which there are edges
	end   time.Time // midnight after the last of them, that of 28 February
}

// A rule stops and starts its deployments once in each period.
type rule struct {
	name        string
	period      int // minutes; a divisor of 60
	stop, start int // minutes after its beginning
	lead        time.Duration
	ids         []string
}

// An edge is an instant at which a rule says start or stop.
type edge struct {
	at    time.Time
	power string
}

// newLaw is a law of a few rules whose edges end with February, so that what is
// wanted in the end is certain, and begin before span does.
func newLaw(span time.Duration, each int) law {
	end := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	l := law{first: end.Add(-span).Truncate(24 * time.Hour), end: end, rules: []rule{
		{name: "even", period: 4, stop: 0, start: 2},
		{name: "odd", period: 4, stop: 3, start: 1},
		{name: "led", period: 4, stop: 0, start: 2, lead: 30 * time.Second},
	}}
	for i := range l.rules {
		for n := range each {
			l.rules[i].ids = append(l.rules[i].ids, fmt.Sprintf("%s%d", l.rules[i].name, n))
		}
	}
	return l
}

// edges are all that r says, in their order.
func (l *law) edges(r *rule) []edge {
	var all []edge
	for at := l.first; at.Before(l.end); at = at.Add(time.Minute) {
		switch at.Minute() % r.period {
		case r.stop:
			all = append(all, edge{at, stop})
		case r.start:
			all = append(all, edge{at.Add(-r.lead), start})
		}
	}
	slices.SortFunc(all, func(a, b edge) int { return a.at.Compare(b.at) })
	return all
}

// ids are all deployments.
func (l *law) ids() []string {
	var all []string
	for _, r := range l.rules {
		all = append(all, r.ids...)
	}
	return all
}

// latest is the index of the last edge at or before t, -1 for none.
func latest(edges []edge, t time.Time) int {
	i, found := slices.BinarySearchFunc(edges, t, func(e edge, t time.Time) int { return e.at.Compare(t) })
	if found {
		return i
	}
	return i - 1
}

// wanted reports whether power is what the edges want at some instant from from
// to to.
func wanted(edges []edge, power string, from, to time.Time) bool {
	for i := latest(edges, from); i <= latest(edges, to); i++ {
		if i >= 0 && edges[i].power == power {
			return true
		}
	}
	return false
}

// A draft is a way to write the same law down: what it changes is no change of
// any rule.
type draft struct {
	suffix  string // behind the names of policies
	turned  bool   // the policies in the other order
	visitor bool   // a deployment more, whose one edge a year is far off
	comment string
}

// visitor is the deployment that comes and goes.
const visitor = "visitor"

// text is the configuration file.
func (l *law) text(d draft) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# %s
observe_every: 20s
timezone: UTC
api: {quotas: {get: {limit: 2000, per: 1m}, start: {limit: 1, per: 1m}, stop: {limit: 1, per: 1m}}}
defaults: {confirm_within: 3m}
policies:
`, cmp.Or(d.comment, "the law"))
	rules := slices.Clone(l.rules)
	if d.turned {
		slices.Reverse(rules)
	}
	for _, r := range rules {
		days := fmt.Sprintf("%d-28", l.first.Day())
		fmt.Fprintf(&b, "  - name: %s%s\n    deployments: [%s]\n", r.name, d.suffix, strings.Join(r.ids, ", "))
		fmt.Fprintf(&b, "    stop: \"%d-59/%d * %s 2 *\"\n", r.stop, r.period, days)
		fmt.Fprintf(&b, "    start: \"%d-59/%d * %s 2 *\"\n", r.start, r.period, days)
		if r.lead > 0 {
			fmt.Fprintf(&b, "    start_lead: %s\n", r.lead)
		}
	}
	if d.visitor {
		fmt.Fprintf(&b, "  - {name: visitor, deployments: [%s], stop: \"0 20 24 12 *\"}\n", visitor)
	}
	return b.String()
}

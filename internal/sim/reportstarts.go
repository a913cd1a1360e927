package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// Starts is what people find who come at the local time that a policy's line
// names, whatever lead is before it: whether the platform had the deployment
// running by then, and how much later it did where not. Starts of which the span
// does not show the end are left out, and policies that make no calls.
type Starts struct {
	Deployment policy.DeploymentID
	Name       string // as Powers has it
	Policy     string
	Nominal    string // the local time, "08:00"
	Zone       string // of Nominal
	InTime     int    // running at Nominal, or less than a second later
	Late       int    // running later, before the start was over
	Never      int    // not running at all until then

	// How much later than Nominal it ran, over those that did: half of them, and
	// 95 in 100, not later than that; the latest, and its Nominal, in Zone.
	Median, P95, Worst time.Duration
	WorstAt            time.Time
}

// Count returns how many starts there were.
func (s *Starts) Count() int { return s.InTime + s.Late + s.Never }

// A Lead is the start_lead with which a policy's late starts would have been in
// time, had all else gone as it did.
type Lead struct {
	Policy string
	Now    time.Duration // the one in force
	Needed time.Duration // rounded up to the minute; equal to Now where none would have helped
	Late   int           // starts that were late, or never there
	Helped int           // those of them that would have been in time
	Capped bool          // a lead that helps would reach the stop before the start
}

// leadAnswers is how late a start may be so that a longer lead is an answer to it:
// twice what it takes, and half an hour at least. What is later than that was held
// up by something else.
func (r *Report) leadAnswers() time.Duration { return max(30*time.Minute, 2*r.StartTakes) }

// arrivals finds out what the starts of a span meant for people.
func (r *Report) arrivals(c scheduler.Config) {
	had := map[policy.DeploymentID]*Powers{}
	for i := range r.Powers {
		had[r.Powers[i].Deployment] = &r.Powers[i]
	}
	for _, p := range c.Set.Policies {
		if c.DryRun || p.Options().DryRun || len(p.Members()) == 0 {
			continue
		}
		arrivals := arrivalsOf(p, r.From, r.To)
		lead := leadOf{Lead: Lead{Policy: p.Name(), Now: p.Options().StartLead}, answers: r.leadAnswers()}
		first := len(r.Starts)
		for _, m := range p.Members() {
			r.Starts = append(r.Starts, startsOf(p, had[m.ID], arrivals, r.To, &lead)...)
		}
		slices.SortStableFunc(r.Starts[first:], func(a, b Starts) int { return strings.Compare(a.Nominal, b.Nominal) })
		if lead.Late > 0 {
			r.Leads = append(r.Leads, lead.judged())
		}
	}
}

// An arrival is an instant at which people expect a policy's deployments to run.
type arrival struct {
	at    time.Time // the nominal one
	clock string
	until time.Time     // the run is over: another edge; zero where none lies ahead
	room  time.Duration // the longest lead that does not reach the stop before it
}

// arrivalsOf returns those of the starts of p that are made in a span.
func arrivalsOf(p *policy.Policy, from, to time.Time) []arrival {
	var all []arrival
	for e := range p.Edges(from, to) {
		if e.Power != policy.Running || e.Cancelled != "" || !e.NominalAt.Before(to) {
			continue
		}
		v := arrival{at: e.NominalAt, clock: fmt.Sprintf("%02d:%02d", e.Nominal.Hour, e.Nominal.Minute), room: longestRoom}
		if next, ok := p.Next(e.At); ok {
			v.until = next.At
		}
		if before, ok := p.Prev(e.At.Add(-1)); ok && before.Power == policy.Stopped {
			v.room = e.NominalAt.Sub(before.At) - time.Minute
		}
		all = append(all, v)
	}
	return all
}

// longestRoom is room without an end.
const longestRoom = time.Duration(1<<63 - 1)

// startsOf holds the arrivals to a deployment against what the platform has of it.
func startsOf(p *policy.Policy, d *Powers, arrivals []arrival, to time.Time, lead *leadOf) []Starts {
	var all []Starts
	late := map[string][]time.Duration{}
	for _, v := range arrivals {
		after, ran := ranAfter(d.History, v)
		if !ran && (v.until.IsZero() || v.until.After(to)) {
			continue // it may still come
		}
		i := slices.IndexFunc(all, func(s Starts) bool { return s.Nominal == v.clock })
		if i < 0 {
			i = len(all)
			all = append(all, Starts{Deployment: d.Deployment, Name: d.Name, Policy: p.Name(), Nominal: v.clock, Zone: p.Zone()})
		}
		all[i].add(v, after, ran)
		if ran {
			late[v.clock] = append(late[v.clock], after)
		}
		lead.add(v, after, ran)
	}
	for i := range all {
		all[i].spread(late[all[i].Nominal])
	}
	return all
}

// ranAfter is how long after an arrival the deployment ran: 0 where it did so by
// then. It is false where it did not before the run was over.
func ranAfter(history []simplatform.Change, v arrival) (time.Duration, bool) {
	i, found := slices.BinarySearchFunc(history, v.at, func(c simplatform.Change, t time.Time) int { return c.At.Compare(t) })
	for found && i < len(history) && history[i].At.Equal(v.at) {
		i++ // of several at one instant the last one counts
	}
	if i > 0 && history[i-1].Status == simplatform.Running {
		return 0, true
	}
	for _, c := range history[i:] {
		if !v.until.IsZero() && !c.At.Before(v.until) {
			break
		}
		if c.Status == simplatform.Running {
			return c.At.Sub(v.at), true
		}
	}
	return 0, false
}

// punctual is how late a start may be that is in time.
const punctual = time.Second

func (s *Starts) add(v arrival, after time.Duration, ran bool) {
	switch {
	case !ran:
		s.Never++
		return
	case after < punctual:
		s.InTime++
	default:
		s.Late++
	}
	if after > s.Worst || s.WorstAt.IsZero() {
		s.Worst, s.WorstAt = after, v.at
	}
}

// spread fills in how the starts that came lie.
func (s *Starts) spread(late []time.Duration) {
	if len(late) == 0 {
		return
	}
	slices.Sort(late)
	s.Median = late[(len(late)-1)/2]
	s.P95 = late[(len(late)*95+99)/100-1]
}

// leadOf is a Lead in the making.
type leadOf struct {
	Lead
	answers time.Duration
	late    []lateStart
}

type lateStart struct{ by, room time.Duration }

func (l *leadOf) add(v arrival, after time.Duration, ran bool) {
	switch {
	case ran && after < punctual:
	case !ran || after > l.answers:
		l.Late++
	default:
		l.Late++
		l.late = append(l.late, lateStart{after, v.room})
	}
}

// judged says which lead would have been right. A start whose lead would reach
// the stop before it gets no help from one.
func (l *leadOf) judged() Lead {
	l.Needed = l.Now
	for _, s := range l.late {
		need := (l.Now + s.by.Truncate(punctual) + time.Minute - 1).Truncate(time.Minute)
		if need > s.room {
			l.Capped = true
			continue
		}
		l.Needed = max(l.Needed, need)
		l.Helped++
	}
	return l.Lead
}

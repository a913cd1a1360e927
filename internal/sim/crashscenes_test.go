package sim

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// A scenario is some hours of a small fleet, in which TestCrashes lets the daemon
// die at each step. How it ends when nothing does is stated.
type scenario struct {
	name      string
	specs     []policy.Spec
	calendars map[string][]string // dates
	from      string              // UTC
	span      time.Duration
	limits    [quota.Methods]quota.Limit
	platform  simplatform.Scope
	timing    simplatform.Timing
	faults    []simplatform.Fault
	incidents []incident
	end       map[policy.DeploymentID]string // how transitions end, by deployment or for everyone
}

// everyone stands for the deployments that a scenario's end does not name.
const everyone = policy.DeploymentID("")

// An incident is something that happens beside the daemon: it does something, or
// puts another file into force.
type incident struct {
	at    string // 20:00:00.05 of the first day, or 26:30 of the night after it; UTC
	what  string
	do    func(*checker) error
	specs []policy.Spec
}

// A setting is a scenario whose files have been worked out.
type setting struct {
	file    *file
	happens []incident
}

func (s *scenario) setting(t testing.TB) *setting {
	t.Helper()
	n := &setting{file: s.file(t, s.specs), happens: slices.Clone(s.incidents)}
	for i := range n.happens {
		if specs := n.happens[i].specs; specs != nil {
			f := s.file(t, specs)
			n.happens[i].do = func(k *checker) error { return k.reloaded(nil, f) }
		}
	}
	return n
}

// file compiles policies for the daemon and works them out for the checker.
func (s *scenario) file(t testing.TB, specs []policy.Spec) *file {
	t.Helper()
	env := policy.Env{Zones: map[string]*time.Location{}, Calendars: map[string]*policy.Calendar{}}
	for _, p := range specs {
		loc, err := time.LoadLocation(p.Zone)
		if err != nil {
			t.Fatalf("load zone: %v", err)
		}
		env.Zones[p.Zone] = loc
	}
	for name, dates := range s.calendars {
		env.Calendars[name] = calendarOf(name, dates)
	}
	set, problems := policy.Compile(specs, env)
	if err := firstFault(problems); err != nil {
		t.Fatalf("compile policies: %v", err)
	}
	return work(set, specs, env, tapes{}, s.begin().Add(-48*time.Hour), s.begin().Add(72*time.Hour))
}

func (s *scenario) begin() time.Time {
	at, err := time.Parse("2006-01-02 15:04", s.from)
	if err != nil {
		panic(err)
	}
	return at
}

// instant is that of an incident.
func (s *scenario) instant(at string) time.Time {
	var hour, minute int
	var second float64
	if n, err := fmt.Sscanf(at, "%d:%d:%f", &hour, &minute, &second); n < 2 {
		panic(err)
	}
	y, m, d := s.begin().Date()
	return time.Date(y, m, d, hour, minute, 0, int(second*1e9), time.UTC)
}

func (s *scenario) ids() []policy.DeploymentID {
	var all []policy.DeploymentID
	for _, p := range s.specs {
		for _, m := range p.Deployments {
			all = append(all, m.ID)
		}
	}
	return all
}

// limitsOf are those of an hour, of one scope for all methods.
func limitsOf(scope quota.Scope, starts, stops int) [quota.Methods]quota.Limit {
	var all [quota.Methods]quota.Limit
	for m := range all {
		all[m] = quota.Documented(quota.Method(m))
		all[m].Scope = scope
	}
	all[quota.Start].N, all[quota.Stop].N = starts, stops
	return all
}

// ruled is a policy with a start and a stop.
func ruled(name, zone, start, stop string, ids ...policy.DeploymentID) policy.Spec {
	s := policy.Spec{Name: name, Zone: zone, Start: []policy.Cron{{Expr: start}}, Stop: []policy.Cron{{Expr: stop}}}
	for _, id := range ids {
		s.Deployments = append(s.Deployments, policy.Member{ID: id})
	}
	return s
}

// The ends that most scenarios have.
const stoppedAndStarted = "stop done, start done"

func allEnd(how string) map[policy.DeploymentID]string {
	return map[policy.DeploymentID]string{everyone: how}
}

func scenarios() []scenario {
	return slices.Concat(quotaScenes(), clockScenes(), dayScenes(), fileScenes(), answerScenes(), peopleScenes(), drainScenes())
}

// quotaScenes are evenings under the scopes that a quota can have, known or to be
// learned.
func quotaScenes() []scenario {
	scene := func(name, start string, hours int, limits [quota.Methods]quota.Limit, platform simplatform.Scope, ids ...policy.DeploymentID) scenario {
		return scenario{
			name: name, specs: []policy.Spec{ruled("evening", "UTC", start, "0 20 * * *", ids...)}, from: "2026-11-24 19:55",
			span: time.Duration(hours) * time.Hour, limits: limits, platform: platform, end: allEnd(stoppedAndStarted),
		}
	}
	return []scenario{
		scene("deployment, time enough", "30 23 * * *", 5, limitsOf(quota.Deployment, 1, 1), simplatform.PerDeployment, "d1", "d2"),
		scene("deployment, no time for a second try", "20 21 * * *", 4, limitsOf(quota.Deployment, 1, 1), simplatform.PerDeployment, "d1", "d2"),
		scene("auto, learns deployment", "30 23 * * *", 5, limitsOf(quota.Auto, 1, 1), simplatform.PerDeployment, "d1", "d2", "d3"),
		scene("auto, learns key", "30 1 * * *", 8, limitsOf(quota.Auto, 1, 1), simplatform.PerKey, "d1", "d2"),
		scene("key, two an hour", "30 23 * * *", 5, limitsOf(quota.Key, 2, 2), simplatform.PerKey, "d1", "d2"),
		scene("key, two stops an hour for three", "30 23 * * *", 5, limitsOf(quota.Key, 3, 2), simplatform.PerKey, "d1", "d2", "d3"),
	}
}

// clockScenes are nights in which the clocks change, with edges in the hour that
// is skipped and in the one that comes twice.
func clockScenes() []scenario {
	const berlin = "Europe/Berlin"
	return []scenario{{
		name: "the skipped hour", from: "2026-03-29 00:20", span: 4 * time.Hour,
		limits: limitsOf(quota.Deployment, 1, 1), platform: simplatform.PerDeployment,
		specs: []policy.Spec{
			ruled("around it", berlin, "30 2 * * *", "30 1 * * *", "d1"), // 00:30, and 01:00 for what is skipped
			ruled("both in it", berlin, "45 2 * * *", "15 2 * * *", "d2"),
			ruled("into it", berlin, "30 4 * * *", "10 2 * * *", "d3"),
		},
		end: map[policy.DeploymentID]string{"d1": stoppedAndStarted, "d2": "start already", "d3": stoppedAndStarted},
	}, {
		name: "the hour that comes twice", from: "2026-10-24 23:50", span: 5 * time.Hour,
		limits: limitsOf(quota.Deployment, 1, 1), platform: simplatform.PerDeployment,
		specs: []policy.Spec{
			ruled("once", berlin, "30 3 * * *", "30 2 * * *", "d1"), // 00:30, on the first pass; 02:30
			ruled("from one pass to the other", berlin, "10 3 * * *", "50 2 * * *", "d2"),
			ruled("in real time", berlin, "5 4 * * *", "*/30 2 * * *", "d3"), // 00:00, 00:30, 01:00, 01:30; 03:05
		},
		end: map[policy.DeploymentID]string{
			everyone: stoppedAndStarted,
			"d3":     "stop done, stop already, stop already, stop already, start done",
		},
	}}
}

// dayScenes is the night before a day on which calendars say something else than
// the windows and times of the policies.
func dayScenes() []scenario {
	window := func(name, running string, except policy.Exception, id policy.DeploymentID) policy.Spec {
		return policy.Spec{
			Name: name, Zone: "UTC", Running: []policy.Window{{Expr: running}}, Except: []policy.Exception{except},
			Deployments: []policy.Member{{ID: id}},
		}
	}
	early := window("early", "Mon-Fri 01:00-20:00", policy.Exception{Calendar: "holidays", Effect: policy.EffectOff}, "d1")
	late := window("late", "Thu 22:00-02:00", policy.Exception{Calendar: "holidays", Effect: policy.EffectStopped}, "d2")
	late.Options.StartLead = 10 * time.Minute
	left := ruled("left alone", "UTC", "30 1 * * *", "0 20 * * *", "d3")
	left.Except = []policy.Exception{{Calendar: "freeze", Effect: policy.EffectUntouched}}
	return []scenario{{
		name: "windows and calendars", specs: []policy.Spec{early, late, left}, from: "2026-12-24 19:50", span: 390 * time.Minute,
		calendars: map[string][]string{"holidays": {"2026-12-25"}, "freeze": {"2026-12-25"}},
		limits:    limitsOf(quota.Deployment, 1, 1), platform: simplatform.PerDeployment,
		end: map[policy.DeploymentID]string{"d1": "stop done", "d2": "start already, stop done", "d3": "stop done"},
	}}
}

// fileScenes are evenings in the middle of which another file comes into force.
func fileScenes() []scenario {
	before := []policy.Spec{
		ruled("moves", "UTC", "30 23 * * *", "0 20 * * *", "d1"),
		ruled("stays", "UTC", "30 23 * * *", "0 20 * * *", "d2"),
		ruled("turns", "UTC", "30 23 * * *", "0 20 * * *", "d3"),
		ruled("goes", "UTC", "30 23 * * *", "0 20 * * *", "d4"),
	}
	after := []policy.Spec{
		ruled("moves", "UTC", "30 23 * * *", "55 19 * * *", "d1"), // wants the same, since another instant
		ruled("stays, renamed", "UTC", "30 23 * * *", "0 20 * * *", "d2"),
		ruled("turns", "UTC", "58 19 * * *", "30 22 * * *", "d3"), // wants it to run
	}
	scene := scenario{
		from: "2026-11-24 19:50", span: 5 * time.Hour, specs: before,
		limits: limitsOf(quota.Deployment, 1, 1), platform: simplatform.PerDeployment,
		end: map[policy.DeploymentID]string{
			everyone: stoppedAndStarted, "d3": "start skipped (changed), stop done, stop already", "d4": "stop done",
		},
	}
	air, way := scene, scene
	air.name, air.incidents = "another file while POSTs are in the air", []incident{{at: "20:00:00.05", what: "reload", specs: after}}
	way.name, way.incidents = "another file while a stop is on its way", []incident{{at: "20:01", what: "reload", specs: after}}
	return []scenario{air, way}
}

// answerScenes are evenings on a platform whose answers do not say enough, or
// whose transitions take long.
func answerScenes() []scenario {
	scene := func(name, start string, timing simplatform.Timing, faults ...simplatform.Fault) scenario {
		return scenario{
			name: name, specs: []policy.Spec{ruled("evening", "UTC", start, "0 20 * * *", "d1", "d2")}, from: "2026-11-24 19:55",
			span: 5 * time.Hour, limits: limitsOf(quota.Deployment, 1, 1), platform: simplatform.PerDeployment,
			timing: timing, faults: faults, end: allEnd(stoppedAndStarted),
		}
	}
	posts := func(kind simplatform.Kind, count int) simplatform.Fault {
		return simplatform.Fault{Methods: simplatform.Posts, Kind: kind, Count: count}
	}
	return []scenario{
		scene("a start falls due while a stop is open", "10 20 * * *", simplatform.Timing{Halt: 20 * time.Minute}),
		scene("every answer to a POST is lost", "30 23 * * *", simplatform.Timing{}, posts(simplatform.LostAnswer, 0)),
		scene("the first requests are lost", "30 23 * * *", simplatform.Timing{}, posts(simplatform.Dropped, 2)),
	}
}

// peopleScenes are evenings on which somebody acts.
func peopleScenes() []scenario {
	corrected := ruled("evening", "UTC", "30 23 * * *", "0 20 * * *", "d1", "d2")
	corrected.Options.Enforce = policy.EnforceBoth
	hold := func(id policy.DeploymentID, p policy.Power, until string) func(*checker) error {
		at, err := time.Parse("2006-01-02 15:04", "2026-11-24 "+until)
		if err != nil {
			panic(err)
		}
		return insist(scheduler.Order{Kind: scheduler.OrderHold, Deployment: id, Power: p, Until: at, Author: "anna"})
	}
	return []scenario{{
		name: "a person starts what is to be stopped", from: "2026-11-24 19:55", span: 5 * time.Hour,
		specs: []policy.Spec{corrected}, limits: limitsOf(quota.Deployment, 1, 1), platform: simplatform.PerDeployment,
		incidents: []incident{{at: "20:30", what: "somebody starts d1", do: byHand("d1", simplatform.PersonStart)}},
		end:       map[policy.DeploymentID]string{everyone: stoppedAndStarted, "d1": "stop done, stop done, start done"},
	}, {
		name: "holds that end", from: "2026-11-24 19:50", span: 5 * time.Hour,
		specs:  []policy.Spec{ruled("evening", "UTC", "30 23 * * *", "0 20 * * *", "d1", "d2")},
		limits: limitsOf(quota.Deployment, 1, 1), platform: simplatform.PerDeployment,
		incidents: []incident{
			{at: "19:55", what: "anna holds d1 running until 21:00", do: hold("d1", policy.Running, "21:00")},
			{at: "21:30", what: "anna holds d2 running until 23:00", do: hold("d2", policy.Running, "23:00")},
		},
		end: map[policy.DeploymentID]string{"d1": stoppedAndStarted, "d2": "stop done, start done, stop done, start done"},
	}}
}

// drainScenes are evenings on which the process is told to end: while claims are
// on their way to the disk, and while POSTs are in the air.
func drainScenes() []scenario {
	return []scenario{{
		name: "a process that is told to end", from: "2026-11-24 19:55", span: 5 * time.Hour,
		specs:  []policy.Spec{ruled("evening", "UTC", "30 23 * * *", "0 20 * * *", "d1", "d2")},
		limits: limitsOf(quota.Deployment, 1, 1), platform: simplatform.PerDeployment,
		incidents: []incident{
			{at: "20:00:00.003", what: "SIGTERM", do: drain}, {at: "23:30:00.05", what: "SIGTERM", do: drain},
		},
		end: allEnd(stoppedAndStarted),
	}}
}

// byHand lets a person start or stop a deployment. What its status does not allow
// does not happen.
func byHand(id policy.DeploymentID, what simplatform.Action) func(*checker) error {
	return func(k *checker) error {
		if err := k.m.world.Act(k.m.server(), simplatform.Act{ID: string(id), Do: what}); err != nil {
			k.say("  %v", err)
			return nil
		}
		k.people[id] = k.m.real
		return nil
	}
}

// insist gives an order, and gives it again until it is durable.
func insist(o scheduler.Order) func(*checker) error {
	return func(k *checker) error {
		if len(k.over[o.Deployment]) > 0 {
			return nil
		}
		k.m.at(k.m.real+10*time.Second, func() error { return insist(o)(k) })
		if k.m.fleet == nil {
			return nil
		}
		k.orders++
		o.ID = k.orders
		if err := k.m.fleet.Ordered(k.m.now(), o); err != nil {
			return err
		}
		k.pending = append(k.pending, pendingOrder{o, k.wall()})
		return nil
	}
}

var errNotDrained = errors.New("F13: a process that was told to end has not come to rest, and every call must have ended")

// drain tells the process to end, as SIGTERM does, and starts another one when it
// has. It has a call's time-out for that.
func drain(k *checker) error {
	if k.m.fleet == nil {
		return nil
	}
	life := k.m.life
	k.draining, k.drainedAt = k.m.real, k.m.now().Steady
	k.m.drained = func() error {
		k.m.again()
		return nil
	}
	k.m.at(k.m.real+sendTime+time.Second, func() error {
		if k.m.life == life && k.m.fleet != nil {
			return errNotDrained
		}
		return nil
	})
	return k.m.drain()
}

package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// Options says what Simulate is to live through.
type Options struct {
	Config scheduler.Config // as the daemon would get it; KeyID and Release may be empty
	From   time.Time        // when the daemon is started for the first time
	Days   int              // for how long: so many times 24 hours

	// Faults says how much goes wrong, and Seed what and when: one seed deals out
	// the same in every run.
	Faults Faults
	Seed   uint64

	// How long a start and a stop take on the platform, where nothing slows them
	// down. 0 stands for DefaultStartTakes and DefaultStopTakes.
	StartTakes, StopTakes time.Duration

	// PerKey lets the platform count a quota over the whole key where the file
	// leaves its scope open. Otherwise it counts such a one for each deployment.
	PerKey bool

	// Name is what a deployment is called on the platform; nil, or an empty answer,
	// stands for the name that the file asserts, else a made-up one.
	Name func(policy.Member) string

	Marks bool // keep Report.Marks: one for each transition, which may be many

	Progress func(at time.Time) // called once for each simulated day; may be nil
}

// ErrOptions is returned where there is nothing to simulate.
var ErrOptions = errors.New("nothing to simulate")

// A Report is what a simulated span was like. What it says of calls, quotas,
// power and mishaps is from the platform's side, the rest from the daemon's.
type Report struct {
	From, To    time.Time
	Deployments int

	StartTakes, StopTakes time.Duration // what was assumed of transitions
	ByHand                []Hand        // what was assumed of people, in the order of the file
	Mishaps               []Mishap      // what went wrong, by kind

	Calls     [quota.Methods]int // that reached the platform, by method
	OverQuota int                // more than the quota, which must never be
	Repeated  int                // POSTs for what an earlier one had set going
	Limited   int                // answered 429
	Peaks     [quota.Methods]Peak

	Outcomes []OutcomeCount // the most important kind first
	Lateness []Lateness     // of POSTs, by cause; causes that did not occur are left out
	Waits    []Waits        // of transitions, by reason, the longest in all first
	Starts   []Starts       // by policy, local time and deployment, in the order of the file
	Leads    []Lead         // of the policies some of whose starts came late
	Alarms   []AlarmCount   // by kind
	Waiting  []Waiting      // what was still due at the end
	Powers   []Powers       // by deployment, in the order of the file
	Marks    []Mark         // in the order of their settling; only where Options ask for them
}

// An OutcomeCount is how many transitions ended in a way.
type OutcomeCount struct {
	Kind   scheduler.OutcomeKind
	Reason scheduler.Reason
	Count  int
}

// Lateness is how late POSTs left that had one cause for it.
type Lateness struct {
	Cause      scheduler.LateCause
	Calls      int
	Max        time.Duration // from the transition's instant to the first byte
	Deployment policy.DeploymentID
	At         time.Time // the transition of Max
}

// An AlarmCount is how often the daemon raised an alarm, and its first text.
type AlarmCount struct {
	Kind  scheduler.AlarmKind
	Count int
	First string
}

// Waiting is a transition that was due and not settled when the span ended.
type Waiting struct {
	Deployment policy.DeploymentID
	Power      policy.Power
	At         time.Time
	Wait       scheduler.Wait
}

// Powers is how long a deployment was what, as the platform has it. Other is
// the time in transition or in trouble.
type Powers struct {
	Deployment              policy.DeploymentID
	Name                    string // as Options has it, else the file; empty for none
	Policy                  string
	DryRun                  bool // no call is made for it
	StartOnly               bool // its policy stops nothing: where it was stopped, people did it
	Running, Stopped, Other time.Duration
	History                 []simplatform.Change // what it was when, oldest first
}

// A Mark is a transition and how it ended.
type Mark struct {
	Deployment policy.DeploymentID
	Power      policy.Power
	At         time.Time
	Kind       scheduler.OutcomeKind
	Reason     scheduler.Reason
	Count      int           // edges that ended so together
	Took       time.Duration // done: from the instant to the observation
}

// Simulate runs the daemon's own Fleet against a simulated platform, in virtual
// time. A file without policies is a quiet time like another: nothing is called.
// It returns early with the context's error.
func Simulate(ctx context.Context, o Options) (*Report, error) {
	if o.Config.Set == nil || o.Days < 1 || o.From.IsZero() {
		return nil, fmt.Errorf("simulate: %w: it takes a file, a beginning and at least one day", ErrOptions)
	}
	t := newTally(&o)
	m := newMachine(o.From, o.world(), o.Config, t)
	m.disk.unread = true
	t.watch(m, newWeather(m, &o))
	span := time.Duration(o.Days) * 24 * time.Hour
	if err := errors.Join(t.weather.begin(span), o.populate(m.world, t.weather), m.start()); err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	t.hands()
	for day := range o.Days {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("simulate: %w", err)
		}
		if err := m.run(time.Duration(day+1) * 24 * time.Hour); err != nil {
			return nil, fmt.Errorf("simulate: %w", err)
		}
		if o.Progress != nil {
			o.Progress(m.server())
		}
	}
	return t.report(), nil
}

// world is a platform with the quotas that the file assumes.
func (o *Options) world() *simplatform.World {
	c := simplatform.Config{Seed: o.Seed, SkipGetLog: true, LogLimit: 1}
	for m, lim := range o.Config.Quotas {
		q := simplatform.Quota{N: lim.N, Per: lim.Per}
		if lim.Scope == quota.Key || lim.Scope == quota.Auto && o.PerKey {
			q.Scope = simplatform.PerKey
		}
		c.Quotas[methodOf(quota.Method(m))] = q
	}
	c.Quotas[simplatform.List] = c.Quotas[simplatform.Get]
	return simplatform.New(c)
}

// populate puts the deployments of the file on the platform, each as it would be
// by then: the daemon is not the first to look after them.
func (o *Options) populate(w *simplatform.World, weather *weather) error {
	for _, p := range o.Config.Set.Policies {
		left := o.left(p)
		for _, member := range p.Members() {
			d := simplatform.Deployment{ID: string(member.ID), Name: o.named(member), Status: simplatform.Running}
			if left == policy.Stopped && o.stopped(p, member, d.Name) {
				d.Status = simplatform.Stopped
			}
			if err := w.Add(o.From, d, weather.timing(member.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// left is the power of p's deployments at the beginning: what p wants by then, or
// where it has one power only, what it or people did last.
func (o *Options) left(p *policy.Policy) policy.Power {
	if h, ok := o.handOf(p); ok {
		return h.left(o.From)
	}
	return p.Decide(o.From).Want
}

// stopped reports whether somebody can have stopped a deployment of p. Where the
// daemon would not, be it for a dry run, nobody else does its work.
func (o *Options) stopped(p *policy.Policy, m policy.Member, called string) bool {
	protected, _ := o.Config.Protect.Of(m.ID, called)
	spared := p.Has(policy.Stopped) && protected == policy.Barred
	return !o.dry(p) && m.Named(called) != policy.Barred && !spared
}

// dry reports whether no call is made for p.
func (o *Options) dry(p *policy.Policy) bool { return o.Config.DryRun || p.Options().DryRun }

// name is what is known of a deployment's name, empty for nothing; named is what
// the platform calls it.
func (o *Options) name(m policy.Member) string {
	if o.Name == nil {
		return m.Name
	}
	return cmp.Or(o.Name(m), m.Name)
}

// named gives a deployment whose name nobody knows one that protect does not cover,
// if there is such a name.
func (o *Options) named(m policy.Member) string {
	known := o.name(m)
	for _, made := range []string{"sim-", "deployment ", "?"} {
		if known != "" {
			break
		}
		if standing, _ := o.Config.Protect.Of(m.ID, made+string(m.ID)); standing != policy.Barred {
			known = made + string(m.ID)
		}
	}
	return cmp.Or(known, "sim-"+string(m.ID))
}

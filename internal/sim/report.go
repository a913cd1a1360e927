package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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

	// Seed is the platform's mood. 0 is one on which nothing goes wrong; any
	// other number deals out lost answers, errors and slow transitions, the same
	// ones in every run.
	Seed uint64

	// PerKey lets the platform count a quota over the whole key where the file
	// leaves its scope open. Otherwise it counts such a one for each deployment.
	PerKey bool

	Progress func(at time.Time) // called once for each simulated day; may be nil
}

// ErrOptions is returned where there is nothing to simulate.
var ErrOptions = errors.New("nothing to simulate")

// A Report is what a simulated span was like. What it says of calls, quotas and
// power is from the platform's side, the rest from the daemon's.
type Report struct {
	From, To    time.Time
	Deployments int

	Calls     [quota.Methods]int // that reached the platform, by method
	OverQuota int                // more than the quota, which must never be
	Repeated  int                // POSTs for what an earlier one had set going
	Limited   int                // answered 429
	Peaks     [quota.Methods]Peak

	Outcomes []OutcomeCount // the most important kind first
	Lateness []Lateness     // of POSTs, by cause; causes that did not occur are left out
	Alarms   []AlarmCount   // by kind
	Waiting  []Waiting      // what was still due at the end
	Powers   []Powers       // by deployment, in the order of the file
}

// A Peak is the most requests of one method that left in any window.
type Peak struct {
	Limit      quota.Limit
	Deployment int // for one deployment
	Key        int // for all together
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
	Policy                  string
	Running, Stopped, Other time.Duration
}

// Simulate runs the daemon's own Fleet against a simulated platform, in virtual
// time. A file without policies is a quiet time like another: nothing is called.
// It returns early with the context's error.
func Simulate(ctx context.Context, o Options) (*Report, error) {
	if o.Config.Set == nil || o.Days < 1 || o.From.IsZero() {
		return nil, fmt.Errorf("simulate: %w: it takes a file, a beginning and at least one day", ErrOptions)
	}
	t := newTally(o.Config)
	m := newMachine(o.From, o.world(), o.Config, t)
	t.machine, m.disk.unread = m, true
	if err := errors.Join(m.weather(o.Seed), o.populate(m.world), m.start()); err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	for day := range o.Days {
		if err := m.run(time.Duration(day+1) * 24 * time.Hour); err != nil {
			return nil, fmt.Errorf("simulate: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("simulate: %w", err)
		}
		if o.Progress != nil {
			o.Progress(m.server())
		}
	}
	return t.report(o.From, m), nil
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

// populate puts the deployments of the file on the platform, each as its policy
// wants it by then: the daemon is not the first to look after them.
func (o *Options) populate(w *simplatform.World) error {
	for _, p := range o.Config.Set.Policies {
		status := simplatform.Running
		if p.Decide(o.From).Want == policy.Stopped {
			status = simplatform.Stopped
		}
		for _, member := range p.Members() {
			d := simplatform.Deployment{ID: string(member.ID), Name: cmp.Or(member.Name, "sim-"+string(member.ID)), Status: status}
			if s, _ := o.Config.Protect.Of(member.ID, d.Name); s == policy.Barred {
				d.Status = simplatform.Running
			}
			if err := w.Add(o.From, d, timingOf(o.Seed, member.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// A tally is the witness of Simulate: it counts.
type tally struct {
	unmoved
	machine  *machine
	limits   [quota.Methods]quota.Limit
	key      [quota.Methods]window
	each     map[policy.DeploymentID]*[quota.Methods]window
	outcomes map[outcomeKey]int
	late     map[scheduler.LateCause]*Lateness
	alarms   map[scheduler.AlarmKind]*AlarmCount
}

type outcomeKey struct {
	kind   scheduler.OutcomeKind
	reason scheduler.Reason
}

func newTally(c scheduler.Config) *tally {
	t := &tally{
		limits: c.Quotas, each: map[policy.DeploymentID]*[quota.Methods]window{}, outcomes: map[outcomeKey]int{},
		late: map[scheduler.LateCause]*Lateness{}, alarms: map[scheduler.AlarmKind]*AlarmCount{},
	}
	for _, p := range c.Set.Policies {
		for _, m := range p.Members() {
			t.each[m.ID] = &[quota.Methods]window{}
		}
	}
	return t
}

func (t *tally) called(c scheduler.Call) error {
	if c.Deployment == "" {
		return nil // the list of all has a quota of its own on this platform
	}
	now, per := t.machine.real, t.limits[c.Method].Per
	t.key[c.Method].add(now, per)
	t.each[c.Deployment][c.Method].add(now, per)
	return nil
}

func (t *tally) noticed(_ scheduler.Now, all []scheduler.Notice) error {
	for _, n := range all {
		switch n := n.(type) {
		case scheduler.Settled:
			t.outcomes[outcomeKey{n.Kind, n.Reason}] += n.Count
		case scheduler.CallEnded:
			t.latest(n)
		case scheduler.Alarm:
			a := t.alarms[n.Kind]
			if a == nil {
				a = &AlarmCount{Kind: n.Kind, First: n.Text}
				t.alarms[n.Kind] = a
			}
			a.Count++
		}
	}
	return nil
}

// latest keeps the latest POST of every cause.
func (t *tally) latest(n scheduler.CallEnded) {
	if n.Cause == "" {
		return
	}
	l := t.late[n.Cause]
	if l == nil {
		l = &Lateness{Cause: n.Cause, Max: -1}
		t.late[n.Cause] = l
	}
	l.Calls++
	if n.Late > l.Max {
		l.Max, l.Deployment, l.At = n.Late, n.Deployment, n.Transition.At
	}
}

// report puts the counts in order.
func (t *tally) report(from time.Time, m *machine) *Report {
	score := m.world.Score()
	r := &Report{
		From: from, To: m.server(), Deployments: len(t.each),
		OverQuota: score.OverQuota, Repeated: score.Repeated, Limited: score.Limited,
	}
	for i := range r.Calls {
		r.Calls[i] = score.Calls[methodOf(quota.Method(i))]
		r.Peaks[i] = Peak{Limit: t.limits[i], Key: t.key[i].peak}
	}
	r.Calls[quota.Get] += score.Calls[simplatform.List]
	for _, windows := range t.each { // the greatest of all: in whatever order
		for i := range windows {
			r.Peaks[i].Deployment = max(r.Peaks[i].Deployment, windows[i].peak)
		}
	}
	t.sums(r)
	for _, p := range m.config.Set.Policies {
		for _, d := range p.Members() {
			s := m.world.Spent(string(d.ID), r.From, r.To)
			r.Powers = append(r.Powers, Powers{d.ID, p.Name(), s.Running, s.Stopped, s.Other})
		}
	}
	for _, v := range m.fleet.Snapshot(m.now()).Deployments {
		if !v.Due.Zero() {
			r.Waiting = append(r.Waiting, Waiting{v.Deployment, v.Due.Power, v.Due.At, v.Wait})
		}
	}
	return r
}

// sums adds what was counted by kind, in an order that does not change.
func (t *tally) sums(r *Report) {
	for k, n := range t.outcomes {
		r.Outcomes = append(r.Outcomes, OutcomeCount{k.kind, k.reason, n})
	}
	slices.SortFunc(r.Outcomes, func(a, b OutcomeCount) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason))
	})
	for _, l := range t.late {
		r.Lateness = append(r.Lateness, *l)
	}
	slices.SortFunc(r.Lateness, func(a, b Lateness) int { return cmp.Compare(a.Cause, b.Cause) })
	for _, a := range t.alarms {
		r.Alarms = append(r.Alarms, *a)
	}
	slices.SortFunc(r.Alarms, func(a, b AlarmCount) int { return cmp.Compare(a.Kind, b.Kind) })
}

// A window counts the requests of the last window, and the most there ever were.
type window struct {
	at   []time.Duration
	head int // those before it are older than the window
	peak int
}

func (w *window) add(now, per time.Duration) {
	for w.head < len(w.at) && w.at[w.head] <= now-per {
		w.head++
	}
	if w.head > len(w.at)/2 {
		w.at, w.head = append(w.at[:0], w.at[w.head:]...), 0
	}
	w.at = append(w.at, now)
	w.peak = max(w.peak, len(w.at)-w.head)
}

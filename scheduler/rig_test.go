package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// A rig drives a Fleet in virtual time against a scripted platform and a ledger
// that is as durable as a slice. Tests say what time it is, what status looks
// show and what the next POSTs are answered, and read what left and how it ended.
type rig struct {
	t      *testing.T
	f      *Fleet
	cfg    Config
	wall   time.Time
	steady time.Duration

	status  map[policy.DeploymentID]string // what a GET shows; "" is 404
	look    func(Call) Answer              // instead of status, where set
	replies []reply                        // for the next POSTs; 201 where there is none left
	latency time.Duration
	date    func(time.Time) time.Time // the platform's Date header

	pending  []pendingAnswer
	rows     map[policy.DeploymentID]Row
	claims   map[uint64]Claim
	endings  map[uint64]Ending
	over     map[uint64]policy.Override
	scopes   [quota.Methods]quota.Scope
	last     uint64
	log      []string // "20:00:00.000 stop d1"
	gets     int
	outcomes []Outcome
	notices  []Notice
	fail     error // what the next commit returns
	halted   bool  // a commit has failed, or the process was killed
}

// A reply is a scripted answer to a POST.
type reply struct {
	status int           // HTTP status; 0 where the answer is lost
	unsent bool          // certainly nothing was written
	retry  time.Duration // Retry-After
	after  time.Duration // instead of the rig's latency
	then   string        // the status that looks show from the answer on
	never  bool          // no answer comes
}

type pendingAnswer struct {
	at   time.Duration
	a    Answer
	id   policy.DeploymentID
	then string
}

var documented = [quota.Methods]quota.Limit{quota.Documented(quota.Get), quota.Documented(quota.Start), quota.Documented(quota.Stop)}

// spec is a policy of the tests, in UTC.
func spec(name string, start, stop string, ids ...policy.DeploymentID) policy.Spec {
	s := policy.Spec{Name: name, Zone: "UTC", Pos: policy.Pos{File: "t.yaml", Line: 1}}
	if start != "" {
		s.Start = []policy.Cron{{Expr: start, Pos: policy.Pos{File: "t.yaml", Line: 2}}}
	}
	if stop != "" {
		s.Stop = []policy.Cron{{Expr: stop, Pos: policy.Pos{File: "t.yaml", Line: 3}}}
	}
	for _, id := range ids {
		s.Deployments = append(s.Deployments, policy.Member{ID: id})
	}
	return s
}

func compile(t testing.TB, specs ...policy.Spec) *policy.Set {
	t.Helper()
	set, problems := policy.Compile(specs, policy.Env{Zones: zonesUTC()})
	for _, p := range problems {
		if !p.Warning {
			t.Fatalf("compile policies: %v", p)
		}
	}
	return set
}

func zonesUTC() map[string]*time.Location { return map[string]*time.Location{"UTC": time.UTC} }

// clockTime reads "20:00", "20:00:30" on the rig's first day, or "+1 08:00" on
// a later one.
func (g *rig) clockTime(s string) time.Time {
	g.t.Helper()
	day := 0
	if rest, ok := strings.CutPrefix(s, "+"); ok {
		if _, err := fmt.Sscanf(rest, "%d", &day); err != nil {
			g.t.Fatalf("time %q: %v", s, err)
		}
		s = rest[strings.IndexByte(rest, ' ')+1:]
	}
	layout := "15:04"
	if len(s) > 5 {
		layout = "15:04:05"
	}
	at, err := time.Parse(layout, s)
	if err != nil {
		g.t.Fatalf("time %q: %v", s, err)
	}
	return at.AddDate(2026, 10, 23+day) // 24 November 2026, a Tuesday
}

// start returns a rig whose Fleet begins with an empty ledger at the time given.
// Every deployment runs.
func start(t *testing.T, at string, set *policy.Set, change ...func(*Config)) *rig {
	t.Helper()
	g := &rig{
		t: t, steady: 1000 * time.Hour, latency: 100 * time.Millisecond, status: map[policy.DeploymentID]string{},
		rows: map[policy.DeploymentID]Row{}, claims: map[uint64]Claim{}, endings: map[uint64]Ending{},
		over: map[uint64]policy.Override{}, date: func(wall time.Time) time.Time { return wall },
	}
	g.wall = g.clockTime(at)
	g.cfg = Config{Account: "default", Set: set, Quotas: documented, ObserveEvery: DefaultObserveEvery}
	for _, c := range change {
		c(&g.cfg)
	}
	for _, p := range set.Policies {
		for _, m := range p.Members() {
			g.status[m.ID] = "running"
		}
	}
	g.f = New(g.now(), g.cfg, State{})
	g.run(0)
	return g
}

// scoped sets the scope of all quotas.
func scoped(s quota.Scope) func(*Config) {
	return func(c *Config) {
		for m := range c.Quotas {
			c.Quotas[m].Scope = s
		}
	}
}

// per sets the windows of starts and stops.
func per(d time.Duration) func(*Config) {
	return func(c *Config) { c.Quotas[quota.Start].Per, c.Quotas[quota.Stop].Per = d, d }
}

func (g *rig) now() Now { return Now{Wall: g.wall, Steady: g.steady} }

// to lets time pass up to the given one.
func (g *rig) to(at string) { g.t.Helper(); g.run(g.clockTime(at).Sub(g.wall)) }

// run lets d pass, turn by turn.
func (g *rig) run(d time.Duration) {
	g.t.Helper()
	end := g.steady + d
	for turns, still := 0, 0; ; turns++ {
		if g.halted {
			g.pass(end - g.steady)
			return
		}
		r := g.f.Turn(g.now())
		busy := g.do(r)
		next := min(end, r.Wake)
		for _, p := range g.pending {
			next = min(next, p.at)
		}
		if busy {
			next = g.steady
		}
		if next <= g.steady && !busy && g.steady >= end {
			return
		}
		if still++; next > g.steady {
			still = 0
		}
		if still > 10000 || turns > 3000000 {
			g.t.Fatalf("at %s the fleet does not come to rest: wake %v, now %v", g.wall, r.Wake, g.steady)
		}
		g.pass(next - g.steady)
		g.deliver()
	}
}

func (g *rig) pass(d time.Duration) {
	g.steady += d
	g.wall = g.wall.Add(d)
}

// do carries out a Ready. It reports whether another turn is due at once.
func (g *rig) do(r Ready) bool {
	g.notices = append(g.notices, r.Notices...)
	for _, c := range r.Calls {
		g.call(c)
	}
	if r.Commit == nil {
		return false
	}
	if g.fail != nil {
		g.f.Committed(g.now(), g.fail)
		g.halted = true
		return false
	}
	g.keep(r.Commit)
	g.f.Committed(g.now(), nil)
	return true
}

// keep applies a batch to what is durable.
func (g *rig) keep(b *Batch) {
	for _, r := range b.Rows {
		g.rows[r.Deployment] = r
	}
	for _, c := range b.Claims {
		g.claims[c.ID] = c
		g.last = max(g.last, c.ID)
	}
	for _, e := range b.Endings {
		if e.Returned {
			delete(g.claims, e.Claim)
			continue
		}
		g.endings[e.Claim] = e
	}
	for _, o := range b.Overrides {
		g.over[o.ID] = o
	}
	for _, id := range b.Expired {
		delete(g.over, id)
	}
	for _, s := range b.Scopes {
		g.scopes[s.Method] = s.Scope
	}
	g.outcomes = append(g.outcomes, b.Outcomes...)
}

// call answers a GET from status, a POST from the script.
func (g *rig) call(c Call) {
	if _, ok := g.claims[c.Claim]; !ok {
		g.t.Errorf("%s: %s %s left without a durable claim", g.wall, c.Method, c.Deployment)
	}
	if g.steady > c.Permit.NotAfter() {
		g.t.Errorf("%s: %s %s left after its deadline", g.wall, c.Method, c.Deployment)
	}
	a := Answer{Claim: c.Claim, Began: g.now(), Sent: true}
	if c.Method == quota.Get {
		g.gets++
		g.answer(c, g.lookAt(c, a), g.latency, "")
		return
	}
	g.log = append(g.log, g.wall.Format("15:04:05.000")+" "+c.Method.String()+" "+string(c.Deployment))
	rep := reply{status: 201}
	if len(g.replies) > 0 {
		rep, g.replies = g.replies[0], g.replies[1:]
	}
	if rep.never {
		return
	}
	a.Status, a.Sane, a.Sent, a.RetryAfter = rep.status, rep.status/100 == 2, !rep.unsent, rep.retry
	g.answer(c, a, cmp.Or(rep.after, g.latency), rep.then)
}

func (g *rig) lookAt(c Call, a Answer) Answer {
	if g.look != nil {
		b := g.look(c)
		b.Claim, b.Began = a.Claim, a.Began
		return b
	}
	if c.Deployment == everybody {
		a.Status, a.Sane = 200, true
		for _, id := range sortedKeys(g.status) {
			a.List = append(a.List, Listed{id, Look{Status: g.status[id]}})
		}
		return a
	}
	a.Status = 404
	if s := g.status[c.Deployment]; s != "" {
		a.Status, a.Sane, a.Look = 200, true, Look{Status: s}
	}
	return a
}

func (g *rig) answer(c Call, a Answer, after time.Duration, then string) {
	g.pending = append(g.pending, pendingAnswer{g.steady + after, a, c.Deployment, then})
	slices.SortStableFunc(g.pending, func(x, y pendingAnswer) int { return cmp.Compare(x.at, y.at) })
}

// deliver hands over the answers that are in.
func (g *rig) deliver() {
	for len(g.pending) > 0 && g.pending[0].at <= g.steady {
		p := g.pending[0]
		g.pending = g.pending[1:]
		p.a.Ended = g.now()
		if p.a.Sent && p.a.Status > 0 && g.date != nil {
			p.a.Date = g.date(g.wall)
		}
		if p.then != "" {
			g.status[p.id] = p.then
		}
		g.f.Answered(g.now(), p.a)
	}
}

// state is what a new process would load.
func (g *rig) state() State {
	s := State{Scopes: g.scopes, LastClaim: g.last}
	for _, id := range sortedKeys(g.rows) {
		s.Rows = append(s.Rows, g.rows[id])
	}
	for _, id := range sortedKeys(g.claims) {
		e, ended := g.endings[id]
		s.Uses = append(s.Uses, Use{Claim: g.claims[id], Open: !ended, Ended: e.Ended, Known: e.Known, Wait: e.Wait})
	}
	for _, id := range sortedKeys(g.over) {
		s.Overrides = append(s.Overrides, g.over[id])
	}
	return s
}

// restart kills the process and starts it again after down, with another set
// where one is given.
func (g *rig) restart(down time.Duration, sets ...*policy.Set) {
	g.t.Helper()
	g.pending, g.halted, g.fail = nil, false, nil
	g.pass(down)
	for _, s := range sets {
		g.cfg.Set = s
	}
	g.f = New(g.now(), g.cfg, g.state())
	g.run(0)
}

// reload puts another set into force.
func (g *rig) reload(set *policy.Set) {
	g.t.Helper()
	g.cfg.Set = set
	g.f.Configured(g.now(), g.cfg)
	g.run(0)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// wantCalls compares the POSTs that have left with "20:00:00 stop d1" lines; a
// call may be some milliseconds after its second.
func (g *rig) wantCalls(want ...string) {
	g.t.Helper()
	var got []string
	for _, l := range g.log {
		at, rest, _ := strings.Cut(l, " ")
		got = append(got, at[:8]+" "+rest)
	}
	if !slices.Equal(got, want) {
		g.t.Errorf("POSTs\n got  %s\n want %s", strings.Join(g.log, ", "), strings.Join(want, ", "))
	}
}

// wantOutcomes compares how transitions ended with "20:00 stop done" lines:
// instant, action, outcome, reason, and the count where it is not 1.
func (g *rig) wantOutcomes(want ...string) {
	g.t.Helper()
	var got []string
	for _, o := range g.outcomes {
		if o.Reason == ReasonActivation {
			continue
		}
		s := o.At.Format("15:04") + " " + o.Power.Action() + " " + o.Kind.String()
		if o.Reason != "" {
			s += " " + string(o.Reason)
		}
		if o.Count != 1 {
			s += fmt.Sprintf(" ×%d", o.Count)
		}
		got = append(got, s)
	}
	if !slices.Equal(got, want) {
		g.t.Errorf("outcomes\n got  %s\n want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// wantWait compares why d's due transition waits.
func (g *rig) wantWait(id policy.DeploymentID, want Wait) {
	g.t.Helper()
	for _, v := range g.f.Snapshot(g.now()).Deployments {
		if v.Deployment == id {
			if v.Wait != want {
				g.t.Errorf("%s: %s waits for %q, want %q", g.wall.Format("15:04:05"), id, v.Wait, want)
			}
			return
		}
	}
	g.t.Errorf("%s is not in the snapshot", id)
}

// wantAlarm reports whether an alarm of this kind was raised.
func (g *rig) wantAlarm(k AlarmKind) {
	g.t.Helper()
	for _, n := range g.notices {
		if a, ok := n.(Alarm); ok && a.Kind == k {
			return
		}
	}
	g.t.Errorf("no alarm %q among %d notices", k, len(g.notices))
}

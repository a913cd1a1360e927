package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// A script is what a seed makes up: a small fleet, its file, the platform, and
// what goes wrong when.
type script struct {
	*rand.Rand
	t      testing.TB
	seed   uint64
	from   time.Time
	days   int
	world  simplatform.Config
	config scheduler.Config
	file   *file
	ids    []policy.DeploymentID
	faults []simplatform.Fault
	timing map[policy.DeploymentID]simplatform.Timing
	acts   []act
	pause  float64
	held   time.Duration
	fast   int64
}

// An act is something that happens to the run at a real instant.
type act struct {
	at   time.Duration
	kind string
	name string // for the timeline
	do   func(*checker) error
}

// quiet is the time at the end in which nothing goes wrong any more, so that
// everything must come to an end.
const quiet = 8 * time.Hour

// nights are beginnings near what clocks do, and some where they do nothing.
var nights = []struct{ zone, day string }{
	{"Europe/Berlin", "2026-03-28"},       // 02:00 → 03:00 on Sunday
	{"Europe/Berlin", "2026-10-24"},       // 03:00 → 02:00
	{"America/New_York", "2026-03-07"},    // 02:00 → 03:00
	{"America/New_York", "2026-10-31"},    // 02:00 → 01:00
	{"Australia/Lord_Howe", "2026-10-03"}, // half an hour forward
	{"Australia/Lord_Howe", "2026-04-04"}, // and back
	{"America/Santiago", "2026-09-05"},    // midnight is skipped
	{"Africa/Cairo", "2026-10-29"},        // midnight comes twice
	{"UTC", "2026-02-27"},
	{"Asia/Kolkata", "2026-12-31"},
}

func newScript(t testing.TB, seed uint64) *script {
	s := &script{Rand: dice(seed, "script"), t: t, seed: seed, timing: map[policy.DeploymentID]simplatform.Timing{}}
	night := nights[s.IntN(len(nights))]
	day, err := time.Parse("2006-01-02", night.day)
	if err != nil {
		t.Fatal(err)
	}
	s.from = day.Add(s.upTo(24 * time.Hour).Truncate(time.Second))
	s.days = 1 + s.IntN(3)
	for i := range 1 + s.IntN(4) {
		s.ids = append(s.ids, policy.DeploymentID(fmt.Sprintf("d%d", i+1)))
	}
	s.file = s.newFile(s.policies(night.zone)...)
	s.quotas()
	s.config.Account, s.config.Set = "default", s.file.set
	s.config.ObserveEvery = time.Duration(5+s.IntN(20)) * time.Minute
	s.trouble()
	s.happenings()
	s.config.ObserveList = s.chance(0.3)
	s.world.Quotas[simplatform.List] = s.world.Quotas[simplatform.Get]
	return s
}

func (s *script) end() time.Duration { return time.Duration(s.days)*24*time.Hour + quiet }

func (s *script) upTo(d time.Duration) time.Duration { return time.Duration(s.Int64N(int64(d))) }

func (s *script) chance(p float64) bool { return s.Float64() < p }

func (s *script) newFile(specs ...policy.Spec) *file {
	return newFile(s.t, s.from.Add(-72*time.Hour), s.from.Add(s.end()+72*time.Hour), specs...)
}

// policies deals the deployments out to one or two policies.
func (s *script) policies(zone string) []policy.Spec {
	var all []policy.Spec
	for i := range 1 + s.IntN(2) {
		p := policy.Spec{Name: fmt.Sprintf("p%d", i+1), Zone: zone}
		s.times(&p)
		s.options(&p)
		all = append(all, p)
	}
	for _, id := range s.ids {
		p := &all[s.IntN(len(all))]
		p.Deployments = append(p.Deployments, policy.Member{ID: id})
	}
	return slices.DeleteFunc(all, func(p policy.Spec) bool { return len(p.Deployments) == 0 })
}

// times gives a policy its lines. Those of a start and a stop never share a
// local time; minutes near a change of the clocks come up often.
func (s *script) times(p *policy.Spec) {
	days := []string{"*", "*", "*", "1-5", "0,6", "*/2"}[s.IntN(6)]
	hour := s.IntN(24)
	if s.chance(0.4) {
		hour = s.IntN(4)
	}
	line := func(minute, hour int) []policy.Cron {
		expr := fmt.Sprintf("%d %d * * %s", minute, hour%24, days)
		switch s.IntN(8) {
		case 0:
			expr = fmt.Sprintf("%d %d,%d * * %s", minute, hour%24, (hour+12)%24, days)
		case 1:
			expr = fmt.Sprintf("%d */%d * * %s", minute, 3+s.IntN(5), days)
		}
		return []policy.Cron{{Expr: expr}}
	}
	minute, gap := s.IntN(30), 1+s.IntN(11)
	switch s.IntN(6) {
	case 0:
		p.Stop = line(minute, hour)
	case 1:
		p.Start = line(minute, hour)
	default:
		p.Stop, p.Start = line(minute, hour), line(minute+1+s.IntN(29), hour+gap)
	}
}

func (s *script) options(p *policy.Spec) {
	o := &p.Options
	if s.chance(0.3) {
		o.CatchUpWithin = time.Duration(1+s.IntN(6)) * time.Hour
	}
	if s.chance(0.3) {
		o.ConfirmWithin = time.Duration(10+s.IntN(40)) * time.Minute
	}
	if s.chance(0.3) {
		o.MinSpan = time.Duration(1+s.IntN(60)) * time.Minute
	}
	if s.chance(0.2) && len(p.Start) > 0 && len(p.Stop) > 0 {
		o.Enforce = policy.EnforceBoth
	}
	o.Converge = s.chance(0.2)
}

// quotas makes up what the platform counts and what the file says of it.
func (s *script) quotas() {
	scope, platform := quota.Auto, simplatform.PerDeployment
	if s.chance(0.5) {
		platform = simplatform.PerKey
	}
	window := simplatform.Sliding
	if s.chance(0.5) { // the file says which it is
		scope = quota.Deployment
		if platform == simplatform.PerKey {
			scope = quota.Key
		}
		window = simplatform.Window(s.IntN(3))
	}
	per := []time.Duration{time.Hour, time.Hour, 20 * time.Minute, 3 * time.Hour}[s.IntN(4)]
	for i, n := range [...]int{60, 1 + s.IntN(3), 1 + s.IntN(3)} {
		m := quota.Method(i)
		lim := quota.Limit{N: n, Per: per, Scope: scope}
		if m == quota.Get {
			lim.Per = time.Hour
		}
		s.config.Quotas[m] = lim
		s.world.Quotas[methodOf(m)] = simplatform.Quota{N: n, Per: lim.Per, Scope: platform, Window: window, FreeRejected: s.chance(0.2)}
	}
}

// trouble makes up how slow the platform is and which faults it has.
func (s *script) trouble() {
	s.world.Seed = s.seed
	s.world.SkipGetLog = true
	s.world.Retry = simplatform.Retry{Style: simplatform.RetryStyle(s.IntN(4))}
	if s.chance(0.3) {
		s.world.Retry.After = []time.Duration{-time.Hour, time.Second, 90 * time.Minute, 4000 * time.Hour}[s.IntN(4)]
	}
	for _, id := range s.ids {
		t := simplatform.Timing{Boot: 10*time.Second + s.upTo(10*time.Minute), Halt: 5*time.Second + s.upTo(5*time.Minute)}
		if s.chance(0.1) {
			t.Boot = s.upTo(80 * time.Minute)
		}
		if s.chance(0.2) {
			t.Pending = s.upTo(time.Minute)
		}
		if s.chance(0.2) {
			t.Lag = s.upTo(2 * time.Minute)
		}
		s.timing[id] = t
	}
	if s.chance(0.3) {
		s.pause = 0.02
	}
	shortest := min(s.config.Quotas[quota.Stop].Per, s.config.Quotas[quota.Get].Per)
	if s.chance(0.4) { // less than a thirtieth of the window, and of what looks wait for
		s.held = shortest / 40
	}
	s.fast = s.Int64N(1600) - 800
	kinds := simplatform.Kinds()
	for range s.IntN(4) {
		s.fault(kinds[s.IntN(len(kinds))])
	}
}

func (s *script) fault(k simplatform.Kind) {
	f := simplatform.Fault{Kind: k, Methods: simplatform.Posts, P: 0.05 + 0.5*s.Float64()}
	if s.chance(0.3) && k != simplatform.Late && k != simplatform.Stuck && k != simplatform.RollBack && k != simplatform.Fails {
		f.Methods, f.P = simplatform.AnyMethod, f.P/4
	}
	switch k {
	case simplatform.Late:
		f.For = time.Second + s.upTo(2*time.Minute)
	case simplatform.Slow, simplatform.Hang, simplatform.HangDropped:
		f.For = time.Second + s.upTo(time.Minute)
	case simplatform.Error, simplatform.ErrorApplied:
		f.Code = 500 + s.IntN(5)
	case simplatform.Limited:
		f.Retry = simplatform.Retry{Style: simplatform.RetryStyle(s.IntN(4)), After: s.upTo(3*time.Hour) - time.Hour}
	}
	s.faults = append(s.faults, f)
}

// run lives through the script and returns the checker, and what was wrong.
func (s *script) run(until time.Duration) (*checker, error) {
	w := simplatform.New(s.world)
	for _, id := range s.ids {
		d := simplatform.Deployment{ID: string(id), Name: "name of " + string(id)}
		if err := w.Add(s.from.Add(-time.Hour), d, s.timing[id]); err != nil {
			return nil, err
		}
	}
	for _, f := range s.faults {
		if err := w.AddFault(f); err != nil {
			return nil, err
		}
	}
	k := newChecker(s.file)
	k.m = newMachine(s.from, w, s.config, k)
	k.m.network = network{dice: dice(s.seed, "network"), pause: s.pause, held: s.held}
	k.m.clock.fast = s.fast
	k.script = dice(s.seed, "acts")
	for _, a := range s.acts {
		k.m.at(a.at, func() error {
			k.say("— %s", a.name)
			return a.do(k)
		})
	}
	k.m.at(s.end()-quiet, func() error { return k.calm() })
	if err := k.m.start(); err != nil {
		return k, err
	}
	return k, k.m.run(min(until, s.end()))
}

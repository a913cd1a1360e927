package sim

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

var (
	oneSeed = flag.Uint64("seed", 0, "simulate this seed only, and show its timeline with -v")
	seeds   = flag.Uint64("seeds", 240, "simulate so many seeds")
	from    = flag.Uint64("from", 1, "the first of them")
	first   = flag.Bool("first", false, "simulate no more once a seed has failed")
	given   = flag.String("script", "", "simulate this script only: its text, or the file that has it")
	minutes = flag.Int("steps", 0, "end a simulation after so many minutes of it; 0 is at its end")
)

// TestSim lives through some days of made-up fleets and their troubles, and
// holds every step against the invariants. Replay a seed that fails with
//
//	go test ./internal/sim -run 'TestSim$' -v -seed N [-steps MINUTES]
//
// or, made smaller, with the line that the failure prints.
func TestSim(t *testing.T) {
	t.Parallel()
	begin, end := *from, *from+*seeds-1
	if *oneSeed > 0 {
		begin, end = *oneSeed, *oneSeed
	}
	met := &sometimes{counts: map[string]int{}}
	if *given != "" {
		simulate(t, givenScript(t), met)
		return
	}
	t.Run("seed", func(t *testing.T) {
		for seed := begin; seed <= end; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				if *first && met.failed.Load() {
					t.Skip("another seed has failed")
				}
				simulate(t, newScript(seed), met)
				if t.Failed() {
					met.failed.Store(true)
				}
			})
		}
	})
	switch {
	case *countsTo != "":
		met.write(t, *countsTo)
	case end-begin >= 200 && *minutes == 0 && !*first:
		met.check(t)
	}
}

// givenScript is what -script names.
func givenScript(t *testing.T) *script {
	data := []byte(*given)
	if !strings.HasPrefix(*given, "{") {
		var err error
		if data, err = os.ReadFile(*given); err != nil {
			t.Fatal(err)
		}
	}
	s, err := readScript(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func simulate(t *testing.T, s *script, met *sometimes) {
	until := time.Duration(*minutes) * time.Minute
	if until == 0 {
		until = never
	}
	one := *oneSeed > 0 || *given != ""
	k, err := s.run(until)
	if k == nil {
		t.Fatalf("seed %d: %v", s.Seed, err)
	}
	wrong := k.end(err, until == never)
	met.add(k, s)
	if len(wrong) > 0 {
		lines := 70
		if one {
			lines = len(k.trace)
		}
		t.Errorf("%s\n%s\n%s\nreplay: go test ./internal/sim -run 'TestSim$' -v -seed %d%s",
			strings.Join(wrong, "\n"), s, k.timeline(lines), s.Seed, met.smaller(s, wrong[0], until))
		return
	}
	if s.Seed%4 == 0 || one { // I20
		again, _ := s.run(until)
		if again.sum != k.sum {
			t.Errorf("I20: two runs of seed %d differ\n%s", s.Seed, firstDifference(k.trace, again.trace))
		}
	}
	if one {
		t.Logf("%s\n%s", s, strings.Join(k.trace, "\n"))
	}
}

// smaller tells what is left of a script that fails when all is left out of it
// that does not matter. The first few failures of a run are worth that.
func (m *sometimes) smaller(s *script, failure string, until time.Duration) string {
	if *first || m.shrunk.Add(1) > 4 {
		return ""
	}
	small := shrunk(s, likeness(failure, until))
	k, err := small.run(until)
	return fmt.Sprintf("\n\nthe same, made smaller:\n%s\n%s\n%s\nreplay: go test ./internal/sim -run 'TestSim$' -v -script '%s'",
		strings.Join(k.end(err, until == never), "\n"), small, k.timeline(30), small.write())
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%s\n%s\n%s", strings.Join(a[max(0, i-10):i], "\n"), a[i], b[i])
		}
	}
	return fmt.Sprintf("one has %d lines, the other %d", len(a), len(b))
}

// String is the file and the platform, for a person who reads a failure.
func (s *script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d days from %s", s.Seed, s.Days, s.From.Format(time.RFC3339))
	for _, f := range s.Faults {
		fmt.Fprintf(&b, "\n  fault %s of %d %s", f.Kind, f.Methods, f.Target)
	}
	b.WriteString(s.File.String())
	for i := range s.Acts {
		fmt.Fprintf(&b, "\n  %s %s", s.From.Add(time.Duration(s.Acts[i].At)).Format("Mon 15:04:05"), &s.Acts[i])
		if x := s.Acts[i].File; x != nil {
			b.WriteString(x.String())
		}
	}
	for m, lim := range s.Limits {
		fmt.Fprintf(&b, "\n  %s: %+v", quota.Method(m), lim)
	}
	return b.String()
}

func (x *text) String() string {
	var b strings.Builder
	for _, p := range x.Policies {
		fmt.Fprintf(&b, "\n    %s in %s: start %q stop %q running %q except %q of %v, lead %s, catch up %s, confirm %s, min span %s, enforce %d, converge %t, dry %t",
			p.Name, p.Zone, p.Start, p.Stop, p.Running, p.Except, p.Members, time.Duration(p.Lead), time.Duration(p.CatchUp),
			time.Duration(p.Confirm), time.Duration(p.MinSpan), p.Enforce, p.Converge, p.DryRun)
		for _, e := range p.Except {
			name, _, _ := strings.Cut(e, ":")
			fmt.Fprintf(&b, "\n      %s is %v", name, x.Calendars[name])
		}
	}
	if len(x.Protect)+len(x.Zones) > 0 || x.DryRun {
		fmt.Fprintf(&b, "\n    protect %v, dry run %t, new rules of zones %v", x.Protect, x.DryRun, x.Zones)
	}
	return b.String()
}

// end is what must hold when all is over: an error on the way, I17 and I14.
func (k *checker) end(err error, whole bool) []string {
	if err != nil {
		return []string{err.Error()}
	}
	if !whole {
		return nil
	}
	wrong := k.bounded()
	for _, id := range k.ids() {
		switch {
		case k.back: // what lies ahead again happens again
		case k.convergent(id):
		case k.changed[id]:
			wrong = append(wrong, k.twice(id)...)
		default:
			wrong = append(wrong, k.outcomesOf(id)...)
		}
		wrong = append(wrong, k.converged(id)...)
	}
	return wrong
}

// converged is I14: hours after the last trouble nothing waits any more, and a
// deployment is what the daemon last made it, unless somebody else acted.
func (k *checker) converged(id policy.DeploymentID) []string {
	for _, v := range k.m.fleet.Snapshot(k.m.now()).Deployments {
		if v.Deployment != id || v.Due.Zero() {
			continue
		}
		stuck := v.Wait == scheduler.WaitTransient || v.Wait == scheduler.WaitStatus
		if stuck && k.unstable(id) {
			return nil // the platform never ends it, and an alarm says so
		}
		if v.Wait == scheduler.WaitPermit && v.PermitAt.After(k.wall()) && k.shared(v.Due.Power) {
			return nil // others were before it
		}
		since := k.m.epoch.Add(k.script.troubled())
		if v.Due.At.After(since) {
			since = v.Due.At
		}
		if late := k.wall().Sub(since); late > k.script.bound() && v.Wait != scheduler.WaitHold {
			return []string{fmt.Sprintf("I14: %s: the %s of %s still waits for %q, %s after the last trouble, and may for %s", id,
				v.Due.Power.Action(), v.Due.At.UTC().Format("Mon 15:04:05"), v.Wait, late, k.script.bound())}
		}
		return nil
	}
	all := k.spoken[id]
	if len(all) == 0 {
		return nil
	}
	last := all[len(all)-1]
	if last.Kind != scheduler.Done && last.Kind != scheduler.Already || k.back || k.unstable(id) && k.alarms[id] {
		return nil
	}
	if acted, ok := k.people[id]; ok && k.m.epoch.Add(acted).After(last.At.Add(-12*time.Hour)) {
		return nil
	}
	if got := k.m.world.StatusAt(string(id), k.m.server()); string(got) != last.Power.String() {
		return []string{fmt.Sprintf("I14: %s is %s; its last transition, to %s, is %s since %s", id, got, last.Power, last.Kind, last.Settled.Format("Mon 15:04:05"))}
	}
	return nil
}

// shared reports whether all calls to a power are counted together.
func (k *checker) shared(p policy.Power) bool {
	m := quota.Stop
	if p == policy.Running {
		m = quota.Start
	}
	return k.script.Limits[m].Platform == simplatform.PerKey
}

// bounded is I19: an hour of the daemon's time costs a bounded number of turns,
// and what it tells a bounded number of lines. A turn comes with the wake cap, and
// some with each call, each process and each file.
func (k *checker) bounded() []string {
	calls, hours := 0, int(k.script.end().Hours())+1
	for _, n := range k.sent {
		calls += n
	}
	lives := k.m.life + len(k.script.Acts)
	turns := 1000 + 3*240*hours + 12*calls + 100*lives
	notices := 200 + 5*calls + 20*lives*len(k.script.Fleet) + 8*hours*len(k.script.Fleet)
	if k.m.turns > turns || k.notices > notices {
		return []string{fmt.Sprintf("I19: %d turns (at most %d) and %d notices (at most %d) for %d calls in %d hours of %d processes",
			k.m.turns, turns, k.notices, notices, calls, hours, k.m.life)}
	}
	return nil
}

// unstable reports whether a deployment is in a status that nothing can be done
// about.
func (k *checker) unstable(id policy.DeploymentID) bool {
	s := k.m.world.StatusAt(string(id), k.m.server())
	return s != simplatform.Running && s != simplatform.Stopped
}

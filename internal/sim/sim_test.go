package sim

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

var (
	oneSeed = flag.Uint64("seed", 0, "simulate this seed only, and show its timeline with -v")
	seeds   = flag.Uint64("seeds", 240, "simulate so many seeds")
	first   = flag.Bool("first", false, "simulate no more once a seed has failed")
	minutes = flag.Int("steps", 0, "end a simulation after so many minutes of it; 0 is at its end")
)

// TestSim lives through some days of made-up fleets and their troubles, and
// holds every step against the invariants. Replay a seed that fails with
//
//	go test ./internal/sim -run TestSim -v -seed N [-steps MINUTES]
func TestSim(t *testing.T) {
	t.Parallel()
	from, to := uint64(1), *seeds
	if *oneSeed > 0 {
		from, to = *oneSeed, *oneSeed
	}
	met := &sometimes{counts: map[string]int{}}
	t.Run("seed", func(t *testing.T) {
		for seed := from; seed <= to; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				if *first && met.failed.Load() {
					t.Skip("another seed has failed")
				}
				simulate(t, seed, met)
				if t.Failed() {
					met.failed.Store(true)
				}
			})
		}
	})
	if to-from >= 200 && *minutes == 0 && !*first {
		met.check(t)
	}
}

// sometimes counts what the seeds met: a simulation in which something never
// goes wrong proves nothing about it.
type sometimes struct {
	failed atomic.Bool // some seed did
	mu     sync.Mutex
	counts map[string]int
}

func (m *sometimes) add(k *checker, s *script) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for kind, n := range k.faults {
		m.counts["fault "+kind.String()] += n
	}
	for _, a := range s.acts {
		m.counts["act "+a.kind]++
	}
	for _, all := range k.spoken {
		for _, o := range all {
			m.counts["outcome "+o.Kind.String()+" "+string(o.Reason)] += o.Count
		}
	}
	m.counts["process died"] += k.deaths
	for _, learned := range k.learned {
		if learned {
			m.counts["scope learned"]++
		}
	}
}

func (m *sometimes) check(t *testing.T) {
	want := []string{
		"process died", "scope learned", "outcome done ", "outcome already ", "outcome superseded ",
		"outcome skipped activation", "outcome skipped changed", "outcome skipped quota", "outcome skipped removed",
		"outcome skipped skip", "outcome skipped pause", "outcome missed too_close", "outcome missed catch_up",
		"outcome failed unknown",
		"act kill", "act reboot", "act suspend", "act step", "act reload", "act order", "act person", "act foreign",
		"act key", "act skew",
	}
	for _, kind := range simplatform.Kinds() {
		want = append(want, "fault "+kind.String())
	}
	for _, w := range want {
		if m.counts[w] == 0 {
			t.Errorf("%q never came up in %d seeds", w, *seeds)
		}
	}
	for _, name := range sortedKeys(m.counts) {
		t.Logf("%6d %s", m.counts[name], name)
	}
}

func simulate(t *testing.T, seed uint64, met *sometimes) {
	until := time.Duration(*minutes) * time.Minute
	if until == 0 {
		until = never
	}
	s := newScript(t, seed)
	k, err := s.run(until)
	wrong := k.end(err, until == never)
	met.add(k, s)
	if len(wrong) > 0 {
		lines := 70
		if *oneSeed > 0 {
			lines = len(k.trace)
		}
		t.Errorf("%s\n%s\n%s\nreplay: go test ./internal/sim -run TestSim -v -seed %d",
			strings.Join(wrong, "\n"), s, k.timeline(lines), seed)
		return
	}
	if seed%4 == 0 || *oneSeed > 0 { // I20
		again, _ := newScript(t, seed).run(until)
		if again.sum != k.sum {
			t.Errorf("I20: two runs of seed %d differ\n%s", seed, firstDifference(k.trace, again.trace))
		}
	}
	if *oneSeed > 0 {
		t.Logf("%s\n%s", s, strings.Join(k.trace, "\n"))
	}
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
	fmt.Fprintf(&b, "seed %d: %d days from %s, faults", s.seed, s.days, s.from.Format(time.RFC3339))
	for _, f := range s.faults {
		fmt.Fprintf(&b, " %s", f.Kind)
	}
	for _, p := range s.file.specs {
		fmt.Fprintf(&b, "\n  %s in %s: start %v stop %v of %v %+v", p.Name, p.Zone, exprs(p.Start), exprs(p.Stop), members(p), p.Options)
	}
	for m, lim := range s.config.Quotas {
		fmt.Fprintf(&b, "\n  quota %d: %d per %s, %s; platform %+v", m, lim.N, lim.Per, lim.Scope, s.world.Quotas[m])
	}
	return b.String()
}

func exprs(crons []policy.Cron) (all []string) {
	for _, c := range crons {
		all = append(all, c.Expr)
	}
	return all
}

func members(p policy.Spec) (all []policy.DeploymentID) {
	for _, m := range p.Deployments {
		all = append(all, m.ID)
	}
	return all
}

// end is what must hold when all is over: an error on the way, I17 and I14.
func (k *checker) end(err error, whole bool) []string {
	if err != nil {
		return []string{err.Error()}
	}
	if !whole {
		return nil
	}
	var wrong []string
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
		if v.Wait == scheduler.WaitPermit && v.PermitAt.After(k.wall()) {
			return nil // others were before it
		}
		if late := k.wall().Sub(v.Due.At); late > 6*time.Hour && v.Wait != scheduler.WaitHold {
			return []string{fmt.Sprintf("I14: %s: the %s of %s still waits for %q", id, v.Due.Power.Action(), v.Due.At.UTC().Format("Mon 15:04:05"), v.Wait)}
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

// unstable reports whether a deployment is in a status that nothing can be done
// about.
func (k *checker) unstable(id policy.DeploymentID) bool {
	s := k.m.world.StatusAt(string(id), k.m.server())
	return s != simplatform.Running && s != simplatform.Stopped
}

package sim

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

var deep = flag.Bool("deep", false, "a second crash at every effect of the recovery, not at a sample")

func (f fate) String() string {
	return [...]string{"nothing", "a crash before", "a crash after", "a doubtful end, and it is done", "a doubtful end, and it is not"}[f]
}

// A scenario is an evening and a morning of a small fleet.
type scenario struct {
	name        string
	deployments int
	start, stop string
	from        string // of 24 November 2026, UTC
	hours       int
	limits      [quota.Methods]quota.Limit
	platform    simplatform.Scope
}

// limits are those of an hour, of one scope for all methods.
func limitsOf(scope quota.Scope, posts int) [quota.Methods]quota.Limit {
	var all [quota.Methods]quota.Limit
	for m := range all {
		all[m] = quota.Documented(quota.Method(m))
		all[m].Scope = scope
	}
	all[quota.Start].N, all[quota.Stop].N = posts, posts
	return all
}

func scenarios() []scenario {
	return []scenario{
		{"deployment, time enough", 2, "30 23 * * *", "0 20 * * *", "19:55", 5, limitsOf(quota.Deployment, 1), simplatform.PerDeployment},
		{"deployment, no time for a second try", 2, "20 21 * * *", "0 20 * * *", "19:55", 4, limitsOf(quota.Deployment, 1), simplatform.PerDeployment},
		{"auto, learns deployment", 3, "30 23 * * *", "0 20 * * *", "19:55", 5, limitsOf(quota.Auto, 1), simplatform.PerDeployment},
		{"auto, learns key", 2, "30 1 * * *", "0 20 * * *", "19:55", 8, limitsOf(quota.Auto, 1), simplatform.PerKey},
		{"key, two an hour", 2, "30 23 * * *", "0 20 * * *", "19:55", 5, limitsOf(quota.Key, 2), simplatform.PerKey},
	}
}

func (s *scenario) file(t testing.TB) *file {
	spec := policy.Spec{
		Name: "evening", Zone: "UTC", Start: []policy.Cron{{Expr: s.start}}, Stop: []policy.Cron{{Expr: s.stop}},
	}
	for i := range s.deployments {
		spec.Deployments = append(spec.Deployments, policy.Member{ID: policy.DeploymentID(fmt.Sprintf("d%d", i+1))})
	}
	return newFile(t, s.begin().Add(-48*time.Hour), s.begin().Add(72*time.Hour), spec)
}

func (s *scenario) begin() time.Time {
	at, err := time.Parse("2006-01-02 15:04", "2026-11-24 "+s.from)
	if err != nil {
		panic(err)
	}
	return at
}

// A life is one run of a scenario to its end.
type life struct {
	*checker
	err error
}

// live runs the scenario. The daemon is hit by these fates, by the number of the
// effect.
func (s *scenario) live(f *file, fates map[int]fate, saw func(effect)) life {
	var q [simplatform.Methods]simplatform.Quota
	for m, lim := range s.limits {
		q[methodOf(quota.Method(m))] = simplatform.Quota{N: lim.N, Per: lim.Per, Scope: s.platform}
	}
	w := simplatform.New(simplatform.Config{Quotas: q, SkipGetLog: true})
	for i := range s.deployments {
		d := simplatform.Deployment{ID: fmt.Sprintf("d%d", i+1)}
		if err := w.Add(s.begin(), d, simplatform.Timing{}); err != nil {
			return life{err: err}
		}
	}
	k := newChecker(f)
	c := scheduler.Config{Account: "default", Set: f.set, Quotas: s.limits, ObserveEvery: 20 * time.Minute}
	k.m = newMachine(s.begin(), w, c, k)
	k.m.network.slow = 5 * time.Millisecond
	k.m.fate = func(e effect) fate {
		if saw != nil {
			saw(e)
		}
		if f := fates[e.n]; f != fine {
			k.say("here comes %s effect %d (%s)", f, e.n, e)
			return f
		}
		return fine
	}
	err := k.m.start()
	if err == nil {
		err = k.m.run(time.Duration(s.hours) * time.Hour)
	}
	return life{k, err}
}

func (e effect) String() string {
	if e.batch == nil {
		return fmt.Sprintf("%s %s", e.call.Method, e.call.Deployment)
	}
	var parts []string
	for _, c := range e.batch.Claims {
		parts = append(parts, fmt.Sprintf("claim %s %s", c.Method, c.Deployment))
	}
	return fmt.Sprintf("commit of %d rows, %d endings, %d outcomes, %s", len(e.batch.Rows), len(e.batch.Endings),
		len(e.batch.Outcomes), strings.Join(parts, ", "))
}

// weighty reports whether an effect concerns more than a look.
func (e effect) weighty() bool {
	if e.batch == nil {
		return e.call.Method != quota.Get
	}
	return len(e.batch.Rows) > 0 || len(e.batch.Outcomes) > 0 ||
		slices.ContainsFunc(e.batch.Claims, func(c scheduler.Claim) bool { return c.Method != quota.Get })
}

// TestCrashes runs every scenario once and then again with a crash, or a
// doubtful end, at every single effect of the daemon on its disk and on the
// platform; and then with another one while it recovers from the first. The end
// must be that of the run without a crash, or the daemon must say why it is not.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := s.file(t)
			var all []effect
			calm := s.live(f, nil, func(e effect) { all = append(all, e) })
			if calm.err != nil {
				t.Fatalf("without a crash: %v\n%s", calm.err, calm.timeline(60))
			}
			s.calmEnd(t, calm)
			runs := 1
			for _, e := range all {
				for _, hit := range []fate{crashBefore, crashAfter, lost, failed} {
					s.compare(t, f, calm, map[int]fate{e.n: hit})
					runs++
					runs += s.again(t, f, calm, e, hit)
				}
				if t.Failed() {
					return
				}
			}
			t.Logf("%d effects, %d runs", len(all), runs)
		})
	}
}

// again strikes a second time, while the daemon recovers.
func (s *scenario) again(t *testing.T, f *file, calm life, e effect, first fate) int {
	if !e.weighty() || first == lost || first == failed && e.batch == nil {
		return 0
	}
	runs := 0
	for i := 1; i <= 9; i++ {
		for _, second := range []fate{crashBefore, crashAfter, lost, failed} {
			if !*deep && (e.n+i+int(second))%3 != 0 {
				continue
			}
			s.compare(t, f, calm, map[int]fate{e.n: first, e.n + i: second})
			runs++
		}
	}
	return runs
}

// calmEnd checks that the run without a crash is worth being compared with: all
// was done, on time where the quota allows that.
func (s *scenario) calmEnd(t *testing.T, calm life) {
	for _, id := range calm.ids() {
		var kinds []string
		for _, o := range calm.spoken[id] {
			if o.Reason != scheduler.ReasonActivation {
				kinds = append(kinds, fmt.Sprintf("%s %s", o.Power.Action(), o.Kind))
			}
		}
		if got := strings.Join(kinds, ", "); got != "stop done, start done" {
			t.Errorf("%s without a crash: %s\n%s", id, got, calm.timeline(60))
		}
	}
	for _, wrong := range calm.outcomes() {
		t.Errorf("without a crash: %s", wrong)
	}
}

// ids are the deployments of the file, in order.
func (k *checker) ids() []policy.DeploymentID {
	return sortedKeys(k.file.rules)
}

// compare runs the scenario with fates and holds the end against the calm one.
func (s *scenario) compare(t *testing.T, f *file, calm life, fates map[int]fate) {
	got := s.live(f, fates, nil)
	var wrong []string
	if got.err != nil {
		wrong = append(wrong, got.err.Error())
	} else {
		wrong = append(got.outcomes(), got.sameEnd(calm)...)
	}
	if len(wrong) > 0 {
		t.Errorf("with %v:\n  %s\n%s", fates, strings.Join(wrong, "\n  "), got.timeline(80))
	}
}

// sameEnd compares where every deployment ended with where it ended without a
// crash. Another end has to be explained by what the daemon recorded: that it is
// still waiting, or why it did not act.
func (k *checker) sameEnd(calm life) []string {
	var wrong []string
	for _, id := range k.ids() {
		got, want := k.m.world.StatusAt(string(id), k.m.server()), calm.m.world.StatusAt(string(id), calm.m.server())
		if got != want && !k.excused(id) {
			wrong = append(wrong, fmt.Sprintf("%s ends %s, without a crash %s, and nothing says why", id, got, want))
		}
	}
	return wrong
}

// excused reports whether the daemon says that it has not done, or not yet, what
// it was to do last for a deployment.
func (k *checker) excused(id policy.DeploymentID) bool {
	for _, v := range k.m.fleet.Snapshot(k.m.now()).Deployments {
		if v.Deployment == id && !v.Due.Zero() && v.Wait != scheduler.WaitNone {
			return true
		}
	}
	all := k.spoken[id]
	if len(all) == 0 {
		return false
	}
	switch last := all[len(all)-1]; last.Kind {
	case scheduler.Missed, scheduler.Failed, scheduler.Skipped:
		return true
	}
	return false
}

package sim

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/raced"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

var deep = flag.Bool("deep", false, "a second crash at every effect of the recovery, not at a sample")

func (f fate) String() string {
	return [...]string{"nothing", "a crash before", "a crash after", "a doubtful end, and it is done", "a doubtful end, and it is not"}[f]
}

// A blow is what befalls the daemon at an effect. Between the commit of a claim
// and the first byte of its call lies the mark which says that the call begins: a
// crash before a call comes before the mark, or between the two.
type blow struct {
	fate
	marked bool
}

func (b blow) String() string {
	if b.marked {
		return b.fate.String() + ", behind its mark"
	}
	return b.fate.String()
}

// blows are those that may befall an effect.
func (e effect) blows() []blow {
	all := []blow{{fate: crashBefore}, {fate: crashAfter}, {fate: lost}, {fate: failed}}
	if e.batch == nil {
		all = append(all, blow{crashBefore, true})
	}
	return all
}

// strike lets b befall e, and returns the fate that the machine is told.
func (b blow) strike(k *checker, e effect) fate {
	if b.fate == fine {
		return fine
	}
	k.say("here comes %s effect %d (%s)", b, e.n, e)
	if b.fate == crashBefore && e.batch == nil {
		// The machine dies on either side of the mark in turn, by its count.
		k.m.effects |= 1
		if b.marked {
			k.m.effects++
		}
	}
	return b.fate
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
	return len(e.batch.Rows) > 0 || len(e.batch.Outcomes) > 0 || len(e.batch.Overrides) > 0 ||
		slices.ContainsFunc(e.batch.Claims, func(c scheduler.Claim) bool { return c.Method != quota.Get })
}

// A life is one run of a scenario to its end.
type life struct {
	*checker
	err error
}

// live runs the scenario. The daemon is hit by these blows, by the number of the
// effect.
func (s *scenario) live(n *setting, blows map[int]blow, saw func(effect)) life {
	k := newChecker(n.file)
	w, err := s.world()
	if err != nil {
		return life{k, err}
	}
	c := scheduler.Config{Account: "default", Set: n.file.set, Quotas: s.limits, ObserveEvery: 20 * time.Minute}
	k.m = newMachine(s.begin(), w, c, k)
	k.m.network.slow = 5 * time.Millisecond
	k.m.fate = func(e effect) fate {
		if saw != nil {
			saw(e)
		}
		return blows[e.n].strike(k, e)
	}
	for _, h := range n.happens {
		k.m.at(s.instant(h.at).Sub(s.begin()), func() error {
			k.say("— %s", h.what)
			return h.do(k)
		})
	}
	if err := k.m.start(); err != nil {
		return life{k, err}
	}
	return life{k, k.m.run(s.span)}
}

// world is the platform of a scenario.
func (s *scenario) world() (*simplatform.World, error) {
	var q [simplatform.Methods]simplatform.Quota
	for m, lim := range s.limits {
		q[methodOf(quota.Method(m))] = simplatform.Quota{N: lim.N, Per: lim.Per, Scope: s.platform}
	}
	w := simplatform.New(simplatform.Config{Quotas: q, SkipGetLog: true})
	var wrong error
	for _, id := range s.ids() {
		wrong = errors.Join(wrong, w.Add(s.begin(), simplatform.Deployment{ID: string(id)}, s.timing))
	}
	for _, f := range s.faults {
		wrong = errors.Join(wrong, w.AddFault(f))
	}
	return w, wrong
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
			n := s.setting(t)
			var all []effect
			calm := s.live(n, nil, func(e effect) { all = append(all, e) })
			if calm.err != nil {
				t.Fatalf("without a crash: %v\n%s", calm.err, calm.timeline(60))
			}
			s.calmEnd(t, calm)
			runs := 1
			for _, e := range all {
				for _, b := range e.blows() {
					s.compare(t, n, calm, map[int]blow{e.n: b})
					runs += 1 + s.again(t, n, calm, e, b)
				}
				if t.Failed() {
					return
				}
			}
			t.Logf("%d effects, %d runs", len(all), runs)
		})
	}
}

// sample is how many second crashes there are for each one that is tried where
// not all of them are.
const sample = 7

// again strikes a second time, while the daemon recovers.
func (s *scenario) again(t *testing.T, n *setting, calm life, e effect, first blow) int {
	if !e.weighty() || first.fate == lost || first.fate == failed && e.batch == nil {
		return 0
	}
	runs := 0
	for i := 1; i <= 9; i++ {
		for j, second := range (effect{}).blows() {
			if !*deep && (raced.Spared() || (e.n+i+j)%sample != 0) {
				continue
			}
			s.compare(t, n, calm, map[int]blow{e.n: first, e.n + i: second})
			runs++
		}
	}
	return runs
}

// calmEnd checks that the run without a crash is what the scenario says it is.
func (s *scenario) calmEnd(t *testing.T, calm life) {
	for _, id := range s.ids() {
		want, ok := s.end[id]
		if !ok {
			want = s.end[everyone]
		}
		if got := calm.ends(id); got != want {
			t.Errorf("I17: %s ends without a crash: %s; want %s\n%s", id, got, want, calm.timeline(60))
		}
	}
	for _, wrong := range calm.wrongs() {
		t.Errorf("without a crash: %s", wrong)
	}
}

// ends says how the transitions of a deployment ended, the activation left out.
func (k *checker) ends(id policy.DeploymentID) string {
	var all []string
	for _, o := range k.spoken[id] {
		if o.Reason == scheduler.ReasonActivation {
			continue
		}
		text := o.Power.Action() + " " + o.Kind.String()
		if o.Reason != scheduler.ReasonNone {
			text += " (" + string(o.Reason) + ")"
		}
		if o.Count != 1 {
			text += fmt.Sprintf(" ×%d", o.Count)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// ids are the deployments of the file, in order.
func (k *checker) ids() []policy.DeploymentID {
	return sortedKeys(k.file.rules)
}

// wrongs is I17. Of a deployment whose rule changed meanwhile the edges are those
// of two files, so that they are not counted.
func (k *checker) wrongs() []string {
	var wrong []string
	for _, id := range k.ids() {
		if k.changed[id] {
			wrong = append(wrong, k.twice(id)...)
			continue
		}
		wrong = append(wrong, k.outcomesOf(id)...)
	}
	return wrong
}

// compare runs the scenario with blows and holds the end against the calm one.
func (s *scenario) compare(t *testing.T, n *setting, calm life, blows map[int]blow) {
	got := s.live(n, blows, nil)
	var wrong []string
	if got.err != nil {
		wrong = append(wrong, got.err.Error())
	} else {
		wrong = append(got.wrongs(), got.sameEnd(calm)...)
	}
	if len(wrong) > 0 {
		t.Errorf("with %v:\n  %s\n%s", blows, strings.Join(wrong, "\n  "), got.timeline(80))
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
			wrong = append(wrong, fmt.Sprintf("I18: %s ends %s, without a crash %s, and nothing says why", id, got, want))
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

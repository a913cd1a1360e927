package scheduler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// crons is a policy with several lines for each power.
func crons(name string, starts, stops []string, ids ...policy.DeploymentID) policy.Spec {
	s := spec(name, "", "", ids...)
	for i, expr := range starts {
		s.Start = append(s.Start, policy.Cron{Expr: expr, Pos: policy.Pos{File: "t.yaml", Line: 10 + i}})
	}
	for i, expr := range stops {
		s.Stop = append(s.Stop, policy.Cron{Expr: expr, Pos: policy.Pos{File: "t.yaml", Line: 20 + i}})
	}
	return s
}

func fleetOf(n int) (ids []policy.DeploymentID) {
	for i := range n {
		ids = append(ids, policy.DeploymentID(fmt.Sprintf("d%03d", i)))
	}
	return ids
}

func TestFeasible(t *testing.T) {
	t.Parallel()
	day := func(at string) []string { return []string{at} }
	for _, c := range []struct {
		name  string
		specs []policy.Spec
		scope quota.Scope
		n     int // calls in an hour
		want  []string
	}{
		{"office hours", []policy.Spec{spec("p", "0 8 * * MON-FRI", "0 20 * * *", "a", "b")}, quota.Deployment, 1, nil},
		{"every other hour", []policy.Spec{crons("p", day("0 1-23/2 * * *"), day("0 */2 * * *"), "a")}, quota.Deployment, 1, nil},
		{"every hour is a margin too often: it adds up",
			[]policy.Spec{crons("p", day("30 * * * *"), day("0 * * * *"), "a")}, quota.Deployment, 1, []string{
				"p stopped deployment: 2026-11-27 12:00 skipped ×8 of line 20",
			}},
		{"the second start of an hour, so the stop between them is not made",
			[]policy.Spec{crons("p", []string{"30 7 * * *", "10 8 * * *"}, []string{"0 8 * * *", "0 20 * * *"}, "a", "b")}, quota.Deployment, 1,
			[]string{"p stopped deployment: 2026-11-24 08:00 skipped ×60 of line 20"}},
		{"two stops with no start between them are one call",
			[]policy.Spec{crons("p", day("0 6 * * *"), []string{"0 20 * * *", "20 20 * * *"}, "a")}, quota.Deployment, 1, nil},
		{"but people may act between two stops of a policy that only stops",
			[]policy.Spec{crons("p", nil, []string{"0 20 * * *", "20 20 * * *"}, "a")}, quota.Deployment, 1,
			[]string{"p stopped deployment: 2026-11-24 20:20 40m3.6s late ×30 of line 21"}},
		{"a quota of two carries them",
			[]policy.Spec{crons("p", nil, []string{"0 20 * * *", "20 20 * * *"}, "a")}, quota.Deployment, 2, nil},
		{"two at once, where the key shares one stop an hour",
			[]policy.Spec{spec("p", "", "0 20 * * *", "a"), spec("q", "", "0 20 * * *", "b")}, quota.Key, 1,
			[]string{"q stopped key: 2026-11-24 20:00 1h0m3.6s late ×30 of line 3"}},
		{"four at once, where it shares two",
			[]policy.Spec{spec("p", "", "0 20 * * *", "a", "b", "c", "d")}, quota.Key, 2,
			[]string{"p stopped key: 2026-11-24 20:00 1h0m3.6s late ×60 of line 3"}},
		{"auto tries both", []policy.Spec{spec("p", "", "0 20 * * *", "a", "b")}, quota.Auto, 1,
			[]string{"p stopped key: 2026-11-24 20:00 1h0m3.6s late ×30 of line 3"}},
		{"two starts at once over one key: one deployment is not stopped",
			[]policy.Spec{crons("p", day("0 8 * * *"), day("0 20 * * *"), "a"), crons("q", day("0 8 * * *"), day("0 18 * * *"), "b")}, quota.Key, 1,
			[]string{"q running key: 2026-11-24 08:00 skipped ×30 of line 10"}},
		{"but where nothing is stopped, one comes late",
			[]policy.Spec{spec("p", "0 8 * * *", "", "a", "b")}, quota.Key, 1,
			[]string{"p running key: 2026-11-24 08:00 1h0m3.6s late ×30 of line 2"}},
		{"a policy of nobody needs nothing", []policy.Spec{crons("p", nil, []string{"0 20 * * *", "20 20 * * *"})}, quota.Auto, 1, nil},
		{"a whole fleet at once over one key is given up", []policy.Spec{spec("p", "", "0 20 * * *", fleetOf(500)...)}, quota.Key, 1,
			[]string{"p stopped key: 2026-11-24 20:00 24h1m26.4s late ×14996 of line 3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			limits := documented
			for m := range limits {
				limits[m].N, limits[m].Scope = c.n, c.scope
			}
			from := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
			var got []string
			all, err := Feasible(Config{Set: compile(t, c.specs...), Quotas: limits}, byFile, from, from.AddDate(0, 0, 30), waiting)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range all {
				how := i.Late.Round(100*time.Millisecond).String() + " late"
				if i.Skipped {
					how = "skipped"
				}
				got = append(got, fmt.Sprintf("%s %s %s: %s %s ×%d of line %d", i.Policy.Name(), i.Power, i.Scope,
					i.First.Format("2006-01-02 15:04"), how, i.Count, i.Because.Pos.Line))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("infeasible\n got  %q\n want %q", got, c.want)
			}
		})
	}
}

// byFile is the name of a deployment of which the file alone is known.
func byFile(m policy.Member) string { return m.Name }

// waiting is somebody who waits for the answer, however long it takes.
func waiting() error { return nil }

// TestFeasibleBarred: who is never stopped needs no stop and therefore no start,
// and who bears another name than the file asserts needs nothing.
func TestFeasibleBarred(t *testing.T) {
	t.Parallel()
	limits := documented
	for m := range limits {
		limits[m].N, limits[m].Scope = 1, quota.Key
	}
	s := spec("p", "0 8 * * *", "0 20 * * *", "a", "b", "c")
	s.Deployments[2].Name = "gamma"
	set := compile(t, s)
	from := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		protect string
		gamma   string // what c is called
		want    map[policy.Power]int
	}{
		{"", "gamma", map[policy.Power]int{policy.Running: 60, policy.Stopped: 60}},
		{"", "delta", map[policy.Power]int{policy.Running: 30, policy.Stopped: 30}},
		{"b", "gamma", map[policy.Power]int{policy.Running: 30, policy.Stopped: 30}},
		{"GAM*", "gamma", map[policy.Power]int{policy.Running: 30, policy.Stopped: 30}},
		{"b", "delta", map[policy.Power]int{}},
	} {
		name := func(m policy.Member) string {
			if m.ID == "c" {
				return c.gamma
			}
			return string(m.ID)
		}
		var entries []policy.Pattern
		if c.protect != "" {
			entries = append(entries, policy.Pattern{Text: c.protect})
		}
		cfg := Config{Set: set, Quotas: limits, Protect: policy.NewProtection(entries, set.Policies)}
		got := map[policy.Power]int{}
		all, err := Feasible(cfg, name, from, from.AddDate(0, 0, 30), waiting)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range all {
			got[i.Power] += i.Count
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("protect %q, c is called %s: infeasible %v, want %v", c.protect, c.gamma, got, c.want)
		}
	}
}

// TestFeasibleStartedAlone: a policy that only starts does so with who is
// protected, too.
func TestFeasibleStartedAlone(t *testing.T) {
	t.Parallel()
	limits := documented
	limits[quota.Start].N, limits[quota.Start].Scope = 1, quota.Key
	set := compile(t, spec("p", "0 8 * * *", "", "a", "b"))
	from := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	c := Config{Set: set, Quotas: limits, Protect: policy.NewProtection([]policy.Pattern{{Text: "a"}}, set.Policies)}
	all, err := Feasible(c, byFile, from, from.AddDate(0, 0, 1), waiting)
	if err != nil || len(all) != 1 || all[0].Count != 1 || all[0].Skipped {
		t.Errorf("infeasible %+v, error %v; want one start that is late", all, err)
	}
}

// TestFeasibleEnds: nobody has to wait for an answer that nobody wants any more.
func TestFeasibleEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	set := compile(t, spec("p", "1-59/2 * * * *", "*/2 * * * *", "a"))
	from := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	all, err := Feasible(Config{Set: set, Quotas: documented}, byFile, from, from.AddDate(9, 0, 0), ctx.Err)
	if !errors.Is(err, context.Canceled) || len(all) > 0 {
		t.Errorf("of a context that has ended: %v, error %v", all, err)
	}
}

// BenchmarkFeasible is what check proves of 200 policies with 20 deployments
// each over 400 days.
func BenchmarkFeasible(b *testing.B) {
	var specs []policy.Spec
	for i := range 200 {
		var ids []policy.DeploymentID
		for j := range 20 {
			ids = append(ids, policy.DeploymentID(fmt.Sprintf("p%03dd%02d", i, j)))
		}
		specs = append(specs, spec(fmt.Sprintf("p%03d", i), fmt.Sprintf("%d 8 * * MON-FRI", i%60), fmt.Sprintf("%d 20 * * *", i%60), ids...))
	}
	set := compile(b, specs...)
	from := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Feasible(Config{Set: set, Quotas: documented}, byFile, from, from.AddDate(0, 0, 400), waiting); err != nil {
			b.Fatal(err)
		}
	}
}

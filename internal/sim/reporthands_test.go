package sim

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// onePower is a week of one deployment under cron lines of one power.
func onePower(t testing.TB, spec policy.Spec, from time.Time) *Report {
	t.Helper()
	spec.Name, spec.Zone, spec.Deployments = "p", "Europe/Berlin", member("d1")
	r, err := Simulate(t.Context(), Options{Config: configOf(t, spec), From: from, Days: 7})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestByHand: a policy of one power finds something to do each day, because
// somebody undoes it: in the morning what it stopped, in the evening what it
// started, and at another time where the policy itself acts then.
func TestByHand(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 12, 1, 11, 0, 0, 0, time.UTC) // a Tuesday, 12:00 in Berlin
	start, stop := policy.Running, policy.Stopped
	for _, c := range []struct {
		name           string
		starts, stops  string
		power          policy.Power
		clock          string
		stopped        time.Duration
		nStarts, nStop int
	}{
		{"every evening", "", "0 20 * * *", start, "09:00", 7 * 13 * time.Hour, 0, 7},
		{"three times a night", "", "0 20,22,0 * * *", start, "09:00", 7 * 13 * time.Hour, 0, 7},
		{"when people come", "", "45 8 * * *", start, "09:30", 7 * 45 * time.Minute, 0, 7},
		{"every hour", "", "0 * * * *", start, "09:30", 7 * (23*time.Hour + 30*time.Minute), 0, 7},
		{"started every morning", "0 8 * * *", "", stop, "18:00", 7 * 14 * time.Hour, 7, 0},
		{"started when people leave", "0 18 * * *", "", stop, "18:30", 7 * (23*time.Hour + 30*time.Minute), 7, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var spec policy.Spec
			if c.starts != "" {
				spec.Start = []policy.Cron{{Expr: c.starts}}
			}
			if c.stops != "" {
				spec.Stop = []policy.Cron{{Expr: c.stops}}
			}
			r := onePower(t, spec, noon)
			if diff := cmp.Diff([]Hand{{"p", c.power, c.clock, "Europe/Berlin"}}, r.ByHand); diff != "" {
				t.Errorf("people (- want, + got):\n%s", diff)
			}
			if r.Calls[quota.Start] != c.nStarts || r.Calls[quota.Stop] != c.nStop || r.OverQuota+r.Repeated+r.Limited > 0 {
				t.Errorf("%d starts and %d stops, over quota %d, repeated %d, 429 %d; want %d and %d",
					r.Calls[quota.Start], r.Calls[quota.Stop], r.OverQuota, r.Repeated, r.Limited, c.nStarts, c.nStop)
			}
			if got := r.Powers[0].Stopped; (got - c.stopped).Abs() > time.Hour {
				t.Errorf("stopped for %s, want about %s", got, c.stopped)
			}
		})
	}
}

// TestByHandBegins: at the beginning a deployment is as who acted last left it.
func TestByHandBegins(t *testing.T) {
	t.Parallel()
	spec := policy.Spec{Name: "p", Zone: "UTC", Deployments: member("d1"), Stop: []policy.Cron{{Expr: "0 20 * * MON-FRI"}}}
	for from, want := range map[string]policy.Power{
		"2026-12-01T21:00:00Z": policy.Stopped, "2026-12-02T08:59:00Z": policy.Stopped,
		"2026-12-02T09:00:00Z": policy.Running, "2026-12-02T19:59:00Z": policy.Running,
		"2026-12-05T08:00:00Z": policy.Stopped, "2026-12-06T21:00:00Z": policy.Running, // a Sunday
	} {
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Config: configOf(t, spec), From: at, Days: 1}
		if got := o.left(o.Config.Set.Policies[0]); got != want {
			t.Errorf("at %s it is %s, want %s", from, got, want)
		}
	}
}

// TestDryRunSavesNothing: whoever asks what a dry run saves is told that it is
// nothing, whatever the policy would want by the beginning.
func TestDryRunSavesNothing(t *testing.T) {
	t.Parallel()
	specs := []policy.Spec{
		{Name: "both", Zone: "UTC", Deployments: member("d1"), Start: []policy.Cron{{Expr: "0 8 * * *"}}, Stop: []policy.Cron{{Expr: "0 20 * * *"}}},
		{Name: "stops", Zone: "UTC", Deployments: member("d2"), Stop: []policy.Cron{{Expr: "0 20 * * *"}}},
		{Name: "starts", Zone: "UTC", Deployments: member("d3"), Start: []policy.Cron{{Expr: "0 8 * * *"}}},
	}
	midnight := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	whole := Options{Config: configOf(t, specs...), From: midnight, Days: 3}
	whole.Config.DryRun = true
	for i := range specs {
		specs[i].Options.DryRun = true
	}
	for _, o := range []Options{whole, {Config: configOf(t, specs...), From: midnight, Days: 3}} {
		r, err := Simulate(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.ByHand) > 0 || r.Calls[quota.Start]+r.Calls[quota.Stop] > 0 {
			t.Errorf("people %v, %d starts, %d stops; want none", r.ByHand, r.Calls[quota.Start], r.Calls[quota.Stop])
		}
		for _, p := range r.Powers {
			if !p.DryRun || p.Stopped > 0 || p.Running != 72*time.Hour {
				t.Errorf("%s: dry run %v, running %s, stopped %s; want it running for 72h", p.Deployment, p.DryRun, p.Running, p.Stopped)
			}
		}
	}
}

// TestNames: an inventory's names are the platform's, and who bears another one
// than the file asserts is left alone.
func TestNames(t *testing.T) {
	t.Parallel()
	spec := policy.Spec{
		Name: "p", Zone: "UTC", Deployments: []policy.Member{{ID: "d1"}, {ID: "d2", Name: "two"}},
		Start: []policy.Cron{{Expr: "0 8 * * *"}}, Stop: []policy.Cron{{Expr: "0 20 * * *"}},
	}
	names := map[policy.DeploymentID]string{"d1": "one", "d2": "three"}
	r, err := Simulate(t.Context(), Options{
		Config: configOf(t, spec), From: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), Days: 2,
		Name: func(m policy.Member) string { return names[m.ID] },
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Calls[quota.Start] != 2 || r.Calls[quota.Stop] != 2 {
		t.Errorf("%d starts, %d stops; want two of each, for d1 alone", r.Calls[quota.Start], r.Calls[quota.Stop])
	}
	for i, want := range []string{"one", "three"} {
		if got := r.Powers[i]; got.Name != want || (got.Stopped > 0) != (want == "one") {
			t.Errorf("%s is called %s and was stopped for %s", got.Deployment, got.Name, got.Stopped)
		}
	}
}

// TestByHandOfProtected: nobody starts by hand what is never stopped, and no
// pattern of protect meets a name that only the simulation knows.
func TestByHandOfProtected(t *testing.T) {
	t.Parallel()
	spec := policy.Spec{Name: "p", Zone: "UTC", Deployments: member("d1"), Stop: []policy.Cron{{Expr: "0 20 * * *"}}}
	for protect, stops := range map[string]int{"d1": 0, "sim-*": 3, "deployment*": 3, "*": 0, "prod-*": 3} {
		o := Options{Config: configOf(t, spec), From: time.Date(2026, 12, 1, 11, 0, 0, 0, time.UTC), Days: 3}
		o.Config.Protect = policy.NewProtection([]policy.Pattern{{Text: protect}}, o.Config.Set.Policies)
		r, err := Simulate(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Calls[quota.Stop] != stops || (len(r.ByHand) > 0) != (stops > 0) {
			t.Errorf("protect %q: %d stops, people %v; want %d stops", protect, r.Calls[quota.Stop], r.ByHand, stops)
		}
	}
}

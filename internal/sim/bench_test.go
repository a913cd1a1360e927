package sim

import (
	"context"
	"fmt"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// BenchmarkYear is one simulated year of 100 deployments, each stopped every
// evening, started every morning and looked at every five minutes.
func BenchmarkYear(b *testing.B) {
	spec := policy.Spec{
		Name: "office", Zone: "Europe/Berlin",
		Start: []policy.Cron{{Expr: "0 8 * * MON-FRI"}}, Stop: []policy.Cron{{Expr: "0 20 * * *"}},
	}
	for i := range 100 {
		spec.Deployments = append(spec.Deployments, policy.Member{ID: policy.DeploymentID(fmt.Sprintf("d%03d", i))})
	}
	o := Options{
		Config: configOf(b, spec), Days: 365,
		From: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
	}
	for b.Loop() {
		r, err := Simulate(context.Background(), o)
		if err != nil {
			b.Fatal(err)
		}
		if r.OverQuota > 0 || r.Repeated > 0 || len(r.Waiting) > 0 {
			b.Fatalf("over quota %d, repeated %d, waiting %v", r.OverQuota, r.Repeated, r.Waiting)
		}
		b.ReportMetric(float64(r.Calls[quota.Get]), "looks")
	}
}

// configOf is the configuration of a file with these policies.
func configOf(t testing.TB, specs ...policy.Spec) scheduler.Config {
	t.Helper()
	c := scheduler.Config{Account: "default", ObserveEvery: scheduler.DefaultObserveEvery, Set: compile(t, specs...)}
	for m := range c.Quotas {
		c.Quotas[m] = quota.Documented(quota.Method(m))
	}
	return c
}

// compile compiles policies; what the tests write has no problems.
func compile(t testing.TB, specs ...policy.Spec) *policy.Set {
	t.Helper()
	zones := map[string]*time.Location{}
	for _, s := range specs {
		loc, err := time.LoadLocation(s.Zone)
		if err != nil {
			t.Fatalf("load zone: %v", err)
		}
		zones[s.Zone] = loc
	}
	set, problems := policy.Compile(specs, policy.Env{Zones: zones})
	for _, p := range problems {
		if !p.Warning {
			t.Fatalf("compile policies: %v", p)
		}
	}
	return set
}

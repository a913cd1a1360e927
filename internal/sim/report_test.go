package sim

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// office is two deployments that are stopped every evening and started on the
// mornings of the week.
func office(t testing.TB) Options {
	return Options{
		Config: configOf(t, policy.Spec{
			Name: "office", Zone: "Europe/Berlin", Deployments: []policy.Member{{ID: "d1"}, {ID: "d2"}},
			Start: []policy.Cron{{Expr: "0 8 * * MON-FRI"}}, Stop: []policy.Cron{{Expr: "0 20 * * *"}},
		}),
		From: time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC), // a Monday, noon in Berlin
		Days: 7,
	}
}

// TestWeek counts a week on a platform on which nothing goes wrong: seven stops,
// of which those of the weekend find nothing to do, and five starts, for each.
func TestWeek(t *testing.T) {
	t.Parallel()
	r, err := Simulate(context.Background(), office(t))
	if err != nil {
		t.Fatal(err)
	}
	if r.Calls[quota.Start] != 10 || r.Calls[quota.Stop] != 10 || r.OverQuota+r.Repeated+r.Limited != 0 {
		t.Errorf("%d starts, %d stops, over quota %d, repeated %d, 429 %d; want 10, 10 and none",
			r.Calls[quota.Start], r.Calls[quota.Stop], r.OverQuota, r.Repeated, r.Limited)
	}
	want := []OutcomeCount{
		{scheduler.Done, scheduler.ReasonNone, 20},
		{scheduler.Already, scheduler.ReasonNone, 4},
		{scheduler.Skipped, scheduler.ReasonActivation, 2},
	}
	if diff := cmp.Diff(want, r.Outcomes); diff != "" {
		t.Errorf("outcomes (- want, + got):\n%s", diff)
	}
	for m, p := range r.Peaks {
		if p.Deployment.Requests > p.Limit.N {
			t.Errorf("%s: %d of %d in one window", quota.Method(m), p.Deployment.Requests, p.Limit.N)
		}
	}
	for _, l := range r.Lateness {
		if l.Cause != scheduler.CauseOnTime || l.Max < 0 || l.Max > time.Second {
			t.Errorf("%d calls are late by up to %s: %s", l.Calls, l.Max, l.Cause)
		}
	}
	for _, p := range r.Powers {
		// From 20:00 to 08:00 five times, and the weekend; a minute is for what takes time.
		if off := 5*12*time.Hour + 48*time.Hour; (p.Stopped - off).Abs() > time.Hour {
			t.Errorf("%s was stopped for %s, want about %s", p.Deployment, p.Stopped, off)
		}
	}
}

// TestSameSeedSameReport also shows that a bad month is survived.
func TestSameSeedSameReport(t *testing.T) {
	t.Parallel()
	o := office(t)
	o.Days, o.Faults, o.Seed = 60, LightFaults, 7
	first, err := Simulate(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Simulate(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two reports of one seed differ:\n%s", diff)
	}
	o.Seed = 8
	if other, err := Simulate(context.Background(), o); err != nil || cmp.Equal(first, other) {
		t.Errorf("another seed gives the same report, error %v", err)
	}
	if first.OverQuota > 0 || first.Repeated > 0 {
		t.Errorf("over quota %d, repeated %d", first.OverQuota, first.Repeated)
	}
}

// TestPerKey lets the platform count over the whole key: the scope is learned by
// one rejected call of each method, and the rest waits its turn.
func TestPerKey(t *testing.T) {
	t.Parallel()
	o := office(t)
	o.PerKey = true
	r, err := Simulate(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.OverQuota > quota.Methods || r.Peaks[quota.Stop].Key.Requests > r.Peaks[quota.Stop].Limit.N+1 {
		t.Errorf("%d calls over quota, up to %d stops in a window", r.OverQuota, r.Peaks[quota.Stop].Key.Requests)
	}
}

func TestSimulateRefuses(t *testing.T) {
	t.Parallel()
	o := office(t)
	for name, change := range map[string]func(*Options){
		"no days": func(o *Options) { o.Days = 0 }, "no beginning": func(o *Options) { o.From = time.Time{} },
		"no policies": func(o *Options) { o.Config.Set = nil },
	} {
		bad := o
		change(&bad)
		if _, err := Simulate(context.Background(), bad); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: error %v, want %v", name, err, ErrOptions)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = func(time.Time) { cancel() }
	if _, err := Simulate(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled after a day: error %v", err)
	}
}

// TestSimulateLists: one look for all, and the deployments are known by it.
func TestSimulateLists(t *testing.T) {
	t.Parallel()
	spec := policy.Spec{
		Name: "office", Zone: "UTC", Stop: []policy.Cron{{Expr: "0 20 * * *"}}, Start: []policy.Cron{{Expr: "0 8 * * *"}},
		Deployments: []policy.Member{{ID: "a"}, {ID: "b"}, {ID: "c"}},
	}
	o := Options{Config: configOf(t, spec), Days: 2, From: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	each, err := Simulate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Config.ObserveList = true
	list, err := Simulate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if list.Calls[quota.Stop] != 6 || list.OverQuota+list.Repeated+list.Limited != 0 {
		t.Errorf("%d stops, over quota %d, repeated %d, limited %d", list.Calls[quota.Stop], list.OverQuota, list.Repeated, list.Limited)
	}
	if list.Calls[quota.Get] > each.Calls[quota.Get]*2/3 {
		t.Errorf("%d GETs with lists, %d with single looks", list.Calls[quota.Get], each.Calls[quota.Get])
	}
}

package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"curfew/internal/simplatform"
	"curfew/policy"
)

// member is one deployment of a policy.
func member(id policy.DeploymentID) []policy.Member { return []policy.Member{{ID: id}} }

// morning is one deployment that is started at 08:00 and stopped at 20:00 on the
// days of the week, by a start that takes five minutes.
func morning(t testing.TB, lead time.Duration) Options {
	return Options{
		Config: configOf(t, policy.Spec{
			Name: "office", Zone: "Europe/Berlin", Deployments: member("d1"), Options: policy.Options{StartLead: lead},
			Start: []policy.Cron{{Expr: "0 8 * * MON-FRI"}}, Stop: []policy.Cron{{Expr: "0 20 * * MON-FRI"}},
		}),
		From: time.Date(2026, 3, 23, 11, 0, 0, 0, time.UTC), Days: 14, StartTakes: 5 * time.Minute,
	}
}

// TestLateStarts: without a lead people wait for the five minutes that a start
// takes, on every day, and the report says which lead they want; with it nobody
// waits, across the change of the clocks as well.
func TestLateStarts(t *testing.T) {
	t.Parallel()
	r, err := Simulate(t.Context(), morning(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	berlin := r.Starts[0].WorstAt.Location()
	want := []Starts{{
		Deployment: "d1", Policy: "office", Nominal: "08:00", Zone: "Europe/Berlin", Late: 10,
		Median: 5 * time.Minute, P95: 5 * time.Minute, Worst: 5 * time.Minute, WorstAt: time.Date(2026, 3, 24, 8, 0, 0, 0, berlin),
	}}
	if diff := cmp.Diff(want, r.Starts); diff != "" {
		t.Errorf("starts without a lead (- want, + got):\n%s", diff)
	}
	if diff := cmp.Diff([]Lead{{Policy: "office", Needed: 5 * time.Minute, Late: 10, Helped: 10}}, r.Leads); diff != "" {
		t.Errorf("the lead that is needed (- want, + got):\n%s", diff)
	}
	if r, err = Simulate(t.Context(), morning(t, r.Leads[0].Needed)); err != nil {
		t.Fatal(err)
	}
	if s := r.Starts[0]; s.InTime != 10 || s.Late+s.Never > 0 || len(r.Leads) > 0 {
		t.Errorf("with that lead: %+v, hints %+v; want all ten in time", s, r.Leads)
	}
}

// TestLeadHolds: where nothing goes wrong, the lead that a report asks for leaves
// nobody waiting, whatever the hours, the zone and the time that a start takes.
func TestLeadHolds(t *testing.T) {
	t.Parallel()
	test := t
	rapid.Check(t, func(t *rapid.T) {
		hour, minute := rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute")
		spec := policy.Spec{
			Name: "p", Deployments: []policy.Member{{ID: "a"}, {ID: "b"}},
			Zone:    rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}).Draw(t, "zone"),
			Options: policy.Options{StartLead: time.Duration(rapid.IntRange(0, 5).Draw(t, "lead")) * time.Minute},
			Start:   []policy.Cron{{Expr: fmt.Sprintf("%d %d * * *", minute, hour)}},
			Stop:    []policy.Cron{{Expr: fmt.Sprintf("%d %d * * *", minute, (hour+rapid.IntRange(6, 18).Draw(t, "for"))%24)}},
		}
		o := Options{
			Days: 9, From: time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 24, 0, 0, 0, 0, time.UTC),
			StartTakes: time.Duration(rapid.IntRange(1, 3000).Draw(t, "seconds")) * time.Second,
		}
		o.Config = configOf(test, spec)
		r, err := Simulate(test.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		late := lateOf(r)
		if late == 0 && len(r.Leads) == 0 {
			return // its own lead is long enough
		}
		if len(r.Leads) != 1 || r.Leads[0].Late != late || r.Leads[0].Helped != late {
			t.Fatalf("%d late starts, and the report says %+v of them", late, r.Leads)
		}
		spec.Options.StartLead = r.Leads[0].Needed
		o.Config = configOf(test, spec)
		again, err := Simulate(test.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if n := lateOf(again); n > 0 {
			t.Fatalf("start_lead: %s leaves %d late: %+v", r.Leads[0].Needed, n, again.Starts)
		}
	})
}

func lateOf(r *Report) int {
	n := 0
	for _, s := range r.Starts {
		n += s.Late + s.Never
	}
	return n
}

// TestNoRoomForALead: a lead is no answer where the stop before leaves no room,
// nor where hours are missing.
func TestNoRoomForALead(t *testing.T) {
	t.Parallel()
	o := morning(t, 0)
	o.Config = configOf(t, policy.Spec{
		Name: "p", Zone: "UTC", Deployments: member("d1"),
		Start: []policy.Cron{{Expr: "5 8 * * *"}}, Stop: []policy.Cron{{Expr: "0 8 * * *"}},
	})
	r, err := Simulate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Leads) != 1 || !r.Leads[0].Capped || r.Leads[0].Helped > 0 || r.Leads[0].Needed != 0 {
		t.Errorf("a stop five minutes before the start: %+v, want a lead that is capped", r.Leads)
	}
}

// TestArrivals holds starts against made-up histories.
func TestArrivals(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return time.Date(2026, 11, 24, 8, minute, 0, 0, time.UTC) }
	change := func(minute int, s simplatform.Status) simplatform.Change {
		return simplatform.Change{At: at(minute), Status: s}
	}
	early := change(-60, simplatform.Stopped)
	for name, c := range map[string]struct {
		history []simplatform.Change
		after   time.Duration
		ran     bool
	}{
		"running for long": {[]simplatform.Change{change(-60, simplatform.Running)}, 0, true},
		"just now":         {[]simplatform.Change{early, change(0, simplatform.Starting), change(0, simplatform.Running)}, 0, true},
		"later":            {[]simplatform.Change{early, change(0, simplatform.Starting), change(4, simplatform.Running)}, 4 * time.Minute, true},
		"taken back first": {[]simplatform.Change{early, change(1, simplatform.Stopped), change(9, simplatform.Running)}, 9 * time.Minute, true},
		"after the run":    {[]simplatform.Change{early, change(30, simplatform.Running)}, 0, false},
		"stopped by then":  {[]simplatform.Change{change(-60, simplatform.Running), change(-1, simplatform.Stopping)}, 0, false},
		"nothing is known": {nil, 0, false},
	} {
		after, ran := ranAfter(c.history, arrival{at: at(0), until: at(30)})
		if after != c.after || ran != c.ran {
			t.Errorf("%s: %s, %v; want %s, %v", name, after, ran, c.after, c.ran)
		}
	}
}

// TestSpread: of twenty starts the median is the tenth, and the 95th the
// nineteenth.
func TestSpread(t *testing.T) {
	t.Parallel()
	var late []time.Duration
	for i := range 20 {
		late = append(late, time.Duration(20-i)*time.Minute)
	}
	var s Starts
	s.spread(late)
	if s.Median != 10*time.Minute || s.P95 != 19*time.Minute {
		t.Errorf("median %s, 95 %% %s; want 10m and 19m", s.Median, s.P95)
	}
	s = Starts{}
	s.spread([]time.Duration{time.Minute})
	if s.Median != time.Minute || s.P95 != time.Minute {
		t.Errorf("of one: median %s, 95 %% %s; want 1m", s.Median, s.P95)
	}
}

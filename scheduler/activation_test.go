package scheduler

import (
	"testing"
	"time"

	"curfew/policy"
)

// TestActivationSaysWhatComes: whoever adds a deployment learns what the daemon
// will do next, since nothing of what lies behind is done.
func TestActivationSaysWhatComes(t *testing.T) {
	t.Parallel()
	led := evening("d1")
	led.Options.StartLead = 10 * time.Minute
	once := spec("once", "", "0 20 24 11 *", "d1")
	for _, tc := range []struct {
		name, at string
		spec     policy.Spec
		next     policy.Power
		nextAt   string
	}{
		{"between start and stop", "12:00", evening("d1"), policy.Stopped, "20:00"},
		{"after the stop", "21:00", evening("d1"), policy.Running, "+1 08:00"},
		{"a lead is part of the start", "07:30", led, policy.Running, "07:50"},
		{"inside the lead, what is due already", "07:55", led, policy.Running, "07:50"},
		{"a stop alone", "19:00", once, policy.Stopped, "20:00"},
	} {
		g := start(t, tc.at, compile(t, tc.spec))
		var got []Changed
		for _, n := range g.notices {
			if c, ok := n.(Changed); ok {
				got = append(got, c)
			}
		}
		if len(got) != 1 || got[0].What != ChangeActivated || got[0].Next != tc.next || !got[0].NextAt.Equal(g.clockTime(tc.nextAt)) {
			t.Errorf("%s: told %+v, want one activation with %s at %s", tc.name, got, tc.next.Action(), tc.nextAt)
		}
	}
}

// TestSnapshotMarksDryRun: a policy is dry by its own word, or by the account's.
func TestSnapshotMarksDryRun(t *testing.T) {
	t.Parallel()
	dry, wet := evening("d1"), evening("d2")
	dry.Name, dry.Options.DryRun = "dry", true
	for _, account := range []bool{false, true} {
		g := start(t, "12:00", compile(t, dry, wet), func(c *Config) { c.DryRun = account })
		for _, p := range g.f.Snapshot(g.now()).Policies {
			if want := account || p.Name == "dry"; p.DryRun != want {
				t.Errorf("account dry %v, policy %s: dry %v, want %v", account, p.Name, p.DryRun, want)
			}
		}
	}
}

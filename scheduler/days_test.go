package scheduler

import (
	"testing"

	"curfew/policy"
)

// frozen is the office's evening with days on which one effect holds.
func frozen(t *testing.T, effect policy.Effect, days ...int) *policy.Set {
	t.Helper()
	var dates []policy.Day
	for _, d := range days {
		dates = append(dates, policy.Day{Date: policy.Date{Year: 2026, Month: 11, Day: d}, Name: "day"})
	}
	s := evening("d1")
	s.Except = []policy.Exception{{Calendar: "freeze", Effect: effect, Pos: policy.Pos{File: "t.yaml", Line: 7}}}
	set, problems := policy.Compile([]policy.Spec{s}, policy.Env{
		Zones: zonesUTC(), Calendars: map[string]*policy.Calendar{"freeze": policy.NewCalendar("freeze", dates)},
	})
	if set == nil {
		t.Fatal(problems)
	}
	return set
}

// TestUntouchedDays: nothing is called and nothing enforced on them; at their end
// what is wanted then is one transition, and what fell into them is counted.
func TestUntouchedDays(t *testing.T) {
	t.Parallel()
	g := start(t, "19:00", frozen(t, policy.EffectUntouched, 25, 26))
	g.replies = []reply{{status: 201, then: "stopped"}, {status: 201, then: "stopped"}}
	g.to("20:05")
	g.status["d1"] = "running" // a person starts it for the night before the freeze
	g.to("+2 23:00")
	g.wantCalls("20:00:00 stop d1")
	g.wantOutcomes("20:00 stop done")
	g.to("+3 00:05")
	g.wantCalls("20:00:00 stop d1", "00:00:00 stop d1")
	g.wantOutcomes("20:00 stop done", "08:00 start skipped untouched ×4", "00:00 stop done")
}

// TestARestartInUntouchedDays settles nothing and calls nothing.
func TestARestartInUntouchedDays(t *testing.T) {
	t.Parallel()
	g := start(t, "19:00", frozen(t, policy.EffectUntouched, 25))
	g.replies = []reply{{status: 201, then: "stopped"}}
	g.to("+1 10:00")
	g.restart(6 * 3600e9)
	g.to("+1 23:59")
	g.wantCalls("20:00:00 stop d1")
	g.to("+2 08:00:01")
	g.wantCalls("20:00:00 stop d1", "08:00:00 start d1")
}

// TestActivatedOnAnUntouchedDay: there is nothing to skip.
func TestActivatedOnAnUntouchedDay(t *testing.T) {
	t.Parallel()
	g := start(t, "19:00", frozen(t, policy.EffectUntouched, 24))
	if len(g.outcomes) != 0 {
		t.Errorf("outcomes %+v, want none", g.outcomes)
	}
	g.to("+1 00:00:01")
	g.wantCalls("00:00:00 stop d1") // the end of the day wants what the evening before it asked for
}

// TestStoppedDay: stopped at its begin, and no start on it.
func TestStoppedDay(t *testing.T) {
	t.Parallel()
	g := start(t, "12:00", frozen(t, policy.EffectStopped, 24, 25))
	g.to("+2 07:59")
	g.wantCalls()
	g.to("+2 08:00:30")
	g.wantOutcomes("08:00 start already") // nobody has stopped it: the day was half over
}

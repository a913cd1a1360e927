package scheduler

import (
	"testing"
	"time"

	"curfew/policy"
)

// What these tests hold was found by the simulation's seeds.

// inZone compiles the evening of d1 in a zone that bears the name Here.
func inZone(t *testing.T, loc *time.Location) *policy.Set {
	t.Helper()
	s := evening("d1")
	s.Zone = "Here"
	set, problems := policy.Compile([]policy.Spec{s}, policy.Env{Zones: map[string]*time.Location{"Here": loc}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return set
}

// TestNewZoneDataIsAChangedRule: a new tzdata moves the edges of a policy whose
// text stays as it was, and acts on the past as little as a new text does.
func TestNewZoneDataIsAChangedRule(t *testing.T) {
	t.Parallel()
	west, east := time.FixedZone("", 0), time.FixedZone("", 3600)
	for name, replace := range map[string]func(*rig, *policy.Set){
		"by a reload":  func(g *rig, s *policy.Set) { g.reload(s) },
		"by a restart": func(g *rig, s *policy.Set) { g.restart(time.Minute, s) },
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, "12:00", inZone(t, west))
			g.to("19:30")
			replace(g, inZone(t, east)) // by which the stop was at 19:00
			g.to("23:00")
			g.wantCalls()
			g.wantOutcomes("19:00 stop skipped changed")
		})
	}
}

// TestRowOfBeforeZoneData: a ledger whose rows hold the fingerprint without the
// zone's data still tells of the rule that is in force.
func TestRowOfBeforeZoneData(t *testing.T) {
	t.Parallel()
	set := compile(t, evening("d1"))
	g := start(t, "12:00", set)
	g.to("19:59")
	row := g.rows["d1"]
	row.Fingerprint = set.Policies[0].Fingerprint()
	g.rows["d1"] = row
	g.restart(time.Hour)
	g.run(10 * time.Second)
	g.wantCalls("20:59:00 stop d1")
}

// TestChangeUnderAHold: what a hold makes due is the hold's. A rule that changes
// meanwhile does not settle it a second time.
func TestChangeUnderAHold(t *testing.T) {
	t.Parallel()
	short := func(s policy.Spec) policy.Spec { s.Options.CatchUpWithin = time.Hour; return s }
	g := start(t, "12:00", compile(t, short(evening("d1"))))
	g.status["d1"] = "pending" // takes no stop
	g.to("13:00")
	if err := g.f.Ordered(g.now(), Order{
		Kind: OrderHold, Deployment: "d1", Power: policy.Stopped, Until: g.wall.Add(8 * time.Hour), Author: "anna",
	}); err != nil {
		t.Fatal(err)
	}
	g.run(time.Minute)
	g.reload(compile(t, short(spec("evening", "0 8 * * *", "30 13 * * *", "d1")))) // a stop that the hold defers
	g.to("15:00")
	g.wantOutcomes("13:00 stop missed catch_up")
}

// TestBackInsideItsLead: a deployment that leaves the file and comes back while
// the lead of a start runs has that start's outcome already.
func TestBackInsideItsLead(t *testing.T) {
	t.Parallel()
	led := evening("d1")
	led.Options.StartLead = 10 * time.Minute
	g := start(t, "07:00", compile(t, led))
	g.to("07:52")
	g.wantOutcomes("07:50 start already")
	g.reload(compile(t))
	g.run(time.Second)
	g.reload(compile(t, led))
	g.run(time.Second)
	g.reload(compile(t, spec("evening", "0 8 * * *", "55 6 * * *", "d1"))) // another rule, by which it is stopped
	g.run(time.Second)
	g.reload(compile(t, led))
	g.to("07:59")
	g.wantOutcomes("07:50 start already")
}

// TestConvergeBehindAWrongClock: what is settled for an instant that lies ahead
// again, as the clock went back while the daemon was down, makes nothing early.
func TestConvergeBehindAWrongClock(t *testing.T) {
	t.Parallel()
	conv := func(s policy.Spec) policy.Spec { s.Options.Converge = true; return s }
	g := start(t, "12:00", compile(t, conv(evening("d1"))))
	g.run(time.Second)
	g.wall = g.wall.Add(-90 * time.Minute)
	g.date = func(wall time.Time) time.Time { return wall }
	g.restart(time.Minute, compile(t, conv(spec("evening", "0 8 * * *", "0 9,20 * * *", "d1"))))
	g.run(10 * time.Second)
	g.wantCalls("10:31:01 stop d1")
	if at := g.rows["d1"].Attempt.At; at.After(g.clockTime("10:31:02")) {
		t.Errorf("the stop of 10:31:01 was for %s", at)
	}
}

// TestUntouchedIsCountedFromItsMidst: what falls into days on which nothing is
// wanted has its outcome, also where the daemon first saw them, or a new file
// changed the rule, in their midst.
func TestUntouchedIsCountedFromItsMidst(t *testing.T) {
	t.Parallel()
	g := start(t, "19:00", frozen(t, policy.EffectUntouched, 24))
	g.replies = []reply{{status: 201, then: "stopped"}}
	g.to("+1 00:05")
	g.wantOutcomes("20:00 stop skipped untouched", "00:00 stop done")
}

// TestConvergeAtTheInstantOfTheFloor: a transition that was raised for the very
// instant up to which all is settled is settled once, and not for ever.
func TestConvergeAtTheInstantOfTheFloor(t *testing.T) {
	t.Parallel()
	dry := evening("d1")
	dry.Options.DryRun = true
	g := start(t, "12:00", compile(t, dry))
	if err := g.f.Ordered(g.now(), Order{Kind: OrderConverge, Deployment: "d1", Author: "anna"}); err != nil {
		t.Fatal(err)
	}
	g.run(time.Second)
	g.wantOutcomes("12:00 start skipped dry_run")
}

// TestConvergeWhileACallIsInTheAir: a file that is to act at once, and comes
// between a call and its answer, settles that call's transition once, by what
// became of the call, and with the reason of this file, not of an earlier one.
func TestConvergeWhileACallIsInTheAir(t *testing.T) {
	t.Parallel()
	conv := func(s policy.Spec) policy.Spec { s.Options.Converge = true; return s }
	g := start(t, "12:00", compile(t, evening("d1")))
	g.reload(compile(t)) // it leaves the file, with nothing open, and comes back
	g.reload(compile(t, conv(evening("d1"))))
	g.replies = []reply{{status: 422, after: 5 * time.Second}, {status: 201, then: "running"}}
	g.to("20:00:02")
	g.status["d1"] = "stopped"
	g.reload(compile(t, conv(spec("evening", "0 19 * * *", "0 9 * * *", "d1"))))
	g.to("20:10")
	g.wantCalls("20:00:00 stop d1", "20:00:05 start d1")
	g.wantOutcomes("19:00 start superseded", "20:00 stop skipped changed", "20:00 start done")
}

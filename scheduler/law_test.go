package scheduler

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

func TestSeenForTheFirstTimeActsOnNothingPast(t *testing.T) {
	t.Parallel()
	g := start(t, "20:00:01", compile(t, evening("d1")))
	g.to("23:00")
	g.wantCalls()
	if o := g.outcomes; len(o) != 1 || o[0].Kind != Skipped || o[0].Reason != ReasonActivation || o[0].Power != policy.Stopped {
		t.Errorf("outcomes %+v, want the stop of 20:00 skipped for activation", o)
	}
}

func TestRestartCatchesUpAnUnchangedRule(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.replies = []reply{{status: 201, then: "stopped"}}
	g.restart(2 * time.Hour)
	g.run(time.Minute)
	g.wantCalls("21:50:00 stop d1")
	g.wantOutcomes("20:00 stop done")
}

func TestCatchUpWithin(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, minute(spec("nightly", "", "0 20 * * *", "d1"))))
	g.restart(4*time.Hour + 11*time.Minute)
	g.run(time.Minute)
	g.wantCalls()
	g.wantOutcomes("20:00 stop missed catch_up")
}

func TestOutageOfDaysIsOneCallAndACount(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.replies = []reply{{status: 201, then: "stopped"}}
	g.restart(3*24*time.Hour + time.Hour)
	g.run(time.Minute)
	g.wantOutcomes("20:00 stop superseded ×6", "20:00 stop done")
}

func TestAlreadyTakesTwoLooks(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.status["d1"] = "stopped"
	g.to("20:01")
	g.wantCalls()
	g.wantOutcomes("20:00 stop already")
}

func TestOldLookIsNotBelieved(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.status["d1"] = "stopped"
	g.to("19:59:59")
	g.status["d1"] = "running" // a person starts it one second before
	g.to("20:00:02")
	g.wantCalls("20:00:00 stop d1")
}

func TestTransientStatusHoldsAPostBack(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.status["d1"] = "starting"
	g.to("20:03")
	g.wantCalls()
	g.wantWait("d1", WaitTransient)
	g.status["d1"] = "running"
	g.to("20:04:30")
	if len(g.log) != 1 {
		t.Errorf("POSTs %v, want one once it runs", g.log)
	}
}

func TestUnknownStatusIsNotActedOn(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.status["d1"] = "hibernating"
	g.to("21:00")
	g.wantCalls()
	g.wantWait("d1", WaitStatus)
}

func TestPeopleAreRespected(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.replies = []reply{{status: 201, then: "stopped"}}
	g.to("20:10")
	g.status["d1"] = "running"
	g.to("23:30")
	g.wantCalls("20:00:00 stop d1")
}

func TestEnforceCorrects(t *testing.T) {
	t.Parallel()
	s := evening("d1")
	s.Options.Enforce = policy.EnforceStopped
	g := start(t, "19:50", compile(t, s), per(time.Minute))
	g.replies = []reply{{status: 201, then: "stopped"}, {status: 201, then: "stopped"}}
	g.to("20:10")
	g.status["d1"] = "running"
	g.to("20:30")
	if len(g.log) != 2 || !strings.HasSuffix(g.log[1], "stop d1") {
		t.Fatalf("POSTs %v, want the stop and one correction", g.log)
	}
	if o := g.outcomes[len(g.outcomes)-1]; o.Kind != Done || o.Because.Kind != policy.KindEnforce {
		t.Errorf("last outcome %+v, want the correction done", o)
	}
}

func TestEnforceWaitsForTheFirstTransition(t *testing.T) {
	t.Parallel()
	s := evening("d1")
	s.Options.Enforce = policy.EnforceBoth
	g := start(t, "21:00", compile(t, s))
	g.to("23:00")
	g.wantCalls()
}

func TestTooClose(t *testing.T) {
	t.Parallel()
	t.Run("to the next edge of the other power", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, minute(spec("p", "0 21 * * *", "0 20 * * *", "d1"))))
		g.restart(45 * time.Minute) // 20:35
		g.run(10 * time.Minute)
		g.wantCalls()
		g.wantOutcomes("20:00 stop missed too_close")
	})
	t.Run("to the next planned call", func(t *testing.T) {
		t.Parallel()
		s := minute(spec("p", "", "0 20,22 * * *", "d1"))
		g := start(t, "19:50", compile(t, s))
		g.restart(80 * time.Minute) // 21:10: the permit would not be back at 22:00
		g.run(10 * time.Minute)
		g.wantCalls()
		g.wantOutcomes("20:00 stop missed too_close")
	})
	t.Run("to the next planned call of another deployment, where the key shares the quota", func(t *testing.T) {
		t.Parallel()
		one, two := minute(spec("p", "", "0 20 * * *", "d1")), minute(spec("q", "", "0 22 * * *", "d2"))
		g := start(t, "19:50", compile(t, one, two), scoped(quota.Key))
		g.restart(80 * time.Minute) // 21:10
		g.run(10 * time.Minute)
		g.wantCalls()
		g.wantOutcomes("20:00 stop missed too_close")
		g.to("22:00:01")
		g.wantCalls("22:00:00 stop d2")
	})
	t.Run("not within five minutes", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, minute(spec("p", "10 20 * * *", "0 20 * * *", "d1"))))
		g.restart(14 * time.Minute) // 20:04
		g.run(10 * time.Second)
		g.wantCalls("20:04:00 stop d1")
	})
}

func TestNothingIsStoppedThatCannotBeStartedInTime(t *testing.T) {
	t.Parallel()
	// The start of 19:30 uses its permit up until 20:30; the next one is at 20:10.
	s := minute(spec("p", "", "0 20 * * *", "d1"))
	s.Start = []policy.Cron{{Expr: "30 19 * * *"}, {Expr: "10 20 * * *"}}
	g := start(t, "19:20", compile(t, s))
	g.status["d1"] = "stopped"
	g.replies = []reply{{status: 201, then: "running"}}
	g.to("20:05")
	g.wantCalls("19:30:00 start d1")
	g.wantOutcomes("19:30 start done", "20:00 stop skipped quota")
	g.wantAlarm(AlarmInfeasible)
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")), func(c *Config) { c.DryRun = true })
	g.to("20:10")
	g.wantCalls()
	g.wantOutcomes("20:00 stop skipped dry_run")
	if g.gets == 0 {
		t.Error("a dry run observes")
	}
}

func TestChangedRule(t *testing.T) {
	t.Parallel()
	at19 := compile(t, minute(spec("evening", "0 8 * * *", "0 19 * * *", "d1")))
	t.Run("that wants another power now does not act", func(t *testing.T) {
		t.Parallel()
		g := start(t, "18:50", compile(t, evening("d1")))
		g.to("19:30")
		g.reload(at19)
		g.to("23:00")
		g.wantCalls()
		g.wantOutcomes("19:00 stop skipped changed")
	})
	t.Run("with converge it does", func(t *testing.T) {
		t.Parallel()
		g := start(t, "18:50", compile(t, evening("d1")))
		s := minute(spec("evening", "0 8 * * *", "0 19 * * *", "d1"))
		s.Options.Converge = true
		g.to("19:30")
		g.replies = []reply{{status: 201, then: "stopped"}}
		g.reload(compile(t, s))
		g.to("19:35")
		g.wantCalls("19:30:00 stop d1")
		g.wantOutcomes("19:00 stop done")
	})
	t.Run("that wants the same keeps what was settled", func(t *testing.T) {
		t.Parallel()
		g := start(t, "18:50", at19)
		g.replies = []reply{{status: 201, then: "stopped"}}
		g.to("20:30")
		g.reload(compile(t, evening("d1")))
		g.to("23:00")
		g.wantCalls("19:00:00 stop d1")
	})
	t.Run("that wants the same keeps what was due, and its attempts", func(t *testing.T) {
		t.Parallel()
		g := start(t, "18:50", at19)
		g.replies = []reply{{status: 0}, {status: 201, then: "stopped"}}
		g.to("19:30")
		g.reload(compile(t, minute(spec("evening", "0 8 * * *", "15 19 * * *", "d1"))))
		g.to("20:05")
		g.wantCalls("19:00:00 stop d1", "20:02:00 stop d1")
		g.wantOutcomes("19:15 stop done")
	})
	t.Run("while the daemon was down: what was due stays due", func(t *testing.T) {
		t.Parallel()
		g := start(t, "18:50", at19)
		g.replies = []reply{{status: 403}, {status: 201, then: "stopped"}}
		g.to("19:10")
		g.restart(10*time.Minute, compile(t, minute(spec("evening", "0 8 * * *", "5 19 * * *", "d1"))))
		g.to("20:05")
		g.wantCalls("19:00:00 stop d1", "20:00:03 stop d1")
	})
	t.Run("while the daemon was down: nothing else from before the start", func(t *testing.T) {
		t.Parallel()
		g := start(t, "18:30", at19)
		g.restart(2*time.Hour, compile(t, evening("d1")))
		g.to("23:00")
		g.wantCalls()
		g.wantOutcomes("20:00 stop skipped changed")
	})
	t.Run("a renamed policy is an unchanged rule", func(t *testing.T) {
		t.Parallel()
		g := start(t, "18:50", at19)
		g.restart(time.Hour, compile(t, minute(spec("other-name", "0 8 * * *", "0 19 * * *", "d1"))))
		g.run(time.Minute)
		g.wantCalls("19:50:00 stop d1")
	})
}

// TestTheKeysStartsComeInTime: where the key shares one quota of starts, no more
// are stopped than can be started again at eight.
func TestTheKeysStartsComeInTime(t *testing.T) {
	t.Parallel()
	early, late := evening("d1", "d2", "d3", "d4"), minute(spec("late", "0 10 * * *", "0 20 * * *", "e1", "e2"))
	g := start(t, "19:50", compile(t, early, late), scoped(quota.Key), func(c *Config) {
		c.Quotas[quota.Start].N, c.Quotas[quota.Stop].N = 3, 100
	})
	g.to("20:01")
	stopped := map[policy.DeploymentID]int{}
	for _, c := range g.claims {
		if c.Method == quota.Stop {
			stopped[c.Deployment[:1]]++
		}
	}
	if stopped["d"] != 3 || stopped["e"] != 2 {
		t.Errorf("stopped %v, want three of those of 8:00 and both of those of 10:00", stopped)
	}
	g.wantAlarm(AlarmInfeasible)
}

// TestOneLateStartStopsNoOtherStop: what was stopped while nobody knew better may
// be started late; that is no reason to leave others running.
func TestOneLateStartStopsNoOtherStop(t *testing.T) {
	t.Parallel()
	early, other := evening("a1", "a2"), minute(spec("other", "0 12 * * *", "0 22 * * *", "b"))
	g := start(t, "19:50", compile(t, early, other), scoped(quota.Deployment))
	g.replies = []reply{{status: 201, then: "stopped"}, {status: 201, then: "stopped"}}
	g.to("20:30")
	g.cfg.Quotas[quota.Start].Scope = quota.Key // the two cannot both start at eight now
	g.reload(g.cfg.Set)
	g.to("22:00:01")
	if n := len(g.log); n != 3 || g.log[2] != "22:00:00.000 stop b" {
		t.Errorf("POSTs %v, want b stopped too: its start at noon is in time", g.log)
	}
}

// TestStartsThatWereMadeCount: with two starts an hour, one that was made half an
// hour before leaves room for one more.
func TestStartsThatWereMadeCount(t *testing.T) {
	t.Parallel()
	lim := quota.Limit{N: 2, Per: time.Hour}
	plan := &startPlan{lim: lim, used: 1, given: []time.Duration{8 * time.Hour}}
	half := 8*time.Hour + 30*time.Minute
	if !plan.fits(half, true) || plan.fits(half, true) {
		t.Errorf("given %v: want one of two to fit", plan.given)
	}
	if !plan.fits(10*time.Hour, false) || !plan.fits(10*time.Hour, true) || !plan.fits(10*time.Hour, true) || plan.fits(10*time.Hour, true) {
		t.Errorf("given %v: want two at ten, asked about once before", plan.given)
	}
}

// TestADryRunTakesNoPermit of those that call.
func TestADryRunTakesNoPermit(t *testing.T) {
	t.Parallel()
	dry := minute(spec("dry", "30 9 * * *", "", "x"))
	dry.Options.DryRun = true
	g := start(t, "07:50", compile(t, minute(spec("p", "0 8 * * *", "0 20 * * *", "a1", "a2")), dry), scoped(quota.Key))
	g.status["a1"], g.status["a2"] = "stopped", "stopped"
	g.replies = []reply{{status: 201, then: "running"}, {status: 201, then: "running"}}
	g.to("09:10")
	if len(g.log) != 2 {
		t.Errorf("POSTs %v, want the second start an hour after the first", g.log)
	}
}

// TestEnforceAsksForTheKeysStarts before it raises a correction, not after.
func TestEnforceAsksForTheKeysStarts(t *testing.T) {
	t.Parallel()
	s := evening("b1", "b2")
	s.Options.Enforce = policy.EnforceStopped
	g := start(t, "19:50", compile(t, s), scoped(quota.Key), func(c *Config) { c.Quotas[quota.Stop].N = 10 })
	g.to("+1 07:00")
	skipped := 0
	for _, o := range g.outcomes {
		if o.Reason == ReasonQuota {
			skipped++
		}
	}
	if skipped != 1 {
		t.Errorf("%d skipped for the quota in a night, want the one stop that was due", skipped)
	}
}

// TestTheRecordsOfTheGoneAreUsedAgain: names come and go, memory does not grow.
func TestTheRecordsOfTheGoneAreUsedAgain(t *testing.T) {
	t.Parallel()
	g := start(t, "12:00", compile(t, evening("d0")))
	for i := range 60 {
		id := policy.DeploymentID(fmt.Sprintf("d%d", i))
		g.status[id] = "running"
		g.reload(compile(t, evening(id)))
		g.run(time.Hour)
	}
	if n := len(g.f.recs); n > 10 { // looks count for four windows
		t.Errorf("%d records for one deployment after 60 names", n)
	}
	for id, r := range g.f.index {
		if g.f.recs[r].id != id {
			t.Errorf("the record of %s is that of %s", id, g.f.recs[r].id)
		}
	}
	g.to("+3 08:00:01")
	g.reload(compile(t, evening("d0", "d59")))
	g.to("+3 20:00:01")
	if n := len(g.log); n < 2 || g.log[n-1][13:] == g.log[n-2][13:] {
		t.Errorf("POSTs %v, want both stopped on the last evening", g.log)
	}
}

func TestRemovedDeployment(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1", "d2")))
	g.replies = []reply{{status: 403}, {status: 403}}
	g.to("20:10")
	g.reload(compile(t, evening("d2")))
	g.to("21:01")
	g.wantOutcomes("20:00 stop skipped removed")
	if n := len(g.log); n != 3 {
		t.Errorf("POSTs %v, want two and one retry of d2", g.log)
	}
	if !g.rows["d1"].Gone {
		t.Error("the row of d1 does not say that it is gone")
	}
	g.reload(compile(t, evening("d1", "d2")))
	g.to("21:20")
	if o := g.outcomes[len(g.outcomes)-1]; o.Reason != ReasonActivation || o.Deployment != "d1" {
		t.Errorf("last outcome %+v, want d1 activated again", o)
	}
}

func TestSupersededByANewerEdge(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, minute(spec("p", "0 22 * * *", "0 20 * * *", "d1"))))
	g.status["d1"] = "starting"
	g.to("21:29")
	g.wantWait("d1", WaitTransient)
	g.to("21:59")
	g.status["d1"] = "running"
	g.to("22:01")
	g.wantCalls()
	g.wantOutcomes("20:00 stop missed too_close", "22:00 start already")
}

func TestStartWhileAStopIsOpen(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, minute(spec("p", "0 21 * * *", "59 20 * * *", "d1"))))
	g.replies = []reply{{status: 201, then: "stopping"}, {status: 201, then: "running"}}
	g.to("20:59:58")
	g.status["d1"] = "stopped"
	g.to("21:02")
	if len(g.log) != 2 || !strings.HasSuffix(g.log[1], "start d1") {
		t.Fatalf("POSTs %v, want the start once the stop was seen", g.log)
	}
	g.wantOutcomes("20:59 stop done", "21:00 start done")
}

func TestLead(t *testing.T) {
	t.Parallel()
	s := evening("d1")
	s.Options.StartLead = 10 * time.Minute
	t.Run("starts earlier", func(t *testing.T) {
		t.Parallel()
		g := start(t, "07:30", compile(t, s))
		g.status["d1"] = "stopped"
		g.to("08:00")
		g.wantCalls("07:50:00 start d1")
	})
	t.Run("an activation inside the lead is in time for the nominal one", func(t *testing.T) {
		t.Parallel()
		g := start(t, "07:55", compile(t, s))
		g.status["d1"] = "stopped"
		g.to("07:56")
		if len(g.log) != 1 {
			t.Errorf("POSTs %v, want the start of 08:00", g.log)
		}
	})
}

func TestFailedCommitSendsNothing(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.to("19:59:59")
	g.fail = errors.New("disk full")
	g.to("20:10")
	g.wantCalls()
}

func TestKillBetweenClaimAndAnswer(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.replies = []reply{{never: true}, {status: 201, then: "stopped"}}
	g.to("20:00:00")
	g.restart(5 * time.Second)
	g.run(10 * time.Second)
	g.wantWait("d1", WaitUnknown)
	g.wantCalls("20:00:00 stop d1")
	g.to("21:05")
	g.wantCalls("20:00:00 stop d1", "21:02:05 stop d1")
	g.wantOutcomes("20:00 stop done")
}

func TestDrain(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.replies = []reply{{status: 201, then: "stopped", after: 10 * time.Second}}
	g.to("20:00:01")
	g.f.Draining(g.now())
	if r := g.f.Turn(g.now()); r.Drained {
		t.Fatal("drained with a POST in flight")
	}
	g.run(12 * time.Second)
	if r := g.f.Turn(g.now()); !r.Drained {
		t.Error("not drained after the answer was recorded")
	}
	if e, ok := g.endings[g.last]; !ok || e.Result != "accepted" {
		t.Errorf("ending of the last claim is %+v, want accepted", e)
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	order := func(t *testing.T, g *rig, o Order) {
		t.Helper()
		o.Deployment = "d1"
		if err := g.f.Ordered(g.now(), o); err != nil {
			t.Fatalf("order: %v", err)
		}
		g.run(0)
	}
	t.Run("a stop that fell inside a hold is deferred", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")))
		order(t, g, Order{Kind: OrderHold, Power: policy.Running, Until: g.clockTime("22:00")})
		g.to("21:00")
		g.wantCalls()
		g.wantWait("d1", WaitHold)
		g.replies = []reply{{status: 201, then: "stopped"}}
		g.to("22:01")
		g.wantCalls("22:00:00 stop d1")
		g.wantOutcomes("20:00 stop done")
	})
	t.Run("a hold of the other power acts at once, and its end acts again", func(t *testing.T) {
		t.Parallel()
		g := start(t, "09:00", compile(t, evening("d1")))
		g.to("12:00")
		g.replies = []reply{{status: 201, then: "stopped"}, {status: 201, then: "running"}}
		order(t, g, Order{Kind: OrderHold, Power: policy.Stopped, Until: g.clockTime("14:00")})
		g.to("15:00")
		g.wantCalls("12:00:00 stop d1", "14:00:00 start d1")
		g.wantOutcomes("12:00 stop done", "14:00 start done")
	})
	t.Run("a restart keeps a hold", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")))
		order(t, g, Order{Kind: OrderHold, Power: policy.Running, Until: g.clockTime("22:00")})
		g.restart(time.Hour)
		g.run(time.Minute)
		g.wantCalls()
		g.wantWait("d1", WaitHold)
	})
	t.Run("a skip cancels the next stop only", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, minute(spec("n", "", "0 20 * * *", "d1"))))
		order(t, g, Order{Kind: OrderSkip, Power: policy.Stopped, Count: 1, Until: g.clockTime("+2 00:00")})
		g.to("23:00")
		g.wantCalls()
		g.wantOutcomes("20:00 stop skipped skip")
		g.to("+1 20:01")
		g.wantCalls("20:00:00 stop d1")
	})
	t.Run("a pause swallows what falls inside", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")))
		order(t, g, Order{Kind: OrderPause, Until: g.clockTime("+1 07:00")})
		g.to("+1 07:30")
		g.wantCalls()
		g.wantOutcomes("20:00 stop skipped pause")
		g.status["d1"] = "stopped"
		g.to("+1 08:01")
		g.wantCalls("08:00:00 start d1")
	})
	t.Run("a release ends it", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")))
		order(t, g, Order{Kind: OrderHold, Power: policy.Running, Until: g.clockTime("22:00")})
		g.to("20:30")
		order(t, g, Order{Kind: OrderRelease})
		g.to("20:31")
		g.wantCalls("20:30:00 stop d1")
	})
	t.Run("converge does what is wanted now", func(t *testing.T) {
		t.Parallel()
		g := start(t, "21:00", compile(t, evening("d1")))
		g.to("21:30")
		order(t, g, Order{Kind: OrderConverge, Author: "anna"})
		g.to("21:31")
		g.wantCalls("21:30:00 stop d1")
	})
	t.Run("nonsense is refused", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")))
		for _, o := range []Order{
			{Kind: OrderHold, Deployment: "d1", Power: policy.Running, Until: g.clockTime("19:00")},
			{Kind: OrderHold, Deployment: "d1", Until: g.clockTime("23:00")},
			{Kind: OrderHold, Deployment: "d1", Power: policy.Running, Until: g.clockTime("+40 23:00")},
			{Kind: OrderSkip, Deployment: "d1", Power: policy.Stopped, Until: g.clockTime("23:00")},
			{Deployment: "d1"},
		} {
			if err := g.f.Ordered(g.now(), o); !errors.Is(err, ErrOrder) {
				t.Errorf("order %+v: error %v, want ErrOrder", o, err)
			}
		}
		if err := g.f.Ordered(g.now(), Order{Kind: OrderLook, Deployment: "nobody"}); !errors.Is(err, ErrNoDeployment) {
			t.Errorf("order for a stranger: error %v, want ErrNoDeployment", err)
		}
	})
}

func TestScopeIsLearned(t *testing.T) {
	t.Parallel()
	ids := []policy.DeploymentID{"d1", "d2", "d3", "d4"}
	t.Run("deployment: the second call goes alone, then all", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening(ids...)))
		g.to("20:00:05")
		if len(g.log) != 4 {
			t.Fatalf("POSTs %v, want four", g.log)
		}
		if a, b := g.log[0][:12], g.log[1][:12]; a == b {
			t.Errorf("the second call left with the first: %v", g.log)
		}
		if a, b := g.log[1][:12], g.log[2][:12]; a == b {
			t.Errorf("the third call did not wait for the answer of the second: %v", g.log)
		}
		if g.scopes[quota.Stop] != quota.Deployment {
			t.Errorf("learned %v, want deployment", g.scopes[quota.Stop])
		}
	})
	t.Run("key: one rejected call, then one a window", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening(ids...)))
		g.replies = []reply{{status: 201}, {status: 429}}
		g.to("20:59")
		if len(g.log) != 2 {
			t.Fatalf("POSTs %v, want two", g.log)
		}
		if g.scopes[quota.Stop] != quota.Key {
			t.Errorf("learned %v, want key", g.scopes[quota.Stop])
		}
		g.wantAlarm(AlarmScopeKey)
	})
	t.Run("5xx teaches nothing: the next call tries", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening(ids...)))
		g.replies = []reply{{status: 201}, {status: 500}, {status: 201}}
		g.to("20:00:05")
		if len(g.log) != 4 || g.scopes[quota.Stop] != quota.Deployment {
			t.Errorf("POSTs %v, learned %v", g.log, g.scopes[quota.Stop])
		}
	})
}

func TestClock(t *testing.T) {
	t.Parallel()
	t.Run("a small step back repeats nothing", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")), per(10*time.Second))
		g.replies = []reply{{status: 201, then: "stopped"}}
		g.to("20:00:30")
		g.wall = g.wall.Add(-time.Minute)
		g.run(5 * time.Minute)
		if len(g.log) != 1 {
			t.Errorf("POSTs %v, want one", g.log)
		}
	})
	t.Run("after a large step back what lies ahead happens again, mostly as already", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")))
		g.replies = []reply{{status: 201, then: "stopped"}}
		g.to("20:10")
		g.wall = g.wall.Add(-time.Hour)
		g.run(time.Hour)
		if len(g.log) != 1 {
			t.Errorf("POSTs %v, want one", g.log)
		}
		g.wantOutcomes("20:00 stop done", "20:00 stop already")
	})
	t.Run("after a large step forward no POST before a Date agreed", func(t *testing.T) {
		t.Parallel()
		g := start(t, "12:00", compile(t, evening("d1")))
		g.to("12:10")
		real := g.wall
		steady := g.steady
		g.date = func(time.Time) time.Time { return real.Add(g.steady - steady) }
		g.wall = g.wall.Add(9 * time.Hour)
		g.run(10 * time.Minute)
		g.wantCalls()
		g.wantWait("d1", WaitClock)
		g.date = func(w time.Time) time.Time { return w }
		g.run(10 * time.Minute)
		if len(g.log) != 1 {
			t.Errorf("POSTs %v, want the stop once the platform agreed", g.log)
		}
	})
	t.Run("a clock before the release is not believed", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")), func(c *Config) {
			c.Release = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		})
		g.to("20:10")
		g.wantCalls()
		g.wantWait("d1", WaitClock)
	})
	t.Run("clock: trust overrides", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")), func(c *Config) {
			c.Release, c.TrustClock = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), true
		})
		g.to("20:00:10")
		g.wantCalls("20:00:00 stop d1")
	})
	t.Run("a suspend is an outage", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")))
		g.to("19:55")
		g.pass(30 * time.Minute)
		g.run(time.Second)
		g.wantCalls("20:25:00 stop d1")
	})
}

func TestSlots(t *testing.T) {
	t.Parallel()
	var ids []policy.DeploymentID
	for i := range 200 {
		ids = append(ids, policy.DeploymentID("d"+string(rune('a'+i/26))+string(rune('a'+i%26))))
	}
	t.Run("hanging calls free their slots after two seconds", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening(ids...)), scoped(quota.Deployment))
		for range Slots {
			g.replies = append(g.replies, reply{status: 0, after: 20 * time.Second})
		}
		g.to("20:00:01")
		if len(g.log) != Slots {
			t.Fatalf("%d POSTs in the first second, want %d", len(g.log), Slots)
		}
		g.to("20:00:04")
		if len(g.log) != len(ids) {
			t.Errorf("%d POSTs in four seconds, want %d", len(g.log), len(ids))
		}
	})
}

// TestAFleetOfNobodyIsSettled: with nothing to make durable, the first turn is.
func TestAFleetOfNobodyIsSettled(t *testing.T) {
	t.Parallel()
	g := start(t, "12:00", compile(t))
	if s := g.f.Snapshot(g.now()); !s.Settled {
		t.Error("a daemon without deployments never gets ready")
	}
}

func TestSettledFleetIsSilent(t *testing.T) {
	g := start(t, "12:00", compile(t, evening("d1", "d2")))
	g.to("12:01")
	now := g.now()
	if n := testing.AllocsPerRun(100, func() {
		now.Steady += time.Microsecond
		now.Wall = now.Wall.Add(time.Microsecond)
		if r := g.f.Turn(now); r.Commit != nil || len(r.Calls) > 0 {
			t.Fatal("a settled fleet wants something")
		}
	}); n != 0 {
		t.Errorf("a turn of a settled fleet allocates %v times", n)
	}
}

package scheduler

import (
	"errors"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// TestClocksAreComparedOften: a step of the clock is no event, so a fleet of
// which nothing is due for hours has a turn every fifteen seconds all the same.
func TestClocksAreComparedOften(t *testing.T) {
	t.Parallel()
	g := start(t, "12:00", compile(t, evening("d1")))
	g.to("12:01")
	for range 20 {
		r := g.f.Turn(g.now())
		if sleep := r.Wake - g.steady; sleep > MaxSleep {
			t.Fatalf("%s: the next turn is in %s, want at most %s", g.wall.Format("15:04:05"), sleep, MaxSleep)
		}
		g.run(time.Minute)
	}
}

// TestEnforceWaitsForAnOpenAttempt: a deployment that does not show yet what the
// stop does to it is not stopped once more.
func TestEnforceWaitsForAnOpenAttempt(t *testing.T) {
	t.Parallel()
	s := spec("evening", "0 8 * * *", "0 20 * * *", "d1")
	s.Options.Enforce = policy.EnforceBoth
	g := start(t, "07:50", compile(t, s), per(time.Minute), scoped(quota.Deployment))
	g.status["d1"] = "stopped"
	g.replies = []reply{{status: 201, then: "running"}, {status: 201}}
	g.to("20:10")
	g.wantWait("d1", WaitConfirm)
	g.status["d1"] = "stopped"
	g.to("20:40")
	g.wantCalls("08:00:00 start d1", "20:00:00 stop d1")
	g.wantOutcomes("08:00 start done", "20:00 stop done")
}

// TestNothingFollowsAFailedCommit: nobody knows what is on the disk, so a Fleet
// that is turned all the same asks for nothing any more.
func TestNothingFollowsAFailedCommit(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.to("19:59:59")
	g.fail = errors.New("input/output error")
	g.to("20:00:01")
	for range 100 {
		g.pass(time.Minute)
		if r := g.f.Turn(g.now()); len(r.Calls) > 0 || r.Commit != nil || r.Drained {
			t.Fatalf("%s: after a failed commit the fleet asks for %d calls and the commit %+v", g.wall.Format("15:04:05"), len(r.Calls), r.Commit)
		}
	}
}

package scheduler

import (
	"fmt"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// TestAWaitIsOfItsMethod: a 429 for a stop says nothing of starts.
func TestAWaitIsOfItsMethod(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, minute(spec("p", "45 20 * * *", "0 20 * * *", "d1"))))
	g.replies = []reply{{status: 429, retry: 2 * time.Hour, then: "stopped"}, {status: 201, then: "running"}}
	g.to("20:46")
	g.wantCalls("20:00:00 stop d1", "20:45:00 start d1")
	g.wantOutcomes("20:00 stop already", "20:45 start done")
}

// TestAStartIsNotCaughtInTheStopsQueue: what waits for the key's stop quota and
// is missed must not keep the start from its own queue.
func TestAStartIsNotCaughtInTheStopsQueue(t *testing.T) {
	t.Parallel()
	ids := []policy.DeploymentID{"d1", "d2", "d3"}
	g := start(t, "19:50", compile(t, minute(spec("p", "40 20 * * *", "0 20 * * *", ids...))), func(c *Config) {
		c.Quotas[quota.Stop].Scope, c.Quotas[quota.Start].Scope = quota.Key, quota.Deployment
	})
	g.replies = []reply{{status: 201, then: "stopped"}}
	g.to("20:20")
	for _, id := range ids {
		g.status[id] = "stopped" // somebody stops the others by hand
	}
	g.to("20:41")
	starts := 0
	for _, l := range g.log {
		if l[:8] == "20:40:00" {
			starts++
		}
	}
	if starts != len(ids) {
		t.Errorf("POSTs %v, want a start of each at 20:40", g.log)
	}
}

// TestADeferredStopIsNotTooOld: a stop that fell inside a long hold is due when
// the hold ends, however long that was.
func TestADeferredStopIsNotTooOld(t *testing.T) {
	t.Parallel()
	g := start(t, "18:50", compile(t, minute(spec("nightly", "", "0 20 * * *", "d1"))))
	if err := g.f.Ordered(g.now(), Order{
		Kind: OrderHold, Deployment: "d1", Power: policy.Running, Until: g.clockTime("+1 02:00"),
	}); err != nil {
		t.Fatal(err)
	}
	g.replies = []reply{{status: 201, then: "running"}, {status: 201, then: "stopped"}}
	g.to("+1 02:01")
	g.wantCalls("18:50:00 start d1", "02:00:00 stop d1")
}

// TestAReturnIsSeenAfterARestart: a deployment that failed as not found and
// answers again is a new transition, also for the next process.
func TestAReturnIsSeenAfterARestart(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.replies = []reply{{status: 404}, {status: 201, then: "stopped"}}
	g.to("19:59:59")
	g.status["d1"] = ""
	g.to("20:30")
	g.wantOutcomes("20:00 stop failed not_found")
	g.status["d1"] = "running"
	g.restart(time.Hour)
	g.run(10 * time.Minute)
	if len(g.log) != 2 {
		t.Errorf("POSTs %v, want a second stop after the return", g.log)
	}
}

// TestNotFoundThroughout: a deployment that was seen in between was not gone.
func TestNotFoundThroughout(t *testing.T) {
	t.Parallel()
	s := evening("d1")
	s.Options.ConfirmWithin = 30 * time.Minute
	g := start(t, "19:50", compile(t, s))
	g.replies = []reply{{status: 404}, {status: 201, then: "stopped"}}
	g.to("19:59:59")
	g.status["d1"] = ""
	g.to("20:10")
	g.status["d1"] = "running"
	g.to("20:20")
	g.status["d1"] = ""
	g.to("20:45")
	g.wantOutcomes()
}

// TestTheLessonsRetryAfterBindsAll: the 429 that teaches that the quota is the
// key's makes every deployment wait as long as it says.
func TestTheLessonsRetryAfterBindsAll(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1", "d2", "d3")))
	g.replies = []reply{{status: 201, then: "stopped"}, {status: 429, retry: 2 * time.Hour}}
	g.to("21:59")
	if len(g.log) != 2 {
		t.Errorf("POSTs %v, want two before Retry-After is over", g.log)
	}
}

// TestA429IsRememberedOverARestart: the platform's word outlives the process
// and, counted from the start, the boot of the host.
func TestA429IsRememberedOverARestart(t *testing.T) {
	t.Parallel()
	for name, scope := range map[string]quota.Scope{"deployment": quota.Deployment, "key": quota.Key} {
		g := start(t, "19:50", compile(t, evening("d1")), scoped(scope))
		g.replies = []reply{{status: 429, retry: 2 * time.Hour}, {status: 201, then: "stopped"}}
		g.to("20:30")
		g.restart(time.Minute)
		g.wantWait("d1", WaitPermit)
		g.to("22:00")
		g.wantCalls("20:00:00 stop d1")
		g.to("22:01")
		if len(g.log) != 2 {
			t.Errorf("scope %s: POSTs %v, want the second once Retry-After is over", name, g.log)
		}
	}
	t.Run("of a GET", func(t *testing.T) {
		t.Parallel()
		g := start(t, "12:00", compile(t, evening("d1")), scoped(quota.Deployment))
		g.look = func(Call) Answer { return Answer{Sent: true, Status: 429, RetryAfter: 100 * time.Minute} }
		g.to("12:10")
		gets := g.gets
		g.restart(time.Minute)
		g.to("13:30")
		if g.gets != gets {
			t.Errorf("%d looks before Retry-After was over, want none", g.gets-gets)
		}
		g.to("13:50")
		if g.gets == gets {
			t.Error("no look after Retry-After was over")
		}
	})
}

// TestOnlyTheProbeReopensTheKey: an answer to a call that left before the 401
// says nothing of the key.
func TestOnlyTheProbeReopensTheKey(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1", "d2")), scoped(quota.Deployment))
	g.replies = []reply{{status: 201, after: 3 * time.Second}, {status: 401}}
	g.to("20:00:05")
	waits := map[Wait]int{}
	for _, v := range g.f.Snapshot(g.now()).Deployments {
		waits[v.Wait]++
	}
	if s := g.f.Snapshot(g.now()); len(s.Blocked) != 1 || s.Blocked[0] != BlockKey || waits[WaitKey] != 1 {
		t.Errorf("blocked %v, waits %v: want the key refused still", s.Blocked, waits)
	}
}

// TestAnEarlierKeysRefusalIsNotThisOnes: the 401 of a call that left before the
// reload must not block the new key.
func TestAnEarlierKeysRefusalIsNotThisOnes(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.replies = []reply{{status: 401, after: 5 * time.Second}}
	g.to("20:00:01")
	g.cfg.KeyID = "new"
	g.reload(g.cfg.Set)
	g.to("20:00:10")
	if s := g.f.Snapshot(g.now()); len(s.Blocked) != 0 {
		t.Errorf("blocked %v by the refusal of the key before", s.Blocked)
	}
}

// TestDrainComesToRest: while a POST is waited for nothing else wants a turn.
func TestDrainComesToRest(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1", "d2")), scoped(quota.Deployment))
	g.replies = []reply{{status: 401}, {status: 201, after: 15 * time.Minute}}
	g.to("20:05:30")
	g.f.Draining(g.now())
	g.f.Turn(g.now())
	if r := g.f.Turn(g.now()); r.Wake <= g.steady {
		t.Errorf("a draining fleet wants a turn %v ago", g.steady-r.Wake)
	}
}

// TestConvergeOutlivesAnOpenAttempt: the end of the old rule's attempt must not
// settle what the new rule asked for.
func TestConvergeOutlivesAnOpenAttempt(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	g.replies = []reply{{status: 201, then: "stopping"}, {status: 201, then: "running"}}
	g.to("20:00:20")
	s := minute(spec("evening", "0 8 * * *", "0 23 * * *", "d1"))
	s.Options.Converge = true
	g.reload(compile(t, s))
	g.to("20:00:30")
	g.status["d1"] = "stopped"
	g.to("20:02")
	if len(g.log) != 2 || g.log[1][13:] != "start d1" {
		t.Errorf("POSTs %v, want a start after the stop was seen", g.log)
	}
}

// TestARecalledCallIsDecidedAnew, without the pause of one that could not be sent.
func TestARecalledCallIsDecidedAnew(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")))
	before := g.f.Epoch()
	g.replies = []reply{{never: true}, {status: 201, then: "stopped"}}
	g.to("20:00:01")
	g.cfg.ObserveEvery = time.Hour
	g.f.Configured(g.now(), g.cfg)
	if g.f.Epoch() == before {
		t.Error("a reload is no new epoch")
	}
	for id, c := range g.claims {
		if c.Method == quota.Stop {
			g.f.Answered(g.now(), Answer{Claim: id, Began: g.now(), Ended: g.now(), Recalled: true, Err: "taken back"})
		}
	}
	g.run(time.Millisecond)
	g.wantCalls("20:00:00 stop d1", "20:00:01 stop d1")
}

// TestAnOutageIsTriedOnce: while a scope is to be learned, calls go one after the
// other. Where nothing can be sent, the first of them tells so for all; the first
// request that gets through ends the pause.
func TestAnOutageIsTriedOnce(t *testing.T) {
	t.Parallel()
	var ids []policy.DeploymentID
	for i := range 20 {
		ids = append(ids, policy.DeploymentID(fmt.Sprintf("d%02d", i)))
	}
	g := start(t, "19:50", compile(t, spec("p", "", "0 20 * * *", ids...)), func(c *Config) {
		c.Quotas[quota.Start].Scope, c.Quotas[quota.Stop].Scope = quota.Auto, quota.Auto
	})
	g.look = func(Call) Answer { return Answer{} } // not sent
	for range 2000 {
		g.replies = append(g.replies, reply{unsent: true})
	}
	g.to("21:00")
	if n := len(g.log); n < 40 || n > 100 {
		t.Errorf("%d calls were tried in an hour without a network, want one a minute or so, whatever the fleet", n)
	}
	g.replies, g.log = nil, nil
	g.look = nil
	g.to("21:06")
	done := map[string]bool{}
	for _, l := range g.log {
		done[l[13:]] = true
	}
	if len(done) != len(ids) {
		t.Errorf("after the network came back %d of %d were called: %v", len(done), len(ids), g.log)
	}
}

package scheduler

import (
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

func listing(c *Config) { c.ObserveList = true }

// listedOnly counts lists and single looks, and answers as the rig does.
func (g *rig) countLooks() (lists, singles *int) {
	lists, singles = new(int), new(int)
	g.look = func(c Call) Answer {
		if c.Deployment == everybody {
			*lists++
		} else {
			*singles++
		}
		look := g.look
		g.look = nil
		defer func() { g.look = look }()
		return g.lookAt(c, Answer{Sent: true})
	}
	return lists, singles
}

// TestOneLookForAll: the list replaces the idle looks, not those that an attempt
// or a coming boundary needs.
func TestOneLookForAll(t *testing.T) {
	t.Parallel()
	g := start(t, "12:00", compile(t, evening("d1", "d2", "d3")), listing, scoped(quota.Deployment))
	lists, singles := g.countLooks()
	g.to("18:00")
	if *lists < 70 || *lists > 73 || *singles != 0 {
		t.Errorf("%d lists and %d single looks in six hours, want one list every five minutes", *lists, *singles)
	}
	for _, v := range g.f.Snapshot(g.now()).Deployments {
		if v.Look.Status != "running" {
			t.Errorf("%s is seen as %q, want the list's running", v.Deployment, v.Look.Status)
		}
	}
	g.replies = []reply{{status: 201, then: "stopped"}, {status: 201, then: "stopped"}, {status: 201, then: "stopped"}}
	g.to("20:01")
	g.wantOutcomes("20:00 stop done", "20:00 stop done", "20:00 stop done")
	if *singles == 0 {
		t.Error("no single look confirmed the stops")
	}
}

// TestWhatTheListLacks: single looks go to a deployment that it does not have,
// and to all when it fails.
func TestWhatTheListLacks(t *testing.T) {
	t.Parallel()
	g := start(t, "12:00", compile(t, evening("d1", "d2")), listing, scoped(quota.Deployment))
	fails := false
	looked := map[policy.DeploymentID]int{}
	g.look = func(c Call) Answer {
		looked[c.Deployment]++
		switch {
		case c.Deployment == everybody && fails:
			return Answer{Sent: true, Status: 503}
		case c.Deployment == everybody:
			return Answer{Sent: true, Status: 200, Sane: true, List: []Listed{{"d1", Look{Status: "running"}}, {"zz", Look{Status: "stopped"}}}}
		}
		return Answer{Sent: true, Status: 200, Sane: true, Look: Look{Status: "running"}}
	}
	g.to("14:00")
	if looked["d1"] != 0 || looked["d2"] < 5 || looked["zz"] != 0 {
		t.Errorf("single looks %v, want those at d2 alone", looked)
	}
	fails = true
	g.to("16:00")
	if looked["d1"] < 5 {
		t.Errorf("single looks %v, want some at d1 too since the list fails", looked)
	}
	for _, n := range g.notices {
		if i, ok := n.(Inventory); ok && len(i.Deployments) > 0 && i.Deployments[len(i.Deployments)-1].ID == "zz" {
			return
		}
	}
	t.Error("no notice tells of the deployment that no policy has")
}

// TestTheListTeachesNoScope: nobody says what it shares with single looks.
func TestTheListTeachesNoScope(t *testing.T) {
	t.Parallel()
	g := start(t, "12:00", compile(t, evening("d1")), listing, func(c *Config) {
		c.Quotas[quota.Get].N, c.ObserveEvery = 4, time.Minute
	})
	g.to("18:00")
	if s := g.scopes[quota.Get]; s != quota.Auto {
		t.Errorf("the list taught %s", s)
	}
	ends := []time.Duration{}
	for id, c := range g.claims {
		if c.Method == quota.Get {
			ends = append(ends, g.endings[id].Ended.Steady)
		}
	}
	for _, from := range ends {
		n := 0
		for _, at := range ends {
			if at >= from && at < from+time.Hour {
				n++
			}
		}
		if n > 4 {
			t.Fatalf("%d looks in an hour, limit 4", n)
		}
	}
}

func TestTheListIsRememberedOverARestart(t *testing.T) {
	t.Parallel()
	g := start(t, "12:00", compile(t, evening("d1")), listing, func(c *Config) { c.Quotas[quota.Get].N = 4 })
	lists, _ := g.countLooks()
	g.to("12:50")
	before := *lists
	for range 10 {
		g.restart(time.Second)
		g.run(time.Second)
	}
	if before+*lists > 2*4 {
		t.Errorf("%d lists in an hour with ten restarts", *lists)
	}
	if g.rows["d1"].Deployment != "d1" || len(g.rows) != 1 {
		t.Errorf("rows %v: the list must have none", g.rows)
	}
}

// TestTheListReopensTheKey: where nobody is under a policy yet, the list is the
// probe.
func TestTheListReopensTheKey(t *testing.T) {
	t.Parallel()
	g := start(t, "12:00", compile(t), listing, scoped(quota.Deployment))
	refused := true
	g.look = func(Call) Answer {
		if refused {
			return Answer{Sent: true, Status: 401}
		}
		return Answer{Sent: true, Status: 200, Sane: true, List: []Listed{{"d1", Look{Status: "running"}}}}
	}
	g.to("12:20")
	if s := g.f.Snapshot(g.now()); len(s.Blocked) != 1 {
		t.Fatalf("blocked %v, want the key refused", s.Blocked)
	}
	refused = false
	g.to("12:30")
	if s := g.f.Snapshot(g.now()); len(s.Blocked) != 0 {
		t.Errorf("blocked %v ten minutes after the key works again", s.Blocked)
	}
}

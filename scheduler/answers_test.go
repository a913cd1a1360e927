package scheduler

import (
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// minute makes confirm_within a minute, so that a story fits in one.
func minute(s policy.Spec) policy.Spec {
	s.Options.ConfirmWithin = time.Minute
	return s
}

func evening(ids ...policy.DeploymentID) policy.Spec {
	return minute(spec("evening", "0 8 * * *", "0 20 * * *", ids...))
}

// TestAnswers has one story for each row of the answer table (DESIGN section 3).
func TestAnswers(t *testing.T) {
	t.Parallel()
	stories := []struct {
		name string
		tell func(t *testing.T, g *rig)
	}{
		{"2xx, then seen", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 201, then: "stopping"}}
			g.to("20:00:10")
			g.wantCalls("20:00:00 stop d1")
			g.wantWait("d1", WaitConfirm)
			g.status["d1"] = "stopped"
			g.to("20:01")
			g.wantOutcomes("20:00 stop done")
			g.wantCalls("20:00:00 stop d1")
		}},
		{"2xx, not there at the end of confirm_within: due again when a permit frees", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 201}, {status: 201, then: "stopped"}}
			g.to("20:02")
			g.wantAlarm(AlarmNotReached)
			g.wantWait("d1", WaitPermit)
			g.to("21:05")
			g.wantCalls("20:00:00 stop d1", "21:00:03 stop d1")
			g.wantOutcomes("20:00 stop done")
		}},
		{"2xx, stuck in our transient: not again before a look shows it unchanged", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 201, then: "stopping"}}
			g.to("22:00")
			g.wantCalls("20:00:00 stop d1")
			g.wantWait("d1", WaitTransient)
			g.status["d1"] = "stopped"
			g.to("22:10")
			g.wantOutcomes("20:00 stop done")
		}},
		{"2xx, rolled back: retried with the next permit", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 201, then: "stopping"}, {status: 201, then: "stopped"}}
			g.to("20:00:05")
			g.status["d1"] = "running"
			g.to("21:05")
			g.wantCalls("20:00:00 stop d1", "21:00:03 stop d1")
			g.wantOutcomes("20:00 stop done")
		}},
		{"2xx, then a transient of the other direction: somebody else acted", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 201, then: "stopping"}}
			g.to("20:00:05")
			g.status["d1"] = "starting"
			g.to("21:30")
			g.wantOutcomes("20:00 stop done")
			g.wantCalls("20:00:00 stop d1")
		}},
		{"401: no call until the probe is answered otherwise", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 401}, {status: 201, then: "stopped"}}
			good := false
			g.to("19:59:59")
			g.look = func(c Call) Answer {
				if !good {
					return Answer{Sent: true, Status: 401}
				}
				return Answer{Sent: true, Status: 200, Sane: true, Look: Look{Status: g.status[c.Deployment]}}
			}
			g.to("20:00:01")
			gets := g.gets
			g.to("20:04:59")
			g.wantWait("d1", WaitKey)
			if g.gets != gets {
				t.Errorf("%d looks while the key was refused, want none before the probe", g.gets-gets)
			}
			g.wantAlarm(AlarmKeyRefused)
			good = true
			g.to("21:05")
			g.wantCalls("20:00:00 stop d1", "21:00:03 stop d1")
			g.wantOutcomes("20:00 stop done")
		}},
		{"401: a reload with another key ends it", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 401}}
			g.to("20:01")
			g.cfg.KeyID = "another"
			gets := g.gets
			g.reload(g.cfg.Set)
			g.wantWait("d1", WaitPermit)
			if g.gets == gets {
				t.Error("the new key is not tried")
			}
		}},
		{"403: due again with the next permit", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 403}, {status: 201, then: "stopped"}}
			g.to("20:01")
			g.wantAlarm(AlarmForbidden)
			g.wantWait("d1", WaitPermit)
			g.to("21:05")
			g.wantCalls("20:00:00 stop d1", "21:00:03 stop d1")
			g.wantOutcomes("20:00 stop done")
		}},
		{"404 throughout confirm_within: failed", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 404, then: ""}}
			g.to("19:59:59")
			g.status["d1"] = ""
			g.to("20:00:30")
			g.wantOutcomes()
			g.wantWait("d1", WaitGone)
			g.to("20:02")
			g.wantOutcomes("20:00 stop failed not_found")
			g.to("22:00")
			g.wantCalls("20:00:00 stop d1")
		}},
		{"404, and it answers again: that look is a new transition", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 404}, {status: 201, then: "stopped"}}
			g.to("19:59:59")
			g.status["d1"] = ""
			g.to("21:30")
			g.status["d1"] = "running"
			g.to("21:40")
			if n := len(g.log); n != 2 {
				t.Fatalf("POSTs %v, want a second one after the return", g.log)
			}
			if o := g.outcomes[len(g.outcomes)-1]; o.Kind != Done || o.Because.Kind != policy.KindReturned {
				t.Errorf("last outcome %+v, want done because it returned", o)
			}
		}},
		{"404 by a lost route: looks find it, the next permit retries", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 404}, {status: 201, then: "stopped"}}
			g.to("21:05")
			g.wantCalls("20:00:00 stop d1", "21:00:03 stop d1")
			g.wantOutcomes("20:00 stop done")
		}},
		{"422, and it is there already", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 422, then: "stopped"}}
			g.to("20:01")
			g.wantOutcomes("20:00 stop already")
		}},
		{"422 while in a transient status: wait", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 422, then: "starting"}, {status: 201, then: "stopped"}}
			g.to("21:30")
			g.wantCalls("20:00:00 stop d1")
			g.wantWait("d1", WaitTransient)
			g.status["d1"] = "running"
			g.to("21:40")
			g.wantOutcomes("20:00 stop done")
		}},
		{"422 three times: failed", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 422}, {status: 422}, {status: 422}}
			g.to("23:30")
			g.wantCalls("20:00:00 stop d1", "21:00:03 stop d1", "22:00:07 stop d1")
			g.wantOutcomes("20:00 stop failed refused")
			g.wantAlarm(AlarmRefused)
		}},
		{"429: one window after the answer", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 429}, {status: 201, then: "stopped"}}
			g.to("21:05")
			g.wantCalls("20:00:00 stop d1", "21:00:03 stop d1")
			g.wantAlarm(AlarmLimited)
			g.wantOutcomes("20:00 stop done")
		}},
		{"429: a sane Retry-After moves it later", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 429, retry: 90 * time.Minute}, {status: 201, then: "stopped"}}
			g.to("22:00")
			g.wantCalls("20:00:00 stop d1", "21:30:00 stop d1")
		}},
		{"429: an absurd Retry-After, or a short one, does not", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 429, retry: 1000 * time.Hour}, {status: 429, retry: time.Second}, {status: 201, then: "stopped"}}
			g.to("23:00")
			g.wantCalls("20:00:00 stop d1", "21:00:03 stop d1", "22:00:07 stop d1")
		}},
		{"5xx with effect: a look shows it, no second POST", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 503, then: "stopping"}}
			g.to("20:00:10")
			g.status["d1"] = "stopped"
			g.to("22:00")
			g.wantCalls("20:00:00 stop d1")
			g.wantOutcomes("20:00 stop done")
		}},
		{"a lost answer without effect: retried with the next permit, after looks", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 0}, {status: 201, then: "stopped"}}
			g.to("20:00:19")
			g.wantWait("d1", WaitUnknown)
			g.to("20:00:30")
			g.wantWait("d1", WaitPermit)
			g.to("21:05")
			g.wantCalls("20:00:00 stop d1", "21:02:00 stop d1")
			g.wantOutcomes("20:00 stop done")
		}},
		{"a lost answer and no looks: open to the end, then failed", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 0}}
			g.to("19:59:59")
			g.look = func(Call) Answer { return Answer{Sent: true, Status: 500} }
			g.to("20:00:59")
			g.wantWait("d1", WaitUnknown)
			g.to("20:02")
			g.wantOutcomes("20:00 stop failed unknown")
			g.wantAlarm(AlarmUnknown)
			g.to("23:00")
			g.wantCalls("20:00:00 stop d1")
		}},
		{"3xx is unknown", func(t *testing.T, g *rig) {
			g.replies = []reply{{status: 307}}
			g.to("20:00:10")
			g.wantWait("d1", WaitUnknown)
		}},
		{"certainly nothing written: the permit comes back, retried with growing pauses", func(t *testing.T, g *rig) {
			g.replies = []reply{{unsent: true, after: time.Millisecond}, {unsent: true, after: time.Millisecond},
				{unsent: true, after: time.Millisecond}, {status: 201, then: "stopped"}}
			g.to("20:00:30")
			if len(g.log) != 4 {
				t.Fatalf("POSTs %v, want four", g.log)
			}
			g.wantOutcomes("20:00 stop done")
		}},
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.tell(t, start(t, "19:50", compile(t, evening("d1"))))
		})
	}
}

// TestGetAnswers has one story for each way in which a look can fail.
func TestGetAnswers(t *testing.T) {
	t.Parallel()
	t.Run("429: no look of this deployment before a sane Retry-After", func(t *testing.T) {
		t.Parallel()
		g := start(t, "12:00", compile(t, evening("d1")), scoped(quota.Deployment))
		g.look = func(Call) Answer { return Answer{Sent: true, Status: 429, RetryAfter: 30 * time.Minute} }
		g.to("12:20")
		before := g.gets
		g.to("12:29")
		if g.gets != before {
			t.Errorf("%d looks before Retry-After was over", g.gets-before)
		}
		g.to("12:40")
		if g.gets == before {
			t.Error("no look after Retry-After was over")
		}
		g.wantAlarm(AlarmLimitedGets)
	})
	t.Run("429 without Retry-After: none for a window", func(t *testing.T) {
		t.Parallel()
		g := start(t, "12:00", compile(t, evening("d1")), scoped(quota.Deployment))
		g.look = func(Call) Answer { return Answer{Sent: true, Status: 429} }
		g.to("12:10")
		before := g.gets
		g.to("13:00")
		if g.gets != before {
			t.Errorf("%d looks within a window of a 429", g.gets-before)
		}
	})
	t.Run("500 is no look: the POST leaves at its instant all the same", func(t *testing.T) {
		t.Parallel()
		g := start(t, "19:50", compile(t, evening("d1")))
		g.look = func(Call) Answer { return Answer{Sent: true, Status: 500} }
		g.to("20:00:01")
		g.wantCalls("20:00:00 stop d1")
	})
}

// TestRehearsalFindsAWrongID: a dry run never calls, so its looks must tell what
// the first call would.
func TestRehearsalFindsAWrongID(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]AlarmKind{404: AlarmNotFound, 403: AlarmForbidden} {
		g := start(t, "12:00", compile(t, evening("d1")), func(c *Config) { c.DryRun = true })
		g.look = func(Call) Answer { return Answer{Sent: true, Status: status} }
		g.to("12:10")
		g.wantAlarm(want)
	}
}

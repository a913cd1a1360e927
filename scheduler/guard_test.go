package scheduler

import (
	"strings"
	"testing"
	"time"

	"curfew/policy"
)

// protecting puts entries of `protect:` in force.
func protecting(protect ...string) func(*Config) {
	return func(c *Config) {
		var entries []policy.Pattern
		for _, text := range protect {
			entries = append(entries, policy.Pattern{Text: text, Pos: policy.Pos{File: "t.yaml", Line: 9}})
		}
		c.Protect = policy.NewProtection(entries, c.Set.Policies)
	}
}

// tells has every look show d1 under this name; an empty one makes looks fail.
func (g *rig) tells(name string) {
	g.look = func(c Call) Answer {
		if name == "" {
			return Answer{Sent: true, Status: 503}
		}
		return Answer{Sent: true, Status: 200, Sane: true, Look: Look{Status: g.status[c.Deployment], Name: name}}
	}
}

func asserted(name string) policy.Spec {
	s := evening("d1")
	s.Deployments[0].Name = name
	return s
}

func TestProtectedIsNeverStopped(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{"d1", "prod-*", "PROD-eu", "*"} {
		g := start(t, "19:50", compile(t, evening("d1")), protecting(entry))
		g.tells("prod-eu")
		g.to("20:30")
		g.wantCalls()
		g.wantOutcomes("20:00 stop skipped protected")
		if o := g.outcomes[len(g.outcomes)-1]; !strings.Contains(o.Note, "t.yaml:9") {
			t.Errorf("the note %q does not name the line that protects", o.Note)
		}
		g.status["d1"] = "stopped" // a person's doing: it is started all the same
		g.to("+1 08:00:01")
		g.wantCalls("08:00:00 start d1")
	}
}

func TestOthersAreNotProtected(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")), protecting("prod-*", "d2"))
	g.tells("dev-eu")
	g.to("20:00:01")
	g.wantCalls("20:00:00 stop d1")
}

// TestProtectionFailsClosed: while no look has told the name, a name that is
// protected may be its.
func TestProtectionFailsClosed(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")), func(c *Config) {
		protecting("prod-*")(c)
		c.Quotas[0].N = 0 // no look at all at first
	})
	g.tells("")
	g.to("20:10")
	g.wantCalls()
	g.wantWait("d1", WaitName)
	g.cfg.Quotas = documented
	g.tells("dev-eu")
	g.reload(g.cfg.Set)
	g.to("20:11")
	g.wantCalls("20:10:00 stop d1")
}

func TestAnotherNameIsNotTouched(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, asserted("dev-eu")))
	g.tells("prod-eu")
	g.to("19:58")
	g.wantAlarm(AlarmName) // before anything is due
	g.to("+1 08:30")
	g.wantCalls()
	g.wantOutcomes("20:00 stop skipped name", "08:00 start skipped name")
	g.tells("dev-eu")
	g.to("+1 20:00:01")
	g.wantCalls("20:00:00 stop d1")
}

// TestTheNameIsAskedForFirst: a call that depends on the name waits for the look
// that tells it, and leaves at once then.
func TestTheNameIsAskedForFirst(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, asserted("dev-eu")))
	g.tells("")
	g.restart(time.Minute)
	g.to("20:00:20")
	g.wantCalls()
	g.wantWait("d1", WaitName)
	g.tells("dev-eu")
	g.to("20:01")
	if len(g.log) != 1 {
		t.Errorf("POSTs %v, want one within a step of the looks", g.log)
	}
}

func TestGuardsHoldBackCorrections(t *testing.T) {
	t.Parallel()
	s := asserted("dev-eu")
	s.Options.Enforce = policy.EnforceBoth
	g := start(t, "19:50", compile(t, s))
	g.replies = []reply{{status: 201, then: "stopped"}}
	g.tells("dev-eu")
	g.to("20:05")
	g.tells("prod-eu")
	g.status["d1"] = "running"
	g.to("23:00")
	g.wantCalls("20:00:00 stop d1")
	g.wantOutcomes("20:00 stop done")
}

// TestAReloadBringsAnotherName: the file may be what is wrong.
func TestAReloadBringsAnotherName(t *testing.T) {
	t.Parallel()
	g := start(t, "19:40", compile(t, evening("d1")))
	g.tells("prod-eu")
	g.to("19:46")
	g.reload(compile(t, asserted("dev-eu")))
	g.wantAlarm(AlarmName)
}

// TestAWaitForANameIsTold, once.
func TestAWaitForANameIsTold(t *testing.T) {
	t.Parallel()
	g := start(t, "19:50", compile(t, evening("d1")), protecting("prod-*"))
	g.to("22:00") // looks tell no name
	g.wantCalls()
	g.wantWait("d1", WaitName)
	alarms := 0
	for _, n := range g.notices {
		if a, ok := n.(Alarm); ok && a.Kind == AlarmName {
			alarms++
		}
	}
	if alarms != 1 {
		t.Errorf("%d alarms, want one", alarms)
	}
}

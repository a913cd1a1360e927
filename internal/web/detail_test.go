package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"curfew/policy"
	"curfew/scheduler"
)

// calmFleet is n deployments of which nobody need know anything.
func calmFleet(n int) []scheduler.View {
	views := make([]scheduler.View, n)
	for i := range views {
		views[i] = scheduler.View{
			Deployment: policy.DeploymentID(fmt.Sprintf("d%06d", i)), Policy: "p",
			Look: scheduler.Look{Status: "running"}, Want: policy.Running, Last: scheduler.Done,
		}
	}
	return views
}

func ids(views []*scheduler.View) []policy.DeploymentID {
	out := []policy.DeploymentID{}
	for _, v := range views {
		out = append(out, v.Deployment)
	}
	return out
}

func TestAttention(t *testing.T) {
	t.Parallel()
	stop := scheduler.Transition{Power: policy.Stopped, At: noon()}
	running := scheduler.Look{Status: "running"}
	for name, tc := range map[string]struct {
		view scheduler.View
		want attention
	}{
		"settled":                    {scheduler.View{Look: running, Last: scheduler.Done}, calm},
		"a person changed it":        {scheduler.View{Look: running, Want: policy.Stopped, Last: scheduler.Done}, calm},
		"never looked at":            {scheduler.View{}, calm},
		"on its way":                 {scheduler.View{Look: scheduler.Look{Status: "starting"}}, calm},
		"skipped at activation":      {scheduler.View{Look: running, Last: scheduler.Skipped, LastReason: scheduler.ReasonActivation}, calm},
		"waits for its permit":       {scheduler.View{Look: running, Due: stop, Wait: scheduler.WaitPermit}, due},
		"accepted, not there yet":    {scheduler.View{Look: running, Due: stop, Wait: scheduler.WaitConfirm}, due},
		"held":                       {scheduler.View{Look: running, Override: noon()}, overridden},
		"held, a stop deferred":      {scheduler.View{Look: running, Override: noon(), Due: stop, Wait: scheduler.WaitHold}, overridden},
		"a status that we know not":  {scheduler.View{Look: scheduler.Look{Status: "failed"}}, trouble},
		"404":                        {scheduler.View{Look: running, Gone: true}, trouble},
		"lost answer":                {scheduler.View{Look: running, Due: stop, Wait: scheduler.WaitUnknown}, trouble},
		"key refused, and held":      {scheduler.View{Look: running, Override: noon(), Due: stop, Wait: scheduler.WaitKey}, trouble},
		"the last transition failed": {scheduler.View{Look: running, Last: scheduler.Failed}, trouble},
		"the last one was missed":    {scheduler.View{Look: running, Last: scheduler.Missed}, trouble},
		"skipped for the quota":      {scheduler.View{Look: running, Last: scheduler.Skipped, LastReason: scheduler.ReasonQuota}, trouble},
		"not the name in the file":   {scheduler.View{Look: running, Last: scheduler.Skipped, LastReason: scheduler.ReasonName}, trouble},
	} {
		if got := attentionOf(&tc.view); got != tc.want {
			t.Errorf("%s: attention %d, want %d", name, got, tc.want)
		}
	}
}

func TestDetailed(t *testing.T) {
	t.Parallel()
	small, large := calmFleet(maxDetailed), calmFleet(maxDetailed+1)
	large[7].Override = noon()
	large[9].Gone = true
	large[8].Due = scheduler.Transition{Power: policy.Running, At: noon()}
	picked := []policy.DeploymentID{"d000009", "d000007", "d000008"}
	if got := ids(PerDeploymentAuto.detailed(large)); !cmp.Equal(got, picked) {
		t.Errorf("auto, %d deployments: %v have series, want %v: trouble, overridden, due", len(large), got, picked)
	}
	for _, tc := range []struct {
		per   PerDeployment
		views []scheduler.View
		want  int
	}{
		{PerDeploymentAuto, small, maxDetailed},
		{"", small, maxDetailed}, // not set: auto
		{PerDeploymentAll, large, maxDetailed + 1},
		{PerDeploymentNone, small, 0},
	} {
		if got := len(tc.per.detailed(tc.views)); got != tc.want {
			t.Errorf("%q, %d deployments: %d have series, want %d", tc.per, len(tc.views), got, tc.want)
		}
	}
}

// TestBoundaryIsCapped: an instant that makes a whole large fleet due does not
// give it series all at once, and the scrape says how many it left out.
func TestBoundaryIsCapped(t *testing.T) {
	t.Parallel()
	views := calmFleet(2 * maxDetailed)
	for i := range views {
		views[i].Due = scheduler.Transition{Power: policy.Stopped, At: noon()}
	}
	d := newDaemon(t, always(&scheduler.Snapshot{Deployments: views}), PerDeploymentAuto)
	scrape := d.scrape(t)
	if n := strings.Count(scrape, "\ncurfew_transition_due_since_timestamp_seconds{"); n != maxDetailed {
		t.Errorf("%d deployments have series, want %d", n, maxDetailed)
	}
	for _, line := range []string{
		fmt.Sprintf(`curfew_deployments_without_series{account="default"} %d`, maxDetailed),
		fmt.Sprintf(`curfew_deployments{account="default",policy="p",status="running",wanted="running"} %d`, len(views)),
	} {
		if !strings.Contains(scrape, "\n"+line+"\n") {
			t.Errorf("the scrape lacks the line %s", line)
		}
	}
}

// TestForemost: whatever the fleet, the picked are at most n, need attention,
// come in order, and nobody who was left out needs more than the last of them.
func TestForemost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		views := calmFleet(rapid.IntRange(0, 60).Draw(t, "deployments"))
		for i := range views {
			views[i].Gone = rapid.IntRange(0, 4).Draw(t, "gone") == 0
			if rapid.Bool().Draw(t, "held") {
				views[i].Override = noon().Add(time.Hour)
			}
			if rapid.Bool().Draw(t, "due") {
				views[i].Due = scheduler.Transition{Power: policy.Stopped, At: noon()}
			}
		}
		n := rapid.IntRange(1, 40).Draw(t, "n")
		picked := foremost(views, n, due)
		in := map[policy.DeploymentID]bool{}
		least := trouble
		for _, v := range picked {
			in[v.Deployment] = true
			if a := attentionOf(v); a > least || a < due {
				t.Fatalf("%s needs %d after one that needs %d", v.Deployment, a, least)
			} else {
				least = a
			}
		}
		if len(picked) > n || len(in) != len(picked) {
			t.Fatalf("%d picked, %d different ones, at most %d asked for", len(picked), len(in), n)
		}
		for i := range views {
			a := attentionOf(&views[i])
			if !in[views[i].Deployment] && a >= due && (len(picked) < n || a > least) {
				t.Fatalf("%s needs %d and was left out of %d picked", views[i].Deployment, a, len(picked))
			}
		}
	})
}

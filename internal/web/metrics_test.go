package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"curfew/apiclient/quota"
	"curfew/internal/needtool"
	"curfew/policy"
	"curfew/scheduler"
)

// TestScrape holds a whole scrape against testdata/scrape.txt. After a change
// that is meant, run it with UPDATE_GOLDEN=1 and read the difference.
func TestScrape(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(fleet()), PerDeploymentAuto, "office-hours", `night "shift"`)
	d.metrics.Observe(happened())
	d.metrics.Examined(examined())
	d.metrics.LedgerError()
	build := regexp.MustCompile(`(?m)^curfew_build_info\{.*,version="v0\.0\.0-test"\} 1$`)
	got := build.ReplaceAllString(d.scrape(t), `curfew_build_info{…} 1`)

	golden := filepath.Join("testdata", "scrape.txt")
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("scrape differs from %s (-want +got):\n%s", golden, diff)
	}
}

// TestPromlint and TestPromtool ask Prometheus' own judges.
func TestPromlint(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(fleet()), PerDeploymentAll, "office-hours")
	d.metrics.Observe(happened())
	d.metrics.Examined(examined())
	problems, err := promlint.New(strings.NewReader(d.scrape(t))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool := needtool.Path(t, "promtool", "prometheus")
	d := newDaemon(t, always(fleet()), PerDeploymentAll, "office-hours")
	d.metrics.Observe(happened())
	d.metrics.Examined(examined())
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(d.scrape(t))
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// TestObserve: what each notice adds, and that it adds nothing else.
func TestObserve(t *testing.T) {
	t.Parallel()
	start := scheduler.Transition{Power: policy.Running, At: noon()}
	const post = `{account="default",action="start",`
	for name, tc := range map[string]struct {
		notice scheduler.Notice
		adds   map[string]float64
	}{
		"a look is a request and no attempt": {
			scheduler.LookEnded{Verdict: scheduler.Absent, Status: 404, Took: time.Second},
			map[string]float64{
				`curfew_api_requests_total{account="default",code="404",operation="get"}`:      1,
				`curfew_api_request_duration_seconds_count{account="default",operation="get"}`: 1,
				`curfew_api_request_duration_seconds_sum{account="default",operation="get"}`:   1,
			},
		},
		"a POST without an answer": {
			scheduler.CallEnded{
				Method: quota.Start, Transition: start, Verdict: scheduler.Unclear,
				Took: 20 * time.Second, Late: 90 * time.Second, Cause: scheduler.CauseCatchUp,
			},
			map[string]float64{
				`curfew_api_requests_total{account="default",code="none",operation="start"}`:     1,
				`curfew_api_request_duration_seconds_count{account="default",operation="start"}`: 1,
				`curfew_api_request_duration_seconds_sum{account="default",operation="start"}`:   20,
				`curfew_attempts_total` + post + `result="unknown"}`:                             1,
				`curfew_transition_lateness_seconds_count` + post + `cause="catch_up"}`:          1,
				`curfew_transition_lateness_seconds_sum` + post + `cause="catch_up"}`:            90,
			},
		},
		"a POST that never left has no lateness": {
			scheduler.CallEnded{
				Method: quota.Start, Transition: start, Verdict: scheduler.NotSent, Late: time.Second, Cause: scheduler.CauseRetry,
			},
			map[string]float64{
				`curfew_api_requests_total{account="default",code="not_sent",operation="start"}`: 1,
				`curfew_attempts_total` + post + `result="not_sent"}`:                            1,
			},
		},
		"edges passed over count one by one, and have no duration": {
			scheduler.Settled{Outcome: scheduler.Outcome{
				Policy: "p", Transition: start, Kind: scheduler.Superseded, Count: 7,
			}},
			map[string]float64{`curfew_transitions_total` + post + `outcome="superseded",policy="p",reason=""}`: 7},
		},
		"done has a duration": {
			scheduler.Settled{
				Outcome: scheduler.Outcome{Policy: "p", Transition: start, Kind: scheduler.Done, Count: 1}, Took: 4 * time.Minute,
			},
			map[string]float64{
				`curfew_transitions_total` + post + `outcome="done",policy="p",reason=""}`:   1,
				`curfew_transition_duration_seconds_count{account="default",action="start"}`: 1,
				`curfew_transition_duration_seconds_sum{account="default",action="start"}`:   240,
			},
		},
		"an attempt that closed": {
			scheduler.AttemptEnded{Power: policy.Running, Result: scheduler.ConfirmRolledBack},
			map[string]float64{`curfew_confirmations_total` + post + `result="rolled_back"}`: 1},
		},
		"a jump":                  {scheduler.ClockJump{By: -time.Hour}, map[string]float64{`curfew_clock_jumps_total{account="default"}`: 1}},
		"an alarm counts nowhere": {scheduler.Alarm{Kind: scheduler.AlarmForbidden}, map[string]float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDaemon(t, always(fleet()), PerDeploymentNone, "p")
			before := series(t, d.scrape(t))
			d.metrics.Observe([]scheduler.Notice{tc.notice})
			added := map[string]float64{}
			for k, v := range series(t, d.scrape(t)) {
				was, existed := before[k]
				if !existed {
					t.Errorf("%s is born at %v: an alert on its increase never fires", k, v)
				}
				if v != was && !strings.Contains(k, "_bucket{") {
					added[k] = v - was
				}
			}
			if diff := cmp.Diff(tc.adds, added); diff != "" {
				t.Errorf("Observe(%+v) (-want +got):\n%s", tc.notice, diff)
			}
		})
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	listed := codes()
	for status, want := range map[int]string{
		0: "none", 200: "200", 201: "201", 204: "2xx", 302: "3xx", 401: "401", 418: "4xx", 429: "429",
		503: "5xx", 101: "1xx", 999: "other", -1: "other",
	} {
		got := codeOf(scheduler.NoLook, status)
		if got != want {
			t.Errorf("status %d is counted under %q, want %q", status, got, want)
		}
	}
	for status := -1; status < 1100; status++ {
		if got := codeOf(scheduler.NoLook, status); !slices.Contains(listed, got) {
			t.Errorf("status %d is counted under %q, which is not in the closed list %q", status, got, listed)
		}
	}
}

// TestClosedLists reads the constants that scheduler declares and finds each of
// them among the labels: a new reason must not be born at 1.
func TestClosedLists(t *testing.T) {
	t.Parallel()
	var reasons []scheduler.Reason
	for _, e := range endings() {
		reasons = append(reasons, e.reason)
	}
	for typ, ours := range map[string][]string{
		"Reason": texts(reasons), "ConfirmResult": texts(confirmResults()),
		"LateCause": texts(lateCauses()), "BlockReason": texts(blockReasons()),
	} {
		if diff := cmp.Diff(declared(t, typ), ours); diff != "" {
			t.Errorf("scheduler.%s: declared there (-) and listed here (+):\n%s", typ, diff)
		}
	}
}

// TestClosedEnums is the same for the lists that count from 0.
func TestClosedEnums(t *testing.T) {
	t.Parallel()
	kinds := map[scheduler.OutcomeKind]bool{}
	for _, e := range endings() {
		kinds[e.kind] = true
	}
	for k := scheduler.Done; k.String() != "none"; k++ {
		if !kinds[k] {
			t.Errorf("outcome %s is in no ending", k)
		}
	}
	known := append(postVerdicts(), scheduler.Seen, scheduler.Absent, scheduler.NoLook)
	for v := range scheduler.Verdict(scheduler.Verdicts) {
		if !slices.Contains(known, v) {
			t.Errorf("verdict %s is neither one of a GET nor listed for POSTs", v)
		}
	}
}

// texts returns the different values of a list, sorted.
func texts[S ~string](list []S) []string {
	var out []string
	for _, s := range list {
		out = append(out, string(s))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// declared returns the values of the string constants of a type in scheduler's
// source, sorted.
func declared(t *testing.T, typ string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "scheduler", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("find scheduler's source: %v, %d files", err, len(files))
	}
	var values []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typ && len(spec.Values) == 1 {
				if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
					s, _ := strconv.Unquote(lit.Value)
					values = append(values, s)
				}
			}
			return true
		})
	}
	slices.Sort(values)
	if len(values) == 0 {
		t.Fatalf("scheduler declares no constant of type %s: has it been renamed?", typ)
	}
	return values
}

// TestReload: new policies get zeros, those that are gone keep their counters
// and lose their gauges.
func TestReload(t *testing.T) {
	t.Parallel()
	snap := &scheduler.Snapshot{Policies: []scheduler.PolicyView{{Name: "old", Members: 2}}}
	d := newDaemon(t, always(snap), PerDeploymentAuto, "old")
	d.metrics.Observe([]scheduler.Notice{scheduler.Settled{Outcome: scheduler.Outcome{
		Policy: "old", Transition: scheduler.Transition{Power: policy.Stopped}, Kind: scheduler.Already, Count: 3,
	}}})
	snap.Policies = []scheduler.PolicyView{{Name: "new", Members: 1}}
	d.metrics.Configured([]string{"new"}, PerDeploymentAuto)
	got := series(t, d.scrape(t))

	perPolicy := len(powers()) * len(endings())
	if n := len(of(got, `curfew_transitions_total{`)); n != 2*perPolicy {
		t.Errorf("%d series of transitions_total, want %d for each of old and new", n, perPolicy)
	}
	for name, want := range map[string]float64{
		`curfew_transitions_total{account="default",action="stop",outcome="already",policy="old",reason=""}`: 3,
		`curfew_transitions_total{account="default",action="stop",outcome="already",policy="new",reason=""}`: 0,
		`curfew_policy_deployments{account="default",policy="new"}`:                                          1,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s = %v, %v, want %v", name, v, ok, want)
		}
	}
	if left := of(got, `curfew_policy_deployments{account="default",policy="old"`); len(left) > 0 {
		t.Errorf("the policy that is gone still has deployments: %v", left)
	}
}

// TestStuckLoop: a scrape waits five seconds for the loop, then serves what it
// has and says that state is missing.
func TestStuckLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDaemon(t, stuck, PerDeploymentAuto, "p")
		d.metrics.Observe(happened())
		began := time.Now()
		got := series(t, d.scrape(t))
		if took := time.Since(began); took != snapshotWithin {
			t.Errorf("the scrape took %s, want %s", took, snapshotWithin)
		}
		for name, want := range map[string]float64{
			`curfew_state_available{account="default"}`:                  0,
			`curfew_clock_jumps_total{account="default"}`:                1,
			`curfew_leader{account="default"}`:                           1,
			`curfew_config_last_reload_successful{account="default"}`:    1,
			`curfew_loop_last_turn_timestamp_seconds{account="default"}`: float64(noon().Unix() - 1),
		} {
			if v, ok := got[name]; !ok || v != want {
				t.Errorf("%s = %v, %v, want %v", name, v, ok, want)
			}
		}
		if state := of(got, "curfew_quota_"); len(state) > 0 {
			t.Errorf("state without a snapshot: %v", state)
		}
	})
}

// TestBeforeTheFirstTurn: instants that do not exist have no series.
func TestBeforeTheFirstTurn(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, ended, PerDeploymentAuto)
	*d.health = Health{}
	d.health.SetLedger(LedgerWaiting)
	got := series(t, d.scrape(t))
	if v, ok := got[`curfew_leader{account="default"}`]; !ok || v != 0 {
		t.Errorf("leader = %v, %v while the ledger's lock is waited for, want 0", v, ok)
	}
	for name, v := range got {
		if strings.Contains(name, "_timestamp_seconds") {
			t.Errorf("%s = %v, though nothing has happened yet", name, v)
		}
	}
}

// TestTwoAccounts share a registry; the same one twice is an error that names it.
func TestTwoAccounts(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	for _, account := range []string{"eu", "cn"} {
		o := MetricsOptions{Account: account, Snapshot: always(fleet()), Health: NewHealth()}
		if _, err := NewMetrics(r, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := RegisterRuntime(r); err != nil {
		t.Error(err)
	}
	if _, err := r.Gather(); err != nil {
		t.Errorf("gather two accounts: %v", err)
	}
	_, err := NewMetrics(r, MetricsOptions{Account: "eu", Snapshot: ended, Health: NewHealth()})
	if err == nil || !strings.Contains(err.Error(), `account "eu"`) {
		t.Errorf("the same account twice: %v, want an error that names it", err)
	}
}

// TestConcurrent is for the race detector: the loop counts and reloads while
// several scrape. No count is lost.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	const writers, rounds = 4, 200
	d := newDaemon(t, always(fleet()), PerDeploymentAll, "office-hours")
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range rounds {
				d.metrics.Observe(happened())
				d.metrics.Configured([]string{"office-hours", "other"}, PerDeploymentNone)
				d.health.Turned(noon())
				d.health.SetConfig(true, noon())
			}
		})
		wg.Go(func() {
			for range 5 {
				if _, err := d.registry.Gather(); err != nil {
					t.Errorf("gather: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := series(t, d.scrape(t))[`curfew_clock_jumps_total{account="default"}`]; n != writers*rounds {
		t.Errorf("%v jumps counted, want %d", n, writers*rounds)
	}
}

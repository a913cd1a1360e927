package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is the instant of the hand-made snapshot.
func noon() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }

// fleet is a hand-made snapshot with one deployment for each thing that there
// is to show. The names are of the kind that the platform lets people give.
func fleet() *scheduler.Snapshot {
	stop := scheduler.Transition{Power: policy.Stopped, At: noon().Add(-10 * time.Minute)}
	start := scheduler.Transition{Power: policy.Running, At: noon().Add(-time.Hour)}
	return &scheduler.Snapshot{
		Now: scheduler.Now{Wall: noon()}, Account: "default", Settled: true,
		Blocked:  []scheduler.BlockReason{scheduler.BlockClock},
		Policies: []scheduler.PolicyView{{Name: "office-hours", Members: 3}, {Name: `night "shift"`, Members: 1, DryRun: true}},
		Deployments: []scheduler.View{
			{
				Deployment: "w41b11c0", Policy: "office-hours", Want: policy.Running, SeenAt: noon().Add(-41 * time.Second),
				Look:    look("running", "dev-eu"),
				Next:    [2]time.Time{noon().Add(20 * time.Hour), noon().Add(8 * time.Hour)},
				Because: policy.Because{Kind: policy.KindEdge, Pos: policy.Pos{File: "curfew.yaml", Line: 21, Col: 12}, Ref: "0 8 * * MON-FRI"},
				Last:    scheduler.Done, LastAt: noon().Add(-4 * time.Hour),
				Seconds: scheduler.StatusSeconds{scheduler.StatusRunning: 3600.5, scheduler.StatusStarting: 90},
			},
			{
				Deployment: "b1f77113", Policy: "office-hours", Want: policy.Stopped, SeenAt: noon().Add(-time.Minute),
				Look: look("running", "a \"b\"\n<script>alert(1)</script>"), Due: stop, Wait: scheduler.WaitPermit,
				PermitAt: noon().Add(7 * time.Minute), Override: noon().Add(time.Hour),
			},
			{Deployment: "c2", Policy: "office-hours", Want: policy.Running, Due: start, Wait: scheduler.WaitSlot},
			{Deployment: "d3", Policy: `night "shift"`, Look: look("failed", "d3 \xff\xfe"), SeenAt: noon()},
			{Deployment: "e4", Gone: true, Look: look("stopped", "old"), SeenAt: noon(), Last: scheduler.Failed, LastReason: scheduler.ReasonNotFound},
		},
		Quotas: [quota.Methods]scheduler.QuotaView{
			{Limit: quota.Documented(quota.Get), Scope: quota.Key, Left: 46},
			{Limit: quota.Documented(quota.Start), Scope: quota.Deployment, Left: 1},
			{Limit: quota.Documented(quota.Stop), Scope: quota.Auto, Left: 0},
		},
	}
}

func look(status, name string) scheduler.Look {
	return scheduler.Look{Status: status, Name: name, Type: "dedicated", Platform: "AWS", Region: "N. Virginia (us-east-1)"}
}

// examined is what an examination found of a policy and two calendars.
func examined() Examined {
	return Examined{
		Infeasible: map[string]int{"office-hours": 400},
		LastDates:  map[string]time.Time{"holidays": time.Date(2099, 12, 26, 0, 0, 0, 0, time.UTC), "broken": {}},
	}
}

// happened is one notice of each kind that counts.
func happened() []scheduler.Notice {
	stop := scheduler.Transition{Power: policy.Stopped, At: noon()}
	return []scheduler.Notice{
		scheduler.LookEnded{Verdict: scheduler.Seen, Status: 200, Took: 80 * time.Millisecond},
		scheduler.CallEnded{
			Policy: "office-hours", Method: quota.Stop, Transition: stop, Verdict: scheduler.Took, Status: 201,
			Took: 120 * time.Millisecond, Late: 3 * time.Millisecond, Cause: scheduler.CauseOnTime,
		},
		scheduler.AttemptEnded{Policy: "office-hours", Power: policy.Stopped, Result: scheduler.ConfirmSeen},
		scheduler.Settled{
			Outcome: scheduler.Outcome{Policy: "office-hours", Transition: stop, Kind: scheduler.Done, Count: 1},
			Took:    3 * time.Minute,
		},
		scheduler.ClockJump{By: time.Hour},
		scheduler.Alarm{Kind: scheduler.AlarmClock, Text: "set the clock"},
		scheduler.ScopeLearned{Method: quota.Stop, Scope: quota.Key},
	}
}

// daemon is a daemon as this package sees one.
type daemon struct {
	registry *prometheus.Registry
	metrics  *Metrics
	health   *Health
	handler  http.Handler
	log      *strings.Builder
}

// always gives the same snapshot.
func always(s *scheduler.Snapshot) Snapshots {
	return func(context.Context) (*scheduler.Snapshot, error) { return s, nil }
}

// stuck is a loop that does not answer.
func stuck(ctx context.Context) (*scheduler.Snapshot, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// ended is a loop that has returned.
func ended(context.Context) (*scheduler.Snapshot, error) {
	return nil, errors.New("the daemon is stopping")
}

// newDaemon is one whose start went well and whose loop has turned.
func newDaemon(t testing.TB, snapshot Snapshots, per PerDeployment, policies ...string) *daemon {
	t.Helper()
	d := &daemon{registry: prometheus.NewRegistry(), health: NewHealth(), log: new(strings.Builder)}
	if _, ok := t.(*testing.T); ok {
		d.registry = prometheus.NewPedanticRegistry() // compares descriptions with what comes; slow
	}
	d.health.SetLedger(LedgerOpen)
	d.health.SetConfig(true, noon().Add(-time.Hour))
	d.health.Turned(noon().Add(-time.Second))
	m, err := NewMetrics(d.registry, MetricsOptions{
		Account: "default", Version: "v0.0.0-test", Policies: policies, PerDeployment: per, Snapshot: snapshot, Health: d.health,
	})
	if err != nil {
		t.Fatal(err)
	}
	d.metrics = m
	d.handler = New(Options{
		Account: "default", Version: "v0.0.0-test", Gatherer: d.registry, Snapshot: snapshot, Health: d.health,
		Log: slog.New(slog.NewTextHandler(d.log, nil)),
	})
	return d
}

// get asks the handler and returns the status and the body.
func (d *daemon) get(path string) (int, string) {
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// scrape returns the exposition. It fails where Prometheus would see less than
// all of it.
func (d *daemon) scrape(t testing.TB) string {
	t.Helper()
	code, body := d.get("/metrics")
	if code != http.StatusOK || d.log.Len() > 0 {
		t.Fatalf("GET /metrics: %d, logged: %s\n%s", code, d.log, body)
	}
	return body
}

// series reads an exposition: value by series.
func series(t testing.TB, text string) map[string]float64 {
	t.Helper()
	line := regexp.MustCompile(`(?m)^([a-z_]+(?:\{.*\})?) (\S+)$`)
	all := map[string]float64{}
	for _, m := range line.FindAllStringSubmatch(text, -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatalf("line %q: %v", m[0], err)
		}
		all[m[1]] = v
	}
	return all
}

// of returns what begins with prefix.
func of(all map[string]float64, prefix string) map[string]float64 {
	some := map[string]float64{}
	for k, v := range all {
		if strings.HasPrefix(k, prefix) {
			some[k] = v
		}
	}
	return some
}

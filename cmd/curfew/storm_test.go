package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/apiclient"
	"curfew/apiclient/quota"
	"curfew/internal/ledger"
	"curfew/internal/secret"
	"curfew/policy"
	"curfew/scheduler"
)

// A tally is a server that does nothing but remember when POSTs arrived.
type tally struct {
	mu   sync.Mutex
	at   []time.Time
	full chan struct{} // closed with the n-th arrival
	n    int
	url  string
}

func newTally(b *testing.B, n int) *tally {
	b.Helper()
	t := &tally{n: n, full: make(chan struct{}), at: make([]time.Time, 0, n)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	t.url = "http://" + ln.Addr().String() + "/public_api/v1"
	s := &http.Server{Handler: t}
	go s.Serve(ln)
	b.Cleanup(func() { s.Close() })
	return t
}

func (t *tally) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	id := strings.Split(r.URL.Path, "/")[4]
	if r.Method == http.MethodGet {
		fmt.Fprintf(w, `{"deploymentID":%q,"deploymentName":"d","deploymentType":"dedicated","platform":"AWS","region":"r","status":"running","connections":1000,"createAt":"2024-07-22 05:32"}`, id)
		return
	}
	now := time.Now()
	t.mu.Lock()
	t.at = append(t.at, now)
	if len(t.at) == t.n {
		close(t.full)
	}
	t.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"deploymentID":%q,"deploymentName":"d","operation":"stopping"}`, id)
}

// bare sends the same calls with nothing around them: a tuned transport and as
// many workers as curfew has slots. It returns how long the last POST took to
// arrive.
func (t *tally) bare(b *testing.B, ids []policy.DeploymentID) time.Duration {
	b.Helper()
	tr := &http.Transport{MaxIdleConnsPerHost: scheduler.Slots, MaxConnsPerHost: scheduler.Slots, DisableCompression: true}
	defer tr.CloseIdleConnections()
	work := make(chan policy.DeploymentID, len(ids))
	for _, id := range ids {
		work <- id
	}
	close(work)
	began := time.Now()
	var wg sync.WaitGroup
	for range scheduler.Slots {
		wg.Go(func() {
			for id := range work {
				req, err := http.NewRequest(http.MethodPost, t.url+"/deployments/"+string(id)+"/stop", nil)
				if err != nil {
					b.Error(err)
					return
				}
				req.SetBasicAuth("key", "secret")
				resp, err := tr.RoundTrip(req)
				if err != nil {
					b.Error(err)
					return
				}
				var op struct {
					ID        string `json:"deploymentID"`
					Name      string `json:"deploymentName"`
					Operation string `json:"operation"`
				}
				if err := json.NewDecoder(resp.Body).Decode(&op); err != nil || op.Operation != "stopping" {
					b.Errorf("answer %+v: %v", op, err)
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	wg.Wait()
	return slices.MaxFunc(t.at, time.Time.Compare).Sub(began)
}

// curfew sends them as the daemon does: its own loop, client and ledger on this
// disk, all stops at one instant. It returns how long after the instant the
// first and the last POST arrived.
func (t *tally) curfew(b *testing.B, ids []policy.DeploymentID, ahead time.Duration) (first, last time.Duration) {
	b.Helper()
	machine := machineClock()
	at := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	zero := machine.read().Steady
	instant := time.Now().Add(ahead)
	clk := clock{boot: machine.boot, fast: 1, read: func() scheduler.Now {
		now := machine.read()
		return scheduler.Now{Wall: at.Add(now.Steady - zero - ahead), Steady: now.Steady}
	}}
	client, err := apiclient.New(apiclient.Config{Endpoint: t.url, Key: secret.New("key"), Secret: secret.New("secret"), Slots: scheduler.Slots})
	if err != nil {
		b.Fatal(err)
	}
	call := &caller{clock: clk}
	call.use(client)
	defer client.Close()
	l, err := ledger.Open(b.Context(), ledger.Options{
		Path: filepath.Join(b.TempDir(), "curfew.db"), Account: "default", Endpoint: t.url, Boot: clk.boot, Release: "bench", Now: clk.read,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	call.mark = l.Mark
	fleet := scheduler.New(clk.read(), stormConfig(b, ids), scheduler.State{})
	loop := scheduler.NewLoop(fleet, l, call, clk.read, func(scheduler.Now, []scheduler.Notice) {})
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	select {
	case <-t.full:
	case <-time.After(ahead + 2*time.Minute):
		b.Errorf("%d of %d POSTs arrived", len(t.at), t.n)
	}
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	return slices.MinFunc(t.at, time.Time.Compare).Sub(instant), slices.MaxFunc(t.at, time.Time.Compare).Sub(instant)
}

func stormConfig(b *testing.B, ids []policy.DeploymentID) scheduler.Config {
	b.Helper()
	s := policy.Spec{Name: "evening", Zone: "UTC", Stop: []policy.Cron{{Expr: "0 20 * * *"}}, Start: []policy.Cron{{Expr: "0 8 * * *"}}}
	for _, id := range ids {
		s.Deployments = append(s.Deployments, policy.Member{ID: id})
	}
	set, problems := policy.Compile([]policy.Spec{s}, policy.Env{Zones: map[string]*time.Location{"UTC": time.UTC}})
	if set == nil {
		b.Fatal(problems)
	}
	c := scheduler.Config{Account: "default", Set: set, ObserveEvery: scheduler.DefaultObserveEvery, TrustClock: true}
	for m := range quota.Method(quota.Methods) {
		c.Quotas[m] = quota.Documented(m)
		c.Quotas[m].Scope = quota.Deployment
	}
	return c
}

func stormIDs(n int) []policy.DeploymentID {
	ids := make([]policy.DeploymentID, n)
	for i := range ids {
		ids[i] = policy.DeploymentID(fmt.Sprintf("d%06d", i))
	}
	return ids
}

// BenchmarkStorm is 10,000 stops at one instant over loopback, each with a
// durable claim, beside a bare Go client that sends the same calls. Server and
// client share the cores in both. x-bare is the ratio, from the instant (or the
// beginning) to the last arrival.
func BenchmarkStorm(b *testing.B) {
	ids := stormIDs(10_000)
	var ratio, first float64
	n := 0
	for b.Loop() {
		bare := newTally(b, len(ids)).bare(b, ids)
		early, last := newTally(b, len(ids)).curfew(b, ids, 4*time.Second)
		if early < 0 {
			b.Fatalf("the first POST arrived %v before its instant", -early)
		}
		again := newTally(b, len(ids)).bare(b, ids)
		ratio += float64(last) / (float64(bare+again) / 2)
		first += early.Seconds() * 1000
		n++
	}
	b.ReportMetric(ratio/float64(n), "x-bare")
	b.ReportMetric(first/float64(n), "first-ms")
}

// BenchmarkInstant is one deployment: from the instant to the POST at the
// server, durable claim included. p99-ms and max-ms are over all iterations.
func BenchmarkInstant(b *testing.B) {
	var late []time.Duration
	for b.Loop() {
		first, _ := newTally(b, 1).curfew(b, stormIDs(1), 300*time.Millisecond)
		if first < 0 {
			b.Fatalf("the POST arrived %v before its instant", -first)
		}
		late = append(late, first)
	}
	slices.Sort(late)
	b.ReportMetric(late[len(late)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(late[len(late)*99/100].Seconds()*1000, "p99-ms")
	b.ReportMetric(late[len(late)-1].Seconds()*1000, "max-ms")
}

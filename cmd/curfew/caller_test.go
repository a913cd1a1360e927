package main

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/apiclient"
	"curfew/apiclient/quota"
	"curfew/internal/secret"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// A stage is a caller before a simulated platform with one deployment.
type stage struct {
	*caller
	endpoint string
	log      quota.Log
	claim    uint64
}

func newStage(t *testing.T, c clock, faults ...string) *stage {
	t.Helper()
	now := func() time.Time { return c.read().Wall }
	w := simplatform.New(simplatform.Config{})
	if err := w.Add(now(), simplatform.Deployment{ID: "w1", Name: "dev", Region: "N. Virginia", Connections: 1000}, simplatform.Timing{}); err != nil {
		t.Fatal(err)
	}
	if err := addFaults(w, faults, now()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(simplatform.NewHandler(w, now, simplatform.HandlerConfig{Key: storyKey, Secret: storySecret}))
	t.Cleanup(server.Close)
	s := &stage{caller: &caller{clock: c}, endpoint: server.URL + "/public_api/v1"}
	s.use(s.newClient(t, storySecret))
	return s
}

func (s *stage) newClient(t *testing.T, password string) *apiclient.Client {
	t.Helper()
	client, err := apiclient.New(apiclient.Config{Endpoint: s.endpoint, Key: secret.New(storyKey), Secret: secret.New(password)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// call makes one call that must leave within so long of the clock's time.
func (s *stage) call(t *testing.T, m quota.Method, id policy.DeploymentID, within time.Duration) scheduler.Answer {
	t.Helper()
	s.claim++
	now := s.clock.read().Steady
	p, ok := s.log.Claim(s.claim, m, quota.Limit{N: 100, Per: time.Hour}, now, now+within, now+time.Hour)
	if !ok {
		t.Fatal("no permit")
	}
	return s.Do(context.Background(), scheduler.Call{Claim: s.claim, Method: m, Deployment: id, Permit: p})
}

// TestCallerAnswers: what the scheduler is told of what the platform said.
func TestCallerAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, fault string
		method      quota.Method
		id          policy.DeploymentID
		want        scheduler.Answer // but for times and texts
		err         string
	}{
		{name: "look", method: quota.Get, id: "w1", want: scheduler.Answer{Sent: true, Status: 200, Sane: true,
			Look: scheduler.Look{Status: "running", Name: "dev", Region: "N. Virginia", Connections: 1000}}},
		{name: "look at nothing", method: quota.Get, id: "w9", want: scheduler.Answer{Sent: true, Status: 404}, err: "404"},
		{name: "list", method: quota.Get, want: scheduler.Answer{Sent: true, Status: 200, Sane: true, List: []scheduler.Listed{{
			ID: "w1", Look: scheduler.Look{Status: "running", Name: "dev", Region: "N. Virginia", Connections: 1000}}}}},
		{name: "stop", method: quota.Stop, id: "w1", want: scheduler.Answer{Sent: true, Status: 201, Sane: true}},
		{name: "start of what runs", method: quota.Start, id: "w1", want: scheduler.Answer{Sent: true, Status: 422}, err: "422"},
		{name: "limited", fault: "stop w1 limited retry=90s", method: quota.Stop, id: "w1",
			want: scheduler.Answer{Sent: true, Status: 429, RetryAfter: 90 * time.Second}, err: "429"},
		{name: "lost answer", fault: "stop w1 lost-answer", method: quota.Stop, id: "w1", want: scheduler.Answer{Sent: true}, err: "stop w1"},
		{name: "garbage", fault: "stop w1 garbage", method: quota.Stop, id: "w1", want: scheduler.Answer{Sent: true, Status: 201}, err: "stop w1"},
		{name: "wrong key", fault: "any * unauthorized", method: quota.Get, id: "w1", want: scheduler.Answer{Sent: true, Status: 401}, err: "401"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var faults []string
			if tc.fault != "" {
				faults = append(faults, tc.fault)
			}
			s := newStage(t, machineClock(), faults...)
			before := s.clock.read()
			got := s.call(t, tc.method, tc.id, time.Minute)
			after := s.clock.read()
			if !ordered(before.Steady, got.Began.Steady, got.Ended.Steady, after.Steady) {
				t.Errorf("began %s and ended %s, outside of %s to %s", got.Began.Steady, got.Ended.Steady, before.Steady, after.Steady)
			}
			if (got.Err == "") != (tc.err == "") || !strings.Contains(got.Err, tc.err) || strings.Contains(got.Err, storySecret) {
				t.Errorf("err %q, want %q in it", got.Err, tc.err)
			}
			if got.Status != 0 && got.Date.Sub(got.Ended.Wall).Abs() > 2*time.Second {
				t.Errorf("date %s, and it ended at %s", got.Date, got.Ended.Wall)
			}
			tc.want.Claim = s.claim
			got.Began, got.Ended, got.Date, got.Err = scheduler.Now{}, scheduler.Now{}, time.Time{}, ""
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("the answer (- want, + got):\n%s", diff)
			}
		})
	}
}

// ordered allows a microsecond for the two clocks that are compared.
func ordered(times ...time.Duration) bool {
	for i := 1; i < len(times); i++ {
		if times[i] < times[i-1]-time.Microsecond {
			return false
		}
	}
	return true
}

// TestCallerIsNeverLate: past the permit's last instant nothing leaves.
func TestCallerIsNeverLate(t *testing.T) {
	t.Parallel()
	s := newStage(t, machineClock())
	if got := s.call(t, quota.Stop, "w1", -time.Millisecond); got.Sent || got.Sane || got.Err == "" {
		t.Errorf("a late call: %+v, want it not sent", got)
	}
	if got := s.call(t, quota.Get, "w1", time.Minute); got.Look.Status != "running" {
		t.Errorf("the platform got the late stop all the same: %+v", got)
	}
}

// TestCallerInALapse: the bounds and the times of an answer are the lapse's.
func TestCallerInALapse(t *testing.T) {
	t.Parallel()
	origin := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	l := lapse{factor: 3600, origin: origin.Format(time.RFC3339), anchor: int64(machineClock().read().Steady)}
	c, err := l.clock()
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, c)
	if got := s.call(t, quota.Stop, "w1", -time.Hour); got.Sent {
		t.Errorf("a call that is an hour late: %+v, want it not sent", got)
	}
	got := s.call(t, quota.Get, "w1", 10*time.Hour) // ten seconds
	if !got.Sane || got.Began.Wall.Before(origin) || got.Ended.Wall.Sub(origin) != got.Ended.Steady {
		t.Errorf("got %+v, want a look after %s", got, origin)
	}
}

// TestCallerSwapsClients: the next call is made with the new key.
func TestCallerSwapsClients(t *testing.T) {
	t.Parallel()
	s := newStage(t, machineClock())
	good, bad := s.client.Load(), s.newClient(t, "another")
	for _, tc := range []struct {
		client *apiclient.Client
		status int
	}{{good, 200}, {bad, 401}, {good, 200}} {
		s.use(tc.client)
		if got := s.call(t, quota.Get, "w1", time.Minute); got.Status != tc.status {
			t.Errorf("status %d, want %d: %s", got.Status, tc.status, got.Err)
		}
	}
}

// TestCallerRecalls: what was handed out before a reload does not leave after it,
// however near its first byte it was.
func TestCallerRecalls(t *testing.T) {
	t.Parallel()
	s := newStage(t, machineClock())
	s.mark = func(uint64) error { s.recall(1); return nil }
	got := s.call(t, quota.Stop, "w1", time.Minute)
	if got.Sent || !got.Recalled || got.Err == "" {
		t.Errorf("a call of an earlier epoch: %+v, want it recalled", got)
	}
}

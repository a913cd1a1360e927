package web

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/scheduler"
)

// starting is a daemon that has done nothing yet.
func starting(t *testing.T, snapshot Snapshots) *daemon {
	t.Helper()
	d := newDaemon(t, snapshot, PerDeploymentAuto)
	*d.health = Health{}
	d.health.signOfLife()
	return d
}

func (d *daemon) expect(t *testing.T, path string, code int, sentence string) {
	t.Helper()
	got, body := d.get(path)
	if got != code || body != sentence+"\n" {
		t.Errorf("GET %s: %d %q, want %d %q", path, got, body, code, sentence)
	}
}

// TestHealthz follows a daemon through its life. Time passes as in the table.
func TestHealthz(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := starting(t, ended)
		for _, step := range []struct {
			passes time.Duration
			then   func()
			code   int
			says   string
		}{
			{0, nil, 200, "ok"},
			{61 * time.Second, nil, 503, "the loop has not made its first turn in 1m1s"},
			{0, func() { d.health.SetLedger(LedgerWaiting) }, 200, "ok: waiting for the ledger's lock, which another curfew holds"},
			{10 * time.Hour, nil, 200, "ok: waiting for the ledger's lock, which another curfew holds"},
			{0, func() { d.health.SetLedger(LedgerOpen) }, 200, "ok"},
			{59 * time.Second, nil, 200, "ok"},
			{2 * time.Second, nil, 503, "the loop has not made its first turn in 1m1s"},
			{0, func() { d.health.Turned(noon()) }, 200, "ok"},
			{60 * time.Second, nil, 200, "ok"},
			{time.Second, nil, 503, "the loop has not turned for 1m1s; it should every 15s"},
			// The loop's wall clock may stand anywhere: it is not what judges.
			{0, func() { d.health.Turned(noon().AddDate(-5, 0, 0)) }, 200, "ok"},
		} {
			time.Sleep(step.passes) // of the bubble: takes no time
			if step.then != nil {
				step.then()
			}
			d.expect(t, "/healthz", step.code, step.says)
		}
	})
}

// TestReadyz: each thing that can be missing, named.
func TestReadyz(t *testing.T) {
	t.Parallel()
	settled := func(h *Health) {
		h.SetLedger(LedgerOpen)
		h.SetConfig(true, noon())
	}
	for name, tc := range map[string]struct {
		set      func(*Health)
		snapshot Snapshots
		code     int
		says     string
	}{
		"at the start": {func(*Health) {}, ended, 503, "ledger: not open yet"},
		"second daemon": {
			func(h *Health) { h.SetLedger(LedgerWaiting); h.SetConfig(true, noon()) }, ended, 503,
			"ledger: another curfew holds its lock",
		},
		"no file yet":    {func(h *Health) { h.SetLedger(LedgerOpen) }, ended, 503, "configuration: none is in force yet"},
		"loop not there": {settled, ended, 503, "loop: gives no answer: the daemon is stopping"},
		"before the first commit": {
			settled, always(&scheduler.Snapshot{}), 503, "first commit: not durable yet",
		},
		"ready": {settled, always(&scheduler.Snapshot{Settled: true}), 200, "ready"},
		"a bad reload leaves the last good file in force": {
			func(h *Health) { settled(h); h.SetConfig(false, noon()) }, always(&scheduler.Snapshot{Settled: true}), 200, "ready",
		},
		"SIGTERM": {
			settled, always(&scheduler.Snapshot{Settled: true, Draining: true}), 503, "loop: shutting down",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := starting(t, tc.snapshot)
			tc.set(d.health)
			d.expect(t, "/readyz", tc.code, tc.says)
		})
	}
}

// TestReadyzStuck: a probe does not wait longer than probes do.
func TestReadyzStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDaemon(t, stuck, PerDeploymentAuto)
		began := time.Now()
		code, body := d.get("/readyz")
		if took := time.Since(began); code != http.StatusServiceUnavailable || took != readyWithin {
			t.Errorf("a stuck loop: %d after %s, want 503 after %s", code, took, readyWithin)
		}
		if !strings.HasPrefix(body, "loop: gives no answer") {
			t.Errorf("a stuck loop: %q does not say so", body)
		}
	})
}

package ledger

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// noon is the instant of the tests that need one.
func noon() time.Time { return time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC) }

func optionsAt(path string) Options {
	return Options{
		Path: path, Account: "default", Endpoint: "https://api.example.com/v1",
		Boot: "boot-a", Release: "test", Now: func() scheduler.Now { return scheduler.Now{Wall: noon(), Steady: time.Hour} },
	}
}

func mustOpen(t testing.TB, o Options) *Ledger {
	t.Helper()
	l, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func mustCommit(t testing.TB, l *Ledger, b *scheduler.Batch) {
	t.Helper()
	if err := l.Commit(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func stop() scheduler.Transition {
	return scheduler.Transition{Power: policy.Stopped, At: noon(), Because: policy.Because{
		Kind: policy.KindEdge, Pos: policy.Pos{File: "curfew.yaml", Line: 12, Col: 11}, Ref: "0 20 * * *",
	}}
}

func claimsFrom(first uint64, n int, m quota.Method) []scheduler.Claim {
	made := make([]scheduler.Claim, n)
	for i := range made {
		id := first + uint64(i)
		made[i] = scheduler.Claim{
			ID: id, Deployment: policy.DeploymentID(fmt.Sprintf("d%07d", id%100000)), Method: m,
			Made: scheduler.Instant{Wall: noon(), Steady: time.Hour}, Latest: time.Hour + 20*time.Second,
		}
		if m != quota.Get {
			made[i].Transition = stop()
		}
	}
	return made
}

func endingsOf(made []scheduler.Claim) []scheduler.Ending {
	ended := make([]scheduler.Ending, len(made))
	for i, c := range made {
		at := c.Made
		at.Steady += time.Second
		ended[i] = scheduler.Ending{Claim: c.ID, Ended: at, Known: true, Result: "accepted", Status: 200}
	}
	return ended
}

// settledRows are deployments with nothing due, which is what most are.
func settledRows(n int) []scheduler.Row {
	rows := make([]scheduler.Row, n)
	for i := range rows {
		rows[i] = scheduler.Row{
			Deployment: policy.DeploymentID(fmt.Sprintf("d%07d", i)), Policy: "office-hours", Floor: noon(),
			Fingerprint: policy.Fingerprint{byte(i), 2, 3}, Power: policy.Stopped, Armed: true,
			Last: scheduler.Done, LastPower: policy.Stopped, LastAt: noon(),
		}
	}
	return rows
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 64, 10_000} {
		b.Run(fmt.Sprintf("claims=%d", n), func(b *testing.B) {
			l := mustOpen(b, optionsAt(filepath.Join(b.TempDir(), "curfew.db")))
			next := uint64(1)
			for b.Loop() {
				mustCommit(b, l, &scheduler.Batch{Claims: claimsFrom(next, n, quota.Stop)})
				next += uint64(n)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []struct{ rows, uses int }{{100_000, 0}, {0, 180_000}, {100_000, 180_000}} {
		b.Run(fmt.Sprintf("rows=%d/uses=%d", n.rows, n.uses), func(b *testing.B) {
			o := optionsAt(filepath.Join(b.TempDir(), "curfew.db"))
			l := mustOpen(b, o)
			gets := claimsFrom(1, n.uses, quota.Get)
			mustCommit(b, l, &scheduler.Batch{Rows: settledRows(n.rows), Claims: gets, Endings: endingsOf(gets)})
			b.Run("open", func(b *testing.B) {
				l.Close()
				for b.Loop() {
					mustOpen(b, o).Close()
				}
			})
			l = mustOpen(b, o)
			b.Run("load", func(b *testing.B) {
				for b.Loop() {
					if _, err := l.Load(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

package scheduler

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// benchFleet returns a settled fleet of n deployments under so many policies,
// each observed running, one second before all are to stop.
func benchFleet(b *testing.B, n, policies int) (*Fleet, Now) {
	b.Helper()
	specs := make([]policy.Spec, policies)
	rows := make([]Row, 0, n)
	at := time.Date(2026, 11, 24, 19, 59, 59, 0, time.UTC)
	for i := range specs {
		specs[i] = spec(fmt.Sprintf("p%03d", i), "0 8 * * *", "0 20 * * *")
	}
	for i := range n {
		id := policy.DeploymentID(fmt.Sprintf("d%06d", i))
		specs[i%policies].Deployments = append(specs[i%policies].Deployments, policy.Member{ID: id})
	}
	set := compile(b, specs...)
	for _, p := range set.Policies {
		for _, m := range p.Members() {
			rows = append(rows, Row{Deployment: m.ID, Policy: p.Name(), Floor: at, Fingerprint: p.Fingerprint(), Power: policy.Running})
		}
	}
	now := Now{Wall: at, Steady: 1000 * time.Hour}
	c := Config{Account: "default", Set: set, Quotas: documented, ObserveEvery: DefaultObserveEvery}
	for m := range c.Quotas {
		c.Quotas[m].Scope = quota.Deployment
	}
	f := New(now, c, State{Rows: rows})
	for i := range f.recs {
		rec := &f.recs[i]
		jitter := time.Duration(rand.Int64N(int64(time.Minute)))
		rec.look.kind, rec.look.run = StatusRunning, 2
		rec.look.asked, rec.look.tried = now.Steady-jitter, now.Steady-jitter
		f.touch(ref(i))
	}
	f.out = nil
	f.Turn(now)
	return f, now
}

// BenchmarkBoundary is the turn in which all deployments of the fleet are to
// stop at once: every decision made, every POST queued, the first claims handed
// out. It does not contain the commit and the calls.
func BenchmarkBoundary(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				f, now := benchFleet(b, n, 200)
				now.Wall, now.Steady = now.Wall.Add(time.Second), now.Steady+time.Second
				b.StartTimer()
				if r := f.Turn(now); r.Commit == nil && f.out == nil {
					b.Fatal("nothing is to be stopped")
				}
			}
		})
	}
}

// BenchmarkTurnOfOne is an answer that concerns one deployment of a large fleet,
// and the turn after it.
func BenchmarkTurnOfOne(b *testing.B) {
	f, now := benchFleet(b, 100_000, 200)
	for b.Loop() {
		now.Wall, now.Steady = now.Wall.Add(time.Microsecond), now.Steady+time.Microsecond
		f.looked(ref(0), now, StatusRunning, Look{Status: "running"})
		f.touch(0)
		f.Turn(now)
	}
}

// BenchmarkStart is New from the rows of an existing ledger, without reading it.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		benchFleet(b, 100_000, 200)
	}
}

// BenchmarkSnapshot is one picture of a large fleet, as a scrape asks for it.
func BenchmarkSnapshot(b *testing.B) {
	f, now := benchFleet(b, 100_000, 200)
	for b.Loop() {
		f.Snapshot(now)
	}
}

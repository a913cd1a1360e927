package simplatform

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkWorldGet is what a simulated year does ten million times: a look at
// one of 100 deployments every 5 minutes.
func BenchmarkWorldGet(b *testing.B) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := New(Config{SkipGetLog: true})
	ids := make([]string, 100)
	for i := range ids {
		ids[i] = fmt.Sprintf("d%04d", i)
		if err := w.Add(start, Deployment{ID: ids[i]}, Timing{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		at := start.Add(time.Duration(n) * 3 * time.Second)
		if r := w.Do(at, Request{Method: Get, ID: ids[n%len(ids)]}); r.Status != 200 {
			b.Fatalf("look %d: status %d, want 200", n, r.Status)
		}
		n++
	}
}

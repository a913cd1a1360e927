package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"curfew/internal/config"
	"curfew/internal/ledger"
	"curfew/policy"
	"curfew/scheduler"
)

// startupFile is a configuration of n deployments under 200 policies.
func startupFile(n int) []byte {
	var b strings.Builder
	b.WriteString("timezone: Europe/Berlin\npolicies:\n")
	for p := range 200 {
		fmt.Fprintf(&b, "  - name: p%03d\n    start: \"%d 8 * * MON-FRI\"\n    stop: \"%d 20 * * MON-FRI\"\n    deployments:\n", p, p%60, p%60)
		for i := p; i < n; i += 200 {
			fmt.Fprintf(&b, "      - d%06d\n", i)
		}
	}
	return []byte(b.String())
}

// BenchmarkStartup is from a file and an existing ledger of 100,000 deployments
// to the first turn: parse, open, load, new. resident-MB is what the process
// holds after it.
func BenchmarkStartup(b *testing.B) {
	const n = 100_000
	text := startupFile(n)
	clk := machineClock()
	o := ledger.Options{
		Path: filepath.Join(b.TempDir(), "curfew.db"), Account: "default", Endpoint: config.DefaultEndpoint, Boot: clk.boot, Release: "bench",
		Now: clk.read,
	}
	fillLedger(b, o, clk, text)
	for b.Loop() {
		file, problems := config.Parse("large.yaml", text, config.Env{})
		if config.Failed(problems) {
			b.Fatal(config.Render(problems, text))
		}
		l, err := ledger.Open(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		state, err := l.Load(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if len(state.Rows) != n {
			b.Fatalf("%d rows, want %d", len(state.Rows), n)
		}
		now := clk.read()
		fleet := scheduler.New(now, largeConfig(file), state)
		if r := fleet.Turn(now); r.Wake <= now.Steady {
			b.Fatal("the fleet does not rest")
		}
		b.StopTimer()
		state = scheduler.State{}
		debug.FreeOSMemory() // as the daemon does once it has begun
		b.ReportMetric(resident(b), "resident-MB")
		runtime.KeepAlive(fleet)
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func largeConfig(file *config.Config) scheduler.Config {
	return scheduler.Config{Account: file.Name, Set: file.Policies, Quotas: file.Quotas, ObserveEvery: file.ObserveEvery}
}

// fillLedger makes the ledger that a daemon leaves which has activated all.
func fillLedger(b *testing.B, o ledger.Options, clk clock, text []byte) {
	b.Helper()
	file, _ := config.Parse("large.yaml", text, config.Env{})
	now := clk.read()
	l, err := ledger.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	batch := &scheduler.Batch{Written: now}
	for _, p := range file.Policies.Policies {
		for _, m := range p.Members() {
			batch.Rows = append(batch.Rows, scheduler.Row{
				Deployment: m.ID, Policy: p.Name(), Floor: now.Wall, Fingerprint: p.Fingerprint(), Power: policy.Stopped,
				Armed: true, Last: scheduler.Done, LastPower: policy.Stopped, LastAt: now.Wall.Add(-time.Hour),
			})
		}
	}
	if err := l.Commit(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
}

// resident is what the kernel says that this process holds, in MB.
func resident(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc here: the resident size is measured on Linux")
	}
	for line := range strings.Lines(string(text)) {
		var kb float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kb); err == nil {
			return kb / 1000
		}
	}
	return 0
}

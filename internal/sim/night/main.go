// Command night runs the simulator's seeds for a long time, on all cores:
//
//	go run ./internal/sim/night -for 8h
//
// It builds the simulator's tests once and runs range after range of seeds, in as
// many processes as there are cores, each range in a process of its own, so that
// no crash and no leak of one touches another. While it goes on it says how many
// seeds it has behind it; at the end it prints the table of what they met, fails
// for what never came up in thousands of them, and repeats what went wrong: the
// timeline, the script made smaller, and the line that replays it. It decides
// nothing by itself: what is right and what must come up is said in the tests of
// package sim.
//
// It ends with 0 where nothing is wrong, 1 where something is, 2 where it could
// not run at all.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// A night is a run over seeds from the first one on.
type night struct {
	binary, dir string
	from        uint64
	chunk       uint64
	out         io.Writer

	mu     sync.Mutex
	next   uint64
	seeds  uint64
	counts map[string]int
	failed []string // what the ranges that failed said
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("night", flag.ContinueOnError)
	flags.SetOutput(stderr)
	lasts := flags.Duration("for", 10*time.Minute, "begin no range of seeds after so long")
	from := flags.Uint64("from", 1, "the first seed")
	chunk := flags.Uint64("range", 250, "seeds a process")
	procs := flags.Int("procs", runtime.NumCPU(), "processes at once")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case *lasts <= 0 || *chunk < 1 || *procs < 1 || flags.NArg() > 0:
		fmt.Fprintln(stderr, "night: -for, -range and -procs take more than 0, and there are no arguments")
		return 2
	}
	n := &night{from: *from, next: *from, chunk: *chunk, out: stdout, counts: map[string]int{}}
	if err := n.build(ctx); err != nil {
		fmt.Fprintln(stderr, "night:", err)
		return 2
	}
	defer os.RemoveAll(n.dir)
	end := time.Now().Add(*lasts)
	var wg sync.WaitGroup
	for range *procs {
		wg.Go(func() { n.work(ctx, end) })
	}
	wg.Wait()
	return n.report(ctx)
}

// build makes the test binary. The tests want to run in their own directory.
func (n *night) build(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "night-")
	if err != nil {
		return err
	}
	n.dir, n.binary = dir, filepath.Join(dir, "sim.test")
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", n.binary, "curfew/internal/sim")
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return fmt.Errorf("build the simulator: %w\n%s", err, out)
	}
	return nil
}

// work runs ranges until the time is over.
func (n *night) work(ctx context.Context, end time.Time) {
	for time.Now().Before(end) && ctx.Err() == nil {
		n.mu.Lock()
		from := n.next
		n.next += n.chunk
		n.mu.Unlock()
		n.one(ctx, from)
	}
}

// one runs a range of seeds in a process and takes in what it met.
func (n *night) one(ctx context.Context, from uint64) {
	counts := filepath.Join(n.dir, fmt.Sprintf("%d.json", from))
	cmd := exec.CommandContext(ctx, n.binary, "-test.run", "^TestSim$", "-test.timeout", "20m",
		"-from", fmt.Sprint(from), "-seeds", fmt.Sprint(n.chunk), "-counts", counts)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return // somebody wants it to end: half a range proves nothing
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seeds += n.chunk
	if err == nil {
		err = n.add(counts)
	} else if addErr := n.add(counts); addErr != nil {
		err = errors.Join(err, addErr) // it died before it could write
	}
	if err != nil {
		n.failed = append(n.failed, fmt.Sprintf("seeds %d to %d: %v\n%s", from, from+n.chunk-1, err, out))
	}
	fmt.Fprintf(n.out, "%s  %d seeds, %d ranges failed\n", time.Now().Format("15:04:05"), n.seeds, len(n.failed))
}

// add takes in the counts of one process.
func (n *night) add(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	var met map[string]int
	if err := json.Unmarshal(b, &met); err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	for name, count := range met {
		n.counts[name] += count
	}
	return nil
}

// report prints what all ranges met and what went wrong.
func (n *night) report(ctx context.Context) int {
	for _, text := range n.failed {
		fmt.Fprintln(n.out, text)
	}
	covered := n.judge(context.WithoutCancel(ctx))
	fmt.Fprintf(n.out, "%d seeds from %d on, %d virtual days, %d ranges failed\n",
		n.seeds, n.from, n.counts["virtual hours"]/24, len(n.failed))
	if len(n.failed) > 0 || !covered || n.seeds == 0 {
		return 1
	}
	return 0
}

// judge has the tests say whether all came up that must.
func (n *night) judge(ctx context.Context) bool {
	path := filepath.Join(n.dir, "met.json")
	b, err := json.Marshal(n.counts)
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		fmt.Fprintln(n.out, err)
		return false
	}
	cmd := exec.CommandContext(ctx, n.binary, "-test.run", "^TestCoverage$", "-test.v", "-met", path)
	out, err := cmd.CombinedOutput()
	fmt.Fprintf(n.out, "%s", out)
	return err == nil
}

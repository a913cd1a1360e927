package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"curfew/apiclient/quota"
	"curfew/internal/ledger/ledgertest"
	"curfew/internal/needtool"
	"curfew/policy"
	"curfew/scheduler"
)

// What a child process does to the ledger in childPath is in childTask.
const (
	childPath = "CURFEW_LEDGER_TEST_PATH"
	childTask = "CURFEW_LEDGER_TEST_TASK"
)

// TestChild is no test but the other process of those below.
func TestChild(t *testing.T) {
	path := os.Getenv(childPath)
	if path == "" {
		t.Skip("only runs as a child of the crash tests")
	}
	l := mustOpen(t, optionsAt(path))
	switch os.Getenv(childTask) {
	case "endless":
		for n := numbered(l.lastClaim); ; n++ {
			acknowledge(t, l, n)
		}
	case "three":
		for n := range uint64(3) {
			acknowledge(t, l, numbered(l.inherited)+n)
		}
	case "limited":
		limited(t, l)
	}
}

// child returns the command that runs TestChild.
func child(path, task string, wrapper ...string) *exec.Cmd {
	args := append(wrapper, os.Args[0], "-test.run=^TestChild$", "-test.count=1")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childPath+"="+path, childTask+"="+task)
	cmd.Stderr = os.Stderr
	return cmd
}

// perBatch is how far the claim numbers of two numbered batches lie apart.
const perBatch = 1000

func numbered(lastClaim uint64) uint64 { return (lastClaim + perBatch - 1) / perBatch }

// batch returns the n-th batch, always the same one: it ends, returns or leaves
// open the claims of the batch before, and says n in several rows. Its last
// claim has the highest number that it may have.
func batch(n uint64) *scheduler.Batch {
	size, before := 1+int(n*7%20), 1+int((n-1)*7%20)
	first := n*perBatch + 1
	b := &scheduler.Batch{Claims: append(claimsFrom(first, size, quota.Start), claimsFrom(first+perBatch-1, 1, quota.Get)...)}
	for i := range uint64(size) {
		b.Rows = append(b.Rows, scheduler.Row{
			Deployment: policy.DeploymentID(fmt.Sprintf("w%d", (n+i)%200)), Policy: fmt.Sprintf("batch %d", n), Due: stop(),
		})
		b.Outcomes = append(b.Outcomes, scheduler.Outcome{Deployment: "w1", Kind: scheduler.Done, Count: 1, Tries: int(n)})
		if n > 0 && int(i) < before {
			b.Endings = append(b.Endings, scheduler.Ending{Claim: first - perBatch + i, Returned: i%5 == 1, Known: i%2 == 0})
		}
	}
	return b
}

// acknowledge commits the n-th batch and then says so.
func acknowledge(t *testing.T, l *Ledger, n uint64) {
	t.Helper()
	mustCommit(t, l, batch(n))
	fmt.Fprintf(os.Stdout, "ack %d\n", n)
}

// TestKill kills a process that commits as fast as it can, again and again.
// What it acknowledged is there afterwards; of what it did not, all or nothing.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 30
	if *deep {
		rounds = 400
	}
	path := filepath.Join(t.TempDir(), "curfew.db")
	var want scheduler.State
	next := uint64(0) // the first batch that is not in want
	for round := range rounds {
		acked := killedAfter(t, path, 1+rand.IntN(5))
		copied := round%2 == 0
		got := loadAfterKill(t, path, copied)
		for ; next*perBatch < got.LastClaim; next++ {
			ledgertest.Apply(&want, batch(next))
		}
		if next <= acked {
			t.Fatalf("round %d: batch %d was acknowledged, and the ledger ends with %d", round, acked, int(next)-1)
		}
		expect := want
		if copied {
			expect = withoutMarks(want)
		}
		compareKilled(t, round, expect, got)
	}
	t.Logf("%d kills in %d batches", rounds, next)
}

// killedAfter lets a child acknowledge some batches, kills it wherever it is by
// then, and returns the last batch that it acknowledged.
func killedAfter(t *testing.T, path string, acks int) (last uint64) {
	t.Helper()
	cmd := child(path, "endless")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.ParseUint(strings.TrimPrefix(lines.Text(), "ack "), 10, 64)
		if err != nil {
			t.Errorf("the child says: %s", lines.Text())
			continue
		}
		last = n
		if acks--; acks == 0 {
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); acks > 0 {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return last
}

// loadAfterKill reads the ledger in its place or, so that the next process
// finds what the killed one left, a copy of it.
func loadAfterKill(t *testing.T, path string, copied bool) scheduler.State {
	t.Helper()
	if copied {
		to := filepath.Join(t.TempDir(), "copy.db")
		copyFile(t, path, to, sizeOf(t, path))
		copyFile(t, path+"-wal", to+"-wal", sizeOf(t, path+"-wal"))
		path = to
	}
	got, err := loadAt(path)
	must(t, err)
	return got
}

// compareKilled compares states, want with its rows in the order of commits.
func compareKilled(t *testing.T, round int, want, got scheduler.State) {
	t.Helper()
	want.Rows = slices.Clone(want.Rows)
	must(t, order(want.Rows, func(r *scheduler.Row) policy.DeploymentID { return r.Deployment }))
	if diff := difference(want, got); diff != "" {
		t.Fatalf("round %d: the ledger is not what was committed (- want, + got):\n%s", round, diff)
	}
}

// TestSyncedBeforeAcknowledged reads the order of system calls: after the last
// write to the log and before the word that it is durable, there is an fsync.
func TestSyncedBeforeAcknowledged(t *testing.T) {
	t.Parallel()
	strace := needtool.Path(t, "strace", "strace")
	path := filepath.Join(t.TempDir(), "curfew.db")
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := child(path, "three", strace, "-f", "-y", "-o", trace, "-e", "trace=write,pwrite64,fsync,fdatasync")
	if err := cmd.Run(); err != nil {
		t.Skipf("strace cannot trace here: %v", err)
	}
	text, err := os.ReadFile(trace)
	must(t, err)
	if acks := syncedAcks(t, string(text)); acks != 3 {
		t.Errorf("%d acknowledgements in the trace, want 3", acks)
	}
}

// syncedAcks counts the acknowledgements in a trace, each of which needs a log
// that was written since the one before, and synced since it was written.
func syncedAcks(t *testing.T, trace string) (acks int) {
	t.Helper()
	written, synced := false, false
	for line := range strings.Lines(trace) {
		log := strings.Contains(line, "-wal>")
		switch {
		case log && strings.Contains(line, "pwrite64("):
			written, synced = true, false
		case log && strings.Contains(line, "sync("):
			synced = true
		case strings.Contains(line, `"ack `):
			if !written || !synced {
				t.Errorf("before %sthe log was written: %v, and synced: %v", line, written, synced)
			}
			acks++
			written, synced = false, false
		}
	}
	return acks
}

// limited commits under a limit of file sizes that the second batch breaks, and
// goes on as if that had been nothing.
func limited(t *testing.T, l *Ledger) {
	acknowledge(t, l, 0)
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: uint64(sizeOf(t, l.path+"-wal")) + 5000, Max: 1 << 40}
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	first := l.Commit(context.Background(), batch(1))
	limit.Cur = limit.Max
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	second := l.Commit(context.Background(), batch(1))
	fmt.Printf("disk failed: %v\nfailed for good: %v\n", errors.Is(first, ErrDisk), errors.Is(second, ErrFailed))
}

// TestWriteError lets a write to the log fail for real. The ledger never writes
// again in that process, though it could, and the next one finds what was
// acknowledged.
func TestWriteError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "curfew.db")
	cmd := child(path, "limited")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	text, err := io.ReadAll(out)
	must(t, errors.Join(err, cmd.Wait()))
	if want := "ack 0\ndisk failed: true\nfailed for good: true\n"; !strings.HasPrefix(string(text), want) {
		t.Errorf("the child says:\n%swant:\n%s", text, want)
	}
	got, err := loadAt(path)
	must(t, err)
	var want scheduler.State
	ledgertest.Apply(&want, batch(0))
	compareKilled(t, 0, want, got)
}

// TestDiskFull lets SQLite run out of pages in the middle of a batch.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "curfew.db")
	l := mustOpen(t, optionsAt(path))
	mustCommit(t, l, batch(0))
	want := mustLoad(t, l)
	must(t, setPragmas(ctx, l.conn, "max_page_count = 60"))
	err := l.Commit(ctx, &scheduler.Batch{Claims: claimsFrom(5000, 5000, quota.Stop)})
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "free some space") {
		t.Fatalf("%v\nis not %v with its hint", err, ErrFull)
	}
	must(t, setPragmas(ctx, l.conn, "max_page_count = 100000"))
	if err := l.Commit(ctx, batch(9)); !errors.Is(err, ErrFailed) || !errors.Is(err, ErrFull) {
		t.Errorf("the next commit: %v, want %v because %v", err, ErrFailed, ErrFull)
	}
	if _, err := l.Load(ctx); !errors.Is(err, ErrFailed) {
		t.Errorf("load from a failed ledger: %v, want %v", err, ErrFailed)
	}
	must(t, l.Close())
	got, err := loadAt(path)
	must(t, err)
	if diff := difference(want, got); diff != "" {
		t.Errorf("a batch that failed left something (- want, + got):\n%s", diff)
	}
}

// TestCommitRefusesWhatItCannotHold: every such batch leaves nothing, and is
// the last.
func TestCommitRefusesWhatItCannotHold(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	far := noon().AddDate(400, 0, 0)
	for name, c := range map[string]struct {
		ctx   context.Context
		batch scheduler.Batch
	}{
		"a context that has ended": {ended, *batch(0)},
		"an instant in 2426":       {context.Background(), scheduler.Batch{Rows: []scheduler.Row{{Deployment: "w1", Floor: far}}}},
		"claim 0":                  {context.Background(), scheduler.Batch{Claims: claimsFrom(0, 1, quota.Stop)}},
		"claim 2^63":               {context.Background(), scheduler.Batch{Claims: claimsFrom(1<<63, 1, quota.Stop)}},
		"override 0":               {context.Background(), scheduler.Batch{Overrides: []policy.Override{{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
			if err := l.Commit(c.ctx, &c.batch); err == nil || errors.Is(err, ErrFailed) {
				t.Fatalf("committed with %v, want an error of its own", err)
			}
			if err := l.Commit(context.Background(), batch(1)); !errors.Is(err, ErrFailed) {
				t.Errorf("the next commit: %v, want %v", err, ErrFailed)
			}
		})
	}
}

func TestCommitAfterClose(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	must(t, l.Close())
	if err := l.Commit(context.Background(), batch(0)); !errors.Is(err, ErrFailed) {
		t.Errorf("commit to a closed ledger: %v, want %v", err, ErrFailed)
	}
}

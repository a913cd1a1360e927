package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"curfew/apiclient/quota"
	"curfew/internal/raced"
	"curfew/scheduler"
)

// sourceAt is the account of optionsAt.
func sourceAt(path string) Source {
	o := optionsAt(path)
	return Source{Path: path, Account: o.Account, Endpoint: o.Endpoint, Boot: o.Boot}
}

// readAt reads what a daemon would load.
func readAt(s Source) (state scheduler.State, err error) {
	err = Read(context.Background(), s, func(r *Reader) (err error) {
		state, err = r.Load(context.Background())
		return err
	})
	return state, err
}

// contents are the files of a directory, byte by byte; of the memory that SQLite's
// processes share, the name alone.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	}))
	return all
}

// crashed copies the files of a ledger that is open, as a killed process leaves
// them, but for those with the given ends.
func crashed(t testing.TB, without ...string) (path string, state scheduler.State) {
	t.Helper()
	live := filepath.Join(t.TempDir(), "curfew.db")
	l := mustOpen(t, optionsAt(live))
	mustCommit(t, l, many())
	state = mustLoad(t, l)
	path = filepath.Join(t.TempDir(), "curfew.db")
	for name, text := range contents(t, filepath.Dir(live)) {
		must(t, os.WriteFile(path+strings.TrimPrefix(name, live), []byte(text), 0o600))
	}
	for _, end := range without {
		must(t, os.Remove(path+end))
	}
	return path, state
}

// TestReadLeavesNoTrace: what is read is what a daemon would load, of a ledger
// that was closed, of one that a crash left, and of a copy without its shared
// memory; not a byte changes, and no file is made.
func TestReadLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		without []string
		log     bool
	}{
		{"after a crash", nil, true},
		{"after a crash, no marks", []string{".sent"}, true},
		{"a copy without its shared memory", []string{"-shm", ".lock"}, true},
		{"closed in good order", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path, want := crashed(t, c.without...)
			if !c.log {
				must(t, mustOpen(t, optionsAt(path)).Close())
			}
			if _, err := os.Stat(path + ".sent"); err != nil {
				want = withoutMarks(want)
			}
			before := contents(t, filepath.Dir(path))
			got, err := readAt(sourceAt(path))
			if err != nil {
				t.Fatal(err)
			}
			if diff := difference(want, got); diff != "" {
				t.Errorf("read another state than was written (- written, + read):\n%s", diff)
			}
			if diff := cmp.Diff(before, contents(t, filepath.Dir(path))); diff != "" {
				t.Errorf("reading changed what is on the disk:\n%.2000s", diff)
			}
		})
	}
}

// TestReadBesideAWriter reads again and again while another process commits as fast
// as it can, and is killed in the end. Each picture is that of some batch, whole,
// and no older than what was acknowledged before it was taken.
func TestReadBesideAWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "curfew.db")
	cmd := child(path, "endless")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	acks := bufio.NewScanner(out)
	for range 8 { // each reads more than the one before: the writer does not wait
		if !acks.Scan() {
			t.Fatal("the writer ended")
		}
		var acked uint64
		_, err := fmt.Sscanf(acks.Text(), "ack %d", &acked)
		must(t, err)
		got, err := readAt(sourceAt(path))
		must(t, err)
		last := (got.LastClaim - 1) / perBatch
		if last < acked {
			t.Fatalf("batch %d was acknowledged, and the picture ends with %d", acked, last)
		}
		if diff := cmp.Diff(tally(scheduler.State{Rows: batch(last).Rows, Uses: usesOf(batch(last).Claims)}, last), tally(got, last)); diff != "" {
			t.Fatalf("batch %d is not whole (- committed, + read):\n%s", last, diff)
		}
	}
}

func usesOf(made []scheduler.Claim) (all []scheduler.Use) {
	for _, c := range made {
		all = append(all, scheduler.Use{Claim: c})
	}
	return all
}

// tally counts what a state has of one batch.
func tally(s scheduler.State, n uint64) (counts struct{ Rows, Claims int }) {
	for _, r := range s.Rows {
		if r.Policy == fmt.Sprintf("batch %d", n) {
			counts.Rows++
		}
	}
	for _, u := range s.Uses {
		if (u.ID-1)/perBatch == n {
			counts.Claims++
		}
	}
	return counts
}

// TestReadIsOnePicture: what is asked for one after the other is of one moment.
func TestReadIsOnePicture(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "curfew.db")
	cmd := child(path, "endless")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	acks := bufio.NewScanner(out)
	acks.Scan()
	ctx := context.Background()
	must(t, Read(ctx, sourceAt(path), func(r *Reader) error {
		state, err := r.Load(ctx)
		must(t, err)
		for range 5 { // the writer goes on meanwhile
			acks.Scan()
		}
		ends, err := r.Outcomes(ctx, Filter{Limit: 1})
		must(t, err)
		calls, err := r.Posts(ctx, Filter{Limit: 1})
		must(t, err)
		last := (state.LastClaim - 1) / perBatch
		if uint64(ends[0].Tries) != last || (calls[0].Claim.ID-1)/perBatch != last {
			t.Errorf("the rows are of batch %d, the outcomes of %d, the calls of %d", last, ends[0].Tries, (calls[0].Claim.ID-1)/perBatch)
		}
		return nil
	}))
}

// TestReadRefuses: a Reader trusts what a daemon would, and no more.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, path string, s *Source)
		want   error
		says   string
	}{
		{"no directory", func(_ *testing.T, _ string, s *Source) {
			s.Path = filepath.Join(filepath.Dir(s.Path), "none", "curfew.db")
		},
			ErrAbsent, "name the file that the daemon writes"},
		{"no file", func(_ *testing.T, _ string, s *Source) { s.Path += ".none" }, ErrAbsent, "there is no such file"},
		{"a directory", func(_ *testing.T, _ string, s *Source) { s.Path = filepath.Dir(s.Path) }, ErrDirectory, "name a file in it"},
		{"only its log", func(t *testing.T, path string, _ *Source) { must(t, os.Rename(path, path+"-wal")) }, ErrStray, "is not"},
		{"empty", func(t *testing.T, path string, _ *Source) { must(t, os.Truncate(path, 0)) }, ErrEmpty, "restore a backup"},
		{"torn", func(t *testing.T, path string, _ *Source) { must(t, os.Truncate(path, sizeOf(t, path)-4096)) }, ErrDamaged, "restore"},
		{"text", func(t *testing.T, path string, _ *Source) { must(t, os.WriteFile(path, []byte("api:\n"), 0o600)) }, ErrNotLedger, "SQLite"},
		{"another program's", func(t *testing.T, path string, _ *Source) { query(t, path, "PRAGMA application_id = 7") }, ErrNotLedger, "0x7"},
		{"newer", func(t *testing.T, path string, _ *Source) { query(t, path, "PRAGMA user_version = 99") }, ErrNewer, "install"},
		{"another account", func(_ *testing.T, _ string, s *Source) { s.Account = "second" }, ErrForeign, "each account has its own"},
		{"another endpoint", func(_ *testing.T, _ string, s *Source) { s.Endpoint += "/v2" }, ErrForeign, "set api.endpoint"},
		{"a changed row", func(t *testing.T, path string, _ *Source) {
			query(t, path, "UPDATE deployments SET armed = 1 - armed WHERE deployment = 'd0000001'")
		}, ErrDamaged, "its checksum does not fit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := written(t)
			s := sourceAt(path)
			c.damage(t, path, &s)
			dir := filepath.Dir(path)
			before := contents(t, dir)
			state, err := readAt(s)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("read %d rows, %v\nwant %v, saying %q", len(state.Rows), err, c.want, c.says)
			}
			if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
				t.Errorf("the refused file has changed:\n%.2000s", diff)
			}
		})
	}
}

// TestReadDamagedAnywhere: a Reader too reads what was written, or nothing.
func TestReadDamagedAnywhere(t *testing.T) {
	raced.Spare(t)
	t.Parallel()
	file, want := manyWritten(t)
	path := filepath.Join(t.TempDir(), "curfew.db")
	rapid.Check(t, func(t *rapid.T) {
		flipped := append([]byte(nil), file...)
		at := rapid.IntRange(0, len(file)-1).Draw(t, "at")
		flipped[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		must(t, os.WriteFile(path, flipped, 0o600))
		got, err := readAt(sourceAt(path))
		if err != nil {
			return
		}
		if diff := difference(want, got); diff != "" {
			t.Fatalf("a damaged ledger was read as another one (- written, + read):\n%s", diff)
		}
	})
}

// TestReadOlder: a ledger that lacks a step of this release is no damage, and is
// not brought up to date by somebody who only reads.
func TestReadOlder(t *testing.T) {
	t.Parallel()
	refusal := &Refusal{Path: "curfew.db", Reason: ErrOlder, Cause: errors.New("schema 1, and this release reads 2")}
	if err := unreadable("curfew.db", refusal); err != refusal || !strings.Contains(err.Error(), "start the daemon of this release once") {
		t.Errorf("%v", err)
	}
	for cause, want := range map[error]error{
		fs.ErrPermission: ErrUnreadable, errMoved: errMoved, ErrBusy: ErrBusy,
	} {
		if err := unreadable("curfew.db", cause); !errors.Is(err, want) {
			t.Errorf("%v became %v, want %v", cause, err, want)
		}
	}
	for _, reason := range []error{ErrAbsent, ErrUnreadable, ErrOlder, ErrBusy} {
		if hint(reason) == hint(nil) {
			t.Errorf("%v: no next step", reason)
		}
	}
}

// TestReadAgain: where a daemon comes while a ledger is read that nobody had open,
// what was read does not count, and is read once more.
func TestReadAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		left []string // to be removed, of what a crash left
	}{{"left by a crash", nil}, {"a copy", []string{"-shm"}}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path, _ := crashed(t, c.left...)
			ctx, asked := context.Background(), 0
			var seen uint64
			must(t, Read(ctx, sourceAt(path), func(r *Reader) error {
				if asked++; asked == 1 {
					cmd := child(path, "three")
					must(t, cmd.Run())
				}
				state, err := r.Load(ctx)
				seen = state.LastClaim
				return err
			}))
			if asked != 2 || seen%perBatch != 0 {
				t.Errorf("asked %d times, and the last claim is %d; want twice, and one of the daemon's", asked, seen)
			}
		})
	}
}

// TestReadWhileClosing: a reader keeps the log of a daemon that ends meanwhile, and
// the next daemon finds all that was committed.
func TestReadWhileClosing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the lock of an open file is Linux's")
	}
	t.Parallel()
	path := written(t)
	ctx, asked := context.Background(), 0
	must(t, Read(ctx, sourceAt(path), func(r *Reader) error {
		if asked++; asked == 1 {
			cmd := child(path, "three") // opens, commits and closes
			must(t, cmd.Run())
			if _, err := os.Stat(path + "-wal"); err != nil {
				t.Errorf("its log went away while it was read: %v", err)
			}
		}
		return nil
	}))
	if asked != 2 {
		t.Errorf("asked %d times, want 2: the first picture was of before", asked)
	}
	l := mustOpen(t, optionsAt(path))
	if got := mustLoad(t, l).LastClaim; got%perBatch != 0 {
		t.Errorf("the last claim is %d, want one of the daemon that closed", got)
	}
}

// TestReadKnowsWhetherItIsInUse: by a process that is at work, not by one that was
// killed and left its log and index.
func TestReadKnowsWhetherItIsInUse(t *testing.T) {
	t.Parallel()
	inUse := func(path string) (yes, known bool) {
		must(t, Read(context.Background(), sourceAt(path), func(r *Reader) error {
			yes, known = r.InUse()
			return nil
		}))
		return yes, known
	}
	path := filepath.Join(t.TempDir(), "curfew.db")
	cmd := child(path, "endless")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	bufio.NewScanner(out).Scan() // it has committed
	wantKnown := runtime.GOOS == "linux"
	if yes, known := inUse(path); yes != wantKnown || known != wantKnown {
		t.Errorf("at work: in use %t, known %t", yes, known)
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	killed, _ := crashed(t)
	for name, path := range map[string]string{"killed at work": path, "left by a crash": killed, "closed": written(t)} {
		if yes, known := inUse(path); yes || known != wantKnown {
			t.Errorf("%s: in use %t, known %t", name, yes, known)
		}
	}
}

// TestReadGivesUp: a ledger that never holds still does not hold its reader, whose
// context ends the wait.
func TestReadGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(context.Background())
	tries := 0
	err := untilStill(ctx, func() error {
		if tries++; tries == 2 {
			cancel(context.Canceled)
		}
		return fmt.Errorf("read it: %w", errMoved)
	})
	if !errors.Is(err, context.Canceled) || tries != 2 {
		t.Errorf("%v after %d tries, want %v after 2", err, tries, context.Canceled)
	}
}

// TestReadNeedsItsSource names what is missing.
func TestReadNeedsItsSource(t *testing.T) {
	t.Parallel()
	for _, clear := range []func(*Source){
		func(s *Source) { s.Path = "" }, func(s *Source) { s.Account = "" }, func(s *Source) { s.Endpoint = "" }, func(s *Source) { s.Boot = "" },
	} {
		s := sourceAt(written(t))
		clear(&s)
		if _, err := readAt(s); err == nil {
			t.Errorf("read with %+v", s)
		}
	}
}

// TestReadKnowsBootsAndMarks: instants of this boot are to be counted on, those of
// another are foreign, and a claim of this boot that was not marked never left.
func TestReadKnowsBootsAndMarks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "curfew.db")
	l := mustOpen(t, optionsAt(path))
	mustCommit(t, l, &scheduler.Batch{Claims: claimsFrom(1, 2, quota.Stop)})
	must(t, l.Mark(1))
	must(t, l.Close())
	for boot, want := range map[string]string{
		optionsAt(path).Boot: "foreign false unsent false, foreign false unsent true, ",
		"another boot":       "foreign true unsent false, foreign true unsent false, ",
	} {
		s := sourceAt(path)
		s.Boot = boot
		state, err := readAt(s)
		must(t, err)
		got := ""
		for _, u := range state.Uses {
			got += fmt.Sprintf("foreign %t unsent %t, ", u.Made.Foreign, u.Unsent)
		}
		if got != want {
			t.Errorf("under %s: %s\nwant %s", boot, got, want)
		}
	}
}

// TestBegins is the oldest entry of the history, an outcome or a call.
func TestBegins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settled, called time.Duration // after noon; less than nought for none
		want            time.Duration
	}{{-1, -1, -1}, {time.Hour, -1, time.Hour}, {time.Hour, 2 * time.Hour, time.Hour}} {
		path := filepath.Join(t.TempDir(), "curfew.db")
		l := mustOpen(t, optionsAt(path))
		b := &scheduler.Batch{}
		if c.settled >= 0 {
			b.Outcomes = []scheduler.Outcome{{Deployment: "w1", Kind: scheduler.Done, Settled: noon().Add(c.settled)}}
		}
		if c.called >= 0 {
			b.Claims = claimsFrom(1, 1, quota.Stop)
			b.Claims[0].Made.Wall = noon().Add(c.called)
		}
		mustCommit(t, l, b)
		must(t, l.Close())
		var got time.Time
		must(t, Read(context.Background(), sourceAt(path), func(r *Reader) (err error) {
			got, err = r.Begins(context.Background())
			return err
		}))
		if want := noon().Add(c.want); c.want >= 0 && !got.Equal(want) || c.want < 0 && !got.IsZero() {
			t.Errorf("%+v: the history begins at %s", c, got)
		}
	}
}

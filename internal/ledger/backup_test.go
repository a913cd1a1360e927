package ledger

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"curfew/internal/ledger/ledgertest"
	"curfew/scheduler"
)

// endless starts a process that commits as fast as it can to the ledger at path,
// until the test ends.
func endless(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := child(path, "endless")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewScanner(out)
}

// TestBackupBesideAWriter takes backups while another process commits as fast as it
// can. Each is what was committed up to some batch, all of it, and no older than what
// was acknowledged before it was begun.
func TestBackupBesideAWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	live := filepath.Join(dir, "curfew.db")
	_, acks := endless(t, live)
	var want scheduler.State
	next := uint64(0)
	for i := range 8 {
		if !acks.Scan() {
			t.Fatal("the writer ended")
		}
		var acked uint64
		_, err := fmt.Sscanf(acks.Text(), "ack %d", &acked)
		must(t, err)
		path := filepath.Join(dir, fmt.Sprintf("%d.bak", i))
		f, err := Backup(context.Background(), sourceAt(live), path, Copy{})
		must(t, err)
		last := (f.Last - 1) / perBatch
		if last < acked {
			t.Fatalf("batch %d was acknowledged, and the backup ends with %d", acked, last)
		}
		for ; next <= last; next++ {
			ledgertest.Apply(&want, batch(next))
		}
		got, err := readAt(sourceAt(path))
		must(t, err)
		committed := stateNow(want)
		slices.SortFunc(committed.Rows, func(a, b scheduler.Row) int { return cmp.Compare(a.Deployment, b.Deployment) })
		if diff := difference(committed, got); diff != "" {
			t.Fatalf("the backup is not the batches up to %d (- committed, + in it):\n%s", last, diff)
		}
	}
}

// TestBackupLeavesNoTrace: not a byte of the ledger changes, and beside the backup
// lies nothing, whether a crash left the ledger or it was closed.
func TestBackupLeavesNoTrace(t *testing.T) {
	t.Parallel()
	crashed, _ := crashed(t)
	for name, path := range map[string]string{"closed": storied(t), "after a crash": crashed} {
		before := contents(t, filepath.Dir(path))
		to := filepath.Join(t.TempDir(), "curfew.bak")
		f, err := Backup(context.Background(), sourceAt(path), to, Copy{})
		must(t, err)
		if diff := gocmp.Diff(before, contents(t, filepath.Dir(path))); diff != "" {
			t.Errorf("%s: a backup changed what is on the disk:\n%.2000s", name, diff)
		}
		if names := sortedNames(filesIn(t, filepath.Dir(to))); len(names) != 1 {
			t.Errorf("%s: beside the backup lies %q", name, names)
		}
		info, err := os.Stat(to)
		must(t, err)
		if info.Mode() != 0o600 || !f.Whole() || f.Path != to {
			t.Errorf("%s: mode %s, %+v", name, info.Mode(), f)
		}
	}
}

// TestBackupNames: a file that is there stays, and so does the ledger whatever is
// asked.
func TestBackupNames(t *testing.T) {
	t.Parallel()
	path := storied(t)
	dir := filepath.Dir(path)
	there := filepath.Join(dir, "there")
	must(t, os.WriteFile(there, []byte("precious"), 0o600))
	link, hard := filepath.Join(dir, "link"), filepath.Join(dir, "hard")
	must(t, os.Symlink(path, link))
	must(t, os.Link(path, hard))
	before := contents(t, dir)
	for _, c := range []struct {
		to      string
		replace bool
		want    error
	}{
		{there, false, ErrExists},
		{path, true, errOwn},
		{path + "-wal", true, errOwn},
		{path + "-shm", true, errOwn},
		{path + ".lock", true, errOwn},
		{path + ".sent", true, errOwn},
		{link, true, errOwn},
		{hard, true, errOwn},
		{filepath.Join(dir, "nowhere", "x"), false, fs.ErrNotExist},
	} {
		_, err := Backup(context.Background(), sourceAt(path), c.to, Copy{Replace: c.replace})
		if !errors.Is(err, c.want) {
			t.Errorf("%s (replace: %t): %v, want %v", c.to, c.replace, err, c.want)
		}
	}
	if _, err := Backup(context.Background(), sourceAt(path), dir, Copy{Replace: true}); err == nil {
		t.Error("a directory was replaced")
	}
	if diff := gocmp.Diff(before, contents(t, dir)); diff != "" {
		t.Errorf("a backup that was refused changed what is there:\n%.2000s", diff)
	}
	_, err := Backup(context.Background(), sourceAt(path), there, Copy{Replace: true})
	must(t, err)
	if f := mustExamine(t, sourceAt(there)); !f.Whole() {
		t.Errorf("the file that was replaced is no whole backup: %+v", f)
	}
}

// TestBackupRefusesWhatADaemonWould: a copy of a damaged ledger would be no better;
// of a damaged history it is.
func TestBackupRefusesWhatADaemonWould(t *testing.T) {
	t.Parallel()
	path := storied(t)
	to := path + ".bak"
	query(t, path, "UPDATE outcomes SET tries = 9 WHERE outcome = 4")
	f, err := Backup(context.Background(), sourceAt(path), to, Copy{})
	must(t, err)
	if f.Whole() || !f.Sound() || f.DamagedRows() != 1 {
		t.Errorf("of a backup with a damaged row of history it is said: %+v", f)
	}
	query(t, path, "UPDATE claims SET wall = 9 WHERE claim = 7")
	if _, err = Backup(context.Background(), sourceAt(path), path+".2", Copy{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged ledger was backed up: %v", err)
	}
	if _, err := os.Stat(path + ".2"); err == nil {
		t.Error("a backup that failed is there")
	}
}

// TestBackupOnAFailingDisk lets each step of SQLite's towards the disk of the backup
// fail. There is no backup then, nothing lies in its place, and what was there before
// is there still.
func TestBackupOnAFailingDisk(t *testing.T) {
	t.Parallel()
	path := storied(t)
	before := contents(t, filepath.Dir(path))
	for _, f := range failures() {
		if f.of == opTruncate || f.of == opDelete {
			continue // of a journal that is not needed any more
		}
		for k := 1; ; k++ {
			dir := t.TempDir()
			to := filepath.Join(dir, "curfew.bak")
			must(t, os.WriteFile(to, []byte("the last one"), 0o600))
			met := 0
			watchDisk(t, dir, func(o op) fate {
				if o.kind == f.of {
					if met++; met >= k && (f.times == 0 || met < k+f.times) {
						return f.fate
					}
				}
				return fate{}
			})
			_, err := Backup(context.Background(), sourceAt(path), to, Copy{Replace: true})
			if met < k {
				must(t, err)
				if k == 1 {
					t.Errorf("%s: no step was met", f.name)
				}
				break
			}
			if !errors.Is(err, f.want) {
				t.Errorf("%s (%d): the backup says %v, want %v", f.name, k, err, f.want)
			}
			if files := filesIn(t, dir); len(files) != 1 || string(files["curfew.bak"]) != "the last one" {
				t.Errorf("%s (%d): left is %q", f.name, k, sortedNames(files))
			}
		}
	}
	if diff := gocmp.Diff(before, contents(t, filepath.Dir(path))); diff != "" {
		t.Errorf("a backup that failed changed the ledger:\n%.2000s", diff)
	}
}

// TestBackupCanBeCalledOff: and leaves nothing. Up to then it has told how far it is.
func TestBackupCanBeCalledOff(t *testing.T) {
	t.Parallel()
	path := storied(t)
	to := filepath.Join(t.TempDir(), "curfew.bak")
	done, total := 0, 0
	_, err := Backup(context.Background(), sourceAt(path), to, Copy{Progress: func(d, n int) { done, total = d, n }})
	must(t, err)
	if done != total || int64(total)*4096 != sizeOf(t, to) {
		t.Errorf("at the end %d of %d pages are said to be copied, of %d bytes", done, total, sizeOf(t, to))
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Backup(ctx, sourceAt(path), to, Copy{Replace: true, Progress: func(int, int) { cancel() }})
	if names := sortedNames(filesIn(t, filepath.Dir(to))); !errors.Is(err, context.Canceled) || strings.Join(names, " ") != "curfew.bak" {
		t.Errorf("it says %v, and left is %q", err, names)
	}
}

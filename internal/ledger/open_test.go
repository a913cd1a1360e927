package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"curfew/apiclient/quota"
	"curfew/scheduler"
)

// written makes a ledger with something in it, closes it and returns its path.
func written(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "curfew.db")
	l := mustOpen(t, optionsAt(path))
	mustCommit(t, l, &scheduler.Batch{Rows: settledRows(3), Claims: claimsFrom(1, 2, quota.Stop)})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// query runs SQL on a ledger as a person with a sqlite3 command would.
func query(t testing.TB, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", location(path, "mode=rwc"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func mustLoad(t testing.TB, l *Ledger) scheduler.State {
	t.Helper()
	s, err := l.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t rapid.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestOpenRefuses names everything that is no ledger of ours. None may be taken
// for a new one, and each says what to do.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, path string) string // returns the path to open
		want   error
		says   string
	}{
		{"no directory", func(t *testing.T, path string) string { return filepath.Join(filepath.Dir(path), "none", "curfew.db") },
			ErrNoDirectory, "create the directory"},
		{"a directory", func(t *testing.T, path string) string {
			must(t, os.Remove(path))
			must(t, os.Mkdir(path, 0o700))
			return path
		},
			ErrDirectory, "name a file in it"},
		{"a pipe", func(t *testing.T, path string) string {
			must(t, os.Remove(path))
			must(t, syscall.Mkfifo(path, 0o600))
			return path
		}, ErrNotLedger, "not a regular file"},
		{"zero bytes", func(t *testing.T, path string) string { must(t, os.Truncate(path, 0)); return path },
			ErrEmpty, "restore a backup"},
		{"ten bytes", func(t *testing.T, path string) string { must(t, os.Truncate(path, 10)); return path },
			ErrNotLedger, "not a SQLite file"},
		{"half a head", func(t *testing.T, path string) string { must(t, os.Truncate(path, 60)); return path },
			ErrDamaged, "it ends after 60 bytes"},
		{"one page", func(t *testing.T, path string) string { must(t, os.Truncate(path, 4096)); return path },
			ErrDamaged, "restore a backup"},
		{"a page too few", func(t *testing.T, path string) string { must(t, os.Truncate(path, sizeOf(t, path)-4096)); return path },
			ErrDamaged, "restore a backup"},
		{"text", func(t *testing.T, path string) string {
			must(t, os.WriteFile(path, []byte("api:\n"), 0o600))
			return path
		},
			ErrNotLedger, "name another file"},
		{"another program's", func(t *testing.T, path string) string {
			must(t, os.Remove(path))
			query(t, path, "CREATE TABLE songs (title text)")
			return path
		}, ErrNotLedger, "of another program"},
		{"newer", func(t *testing.T, path string) string { query(t, path, "PRAGMA user_version = 99"); return path },
			ErrNewer, "install that release again"},
		{"version nought", func(t *testing.T, path string) string { query(t, path, "PRAGMA user_version = 0"); return path },
			ErrDamaged, "schema 0"},
		{"no account", func(t *testing.T, path string) string { query(t, path, "DELETE FROM accounts"); return path },
			ErrDamaged, "no account in it"},
		{"a table less", func(t *testing.T, path string) string { query(t, path, "DROP TABLE endings"); return path },
			ErrDamaged, "restore a backup"},
		{"only its log", func(t *testing.T, path string) string { must(t, os.Rename(path, path+"-wal")); return path },
			ErrStray, "the ledger itself is not"},
		{"a link to nothing", func(t *testing.T, path string) string {
			must(t, os.Symlink(path+".gone", path+".link"))
			return path + ".link"
		}, ErrDangling, "mount the volume"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := c.damage(t, written(t))
			l, err := Open(context.Background(), optionsAt(path))
			if err == nil {
				t.Fatalf("it was opened, with %d rows", len(mustLoad(t, l).Rows))
			}
			var refusal *Refusal
			if !errors.As(err, &refusal) || !errors.Is(err, c.want) {
				t.Errorf("%v\nis not a Refusal of: %v", err, c.want)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v\ndoes not say %q", err, c.says)
			}
			if _, err := Open(context.Background(), optionsAt(path)); errors.Is(err, ErrLocked) {
				t.Error("the refused ledger stays locked")
			}
		})
	}
}

func sizeOf(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}

func TestOpenRefusesAnotherAccount(t *testing.T) {
	t.Parallel()
	path := written(t)
	for _, change := range []func(*Options){
		func(o *Options) { o.Account = "second" },
		func(o *Options) { o.Endpoint = "https://elsewhere.example.com/v1" },
	} {
		o := optionsAt(path)
		change(&o)
		if _, err := Open(context.Background(), o); !errors.Is(err, ErrForeign) {
			t.Errorf("opened as %s at %s: %v, want %v", o.Account, o.Endpoint, err, ErrForeign)
		}
	}
	l := mustOpen(t, optionsAt(path))
	if n := len(mustLoad(t, l).Rows); n != 3 {
		t.Errorf("%d rows after it was refused to others, want 3", n)
	}
}

func TestOpenNeedsItsOptions(t *testing.T) {
	t.Parallel()
	for _, clear := range []func(*Options){
		func(o *Options) { o.Path = "" }, func(o *Options) { o.Account = "" },
		func(o *Options) { o.Endpoint = "" }, func(o *Options) { o.Boot = "" },
	} {
		o := optionsAt(filepath.Join(t.TempDir(), "curfew.db"))
		clear(&o)
		if _, err := Open(context.Background(), o); err == nil {
			t.Errorf("opened with %+v", o)
		}
	}
}

// TestReasons holds the system's errors to the sentences that people get. Not
// all of them can be had from a real file system in a test.
func TestReasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ err, want error }{
		{&fs.PathError{Op: "open", Path: "p", Err: syscall.EACCES}, ErrPermission},
		{&fs.PathError{Op: "open", Path: "p", Err: syscall.EPERM}, ErrPermission},
		{&fs.PathError{Op: "open", Path: "p", Err: syscall.EROFS}, ErrReadOnly},
		{&fs.PathError{Op: "sync", Path: "p", Err: syscall.ENOSPC}, ErrFull},
		{&fs.PathError{Op: "sync", Path: "p", Err: syscall.EDQUOT}, ErrFull},
		{&fs.PathError{Op: "sync", Path: "p", Err: syscall.EIO}, ErrDisk},
	} {
		err := refuse("curfew.db", fmt.Errorf("make it durable: %w", c.err))
		if !errors.Is(err, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%v: is not both %v and %v", err, c.want, c.err)
		}
	}
	for _, reason := range []error{
		ErrLocked, ErrNoDirectory, ErrDirectory, ErrNotLedger, ErrEmpty, ErrStray, ErrDangling, ErrDamaged,
		ErrNewer, ErrForeign, ErrPermission, ErrReadOnly, ErrFull, ErrDisk, ErrUnfit,
	} {
		if hint(reason) == hint(nil) {
			t.Errorf("%v: no next step", reason)
		}
	}
}

func TestNewLedgerIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "curfew.db")
	l := mustOpen(t, optionsAt(path))
	mustCommit(t, l, &scheduler.Batch{Rows: settledRows(1)})
	for _, name := range []string{path, path + "-wal", path + ".lock"} {
		info, err := os.Stat(name)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", name, info.Mode().Perm())
		}
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the draft is still there: %v", err)
	}
}

// TestOddPaths: what SQLite's URIs give a meaning to is a name like any other.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.db", "50%.db", "%41.db", "who?mode=memory", "a#b.db", "ö&;'.db"} {
		path := filepath.Join(t.TempDir(), name)
		l := mustOpen(t, optionsAt(path))
		mustCommit(t, l, &scheduler.Batch{Rows: settledRows(2), Outcomes: []scheduler.Outcome{{Deployment: "w1"}}})
		if found, err := l.Outcomes(context.Background(), Filter{}); err != nil || len(found) != 1 {
			t.Errorf("%s: %d outcomes, %v; want 1", name, len(found), err)
		}
		must(t, l.Close())
		if sizeOf(t, path) == 0 || len(mustLoad(t, mustOpen(t, optionsAt(path))).Rows) != 2 {
			t.Errorf("%s: its two rows did not come back", name)
		}
	}
}

// TestCrashWhileMaking: a draft is no ledger, whatever a crash left of it.
func TestCrashWhileMaking(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "curfew.db")
	must(t, os.WriteFile(path+".new", []byte("SQLite format 3\x00 and then the power went"), 0o600))
	must(t, os.WriteFile(path+".new-journal", []byte("torn"), 0o600))
	s := mustLoad(t, mustOpen(t, optionsAt(path)))
	if diff := cmp.Diff(scheduler.State{}, s, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("a new ledger is not empty:\n%s", diff)
	}
}

// TestDurable reads the settings back that make Commit mean what it says.
func TestDurable(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "locking_mode": "normal"} {
		var got string
		must(t, l.conn.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

// TestCloseLeavesOneFile: a ledger that was closed can be copied as one file.
func TestCloseLeavesOneFile(t *testing.T) {
	t.Parallel()
	path := written(t)
	for _, left := range []string{path + "-wal", path + "-shm"} {
		if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", left, err)
		}
	}
}

func TestLinksLeadToOneLock(t *testing.T) {
	t.Parallel()
	path := written(t)
	link := filepath.Join(t.TempDir(), "link.db")
	must(t, os.Symlink(path, link))
	l := mustOpen(t, optionsAt(link))
	if _, err := Open(context.Background(), optionsAt(path)); !errors.Is(err, ErrLocked) {
		t.Errorf("opened a second time by its other name: %v", err)
	}
	if n := len(mustLoad(t, l).Rows); n != 3 {
		t.Errorf("%d rows through the link, want 3", n)
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	t.Parallel()
	path := written(t)
	mustOpen(t, optionsAt(path))
	_, err := Open(context.Background(), optionsAt(path))
	if want := fmt.Sprintf("process %d, curfew test", os.Getpid()); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v\nis not %v, or does not name %q", err, ErrLocked, want)
	}
}

func TestSecondOpenWaits(t *testing.T) {
	t.Parallel()
	path := written(t)
	first := mustOpen(t, optionsAt(path))
	o := optionsAt(path)
	o.Wait = func(holder string) {
		if !strings.Contains(holder, fmt.Sprint(os.Getpid())) {
			t.Errorf("held by %q, want this process", holder)
		}
		must(t, first.Commit(context.Background(), &scheduler.Batch{Claims: claimsFrom(3, 1, quota.Stop)}))
		must(t, first.Close())
	}
	second := mustOpen(t, o)
	if got := mustLoad(t, second).LastClaim; got != 3 {
		t.Errorf("the last claim is %d, want 3: what the first wrote while the second waited", got)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := written(t)
	mustOpen(t, optionsAt(path))
	ctx, cancel := context.WithCancel(context.Background())
	o := optionsAt(path)
	o.Wait = func(string) { cancel() }
	if _, err := Open(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting ended with %v, want %v", err, context.Canceled)
	}
}

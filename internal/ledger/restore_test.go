package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/apiclient/quota"
	"curfew/internal/raced"
	"curfew/policy"
	"curfew/scheduler"
)

// hourly are the documented quotas.
func hourly() (q [quota.Methods]quota.Limit) {
	for m := range q {
		q[m] = quota.Documented(quota.Method(m))
	}
	return q
}

// restoration puts a backup in the place of the ledger at path.
func restoration(from, path string) Restoration {
	return Restoration{From: from, Options: optionsAt(path), Quotas: hourly(), Deployments: []policy.DeploymentID{"w1", "fresh"}}
}

// backupOf is a backup of many, and what it holds.
func backupOf(t *testing.T) (path string, state scheduler.State) {
	t.Helper()
	live := filepath.Join(t.TempDir(), "curfew.db")
	l := mustOpen(t, optionsAt(live))
	mustCommit(t, l, many())
	must(t, l.Close())
	path = filepath.Join(t.TempDir(), "curfew.bak")
	_, err := Backup(context.Background(), sourceAt(live), path, Copy{})
	must(t, err)
	state, err = readAt(sourceAt(path))
	must(t, err)
	return path, state
}

// withoutRestored is a state without what a restoration puts in, and that.
func withoutRestored(t *testing.T, s scheduler.State, before uint64) (scheduler.State, []scheduler.Use) {
	t.Helper()
	var put []scheduler.Use
	kept := s
	kept.Uses, kept.LastClaim = nil, before
	for _, u := range s.Uses {
		if u.ID > before {
			put = append(put, u)
		} else {
			kept.Uses = append(kept.Uses, u)
		}
	}
	return kept, put
}

// TestRestore: what the backup holds is there again, and every quota of every
// deployment is used up, as of now. What was in place is kept, whatever its state.
func TestRestore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		place func(t *testing.T, path string) []string // returns the ends of what is there
	}{
		{"where nothing is", func(*testing.T, string) []string { return nil }},
		{"over a damaged one with its log", func(t *testing.T, path string) []string {
			must(t, os.WriteFile(path, []byte("SQLite format 3\x00 and nothing else"), 0o600))
			for _, end := range ends()[1:] {
				must(t, os.WriteFile(path+end, []byte("left"), 0o600))
			}
			return ends()
		}},
		{"over an empty file", func(t *testing.T, path string) []string {
			must(t, os.WriteFile(path, nil, 0o600))
			return []string{""}
		}},
		{"over a log alone", func(t *testing.T, path string) []string {
			must(t, os.WriteFile(path+"-wal", []byte("left"), 0o600))
			return []string{"-wal"}
		}},
		{"over one that a crash left", func(t *testing.T, path string) []string {
			from, _ := crashed(t)
			for name, text := range filesIn(t, filepath.Dir(from)) {
				must(t, os.WriteFile(path+strings.TrimPrefix(name, "curfew.db"), text, 0o600))
			}
			return ends()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			from, want := backupOf(t)
			path := filepath.Join(t.TempDir(), "curfew.db")
			there := c.place(t, path)
			before := filesIn(t, filepath.Dir(path))
			done, err := Restore(context.Background(), restoration(from, path))
			must(t, err)
			got, err := readAt(sourceAt(path))
			must(t, err)
			got, put := withoutRestored(t, got, want.LastClaim)
			if diff := difference(want, got); diff != "" {
				t.Errorf("the restored one is another (- in the backup, + restored):\n%s", diff)
			}
			checkUsedUp(t, put, concerned(want))
			names := []string{"curfew.db", "curfew.db.lock"}
			for _, end := range there {
				kept := filepath.Base(done.Aside) + end
				names = append(names, kept)
				text, err := os.ReadFile(filepath.Join(filepath.Dir(path), kept))
				if must(t, err); string(text) != string(before["curfew.db"+end]) {
					t.Errorf("%s is not what was in place", kept)
				}
			}
			if left := sortedNames(filesIn(t, filepath.Dir(path))); len(left) != len(names) {
				t.Errorf("there is %q, want %q", left, names)
			}
		})
	}
}

// concerned is how many deployments a backup knows, the list of all and one that only
// the file knows.
func concerned(s scheduler.State) int {
	ids := map[policy.DeploymentID]bool{"": true, "w1": true, "fresh": true}
	for _, r := range s.Rows {
		ids[r.Deployment] = true
	}
	for _, u := range s.Uses {
		ids[u.Deployment] = true
	}
	return len(ids)
}

// checkUsedUp: one call of each method for each deployment, and the list of all,
// which hold others back for a window with its margin at least, and starts and
// stops so long that looks come first.
func checkUsedUp(t *testing.T, put []scheduler.Use, deployments int) {
	t.Helper()
	seen := map[policy.DeploymentID][quota.Methods]bool{}
	for _, u := range put {
		of := seen[u.Deployment]
		of[u.Method] = true
		seen[u.Deployment] = of
		least := 62 * time.Minute
		if u.Method != quota.Get {
			least += looksFirst
		}
		if u.Open || u.Known || u.Wait < least || u.Ended.Foreign || !u.Ended.Wall.Equal(optionsAt("").Now().Wall) {
			t.Fatalf("%+v does not hold back others for %s from now on", u, least)
		}
	}
	if len(seen) != deployments || len(put) != deployments*quota.Methods {
		t.Errorf("%d calls of %d deployments are put in, want %d of %d", len(put), len(seen), deployments*quota.Methods, deployments)
	}
	for _, id := range []policy.DeploymentID{"", "w1", "fresh"} {
		if seen[id] != [quota.Methods]bool{true, true, true} {
			t.Errorf("quotas of %q that are used up: %v", id, seen[id])
		}
	}
}

// TestRestoredCallsAreNone: what a restoration puts in is in no history, now or when
// its time is over.
func TestRestoredCallsAreNone(t *testing.T) {
	t.Parallel()
	from, _ := backupOf(t)
	path := filepath.Join(t.TempDir(), "curfew.db")
	_, err := Restore(context.Background(), restoration(from, path))
	must(t, err)
	before := told(t, sourceAt(from))
	l := mustOpen(t, optionsAt(path))
	if after := told(t, sourceAt(from)); after != before {
		t.Errorf("history (- of the backup, + restored):\n%s", cmp.Diff(before, after))
	}
	want := posts(t, l, Filter{})
	later := l.options.Now()
	later.Steady += 10 * time.Hour
	_, err = l.Prune(context.Background(), later, Keep{})
	must(t, err)
	if diff := cmp.Diff(60, len(want)); diff != "" {
		t.Errorf("calls that the restored ledger tells of (- made, + told):\n%s", diff)
	}
	if diff := cmp.Diff(want, posts(t, l, Filter{})); diff != "" {
		t.Errorf("calls that it tells of, before and after pruning:\n%s", diff)
	}
	must(t, l.Close())
}

// TestRestoreRefuses: what is not to be trusted is not put in place, a ledger that is
// held stays, and nothing at all changes.
func TestRestoreRefuses(t *testing.T) {
	raced.Spare(t)
	t.Parallel()
	bad := func(name, change string) string {
		path := filepath.Join(t.TempDir(), name)
		from, _ := backupOf(t)
		copyFile(t, from, path, sizeOf(t, from))
		if change != "" {
			query(t, path, change)
		}
		return path
	}
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	must(t, os.WriteFile(empty, nil, 0o600))
	path := storied(t)
	no := errors.New("no")
	for _, c := range []struct {
		name string
		want error
		from string
		with func(*Restoration)
	}{
		{"a row that is not as written", ErrDamaged, bad("row", "UPDATE overrides SET author = 'bert'"), nil},
		{"a contradiction", ErrDamaged, bad("claims", "DELETE FROM claims WHERE claim = 3"), nil},
		{"of a newer release", ErrNewer, bad("newer", "PRAGMA user_version = 99"), nil},
		{"another program's", ErrNotLedger, bad("other", "PRAGMA application_id = 1"), nil},
		{"empty", ErrEmpty, empty, nil},
		{"not there", ErrAbsent, filepath.Join(dir, "nowhere"), nil},
		{"the ledger itself", errOwn, path, nil},
		{"another account's", ErrForeign, bad("foreign", ""), func(r *Restoration) { r.Endpoint = "https://elsewhere.example" }},
		{"not agreed to", no, bad("fine", ""), func(r *Restoration) { r.Agree = func(*Restored) error { return no } }},
	} {
		before := filesIn(t, filepath.Dir(path))
		r := restoration(c.from, path)
		if c.with != nil {
			c.with(&r)
		}
		_, err := Restore(context.Background(), r)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		after := filesIn(t, filepath.Dir(path))
		delete(before, "curfew.db.lock") // says who was there last
		delete(after, "curfew.db.lock")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s: what is there has changed:\n%.2000s", c.name, diff)
		}
	}
	l := mustOpen(t, optionsAt(path))
	defer l.Close()
	_, err := Restore(context.Background(), restoration(bad("fine", ""), path))
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("a ledger that is held: %v, want %v and by whom", err, ErrLocked)
	}
}

// TestRestoreOnAFailingDisk lets each step of SQLite's towards the disk fail while the
// copy is made. The ledger in place stays, to the byte, and nothing lies beside it.
func TestRestoreOnAFailingDisk(t *testing.T) {
	raced.Spare(t)
	t.Parallel()
	from, inPlace := written(t), written(t)
	for _, f := range failures() {
		if f.of == opTruncate || f.of == opDelete {
			continue // of logs that are not needed any more
		}
		stride := 1
		if f.of == opWrite && !*deep {
			stride = 13
		}
		for k := 1; ; k += stride {
			path := filepath.Join(t.TempDir(), "curfew.db")
			copyFile(t, inPlace, path, sizeOf(t, inPlace))
			before := filesIn(t, filepath.Dir(path))
			met := 0
			watchDisk(t, filepath.Dir(path), func(o op) fate {
				if o.kind == f.of {
					if met++; met >= k && (f.times == 0 || met < k+f.times) {
						return f.fate
					}
				}
				return fate{skip: o.kind == opSync}
			})
			_, err := Restore(context.Background(), restoration(from, path))
			if met < k {
				must(t, err)
				break
			}
			if err == nil {
				t.Errorf("%s (%d): the restoration says nothing of it", f.name, k)
			}
			after := filesIn(t, filepath.Dir(path))
			delete(before, "curfew.db.lock")
			delete(after, "curfew.db.lock")
			if diff := cmp.Diff(before, after); err != nil && diff != "" {
				t.Errorf("%s (%d): what is there has changed:\n%.2000s", f.name, k, diff)
			}
		}
	}
}

// TestRestoreCutShort ends a restoration after each of its last steps, as a crash
// does. The next daemon has what was there, or what is restored, or does not start and
// says that a backup is to be restored; and what was there is kept.
func TestRestoreCutShort(t *testing.T) {
	raced.Spare(t)
	t.Parallel()
	from, _ := backupOf(t)
	counts := map[string]int{}
	for done := 0; ; done++ {
		path, old := crashed(t)
		r := restoration(from, path)
		restored, err := r.plan(context.Background())
		must(t, err)
		d, err := newDraft(path)
		must(t, err)
		must(t, r.fill(context.Background(), d, restored))
		steps := restored.steps(d, path)
		if done > len(steps) {
			break
		}
		for _, step := range steps[:done] {
			must(t, step())
		}
		got, err := loadAt(path)
		switch {
		case errors.Is(err, ErrEmpty):
			counts["refused"]++
		case err != nil:
			t.Errorf("after %d steps: %v", done, err)
		case difference(old, got) == "":
			counts["old"]++
		default:
			got, put := withoutRestored(t, got, 60)
			checkUsedUp(t, put, concerned(got))
			counts["restored"]++
		}
		if done > 0 {
			if kept, err := loadAt(restored.Aside); err != nil || difference(old, kept) != "" {
				t.Errorf("after %d steps what was there is not kept: %v", done, err)
			}
		}
	}
	if diff := cmp.Diff(map[string]int{"old": 2, "refused": 2, "restored": 1}, counts); diff != "" {
		t.Errorf("after the steps there was (- want, + got):\n%s", diff)
	}
}

// TestRestoreTwice: the dated name is another one, and what was kept can be put back.
func TestRestoreTwice(t *testing.T) {
	t.Parallel()
	from, _ := backupOf(t)
	path, old := crashed(t)
	first, err := Restore(context.Background(), restoration(from, path))
	must(t, err)
	second, err := Restore(context.Background(), restoration(first.Aside, path))
	must(t, err)
	if first.Aside == second.Aside {
		t.Errorf("both are kept as %s", first.Aside)
	}
	got, err := readAt(sourceAt(path))
	must(t, err)
	if got, _ = withoutRestored(t, got, old.LastClaim); difference(withoutMarks(old), got) != "" {
		t.Errorf("what was kept is another one when it is put back:\n%s", difference(withoutMarks(old), got))
	}
}

// TestWaits: as long as the longest window with its margin, and looks before calls.
func TestWaits(t *testing.T) {
	t.Parallel()
	w := waits(hourly(), 100)
	want := [quota.Methods]time.Duration{62 * time.Minute, 67*time.Minute + 2*time.Second, 67*time.Minute + 2*time.Second}
	if w != want {
		t.Errorf("with the documented quotas it is %v, want %v", w, want)
	}
	q := hourly()
	q[quota.Get].Per, q[quota.Stop].Per = time.Minute, 3*time.Hour
	if w = waits(q, 0); w[quota.Get] != 62*time.Second || w[quota.Start] != 62*time.Minute || w[quota.Stop] != 3*time.Hour+6*time.Minute {
		t.Errorf("with windows of 1m, 60m and 3h it is %v", w)
	}
}

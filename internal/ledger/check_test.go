package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"curfew/apiclient/quota"
	"curfew/scheduler"
)

func mustExamine(t rapid.TB, s Source) *Findings {
	t.Helper()
	f, err := Examine(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// storied makes a ledger with something in every table, closed, and returns its
// path: ten outcomes a minute apart, and two calls that are history.
func storied(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "curfew.db")
	l := mustOpen(t, optionsAt(path))
	b := many()
	for i := range 10 {
		b.Outcomes = append(b.Outcomes, scheduler.Outcome{
			Deployment: "w1", Policy: "nightly", Transition: stop(), Kind: scheduler.Done, Count: 1, Settled: noon().Add(time.Duration(i) * time.Minute),
		})
	}
	mustCommit(t, l, b)
	old := claimsFrom(100, 2, quota.Stop)
	mustCommit(t, l, &scheduler.Batch{Claims: old})
	err := l.write(context.Background(), func() error {
		return put(context.Background(), l, attempts(), false, []Post{{Claim: old[0]}, {Claim: old[1]}}, func(r *record, p *Post) { encodePost(r, l.options.Account, p) })
	})
	must(t, err)
	must(t, l.remove(context.Background(), claims(), []uint64{old[0].ID, old[1].ID}))
	must(t, l.Close())
	return path
}

// TestExamineWhole: what is in it, how far it goes, and that nothing is wrong.
func TestExamineWhole(t *testing.T) {
	t.Parallel()
	path := storied(t)
	f := mustExamine(t, sourceAt(path))
	if !f.Whole() || !f.Sound() {
		t.Fatalf("a ledger that was just written is not whole: %+v", f)
	}
	rows := map[string]int64{}
	for _, table := range f.Tables {
		rows[table.Name] = table.Rows
	}
	want := map[string]int64{"accounts": 1, "boots": 1, "deployments": 60, "claims": 60, "endings": 40, "overrides": 30, "scopes": 1, "attempts": 2, "outcomes": 10}
	for name, n := range want {
		if rows[name] != n {
			t.Errorf("table %s is said to have %d rows, it has %d", name, rows[name], n)
		}
	}
	if o := optionsAt(path); f.Account != o.Account || f.Endpoint != o.Endpoint || f.Last != 101 || f.Holder != "" || f.Bytes != sizeOf(t, path) {
		t.Errorf("it is of account %q at %q, claim %d is the highest, %q has it open, %d bytes", f.Account, f.Endpoint, f.Last, f.Holder, f.Bytes)
	}
	if last := noon().Add(9 * time.Minute); f.Written.Before(last) || f.Since.After(noon()) {
		t.Errorf("it goes from %s to %s, and has outcomes from %s to %s", f.Since, f.Written, noon(), last)
	}
}

// TestExamineSaysWhoHoldsIt: the one that has it open, and nobody who only looks.
func TestExamineSaysWhoHoldsIt(t *testing.T) {
	t.Parallel()
	path := storied(t)
	cmd, acks := endless(t, path)
	if !acks.Scan() {
		t.Fatal("the writer ended")
	}
	if f := mustExamine(t, sourceAt(path)); !strings.HasPrefix(f.Holder, "process ") {
		t.Errorf("a process has it open, and it is said to be %q", f.Holder)
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	must(t, Read(context.Background(), sourceAt(path), func(*Reader) error {
		if f := mustExamine(t, sourceAt(path)); f.Holder != "" {
			t.Errorf("nobody has it open for writing, and %q is said to", f.Holder)
		}
		return nil
	}))
}

// TestExamineFindsDamage: a row of each table that is not as it was written is
// found, and told from one that does not keep a daemon from starting.
func TestExamineFindsDamage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		table, change string
		sound         bool
	}{
		{"accounts", "endpoint = endpoint || 'x'", false},
		{"boots", "kernel_id = 'other'", false},
		{"deployments", "gone = 1 WHERE rowid = 5", false},
		{"claims", "wall = wall + 1 WHERE claim = 7", false},
		{"endings", "status = 500 WHERE claim = 7", false},
		{"overrides", "author = 'bert' WHERE override = 3", false},
		{"scopes", "scope = 'deployment'", false},
		{"attempts", "status = 500 WHERE claim = 100", true},
		{"outcomes", "kind = 'failed' WHERE outcome = 4", true},
	} {
		t.Run(c.table, func(t *testing.T) {
			t.Parallel()
			path := storied(t)
			query(t, path, "UPDATE "+c.table+" SET "+c.change)
			f := mustExamine(t, sourceAt(path))
			if f.Whole() || f.Sound() != c.sound {
				t.Errorf("whole: %t, sound: %t, want false and %t (%v)", f.Whole(), f.Sound(), c.sound, f.Refused)
			}
			for _, table := range f.Tables {
				if damaged := len(table.Damaged) > 0; damaged != (table.Name == c.table) {
					t.Errorf("rows of %s are not as written, and %s is said to be damaged: %t", c.table, table.Name, damaged)
				}
			}
			if _, err := loadAt(path); (err == nil) != c.sound {
				t.Errorf("sound: %t, and a daemon that starts says %v", c.sound, err)
			}
		})
	}
}

// TestExamineSpans: rows that lie side by side are one span, with the instants
// around it.
func TestExamineSpans(t *testing.T) {
	t.Parallel()
	path := storied(t)
	query(t, path, "UPDATE outcomes SET tries = 9 WHERE outcome IN (1, 4, 5, 6, 10)")
	f := mustExamine(t, sourceAt(path))
	minute := func(n int) time.Time { return noon().Add(time.Duration(n-1) * time.Minute) }
	want := []Span{{First: 1, Last: 1, Rows: 1, Before: minute(2)}, {First: 4, Last: 6, Rows: 3, After: minute(3), Before: minute(7)}, {First: 10, Last: 10, Rows: 1, After: minute(9)}}
	got := f.Tables[len(f.Tables)-1].Damaged
	if len(got) != len(want) || f.DamagedRows() != 5 {
		t.Fatalf("%d rows in %d spans, want 5 in 3: %+v", f.DamagedRows(), len(got), got)
	}
	for i, s := range got {
		if s.Cause == nil {
			t.Errorf("span %d has no cause", i)
		}
		if s.Cause = nil; s != want[i] {
			t.Errorf("span %d is %+v, want %+v", i, s, want[i])
		}
	}
}

// TestExamineContradictions: rows that are as they were written and cannot all be
// true.
func TestExamineContradictions(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, c := range []struct {
		name, want string
		spoil      func(l *Ledger) error
	}{
		{"an ending without its claim", "1 endings are of claims that are not there, the first of claim 50", func(l *Ledger) error {
			return l.remove(ctx, claims(), []uint64{50})
		}},
		{"a claim above the highest", "claim 60 is there, and 59 is said to be the highest", func(l *Ledger) error {
			return l.write(ctx, func() error { return l.putAccount(ctx, 59) })
		}},
		{"a call that counts and is history", "1 calls count still and are in the history too, the first by claim 60", func(l *Ledger) error {
			return l.write(ctx, func() error {
				p := []Post{{Claim: claimsFrom(60, 1, quota.Stop)[0]}}
				return put(ctx, l, attempts(), false, p, func(r *record, p *Post) { encodePost(r, l.options.Account, p) })
			})
		}},
		{"a boot that nobody knows", "1 instants are of boots that are not there, the first in row 61", func(l *Ledger) error {
			l.boot = 17
			return l.Commit(ctx, &scheduler.Batch{Claims: claimsFrom(61, 1, quota.Stop)})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "curfew.db")
			l := mustOpen(t, optionsAt(path))
			b := many()
			b.Endings = endingsOf(b.Claims[49:50])
			mustCommit(t, l, b)
			must(t, c.spoil(l))
			must(t, l.Close())
			f := mustExamine(t, sourceAt(path))
			if f.Sound() || len(f.Problems) != 1 || f.Problems[0] != c.want {
				t.Errorf("found %q, want %q", f.Problems, c.want)
			}
		})
	}
}

// TestExamineRefusals: what is no ledger of this account is said to be so, and
// nothing else is an error.
func TestExamineRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	other := sourceAt(storied(t))
	other.Endpoint = "https://elsewhere.example"
	newer := storied(t)
	query(t, newer, "PRAGMA user_version = 99")
	for _, c := range []struct {
		source Source
		want   error
	}{
		{other, ErrForeign},
		{sourceAt(newer), ErrNewer},
		{sourceAt(file("empty", "")), ErrEmpty},
		{sourceAt(file("text", strings.Repeat("no ledger ", 100))), ErrNotLedger},
		{sourceAt(filepath.Join(dir, "nowhere")), ErrAbsent},
		{sourceAt(dir), ErrDirectory},
	} {
		if f := mustExamine(t, c.source); f.Refused == nil || f.Refused.Reason != c.want || f.Whole() || f.Sound() {
			t.Errorf("%s: %v, want %v", c.source.Path, f.Refused, c.want)
		}
	}
	anyones := Source{Path: other.Path, Boot: "x", Anyones: true}
	if f := mustExamine(t, anyones); !f.Whole() || f.Account != "default" {
		t.Errorf("a ledger of which nobody asks whose it is: %+v", f)
	}
}

// TestExamineAnyFlip: whatever bit turns over, a ledger that is called sound loads as
// it was written, and one that is called whole has its history too.
func TestExamineAnyFlip(t *testing.T) {
	t.Parallel()
	written := storied(t)
	want, err := readAt(sourceAt(written))
	must(t, err)
	want = withoutMarks(want) // they do not come along
	history := told(t, sourceAt(written))
	file, err := os.ReadFile(written)
	must(t, err)
	path := filepath.Join(t.TempDir(), "curfew.db")
	rapid.Check(t, func(t *rapid.T) {
		flipped := append([]byte(nil), file...)
		flipped[rapid.IntRange(0, len(file)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		must(t, os.WriteFile(path, flipped, 0o600))
		f := mustExamine(t, sourceAt(path))
		if !f.Sound() {
			return
		}
		got, err := readAt(sourceAt(path))
		if err != nil {
			t.Fatalf("it is called sound, and reading it says %v", err)
		}
		if diff := difference(want, got); diff != "" {
			t.Fatalf("it is called sound, and is another one (- written, + read):\n%s", diff)
		}
		if f.Whole() && told(t, sourceAt(path)) != history {
			t.Fatal("it is called whole, and its history is another one")
		}
	})
}

// TestExamineEndsWithItsContext: that nobody waits for the answer is no damage.
func TestExamineEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if f, err := Examine(ctx, sourceAt(storied(t))); !errors.Is(err, context.Canceled) {
		t.Errorf("it says %+v and %v, want %v", f, err, context.Canceled)
	}
}

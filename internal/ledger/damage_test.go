package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"curfew/apiclient/quota"
	"curfew/internal/raced"
	"curfew/policy"
	"curfew/scheduler"
)

// loadAt opens the ledger at path and reads it.
func loadAt(path string) (scheduler.State, error) {
	l, err := Open(context.Background(), optionsAt(path))
	if err != nil {
		return scheduler.State{}, err
	}
	s, err := l.Load(context.Background())
	return s, errors.Join(err, l.Close())
}

// sameOrRefused is the whole rule for damage: a ledger is read as it was
// written, or not at all.
func sameOrRefused(t rapid.TB, path string, want scheduler.State) {
	t.Helper()
	got, err := loadAt(path)
	if err != nil {
		return
	}
	if diff := difference(want, got); diff != "" {
		t.Fatalf("a damaged ledger was read as another one (- written, + read):\n%s", diff)
	}
}

// difference compares states, the fast way first: they are mostly the same.
func difference(want, got scheduler.State) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

// withoutMarks is what a copy of a ledger holds: the marks are not part of it,
// so it is sure of no claim that it was not sent.
func withoutMarks(s scheduler.State) scheduler.State {
	s.Uses = slices.Clone(s.Uses)
	for i := range s.Uses {
		s.Uses[i].Unsent = false
	}
	return s
}

// many fills some pages of every table that is loaded.
func many() *scheduler.Batch {
	b := &scheduler.Batch{Rows: settledRows(60), Claims: claimsFrom(1, 60, quota.Stop)}
	b.Endings = endingsOf(b.Claims[:40])
	for i := range b.Rows[:20] {
		b.Rows[i].Due = stop()
	}
	for i := range 30 {
		b.Overrides = append(b.Overrides, policy.Override{
			ID: uint64(i + 1), Deployment: b.Rows[i].Deployment, Kind: policy.Hold, Power: policy.Running,
			From: noon(), Until: noon().AddDate(0, 0, 1), Author: "anna", Reason: "a demonstration for customers",
		})
	}
	b.Scopes = []scheduler.LearnedScope{{Method: quota.Stop, Scope: quota.Key}}
	return b
}

// manyWritten returns the bytes of a closed ledger with many in it.
func manyWritten(t testing.TB) (file []byte, state scheduler.State) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "curfew.db")
	l := mustOpen(t, optionsAt(path))
	mustCommit(t, l, many())
	must(t, l.Close())
	state, err := loadAt(path)
	must(t, err)
	file, err = os.ReadFile(path)
	must(t, err)
	return file, withoutMarks(state)
}

func TestFlippedHead(t *testing.T) {
	raced.Spare(t)
	t.Parallel()
	file, want := manyWritten(t)
	dir := t.TempDir()
	for at := range headSize {
		path := filepath.Join(dir, fmt.Sprintf("%d.db", at))
		flipped := append([]byte(nil), file...)
		flipped[at] ^= 0x41
		must(t, os.WriteFile(path, flipped, 0o600))
		sameOrRefused(t, path, want)
	}
}

func TestFlippedAnywhere(t *testing.T) {
	raced.Spare(t)
	t.Parallel()
	file, want := manyWritten(t)
	path := filepath.Join(t.TempDir(), "curfew.db")
	rapid.Check(t, func(t *rapid.T) {
		flipped := append([]byte(nil), file...)
		at := rapid.IntRange(headSize, len(file)-1).Draw(t, "at")
		flipped[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		must(t, os.WriteFile(path, flipped, 0o600))
		sameOrRefused(t, path, want)
	})
}

func TestTruncatedAnywhere(t *testing.T) {
	t.Parallel()
	file, want := manyWritten(t)
	path := filepath.Join(t.TempDir(), "curfew.db")
	for n := 0; n < len(file); n += 1500 {
		must(t, os.WriteFile(path, file[:n], 0o600))
		sameOrRefused(t, path, want)
	}
}

// TestCopies takes copies of ledger and log between commits, as a snapshot of
// a volume would, and sometimes only the beginning of what the log has grown by
// in between. A copy is the ledger at the last commit that it holds in full.
func TestCopies(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "curfew.db")
	l := mustOpen(t, optionsAt(path))
	var states [2]scheduler.State // before and after the last commit
	before := int64(0)
	for n := range 12 {
		first := uint64(n*100 + 1)
		b := &scheduler.Batch{Claims: claimsFrom(first, n+1, quota.Stop), Rows: settledRows(n)}
		if n > 0 {
			b.Endings = endingsOf(claimsFrom(first-100, 1, quota.Stop))
		}
		mustCommit(t, l, b)
		states[0] = states[1]
		states[1] = withoutMarks(mustLoad(t, l))
		after := sizeOf(t, path+"-wal")
		checkCopy(t, path, after, states[1:])
		checkCopy(t, path, after-1, states[:])
		checkCopy(t, path, (before+after)/2, states[:])
		before = after
	}
}

// checkCopy copies the ledger with n bytes of its log and holds the copy to one
// of the given states.
func checkCopy(t *testing.T, path string, n int64, states []scheduler.State) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, path, to, sizeOf(t, path))
	copyFile(t, path+"-wal", to+"-wal", n)
	got, err := loadAt(to)
	must(t, err)
	for _, want := range states {
		if difference(want, got) == "" {
			return
		}
	}
	t.Fatalf("with %d bytes of the log, the copy is at no commit: last claim %d, want %d", n, got.LastClaim, states[len(states)-1].LastClaim)
}

func copyFile(t testing.TB, from, to string, n int64) {
	t.Helper()
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, data[:n], 0o600))
}

// TestForgedRows changes rows behind the ledger's back without their checksums,
// as a disk or a hand may.
func TestForgedRows(t *testing.T) {
	t.Parallel()
	for _, forgery := range []string{
		"UPDATE deployments SET floor = floor + 1 WHERE deployment = 'd0000007'",
		"UPDATE deployments SET armed = 0 WHERE deployment = 'd0000007'",
		"UPDATE deployments SET fingerprint = x'00' WHERE deployment = 'd0000007'",
		"UPDATE claims SET steady = steady - 1 WHERE claim = 3",
		"UPDATE claims SET account = 'defaulu' WHERE claim = 3",
		"UPDATE endings SET known = 1 - known WHERE claim = 3",
		"UPDATE overrides SET until = 0 WHERE override = 1",
		"UPDATE scopes SET scope = 'deployment'",
		"UPDATE accounts SET last_claim = 1",
		"UPDATE boots SET boot = 2",
	} {
		t.Run(forgery, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "curfew.db")
			l := mustOpen(t, optionsAt(path))
			mustCommit(t, l, many())
			must(t, l.Close())
			query(t, path, forgery)
			if _, err := loadAt(path); !errors.Is(err, ErrDamaged) {
				t.Errorf("%v, want %v", err, ErrDamaged)
			}
		})
	}
}

// TestOtherAccountsRows: rows of another account are not ours, and not damage.
func TestOtherAccountsRows(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	mustCommit(t, l, &scheduler.Batch{Rows: settledRows(2)})
	want := mustLoad(t, l)
	l.options.Account = "second"
	mustCommit(t, l, &scheduler.Batch{Rows: settledRows(3)})
	l.options.Account = "default"
	if diff := difference(want, mustLoad(t, l)); diff != "" {
		t.Errorf("rows of another account change ours (- want, + got):\n%s", diff)
	}
}

package ledger

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

func at(steady time.Duration) scheduler.Instant {
	return scheduler.Instant{Wall: noon().Add(steady), Steady: steady}
}

func nowAt(steady time.Duration) scheduler.Now {
	return scheduler.Now{Wall: noon().Add(steady), Steady: steady}
}

func uses(s scheduler.State) (ids []uint64) {
	for _, u := range s.Uses {
		ids = append(ids, u.ID)
	}
	return ids
}

func posts(t *testing.T, l *Ledger, f Filter) (said []string) {
	t.Helper()
	found, err := l.Posts(context.Background(), f)
	must(t, err)
	for _, p := range found {
		said = append(said, fmt.Sprintf("%d %s %s %s", p.Claim.ID, p.Claim.Method, p.Claim.Deployment, p.Ending.Result))
	}
	return said
}

// TestPruneUses follows claims of two processes through the hours.
func TestPruneUses(t *testing.T) {
	t.Parallel()
	o := optionsAt(filepath.Join(t.TempDir(), "curfew.db"))
	l := mustOpen(t, o) // at steady 1h
	made := append(claimsFrom(1, 3, quota.Stop), claimsFrom(4, 3, quota.Get)...)
	for i := range made {
		made[i].Made, made[i].Deployment = at(time.Hour), "w1"
	}
	mustCommit(t, l, &scheduler.Batch{Claims: made, Endings: []scheduler.Ending{
		{Claim: 1, Ended: at(2 * time.Hour), Result: "accepted"}, {Claim: 4, Ended: at(2 * time.Hour)},
		{Claim: 2, Ended: at(3 * time.Hour), Result: "limited"}, {Claim: 5, Ended: at(3 * time.Hour)},
	}}) // 3 and 6 stay open
	prune := func(steady time.Duration, removed int, left ...uint64) {
		t.Helper()
		n, err := l.Prune(context.Background(), nowAt(steady), Keep{Uses: 2 * time.Hour})
		if err != nil || n != removed {
			t.Errorf("at %v: %d pruned, %v; want %d", steady, n, err, removed)
		}
		if diff := cmp.Diff(left, uses(mustLoad(t, l))); diff != "" {
			t.Errorf("at %v, the uses (- want, + got):\n%s", steady, diff)
		}
	}
	prune(4*time.Hour-1, 0, 1, 2, 3, 4, 5, 6)
	prune(4*time.Hour, 2, 2, 3, 5, 6)
	prune(100*time.Hour, 2, 3, 6) // what is open in this run stays, however long

	must(t, l.Close())
	o.Boot, o.Now = "boot-b", func() scheduler.Now { return nowAt(time.Minute) }
	l = mustOpen(t, o)
	prune(2*time.Hour, 0, 3, 6) // they ended when the new process began, at the latest
	prune(2*time.Hour+time.Minute, 2)

	want := []string{"3 stop w1 ", "2 stop w1 limited", "1 stop w1 accepted"}
	if diff := cmp.Diff(want, posts(t, l, Filter{})); diff != "" {
		t.Errorf("the history of POSTs (- want, + got):\n%s", diff)
	}
	if got := mustLoad(t, l).LastClaim; got != 6 {
		t.Errorf("the last claim is %d, want 6: pruning does not give numbers back", got)
	}
}

// TestPruneForeign: the steady clock of another boot says nothing here. The
// host before had been up for less than this one, or for longer.
func TestPruneForeign(t *testing.T) {
	t.Parallel()
	const n = pruneRows + 3
	for _, began := range []time.Duration{1000 * time.Hour, time.Minute} {
		o := optionsAt(filepath.Join(t.TempDir(), "curfew.db"))
		l := mustOpen(t, o)
		made := claimsFrom(1, n, quota.Get)
		for i := range made {
			made[i].Made = at(500 * time.Hour)
		}
		mustCommit(t, l, &scheduler.Batch{Claims: made, Endings: endingsOf(made)})
		must(t, l.Close())
		o.Boot, o.Now = "boot-b", func() scheduler.Now { return nowAt(began) } // the calls may have ended a second ago
		l = mustOpen(t, o)
		for _, c := range []struct {
			since time.Duration
			want  int
		}{{0, 0}, {2*time.Hour - 1, 0}, {2 * time.Hour, n}} {
			if got, err := l.Prune(context.Background(), nowAt(began+c.since), Keep{}); got != c.want || err != nil {
				t.Errorf("begun at %v, after %v: %d pruned, %v; want %d", began, c.since, got, err, c.want)
			}
		}
	}
}

// TestPruneMany: more than one transaction, with some that stay in between.
func TestPruneMany(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	made := claimsFrom(1, 3*pruneRows, quota.Get)
	for i := range made {
		made[i].Made = at(time.Duration(i) * time.Second)
	}
	ended := endingsOf(made)
	open := pruneRows + 7 // the claim at this index has no ending
	mustCommit(t, l, &scheduler.Batch{Claims: made, Endings: append(ended[:open:open], ended[open+1:]...)})
	old := 2*pruneRows + 10 // ended until then, one second after they were made
	n, err := l.Prune(context.Background(), nowAt(time.Duration(old)*time.Second+2*time.Hour), Keep{})
	if err != nil || n != old-1 {
		t.Errorf("%d pruned, %v; want %d", n, err, old-1)
	}
	left := uses(mustLoad(t, l))
	if len(left) != len(made)-old+1 || left[0] != uint64(open+1) || left[1] != uint64(old+1) {
		t.Errorf("%d uses are left, from %v; want %d from [%d %d]", len(left), left[:2], len(made)-old+1, open+1, old+1)
	}
}

func TestPruneHistory(t *testing.T) {
	t.Parallel()
	o := optionsAt(filepath.Join(t.TempDir(), "curfew.db"))
	l := mustOpen(t, o)
	var b scheduler.Batch
	for i := range 2*pruneRows + 5 {
		b.Outcomes = append(b.Outcomes, scheduler.Outcome{Deployment: "w1", Kind: scheduler.Done, Settled: noon().Add(time.Duration(i) * time.Hour)})
	}
	mustCommit(t, l, &b)
	keep := Keep{History: 10 * time.Hour}
	n, err := l.Prune(context.Background(), scheduler.Now{Wall: noon().Add((2*pruneRows + 11) * time.Hour)}, keep)
	if err != nil || n != 2*pruneRows+1 {
		t.Errorf("%d pruned, %v; want %d", n, err, 2*pruneRows+1)
	}
	found, err := l.Outcomes(context.Background(), Filter{})
	must(t, err)
	if len(found) != 4 || !found[3].Settled.Equal(noon().Add((2*pruneRows+1)*time.Hour)) {
		t.Errorf("left are %d outcomes, want the last 4: %+v", len(found), found)
	}
	// Numbers go on where they were, in this process and in the next.
	must(t, l.Close())
	l = mustOpen(t, o)
	mustCommit(t, l, &scheduler.Batch{Outcomes: b.Outcomes[:1]})
	if found, err := l.Outcomes(context.Background(), Filter{Limit: 2}); err != nil || !found[0].Settled.Equal(noon()) {
		t.Errorf("the latest outcome is %+v, %v; want the one that was written last", found, err)
	}
}

func TestPruneEndsWithItsContext(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Prune(ctx, nowAt(0), Keep{}); !errors.Is(err, context.Canceled) {
		t.Errorf("prune: %v, want %v", err, context.Canceled)
	}
	mustCommit(t, l, batch(1)) // a prune that ends early is no failure of the ledger
}

// TestHistory asks for outcomes and POSTs in every way, before and after those
// POSTs were moved to the history.
func TestHistory(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	var b scheduler.Batch
	for i := range 4 {
		id := policy.DeploymentID(fmt.Sprintf("w%d", i%2))
		when := at(time.Duration(i) * time.Hour)
		b.Claims = append(b.Claims, scheduler.Claim{ID: uint64(i + 1), Deployment: id, Method: quota.Start, Made: when})
		b.Endings = append(b.Endings, scheduler.Ending{Claim: uint64(i + 1), Ended: when, Result: "accepted"})
		b.Outcomes = append(b.Outcomes, scheduler.Outcome{Deployment: id, Kind: scheduler.Done, Settled: when.Wall, Count: i + 1})
	}
	b.Claims = append(b.Claims, claimsFrom(5, 1, quota.Get)...)
	mustCommit(t, l, &b)
	for _, moved := range []int{0, 2, 4} {
		if _, err := l.Prune(ctx, nowAt(2*time.Hour+time.Duration(moved-1)*time.Hour), Keep{}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			filter Filter
			want   []int
		}{
			{Filter{}, []int{4, 3, 2, 1}},
			{Filter{Limit: 3}, []int{4, 3, 2}},
			{Filter{Deployment: "w1"}, []int{4, 2}},
			{Filter{Deployment: "w1", Limit: 1}, []int{4}},
			{Filter{From: noon().Add(time.Hour), To: noon().Add(3 * time.Hour)}, []int{3, 2}},
			{Filter{Deployment: "w7"}, nil},
		} {
			checkHistory(t, l, c.filter, c.want, moved)
		}
	}
}

func checkHistory(t *testing.T, l *Ledger, f Filter, want []int, moved int) {
	t.Helper()
	made, err := l.Posts(context.Background(), f)
	must(t, err)
	settled, err := l.Outcomes(context.Background(), f)
	must(t, err)
	var ids, counts []int
	for _, p := range made {
		ids = append(ids, int(p.Claim.ID))
		if !p.Answered || p.Ending.Claim != p.Claim.ID || p.Ending.Result != "accepted" {
			t.Errorf("POST %d has lost its ending: %+v", p.Claim.ID, p.Ending)
		}
	}
	for _, o := range settled {
		counts = append(counts, o.Count)
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("%+v with %d moved, the POSTs (- want, + got):\n%s", f, moved, diff)
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("%+v, the outcomes (- want, + got):\n%s", f, diff)
	}
}

// TestOutcomeFields: history is written by the same hands as state, and no
// contract reads it back.
func TestOutcomeFields(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	want := scheduler.Outcome{
		Deployment: "w1", Policy: "nightly", Transition: stop(), Kind: scheduler.Missed, Reason: scheduler.ReasonTooClose,
		Count: 3, Settled: noon(), Tries: 2, Note: "the platform says: \xff\x00 no",
	}
	mustCommit(t, l, &scheduler.Batch{Outcomes: []scheduler.Outcome{want}})
	want.Note = "the platform says: \uFFFD\uFFFD no" // no database would take it otherwise
	got, err := l.Outcomes(context.Background(), Filter{})
	must(t, err)
	if diff := cmp.Diff([]scheduler.Outcome{want}, got); diff != "" {
		t.Errorf("(- want, + got):\n%s", diff)
	}
}

// TestTogether commits, prunes and reads at once; the race detector watches.
func TestTogether(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	const batches = 20
	var all sync.WaitGroup
	all.Go(func() {
		for n := range uint64(batches) {
			if err := l.Commit(ctx, batch(n)); err != nil {
				t.Error(err)
			}
		}
	})
	all.Go(func() {
		for range batches {
			if _, err := l.Prune(ctx, nowAt(1000*time.Hour), Keep{}); err != nil {
				t.Error(err)
			}
		}
	})
	all.Go(func() {
		for range batches {
			if _, err := l.Posts(ctx, Filter{}); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	want := 0 // every start that was not returned, pruned or not
	for n := range uint64(batches) {
		want += len(batch(n).Claims) - 1
		for _, e := range batch(n).Endings {
			if last := e.Claim - (n-1)*perBatch; e.Returned && last < uint64(len(batch(n-1).Claims)) {
				want--
			}
		}
	}
	if got := len(posts(t, l, Filter{})); got != want {
		t.Errorf("%d POSTs in the end, want %d", got, want)
	}
}

// TestHistoryWhileWriting: a reader neither waits for a writer nor sees half of
// what it does.
func TestHistoryWhileWriting(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	mustCommit(t, l, batch(1))
	before := posts(t, l, Filter{})
	must(t, l.write(ctx, func() error {
		if err := l.putBatch(ctx, batch(2), 3*perBatch); err != nil {
			return err
		}
		if diff := cmp.Diff(before, posts(t, l, Filter{})); diff != "" {
			t.Errorf("a batch in flight shows:\n%s", diff)
		}
		return nil
	}))
	if after := posts(t, l, Filter{}); len(after) <= len(before) {
		t.Errorf("%d POSTs after the batch, %d before", len(after), len(before))
	}
}

// TestPruneGone: the rows of deployments that are gone from the file go, those of
// the others stay, however many there are.
func TestPruneGone(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	rows := settledRows(2*pruneRows + 10)
	gone := 0
	for i := range rows {
		if rows[i].Gone = i%3 == 1 || i == len(rows)-1; rows[i].Gone {
			gone++
		}
	}
	mustCommit(t, l, &scheduler.Batch{Rows: rows})
	if n, err := l.Prune(context.Background(), nowAt(time.Hour), Keep{}); n != gone || err != nil {
		t.Errorf("%d pruned, %v; want %d", n, err, gone)
	}
	left := mustLoad(t, l).Rows
	if len(left) != len(rows)-gone || slices.ContainsFunc(left, func(r scheduler.Row) bool { return r.Gone }) {
		t.Errorf("%d rows left, want %d, and none that is gone", len(left), len(rows)-gone)
	}
}

// TestPruneKeepsAWait: a call that was answered 429 counts while its wait does.
func TestPruneKeepsAWait(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, optionsAt(filepath.Join(t.TempDir(), "curfew.db")))
	mustCommit(t, l, &scheduler.Batch{Claims: claimsFrom(1, 2, quota.Get), Endings: []scheduler.Ending{
		{Claim: 1, Ended: at(time.Hour), Known: true, Wait: 90 * time.Minute}, {Claim: 2, Ended: at(time.Hour), Known: true},
	}})
	for _, c := range []struct {
		at   time.Duration
		left int
	}{{3*time.Hour + 29*time.Minute, 1}, {3*time.Hour + 30*time.Minute, 0}} {
		if _, err := l.Prune(context.Background(), nowAt(c.at), Keep{Uses: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if got := len(mustLoad(t, l).Uses); got != c.left {
			t.Errorf("at %v: %d uses left, want %d", c.at, got, c.left)
		}
	}
}

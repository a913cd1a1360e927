package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// A Store is an open ledger.
type Store interface {
	Commit(context.Context, *scheduler.Batch) error
	Load(context.Context) (scheduler.State, error)
	Mark(claim uint64) error // its call is about to begin
	Close() error
}

// A Disk is where one ledger lives. Open opens it, under the boot of the host
// that boot names, after the Store of an earlier Open was closed. The first
// Open finds nothing.
type Disk interface {
	Open(boot string) (Store, error)
}

// Run runs the suite. disk is called for an empty Disk, many times.
func Run(t *testing.T, disk func() Disk) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *probe)
	}{
		{"a new ledger is empty", testNew},
		{"every field comes back", testEveryField},
		{"a returned claim leaves its number only", testReturned},
		{"a claim stays open until its ending", testOpen},
		{"the end of an unknown claim changes nothing", testStrangeEnding},
		{"a row replaces the one before, within a batch too", testRows},
		{"an override is replaced and expires", testOverrides},
		{"a lesson is taken back", testScopes},
		{"instants of an earlier boot are foreign", testForeign},
		{"a claim is unsent until it is marked", testMarks},
		{"batches of any size", testSizes},
		{"a claim number is used once", testNumbers},
		{"a batch that fails leaves nothing, and is the last", testFailing},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, start(t, disk())) })
	}
	t.Run("made-up batches", rapid.MakeCheck(func(t *rapid.T) { testMadeUp(t, start(t, disk())) }))
}

// A probe holds a ledger against what Apply says of it.
type probe struct {
	disk  Disk
	store Store
	boots int
	want  scheduler.State
}

func start(t rapid.TB, disk Disk) *probe {
	p := &probe{disk: disk, boots: 1}
	p.open(t)
	return p
}

func (p *probe) open(t rapid.TB) {
	t.Helper()
	s, err := p.disk.Open(fmt.Sprintf("boot-%d", p.boots))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	p.store = s
}

func (p *probe) close(t rapid.TB) {
	t.Helper()
	if err := p.store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

func (p *probe) reopen(t rapid.TB) {
	t.Helper()
	p.close(t)
	p.open(t)
}

func (p *probe) reboot(t rapid.TB) {
	t.Helper()
	p.boots++
	p.reopen(t)
	Reboot(&p.want)
}

// commit commits b, which the ledger must take.
func (p *probe) commit(t rapid.TB, b scheduler.Batch) {
	t.Helper()
	Apply(&p.want, &b)
	if err := p.store.Commit(context.Background(), &b); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// check compares what the ledger holds with what it must hold.
func (p *probe) check(t rapid.TB) {
	t.Helper()
	got, err := p.store.Load(context.Background())
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	if diff := cmp.Diff(sorted(p.want), sorted(got), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("the ledger differs from what was committed (- want, + got):\n%s", diff)
	}
}

// checkBoth checks now, and again after the ledger was closed and opened.
func (p *probe) checkBoth(t rapid.TB) {
	t.Helper()
	p.check(t)
	p.reopen(t)
	p.check(t)
}

func testNew(t *testing.T, p *probe) { p.checkBoth(t); p.close(t) }

func testEveryField(t *testing.T, p *probe) {
	claim, ending := filled[scheduler.Claim](), filled[scheduler.Ending]()
	ending.Claim, ending.Returned = claim.ID, false
	p.commit(t, scheduler.Batch{
		Rows: []scheduler.Row{filled[scheduler.Row]()}, Claims: []scheduler.Claim{claim}, Endings: []scheduler.Ending{ending},
		Outcomes: []scheduler.Outcome{filled[scheduler.Outcome]()}, Overrides: []policy.Override{filled[policy.Override]()},
		Scopes: []scheduler.LearnedScope{filled[scheduler.LearnedScope]()}, Orders: []uint64{1}, Written: filled[scheduler.Now](),
	})
	p.checkBoth(t)
	p.close(t)
}

func testReturned(t *testing.T, p *probe) {
	p.commit(t, scheduler.Batch{Claims: gets(1, 3)})
	p.commit(t, scheduler.Batch{Endings: []scheduler.Ending{{Claim: 3, Returned: true}, {Claim: 1, Returned: true}}})
	p.commit(t, scheduler.Batch{Claims: gets(4, 1), Endings: []scheduler.Ending{{Claim: 4, Returned: true}}})
	if n := len(p.want.Uses); n != 1 || p.want.LastClaim != 4 {
		t.Fatalf("Apply keeps %d uses up to %d, want 1 up to 4", n, p.want.LastClaim)
	}
	p.checkBoth(t)
	p.close(t)
}

func testOpen(t *testing.T, p *probe) {
	p.commit(t, scheduler.Batch{Claims: gets(1, 3)})
	p.checkBoth(t)
	end := scheduler.Instant{Wall: time.Unix(1_800_000_000, 5), Steady: time.Hour}
	p.commit(t, scheduler.Batch{
		Claims:  gets(4, 1),
		Endings: []scheduler.Ending{{Claim: 2, Ended: end, Known: true}, {Claim: 4, Ended: end}},
	})
	p.checkBoth(t)
	p.close(t)
}

func testStrangeEnding(t *testing.T, p *probe) {
	p.commit(t, scheduler.Batch{Claims: gets(5, 1)})
	p.commit(t, scheduler.Batch{Endings: []scheduler.Ending{{Claim: 3, Known: true}, {Claim: 4, Returned: true}, {Claim: 9}}})
	p.checkBoth(t)
	p.close(t)
}

func testRows(t *testing.T, p *probe) {
	at := time.Unix(1_800_000_000, 0)
	p.commit(t, scheduler.Batch{Rows: []scheduler.Row{{Deployment: "a", Floor: at}, {Deployment: "b", Floor: at}}})
	p.commit(t, scheduler.Batch{Rows: []scheduler.Row{
		{Deployment: "a", Floor: at.Add(1)}, {Deployment: "c", Floor: at}, {Deployment: "a", Floor: at.Add(2), Gone: true},
	}})
	p.checkBoth(t)
	p.close(t)
}

func testOverrides(t *testing.T, p *probe) {
	hold := policy.Override{ID: 1, Deployment: "a", Kind: policy.Hold, Power: policy.Running, Until: time.Unix(1_800_000_000, 0)}
	p.commit(t, scheduler.Batch{Overrides: []policy.Override{hold, {ID: 2, Deployment: "b", Kind: policy.Skip, Count: 2}}})
	hold.Until = hold.Until.Add(-time.Hour)
	p.commit(t, scheduler.Batch{Overrides: []policy.Override{hold, {ID: 3, Deployment: "c"}}, Expired: []uint64{2, 3, 77}})
	p.checkBoth(t)
	p.close(t)
}

func testScopes(t *testing.T, p *probe) {
	p.commit(t, scheduler.Batch{Scopes: []scheduler.LearnedScope{
		{Method: quota.Stop, Scope: quota.Deployment}, {Method: quota.Start, Scope: quota.Key},
	}})
	p.checkBoth(t)
	p.commit(t, scheduler.Batch{Scopes: []scheduler.LearnedScope{
		{Method: quota.Start, Scope: quota.Auto}, {Method: quota.Get, Scope: quota.Deployment}, {Method: quota.Get, Scope: quota.Key},
	}})
	p.checkBoth(t)
	p.close(t)
}

func testForeign(t *testing.T, p *probe) {
	ended := scheduler.Instant{Wall: time.Unix(1_800_000_000, 0), Steady: time.Hour}
	row := scheduler.Row{Deployment: "a", Attempt: scheduler.Attempt{State: scheduler.Doubtful, Ended: ended}}
	p.commit(t, scheduler.Batch{Rows: []scheduler.Row{row, {Deployment: "b"}}, Claims: gets(1, 2)})
	p.checkBoth(t)
	p.reboot(t)
	p.check(t)
	// A row with a foreign instant is written again under the new boot.
	p.commit(t, scheduler.Batch{Rows: slices.Clone(p.want.Rows), Claims: gets(3, 1)})
	p.checkBoth(t)
	p.close(t)
}

func testMarks(t *testing.T, p *probe) {
	mark := func(id uint64) {
		t.Helper()
		Mark(&p.want, id)
		if err := p.store.Mark(id); err != nil {
			t.Fatalf("mark %d: %v", id, err)
		}
	}
	p.commit(t, scheduler.Batch{Claims: gets(1, 4)})
	mark(2)
	mark(3)
	p.commit(t, scheduler.Batch{Endings: []scheduler.Ending{{Claim: 3, Ended: scheduler.Instant{Steady: time.Hour}}}})
	p.checkBoth(t)
	p.reboot(t)
	p.check(t)
	p.commit(t, scheduler.Batch{Claims: gets(5, 2)})
	mark(6)
	p.checkBoth(t)
	p.close(t)
}

func testSizes(t *testing.T, p *probe) {
	next := uint64(1)
	for _, n := range []int{63, 64, 65, 129, 300} {
		b := scheduler.Batch{Claims: gets(next, n)}
		for i := range n {
			b.Rows = append(b.Rows, scheduler.Row{Deployment: policy.DeploymentID(fmt.Sprintf("d%d", i)), Policy: fmt.Sprintf("round %d", n)})
			b.Endings = append(b.Endings, scheduler.Ending{Claim: next + uint64(i), Returned: i%3 == 0, Known: i%2 == 0})
		}
		p.commit(t, b)
		next += uint64(n)
	}
	p.checkBoth(t)
	p.close(t)
}

func testNumbers(t *testing.T, p *probe) {
	p.commit(t, scheduler.Batch{Claims: gets(1, 5)})
	p.commit(t, scheduler.Batch{Endings: []scheduler.Ending{{Claim: 5, Returned: true}}})
	p.reopen(t)
	if err := p.store.Commit(context.Background(), &scheduler.Batch{Claims: gets(5, 1)}); err == nil {
		t.Error("claim 5 was given again after it was returned: no error")
	}
	p.reopen(t)
	p.check(t)
	p.close(t)
}

func testFailing(t *testing.T, p *probe) {
	p.commit(t, scheduler.Batch{Rows: []scheduler.Row{{Deployment: "a", Policy: "old"}}, Claims: gets(1, 2)})
	failing := &scheduler.Batch{
		Rows:      []scheduler.Row{{Deployment: "a", Policy: "new"}, {Deployment: "b"}},
		Claims:    append(gets(3, 100), gets(7, 1)...), // 7 twice
		Endings:   []scheduler.Ending{{Claim: 1, Returned: true}},
		Overrides: []policy.Override{{ID: 1, Deployment: "a"}},
	}
	if err := p.store.Commit(context.Background(), failing); err == nil {
		t.Fatal("a batch with the same claim twice: no error")
	}
	if err := p.store.Commit(context.Background(), &scheduler.Batch{Claims: gets(200, 1)}); err == nil {
		t.Error("a batch after one that failed: no error; what a failed commit left is not known")
	}
	p.reopen(t)
	p.check(t)
	p.commit(t, scheduler.Batch{Claims: gets(3, 1)})
	p.checkBoth(t)
	p.close(t)
}

// testMadeUp commits batches of all kinds, with restarts and reboots between.
func testMadeUp(t *rapid.T, p *probe) {
	defer func() { p.store.Close() }() // a failing check leaves it open
	for range rapid.IntRange(1, 4).Draw(t, "batches") {
		p.commit(t, *generator{t, &p.want}.batch())
		switch rapid.IntRange(0, 3).Draw(t, "then") {
		case 1:
			p.reopen(t)
		case 2:
			p.reboot(t)
		}
		p.check(t)
	}
}

// gets returns n claims of GETs with the numbers from first on.
func gets(first uint64, n int) []scheduler.Claim {
	made := make([]scheduler.Claim, n)
	for i := range made {
		made[i] = scheduler.Claim{
			ID: first + uint64(i), Deployment: "a", Method: quota.Get,
			Made: scheduler.Instant{Wall: time.Unix(1_800_000_000, int64(i)), Steady: time.Minute}, Latest: 2 * time.Minute,
		}
	}
	return made
}

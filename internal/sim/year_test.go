package sim

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/ledger"
	"curfew/internal/raced"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

var days = flag.Int("days", 30, "TestYear lives through so many days")

// TestYear lives through a long time of twenty deployments, as bad as it can be:
// a platform that answers nothing, one that cannot be reached, and a heavy year.
// Nothing may grow with time (I19): what the process holds at the end is what it
// held after a sixth of it.
//
// Where that can be afforded, the batches go into a SQLite ledger as well, which
// is pruned once a day; whenever a process starts, that holds what the simulated
// one does.
//
// It measures the process, so no other test may run beside it.
func TestYear(t *testing.T) {
	raced.Spare(t)
	silent := simplatform.Fault{Methods: simplatform.AnyMethod, Kind: simplatform.HangDropped, For: time.Minute}
	refused := simplatform.Fault{Methods: simplatform.AnyMethod, Kind: simplatform.Refused}
	for _, c := range []struct {
		name    string
		faults  Faults
		outage  []simplatform.Fault
		days    int
		sqlite  bool
		lines   int // in the log, at most so many a deployment and day
		commits int
	}{
		{"nothing answers", NoFaults, []simplatform.Fault{silent}, *days, *days > 30, 30, 300},
		{"nothing can be reached", NoFaults, []simplatform.Fault{refused}, max(3, *days/10), false, 60, 400},
		{"heavy weather", HeavyFaults, nil, *days, true, 60, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := newYear(t, c.faults, c.days, c.sqlite)
			for _, f := range c.outage {
				if err := y.m.world.AddFault(f); err != nil {
					t.Fatal(err)
				}
			}
			early, late := y.live(t, c.days)
			for _, what := range late.more(early) {
				t.Errorf("I19: %s", what)
			}
			n := len(y.weather.ids)
			if y.worst.lines > n*c.lines || y.worst.commits > n*c.commits {
				t.Errorf("I19: %+v on the worst day of %d deployments, want at most %d lines and %d commits for each", y.worst, n, c.lines, c.commits)
			}
			t.Logf("after %d days: %s\nafter %d days: %s\non the worst day %+v; %d processes", early.day, early, late.day, late, y.worst, y.m.life)
		})
	}
}

// A yearbook is the witness of a long simulation: it counts as Simulate does, and
// keeps the real ledger.
type yearbook struct {
	*tally
	t     testing.TB
	m     *machine
	real  *mirror // nil for none
	told  map[string]time.Duration
	today daily
	worst daily // the most of each on any day
}

// daily is what a day of the daemon costs.
type daily struct{ lines, commits int }

// newYear prepares a platform and a daemon for so many days.
func newYear(t *testing.T, faults Faults, days int, sqlite bool) *yearbook {
	t.Helper()
	office := policy.Spec{
		Name: "office", Zone: "Europe/Berlin", Running: []policy.Window{{Expr: "Mon-Fri 08:00-20:00"}},
		Options: policy.Options{StartLead: 10 * time.Minute},
	}
	nightly := ruled("nightly", "America/New_York", "30 7 * * *", "*/20 22 * * *")
	nightly.Options.Enforce = policy.EnforceStopped
	for i := range 10 {
		office.Deployments = append(office.Deployments, policy.Member{ID: policy.DeploymentID(fmt.Sprintf("o%d", i))})
		nightly.Deployments = append(nightly.Deployments, policy.Member{ID: policy.DeploymentID(fmt.Sprintf("n%d", i))})
	}
	span := time.Duration(days) * 24 * time.Hour
	o := &Options{
		Config: configOf(t, office, nightly), From: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), Days: days, Faults: faults, Seed: 1,
	}
	o.Config.ObserveEvery = time.Hour
	y := &yearbook{tally: newTally(o), t: t, told: map[string]time.Duration{}}
	y.m = newMachine(o.From, o.world(), o.Config, y)
	y.watch(y.m, newWeather(y.m, o))
	if sqlite {
		y.real = &mirror{path: filepath.Join(fleeting(t), "curfew.db"), now: y.m.now, keep: ledger.Keep{History: span / 6}}
		t.Cleanup(func() {
			if err := y.real.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	if err := errors.Join(y.weather.begin(span), o.populate(y.m.world, y.weather)); err != nil {
		t.Fatal(err)
	}
	return y
}

// live lets the days pass, and measures after a sixth of them and at the end.
func (y *yearbook) live(t *testing.T, days int) (early, late footing) {
	t.Helper()
	if err := y.m.start(); err != nil {
		t.Fatal(err)
	}
	for day := 1; day <= days; day++ {
		if err := errors.Join(y.m.run(time.Duration(day)*24*time.Hour), y.real.prune()); err != nil {
			t.Fatal(err)
		}
		y.worst = daily{max(y.worst.lines, y.today.lines), max(y.worst.commits, y.today.commits)}
		y.today = daily{}
		if day == max(2, days/6) {
			early = y.measure(t, day)
		}
	}
	return early, y.measure(t, days)
}

func (y *yearbook) began(life int, now scheduler.Now, s scheduler.State) {
	y.tally.began(life, now, s)
	if err := y.real.reopen(s); err != nil {
		y.t.Errorf("I7: process %d: %v", life, err)
	}
}

func (y *yearbook) committed(b *scheduler.Batch) error {
	y.today.commits++
	return errors.Join(y.tally.committed(b), y.real.commit(b))
}

func (y *yearbook) called(c scheduler.Call) error {
	return errors.Join(y.tally.called(c), y.real.mark(c.Claim))
}

// noticed counts the lines that the daemon's log would have: looks have none, and
// an alarm about the same thing, or a call that could not be sent, has one an hour.
func (y *yearbook) noticed(now scheduler.Now, all []scheduler.Notice) error {
	for _, n := range all {
		repeats := ""
		switch n := n.(type) {
		case scheduler.LookEnded, scheduler.Inventory:
			continue
		case scheduler.Alarm:
			repeats = string(n.Kind) + " " + string(n.Deployment)
		case scheduler.CallEnded:
			if n.Verdict == scheduler.NotSent {
				repeats = "not sent " + n.Transition.Power.Action() + " " + string(n.Deployment)
			}
		}
		if last, ok := y.told[repeats]; ok && repeats != "" && now.Steady-last < time.Hour {
			continue
		}
		y.told[repeats] = now.Steady
		y.today.lines++
	}
	return y.tally.noticed(now, all)
}

// A mirror is a SQLite ledger that is given what the simulated one is. A nil one
// is none.
type mirror struct {
	*ledger.Ledger
	path string
	now  func() scheduler.Now
	keep ledger.Keep
}

// fleeting is a directory in memory, where there is one: what an fsync costs is
// not what is measured.
func fleeting(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "curfew-year-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// reopen opens the ledger as a new process does, and holds it against what the
// simulated one gave to its fleet.
func (r *mirror) reopen(want scheduler.State) error {
	if r == nil {
		return nil
	}
	if r.Ledger != nil {
		if err := r.Close(); err != nil {
			return err
		}
	}
	var err error
	r.Ledger, err = ledger.Open(context.Background(), ledger.Options{
		Path: r.path, Account: "default", Endpoint: "https://platform.invalid", Boot: "boot-1", Now: r.now,
	})
	if err != nil {
		return err
	}
	got, err := r.Load(context.Background())
	return errors.Join(err, differences(got, want))
}

// differences compares what two ledgers give to a fleet. Of uses those without an
// ending: the two forget the others at different times.
func differences(got, want scheduler.State) error {
	open := func(s scheduler.State) []scheduler.Use {
		return slices.DeleteFunc(slices.Clone(s.Uses), func(u scheduler.Use) bool { return !u.Open })
	}
	var all []error
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"rows", got.Rows, want.Rows}, {"open claims", open(got), open(want)}, {"overrides", got.Overrides, want.Overrides},
		{"scopes", got.Scopes, want.Scopes}, {"the last claim", got.LastClaim, want.LastClaim},
	} {
		if g, w := fmt.Sprintf("%+v", c.got), fmt.Sprintf("%+v", c.want); g != w {
			all = append(all, fmt.Errorf("%s in SQLite are\n%s\nand in the model\n%s", c.what, g, w))
		}
	}
	return errors.Join(all...)
}

func (r *mirror) commit(b *scheduler.Batch) error {
	if r == nil {
		return nil
	}
	return r.Commit(context.Background(), b)
}

func (r *mirror) mark(claim uint64) error {
	if r == nil {
		return nil
	}
	return r.Mark(claim)
}

func (r *mirror) prune() error {
	if r == nil {
		return nil
	}
	_, err := r.Prune(context.Background(), r.now(), r.keep)
	return err
}

// size is how much of the disk the ledger takes, with its log and its marks.
func (r *mirror) size() (bytes int64) {
	if r == nil {
		return 0
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".sent", ".lock"} {
		if info, err := os.Stat(r.path + suffix); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// A footing is what a process holds on to.
type footing struct {
	day               int
	heap              uint64 // bytes in use
	goroutines, files int
	rows, uses        int // in the ledger
	disk              int64
}

func (f footing) String() string {
	return fmt.Sprintf("heap %d KB, %d goroutines, %d open files, %d rows and %d claims in a ledger of %d KB",
		f.heap>>10, f.goroutines, f.files, f.rows, f.uses, f.disk>>10)
}

func (y *yearbook) measure(t *testing.T, day int) footing {
	t.Helper()
	load := y.m.ledger.Load
	if y.real != nil {
		load = y.real.Load
	}
	s, err := load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := footing{day: day, rows: len(s.Rows), uses: len(s.Uses), disk: y.real.size()}
	s = scheduler.State{}
	runtime.GC()
	runtime.GC() // what the first one found to be finalized
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f.heap, f.goroutines = m.HeapInuse, runtime.NumGoroutine()
	for range 1000 { // a statement's own goroutine ends a little after it
		runtime.Gosched()
		f.goroutines = min(f.goroutines, runtime.NumGoroutine())
	}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		f.files = len(open)
	}
	return f
}

// more says what a process holds more of than it did early on. A fifth more, and
// a little, is by chance: pages that are not full, a burst that was longer than
// those before it.
func (f footing) more(early footing) (all []string) {
	for _, c := range []struct {
		what                string
		early, late, chance int64
	}{
		{"bytes of heap", int64(early.heap), int64(f.heap), 1 << 20},
		{"goroutines", int64(early.goroutines), int64(f.goroutines), 2},
		{"open files", int64(early.files), int64(f.files), 2},
		{"rows", int64(early.rows), int64(f.rows), 0},
		{"claims", int64(early.uses), int64(f.uses), 20 * int64(quota.Methods)},
		{"bytes of ledger", early.disk, f.disk, 256 << 10},
	} {
		if c.late > c.early+c.early/5+c.chance {
			all = append(all, fmt.Sprintf("%d %s after %d days, and %d after %d", c.late, c.what, f.day, c.early, early.day))
		}
	}
	return all
}

// TestMore: what grows is named, and what is as it was is not.
func TestMore(t *testing.T) {
	t.Parallel()
	early := footing{5, 4 << 20, 5, 15, 20, 80, 16 << 20}
	if more := (footing{30, 5 << 20, 6, 16, 20, 100, 17 << 20}).more(early); len(more) > 0 {
		t.Errorf("what came by chance is named: %v", more)
	}
	more := footing{30, 8 << 20, 25, 40, 30, 900, 40 << 20}.more(early)
	for i, what := range []string{"heap", "goroutines", "open files", "rows", "claims", "ledger"} {
		if i >= len(more) || !strings.Contains(more[i], what) {
			t.Errorf("%q is not named in %q", what, more)
		}
	}
}

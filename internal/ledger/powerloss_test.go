package ledger

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"curfew/internal/ledger/ledgertest"
	"curfew/internal/raced"
	"curfew/policy"
	"curfew/scheduler"
)

var deep = flag.Bool("deep", false, "every loss of power and every failing step, not a sample of them: some minutes")

// batches is how many a recorded evening has. The log goes into the ledger
// several times meanwhile, and once more at the end.
const batches = 14

// A recording is what SQLite did to the disk in an evening of commits.
type recording struct {
	before map[string][]byte // the files, all of it on the disk
	ops    []op
	acked  []int             // after so many ops so many batches were acknowledged
	states []scheduler.State // after so many batches
}

// recorded commits batches to a ledger, closes it, and keeps each step.
func recorded(t *testing.T) *recording {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "curfew.db")
	must(t, mustOpen(t, optionsAt(path)).Close())
	r := &recording{before: filesIn(t, dir), states: make([]scheduler.State, 1, batches+1)}
	done := 0
	watchDisk(t, dir, func(o op) fate {
		r.ops, r.acked = append(r.ops, o), append(r.acked, done)
		return fate{}
	})
	var want scheduler.State
	l := mustOpen(t, optionsAt(path))
	must(t, setPragmas(context.Background(), l.conn, "wal_autocheckpoint = 30"))
	for n := range uint64(batches) {
		mustCommit(t, l, batch(n))
		ledgertest.Apply(&want, batch(n))
		done++
		r.states = append(r.states, stateNow(want))
	}
	must(t, l.Close())
	r.acked = append(r.acked, done)
	return r
}

func stateNow(s scheduler.State) scheduler.State {
	s = withoutMarks(s) // they are not of this boot
	s.Rows, s.Overrides = slices.Clone(s.Rows), slices.Clone(s.Overrides)
	return s
}

// filesIn reads a directory.
func filesIn(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		all[e.Name()] = text
	}
	return all
}

// A loss says which steps since the last sync of their file are on the disk when
// the power goes: a disk may have taken any of them, and a part of one.
type loss func(pending []op) []op

// none of what was not synced, or all of it.
func noneTaken([]op) []op    { return nil }
func allTaken(all []op) []op { return all }

// lastTorn takes all, and of the last write a part: whole sectors of it, or any
// bytes.
func lastTorn(dice *rand.Rand) loss {
	return func(all []op) []op {
		all = slices.Clone(all)
		for i, o := range slices.Backward(all) {
			if o.kind == opWrite && len(o.data) > 1 {
				n := 1 + dice.IntN(len(o.data)-1)
				if n > 512 && dice.IntN(2) == 0 {
					n -= n % 512
				}
				all[i].data = o.data[:n]
				break
			}
		}
		return all
	}
}

// someTaken takes any of them, and parts of some.
func someTaken(dice *rand.Rand) loss {
	return func(all []op) (taken []op) {
		for _, o := range all {
			switch dice.IntN(4) {
			case 0: // lost
			case 1:
				if o.kind == opWrite && len(o.data) > 512 {
					from := 512 * dice.IntN(len(o.data)/512)
					o.at, o.data = o.at+int64(from), o.data[from:]
				}
				taken = append(taken, o)
			default:
				taken = append(taken, o)
			}
		}
		return taken
	}
}

// image is what the files hold when the power goes after so many steps.
func (r *recording) image(steps int, l loss) map[string][]byte {
	files := map[string][]byte{}
	for name, text := range r.before {
		files[name] = slices.Clone(text)
	}
	pending := map[string][]op{}
	var order []string // files with something pending, so that a seed means one image
	for _, o := range r.ops[:steps] {
		if o.kind == opSync {
			for _, p := range pending[o.file] {
				apply(files, p)
			}
			pending[o.file] = nil
			continue
		}
		if !slices.Contains(order, o.file) {
			order = append(order, o.file)
		}
		pending[o.file] = append(pending[o.file], o)
	}
	for _, name := range order {
		for _, p := range l(pending[name]) {
			apply(files, p)
		}
	}
	return files
}

// apply carries a step out. What a file has not got up to a write is zero.
func apply(files map[string][]byte, o op) {
	text := files[o.file]
	size := o.at + int64(len(o.data))
	switch o.kind {
	case opDelete:
		delete(files, o.file)
		return
	case opTruncate:
		if int64(len(text)) > size {
			files[o.file] = text[:size]
			return
		}
	}
	if grow := size - int64(len(text)); grow > 0 {
		text = append(text, make([]byte, grow)...)
	}
	copy(text[o.at:], o.data)
	files[o.file] = text
}

// TestPowerLoss cuts the power after every step of an evening of commits, and
// lets the disk keep all of what was not synced by then, none of it, any of it
// and torn parts of it. The ledger opens, and has every batch that was
// acknowledged, wholly, and of the next one all or nothing.
func TestPowerLoss(t *testing.T) {
	raced.Spare(t)
	t.Parallel()
	r := recorded(t)
	seen := map[uint64]bool{}
	seed := maphash.MakeSeed()
	cuts := 0
	for steps := range len(r.ops) + 1 {
		dice := rand.New(rand.NewPCG(uint64(steps), 7))
		losses := map[string]loss{"none": noneTaken, "all": allTaken, "the last torn": lastTorn(dice)}
		some := 1
		if *deep {
			some = 20
		}
		for i := range some {
			losses[fmt.Sprintf("some (%d)", i)] = someTaken(dice)
		}
		for _, what := range sortedNames(losses) {
			if !*deep && steps%5 != 0 && what != "the last torn" {
				continue
			}
			files := r.image(steps, losses[what])
			if h := hashOf(seed, files); !seen[h] {
				seen[h] = true
				cuts++
				r.survives(t, files, steps, what)
			}
		}
		if t.Failed() {
			return
		}
	}
	if cuts < 100 {
		t.Errorf("only %d different disks", cuts)
	}
	t.Logf("%d steps, %d different disks", len(r.ops), cuts)
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func hashOf(seed maphash.Seed, files map[string][]byte) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, name := range sortedNames(files) {
		fmt.Fprintf(&h, "%s %d ", name, len(files[name]))
		h.Write(files[name])
	}
	return h.Sum64()
}

// survives opens what is left of a ledger and compares it with what was
// acknowledged by then.
func (r *recording) survives(t *testing.T, files map[string][]byte, steps int, what string) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "disk-*")
	must(t, err)
	defer os.RemoveAll(dir)
	for name, text := range files {
		if !strings.HasSuffix(name, ".sent") { // the host was off: marks mean nothing
			must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		}
	}
	hasty(t, dir)
	got, err := loadAt(filepath.Join(dir, "curfew.db"))
	if err != nil {
		t.Errorf("the power went after step %d (%s), %s of the rest was kept: %v", steps, r.step(steps), what, err)
		return
	}
	r.holds(t, got, r.acked[steps], fmt.Sprintf("the power went after step %d (%s), %s of the rest was kept", steps, r.step(steps), what))
}

func (r *recording) step(n int) string {
	if n == 0 {
		return "none"
	}
	return r.ops[n-1].String()
}

// holds compares a state with the one after so many batches, or one more.
func (r *recording) holds(t *testing.T, got scheduler.State, acked int, when string) {
	t.Helper()
	diffs := ""
	for n := acked; n <= min(acked+1, batches); n++ {
		want := r.states[n]
		want.Rows = slices.Clone(want.Rows)
		must(t, order(want.Rows, func(r *scheduler.Row) policy.DeploymentID { return r.Deployment }))
		diff := difference(want, withoutMarks(got))
		if diff == "" {
			return
		}
		diffs += fmt.Sprintf("after %d batches (- want, + got):\n%s", n, diff)
	}
	t.Errorf("%s: %d batches were acknowledged, and the ledger has neither those nor one more\n%.4000s", when, acked, diffs)
}

// hasty lets syncs in a directory be nothing: nobody cuts the power of that one.
func hasty(t *testing.T, dir string) {
	watchDisk(t, dir, func(o op) fate { return fate{skip: o.kind == opSync} })
}

// A failure is a way in which a step of the disk can fail.
type failure struct {
	name  string
	of    opKind
	fate  fate
	want  error // what the commit says of it; nil: any reason
	times int   // so many steps of the kind fail, 0 for all that follow
}

func failures() []failure {
	return []failure{
		{"a write fails", opWrite, fate{code: sqlite3.SQLITE_IOERR_WRITE}, ErrDisk, 1},
		{"a write fails after a part of it", opWrite, fate{code: sqlite3.SQLITE_IOERR_WRITE, prefix: 700}, ErrDisk, 1},
		{"the disk is full", opWrite, fate{code: sqlite3.SQLITE_FULL, prefix: 512}, ErrFull, 0},
		{"a sync fails, and never again", opSync, fate{code: sqlite3.SQLITE_IOERR_FSYNC}, ErrDisk, 1},
		{"syncs fail from now on", opSync, fate{code: sqlite3.SQLITE_IOERR_FSYNC}, ErrDisk, 0},
		{"it is mounted read-only", opWrite, fate{code: sqlite3.SQLITE_IOERR_WRITE}, ErrDisk, 0},
		{"a truncation fails", opTruncate, fate{code: sqlite3.SQLITE_IOERR_TRUNCATE}, nil, 1},
		{"a deletion fails", opDelete, fate{code: sqlite3.SQLITE_IOERR_DELETE}, nil, 1},
	}
}

// TestFailingDisk lets every step of the disk fail once, in every way that it
// can. The commit that meets it fails and says why, no commit follows it in that
// process, and the next process has what was acknowledged.
func TestFailingDisk(t *testing.T) {
	raced.Spare(t)
	t.Parallel()
	r := recorded(t)
	for _, f := range failures() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			for _, o := range r.ops {
				if o.kind == f.of {
					n++
				}
			}
			failed := 0
			for k := 1; k <= n; k++ {
				if !*deep && n > 40 && k%10 != 0 {
					continue
				}
				if r.fails(t, f, k) {
					failed++
				}
			}
			if failed == 0 && f.want != nil {
				t.Errorf("of %d steps that failed, none was met by a commit", n)
			}
			t.Logf("%d steps, %d commits failed", n, failed)
		})
	}
}

// fails lets the k-th step of a kind fail, and reports whether a commit met it:
// one that a checkpoint meets is made up for by the next.
func (r *recording) fails(t *testing.T, f failure, k int) bool {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "disk-*")
	must(t, err)
	defer os.RemoveAll(dir)
	for name, text := range r.before {
		must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	met := 0
	watchDisk(t, dir, func(o op) fate {
		if o.kind == f.of {
			if met++; met >= k && (f.times == 0 || met < k+f.times) {
				return f.fate
			}
		}
		return fate{skip: o.kind == opSync}
	})
	path := filepath.Join(dir, "curfew.db")
	acked, failed := r.commits(t, f, k, path)
	hasty(t, dir)
	got, err := loadAt(path)
	if err != nil {
		t.Errorf("%s (%d): the next process: %v", f.name, k, err)
		return failed
	}
	r.holds(t, got, acked, fmt.Sprintf("%s (%d)", f.name, k))
	return failed
}

// commits opens the ledger and commits until a commit fails.
func (r *recording) commits(t *testing.T, f failure, k int, path string) (acked int, failed bool) {
	l, err := Open(context.Background(), optionsAt(path))
	if err != nil {
		return 0, false // it does not start
	}
	defer l.Close() // whatever it says: the disk is broken
	must(t, setPragmas(context.Background(), l.conn, "wal_autocheckpoint = 30"))
	for n := range uint64(batches) {
		err := l.Commit(context.Background(), batch(n))
		if err == nil {
			acked++
			continue
		}
		if f.want != nil && !errors.Is(err, f.want) {
			t.Errorf("%s (%d): the commit says %v, want %v", f.name, k, err, f.want)
		}
		if again := l.Commit(context.Background(), batch(n)); !errors.Is(again, ErrFailed) {
			t.Errorf("%s (%d): the next commit says %v, want %v", f.name, k, again, ErrFailed)
		}
		return acked, true
	}
	return acked, false
}

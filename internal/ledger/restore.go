package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// resultRestored is the result of what Restore writes in the place of the calls
// that nobody knows of any more.
const resultRestored = "restored"

// looksFirst is how much longer starts and stops wait than looks: by then two
// looks have told of most deployments that nothing is left to do. looksASecond is
// the pace at which a Fleet looks at many.
const (
	looksFirst   = 5 * time.Minute
	looksASecond = 50
)

// A Restoration says which backup takes the place of a ledger.
type Restoration struct {
	From    string // the backup; a copy of a ledger with its -wal will do
	Options        // of the ledger that it becomes. Wait is not asked: a ledger that is held is a Refusal
	Quotas  [quota.Methods]quota.Limit
	// Deployments are those of the file. They and those of the backup get no call
	// before every quota is certainly free again.
	Deployments []policy.DeploymentID
	Copy        // Replace is not asked

	// Agree is told what is about to happen, once the backup was found whole and
	// while the ledger is locked. Its error is the end, with nothing changed.
	Agree func(*Restored) error
}

// Restored says what a restoration does, or did.
type Restored struct {
	Backup  *Findings // whole, but for its history perhaps
	InPlace *Findings // what was there before; nil where nothing was
	Aside   string    // where that is kept now, with its -wal, -shm and marks under the same name; empty where nothing was
	At      time.Time // wall clock: all quotas count as used up at this instant
	// Waits are how long after At the first call of each method leaves at the
	// earliest.
	Waits       [quota.Methods]time.Duration
	Deployments int // that wait so
}

// Restore puts a backup in the place of the ledger at o.Path, which no process may
// hold. The backup is examined first. What is there is kept, whatever state it is
// in. A crash, or a disk that fails, leaves what was there, or an empty file, which
// no daemon takes for a ledger, with what was there beside it, or the
// restored ledger: never a mixture, and never nothing.
//
// Nobody knows what was called after the backup was written, by whoever held the
// ledger until now. So the restored one says that the quotas of every deployment were
// used up just now: a daemon that starts makes no call before they are free again
// whatever was called. What else was forgotten cannot be had back: what was settled,
// and what people ordered.
func Restore(ctx context.Context, o Restoration) (*Restored, error) {
	err := o.check()
	if err != nil {
		return nil, err
	}
	if o.Path, err = resolve(o.Path); err != nil {
		return nil, refuse(o.Path, err)
	}
	held, err := acquire(ctx, o.Path, o.Release, nil)
	if err != nil {
		return nil, refuse(o.Path, err)
	}
	done, err := o.restore(ctx)
	if err = errors.Join(advised(err), held.release()); err != nil {
		return nil, fmt.Errorf("restore ledger %s from %s: %w", o.Path, o.From, err)
	}
	return done, nil
}

// restore does what is left once the lock is held.
func (o *Restoration) restore(ctx context.Context) (*Restored, error) {
	if err := keepOwner(o.Path+".lock", o.Path); err != nil {
		return nil, err
	}
	done, err := o.plan(ctx)
	if err != nil {
		return nil, err
	}
	if o.Agree != nil {
		if err := o.Agree(done); err != nil {
			return nil, err
		}
	}
	d, err := newDraft(o.Path)
	if err != nil {
		return nil, err
	}
	if err := o.fill(ctx, d, done); err != nil {
		return nil, errors.Join(err, d.discard())
	}
	return done, errors.Join(done.put(d, o.Path), d.discard())
}

// plan looks at the backup and at what is in place. What is wrong with the latter
// is no reason to stop.
func (o *Restoration) plan(ctx context.Context) (*Restored, error) {
	if same(o.From, o.Path) {
		return nil, errOwn
	}
	s := o.source()
	found, err := Examine(ctx, s)
	if err != nil {
		return nil, err
	}
	found.Path = o.From
	older := found.Refused != nil && found.Refused.Reason == ErrOlder // the draft is brought up to date
	if err := found.unsound(); err != nil && !older {
		return nil, err
	}
	done := &Restored{Backup: found, At: o.Now().Wall}
	if done.InPlace, err = o.inPlace(ctx); err != nil || done.InPlace == nil {
		return done, err
	}
	done.Aside, err = aside(o.Path, done.At)
	return done, err
}

func (o *Restoration) source() Source {
	return Source{Path: o.From, Account: o.Account, Endpoint: o.Endpoint, Boot: o.Boot}
}

// inPlace examines what is in place; nil where there is nothing.
func (o *Restoration) inPlace(ctx context.Context) (*Findings, error) {
	there := false
	for _, end := range ends() {
		is, err := isThere(o.Path + end)
		if err != nil {
			return nil, err
		}
		there = there || is
	}
	if !there {
		return nil, nil
	}
	s := o.source()
	s.Path, s.Anyones = o.Path, true
	f, err := Examine(ctx, s)
	if ctx.Err() == nil && err != nil { // that it cannot even be examined is what is wrong with it
		f = &Findings{Path: o.Path, Refused: &Refusal{Path: o.Path, Reason: ErrDamaged, Cause: err}}
		err = nil
	}
	return f, err
}

// ends are those of the names of the files that make up a ledger; the lock is
// not one of them.
func ends() []string { return []string{"", "-wal", "-shm", ".sent"} }

// aside is a name for what was in place, which nothing has.
func aside(path string, at time.Time) (string, error) {
	const most = 100
	name := path + ".before-" + at.UTC().Format("20060102T150405Z")
	for n := range most {
		try := name
		if n > 0 {
			try = fmt.Sprintf("%s-%d", name, n+1)
		}
		is := false
		for _, end := range ends() {
			there, err := isThere(try + end)
			if err != nil {
				return "", err
			}
			is = is || there
		}
		if !is {
			return try, nil
		}
	}
	return "", fmt.Errorf("%s is there, and so are %d more of that name", name, most-1)
}

// fill makes the draft the ledger that it will be: the backup, brought to this
// release's schema, with all quotas used up.
func (o *Restoration) fill(ctx context.Context, d draft, done *Restored) error {
	copying := func(r *Reader) error {
		if err := os.Truncate(string(d), 0); err != nil { // by the picture before, if there was one
			return err
		}
		return r.copyTo(ctx, string(d), o.Progress)
	}
	if err := read(ctx, o.source(), func(*Reader) error { return nil }, copying); err != nil {
		return err
	}
	db, conn, err := connect(ctx, string(d))
	if err != nil {
		return err
	}
	l := newLedger(string(d), o.Options, db, conn)
	if err := errors.Join(o.useUp(ctx, l, done), l.disconnect(), d.alone()); err != nil {
		return err
	}
	if _, err = d.examined(ctx, o.source()); err != nil {
		return err
	}
	return keepOwner(string(d), o.Path)
}

// useUp writes a call of each method to each deployment that ended just now, after
// which none like it may be made for as long as a quota could be used up: what the
// platform says with a 429 is what is not known here.
func (o *Restoration) useUp(ctx context.Context, l *Ledger, done *Restored) error {
	if err := l.begin(ctx); err != nil {
		return err
	}
	p := picture{querier: l.conn, account: o.Account, boot: l.boot, lastClaim: l.lastClaim}
	s, err := p.load(ctx)
	if err != nil {
		return err
	}
	now := o.Now()
	all := o.everyone(s)
	done.At, done.Deployments = now.Wall, len(all)-1 // the list of all is none
	done.Waits = waits(o.Quotas, done.Deployments)
	at := scheduler.Instant{Wall: now.Wall, Steady: now.Steady}
	var b scheduler.Batch
	for _, id := range all {
		for m := range quota.Method(quota.Methods) {
			n := l.lastClaim + uint64(len(b.Claims)) + 1
			b.Claims = append(b.Claims, scheduler.Claim{ID: n, Deployment: id, Method: m, Made: at, Latest: at.Steady})
			b.Endings = append(b.Endings, scheduler.Ending{Claim: n, Ended: at, Result: resultRestored, Wait: done.Waits[m]})
		}
	}
	if err := l.Commit(ctx, &b); err != nil {
		return err
	}
	return foldLog(ctx, l.conn)
}

// alone makes sure that the draft has no log, which would not come along. SQLite
// says nothing where it cannot fold one in as it closes.
func (d draft) alone() error {
	there, err := isThere(string(d) + "-wal")
	if there {
		err = errors.New("its log is left, and SQLite does not say why")
	}
	return err
}

// everyone are the deployments that may have been called: the file's, and those
// that the backup knows in any way. The one without a name is the list of all.
func (o *Restoration) everyone(s scheduler.State) []policy.DeploymentID {
	seen := map[policy.DeploymentID]bool{}
	all := []policy.DeploymentID{""}
	add := func(id policy.DeploymentID) {
		if id != "" && !seen[id] {
			seen[id] = true
			all = append(all, id)
		}
	}
	for i := range s.Rows {
		add(s.Rows[i].Deployment)
	}
	for i := range s.Uses {
		add(s.Uses[i].Deployment)
	}
	for _, id := range o.Deployments {
		add(id)
	}
	return all
}

// waits is how long after now the last call that anybody may have made counts: its
// window, and the margin of a call of which nobody knows when the platform counted
// it. Starts and stops leave looks the time to tell what is done already.
func waits(quotas [quota.Methods]quota.Limit, deployments int) (w [quota.Methods]time.Duration) {
	for m, lim := range quotas {
		w[m] = lim.Per + lim.UnknownMargin()
	}
	looked := w[quota.Get] + looksFirst + time.Duration(deployments)*time.Second/looksASecond
	w[quota.Start], w[quota.Stop] = max(w[quota.Start], looked), max(w[quota.Stop], looked)
	return w
}

// put lets the draft take the place of what is there.
func (r *Restored) put(d draft, path string) error {
	for _, step := range r.steps(d, path) {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// steps are those of put. A new file must never lie beside the log of the old one,
// which SQLite would take for its own, and an absent one would be a new ledger. So an
// empty file, which is neither, stands there in between; and each step is on the
// disk before the next.
func (r *Restored) steps(d draft, path string) []func() error {
	synced := func(do func() error) func() error {
		return func() error {
			if err := do(); err != nil {
				return err
			}
			return syncDirectory(filepath.Dir(path))
		}
	}
	last := synced(func() error { return os.Rename(string(d), path) })
	if r.Aside == "" {
		return []func() error{last}
	}
	return []func() error{
		synced(func() error { return keep(path, r.Aside) }),
		synced(func() error { return empty(path) }),
		synced(func() error { return removeBeside(path) }),
		last,
	}
}

// keep gives all files of a ledger another name beside their own: a link takes
// nothing away, and reads nothing of a disk that fails.
func keep(path, aside string) error {
	for _, end := range ends() {
		if err := ignoreAbsent(os.Link(path+end, aside+end)); err != nil {
			return fmt.Errorf("%w (if its file system knows no links, move it and its -wal and -shm files away yourself, and restore again)", err)
		}
	}
	return nil
}

// empty puts an empty file in the place of a ledger, in one step.
func empty(path string) error {
	d, err := newDraft(path)
	if err != nil {
		return err
	}
	if err := errors.Join(keepOwner(string(d), path), os.Rename(string(d), path)); err != nil {
		return errors.Join(err, d.discard())
	}
	return nil
}

func removeBeside(path string) error {
	var errs []error
	for _, end := range ends()[1:] {
		errs = append(errs, ignoreAbsent(os.Remove(path+end)))
	}
	return errors.Join(errs...)
}

// keepOwner gives a file that root made to whom the ledger belongs, or else its
// directory: the daemon mostly runs as somebody else.
func keepOwner(file, ledger string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(ledger)
	if err != nil {
		if info, err = os.Stat(filepath.Dir(ledger)); err != nil {
			return err
		}
	}
	if of, ok := info.Sys().(*syscall.Stat_t); ok {
		return os.Chown(file, int(of.Uid), int(of.Gid))
	}
	return nil
}

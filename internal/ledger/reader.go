package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"curfew/scheduler"
)

// A Source says which ledger to read, and whose it should be.
type Source struct {
	Path     string // of the file; symbolic links are followed
	Account  string // name of the account that it is for
	Endpoint string // of that account's API, written as for Options
	Boot     string // the kernel's boot id: steady instants of another one come back foreign
	Anyones  bool   // whoever's it is: Account and Endpoint are not asked
}

func (s Source) check() error {
	needs := []struct{ name, value string }{{"path", s.Path}, {"boot id", s.Boot}}
	if !s.Anyones {
		needs = append(needs, []struct{ name, value string }{{"account", s.Account}, {"endpoint", s.Endpoint}}...)
	}
	for _, need := range needs {
		if need.value == "" {
			return fmt.Errorf("read ledger %s: no %s given", s.Path, need.name)
		}
	}
	return nil
}

// A Reader is one unchanging picture of a ledger. It holds until the function that
// Read gave it to returns.
type Reader struct {
	path    string
	conn    *sql.Conn // on which picture's transaction is
	schema  int       // its version
	held    string    // who has the ledger open, empty where nobody has
	inUse   bool      // a process has it open
	picture picture
}

// Read has ask look into the ledger at s.Path, beside a running daemon or without
// one, and returns what ask does. It takes no lock that a daemon waits for, and
// neither writes a byte nor leaves a file: what needs writing, a migration or the
// end of a crash, is left to Open. What Open would not trust is a *Refusal here
// too, and so is a file that is not there.
//
// Where a daemon came or went in the middle of it, ask is called again with a new
// picture, and only the last one counts. Call Read in no process that has the
// same ledger open: use Load, Outcomes and Posts there.
func Read(ctx context.Context, s Source, ask func(*Reader) error) error {
	return read(ctx, s, func(r *Reader) error { return r.begin(ctx, s) }, ask)
}

// read is Read, where begin judges what was found before ask is called.
func read(ctx context.Context, s Source, begin, ask func(*Reader) error) error {
	if err := s.check(); err != nil {
		return err
	}
	path, err := resolve(s.Path)
	if err != nil {
		return unreadable(s.Path, err)
	}
	var answer error
	err = untilStill(ctx, func() error {
		return readOnce(ctx, path, begin, func(r *Reader) { answer = ask(r) })
	})
	if err != nil {
		return unreadable(path, err)
	}
	return answer
}

// errMoved says that a daemon opened or closed the ledger while it was read.
var errMoved = errors.New("a daemon opened or closed it meanwhile")

// untilStill repeats read where a daemon got in between. It does so once or twice
// in a life; a daemon that its supervisor restarts for ever must not keep it
// for ever.
func untilStill(ctx context.Context, read func() error) error {
	const most, pause = 40, 50 * time.Millisecond
	for range most {
		err := read()
		if !errors.Is(err, errMoved) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	return ErrBusy
}

// unreadable is refuse for somebody who only reads.
func unreadable(path string, err error) error {
	var r *Refusal
	switch {
	case errors.Is(err, ErrBusy):
		return &Refusal{Path: path, Reason: ErrBusy}
	case errors.As(refuse(path, err), &r) && r.Reason == ErrPermission:
		return &Refusal{Path: path, Reason: ErrUnreadable, Cause: r.Cause}
	case errors.As(err, &r) && r.Reason == ErrNoDirectory:
		return &Refusal{Path: path, Reason: ErrAbsent}
	}
	return refuse(path, err)
}

// readOnce reads the ledger as it is found: at work, left by a crash, or closed in
// good order. errMoved says that it did not stay so.
func readOnce(ctx context.Context, path string, begin func(*Reader) error, ask func(*Reader)) (err error) {
	present, err := inspect(path, os.O_RDONLY)
	if err == nil && !present {
		err = &Refusal{Path: path, Reason: ErrAbsent}
	}
	if err != nil {
		return err
	}
	kept, err := keepLog(path)
	if err != nil {
		return err
	}
	// Closed last: it would take SQLite's own locks along.
	defer func() { err = errors.Join(err, kept.Close()) }()
	found, err := finding(path)
	if err != nil {
		return err
	}
	open, query, done, err := found.way()
	if err != nil {
		return err
	}
	r := &Reader{path: path, held: found.holder(), inUse: found.atWork}
	err = r.look(ctx, location(open, query), begin, ask)
	if stayed, why := found.stayed(); why != nil || !stayed {
		err = errors.Join(errMoved, why)
	}
	return errors.Join(err, done())
}

// look opens the file for reading, has begin make sure that it is what it should
// be, and ask look at it, all in one transaction.
func (r *Reader) look(ctx context.Context, uri string, begin func(*Reader) error, ask func(*Reader)) (err error) {
	db, err := sql.Open("sqlite", uri)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if r.conn, err = db.Conn(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.conn.Close()) }()
	if err := setPragmas(ctx, r.conn, "busy_timeout = 10000"); err != nil {
		return err
	}
	tx, err := r.conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	r.picture.querier = tx
	defer func() { err = errors.Join(err, rolledBack(tx), r.picture.marks.close()) }()
	if err := begin(r); err != nil {
		return err
	}
	ask(r)
	return nil
}

// rolledBack ends a transaction that only read. Where its context has ended,
// database/sql has done so already.
func rolledBack(tx *sql.Tx) error {
	if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// begin judges the file as a Ledger's begin does, and changes nothing.
func (r *Reader) begin(ctx context.Context, s Source) error {
	if err := r.identify(ctx); err != nil {
		return err
	}
	return r.judge(ctx, s)
}

// identify makes sure that it is a ledger of this release's schema.
func (r *Reader) identify(ctx context.Context) error {
	steps, err := steps()
	if err != nil {
		return err
	}
	if r.schema, err = identify(ctx, r.picture, r.path, len(steps)); err != nil {
		return err
	}
	if r.schema < len(steps) {
		return &Refusal{r.path, ErrOlder, fmt.Errorf("schema %d, and this release reads %d", r.schema, len(steps))}
	}
	return nil
}

// judge makes sure that what a daemon needs is whole, and whose it is.
func (r *Reader) judge(ctx context.Context, s Source) error {
	err := checkPages(ctx, r.picture, r.path)
	if err != nil {
		return err
	}
	if s.Anyones {
		if s.Account, s.Endpoint, err = owner(ctx, r.picture); err != nil {
			return err
		}
	}
	r.picture.account = s.Account
	if r.picture.lastClaim, err = readAccount(ctx, r.picture, r.path, s.Account, s.Endpoint); err != nil {
		return err
	}
	r.picture.boot, _, err = findBoot(ctx, r.picture, s.Account, s.Boot)
	r.picture.marks = readableMarks(r.path, Options{Account: s.Account, Endpoint: s.Endpoint, Boot: s.Boot})
	return err
}

// owner returns the account that a ledger says it is for. Where there are several,
// readAccount has more to say about it.
func owner(ctx context.Context, q querier) (account, endpoint string, err error) {
	err = each(ctx, q, foreignBoot, accounts(), "", nil, func(r *row) error {
		account, endpoint = r.text(), r.text()
		return nil
	})
	return account, endpoint, err
}

// Load returns what a daemon that starts now would, but for what it would write
// at once; see Ledger.Load.
func (r *Reader) Load(ctx context.Context) (scheduler.State, error) {
	s, err := r.picture.load(ctx)
	if err != nil {
		return scheduler.State{}, unreadable(r.path, err)
	}
	return s, nil
}

// Outcomes returns how transitions ended, the latest first; see Ledger.Outcomes.
func (r *Reader) Outcomes(ctx context.Context, f Filter) ([]scheduler.Outcome, error) {
	found, err := r.picture.outcomes(ctx, f)
	return found, r.explained(err)
}

// Posts returns the starts and stops that were claimed, the latest first; see
// Ledger.Posts.
func (r *Reader) Posts(ctx context.Context, f Filter) ([]Post, error) {
	found, err := r.picture.posts(ctx, f)
	return found, r.explained(err)
}

// Begins returns the wall instant of the oldest entry that the history still
// has, of any deployment; zero where it has none. What happened before is either
// pruned or older than the ledger.
func (r *Reader) Begins(ctx context.Context) (time.Time, error) {
	first, args := " WHERE account = $1 ORDER BY %s LIMIT 1", []any{r.picture.account}
	ends, err := list(ctx, r.picture, r.picture.boot, outcomes(), fmt.Sprintf(first, "outcome"), args, decodeOutcome)
	if err != nil {
		return time.Time{}, r.explained(err)
	}
	calls, err := list(ctx, r.picture, r.picture.boot, attempts(), fmt.Sprintf(first, "claim"), args, decodePost)
	var oldest time.Time
	for _, o := range ends {
		oldest = o.Settled
	}
	for _, p := range calls {
		if at := p.Claim.Made.Wall; oldest.IsZero() || !at.IsZero() && at.Before(oldest) {
			oldest = at
		}
	}
	return oldest, r.explained(err)
}

// InUse reports whether a process has the ledger open, as a daemon at work has for
// as long as it lives; another copy of the file is another ledger. Where that
// cannot be told, known is false: on other systems than Linux.
func (r *Reader) InUse() (yes, known bool) { return r.inUse, tellsUse }

func (r *Reader) explained(err error) error {
	if err != nil {
		err = fmt.Errorf("read history of ledger %s: %w", r.path, explained(err))
	}
	return err
}

// A layout is how a ledger lay there before it was opened: the way to open it
// follows from that, and whether what was read may be believed.
type layout struct {
	path     string
	log, shm bool // whether its -wal and -shm are there
	atWork   bool // a process has it open
	sizes    [2]state
}

// A state is what a writer changes of a file.
type state struct {
	size    int64
	changed time.Time
}

func finding(path string) (f layout, err error) {
	f.path = path
	if f.log, err = isThere(path + "-wal"); err != nil {
		return f, err
	}
	if f.shm, err = isThere(path + "-shm"); err != nil {
		return f, err
	}
	f.atWork = f.shm && connected(path+"-shm")
	f.sizes, err = f.states()
	return f, err
}

// holder returns who has the ledger open, for people; empty where nobody has.
func (f *layout) holder() string {
	if !f.atWork {
		return ""
	}
	return holding(f.path)
}

func isThere(path string) (bool, error) {
	_, err := os.Stat(path)
	return err == nil, ignoreAbsent(err)
}

func (f *layout) states() (s [2]state, err error) {
	for i, name := range [...]string{f.path, f.path + "-wal"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return s, err
		}
		s[i] = state{info.Size(), info.ModTime()}
	}
	return s, nil
}

// way is where to open the ledger so that SQLite writes nothing beside it. Left
// to itself it makes a -wal and a -shm, which belong to whoever asked and may
// then keep the daemon out.
//
// With both there, of a daemon at work or one that was killed, it can do without
// writing either. With a log alone, as in a copy, it needs a -shm: it gets one
// beside another copy. Without a log there is one file, and nothing else to read.
func (f *layout) way() (path, query string, done func() error, err error) {
	nothing := func() error { return nil }
	switch {
	case f.log && f.shm:
		return f.path, "mode=ro&readonly_shm=1", nothing, nil
	case f.log:
		dir, err := copied(f.path, "-wal")
		if err != nil {
			return "", "", nothing, errors.Join(err, os.RemoveAll(dir))
		}
		return filepath.Join(dir, "ledger"), "mode=ro", func() error { return os.RemoveAll(dir) }, nil
	}
	return f.path, "mode=ro&immutable=1", nothing, nil
}

// stayed reports whether what was read since f was found may be believed. A daemon
// at work does not matter: SQLite's locks are between it and us. One that came
// meanwhile does, since nothing tells SQLite of it.
func (f *layout) stayed() (bool, error) {
	if f.atWork {
		return true, nil
	}
	now, err := finding(f.path)
	return err == nil && now == *f, err
}

// copied copies the ledger and one file beside it into a new directory that only
// this user can read.
func copied(path, beside string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "curfew-ledger-"); err != nil {
		return "", err
	}
	for _, end := range [...]string{"", beside} {
		if err := duplicate(filepath.Join(dir, "ledger"+end), path+end); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

func duplicate(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

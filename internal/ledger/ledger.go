package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"

	"curfew/scheduler"
)

// Options say which ledger to open, and for whom.
type Options struct {
	Path     string               // of the file; symbolic links are followed
	Account  string               // name of the account that it is for
	Endpoint string               // of that account's API, written as the caller always writes it
	Boot     string               // the kernel's boot id, under which steady instants are read
	Release  string               // of this program, for the people who read the lock file
	Now      func() scheduler.Now // reads both clocks; asked once the lock is held

	// Wait is told who holds the ledger, once, where another process does; Open
	// then waits for it until its context ends. A nil Wait refuses instead.
	Wait func(holder string)
}

func (o Options) check() error {
	for _, need := range []struct{ name, value string }{
		{"path", o.Path}, {"account", o.Account}, {"endpoint", o.Endpoint}, {"boot id", o.Boot},
	} {
		if need.value == "" {
			return fmt.Errorf("open ledger %s: no %s given", o.Path, need.name)
		}
	}
	if o.Now == nil {
		return fmt.Errorf("open ledger %s: no clocks given", o.Path)
	}
	return nil
}

// A Ledger is the durable record of one account, held by this process alone
// until Close. Its methods may be called from several goroutines; they take
// turns.
type Ledger struct {
	path    string
	options Options
	lock    *lock
	db      *sql.DB
	readers *sql.DB // of the history; connects when it is first asked
	boot    int64   // this boot's number
	marks   *marks  // nil where there can be none
	opened  scheduler.Now

	mu        sync.Mutex // guards what follows, and the use of conn
	conn      *sql.Conn
	prepared  map[string]*sql.Stmt
	record    record
	inherited uint64 // the highest claim number of earlier runs
	lastClaim uint64 // the highest claim number in any batch
	outcomes  uint64 // the number of the last outcome
	failed    error  // why nothing can be written any more
}

func newLedger(path string, o Options, db *sql.DB, conn *sql.Conn) *Ledger {
	return &Ledger{path: path, options: o, db: db, conn: conn, opened: o.Now(), prepared: map[string]*sql.Stmt{}}
}

// Open locks the ledger at o.Path and opens it, or makes a new one where there
// is none. Whatever cannot be trusted is a *Refusal, and never read as new: an
// empty, torn or foreign file, one of a newer release or of another account. A
// ledger of an older release is brought to this one's schema.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	path, err := resolve(o.Path)
	if err != nil {
		return nil, refuse(o.Path, err)
	}
	held, err := acquire(ctx, path, o.Release, o.Wait)
	if err != nil {
		return nil, refuse(path, err)
	}
	l, err := open(ctx, path, o)
	if err != nil {
		return nil, refuse(path, errors.Join(err, held.release()))
	}
	l.lock = held
	return l, nil
}

// open does what is left once the lock is held: two daemons that start at once on
// an empty directory must not both make a ledger.
func open(ctx context.Context, path string, o Options) (*Ledger, error) {
	present, err := inspect(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if !present {
		if err := create(ctx, path, o); err != nil {
			return nil, err
		}
	}
	db, conn, err := connect(ctx, path)
	if err != nil {
		return nil, err
	}
	l := newLedger(path, o, db, conn)
	if err := l.begin(ctx); err != nil {
		return nil, errors.Join(err, l.disconnect())
	}
	if l.readers, err = sql.Open("sqlite", location(path, "mode=ro")); err != nil {
		return nil, errors.Join(err, l.disconnect())
	}
	// Without marks a killed process may waste a permit, never exceed one: a
	// file system that has no room for them is no reason not to start.
	// Old ones must go then: this run's claims are not in them.
	if l.marks, err = openMarks(path, o, l.lastClaim); err != nil {
		if gone := os.Remove(markPath(path)); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			return nil, errors.Join(fmt.Errorf("use %s: %w", markPath(path), err), l.disconnect(), l.readers.Close())
		}
	}
	return l, nil
}

// begin judges whose file it is before anything is written to it, and whether it
// is whole before anything is read from it.
func (l *Ledger) begin(ctx context.Context) error {
	steps, err := steps()
	if err != nil {
		return err
	}
	version, err := identify(ctx, l.conn, l.path, len(steps))
	if err != nil {
		return err
	}
	if err := tune(ctx, l.conn, l.path); err != nil {
		return err
	}
	if err := migrate(ctx, l.conn, version, steps); err != nil {
		return err
	}
	if err := checkPages(ctx, l.conn, l.path); err != nil {
		return err
	}
	if err := l.readAccount(ctx); err != nil {
		return err
	}
	return l.enterBoot(ctx)
}

// readAccount makes sure whose ledger it is, and takes up its counts.
func (l *Ledger) readAccount(ctx context.Context) error {
	last, err := readAccount(ctx, l.conn, l.path, l.options.Account, l.options.Endpoint)
	if err != nil {
		return err
	}
	l.inherited, l.lastClaim = last, last
	var outcomes sql.NullInt64
	err = l.conn.QueryRowContext(ctx, "SELECT max(outcome) FROM outcomes WHERE account = $1", l.options.Account).Scan(&outcomes)
	l.outcomes = uint64(outcomes.Int64)
	return err
}

// readAccount makes sure whose ledger it is, and returns the highest claim number
// ever given. The key of the table has room for several accounts; until one process
// serves several, a row of another one means that somebody named the wrong file,
// or changed the endpoint under a ledger whose floors and claims are another
// platform's.
func readAccount(ctx context.Context, q querier, path, account, endpoint string) (lastClaim uint64, err error) {
	found := 0
	err = each(ctx, q, foreignBoot, accounts(), "", nil, func(r *row) error {
		found++
		name, at := r.text(), r.text()
		lastClaim = r.id()
		if name != account || at != endpoint {
			return &Refusal{path, ErrForeign, fmt.Errorf("account %s at %s, not %s at %s", name, at, account, endpoint)}
		}
		return nil
	})
	if err == nil && found == 0 {
		err = &Refusal{path, ErrDamaged, errors.New("no account in it")}
	}
	return lastClaim, err
}

// enterBoot finds this boot's number, or gives it one. A number takes the place
// of the kernel's 36 letters in every row.
func (l *Ledger) enterBoot(ctx context.Context) error {
	number, newest, err := findBoot(ctx, l.conn, l.options.Account, l.options.Boot)
	if err != nil || number != unknownBoot {
		l.boot = number
		return err
	}
	l.boot = newest + 1
	return l.write(ctx, func() error {
		return put(ctx, l, boots(), false, []string{l.options.Boot}, func(r *record, id *string) {
			r.text(l.options.Account)
			r.number(l.boot)
			r.text(*id)
		})
	})
}

// findBoot returns the number of a boot, unknownBoot where it has none yet, and
// the highest one given.
func findBoot(ctx context.Context, q querier, account, kernelID string) (boot, newest int64, err error) {
	boot = unknownBoot
	err = each(ctx, q, foreignBoot, boots(), " WHERE account = $1", []any{account}, func(r *row) error {
		_, number := r.text(), r.number()
		newest = max(newest, number)
		if r.text() == kernelID {
			boot = number
		}
		return nil
	})
	return boot, newest, err
}

// putAccount writes the account's own row.
func (l *Ledger) putAccount(ctx context.Context, lastClaim uint64) error {
	return put(ctx, l, accounts(), true, []uint64{lastClaim}, func(r *record, last *uint64) {
		r.text(l.options.Account)
		r.text(l.options.Endpoint)
		r.number(int64(*last))
	})
}

// Close gives the ledger back; call it once. A batch that is being committed is
// finished first. After Close the ledger is one file, without a log.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = errors.New("it is closed")
	}
	return errors.Join(l.readers.Close(), l.disconnect(), l.marks.close(), l.lock.release())
}

// disconnect closes the connection that writes. SQLite moves the log into the
// ledger then, but not while a statement is left: database/sql does not close
// those of a pinned connection.
func (l *Ledger) disconnect() error {
	var errs []error
	for _, statement := range l.prepared {
		errs = append(errs, statement.Close())
	}
	return errors.Join(append(errs, l.conn.Close(), l.db.Close())...)
}

package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// ErrFailed is the error of every Commit after one that failed.
var ErrFailed = errors.New("nothing can be written to it any more")

// Commit makes b durable, all of it or nothing, and returns when it is. A claim
// number is used once, ever: one that is not above those of all earlier batches
// is an error. Endings of claims that are not in the ledger are no error.
//
// An error is final: nobody knows what a failed fsync left on the disk, so every
// later Commit fails with ErrFailed, and what is true is found by Open and Load
// in a new process. A context that has ended before is such an error too; one
// that ends meanwhile does not tear the commit.
func (l *Ledger) Commit(ctx context.Context, b *scheduler.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return fmt.Errorf("commit to ledger %s: %w: %w", l.path, ErrFailed, l.failed)
	}
	if err := l.commit(ctx, b); err != nil {
		l.failed = explained(err)
		return fmt.Errorf("commit to ledger %s: %w", l.path, l.failed)
	}
	return nil
}

// explained adds reason and next step to an error of the disk.
func explained(err error) error {
	if reason := reasonOf(err); reason != nil {
		return fmt.Errorf("%w: %w (%s)", reason, err, hint(reason))
	}
	return err
}

func (l *Ledger) commit(ctx context.Context, b *scheduler.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	last, err := l.highest(b.Claims)
	if err != nil {
		return err
	}
	// SQLite would take an interrupt as an error of the statement that it meets,
	// and a daemon that is told to stop would end with a failed ledger instead.
	ctx = context.WithoutCancel(ctx)
	if err := l.write(ctx, func() error { return l.putBatch(ctx, b, last) }); err != nil {
		return err
	}
	l.lastClaim = last
	l.outcomes += uint64(len(b.Outcomes))
	return nil
}

// highest returns the highest claim number with claims in it, and refuses
// numbers that were given before.
func (l *Ledger) highest(claims []scheduler.Claim) (uint64, error) {
	last := l.lastClaim
	for i := range claims {
		id := claims[i].ID
		if id <= l.lastClaim || id > math.MaxInt64 {
			return 0, fmt.Errorf("write claim %d: its number is not above %d", id, l.lastClaim)
		}
		last = max(last, id)
	}
	return last, nil
}

// write runs change in a transaction. The statements of change run on the same
// connection, and so inside of it: database/sql prepares a statement of a pinned
// connection anew for a Tx, which costs more than the statement.
func (l *Ledger) write(ctx context.Context, change func() error) error {
	tx, err := l.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// putBatch writes b in the order of its fields.
func (l *Ledger) putBatch(ctx context.Context, b *scheduler.Batch, lastClaim uint64) error {
	account := l.options.Account
	rows := lastOfEach(b.Rows, func(row *scheduler.Row) policy.DeploymentID { return row.Deployment })
	err := put(ctx, l, deployments(), true, rows, func(r *record, row *scheduler.Row) { encodeRow(r, account, row) })
	if err != nil {
		return err
	}
	if err := l.putClaims(ctx, b.Claims, lastClaim); err != nil {
		return err
	}
	if err := l.putEndings(ctx, b.Endings, lastClaim); err != nil {
		return err
	}
	if err := l.putOutcomes(ctx, b.Outcomes); err != nil {
		return err
	}
	if err := l.putOverrides(ctx, b.Overrides, b.Expired); err != nil {
		return err
	}
	learned := lastOfEach(b.Scopes, func(s *scheduler.LearnedScope) quota.Method { return s.Method })
	return put(ctx, l, scopes(), true, learned, func(r *record, s *scheduler.LearnedScope) { encodeScope(r, account, s) })
}

// putClaims writes claims and the highest number, which has to outlive them: a
// number that came twice would let an old answer end a new call.
func (l *Ledger) putClaims(ctx context.Context, made []scheduler.Claim, lastClaim uint64) error {
	if len(made) == 0 {
		return nil
	}
	err := put(ctx, l, claims(), false, made, func(r *record, c *scheduler.Claim) { encodeClaim(r, l.options.Account, c) })
	if err != nil {
		return err
	}
	return l.putAccount(ctx, lastClaim)
}

// putEndings writes the ends of calls, and removes the claims of those that
// were never made: a returned claim leaves no trace but its number. An end that
// comes before its claim could free a permit that is not even taken, so it is
// left out.
func (l *Ledger) putEndings(ctx context.Context, all []scheduler.Ending, lastClaim uint64) error {
	var ended []scheduler.Ending
	var returned []uint64
	for _, e := range all {
		switch {
		case e.Claim > lastClaim:
		case e.Returned:
			returned = append(returned, e.Claim)
		default:
			ended = append(ended, e)
		}
	}
	ended = lastOfEach(ended, func(e *scheduler.Ending) uint64 { return e.Claim })
	err := put(ctx, l, endings(), true, ended, func(r *record, e *scheduler.Ending) { encodeEnding(r, l.options.Account, e) })
	if err != nil {
		return err
	}
	return l.removeClaims(ctx, returned)
}

func (l *Ledger) removeClaims(ctx context.Context, numbers []uint64) error {
	if err := l.remove(ctx, claims(), numbers); err != nil {
		return err
	}
	return l.remove(ctx, endings(), numbers)
}

// putOutcomes appends to the history. The numbers are the ledger's own, for
// databases differ in how they count by themselves.
func (l *Ledger) putOutcomes(ctx context.Context, all []scheduler.Outcome) error {
	number := l.outcomes
	return put(ctx, l, outcomes(), false, all, func(r *record, o *scheduler.Outcome) {
		number++
		encodeOutcome(r, l.options.Account, number, o)
	})
}

func (l *Ledger) putOverrides(ctx context.Context, given []policy.Override, expired []uint64) error {
	given = lastOfEach(given, func(o *policy.Override) uint64 { return o.ID })
	err := put(ctx, l, overrides(), true, given, func(r *record, o *policy.Override) { encodeOverride(r, l.options.Account, o) })
	if err != nil {
		return err
	}
	return l.remove(ctx, overrides(), expired)
}

// put writes items into t, some at a time. With replace, a row takes the place
// of the one that has its key. All that can be wrong with a value is found here,
// before SQLite sees it; what other records of the batch have written by then
// goes with the transaction.
func put[T any](ctx context.Context, l *Ledger, t table, replace bool, items []T, encode func(*record, *T)) error {
	r := &l.record
	r.boot, r.err = l.boot, nil
	for len(items) > 0 {
		n := rowsAt(len(items))
		r.reset()
		for i := range items[:n] {
			encode(r, &items[i])
			r.end(t.name)
		}
		if r.err != nil {
			return fmt.Errorf("write %s: %w", t.name, r.err)
		}
		if err := l.run(ctx, "put "+t.name, n, func() string { return t.insertion(n, replace) }, r.args); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// remove deletes the rows of t that have these numbers.
func (l *Ledger) remove(ctx context.Context, t table, numbers []uint64) error {
	for len(numbers) > 0 {
		n := rowsAt(len(numbers))
		args := []any{l.options.Account}
		for _, number := range numbers[:n] {
			args = append(args, int64(number))
		}
		if err := l.run(ctx, "remove "+t.name, n, func() string { return t.deletion(n) }, args); err != nil {
			return err
		}
		numbers = numbers[n:]
	}
	return nil
}

// run executes the statement for n rows, which is prepared when it is first
// used and kept: a ledger needs some fifty in its life.
func (l *Ledger) run(ctx context.Context, name string, n int, text func() string, args []any) error {
	key := name + " " + strconv.Itoa(n)
	statement := l.prepared[key]
	if statement == nil {
		var err error
		if statement, err = l.conn.PrepareContext(ctx, text()); err != nil {
			return err
		}
		l.prepared[key] = statement
	}
	if _, err := statement.ExecContext(ctx, args...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// lastOfEach drops the items that a later one of the same key replaces:
// PostgreSQL takes a key once per statement.
func lastOfEach[T any, K comparable](items []T, key func(*T) K) []T {
	if len(items) < 2 {
		return items
	}
	at := make(map[K]int, len(items))
	kept := make([]T, 0, len(items))
	for i := range items {
		k := key(&items[i])
		if before, ok := at[k]; ok {
			kept[before] = items[i]
			continue
		}
		at[k] = len(kept)
		kept = append(kept, items[i])
	}
	return kept
}

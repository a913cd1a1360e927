package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"curfew/apiclient/quota"
	"curfew/scheduler"
)

// The times for which things are kept where Keep does not say.
const (
	DefaultKeepUses    = 2 * time.Hour
	DefaultKeepHistory = 90 * 24 * time.Hour
)

// Keep says for how long things are kept; zero stands for the default.
type Keep struct {
	Uses    time.Duration // claims, after their call's end: more than the longest quota window with its margin
	History time.Duration // outcomes and POSTs
}

// pruneRows is how many rows one transaction of Prune judges: a commit that
// comes meanwhile waits for some milliseconds.
const pruneRows = 256

// Prune forgets what is older than keep says at now, and returns how many rows
// that were. Claims of GETs go; those of POSTs move to the history with their
// endings; the open claims of this run stay. Of a deployment that is gone from
// the file, its row goes: should it come back, it is one that was never seen. It
// works in small transactions, between which commits take their turn, and may fail
// without harm to them, unless the disk itself failed. The caller asks only while
// it believes the wall clock, by which history is judged.
func (l *Ledger) Prune(ctx context.Context, now scheduler.Now, keep Keep) (int, error) {
	keep.Uses = cmp.Or(keep.Uses, DefaultKeepUses)
	before := now.Wall.Add(-cmp.Or(keep.History, DefaultKeepHistory))
	cursor, deployment := uint64(0), ""
	total := 0
	for _, some := range []slice{
		func(ctx context.Context) (int, bool, error) {
			return l.pruneClaims(ctx, &cursor, now.Steady, keep.Uses)
		},
		func(ctx context.Context) (int, bool, error) {
			return l.pruneHistory(ctx, outcomes(), "settled", before)
		},
		func(ctx context.Context) (int, bool, error) { return l.pruneHistory(ctx, attempts(), "wall", before) },
		func(ctx context.Context) (int, bool, error) { return l.pruneGone(ctx, &deployment) },
	} {
		n, err := l.repeat(ctx, some)
		total += n
		if err != nil {
			return total, fmt.Errorf("prune ledger %s: %w", l.path, err)
		}
	}
	return total, nil
}

// A slice prunes some rows, and says how many and whether there may be more.
type slice func(context.Context) (n int, more bool, err error)

// repeat runs some, each time with the ledger to itself, until there is no more.
func (l *Ledger) repeat(ctx context.Context, some slice) (total int, err error) {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		var n int
		n, more, err = l.alone(ctx, some)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// alone runs some between two commits. An error of the disk is the ledger's end
// even here: a commit shares the log, and its fsync would prove nothing. A full
// disk is not, for SQLite has only undone what it could not write.
func (l *Ledger) alone(ctx context.Context, some slice) (n int, more bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return 0, false, fmt.Errorf("%w: %w", ErrFailed, l.failed)
	}
	n, more, err = some(context.WithoutCancel(ctx))
	if errors.Is(reasonOf(err), ErrDisk) {
		l.failed = explained(err)
	}
	return n, more, err
}

// pruneClaims looks at the next claims above cursor.
func (l *Ledger) pruneClaims(ctx context.Context, cursor *uint64, now, keep time.Duration) (int, bool, error) {
	uses, err := l.usesAbove(ctx, *cursor)
	if err != nil || len(uses) == 0 {
		return 0, false, err
	}
	*cursor = uses[len(uses)-1].Claim.ID
	var old []uint64
	var posts []Post
	for _, p := range uses {
		if l.ended(&p)+p.Ending.Wait > now-keep { // and a while after what the platform asked to wait
			continue
		}
		old = append(old, p.Claim.ID)
		if p.Claim.Method != quota.Get {
			posts = append(posts, p)
		}
	}
	// Claims are made in the order of their numbers: where all of a slice were
	// made too lately, so were those that follow.
	more := len(uses) == pruneRows && l.made(&uses[len(uses)-1].Claim) <= now-keep
	return len(old), more, l.moveClaims(ctx, old, posts)
}

// moveClaims removes claims, and puts those of POSTs into the history.
func (l *Ledger) moveClaims(ctx context.Context, old []uint64, posts []Post) error {
	if len(old) == 0 {
		return nil
	}
	return l.write(ctx, func() error {
		err := put(ctx, l, attempts(), false, posts, func(r *record, p *Post) { encodePost(r, l.options.Account, p) })
		if err != nil {
			return err
		}
		return l.removeClaims(ctx, old)
	})
}

// ended returns the steady instant at which the call of p ended at the latest.
// Of what an earlier process left open, or read on another boot's clock, it is
// known only that it was over when this process began.
func (l *Ledger) ended(p *Post) time.Duration {
	switch {
	case p.Answered && !p.Ending.Ended.Foreign:
		return p.Ending.Ended.Steady
	case p.Answered || p.Claim.ID <= l.inherited:
		return l.opened.Steady
	}
	return quota.Never
}

// made returns the steady instant at which c was made at the latest.
func (l *Ledger) made(c *scheduler.Claim) time.Duration {
	if c.Made.Foreign {
		return l.opened.Steady
	}
	return c.Made.Steady
}

// usesAbove returns the claims of the lowest numbers above cursor, with their
// endings.
func (l *Ledger) usesAbove(ctx context.Context, cursor uint64) ([]Post, error) {
	above := " WHERE account = $1 AND claim > $2"
	args := []any{l.options.Account, int64(cursor), pruneRows}
	made, err := list(ctx, l.conn, l.boot, claims(), above+" ORDER BY claim LIMIT $3", args, decodeClaim)
	if err != nil || len(made) == 0 {
		return nil, err
	}
	args[2] = int64(made[len(made)-1].ID)
	ended, err := list(ctx, l.conn, l.boot, endings(), above+" AND claim <= $3", args, decodeEnding)
	return pair(made, ended), err
}

// pruneHistory removes the first rows of a history up to one that is not from
// before the given instant. Rows stand in the order in which they were written,
// so one of a clock that was ahead only keeps those behind it for longer.
func (l *Ledger) pruneHistory(ctx context.Context, t table, instant string, before time.Time) (n int, more bool, err error) {
	last, n, err := l.firstBefore(ctx, t, instant, before)
	if err != nil || n == 0 {
		return 0, false, err
	}
	query := "DELETE FROM " + t.name + " WHERE account = $1 AND " + t.number() + " <= $2"
	_, err = l.conn.ExecContext(ctx, query, l.options.Account, last)
	return n, n == pruneRows, err
}

// firstBefore looks at the first rows of a history and returns the number of the
// last one that is from before the given instant, and how many there are up to it.
func (l *Ledger) firstBefore(ctx context.Context, t table, instant string, before time.Time) (last int64, n int, err error) {
	query := "SELECT " + t.number() + ", " + instant + " FROM " + t.name + " WHERE account = $1 ORDER BY " + t.number() + " LIMIT $2"
	rows, err := l.conn.QueryContext(ctx, query, l.options.Account, pruneRows)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var at sql.NullInt64
		if err := rows.Scan(&number, &at); err != nil {
			return 0, 0, err
		}
		if at.Int64 >= before.UnixNano() {
			break
		}
		last, n = number, n+1
	}
	return last, n, rows.Err()
}

// pruneGone looks at the next deployments after cursor, in the order of their
// names, and removes the rows of those that are gone.
func (l *Ledger) pruneGone(ctx context.Context, cursor *string) (n int, more bool, err error) {
	query := "SELECT max(deployment), count(*), coalesce(sum(gone), 0) FROM (SELECT deployment, gone FROM deployments" +
		" WHERE account = $1 AND deployment > $2 ORDER BY deployment LIMIT $3)"
	var last sql.NullString
	var rows, gone int
	if err := l.conn.QueryRowContext(ctx, query, l.options.Account, *cursor, pruneRows).Scan(&last, &rows, &gone); err != nil {
		return 0, false, err
	}
	more = rows == pruneRows
	if gone > 0 {
		query = "DELETE FROM deployments WHERE account = $1 AND deployment > $2 AND deployment <= $3 AND gone = 1"
		_, err = l.conn.ExecContext(ctx, query, l.options.Account, *cursor, last.String)
	}
	*cursor = last.String
	return gone, more, err
}

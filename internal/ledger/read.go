package ledger

import (
	"context"
	"database/sql"
	"errors"
)

// A querier is a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A picture is where an account's records are read: by the one connection that
// writes them, or in a transaction that sees no commit after its own begin.
type picture struct {
	querier
	account   string
	boot      int64  // instants of any other one are foreign
	marks     *marks // nil where there are none
	lastClaim uint64
}

// each runs a query for all columns of t and hands out its rows one by one,
// each after its checksum was found right. Instants of another boot than the
// given one are foreign. The first row that cannot be read ends it: a ledger of
// which some rows are missing would be read as one in which they never were.
func each(ctx context.Context, q querier, boot int64, t table, rest string, args []any, visit func(*row) error) error {
	return scan(ctx, q, boot, t, rest, args, func(r *row) error {
		return errors.Join(visit(r), r.problem())
	})
}

// scan is each for somebody who asks himself what is wrong with a row: its problem
// says so once its columns were read.
func scan(ctx context.Context, q querier, boot int64, t table, rest string, args []any, visit func(*row) error) (err error) {
	rows, err := q.QueryContext(ctx, "SELECT "+t.columns+" FROM "+t.name+rest, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	r := &row{table: t.name, boot: boot, values: make([]any, t.width())}
	into := make([]any, t.width())
	for i := range into {
		into[i] = &r.values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		r.begin()
		if err := visit(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list collects what each hands out.
func list[T any](ctx context.Context, q querier, boot int64, t table, rest string, args []any, decode func(*row) T) (found []T, err error) {
	err = each(ctx, q, boot, t, rest, args, func(r *row) error {
		found = append(found, decode(r))
		return nil
	})
	return found, err
}

package ledger

import (
	"context"

	"curfew/policy"
	"curfew/scheduler"
)

// A Telling is told what a ledger holds, record by record. A nil function is not
// asked; an error of one ends it.
type Telling struct {
	Outcome  func(number uint64, o *scheduler.Outcome) error
	Post     func(*Post) error
	Override func(*policy.Override) error
	Row      func(*scheduler.Row) error
	// Damaged is told of a row of the history that is not as it was written, which is
	// then left out. Such a row elsewhere ends the telling.
	Damaged func(error) error
}

// Tell hands out what f asks for, the earliest first: outcomes, then starts and
// stops, of which those that still count against a quota come last, then people's
// overrides and the rows of the deployments as they are now, to which f's instants
// do not apply, and neither does its limit to any. It holds no more in memory than
// the calls of the longest quota window.
func (r *Reader) Tell(ctx context.Context, f Filter, to Telling) error {
	for _, tell := range []func(context.Context, Filter, Telling) error{
		r.tellOutcomes, r.tellPosts, r.tellOverrides, r.tellRows,
	} {
		if err := tell(ctx, f, to); err != nil {
			return r.explained(err)
		}
	}
	return nil
}

func (r *Reader) tellOutcomes(ctx context.Context, f Filter, to Telling) error {
	if to.Outcome == nil {
		return nil
	}
	where, args := f.where(r.picture.account, "settled")
	return history(ctx, r, outcomes(), where+" ORDER BY outcome", args, to.Damaged, func(row *row) func() error {
		number, _ := row.values[1].(int64)
		o := decodeOutcome(row)
		return func() error { return to.Outcome(uint64(number), &o) }
	})
}

func (r *Reader) tellPosts(ctx context.Context, f Filter, to Telling) error {
	if to.Post == nil {
		return nil
	}
	where, args := f.where(r.picture.account, "wall")
	err := history(ctx, r, attempts(), where+wasCalled+" ORDER BY claim", args, to.Damaged, func(row *row) func() error {
		p := decodePost(row)
		return func() error { return to.Post(&p) }
	})
	if err != nil {
		return err
	}
	live, err := r.picture.livePosts(ctx, where+wasCalledLately+" ORDER BY claim", args)
	if err != nil {
		return err
	}
	for i := range live {
		if err := to.Post(&live[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) tellOverrides(ctx context.Context, f Filter, to Telling) error {
	if to.Override == nil {
		return nil
	}
	return current(ctx, r, overrides(), f, decodeOverride, to.Override)
}

func (r *Reader) tellRows(ctx context.Context, f Filter, to Telling) error {
	if to.Row == nil {
		return nil
	}
	return current(ctx, r, deployments(), f, decodeRow, to.Row)
}

// history reads rows of which one may be lost. decode returns what to do with a row
// that is as it was written.
func history(ctx context.Context, r *Reader, t table, rest string, args []any, damaged func(error) error, decode func(*row) func() error) error {
	return scan(ctx, r.picture, r.picture.boot, t, rest, args, func(row *row) error {
		tell := decode(row)
		switch err := row.problem(); {
		case err == nil:
			return tell()
		case damaged != nil:
			return damaged(err)
		default:
			return err
		}
	})
}

// current reads rows that say how things are now.
func current[T any](ctx context.Context, r *Reader, t table, f Filter, decode func(*row) T, tell func(*T) error) error {
	where, args := Filter{Deployment: f.Deployment}.where(r.picture.account, "")
	return each(ctx, r.picture, r.picture.boot, t, where+" ORDER BY "+t.number(), args, func(row *row) error {
		item := decode(row)
		if row.err != nil {
			return nil // each says what it is
		}
		return tell(&item)
	})
}

// AttemptWord is the ledger's word for a state of an attempt.
func AttemptWord(s scheduler.AttemptState) string { return attemptWord(s).String() }

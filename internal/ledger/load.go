package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// Load returns what a Fleet needs at start: rows by deployment, uses and
// overrides by number. Uses are all claims that were neither returned nor
// pruned, so some may have stopped counting. Wall instants come back in UTC; a
// steady one of another boot is marked Foreign. A row that is not as it was
// written is an error that is ErrDamaged.
func (l *Ledger) Load(ctx context.Context) (scheduler.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return scheduler.State{}, fmt.Errorf("load ledger %s: %w: %w", l.path, ErrFailed, l.failed)
	}
	p := picture{l.conn, l.options.Account, l.boot, l.marks, l.lastClaim}
	s, err := p.load(ctx)
	if err != nil {
		return scheduler.State{}, refuse(l.path, err)
	}
	return s, nil
}

func (p *picture) load(ctx context.Context) (s scheduler.State, err error) {
	s.LastClaim = p.lastClaim
	if s.Rows, err = all(ctx, p, deployments(), decodeRow); err != nil {
		return s, err
	}
	if s.Overrides, err = all(ctx, p, overrides(), decodeOverride); err != nil {
		return s, err
	}
	if s.Uses, err = p.uses(ctx); err != nil {
		return s, err
	}
	err = errors.Join(
		order(s.Rows, func(r *scheduler.Row) policy.DeploymentID { return r.Deployment }),
		order(s.Overrides, func(o *policy.Override) uint64 { return o.ID }),
		order(s.Uses, func(u *scheduler.Use) uint64 { return u.ID }),
	)
	if err != nil {
		return s, err
	}
	s.Scopes, err = p.learned(ctx)
	return s, err
}

// uses puts claims and endings together. Both are read in the order in which
// they lie, which is several times faster than a join.
func (p *picture) uses(ctx context.Context) ([]scheduler.Use, error) {
	made, err := all(ctx, p, claims(), decodeClaim)
	if err != nil {
		return nil, err
	}
	ended, err := all(ctx, p, endings(), decodeEnding)
	if err != nil {
		return nil, err
	}
	uses := make([]scheduler.Use, len(made))
	for i, u := range pair(made, ended) {
		uses[i] = scheduler.Use{
			Claim: u.Claim, Open: !u.Answered, Ended: u.Ending.Ended, Known: u.Ending.Known, Wait: u.Ending.Wait,
		}
		uses[i].Unsent = uses[i].Open && !u.Claim.Made.Foreign && p.marks.unsent(u.Claim.ID)
	}
	return uses, nil
}

// learned returns the scopes by method; Auto where nothing was learned.
func (p *picture) learned(ctx context.Context) (known [quota.Methods]quota.Scope, err error) {
	lessons, err := all(ctx, p, scopes(), decodeScope)
	for _, s := range lessons {
		known[s.Method] = s.Scope
	}
	return known, err
}

// all reads the account's rows of a table. It has SQLite read the table as it
// lies there and looks for the account itself, after the checksum: an index or
// an account's name that lost a bit would otherwise hide a row.
func all[T any](ctx context.Context, p *picture, t table, decode func(*row) T) ([]T, error) {
	var n int // growing a list of large rows would cost more than reading them
	if err := p.QueryRowContext(ctx, "SELECT count(*) FROM "+t.name).Scan(&n); err != nil {
		return nil, err
	}
	found := make([]T, 0, n)
	err := each(ctx, p, p.boot, t, "", nil, func(r *row) error {
		if r.values[0] == p.account {
			found = append(found, decode(r))
		}
		return nil
	})
	return found, err
}

// order sorts items by their key and refuses one that is there twice, which the
// table's index would have prevented. They mostly lie in order already; where
// they do not, places are sorted, since the items themselves are large.
func order[T any, K cmp.Ordered](items []T, key func(*T) K) error {
	if ascending(items, key) {
		return nil
	}
	type place struct {
		key K
		i   int
	}
	places := make([]place, len(items))
	for i := range items {
		places[i] = place{key(&items[i]), i}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.key, b.key) })
	sorted := make([]T, len(items))
	for i, p := range places {
		sorted[i] = items[p.i]
	}
	copy(items, sorted)
	if !ascending(items, key) {
		return fmt.Errorf("one of %d records is there twice: %w", len(items), errDamage)
	}
	return nil
}

// ascending reports whether the keys rise from each item to the next.
func ascending[T any, K cmp.Ordered](items []T, key func(*T) K) bool {
	for i := 1; i < len(items); i++ {
		if key(&items[i-1]) >= key(&items[i]) {
			return false
		}
	}
	return true
}

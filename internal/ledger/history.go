package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// A Post is a claim of a start or a stop as the history keeps it. One that was
// not Answered is still open, or its process ended before the answer came.
type Post struct {
	Claim    scheduler.Claim
	Answered bool
	Ending   scheduler.Ending
}

// A Filter narrows a question to the history. Its zero value asks for all.
type Filter struct {
	Deployment policy.DeploymentID // empty: all
	From, To   time.Time           // wall clock, [From, To); zero: no bound
	Limit      int                 // how many at most; 0: no bound
}

// Outcomes returns how transitions ended, the latest first; From and To bound
// the instants at which they were settled. It may be called while a batch is
// being committed and does not hold it up.
func (l *Ledger) Outcomes(ctx context.Context, f Filter) (found []scheduler.Outcome, err error) {
	err = l.reading(ctx, func(p *picture) error {
		found, err = p.outcomes(ctx, f)
		return err
	})
	return found, err
}

func (p *picture) outcomes(ctx context.Context, f Filter) ([]scheduler.Outcome, error) {
	where, args := f.where(p.account, "settled")
	return list(ctx, p, p.boot, outcomes(), where+f.latest("outcome"), args, decodeOutcome)
}

// Posts returns the starts and stops that were claimed, the latest first; From
// and To bound the instants at which they were claimed. Claims that were
// returned are not among them. Like Outcomes, it does not hold up commits.
func (l *Ledger) Posts(ctx context.Context, f Filter) (found []Post, err error) {
	err = l.reading(ctx, func(p *picture) error {
		found, err = p.posts(ctx, f)
		return err
	})
	return found, err
}

func (p *picture) posts(ctx context.Context, f Filter) ([]Post, error) {
	where, args := f.where(p.account, "wall")
	old, err := list(ctx, p, p.boot, attempts(), where+wasCalled+f.latest("claim"), args, decodePost)
	if err != nil {
		return nil, err
	}
	found, err := p.livePosts(ctx, where+wasCalledLately+f.latest("claim"), args)
	if err != nil {
		return nil, err
	}
	found = append(found, old...)
	slices.SortFunc(found, func(a, b Post) int { return cmp.Compare(b.Claim.ID, a.Claim.ID) })
	if f.Limit > 0 && len(found) > f.Limit {
		found = found[:f.Limit]
	}
	return found, nil
}

// What Restore writes in the place of calls that nobody knows of is no call.
const (
	wasCalled       = " AND result <> '" + resultRestored + "'"
	wasCalledLately = " AND method <> 'get' AND NOT EXISTS (SELECT 1 FROM endings" +
		" WHERE endings.account = claims.account AND endings.claim = claims.claim AND result = '" + resultRestored + "')"
)

// livePosts reads POSTs that still count.
func (p *picture) livePosts(ctx context.Context, where string, args []any) ([]Post, error) {
	made, err := list(ctx, p, p.boot, claims(), where, args, decodeClaim)
	if err != nil {
		return nil, err
	}
	ofPosts := " WHERE account = $1 AND claim IN (SELECT claim FROM claims WHERE account = $1 AND method <> 'get')"
	ended, err := list(ctx, p, p.boot, endings(), ofPosts, args[:1], decodeEnding)
	if err != nil {
		return nil, err
	}
	return pair(made, ended), nil
}

// pair puts claims and their endings together, in the order of the claims.
func pair(made []scheduler.Claim, ended []scheduler.Ending) []Post {
	at := make(map[uint64]*scheduler.Ending, len(ended))
	for i := range ended {
		at[ended[i].Claim] = &ended[i]
	}
	posts := make([]Post, len(made))
	for i, c := range made {
		posts[i].Claim = c
		if e := at[c.ID]; e != nil {
			posts[i].Answered, posts[i].Ending = true, *e
		}
	}
	return posts
}

// reading runs ask on one unchanging picture of the ledger.
func (l *Ledger) reading(ctx context.Context, ask func(*picture) error) error {
	tx, err := l.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err == nil {
		err = errors.Join(ask(&picture{querier: tx, account: l.options.Account, boot: l.boot}), tx.Rollback())
	}
	if err != nil {
		return fmt.Errorf("read history of ledger %s: %w", l.path, err)
	}
	return nil
}

// where returns the condition that f stands for, with its arguments.
func (f Filter) where(account, instant string) (string, []any) {
	where, args := " WHERE account = $1", []any{account}
	narrow := func(condition string, value any) {
		args = append(args, value)
		where += fmt.Sprintf(" AND %s $%d", condition, len(args))
	}
	if f.Deployment != "" {
		narrow("deployment =", string(f.Deployment))
	}
	if !f.From.IsZero() {
		narrow(instant+" >=", f.From.UnixNano())
	}
	if !f.To.IsZero() {
		narrow(instant+" <", f.To.UnixNano())
	}
	return where, args
}

// latest orders by number, the latest first, and cuts at f's limit.
func (f Filter) latest(number string) string {
	order := " ORDER BY " + number + " DESC"
	if f.Limit > 0 {
		order += fmt.Sprintf(" LIMIT %d", f.Limit)
	}
	return order
}

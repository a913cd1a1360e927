package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// Errors of a Model.
var (
	// ErrClaimUsed: a batch claims a number that was given before.
	ErrClaimUsed = errors.New("the claim's number was given before")
	// ErrLedgerFailed: an earlier batch failed, or its end is not known.
	ErrLedgerFailed = errors.New("an earlier commit failed; what it left is not known")
	// ErrLedgerClosed: the ledger was closed, or its process was killed.
	ErrLedgerClosed = errors.New("the ledger is closed")
)

// A Disk is what survives the process and the host: the batches that are
// durable, each wholly. The zero Disk is new.
type Disk struct {
	state   scheduler.State // Uses ascending by number
	boot    string
	keep    time.Duration // forget uses that ended so long ago; 0 keeps all
	pruneAt int
	unread  bool // its one process never ends: only what was given counts
}

// A Model is an open ledger on a Disk, in memory. It means what the daemon's
// SQLite file means, and passes the same suite.
type Model struct {
	disk *Disk
	err  error // why it takes no more batches
}

// Open opens the ledger under a boot of the host. Instants that were written
// under another boot come back as foreign from then on.
func (d *Disk) Open(boot string) *Model {
	if d.boot != "" && d.boot != boot {
		d.estrange()
	}
	d.boot = boot
	return &Model{disk: d}
}

// estrange marks every instant as one of another boot. None stays none.
func (d *Disk) estrange() {
	mark := func(i *scheduler.Instant) { i.Foreign = i.Foreign || !i.Wall.IsZero() || i.Steady != 0 }
	for i := range d.state.Rows {
		mark(&d.state.Rows[i].Attempt.Ended)
	}
	for i := range d.state.Uses {
		d.state.Uses[i].Unsent = false // no mark outlives the host
		mark(&d.state.Uses[i].Made)
		mark(&d.state.Uses[i].Ended)
	}
}

// Commit makes b durable, or nothing of it. After an error the Model takes
// nothing more.
func (m *Model) Commit(_ context.Context, b *scheduler.Batch) error {
	if m.err != nil {
		return fmt.Errorf("commit batch: %w", m.err)
	}
	if err := m.disk.check(b); err != nil {
		m.err = ErrLedgerFailed
		return fmt.Errorf("commit batch: %w", err)
	}
	m.disk.apply(b)
	return nil
}

// Mark says that the call of a claim is about to begin. It outlives the process,
// not the host.
func (m *Model) Mark(claim uint64) error {
	if m.err != nil {
		return fmt.Errorf("mark claim %d: %w", claim, m.err)
	}
	if i, found := m.disk.use(claim); found {
		m.disk.state.Uses[i].Unsent = false
	}
	return nil
}

// Load returns what a Fleet needs at start.
func (m *Model) Load(context.Context) (scheduler.State, error) {
	if errors.Is(m.err, ErrLedgerClosed) {
		return scheduler.State{}, fmt.Errorf("load ledger: %w", m.err)
	}
	s := m.disk.state
	s.Rows, s.Uses, s.Overrides = slices.Clone(s.Rows), slices.Clone(s.Uses), slices.Clone(s.Overrides)
	return s, nil
}

// Close ends the use of the Model; its Disk stays.
func (m *Model) Close() error {
	m.err = ErrLedgerClosed
	return nil
}

// check refuses what no ledger takes: a number that was given before. A Fleet
// counts up.
func (d *Disk) check(b *scheduler.Batch) error {
	last := d.state.LastClaim
	for i := range b.Claims {
		if id := b.Claims[i].ID; id <= last {
			return fmt.Errorf("claim %d: %w", id, ErrClaimUsed)
		}
		last = b.Claims[i].ID
	}
	return nil
}

// apply takes the fields of b in their order.
func (d *Disk) apply(b *scheduler.Batch) {
	s := &d.state
	if d.unread {
		for i := range b.Claims {
			s.LastClaim = max(s.LastClaim, b.Claims[i].ID)
		}
		return
	}
	for _, r := range b.Rows {
		d.putRow(r)
	}
	for _, c := range b.Claims {
		s.Uses = append(s.Uses, scheduler.Use{Claim: c, Open: true, Unsent: !c.Made.Foreign})
		s.LastClaim = max(s.LastClaim, c.ID)
	}
	for _, e := range b.Endings {
		d.end(e)
	}
	for _, o := range b.Overrides {
		d.putOverride(o)
	}
	if len(b.Expired) > 0 {
		s.Overrides = slices.DeleteFunc(s.Overrides, func(o policy.Override) bool { return slices.Contains(b.Expired, o.ID) })
	}
	for _, l := range b.Scopes {
		s.Scopes[l.Method] = l.Scope
	}
	d.prune(b.Written.Steady)
}

func (d *Disk) putRow(r scheduler.Row) {
	rows := d.state.Rows
	i, found := slices.BinarySearchFunc(rows, r.Deployment, func(r scheduler.Row, id policy.DeploymentID) int {
		return cmp.Compare(r.Deployment, id)
	})
	if found {
		rows[i] = r
		return
	}
	d.state.Rows = slices.Insert(rows, i, r)
}

func (d *Disk) putOverride(o policy.Override) {
	all := d.state.Overrides
	if i := slices.IndexFunc(all, func(old policy.Override) bool { return old.ID == o.ID }); i >= 0 {
		all[i] = o
		return
	}
	d.state.Overrides = append(all, o)
}

// use finds the use with a claim's number. It is mostly one of the last, with
// none missing behind it.
func (d *Disk) use(id uint64) (int, bool) {
	uses := d.state.Uses
	if i := len(uses) - 1 - int(d.state.LastClaim-id); i >= 0 && i < len(uses) && uses[i].ID == id {
		return i, true
	}
	return slices.BinarySearchFunc(uses, id, func(u scheduler.Use, id uint64) int { return cmp.Compare(u.ID, id) })
}

// end writes the ending of a claim, or takes a returned one out. Of a claim
// that is not there it changes nothing.
func (d *Disk) end(e scheduler.Ending) {
	i, found := d.use(e.Claim)
	switch {
	case !found:
	case e.Returned:
		d.state.Uses = slices.Delete(d.state.Uses, i, i+1)
	default:
		u := &d.state.Uses[i]
		u.Open, u.Unsent, u.Ended, u.Known, u.Wait = false, false, e.Ended, e.Known, e.Wait
	}
}

// prune forgets uses that ended long ago, now and then.
func (d *Disk) prune(now time.Duration) {
	if d.keep == 0 || len(d.state.Uses) < d.pruneAt {
		return
	}
	d.state.Uses = slices.DeleteFunc(d.state.Uses, func(u scheduler.Use) bool {
		return !u.Open && !u.Ended.Foreign && u.Ended.Steady+u.Wait < now-d.keep
	})
	d.pruneAt = 2*len(d.state.Uses) + 1000
}

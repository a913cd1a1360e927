package main

import (
	"context"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/internal/ledger"
	"curfew/policy"
	"curfew/scheduler"
)

// A record is what a ledger holds of one deployment, and what the core makes of
// that now. Outcomes and posts are the latest first.
type record struct {
	source    string // path of the ledger
	now       scheduler.Now
	known     bool // it has a row
	row       scheduler.Row
	changed   bool // the row was written under another rule than the file's
	outcomes  []scheduler.Outcome
	posts     []ledger.Post
	overrides []policy.Override
	unsent    map[uint64]bool // claims whose calls certainly never began
	begins    time.Time       // of the oldest entry of any deployment
	written   time.Time       // the last entry of any deployment
	daemon    presence
	empty     bool // there is no entry of anything

	// By a Fleet that was given the file and the ledger, as a daemon that starts
	// now would have it before it makes its first claim.
	view    scheduler.View
	settles []scheduler.Outcome // at once, without a call
	permits [quota.Methods]scheduler.PermitView
	pace    time.Duration // of looks
}

// A presence is whether a process has the ledger open, which is a daemon's as a
// rule.
type presence uint8

const (
	untold presence = iota // it cannot be told here
	nobody
	somebody
)

// presenceOf is what a Reader tells of it.
func presenceOf(open, known bool) presence {
	switch {
	case !known:
		return untold
	case open:
		return somebody
	}
	return nobody
}

// A recorded is all that was read of a ledger for one deployment.
type recorded struct {
	*record
	state scheduler.State
}

// readRecord reads what the ledger at path has of a deployment. The file says whose
// ledger it should be.
func readRecord(ctx context.Context, file *config.Config, path string, id policy.DeploymentID, clock clock) (*recorded, error) {
	r := &recorded{record: &record{source: path, now: clock.read(), unsent: map[uint64]bool{}}}
	from := ledger.Source{Path: path, Account: file.Name, Endpoint: file.Endpoint, Boot: clock.boot}
	err := ledger.Read(ctx, from, func(l *ledger.Reader) (err error) {
		if r.state, err = l.Load(ctx); err != nil {
			return err
		}
		if r.outcomes, err = l.Outcomes(ctx, ledger.Filter{Deployment: id}); err != nil {
			return err
		}
		if r.posts, err = l.Posts(ctx, ledger.Filter{Deployment: id}); err != nil {
			return err
		}
		r.daemon = presenceOf(l.InUse())
		r.begins, err = l.Begins(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.pick(id)
	return r, nil
}

// pick finds what the state has of one deployment, and when it was written last.
func (r *recorded) pick(id policy.DeploymentID) {
	r.empty = len(r.state.Rows)+len(r.state.Uses)+len(r.state.Overrides) == 0 && r.begins.IsZero()
	for i := range r.state.Rows {
		if row := &r.state.Rows[i]; row.Deployment == id {
			r.row, r.known = *row, true
		}
	}
	for _, o := range r.state.Overrides {
		if o.Deployment == id {
			r.overrides = append(r.overrides, o)
		}
	}
	for _, u := range r.state.Uses {
		r.written = later(r.written, later(u.Made.Wall, u.Ended.Wall))
		if u.Unsent {
			r.unsent[u.ID] = true
		}
	}
	for _, o := range r.outcomes {
		r.written = later(r.written, o.Settled)
	}
}

// inventory is what the ledger knows deployments to be called, as the last looks
// told.
func (r *recorded) inventory() *inventory {
	v := &inventory{source: r.source, names: map[policy.DeploymentID]string{}}
	for _, row := range r.state.Rows {
		if !row.Gone && row.Name != "" {
			v.names[row.Deployment] = row.Name
		}
	}
	return v
}

// choose puts the deployments that the file selects under its policies, as a
// daemon does at start: by what the ledger knows of names and of policies.
func (r *recorded) choose(file *config.Config) []policy.Problem {
	if !file.Policies.Selects() {
		return nil
	}
	of := map[policy.DeploymentID]string{}
	var all []policy.Named
	for _, row := range r.state.Rows {
		if !row.Gone {
			of[row.Deployment] = row.Policy
			all = append(all, policy.Named{ID: row.Deployment, Name: row.Name})
		}
	}
	set, problems := file.Policies.Resolve(all, file.Policies.Holding(of))
	file.Policies = set
	return problems
}

// judge has a Fleet say what it makes of the record. The clock of whoever asks is
// taken for right: there is no platform to compare it with. Its first turn is
// asked last: it claims permits, for this deployment and for others, for calls
// that nobody makes.
func (r *recorded) judge(file *config.Config, id policy.DeploymentID) {
	fleet := scheduler.New(r.now, scheduler.Config{
		Account: file.Name, Set: file.Policies, Protect: policy.NewProtection(file.Protect, file.Policies.Policies),
		Quotas: file.Quotas, ObserveEvery: file.ObserveEvery, ObserveList: file.ObserveList,
		DryRun: file.DryRun, TrustClock: true, Release: released(),
	}, r.state)
	s := fleet.Snapshot(r.now)
	r.pace = s.LookEvery
	for i := range s.Deployments {
		if s.Deployments[i].Deployment == id {
			r.view = s.Deployments[i]
		}
	}
	for m := range quota.Method(quota.Methods) {
		r.permits[m] = fleet.Permit(id, m)
	}
	r.firstTurn(fleet.Turn(r.now), id)
}

// firstTurn keeps what a daemon that starts now would do at once to a deployment
// and its record.
func (r *record) firstTurn(ready scheduler.Ready, id policy.DeploymentID) {
	for _, n := range ready.Notices {
		if c, ok := n.(scheduler.Changed); ok && c.Deployment == id && c.What == scheduler.ChangeRule {
			r.changed = true
		}
	}
	if ready.Commit == nil {
		return
	}
	for _, o := range ready.Commit.Outcomes {
		if o.Deployment == id {
			r.settles = append(r.settles, o)
		}
	}
}

// post is the last POST for a transition.
func (r *record) post(t scheduler.Transition) (ledger.Post, bool) {
	for _, p := range r.posts {
		if sameTransition(p.Claim.Transition, t) {
			return p, true
		}
	}
	return ledger.Post{}, false
}

func sameTransition(a, b scheduler.Transition) bool { return a.Power == b.Power && a.At.Equal(b.At) }

// A callState is how far a POST without an answer has got.
type callState uint8

const (
	noCall     callState = iota // none is without an answer
	callClaims                  // its claim is durable, it has not begun
	callFlies                   // it may be under way
	callLost                    // its time is over: the process that made it is gone
)

// open is the last POST, where the record has no answer to it. Nobody waits for one
// where no process has the ledger open.
func (r *record) open() (ledger.Post, callState) {
	if len(r.posts) == 0 || r.posts[0].Answered {
		return ledger.Post{}, noCall
	}
	p := r.posts[0]
	flies := !p.Claim.Made.Foreign && r.now.Steady <= p.Claim.Latest && r.daemon != nobody
	switch {
	case r.unsent[p.Claim.ID] && flies:
		return p, callClaims
	case r.unsent[p.Claim.ID]:
		return p, noCall // the permit comes back, and it is called anew
	case flies:
		return p, callFlies
	}
	return p, callLost
}

// silent is for how long the record was not written, where that is longer than a
// daemon at work lets pass.
func (r *record) silent() (time.Duration, bool) {
	quiet := r.now.Wall.Sub(r.written)
	return quiet, !r.written.IsZero() && quiet > 3*max(r.pace, time.Minute)
}

// held is the hold or pause in force at an instant.
func (r *record) held(at time.Time) (policy.Override, bool) {
	for _, o := range r.overrides {
		if o.Kind != policy.Skip && !at.Before(o.From) && at.Before(o.Until) {
			return o, true
		}
	}
	return policy.Override{}, false
}

// before is the outcome of the latest transition at or before an instant; of two
// for one instant the one that was settled last. What lay behind when the
// deployment came into the file is told of a time before that only where there is
// nothing else.
func (r *record) before(at time.Time) (last scheduler.Outcome, found bool) {
	for _, o := range r.outcomes {
		if !o.At.After(at) && (!found || unborn(last, at) || o.At.After(last.At) && !unborn(o, at)) {
			last, found = o, true
		}
	}
	return last, found
}

// unborn reports whether an outcome tells of a deployment that came into the file
// after an instant.
func unborn(o scheduler.Outcome, at time.Time) bool {
	return o.Reason == scheduler.ReasonActivation && at.Before(o.Settled)
}

// passed is the line that stands for several edges of which one came at an
// instant: they were passed over together when a later one was settled.
func (r *record) passed(at time.Time) (scheduler.Outcome, bool) {
	for _, o := range r.outcomes {
		if o.Count > 1 && !o.At.After(at) && !o.Settled.Before(at) {
			return o, true
		}
	}
	return scheduler.Outcome{}, false
}

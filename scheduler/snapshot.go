package scheduler

import (
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// A Snapshot is an immutable picture of a Fleet at one instant, built when
// somebody asks. It shares nothing with the Fleet that later changes.
type Snapshot struct {
	Now         Now
	Account     string
	DryRun      bool
	Draining    bool
	Settled     bool // the first turn's commit is durable: activations included
	Blocked     []BlockReason
	Policies    []PolicyView
	Deployments []View
	Overrides   []policy.Override
	Quotas      [quota.Methods]QuotaView
	InFlight    int
	LookEvery   time.Duration // the pace of idle looks that quota and fleet allow
}

// BlockReason is why the whole account makes no POST.
type BlockReason string

// The reasons. All exist as labels from the start.
const (
	BlockKey   BlockReason = "unauthorized"
	BlockClock BlockReason = "clock"
)

// PolicyView is a policy in a Snapshot.
type PolicyView struct {
	Name    string
	Members int
	DryRun  bool // by its own word or its account's: none of its transitions makes a call
}

// QuotaView is what is known of one method's quota.
type QuotaView struct {
	Limit   quota.Limit
	Scope   quota.Scope // in force: Auto while not known
	Left    int         // requests allowed now: of the key, or of the deployment with the fewest
	Blocked time.Time   // GETs: none before; zero where there is no such instant
}

// Wait is why a due transition has not been settled yet.
type Wait string

// The states of waiting.
const (
	WaitNone      Wait = ""
	WaitPermit    Wait = "permit"     // the quota frees one at PermitAt
	WaitTransient Wait = "transient"  // the status takes neither start nor stop
	WaitStatus    Wait = "status"     // the status is not understood
	WaitUnknown   Wait = "unknown"    // a POST's answer was lost; looks decide
	WaitConfirm   Wait = "confirming" // accepted; looks wait for the effect
	WaitHold      Wait = "hold"       // an override keeps another power
	WaitKey       Wait = "key_refused"
	WaitClock     Wait = "clock"
	WaitLook      Wait = "look"    // one more look decides whether a call is needed
	WaitGone      Wait = "gone"    // the platform does not know it; looks decide
	WaitName      Wait = "name"    // the file names it, and no look has told its name yet
	WaitBackoff   Wait = "backoff" // nothing was sent; tried again soon
	WaitSlot      Wait = "slot"    // about to be sent
)

// View is a deployment in a Snapshot.
type View struct {
	Deployment policy.DeploymentID
	Policy     string // empty where it is no longer in the file
	Look       Look   // the last one; Status is empty before the first
	SeenAt     time.Time
	Gone       bool // the last look said that there is no such deployment
	Want       policy.Power
	Since      time.Time // of Want; zero where nothing lies behind
	Because    policy.Because
	Next       [2]time.Time // the next start, the next stop; zero where there is none
	Due        Transition   // not settled yet
	Wait       Wait
	PermitAt   time.Time // only where Wait is WaitPermit
	Override   time.Time // when the hold or pause in force ends; zero where there is none
	Last       OutcomeKind
	LastReason Reason
	LastAt     time.Time
	Seconds    StatusSeconds
}

// StatusSeconds is for how long a deployment was observed in each status since
// the daemon started: from one look to the next, and never longer than twice
// the pace of looks.
type StatusSeconds [StatusKinds]float64

// Snapshot copies what people and metrics want to know. It lets no time pass:
// what is due is as of the last turn.
func (f *Fleet) Snapshot(now Now) *Snapshot {
	s := &Snapshot{
		Now: now, Account: f.cfg.Account, DryRun: f.cfg.DryRun, Draining: f.draining, Settled: f.settled,
		Blocked: f.blocks(), InFlight: f.inFlight, LookEvery: f.permit.lookEvery,
		Deployments: make([]View, 0, f.live),
	}
	for _, r := range f.rules {
		s.Policies = append(s.Policies, PolicyView{
			Name: r.p.Name(), Members: len(r.members), DryRun: f.cfg.DryRun || r.p.Options().DryRun,
		})
	}
	for i := range f.recs {
		rec := &f.recs[i]
		if rec.buried {
			continue
		}
		s.Deployments = append(s.Deployments, f.view(rec))
		s.Overrides = append(s.Overrides, rec.overrides...)
	}
	for m := range s.Quotas {
		s.Quotas[m] = f.quotaView(quota.Method(m))
	}
	return s
}

// blocks lists why the account makes no POST.
func (f *Fleet) blocks() []BlockReason {
	var out []BlockReason
	if f.blocked.on {
		out = append(out, BlockKey)
	}
	if f.clockBlocks() {
		out = append(out, BlockClock)
	}
	return out
}

func (f *Fleet) view(rec *record) View {
	v := View{
		Deployment: rec.id, Policy: f.policyName(rec), Look: rec.info, Gone: rec.look.kind == StatusGone,
		Last: rec.last, LastReason: rec.lastReason, Seconds: rec.seconds,
	}
	if rec.look.kind != StatusNone {
		v.SeenAt = time.Unix(0, rec.look.wall).UTC()
	}
	if rec.last != 0 {
		v.LastAt = time.Unix(0, rec.lastAt).UTC()
	}
	if end := f.overrideEnd(rec); end != never {
		v.Override = time.Unix(0, end).UTC()
	}
	g := f.goal(rec)
	in := f.decide(rec, g)
	v.Wait = in.wait
	if in.wait == WaitPermit {
		v.PermitAt = f.now.Wall.Add(in.permitAt - f.now.Steady).Round(0).UTC()
	}
	if rec.rule == nil {
		v.Due = rec.attempt.Transition
		return v
	}
	d := f.decision(rec)
	v.Want, v.Since, v.Because = d.Want, d.Since, d.Because
	for i, at := range rec.rule.next {
		if at != never {
			v.Next[i] = time.Unix(0, at).UTC()
		}
	}
	switch {
	case !g.none():
		v.Due = f.transition(rec, g)
	case rec.attempt.State.Open():
		v.Due = rec.attempt.Transition
	}
	return v
}

// quotaView tells of a method's quota: what is left of the key's, or of the
// deployment that has the least.
func (f *Fleet) quotaView(m quota.Method) QuotaView {
	lim, now := f.cfg.Quotas[m], f.now.Steady
	q := QuotaView{Limit: lim, Scope: f.permit.scope(f, m), Left: lim.N}
	if q.Scope == quota.Key {
		if q.Left = f.permit.key[m].Left(lim, now); f.permit.keyFull[m] > now {
			q.Left = 0
		}
	} else {
		for i := range f.recs {
			q.Left = min(q.Left, f.recs[i].logs[m].Left(lim, now))
		}
	}
	if at := f.permit.keyFull[m]; at > now {
		q.Blocked = f.now.Wall.Add(at - now).Round(0).UTC()
	}
	return q
}

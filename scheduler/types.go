package scheduler

import (
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// Now is one reading of both clocks, taken once a turn by whoever drives the
// Fleet. Wall is what policies see and may step. Steady is what quotas and
// retries see: it goes on while the host sleeps, nobody can set it, and its
// zero is the boot of the host (CLOCK_BOOTTIME).
type Now struct {
	Wall   time.Time
	Steady time.Duration
}

// An Instant is a reading that the ledger keeps. Foreign says that it was taken
// under another boot of the host, so that Steady means nothing now.
type Instant struct {
	Wall    time.Time
	Steady  time.Duration
	Foreign bool
}

// A Transition is what has to happen to one deployment: this power, from this
// instant on. The deployment, power and instant are its identity.
type Transition struct {
	Power   policy.Power
	At      time.Time
	Because policy.Because
}

// Zero reports whether there is no transition.
func (t Transition) Zero() bool { return t.Power == policy.None }

// OutcomeKind is how a transition ended.
type OutcomeKind uint8

// The outcomes. A transition has exactly one.
const (
	Done       OutcomeKind = iota + 1 // its effect was observed
	Already                           // no call was needed
	Superseded                        // a newer edge took over
	Skipped                           // not to be done, for a Reason
	Missed                            // too late, for a Reason
	Failed                            // tried, and not achieved, for a Reason
)

// String returns the label of the metrics and the word of the ledger.
func (k OutcomeKind) String() string {
	switch k {
	case Done:
		return "done"
	case Already:
		return "already"
	case Superseded:
		return "superseded"
	case Skipped:
		return "skipped"
	case Missed:
		return "missed"
	case Failed:
		return "failed"
	}
	return "none"
}

// Reason is the closed list of why a transition was skipped, missed or failed.
type Reason string

// The reasons.
const (
	ReasonNone       Reason = ""
	ReasonActivation Reason = "activation"
	ReasonChanged    Reason = "changed"
	ReasonQuota      Reason = "quota"
	ReasonDryRun     Reason = "dry_run"
	ReasonProtected  Reason = "protected"
	ReasonName       Reason = "name"
	ReasonRemoved    Reason = "removed"
	ReasonUntouched  Reason = "untouched"
	ReasonSkip       Reason = "skip"
	ReasonPause      Reason = "pause"
	ReasonTooClose   Reason = "too_close"
	ReasonCatchUp    Reason = "catch_up"
	ReasonUnknown    Reason = "unknown"
	ReasonNotFound   Reason = "not_found"
	ReasonRefused    Reason = "refused"
)

// An Outcome is the record of how a transition ended, or of how Count edges
// ended that were passed over together (Count is 1 otherwise).
type Outcome struct {
	Deployment policy.DeploymentID
	Policy     string // name of the policy that was in force
	Transition
	Kind    OutcomeKind
	Reason  Reason
	Count   int
	Settled time.Time // wall clock
	Tries   int       // POSTs made for it
	Note    string    // for people: "overruled", the platform's message
}

// AttemptState is what is known of an attempt.
type AttemptState uint8

// The states of an attempt. It is open while Accepted or Doubtful. In the
// states after those the platform's answer, or looks, told that it did nothing:
// the transition is due again, each with another condition.
const (
	NoAttempt AttemptState = iota
	Accepted               // the platform said 2xx, or its effect began to show
	Doubtful               // nobody knows whether the platform took it
	Closed                 // no effect, or none seen in time: a look must show it unchanged
	NotTaken               // 401, 403, 429: the next permit decides
	Rejected               // 422: a look must show it unchanged
	Vanished               // 404: a look must find it again
)

// Open reports whether the platform may still be carrying the attempt out.
func (s AttemptState) Open() bool { return s == Accepted || s == Doubtful }

// needsLook reports whether no further POST may leave before a look that was
// asked for after the last one showed the deployment unchanged.
func (s AttemptState) needsLook() bool { return s == Closed || s == Rejected || s == Vanished }

// An Attempt is what a deployment's row remembers of the last POST for the
// transition that is due.
type Attempt struct {
	State AttemptState
	Transition
	Ended   Instant // when its answer was in, or its connection closed
	Tries   int     // POSTs for this transition so far
	Refused int     // answers 422 among them
}

// A Row is the one small row that the ledger keeps of a deployment.
type Row struct {
	Deployment  policy.DeploymentID
	Name        string             // as the last look told; whom a file selects at start
	Policy      string             // name, for people who read the ledger
	Floor       time.Time          // edges up to it are settled
	Fingerprint policy.Fingerprint // of the rule last in force, with its zone's data
	Power       policy.Power       // what the rule last in force wanted
	Armed       bool               // a transition was settled since the activation: enforce may act
	Gone        bool               // no longer in the file
	Due         Transition         // due and not settled when the row was written
	Raised      Transition         // a transition that is no edge: a correction, a return
	Attempt     Attempt
	Last        OutcomeKind // the last outcome, with its reason and transition
	LastReason  Reason
	LastPower   policy.Power
	LastAt      time.Time
}

// A Claim is a permit with the call that it is for. It is durable before the
// call's first byte leaves, and it counts against the quota whatever becomes
// of it, unless it is returned.
type Claim struct {
	ID         uint64
	Deployment policy.DeploymentID
	Method     quota.Method
	Transition Transition // zero for a GET
	Made       Instant
	Latest     time.Duration // steady: the latest possible end
	Probe      bool          // the call by which an unknown scope is learned
}

// An Ending is what became of a claim: when its call ended and how, or that it
// was Returned because certainly nothing was sent.
type Ending struct {
	Claim    uint64
	Returned bool
	Ended    Instant
	Known    bool          // the answer tells when the platform counted it
	Result   string        // the verdict's word
	Status   int           // HTTP status, 0 for none
	Wait     time.Duration // 429: no call like it for so long after Ended
}

// A Batch is what has to be made durable together, all or nothing, in the order
// of its fields.
type Batch struct {
	Rows      []Row // new or changed
	Claims    []Claim
	Endings   []Ending
	Outcomes  []Outcome         // appended to the history
	Overrides []policy.Override // new or changed
	Expired   []uint64          // overrides that are no longer an argument of anything
	Scopes    []LearnedScope
	Orders    []uint64 // orders that become durable with it
	Written   Now      // when it was put together
}

// Empty reports whether there is nothing to make durable.
func (b *Batch) Empty() bool {
	return len(b.Rows) == 0 && len(b.Claims) == 0 && len(b.Endings) == 0 && len(b.Outcomes) == 0 &&
		len(b.Overrides) == 0 && len(b.Expired) == 0 && len(b.Scopes) == 0 && len(b.Orders) == 0
}

// A LearnedScope is what the platform's answers taught about a method's quota.
// Auto takes the lesson back.
type LearnedScope struct {
	Method quota.Method
	Scope  quota.Scope
}

// A Use is a claim as the ledger gives it back at start. One without an ending
// has Open set, and Unsent where its call certainly never began.
type Use struct {
	Claim
	Open   bool
	Unsent bool
	Ended  Instant
	Known  bool
	Wait   time.Duration
}

// State is everything that a Fleet needs from the ledger at start.
type State struct {
	Rows      []Row
	Uses      []Use // those that may still count against a quota, and all open ones
	Overrides []policy.Override
	Scopes    [quota.Methods]quota.Scope // Auto: not learned
	LastClaim uint64                     // the highest number ever given
}

// A Call is one request that may start now: its claim is durable. A GET without
// a deployment is that of all of them.
type Call struct {
	Claim      uint64
	Method     quota.Method
	Deployment policy.DeploymentID
	Permit     quota.Permit // its NotAfter is the last steady instant for the first byte
	Epoch      uint64       // of the decisions that it follows from: see Fleet.Epoch
}

// A Look is what a GET told about a deployment.
type Look struct {
	Status      string
	Name        string
	Type        string
	Platform    string
	Region      string
	Connections int
}

// Listed is one deployment of the key, as the list of all of them tells.
type Listed struct {
	ID policy.DeploymentID
	Look
}

// An Answer is the end of a Call as the adapter saw it.
type Answer struct {
	Claim      uint64
	Began      Now // just before the first byte could leave
	Ended      Now // the answer was in, or the connection closed
	Sent       bool
	Recalled   bool     // not sent, since its Epoch was over
	Status     int      // HTTP status, 0 where there was none
	Sane       bool     // a 2xx whose body could be read
	Look       Look     // of a GET that was answered 200
	List       []Listed // of the GET of all deployments
	RetryAfter time.Duration
	Date       time.Time // the platform's Date header; zero where there was none
	Err        string    // for people; holds no secret
}

// OrderKind is what a person asks of the running daemon.
type OrderKind uint8

// The kinds of order.
const (
	OrderHold OrderKind = iota + 1
	OrderSkip
	OrderPause
	OrderRelease
	OrderConverge // do what the policy wants, now
	OrderLook     // ask the platform for the status, soon
)

// An Order is a person's word to the running daemon. ID is chosen by the
// caller and comes back in Ready.Acked once the order is durable.
type Order struct {
	ID         uint64
	Kind       OrderKind
	Deployment policy.DeploymentID
	Power      policy.Power // hold, skip
	Until      time.Time    // hold, skip, pause: its expiry
	Count      int          // skip
	Author     string
	Reason     string
}

// Ready is what a turn asks its driver to do. The order of the fields is the
// order of the work: what is in Commit must be durable before the Calls of a
// later turn, which come out only after Committed(nil). Calls and Notices are
// the Fleet's own lists: they hold until it is called again, and Commit until it
// is told that this is Committed.
type Ready struct {
	Commit  *Batch        // make durable, then call Committed; nil while one is out
	Calls   []Call        // their claims are durable: start now
	Acked   []uint64      // orders that are durable: answer the people who wait
	Notices []Notice      // what happened: log, metrics
	Wake    time.Duration // steady: turn again at this instant at the latest
	Exact   bool          // at Wake a call may be due: hit it closely
	Drained bool          // after Draining: nothing is in flight, nothing is left to commit
}

// Config is what a Fleet is told of the file in force. The caller has checked
// it: a Fleet takes it as it is.
type Config struct {
	Account      string
	Set          *policy.Set
	Protect      *policy.Protection // may be nil
	Quotas       [quota.Methods]quota.Limit
	ObserveEvery time.Duration
	ObserveList  bool // observe: list, one GET for all deployments of the key
	DryRun       bool
	TrustClock   bool      // clock: trust
	Release      time.Time // a wall clock before it is not believed
	KeyID        string    // changes when endpoint or credentials do; not a secret
}

// The core's fixed numbers (DESIGN sections 3 and 4).
const (
	DefaultObserveEvery = 5 * time.Minute
	CallTimeout         = 20 * time.Second // of one request, from its first byte
	Slots               = 64               // calls in flight that are younger than SlotTime
	MaxInFlight         = 512              // calls in flight of any age
	SlotTime            = 2 * time.Second
	MaxSleep            = 15 * time.Second // clocks are compared at least this often
)

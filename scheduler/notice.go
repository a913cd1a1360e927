package scheduler

import (
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// A Notice is something that happened, for the log and the metrics. It is one
// of CallEnded, LookEnded, Inventory, Settled, AttemptEnded, Alarm, ClockJump, ScopeLearned and
// Changed.
type Notice interface{ notice() }

// CallEnded says that a POST to the platform ended, or never left.
type CallEnded struct {
	Deployment policy.DeploymentID
	Policy     string
	Method     quota.Method
	Transition Transition
	Verdict    Verdict       // what its answer means
	Status     int           // HTTP status, 0 where there was none
	Took       time.Duration // first byte to answer
	Late       time.Duration // from the transition's instant to the first byte
	Cause      LateCause     // why Late is what it is
	Err        string
}

// LookEnded says the same of a GET; Deployment is empty for that of all of them.
// There are thousands for each POST, so it is small.
type LookEnded struct {
	Deployment policy.DeploymentID
	Verdict    Verdict
	Status     int
	Took       time.Duration
	Err        string
}

// LateCause says why a POST left when it did.
type LateCause string

// The causes of lateness, the closed list of the metrics' label.
const (
	CauseOnTime  LateCause = "on_time"
	CauseCatchUp LateCause = "catch_up"
	CauseRetry   LateCause = "retry"
	CauseHold    LateCause = "hold"
)

// Settled says that a transition, or Count of them, ended.
type Settled struct {
	Outcome
	Took time.Duration // done: from the instant to the observation
}

// Inventory is what a list of all deployments of the key told: whom a file could
// select.
type Inventory struct {
	Deployments []Listed
}

// AttemptEnded says that an attempt is no longer open.
type AttemptEnded struct {
	Deployment policy.DeploymentID
	Policy     string
	Power      policy.Power
	Result     ConfirmResult
}

// ConfirmResult is how an attempt closed, the closed list of the metrics' label.
type ConfirmResult string

// The results.
const (
	ConfirmSeen       ConfirmResult = "seen"        // the wanted status was observed
	ConfirmOverruled  ConfirmResult = "overruled"   // it began, then somebody else acted
	ConfirmRolledBack ConfirmResult = "rolled_back" // it began, and the platform took it back
	ConfirmNoEffect   ConfirmResult = "no_effect"   // looks show that the POST did nothing
	ConfirmUnseen     ConfirmResult = "unseen"      // confirm_within is over
)

// Alarm says that a person should know. Deployment is empty where the whole
// account is concerned.
type Alarm struct {
	Kind       AlarmKind
	Deployment policy.DeploymentID
	Text       string // one sentence, with the next step
}

// AlarmKind is the closed list of alarms.
type AlarmKind string

// The alarms.
const (
	AlarmKeyRefused  AlarmKind = "key_refused"  // 401
	AlarmForbidden   AlarmKind = "forbidden"    // 403
	AlarmLimited     AlarmKind = "limited"      // 429 that the ledger did not expect
	AlarmScopeKey    AlarmKind = "scope_key"    // the quota is counted over the whole key
	AlarmNotReached  AlarmKind = "not_reached"  // accepted, and not there in time
	AlarmUnknown     AlarmKind = "unknown"      // nobody knows what a POST did
	AlarmStatus      AlarmKind = "status"       // an unknown status lasts
	AlarmClock       AlarmKind = "clock"        // the wall clock is not believed
	AlarmNotFound    AlarmKind = "not_found"    // the platform does not know the deployment
	AlarmName        AlarmKind = "name"         // another name than the file says
	AlarmRefused     AlarmKind = "refused"      // 422 three times
	AlarmInfeasible  AlarmKind = "infeasible"   // a stop that could not be started in time
	AlarmLimitedGets AlarmKind = "limited_gets" // GETs are refused for now
)

// ClockJump says that the wall clock was stepped by By against the steady one.
type ClockJump struct {
	By time.Duration
}

// ScopeLearned says what an answer taught about a method's quota.
type ScopeLearned struct {
	Method quota.Method
	Scope  quota.Scope
}

// Changed says what a new configuration did to a deployment.
type Changed struct {
	Deployment policy.DeploymentID
	Policy     string
	What       ChangeKind
	Next       policy.Power // activated: what comes next; none where nothing lies ahead
	NextAt     time.Time    // its instant
}

// ChangeKind is what a new configuration means for a deployment.
type ChangeKind string

// The changes.
const (
	ChangeActivated ChangeKind = "activated" // seen for the first time, or again
	ChangeRule      ChangeKind = "changed"   // another rule
	ChangeRemoved   ChangeKind = "removed"   // no longer in the file
)

func (CallEnded) notice()    {}
func (LookEnded) notice()    {}
func (Inventory) notice()    {}
func (Settled) notice()      {}
func (AttemptEnded) notice() {}
func (Alarm) notice()        {}
func (ClockJump) notice()    {}
func (ScopeLearned) notice() {}
func (Changed) notice()      {}

package policy

import "time"

// OverrideKind is what a person asked for over a policy's head.
type OverrideKind uint8

// The kinds of override.
const (
	Hold  OverrideKind = iota + 1 // keep this power until
	Skip                          // cancel the next Count edges of this power
	Pause                         // want nothing until the first edge after its end
)

// String returns the command's word.
func (k OverrideKind) String() string {
	switch k {
	case Hold:
		return "hold"
	case Skip:
		return "skip"
	case Pause:
		return "pause"
	}
	return "override"
}

// MaxOverride is the longest time for which an override may be given.
const MaxOverride = 31 * 24 * time.Hour

// An Override is a person's temporary word over the policy, in force on
// [From, Until). A released one has its Until cut to the instant of release.
// An ended one stays an argument of the decision until an edge after its end is
// settled. A deployment has at most one hold or pause at a time. A skip whose
// Until is zero was not released.
type Override struct {
	ID         uint64
	Deployment DeploymentID
	Kind       OverrideKind
	Power      Power // Hold: what to keep. Skip: whose edges to cancel
	Before     Power // Hold: what was wanted at From without it
	From       time.Time
	Until      time.Time
	Count      int // Skip: how many edges
	Author     string
	Reason     string
}

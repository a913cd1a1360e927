package scheduler

import "curfew/policy"

// StatusKind is what the core makes of the platform's open list of statuses.
type StatusKind uint8

// The kinds. Everything that is not documented or seen in official code, and
// "failed" too, is StatusOther: shown as it is, acted on never.
const (
	StatusNone StatusKind = iota // never looked
	StatusRunning
	StatusStopped
	StatusStarting
	StatusStopping
	StatusPending
	StatusOther
	StatusGone // 404
	StatusKinds
)

// StatusOf reads the platform's text.
func StatusOf(text string) StatusKind {
	switch text {
	case "running":
		return StatusRunning
	case "stopped":
		return StatusStopped
	case "starting":
		return StatusStarting
	case "stopping":
		return StatusStopping
	case "pending":
		return StatusPending
	}
	return StatusOther
}

// String returns the label of the metrics.
func (k StatusKind) String() string {
	return [...]string{"none", "running", "stopped", "starting", "stopping", "pending", "other", "gone"}[k]
}

// Stable reports whether the status takes a start or a stop.
func (k StatusKind) Stable() bool { return k == StatusRunning || k == StatusStopped }

// Transient reports whether the status is on its way to another.
func (k StatusKind) Transient() bool {
	return k == StatusStarting || k == StatusStopping || k == StatusPending
}

// Shows returns the power that a stable status is; None for all others.
func (k StatusKind) Shows() policy.Power {
	switch k {
	case StatusRunning:
		return policy.Running
	case StatusStopped:
		return policy.Stopped
	}
	return policy.None
}

// towards returns the transient status that leads to p.
func towards(p policy.Power) StatusKind {
	if p == policy.Running {
		return StatusStarting
	}
	return StatusStopping
}

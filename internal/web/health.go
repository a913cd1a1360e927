package web

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"curfew/scheduler"
)

// Snapshots gives an immutable picture of the fleet, or says why there is none.
// It must return soon after its context is done, and it must not return neither
// a snapshot nor an error. scheduler.Loop.Snapshot is one.
type Snapshots func(context.Context) (*scheduler.Snapshot, error)

// LedgerState is how far the daemon has come with its ledger.
type LedgerState int32

// The states. A daemon begins with LedgerClosed.
const (
	LedgerClosed  LedgerState = iota // not tried yet, or being read
	LedgerWaiting                    // another daemon holds the lock
	LedgerOpen                       // the lock is ours and the rows are loaded
)

// maxQuiet is how long the loop may go without a turn. It turns every
// scheduler.MaxSleep, so that this is several turns missed, not one late.
const maxQuiet = 60 * time.Second

// readyWithin is how long a readiness probe waits for the loop.
const readyWithin = 2 * time.Second

// Health is what the daemon says of itself: where it is with its ledger and its
// configuration, and when its loop last turned. All methods are safe for
// concurrent use and none blocks.
//
// Whether the loop turns is judged by the machine's own clock, read here: a
// stepped wall clock must not make a healthy daemon look dead, nor the virtual
// time of a demonstration.
type Health struct {
	ledger   atomic.Int32
	alive    atomic.Pointer[time.Time] // last sign of life, with its monotonic reading
	turned   atomic.Pointer[time.Time] // the loop's own time of its last turn; nil before it
	reloadOK atomic.Bool               // the last configuration that was read is in force
	reloaded atomic.Pointer[time.Time] // when a configuration last came into force; nil before
}

// NewHealth returns the health of a daemon that has just begun: no ledger, no
// configuration, and a minute to make its first turn in.
func NewHealth() *Health {
	h := new(Health)
	h.signOfLife()
	return h
}

func (h *Health) signOfLife() {
	now := time.Now()
	h.alive.Store(&now)
}

// SetLedger says how far the daemon has come with its ledger. A daemon that has
// waited for the lock has a minute from then on to make its first turn.
func (h *Health) SetLedger(s LedgerState) {
	h.ledger.Store(int32(s))
	h.signOfLife()
}

// SetConfig says that a configuration was read at the wall time at: ok where it
// is in force now, false where the one before it stays.
func (h *Health) SetConfig(ok bool, at time.Time) {
	h.reloadOK.Store(ok)
	if ok {
		h.reloaded.Store(&at)
	}
}

// Turned says that the loop has turned, at this time of its wall clock.
func (h *Health) Turned(wall time.Time) {
	h.turned.Store(&wall)
	h.signOfLife()
}

// verdict is a probe's answer: a sentence, and whether it is good news.
type verdict struct {
	ok   bool
	text string
}

// live judges whether the process is worth keeping. Waiting for the lock is:
// a second daemon that is restarted every minute would be no spare.
func (h *Health) live() verdict {
	if LedgerState(h.ledger.Load()) == LedgerWaiting {
		return verdict{true, "ok: waiting for the ledger's lock, which another curfew holds"}
	}
	quiet := time.Since(*h.alive.Load())
	if quiet <= maxQuiet {
		return verdict{true, "ok"}
	}
	if h.turned.Load() == nil {
		return verdict{false, fmt.Sprintf("the loop has not made its first turn in %s", quiet.Round(time.Second))}
	}
	return verdict{false, fmt.Sprintf("the loop has not turned for %s; it should every %s",
		quiet.Round(time.Second), scheduler.MaxSleep)}
}

// missing names what the daemon still lacks before its loop can work; empty
// where that is nothing.
func (h *Health) missing() string {
	switch {
	case LedgerState(h.ledger.Load()) == LedgerWaiting:
		return "ledger: another curfew holds its lock"
	case LedgerState(h.ledger.Load()) != LedgerOpen:
		return "ledger: not open yet"
	case h.reloaded.Load() == nil:
		return "configuration: none is in force yet"
	}
	return ""
}

// ready judges whether the daemon does its work. The first commit makes the
// activations durable: before it, a restart would activate once more.
func (h *Health) ready(ctx context.Context, snapshot Snapshots) verdict {
	if text := h.missing(); text != "" {
		return verdict{false, text}
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	s, err := snapshot(ctx)
	switch {
	case err != nil:
		return verdict{false, fmt.Sprintf("loop: gives no answer: %v", err)}
	case s.Draining:
		return verdict{false, "loop: shutting down"}
	case !s.Settled:
		return verdict{false, "first commit: not durable yet"}
	}
	return verdict{true, "ready"}
}

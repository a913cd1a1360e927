package sim

import (
	"context"
	"fmt"
	"time"

	"curfew/internal/simplatform"
	"curfew/scheduler"
)

// A Scene is a short piece of virtual time on a platform that the caller has
// prepared: its deployments, what goes wrong there, and who else acts.
type Scene struct {
	Config scheduler.Config
	World  *simplatform.World
	From   time.Time     // when the daemon is started, with an empty ledger
	For    time.Duration // how long the scene lasts
}

// A Played is what the daemon made of a Scene. What the platform saw is in the
// World's own log.
type Played struct {
	Settled  []scheduler.Settled // in the order in which transitions ended
	Alarms   []scheduler.Alarm
	Learned  []scheduler.ScopeLearned
	Snapshot *scheduler.Snapshot // at the end
}

// Play lets the daemon's own Fleet live through s.
func Play(ctx context.Context, s Scene) (*Played, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := &listener{}
	m := newMachine(s.From, s.World, s.Config, l)
	if err := m.start(); err != nil {
		return nil, fmt.Errorf("play scene: %w", err)
	}
	if err := m.run(s.For); err != nil {
		return nil, fmt.Errorf("play scene: %w", err)
	}
	l.Snapshot = m.fleet.Snapshot(m.now())
	return &l.Played, nil
}

// A listener is the witness of Play: it keeps what the daemon tells.
type listener struct {
	unmoved
	Played
}

func (l *listener) called(scheduler.Call) error { return nil }

func (l *listener) noticed(_ scheduler.Now, all []scheduler.Notice) error {
	for _, n := range all {
		switch n := n.(type) {
		case scheduler.Settled:
			l.Settled = append(l.Settled, n)
		case scheduler.Alarm:
			l.Alarms = append(l.Alarms, n)
		case scheduler.ScopeLearned:
			l.Learned = append(l.Learned, n)
		}
	}
	return nil
}

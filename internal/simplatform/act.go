package simplatform

import (
	"fmt"
	"time"
)

// Action is what a person does by hand in the platform's console.
type Action uint8

// The actions. Those of a person use no quota and appear in no log of requests;
// History has them.
const (
	PersonStart Action = iota + 1
	PersonStop
	Delete
	Recreate  // the deleted one is there again, with the status given, else running
	SetStatus // the status given, whatever it was: an unknown word, a failure
)

// String returns "start", "stop", "delete", "recreate" or "status".
func (a Action) String() string {
	switch a {
	case PersonStart:
		return "start"
	case PersonStop:
		return "stop"
	case Delete:
		return "delete"
	case Recreate:
		return "recreate"
	case SetStatus:
		return "status"
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// UnmarshalText reads a word of String; any other is an error.
func (a *Action) UnmarshalText(text []byte) error {
	for x := PersonStart; x <= SetStatus; x++ {
		if x.String() == string(text) {
			*a = x
			return nil
		}
	}
	return fmt.Errorf("unknown act %q: want start, stop, delete, recreate or status", text)
}

// An Act is one thing that a person does to the deployment with the id.
type Act struct {
	ID     string
	Do     Action
	Status Status // for Recreate and SetStatus
}

// Act lets a person act now. As in the console, a start needs a deployment that
// does not run and a stop one that runs, and a transient status takes neither.
func (w *World) Act(now time.Time, a Act) error {
	if err := w.act(w.advance(now), a); err != nil {
		return fmt.Errorf("%s deployment %q: %w", a.Do, a.ID, err)
	}
	return nil
}

// Plan lets a person act once server time reaches at. What is not possible by
// then does not happen.
func (w *World) Plan(at time.Time, a Act) {
	w.plan(planned{at.UnixNano(), func(now int64) { _ = w.act(now, a) }})
}

func (w *World) act(at int64, a Act) error {
	if a.Do < PersonStart || a.Do > SetStatus {
		return ErrAct
	}
	r := w.byID[a.ID]
	if r == nil || len(r.changes) == 0 {
		return ErrUnknown
	}
	switch s := r.statusAt(at); {
	case a.Do == Recreate:
		return recreate(at, r, a.Status)
	case s == Gone:
		return ErrUnknown
	case a.Do == Delete:
		r.set(at, Gone, ByPerson)
	case a.Do == SetStatus && a.Status != Gone:
		r.set(at, a.Status, ByPerson)
		r.begun = begun{by: ByPerson}
	case a.Do == PersonStart && s != Running && !s.transient():
		r.begin(at, Start, ByPerson, NoFault)
	case a.Do == PersonStop && s != Stopped && !s.transient():
		r.begin(at, Stop, ByPerson, NoFault)
	default:
		return ErrStatus
	}
	return nil
}

func recreate(at int64, r *record, s Status) error {
	if r.statusAt(at) != Gone {
		return ErrExists
	}
	if s == Gone {
		s = Running
	}
	r.set(at, s, ByPerson)
	r.begun = begun{by: ByPerson}
	return nil
}

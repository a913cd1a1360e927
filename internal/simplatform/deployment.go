package simplatform

import (
	"math"
	"time"
)

// A Deployment is one deployment as the API describes it. Status is its status
// when it is given to World.Add (running, where empty), and the reported one
// when it comes out of an answer.
type Deployment struct {
	ID          string
	Name        string
	Type        string // "dedicated", "serverless", "dedicatedFlex"
	Platform    string // display text: "AWS"
	Region      string // display text: "N. Virginia (us-east-1)"
	Connections int    // purchased capacity
	CreateAt    string // "2024-07-22 05:32", no zone
	Status      Status

	// What only the list of all deployments says.
	ProjectName string
	Version     string
	TPS         int
}

// Never, as the time that a transition takes, makes it stick half-way.
const Never = time.Duration(math.MaxInt64)

// Timing is how a deployment behaves in time. A Boot or Halt of zero takes the
// World's default.
type Timing struct {
	Boot    time.Duration // from an accepted start to running
	Halt    time.Duration // from an accepted stop to stopped
	Pending time.Duration // how long it shows pending before starting or stopping
	Lag     time.Duration // a GET shows the status of so long ago
}

// or fills what t leaves out from d.
func (t Timing) or(d Timing) Timing {
	if t.Boot == 0 {
		t.Boot = d.Boot
	}
	if t.Halt == 0 {
		t.Halt = d.Halt
	}
	if t.Pending == 0 {
		t.Pending = d.Pending
	}
	if t.Lag == 0 {
		t.Lag = d.Lag
	}
	return t
}

// A Change is an instant at which a deployment's status changed; Gone where it
// was deleted.
type Change struct {
	At     time.Time
	Status Status
	By     By
}

type change struct {
	at     int64 // server time, nanoseconds since 1970
	status Status
	by     By
}

// A record is all that the World knows of one id. A record whose id nobody has
// added holds only meters: a quota counts requests for it as well.
type record struct {
	Deployment
	timing  Timing
	changes []change // ascending; those of an open transition lie ahead of now
	meters  [Methods]meter
	begun   begun
}

// begun is the latest transition that somebody set going.
type begun struct {
	by     By
	method Method
	at     int64
}

// statusAt looks from the end: what is asked for is nearly always the present.
func (r *record) statusAt(at int64) Status {
	for i := len(r.changes) - 1; i >= 0; i-- {
		if r.changes[i].at <= at {
			return r.changes[i].status
		}
	}
	return Gone
}

// shownAt is what a GET reports: the status as it was Lag ago.
func (r *record) shownAt(at int64) Status {
	now := r.statusAt(at)
	if r.timing.Lag == 0 {
		return now
	}
	if old := r.statusAt(at - int64(r.timing.Lag)); old != Gone {
		return old
	}
	return now
}

// headingAt is the stable status that the deployment has or is on its way to.
func (r *record) headingAt(at int64) Status {
	s := r.statusAt(at)
	if s == Pending {
		return r.begun.method.target()
	}
	return s.toward()
}

// set makes s the status from at on; what was to come is off.
func (r *record) set(at int64, s Status, by By) {
	for len(r.changes) > 0 && r.changes[len(r.changes)-1].at > at {
		r.changes = r.changes[:len(r.changes)-1]
	}
	r.changes = append(r.changes, change{at, s, by})
}

// begin sets a start or a stop going. k may be a fault that spoils the end of it.
func (r *record) begin(at int64, m Method, by By, k Kind) {
	r.begun = begun{by, m, at}
	if r.timing.Pending > 0 {
		r.set(at, Pending, by)
		at = later(at, r.timing.Pending)
	}
	r.set(at, m.passing(), by)
	took := r.timing.Boot
	if m == Stop {
		took = r.timing.Halt
	}
	if took == Never || k == Stuck {
		return
	}
	r.set(later(at, took), m.settles(k), by)
}

// settles is where a transition ends that ends.
func (m Method) settles(k Kind) Status {
	switch {
	case k == Fails:
		return Failed
	case k == RollBack && m == Start:
		return Stopped
	case k == RollBack:
		return Running
	}
	return m.target()
}

// later is at plus d, without running over the end of time.
func later(at int64, d time.Duration) int64 {
	if at > math.MaxInt64-int64(d) {
		return math.MaxInt64
	}
	return at + int64(d)
}

// instant is the time.Time of a server time, in UTC.
func instant(at int64) time.Time { return time.Unix(0, at).UTC() }

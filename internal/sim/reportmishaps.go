package sim

import (
	"time"

	"curfew/internal/simplatform"
)

// A MishapKind is something that went wrong in a simulated span.
type MishapKind string

// The kinds of mishap, a closed list.
const (
	MishapLostAnswer  MishapKind = "lost_answer"        // the platform did it, and no answer came
	MishapLostRequest MishapKind = "lost_request"       // it was cut off, and the platform did nothing
	MishapError       MishapKind = "server_error"       // 5xx
	MishapConnection  MishapKind = "refused_connection" // nothing arrived
	MishapHang        MishapKind = "late_answer"        // after the daemon had given up
	MishapLimited     MishapKind = "foreign_429"        // 429 for what others did
	MishapRollBack    MishapKind = "roll_back"          // the platform took a transition back
	MishapSlow        MishapKind = "slow_transition"    // two to four times as long as usual
	MishapOutage      MishapKind = "outage"             // of the platform; Total is how long
	MishapOutageCall  MishapKind = "outage_request"     // a request that fell into one
	MishapKill        MishapKind = "daemon_killed"      // Total is how long it was down
	MishapClock       MishapKind = "clock_step"         // of the daemon's host
	MishapForeign     MishapKind = "foreign_call"       // others used a permit of the key
	MishapPerson      MishapKind = "person_acted"       // started or stopped by hand
)

// MishapKinds returns every kind in the order in which a Report has them.
func MishapKinds() []MishapKind {
	return []MishapKind{
		MishapLostAnswer, MishapLostRequest, MishapError, MishapConnection, MishapHang, MishapLimited, MishapRollBack,
		MishapSlow, MishapOutage, MishapOutageCall, MishapKill, MishapClock, MishapForeign, MishapPerson,
	}
}

// A Mishap is how often something went wrong: as the simulated platform and the
// simulated host counted it, whatever the daemon noticed of it.
type Mishap struct {
	Kind  MishapKind
	Count int
	Total time.Duration // of outages and of a daemon that was down; 0 for the rest
}

// mishapOf is what a fault of the platform is to people.
func mishapOf(k simplatform.Kind) MishapKind {
	switch k {
	case simplatform.LostAnswer:
		return MishapLostAnswer
	case simplatform.Dropped:
		return MishapLostRequest
	case simplatform.Refused:
		return MishapConnection
	case simplatform.Hang:
		return MishapHang
	case simplatform.Limited:
		return MishapLimited
	case simplatform.RollBack:
		return MishapRollBack
	case simplatform.Stuck:
		return MishapSlow
	}
	return MishapError
}

func (w *weather) add(k MishapKind, n int, d time.Duration) {
	m := w.count[k]
	if m == nil {
		m = &Mishap{Kind: k}
		w.count[k] = m
	}
	m.Count += n
	m.Total += d
}

// mishaps is what went wrong up to now.
func (w *weather) mishaps() []Mishap {
	var all []Mishap
	for _, k := range MishapKinds() {
		if m := w.count[k]; m != nil {
			all = append(all, *m)
		}
	}
	return all
}

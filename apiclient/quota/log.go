package quota

import (
	"math"
	"slices"
	"time"
)

// Never is the instant at which a permit frees that never frees.
const Never = time.Duration(math.MaxInt64)

// longAgo is before every end of a request, with room for a window.
const longAgo = time.Duration(math.MinInt64 / 2)

// Margin is what is added to a window after a request whose answer is known.
func (l Limit) Margin() time.Duration { return l.Per / 1000 }

// UnknownMargin is what is added to a window after a request of which nobody
// knows when the server counted it.
func (l Limit) UnknownMargin() time.Duration { return l.Per / 30 }

// A Permit is the right to make one call of one method. Only Log.Claim makes
// one that counts; the zero Permit allows nothing.
type Permit struct {
	id       uint64
	method   Method
	notAfter time.Duration
	latest   time.Duration
	forget   time.Duration // a request that ended by then counts no more
}

// ID returns the number of the claim that the permit belongs to; 0 in a zero
// Permit.
func (p Permit) ID() uint64 { return p.id }

// Allows reports whether p is a permit for method m.
func (p Permit) Allows(m Method) bool { return p.id != 0 && p.method == m }

// NotAfter is the steady instant after which the call's first byte must not
// leave.
func (p Permit) NotAfter() time.Duration { return p.notAfter }

// State is what is known of the end of a request.
type State uint8

// The states of a Use.
const (
	Open    State = iota // claimed; no answer yet: End is the latest possible one
	Ended                // answered: End is when the answer was in
	Unknown              // no usable answer: End is when the connection was closed
)

// A Use is one request as a Log counts it.
type Use struct {
	ID    uint64
	End   time.Duration // steady clock
	State State
}

// free is the instant at which u stops counting: Never, where its end is so far
// off that the sum would turn over and free it at once.
func (u Use) free(lim Limit) time.Duration {
	margin := lim.Margin()
	if u.State != Ended {
		margin = lim.UnknownMargin()
	}
	if u.End > Never-lim.Per-margin {
		return Never
	}
	return u.End + lim.Per + margin
}

// A Log holds the requests of one method that still count. The zero Log is
// empty and ready for use. It is not safe for concurrent use.
type Log struct {
	uses []Use
	// What was forgotten counts again where a new limit has a longer window: so
	// many uses, the last of which that was answered ended at lastEnded, and the
	// last of the others at lastUnknown.
	forgotten              int
	lastEnded, lastUnknown time.Duration
}

// again is when what was forgotten stops counting under lim: in the past, as
// long as nobody makes the window longer.
func (l *Log) again(lim Limit) time.Duration {
	if l.forgotten == 0 {
		return longAgo
	}
	return max(Use{End: l.lastEnded, State: Ended}.free(lim), Use{End: l.lastUnknown, State: Unknown}.free(lim))
}

// Ready returns now where one more request is allowed, else the steady instant
// at which it will be. keep is how many requests of the limit are held back for
// more important ones; at least one is always left. A limit of none is Never
// ready.
func (l *Log) Ready(lim Limit, keep int, now time.Duration) time.Duration {
	if lim.N < 1 {
		return Never
	}
	n := max(1, lim.N-keep)
	if len(l.uses) < n && l.again(lim) <= now || l.counting(lim, now) < n {
		return now
	}
	counting := l.Frees(lim, now)
	return counting[len(counting)-n]
}

// Frees returns when each of the requests that count at now stops counting, in
// that order.
func (l *Log) Frees(lim Limit, now time.Duration) []time.Duration {
	var all []time.Duration
	if again := l.again(lim); again > now {
		for range min(lim.N, l.forgotten) {
			all = append(all, again)
		}
	}
	for _, u := range l.uses {
		if at := u.free(lim); at > now {
			all = append(all, at)
		}
	}
	slices.Sort(all)
	return all
}

// counting is how many requests count at now.
func (l *Log) counting(lim Limit, now time.Duration) int {
	n := 0
	if l.forgotten > 0 && l.again(lim) > now {
		n = l.forgotten
	}
	for _, u := range l.uses {
		if u.free(lim) > now {
			n++
		}
	}
	return n
}

// Left returns how many requests are allowed at now.
func (l *Log) Left(lim Limit, now time.Duration) int {
	return max(0, lim.N-l.counting(lim, now))
}

// Claim takes a permit for claim number id (not 0), or refuses where the limit
// does not allow one at now. The call's first byte must leave at notAfter at
// the latest, and its end is known at latest at the latest: until End says
// better, the permit counts from there.
func (l *Log) Claim(id uint64, m Method, lim Limit, now, notAfter, latest time.Duration) (Permit, bool) {
	if id == 0 || l.Ready(lim, 0, now) > now {
		return Permit{}, false
	}
	if l.prunes() {
		l.prune(lim, now)
	}
	p := Permit{id: id, method: m, notAfter: notAfter, latest: latest}
	p.forget = now - lim.Per - lim.UnknownMargin()
	l.Note(p)
	return p, true
}

// Note counts a permit that another Log gave: a call uses up its deployment's
// log and its key's. It also forgets what has stopped counting, since nothing
// may ever be claimed from a log that is only noted in.
func (l *Log) Note(p Permit) {
	if l.prunes() {
		l.forget(func(u Use) bool { return u.End <= p.forget })
	}
	l.uses = append(l.uses, Use{ID: p.id, End: p.latest, State: Open})
}

// End records when the request of claim id ended; known says whether its
// answer tells that the server counted it before that instant.
func (l *Log) End(id uint64, at time.Duration, known bool) {
	state := Unknown
	if known {
		state = Ended
	}
	for i := range l.uses {
		if l.uses[i].ID == id {
			l.uses[i].End, l.uses[i].State = at, state
			return
		}
	}
}

// Return gives back the permit of claim id: nothing of its call was sent.
func (l *Log) Return(id uint64) {
	l.uses = slices.DeleteFunc(l.uses, func(u Use) bool { return u.ID == id })
}

// Restore adds a use from the ledger.
func (l *Log) Restore(u Use) { l.uses = append(l.uses, u) }

// prunes reports whether it is time to forget: with one claim in four, so that
// the list stays about as short as what counts, and always before it grows.
func (l *Log) prunes() bool { return len(l.uses)%4 == 3 || len(l.uses) == cap(l.uses) }

// prune forgets what has stopped counting.
func (l *Log) prune(lim Limit, now time.Duration) {
	l.forget(func(u Use) bool { return u.free(lim) <= now })
}

// forget drops the uses that have stopped counting, and remembers how many there
// were and when the last of them ended.
func (l *Log) forget(stopped func(Use) bool) {
	l.uses = slices.DeleteFunc(l.uses, func(u Use) bool {
		if !stopped(u) {
			return false
		}
		l.remember(1, u)
		return true
	})
}

// remember counts n uses as forgotten, of which u ended last.
func (l *Log) remember(n int, u Use) {
	if l.forgotten == 0 {
		l.lastEnded, l.lastUnknown = longAgo, longAgo
	}
	l.forgotten += n
	if u.State == Ended {
		l.lastEnded = max(l.lastEnded, u.End)
	} else {
		l.lastUnknown = max(l.lastUnknown, u.End)
	}
}

// Add counts in l all that other counts, and all that it has forgotten.
func (l *Log) Add(other *Log) {
	l.uses = append(l.uses, other.uses...)
	if n := other.forgotten; n > 0 {
		l.remember(n, Use{End: other.lastEnded, State: Ended})
		l.remember(0, Use{End: other.lastUnknown, State: Unknown})
	}
}

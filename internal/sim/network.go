package sim

import (
	"math/rand/v2"
	"time"
)

// A network says how long things take between the daemon, its disk and the
// platform. The zero network takes no time at all on the way out, and a tenth
// of a second on the way back.
type network struct {
	dice  *rand.Rand    // nil: everything takes its usual time
	skew  time.Duration // of the platform's Date header
	slow  time.Duration // every commit takes so long, where there are no dice
	held  time.Duration // a request may arrive so long after its client gave up
	pause float64       // the share of connections and commits that take seconds
}

const usualAnswer = 100 * time.Millisecond

// out is how long a connection takes, and then the request's way. Some requests
// are held up so long that they arrive when the client has given up.
func (n *network) out() (connect, uplink time.Duration) {
	if n.dice == nil {
		return 0, 0
	}
	connect, uplink = n.upTo(30*time.Millisecond), n.upTo(200*time.Millisecond)
	if n.rarely() {
		connect = n.upTo(25 * time.Second)
	}
	if n.rarely() { // its answer may still come in time
		uplink = n.upTo(sendTime)
	}
	if n.held > 0 && n.rarely() {
		uplink = sendTime + n.upTo(n.held)
	}
	return connect, uplink
}

// oversleep is how late a timer fires.
func (n *network) oversleep() time.Duration {
	if n.dice == nil {
		return 0
	}
	return n.upTo(2 * time.Millisecond)
}

// back is how long an answer takes.
func (n *network) back() time.Duration {
	if n.dice == nil {
		return usualAnswer
	}
	if n.rarely() {
		return n.upTo(30 * time.Second)
	}
	return n.upTo(400 * time.Millisecond)
}

// commit is how long a batch takes to the disk.
func (n *network) commit() time.Duration {
	if n.dice == nil {
		return n.slow
	}
	if n.rarely() {
		return n.upTo(30 * time.Second)
	}
	return n.upTo(8 * time.Millisecond)
}

func (n *network) rarely() bool { return n.pause > 0 && n.dice.Float64() < n.pause }

func (n *network) upTo(d time.Duration) time.Duration { return time.Duration(n.dice.Int64N(int64(d))) }

// dice returns the dice of a seed; what names their use, so that one more roll
// for one thing changes nothing in another.
func dice(seed uint64, what string) *rand.Rand {
	h := uint64(14695981039346656037)
	for i := range len(what) {
		h = (h ^ uint64(what[i])) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h))
}

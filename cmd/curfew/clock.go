package main

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"curfew/scheduler"
)

// releaseYear is when this program was written: a wall clock before it was never
// set, and no start or stop leaves by it.
const releaseYear = 2026

func released() time.Time { return time.Date(releaseYear, time.January, 1, 0, 0, 0, 0, time.UTC) }

// A clock is what the daemon knows the time by: the machine's, or a lapse of it.
// Nothing else in the program asks what time it is to decide something.
type clock struct {
	read func() scheduler.Now
	boot string  // under which Steady is to be understood
	fast float64 // seconds of read in one of the machine's
}

// machineClock is the clock of everyday.
func machineClock() clock { return clock{read: readClocks(), boot: bootID(), fast: 1} }

// readClocks returns the one function that reads the machine's two clocks.
func readClocks() func() scheduler.Now {
	t := &twoClocks{steady: steadyClock()}
	return t.read
}

// twoClocks reads the wall clock and the steady one as of the same moment. Go's
// time.Now has the wall clock and CLOCK_MONOTONIC together for a twentieth of
// what two system calls cost, and CLOCK_MONOTONIC runs as CLOCK_BOOTTIME does
// while the host is awake. So the steady clock itself is asked now and then, and
// at once when the wall clock has moved against CLOCK_MONOTONIC: then somebody
// set it, or the host slept.
type twoClocks struct {
	steady func() time.Duration
	last   atomic.Pointer[reading]
	mu     sync.Mutex // held to ask the steady clock
}

// A reading is a moment at which both clocks were asked.
type reading struct {
	at     time.Time // with Go's monotonic reading
	steady time.Duration
}

// How far wall and monotonic clock may move against each other, and how long a
// reading may serve.
const (
	together = time.Millisecond
	afresh   = time.Second
)

func (t *twoClocks) read() scheduler.Now {
	now := time.Now()
	if r := t.last.Load(); r != nil {
		if steady, ok := r.serves(now); ok {
			return scheduler.Now{Wall: now.Round(0), Steady: steady}
		}
	}
	return t.ask()
}

// serves tells the steady clock at now, if r is recent and nothing has happened
// since.
func (r *reading) serves(now time.Time) (time.Duration, bool) {
	awake := now.Sub(r.at) // monotonic
	moved := now.Round(0).Sub(r.at.Round(0)) - awake
	return r.steady + awake, awake < afresh && moved.Abs() < together
}

// ask asks both clocks. Where something came in between, a suspend even, the
// wall clock would seem to have been stepped, so it asks again.
func (t *twoClocks) ask() scheduler.Now {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := reading{}
	for range 10 {
		before := t.steady()
		r.at = time.Now()
		if r.steady = t.steady(); r.steady-before < together {
			break
		}
	}
	if old := t.last.Load(); old != nil {
		if steady, _ := old.serves(r.at); steady-r.steady < together {
			r.steady = max(r.steady, steady) // never back, not by the time that a call takes
		}
	}
	t.last.Store(&r)
	return scheduler.Now{Wall: r.at.Round(0), Steady: r.steady}
}

// randomBoot is a boot id that no other process has.
func randomBoot() string { return "process " + rand.Text() }

// real is how long d of this clock takes on the machine's.
func (c clock) real(d time.Duration) time.Duration {
	if c.fast == 1 {
		return d
	}
	return time.Duration(float64(d) / c.fast)
}

// virtual is how long d of the machine's clock takes on this one.
func (c clock) virtual(d time.Duration) time.Duration {
	if c.fast == 1 {
		return d
	}
	return time.Duration(float64(d) * c.fast)
}

// A lapse makes time pass faster, for demonstrations and tests: days in
// minutes, through the same loop, client and ledger. Processes that are given
// the same three values have the same time.
type lapse struct {
	factor float64
	origin string
	anchor int64
}

// flags adds the three hidden flags of a lapse.
func (l *lapse) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Float64Var(&l.factor, "time-lapse", 0, "let time pass so many times faster (loopback endpoints only)")
	flags.StringVar(&l.origin, "time-origin", "", "the `TIME` that it is when the lapse begins (RFC 3339)")
	flags.Int64Var(&l.anchor, "time-anchor", 0, "the `NS` of CLOCK_BOOTTIME at which it begins")
	for _, name := range []string{"time-lapse", "time-origin", "time-anchor"} {
		_ = flags.MarkHidden(name) // fails only for a flag that is not there
	}
}

// on reports whether a lapse was asked for.
func (l *lapse) on() bool { return l.origin != "" || l.factor != 0 || l.anchor != 0 }

// clock returns the clock that the flags ask for. Another lapse is another
// boot: steady instants of one mean nothing in another.
func (l *lapse) clock() (clock, error) {
	machine := machineClock()
	if !l.on() {
		machine.read = stepped(machine.read)
		return machine, nil
	}
	origin, err := time.Parse(time.RFC3339Nano, l.origin)
	if err != nil || !(l.factor >= 1 && l.factor <= 1e6) || l.anchor <= 0 {
		return clock{}, usagef("a lapse takes all three of --time-lapse (1 to 1000000), --time-origin (RFC 3339) and --time-anchor (ns)")
	}
	factor, anchor := l.factor, time.Duration(l.anchor)
	return clock{
		read: stepped(func() scheduler.Now {
			passed := time.Duration(factor * float64(machine.read().Steady-anchor))
			return scheduler.Now{Wall: origin.Add(passed), Steady: passed}
		}),
		boot: fmt.Sprintf("%s, %v times faster from %s at %d", machine.boot, factor, l.origin, anchor),
		fast: factor,
	}, nil
}

// overLoopback reports whether an endpoint is plain http, which the
// configuration accepts on loopback only: no real platform lives in a lapse.
func overLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

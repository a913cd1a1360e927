package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/scheduler"
)

// A machine is one host with one daemon on it, and the platform outside. Time
// that really passes is counted from its epoch; what the daemon reads are the
// host's clocks. Nothing here waits: the next instant at which something happens
// is the next instant.
type machine struct {
	epoch   time.Time
	real    time.Duration // since epoch; the platform's clock shows it truly
	clock   clock
	world   *simplatform.World
	disk    *Disk
	config  scheduler.Config // the file on the disk
	witness witness
	network network
	fate    func(effect) fate // of the daemon's effects; nil where all go well

	fleet  *scheduler.Fleet // nil while no process runs
	ledger *Model
	life   int           // the processes so far
	wake   time.Duration // real time of the turn that the Fleet asked for
	asleep time.Duration // real time until which the host is suspended
	commit pending       // the batch that is on its way to the disk
	still  int           // turns since time last passed
	turns  int           // all of them

	full    time.Duration     // real time until which the disk takes nothing
	offline time.Duration     // real time until which no name resolves
	names   map[string]string // what the platform calls deployments now, by id, where it is another name
	drained func() error      // the process has ended as SIGTERM asked it to
	patient bool              // the supervisor's pause grows
	began   time.Duration     // real time of the last start
	deaths  int               // processes in a row that ended soon

	queue   queue
	spare   []*call
	effects int
}

// A witness is told what happens, in the order in which it does. An error of
// its ends the run: something was seen that must not be.
type witness interface {
	committed(b *scheduler.Batch) error                     // b is durable now, whatever the daemon learns of that
	called(c scheduler.Call) error                          // c is about to leave
	arrived(c scheduler.Call, r simplatform.Response) error // it reached the platform
	answered(c scheduler.Call, a scheduler.Answer)          // the daemon takes its answer in
	noticed(scheduler.Now, []scheduler.Notice) error        // a turn told
	began(life int, now scheduler.Now, s scheduler.State)   // a process starts
}

// unmoved is the part of a witness that looks away.
type unmoved struct{}

func (unmoved) committed(*scheduler.Batch) error                   { return nil }
func (unmoved) arrived(scheduler.Call, simplatform.Response) error { return nil }
func (unmoved) answered(scheduler.Call, scheduler.Answer)          {}
func (unmoved) began(int, scheduler.Now, scheduler.State)          {}

// A fate is what befalls the daemon at one of its effects.
type fate uint8

const (
	fine        fate = iota
	crashBefore      // the process dies, and nothing of it comes about
	crashAfter       // it comes about, and the process dies before it learns so
	lost             // it comes about, and the daemon is told that it may not have
	failed           // it does not come about, and the daemon cannot be sure of that
)

// An effect is one step of the daemon into the world: a batch to the disk, or a
// call to the platform. They are counted from 1 over all processes.
type effect struct {
	n     int
	batch *scheduler.Batch // nil for a call
	call  scheduler.Call
}

// pending is a batch that is being written.
type pending struct {
	batch *scheduler.Batch // nil where there is none
	at    time.Duration    // real time at which its end is known
	fate  fate
}

// restartAfter is how long a supervisor waits before it starts a daemon again.
const restartAfter = 2 * time.Second

// lifeWorth is how long a process lives that did not just fall over.
const lifeWorth = 30 * time.Second

// restless is how many turns in a row at one instant mean that a Fleet will not
// come to rest.
const restless = 20000

// never is the real time that does not come.
const never = time.Duration(1<<63 - 1)

func newMachine(epoch time.Time, w *simplatform.World, c scheduler.Config, wit witness) *machine {
	return &machine{
		epoch: epoch, world: w, config: c, witness: wit, wake: never,
		disk:  &Disk{keep: 2 * longestWindow(c)},
		clock: clock{boots: 1, base: firstBoot},
	}
}

func longestWindow(c scheduler.Config) time.Duration {
	longest := time.Hour
	for _, lim := range c.Quotas {
		longest = max(longest, lim.Per)
	}
	return longest
}

// server is what the platform's clock shows.
func (m *machine) server() time.Time { return m.epoch.Add(m.real) }

// now reads the host's clocks.
func (m *machine) now() scheduler.Now { return m.clock.read(m.epoch, m.real) }

// start starts a process: it loads the ledger and begins.
func (m *machine) start() error {
	m.life++
	m.began = m.real
	m.ledger = m.disk.Open(fmt.Sprintf("boot-%d", m.clock.boots))
	state, err := m.ledger.Load(context.Background())
	if err != nil {
		return err
	}
	m.witness.began(m.life, m.now(), state)
	m.fleet = scheduler.New(m.now(), m.config, state)
	return m.turn()
}

// kill ends the process as kill -9 does: what was on its way to the disk is
// there or not, requests in the air go on, their answers find nobody.
func (m *machine) kill(reached bool) error {
	b := m.commit.batch
	m.fleet, m.commit, m.wake = nil, pending{}, never
	if b == nil || !reached {
		return nil
	}
	return m.write(b)
}

// restart starts another process after a while.
func (m *machine) restart(after time.Duration) {
	life := m.life
	m.at(m.real+after, func() error {
		if m.fleet != nil || m.life != life {
			return nil
		}
		return m.start()
	})
}

// again has the supervisor start a daemon that has died.
func (m *machine) again() { m.restart(m.pause()) }

// pause is how long a supervisor waits before it starts a daemon again. One that
// is patient waits longer after each process that did not live long.
func (m *machine) pause() time.Duration {
	if m.deaths++; !m.patient || m.real-m.began > lifeWorth {
		m.deaths = 0
	}
	return restartAfter << min(m.deaths, 5)
}

// drain asks the process to end, as SIGTERM does.
func (m *machine) drain() error {
	m.fleet.Draining(m.now())
	m.recall()
	return m.turn()
}

// configure puts a file into force, as a reload does.
func (m *machine) configure() {
	m.fleet.Configured(m.now(), m.config)
	m.recall()
}

// at plans something for a real instant.
func (m *machine) at(real time.Duration, do func() error) {
	m.queue.push(happening{at: real, do: do})
}

// run lets time pass up to a real instant.
func (m *machine) run(end time.Duration) error {
	for {
		next, own := m.next()
		if next > end {
			m.real = end
			return nil
		}
		if next > m.real {
			m.real, m.still = next, 0
		}
		if err := m.step(own); err != nil {
			return fmt.Errorf("%s: %w", m.server().UTC().Format("2006-01-02 15:04:05.000"), err)
		}
	}
}

// next is the real instant at which something happens next, and whether it is
// the process itself that moves, not the world around it.
func (m *machine) next() (time.Duration, bool) {
	own := max(min(m.wake, m.commitAt()), m.asleep)
	if at, ok := m.queue.next(); ok && at <= own {
		return max(at, m.real), false
	}
	return max(own, m.real), true
}

func (m *machine) commitAt() time.Duration {
	if m.commit.batch == nil {
		return never
	}
	return m.commit.at
}

// step does what happens now, and lets the Fleet have its turn.
func (m *machine) step(own bool) error {
	switch {
	case !own:
		return m.then(m.happen())
	case m.commitAt() <= m.real:
		return m.then(m.durable())
	}
	return m.turn()
}

// happen lets all that comes at this instant come, so that the Fleet sees it in
// one turn, as a loop that drains its answers does.
func (m *machine) happen() error {
	for {
		h := m.queue.pop()
		do := h.do
		if do == nil {
			do = func() error { return m.landed(h.call) }
		}
		if err := do(); err != nil {
			return err
		}
		if at, ok := m.queue.next(); !ok || at > m.real {
			return nil
		}
	}
}

// then gives the Fleet its turn after something has happened to it.
func (m *machine) then(err error) error {
	if err != nil || m.fleet == nil || m.asleep > m.real {
		return err
	}
	return m.turn()
}

var errRestless = errors.New("the fleet does not come to rest")

// turn lets the Fleet have its turn and does what it asks for.
func (m *machine) turn() error {
	if m.fleet == nil {
		return nil
	}
	if m.still++; m.still > restless {
		return errRestless
	}
	m.turns++
	now := m.now()
	ready := m.fleet.Turn(now)
	m.wake = m.real + m.clock.span(ready.Wake-now.Steady) + m.network.oversleep()
	if len(ready.Notices) > 0 {
		if err := m.witness.noticed(now, ready.Notices); err != nil {
			return err
		}
	}
	for i := range ready.Calls {
		if err := m.send(ready.Calls[i]); err != nil || m.fleet == nil {
			return err
		}
	}
	if ready.Drained {
		return m.end()
	}
	if ready.Commit == nil {
		return nil
	}
	return m.save(ready.Commit)
}

// end is the end of a process that was asked to end.
func (m *machine) end() error {
	m.fleet, m.commit, m.wake = nil, pending{}, never
	if m.drained != nil {
		return m.drained()
	}
	return nil
}

// judge asks what befalls the next effect.
func (m *machine) judge(e effect) fate {
	m.effects++
	if m.fate == nil {
		return fine
	}
	e.n = m.effects
	return m.fate(e)
}

// save begins to make a batch durable.
func (m *machine) save(b *scheduler.Batch) error {
	f := m.judge(effect{batch: b})
	if m.real < m.full {
		f = failed
	}
	switch f {
	case crashBefore, crashAfter:
		m.commit = pending{batch: b}
		m.again()
		return m.kill(f == crashAfter)
	default:
		m.commit = pending{b, m.real + m.network.commit(), f}
	}
	return nil
}

// durable ends the commit that is out.
func (m *machine) durable() error {
	b, f := m.commit.batch, m.commit.fate
	m.commit = pending{}
	if f == failed || f == lost {
		// The loop ends with an error, and what is in the ledger is the truth.
		m.fleet.Committed(m.now(), errDisk)
		m.commit = pending{batch: b}
		m.again()
		return m.kill(f == lost)
	}
	if err := m.write(b); err != nil {
		return err
	}
	m.fleet.Committed(m.now(), nil)
	return nil
}

var errDisk = errors.New("input/output error")

// write puts a batch on the disk.
func (m *machine) write(b *scheduler.Batch) error {
	if err := m.ledger.Commit(context.Background(), b); err != nil {
		return err
	}
	return m.witness.committed(b)
}

// methodOf is the platform's word for a method.
func methodOf(m quota.Method) simplatform.Method {
	switch m {
	case quota.Start:
		return simplatform.Start
	case quota.Stop:
		return simplatform.Stop
	}
	return simplatform.Get
}

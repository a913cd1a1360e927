package sim

import (
	"maps"
	"slices"
	"time"

	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// A call is a request on its way there and back.
type call struct {
	scheduler.Call
	life    int // the process that takes its answer
	of      int // the process that made it
	key     string
	began   scheduler.Now
	sentAt  time.Duration // real time of the first byte
	arrives bool          // it has not reached the platform yet
	swallow bool          // its answer gets lost on the way
	gone    bool          // it was recalled: nothing of it leaves
	answer  scheduler.Answer
}

// What the client says of calls without a usable answer.
const (
	timedOut = "no whole answer within the time-out"
	cutOff   = "the connection was closed before the answer was complete"
)

// sendTime is how long the daemon's client waits for an answer.
const sendTime = scheduler.CallTimeout

// send makes a call, as the client does: it waits for a connection, drops what
// is past its last instant, and writes.
func (m *machine) send(c scheduler.Call) error {
	f := m.judge(effect{call: c})
	if f != crashBefore || m.effects%2 == 0 { // a process may die on either side of its mark
		if err := m.ledger.Mark(c.Claim); err != nil {
			return err
		}
	}
	if f == crashBefore {
		m.again()
		return m.kill(false)
	}
	if err := m.witness.called(c); err != nil {
		return err
	}
	if err := m.depart(c, f); err != nil {
		return err
	}
	if f == crashAfter {
		m.again()
		return m.kill(false)
	}
	return nil
}

// depart sends the request on its way, or finds that it is too late for that.
func (m *machine) depart(c scheduler.Call, f fate) error {
	out := m.newCall(c)
	connect, uplink := m.network.out()
	out.sentAt = m.real + connect
	out.began = m.clock.read(m.epoch, out.sentAt)
	out.swallow = f == lost
	switch {
	case m.real < m.offline:
		m.back(out, connect, scheduler.Answer{Err: "no such host"})
		return nil
	case out.began.Steady > c.Permit.NotAfter():
		m.back(out, connect, scheduler.Answer{Err: "the last instant at which it might leave has passed"})
		return nil
	case f == failed:
		m.back(out, connect+sendTime, scheduler.Answer{Sent: true, Err: timedOut})
		return nil
	case connect == 0 && uplink == 0:
		return m.arrive(out)
	}
	out.arrives = true
	m.queue.push(happening{at: out.sentAt + uplink, call: out})
	if uplink > sendTime { // its answer is a time-out, whatever comes of it
		m.giveUp(out)
	}
	return nil
}

// recall answers the calls that still wait for a connection: what they followed
// from is over. Nothing of them leaves.
func (m *machine) recall() {
	back := map[uint64]*call{}
	for _, h := range m.queue.heap {
		if c := h.call; c != nil && c.arrives && c.of == m.life && c.sentAt > m.real && c.Call.Epoch != m.fleet.Epoch() {
			back[c.Claim] = c
		}
	}
	for _, h := range m.queue.heap {
		if c := h.call; c != nil && back[c.Claim] != nil {
			c.gone = true
		}
	}
	for _, claim := range slices.Sorted(maps.Keys(back)) {
		m.back(m.newCall(back[claim].Call), 0, scheduler.Answer{Recalled: true, Err: "recalled"})
	}
}

// giveUp plans the time-out of a call whose request is still on its way.
func (m *machine) giveUp(c *call) {
	late := m.newCall(c.Call)
	late.began, late.sentAt = c.began, c.sentAt
	m.back(late, c.sentAt+sendTime-m.real, scheduler.Answer{Sent: true, Err: timedOut})
	c.life = 0 // what the platform answers finds nobody
}

func (m *machine) newCall(c scheduler.Call) *call {
	var out *call
	if n := len(m.spare); n > 0 {
		out, m.spare = m.spare[n-1], m.spare[:n-1]
	} else {
		out = new(call)
	}
	*out = call{Call: c, life: m.life, of: m.life, key: m.config.KeyID}
	return out
}

// back plans the answer that the client reports, so long from now.
func (m *machine) back(c *call, after time.Duration, a scheduler.Answer) {
	c.answer = a
	c.answer.Claim, c.answer.Began = c.Claim, c.began
	m.queue.push(happening{at: m.real + after, call: c})
}

// landed takes a request in at the platform, or an answer at the daemon. A
// suspended host finds it when it wakes; a dead process never does.
func (m *machine) landed(c *call) error {
	switch {
	case c.gone:
		m.spare = append(m.spare, c)
		return nil
	case c.arrives:
		c.arrives = false
		return m.arrive(c)
	case c.life != m.life || m.fleet == nil:
		m.spare = append(m.spare, c)
		return nil
	case m.asleep > m.real:
		m.queue.push(happening{at: m.asleep, call: c})
		return nil
	}
	c.answer.Ended = m.now()
	m.witness.answered(c.Call, c.answer)
	m.fleet.Answered(c.answer.Ended, c.answer)
	m.spare = append(m.spare, c)
	return nil
}

// arrive hands a request to the platform and plans its answer.
func (m *machine) arrive(c *call) error {
	q := simplatform.Request{Method: methodOf(c.Method), ID: string(c.Deployment), Key: c.key}
	if q.ID == "" {
		q.Method = simplatform.List
	}
	r := m.world.Do(m.server(), q)
	m.rename(&r)
	err := m.witness.arrived(c.Call, r)
	a := answerTo(&r, m.server().Add(m.network.skew))
	after := m.network.back() + r.Delay
	if c.swallow && a.Sent {
		a, after = scheduler.Answer{Sent: true, Err: cutOff}, m.network.back()
	}
	if limit := c.sentAt + sendTime - m.real; after > limit {
		a, after = scheduler.Answer{Sent: a.Sent, Err: timedOut}, limit
	}
	m.back(c, after, a)
	return err
}

// rename has the platform say what it calls its deployments by now.
func (m *machine) rename(r *simplatform.Response) {
	if len(m.names) == 0 {
		return
	}
	if name, ok := m.names[r.Deployment.ID]; ok {
		r.Deployment.Name = name
	}
	for i := range r.List {
		if name, ok := m.names[r.List[i].ID]; ok {
			r.List[i].Name = name
		}
	}
}

// answerTo is what the daemon's client reports of a response. It makes of a
// delivery what package apiclient makes of the bytes that stand for it.
func answerTo(r *simplatform.Response, date time.Time) scheduler.Answer {
	a := scheduler.Answer{Sent: true, Status: r.Status, Date: date.Truncate(time.Second)}
	switch r.Delivery {
	case simplatform.NotReached:
		return scheduler.Answer{Err: "connection refused"}
	case simplatform.Closed:
		return scheduler.Answer{Sent: true, Err: cutOff}
	}
	switch {
	case r.Accepted():
		a.Sane = true
		a.Look = lookOf(&r.Deployment)
		for i := range r.List {
			a.List = append(a.List, scheduler.Listed{ID: policy.DeploymentID(r.List[i].ID), Look: lookOf(&r.List[i])})
		}
	case r.Status/100 == 2:
		a.Err = "the answer is not the documented JSON object"
	case r.Status == 429:
		a.RetryAfter = retryAfter(r.Retry)
	}
	return a
}

func lookOf(d *simplatform.Deployment) scheduler.Look {
	return scheduler.Look{
		Status: string(d.Status), Name: d.Name, Type: d.Type, Platform: d.Platform, Region: d.Region,
		Connections: d.Connections,
	}
}

// maxRetryAfter is the longest Retry-After that package apiclient believes.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter is how long a Retry-After asks to wait: whole seconds, rounded up;
// 0 where it makes no sense.
func retryAfter(r simplatform.Retry) time.Duration {
	if r.Style != simplatform.RetrySeconds && r.Style != simplatform.RetryDate || r.After <= 0 {
		return 0
	}
	whole := (r.After + time.Second - 1).Truncate(time.Second)
	return min(whole, maxRetryAfter)
}

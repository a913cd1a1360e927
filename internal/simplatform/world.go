package simplatform

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrExists is returned for a deployment that is there already, ErrUnknown for
// one that is not, ErrStatus for what its status does not allow a person to do,
// ErrAct for an Act that says nothing.
var (
	ErrExists  = errors.New("deployment exists")
	ErrUnknown = errors.New("no such deployment")
	ErrStatus  = errors.New("not possible in this status")
	ErrAct     = errors.New("no such act: want start, stop, delete, recreate or status")
)

// Config is what nobody documents, and how much is remembered. The zero Config
// is the strict reading of the documentation.
type Config struct {
	Quotas     [Methods]Quota // by Method; the zero Quota is the documented one
	Retry      Retry          // of a 429; an After of 0 stands for the true time
	Timing     Timing         // of deployments that do not say; Boot 4 min, Halt 2 min
	AcceptSame bool           // 201, not 422, for a start of what runs, a stop of what is stopped

	// RepeatSpan is how long after an applied POST another one of the same method
	// counts as a repetition, as long as nobody changed the power meanwhile.
	// 0 is 3 hours: the next permit and its margins are inside it, the next day's
	// transition is not.
	RepeatSpan time.Duration

	Seed       uint64 // of the dice for faults with a probability
	LogLimit   int    // remember the last entries only; 0 is all
	SkipGetLog bool   // leave answered GETs and lists out of the log, not out of the score
}

// Access is what a key may do.
type Access uint8

// The kinds of access.
const (
	Full    Access = iota
	Revoked        // 401
	Outside        // 403: out of the key's scope
)

// A World is one simulated platform with one account. Only New makes one. Server
// time is counted in nanoseconds: it has the years from 1970 to 2262.
type World struct {
	config   Config
	quotas   [Methods]Quota
	clock    int64 // the latest server time that was seen
	requests uint64
	byID     map[string]*record // never iterated
	order    []*record          // those that were added, in that order
	access   map[string]Access
	keys     map[string]*[Methods]meter
	rules    []*rule
	planned  []planned // ascending by instant

	log   []Entry
	seq   uint64
	score Score
}

// New returns a World without deployments.
func New(c Config) *World {
	c.Timing = c.Timing.or(Timing{Boot: 4 * time.Minute, Halt: 2 * time.Minute})
	if c.RepeatSpan == 0 {
		c.RepeatSpan = 3 * time.Hour
	}
	w := &World{
		config: c,
		byID:   map[string]*record{},
		access: map[string]Access{},
		keys:   map[string]*[Methods]meter{},
	}
	for i := range w.quotas {
		w.quotas[i] = c.Quotas[i].or(documented(Method(i)))
	}
	return w
}

// Request is one call of a client that is known by a key. The zero Key is the
// account's usual one.
type Request struct {
	Method     Method
	ID         string // empty for List
	Key        string
	Unverified bool // the secret is not that of the key: 401
}

// Delivery is how an answer travels.
type Delivery uint8

// The deliveries. Only Whole and Trickled bring an answer that can be used.
const (
	Whole      Delivery = iota
	Trickled            // all of it, byte by byte over Delay
	Misleading          // an accepting status, and an error in the body
	Garbled             // an accepting status, and a body that is no JSON
	Cut                 // the same, and a body that ends half-way
	Reset               // a reset in the middle of the answer
	Closed              // closed without an answer
	NotReached          // nothing of the request arrived
)

// A Response is the platform's answer, and what only the platform knows of it.
type Response struct {
	Status     int          // as sent; 0 where nothing was
	Deployment Deployment   // of a get that was accepted; of a post ID and Name
	List       []Deployment // of a list that was accepted
	Operation  string       // of a post that was accepted: "starting", "stopping"
	Retry      Retry        // of a 429
	Delay      time.Duration
	Delivery   Delivery

	Applied   bool // a transition was set going
	OverQuota bool // the client's own requests were more than its quota
	Fault     Kind // what befell it
}

// Usable reports whether a client gets the answer and can read it.
func (r *Response) Usable() bool { return r.Delivery == Whole || r.Delivery == Trickled }

// Accepted reports whether the client gets a 2xx that it can read.
func (r *Response) Accepted() bool { return r.Usable() && r.Status/100 == 2 }

// accepted is the documented status of an accepted request.
func accepted(m Method) int {
	if m == Start || m == Stop {
		return 201
	}
	return 200
}

// advance moves server time on and does what was planned meanwhile. Server time
// never goes back: an earlier now counts as the latest one.
func (w *World) advance(now time.Time) int64 {
	at := max(now.UnixNano(), w.clock)
	for len(w.planned) > 0 && w.planned[0].at <= at {
		p := w.planned[0]
		w.planned = w.planned[1:]
		w.clock = max(p.at, w.clock)
		p.do(w.clock)
	}
	w.clock = at
	return at
}

// record returns what is known of an id.
func (w *World) record(id string) *record {
	r := w.byID[id]
	if r == nil {
		r = &record{Deployment: Deployment{ID: id}}
		w.byID[id] = r
	}
	return r
}

// subject returns q and what is known of the deployment that it names; of none
// for a list, whatever it says.
func (w *World) subject(q Request) (Request, *record) {
	if q.Method == List {
		q.ID = ""
	}
	if q.ID == "" {
		return q, nil
	}
	return q, w.record(q.ID)
}

// meter returns the meter of the quota that a request falls under.
func (w *World) meter(q Request, r *record) *meter {
	if r != nil && w.quotas[q.Method].Scope == PerDeployment {
		return &r.meters[q.Method]
	}
	of := w.keys[q.Key]
	if of == nil {
		of = new([Methods]meter)
		w.keys[q.Key] = of
	}
	return &of[q.Method]
}

// Do answers one request that arrives at server time now.
func (w *World) Do(now time.Time, q Request) Response {
	at := w.advance(now)
	w.requests++
	q, r := w.subject(q)
	f := w.fault(at, q, r)
	if f == nil {
		return w.receive(at, q, r, &Fault{}, ByClient)
	}
	if f.Kind == Refused {
		return Response{Delivery: NotReached, Fault: Refused}
	}
	resp := w.receive(at, q, r, f, ByClient)
	if f.Kind == Duplicate {
		again := w.receive(at, q, r, f, ByProxy)
		again.Applied = again.Applied || resp.Applied
		again.OverQuota = resp.OverQuota
		resp = again
	}
	return resp
}

// Foreign lets somebody else with the same key use up one request of a quota. It
// has no other effect; for changes by other people see Act.
func (w *World) Foreign(now time.Time, q Request) {
	at := w.advance(now)
	q, r := w.subject(q)
	m := w.meter(q, r)
	status := accepted(q.Method)
	if frees, _ := m.overs(&w.quotas[q.Method], at); frees > at {
		status = 429
	}
	if status != 429 || !w.quotas[q.Method].FreeRejected {
		m.add(&w.quotas[q.Method], at, ByForeign)
	}
	w.write(Entry{At: instant(at), Method: q.Method, ID: q.ID, By: ByForeign, Status: status})
}

// SetAccess says what a key may do from now on; a key has full access until then.
func (w *World) SetAccess(key string, a Access) { w.access[key] = a }

// receive answers one delivery of a request, counts it and logs it.
func (w *World) receive(at int64, q Request, r *record, f *Fault, by By) Response {
	quota, m := &w.quotas[q.Method], w.meter(q, r)
	frees, over := m.overs(quota, at)
	repeated := by == ByClient && w.repeats(at, q, r)
	resp := w.answer(at, q, r, f, by, frees)
	resp.OverQuota = over && by == ByClient
	resp.Fault = f.Kind
	if !quota.FreeRejected || resp.Applied || resp.Status/100 == 2 || f.Kind == Late {
		m.add(quota, at, by)
	}
	seq := w.write(Entry{
		At: instant(at), Method: q.Method, ID: q.ID, By: by, Status: resp.Status, Applied: resp.Applied,
		OverQuota: resp.OverQuota, Repeated: repeated, Fault: f.Kind,
	})
	if f.Kind == Late && frees <= at {
		w.applyLater(later(at, f.For), q, r, seq)
	}
	spoil(&resp, f)
	return resp
}

// repeats reports whether a POST asks once more for what the client's own
// earlier POST set going.
func (w *World) repeats(at int64, q Request, r *record) bool {
	return r != nil && Posts.Has(q.Method) &&
		r.begun.by == ByClient && r.begun.method == q.Method &&
		r.headingAt(at) == q.Method.target() && at-r.begun.at <= int64(w.config.RepeatSpan)
}

// answer is what the platform says, or what stands in front of it.
func (w *World) answer(at int64, q Request, r *record, f *Fault, by By, frees int64) Response {
	if status, ok := f.status(q.Method); ok {
		return Response{Status: status, Retry: f.Retry}
	}
	switch access := w.mayDo(q); {
	case access == Revoked:
		return Response{Status: 401}
	case access == Outside:
		return Response{Status: 403}
	case frees > at:
		return Response{Status: 429, Retry: w.retry(frees - at)}
	case q.Method == List:
		return Response{Status: 200, List: w.shown(at)}
	case r == nil || r.statusAt(at) == Gone:
		return Response{Status: 404}
	case q.Method == Get:
		d := r.Deployment
		d.Status = r.shownAt(at)
		return Response{Status: 200, Deployment: d}
	}
	return w.post(at, q.Method, r, by, f.Kind)
}

func (w *World) mayDo(q Request) Access {
	if q.Unverified {
		return Revoked
	}
	if len(w.access) == 0 {
		return Full
	}
	return w.access[q.Key]
}

// retry is the Retry-After of a 429 whose quota frees after d.
func (w *World) retry(d int64) Retry {
	r := w.config.Retry
	if r.After == 0 {
		r.After = time.Duration(d)
	}
	return r
}

// shown is the answer to a list: what exists, in the order in which it was added.
func (w *World) shown(at int64) []Deployment {
	all := make([]Deployment, 0, len(w.order))
	for _, r := range w.order {
		if r.statusAt(at) == Gone {
			continue
		}
		d := r.Deployment
		d.Status = r.shownAt(at)
		all = append(all, d)
	}
	return all
}

// post answers a start or a stop of a deployment that exists.
func (w *World) post(at int64, m Method, r *record, by By, k Kind) Response {
	s := r.statusAt(at)
	done := Response{
		Status:     accepted(m),
		Deployment: Deployment{ID: r.ID, Name: r.Name},
		Operation:  string(m.passing()),
	}
	switch {
	case s == m.target() && w.config.AcceptSame:
		return done
	case s == m.target() || s.transient():
		return Response{Status: 422}
	}
	r.begin(at, m, by, k)
	done.Applied = true
	return done
}

// spoil makes of the platform's answer what f lets through.
func spoil(resp *Response, f *Fault) {
	resp.Delivery = f.Kind.delivery()
	if f.Kind.waits() {
		resp.Delay = f.For
	}
	switch {
	case f.Kind == ErrorApplied && resp.Status/100 == 2:
		resp.Status = f.Code
	case (resp.Delivery == Garbled || resp.Delivery == Cut) && resp.Status/100 != 2:
		resp.Delivery = Whole // an error's body tells nothing, so nothing is lost
	}
	if resp.Delivery == Closed {
		resp.Status = 0
	}
}

// A planned is something that happens by itself at an instant.
type planned struct {
	at int64
	do func(at int64)
}

// plan puts p behind all that is due no later than it.
func (w *World) plan(p planned) {
	i, _ := slices.BinarySearchFunc(w.planned, p.at, func(q planned, at int64) int {
		if q.at <= at {
			return -1
		}
		return 1
	})
	w.planned = slices.Insert(w.planned, i, p)
}

// applyLater lets the effect of a client's request come at at, and its log entry
// say so.
func (w *World) applyLater(at int64, q Request, r *record, seq uint64) {
	w.plan(planned{at, func(now int64) {
		if r == nil || r.statusAt(now) == Gone || w.mayDo(q) != Full {
			return
		}
		if w.post(now, q.Method, r, ByClient, NoFault).Applied {
			w.markApplied(seq)
		}
	}})
}

// Add puts a deployment there, as one that somebody has just created: running,
// where d names no status. One with the id must not exist.
func (w *World) Add(now time.Time, d Deployment, t Timing) error {
	at := w.advance(now)
	if d.ID == "" {
		return errors.New("add deployment: it has no id")
	}
	r := w.record(d.ID)
	if r.statusAt(at) != Gone {
		return fmt.Errorf("add deployment %q: %w", d.ID, ErrExists)
	}
	if d.Status == Gone {
		d.Status = Running
	}
	if len(r.changes) == 0 {
		w.order = append(w.order, r)
	}
	r.Deployment, r.timing, r.begun = d, t.or(w.config.Timing), begun{by: ByPerson}
	r.set(at, d.Status, ByPerson)
	return nil
}

package simplatform

import (
	"cmp"
	"slices"
	"time"
)

// An Entry is one request as the server saw it. What never reached it, a refused
// connection, has no entry.
type Entry struct {
	Seq       uint64    `json:"seq"` // counts from 1, without gaps
	At        time.Time `json:"at"`  // when it arrived: server time, UTC
	Method    Method    `json:"method"`
	ID        string    `json:"id,omitempty"`
	By        By        `json:"by"`
	Status    int       `json:"status"`              // what the platform answered, 0 for nothing, whatever came of it
	Applied   bool      `json:"applied,omitempty"`   // a transition was set going; where Late, since then
	OverQuota bool      `json:"overQuota,omitempty"` // the client's own requests alone were more than its quota
	Repeated  bool      `json:"repeated,omitempty"`  // a POST for what an earlier POST of the client had set going
	Fault     Kind      `json:"fault,omitempty"`
}

// write numbers an entry, adds it to the score and keeps it.
func (w *World) write(e Entry) uint64 {
	w.score.add(e)
	plain := (e.Method == Get || e.Method == List) && e.Status == 200 && !e.OverQuota && e.Fault == NoFault
	if plain && w.config.SkipGetLog {
		return 0
	}
	w.seq++
	e.Seq = w.seq
	if n := w.config.LogLimit; n > 0 && len(w.log) >= 2*n {
		w.log = append(w.log[:0], w.log[len(w.log)-n+1:]...)
	}
	w.log = append(w.log, e)
	return e.Seq
}

// markApplied notes the late effect of the request with number seq.
func (w *World) markApplied(seq uint64) {
	w.score.Applied++
	i, found := slices.BinarySearchFunc(w.log, seq, func(e Entry, seq uint64) int {
		return cmp.Compare(e.Seq, seq)
	})
	if found {
		w.log[i].Applied = true
	}
}

// Log returns the entries in the order of their arrival. It is the World's own
// slice: not to be changed, and good until the next call of any method.
func (w *World) Log() []Entry {
	log := w.log
	if n := w.config.LogLimit; n > 0 && len(log) > n {
		log = log[len(log)-n:]
	}
	return slices.Clip(log)
}

// Since returns the part of Log behind the entry with number seq.
func (w *World) Since(seq uint64) []Entry {
	log := w.Log()
	i, _ := slices.BinarySearchFunc(log, seq, func(e Entry, seq uint64) int {
		if e.Seq <= seq {
			return -1
		}
		return 1
	})
	return log[i:]
}

// A Score is what the server counted of the client's requests since the
// beginning. Requests of others and second deliveries are not in it.
type Score struct {
	Calls     [Methods]int // by Method
	OverQuota int          // more than the quota, by the client's own requests alone
	Limited   int          // answered 429, whoever had used the quota
	Repeated  int          // asked again for what an own POST had set going
	Applied   int          // transitions set going
}

// add counts one entry.
func (s *Score) add(e Entry) {
	if e.By != ByClient {
		return
	}
	s.Calls[e.Method]++
	if e.OverQuota {
		s.OverQuota++
	}
	if e.Status == 429 {
		s.Limited++
	}
	if e.Repeated {
		s.Repeated++
	}
	if e.Applied {
		s.Applied++
	}
}

// Total returns the number of calls of all methods.
func (s Score) Total() int {
	n := 0
	for _, c := range s.Calls {
		n += c
	}
	return n
}

// Score returns what was counted so far.
func (w *World) Score() Score { return w.score }

// Find returns the id of the deployment with the id or name given: an id wins
// over a name, the first added over later ones.
func (w *World) Find(idOrName string) (id string, ok bool) {
	if r := w.byID[idOrName]; r != nil && len(r.changes) > 0 {
		return r.ID, true
	}
	for _, r := range w.order {
		if r.Name == idOrName {
			return r.ID, true
		}
	}
	return "", false
}

// Deployments returns what exists at now, in the order in which it was added,
// each with its true status.
func (w *World) Deployments(now time.Time) []Deployment {
	at := w.advance(now)
	all := make([]Deployment, 0, len(w.order))
	for _, r := range w.order {
		if s := r.statusAt(at); s != Gone {
			d := r.Deployment
			d.Status = s
			all = append(all, d)
		}
	}
	return all
}

// StatusAt returns a deployment's true status at an instant: Gone where it does
// not exist. Of an instant ahead it says what would be if nobody acted.
func (w *World) StatusAt(id string, at time.Time) Status {
	if r := w.byID[id]; r != nil {
		return r.statusAt(at.UnixNano())
	}
	return Gone
}

// History returns a deployment's changes of status up to now, oldest first.
func (w *World) History(now time.Time, id string) []Change {
	r, at := w.byID[id], w.advance(now)
	if r == nil {
		return nil
	}
	var all []Change
	for _, c := range r.changes {
		if c.at <= at {
			all = append(all, Change{instant(c.at), c.status, c.by})
		}
	}
	return all
}

// Spent is for how long a deployment was what.
type Spent struct {
	Running time.Duration
	Stopped time.Duration
	Other   time.Duration // in transition, failed
}

// Spent returns how a deployment spent the time on [from, to); the time in which
// it did not exist is in none of the sums.
func (w *World) Spent(id string, from, to time.Time) Spent {
	var sum Spent
	r := w.byID[id]
	if r == nil {
		return sum
	}
	until := to.UnixNano()
	for _, c := range slices.Backward(r.changes) {
		begin := max(c.at, from.UnixNano())
		if begin < until {
			sum.add(c.status, time.Duration(until-begin))
			until = begin
		}
	}
	return sum
}

func (s *Spent) add(status Status, d time.Duration) {
	switch status {
	case Running:
		s.Running += d
	case Stopped:
		s.Stopped += d
	case Gone:
	default:
		s.Other += d
	}
}

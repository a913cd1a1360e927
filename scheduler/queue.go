package scheduler

import (
	"time"

	"curfew/apiclient/quota"
)

// A wake is a deployment and the steady instant at which it is to be looked at
// again. It is stale where the record has another one by now.
type wake struct {
	at time.Duration
	r  ref
}

// wakeHeap is a binary heap of wakes, the earliest first. A deployment that
// gets another instant gets another entry; stale ones are dropped when they
// come up, or all at once when they are too many. That keeps a boundary of a
// large fleet from chasing records all over the memory.
type wakeHeap []wake

// setWake has r looked at again at a steady instant, and at no other.
func (f *Fleet) setWake(r ref, at time.Duration) {
	rec := &f.recs[r]
	if rec.wake == at {
		return
	}
	rec.wake = at
	if at == quota.Never {
		return
	}
	if len(f.wakes) > 64+2*len(f.recs) {
		f.wakes.rebuild(f.recs)
		return
	}
	f.wakes.push(wake{at, r})
}

// due takes the deployments out whose instant has come, one a call.
func (f *Fleet) due() (ref, bool) {
	for len(f.wakes) > 0 && f.wakes[0].at <= f.now.Steady {
		w := f.wakes.pop()
		if rec := &f.recs[w.r]; rec.wake == w.at {
			rec.wake = quota.Never
			return w.r, true
		}
	}
	return 0, false
}

// nextDue is the instant of the first wake that is not stale.
func (f *Fleet) nextDue() time.Duration {
	for len(f.wakes) > 0 && f.recs[f.wakes[0].r].wake != f.wakes[0].at {
		f.wakes.pop()
	}
	if len(f.wakes) == 0 {
		return quota.Never
	}
	return f.wakes[0].at
}

func (h *wakeHeap) rebuild(recs []record) {
	w := (*h)[:0]
	for i := range recs {
		if at := recs[i].wake; at != quota.Never {
			w = append(w, wake{at, ref(i)})
		}
	}
	*h = w
	for i := len(w)/2 - 1; i >= 0; i-- {
		w.down(i)
	}
}

func (h *wakeHeap) push(w wake) {
	q := append(*h, w)
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if q[i].at >= q[up].at {
			break
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
	*h = q
}

func (h *wakeHeap) pop() wake {
	q := *h
	top, n := q[0], len(q)-1
	q[0] = q[n]
	*h = q[:n]
	h.down(0)
	return top
}

func (h wakeHeap) down(i int) {
	for {
		down := 2*i + 1
		if down >= len(h) {
			return
		}
		if r := down + 1; r < len(h) && h[r].at < h[down].at {
			down = r
		}
		if h[down].at >= h[i].at {
			return
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
}

// An entry waits in a queue for a permit and a slot: oldest instant first, then
// a hash, so that no deployment is always the last.
type entry struct {
	at   int64
	hash uint32
	r    ref
}

func (e entry) before(o entry) bool {
	switch {
	case e.at != o.at:
		return e.at < o.at
	case e.hash != o.hash:
		return e.hash < o.hash
	}
	return e.r < o.r
}

// queue is a binary heap of entries. What is in it may be stale: whoever takes
// an entry out asks again whether the deployment still wants it.
type queue []entry

func (q *queue) push(e entry) {
	h := append(*q, e)
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
	*q = h
}

func (q *queue) pop() entry {
	h := *q
	top, n := h[0], len(h)-1
	h[0] = h[n]
	h = h[:n]
	for i := 0; ; {
		down := 2*i + 1
		if down >= n {
			break
		}
		if r := down + 1; r < n && h[r].before(h[down]) {
			down = r
		}
		if !h[down].before(h[i]) {
			break
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
	*q = h
	return top
}

package scheduler

import (
	"cmp"
	"time"
)

// wakeHeap is a binary heap of deployments by the steady instant at which each
// is to be looked at again. A record knows its place, so that a touch moves it
// instead of adding a second entry.
type wakeHeap []ref

func (f *Fleet) wakeLess(a, b ref) bool { return f.recs[a].wake < f.recs[b].wake }

func (f *Fleet) setWake(r ref, at time.Duration) {
	rec := &f.recs[r]
	old := rec.wake
	rec.wake = at
	switch {
	case rec.heapAt < 0:
		rec.heapAt = int32(len(f.wakes))
		f.wakes = append(f.wakes, r)
		f.wakeUp(int(rec.heapAt))
	case at < old:
		f.wakeUp(int(rec.heapAt))
	case at > old:
		f.wakeDown(int(rec.heapAt))
	}
}

func (f *Fleet) wakeSwap(i, j int) {
	f.wakes[i], f.wakes[j] = f.wakes[j], f.wakes[i]
	f.recs[f.wakes[i]].heapAt, f.recs[f.wakes[j]].heapAt = int32(i), int32(j)
}

func (f *Fleet) wakeUp(i int) {
	for i > 0 {
		up := (i - 1) / 2
		if !f.wakeLess(f.wakes[i], f.wakes[up]) {
			return
		}
		f.wakeSwap(i, up)
		i = up
	}
}

func (f *Fleet) wakeDown(i int) {
	for {
		down := 2*i + 1
		if down >= len(f.wakes) {
			return
		}
		if r := down + 1; r < len(f.wakes) && f.wakeLess(f.wakes[r], f.wakes[down]) {
			down = r
		}
		if !f.wakeLess(f.wakes[down], f.wakes[i]) {
			return
		}
		f.wakeSwap(i, down)
		i = down
	}
}

// popWake takes the deployment at the top out of the heap.
func (f *Fleet) popWake() ref {
	top := f.wakes[0]
	n := len(f.wakes) - 1
	f.wakeSwap(0, n)
	f.wakes = f.wakes[:n]
	f.recs[top].heapAt = -1
	f.wakeDown(0)
	return top
}

// An entry waits in a queue for a permit and a slot: oldest instant first, then
// a hash, so that no deployment is always the last.
type entry struct {
	at   int64
	hash uint32
	r    ref
}

func (e entry) compare(o entry) int {
	return cmp.Or(cmp.Compare(e.at, o.at), cmp.Compare(e.hash, o.hash), cmp.Compare(e.r, o.r))
}

// queue is a binary heap of entries. What is in it may be stale: whoever takes
// an entry out asks again whether the deployment still wants it.
type queue []entry

func (q *queue) push(e entry) {
	h := append(*q, e)
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if h[i].compare(h[up]) >= 0 {
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
		if r := down + 1; r < n && h[r].compare(h[down]) < 0 {
			down = r
		}
		if h[down].compare(h[i]) >= 0 {
			break
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
	*q = h
	return top
}

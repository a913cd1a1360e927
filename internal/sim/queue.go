package sim

import "time"

// A happening is something that comes about at an instant by itself: a request
// arrives, an answer is in, a person acts.
type happening struct {
	at   time.Duration // real time
	seq  uint64        // of two at one instant, the one that was planned first
	call *call         // it is about this one; nil where do is set
	do   func() error
}

func (h *happening) before(o *happening) bool {
	return h.at < o.at || h.at == o.at && h.seq < o.seq
}

// A queue is a heap of happenings. It is written out, since a year of looks goes
// through it.
type queue struct {
	heap []happening
	seq  uint64
}

func (q *queue) push(h happening) {
	q.seq++
	h.seq = q.seq
	q.heap = append(q.heap, h)
	for i := len(q.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.heap[i].before(&q.heap[up]) {
			return
		}
		q.heap[i], q.heap[up] = q.heap[up], q.heap[i]
		i = up
	}
}

// next is when the first happening comes.
func (q *queue) next() (time.Duration, bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].at, true
}

func (q *queue) pop() happening {
	top, n := q.heap[0], len(q.heap)-1
	q.heap[0], q.heap[n] = q.heap[n], happening{}
	q.heap = q.heap[:n]
	for i := 0; ; {
		least := 2*i + 1
		if least >= n {
			return top
		}
		if r := least + 1; r < n && q.heap[r].before(&q.heap[least]) {
			least = r
		}
		if !q.heap[least].before(&q.heap[i]) {
			return top
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}

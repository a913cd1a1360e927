package main

import (
	"io"
	"sync"
	"time"
)

// How much of the log may wait for whoever reads it, and how long the end of the
// daemon waits for them.
const (
	logLines   = 4096
	logGoodbye = 2 * time.Second
)

// A logQueue hands lines to a writer that may block: a log collector that has
// stopped reading must not stop the loop, which logs. Lines that find no room
// are dropped and counted; the count is told before the next line is written.
type logQueue struct {
	w           io.Writer
	tellDropped func(n int) // writes to w, from the queue's goroutine
	lines       chan []byte
	ended       chan struct{}

	mu      sync.Mutex // guards what follows, and that lines is not closed under a send
	dropped int
	closed  bool
}

func newLogQueue(w io.Writer, tellDropped func(n int)) *logQueue {
	q := &logQueue{w: w, tellDropped: tellDropped, lines: make(chan []byte, logLines), ended: make(chan struct{})}
	go q.run()
	return q
}

// Write takes a line and never blocks. It reports success whatever comes of the
// line: nobody could be told.
func (q *logQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return len(line), nil
	}
	select {
	case q.lines <- append([]byte(nil), line...):
	default:
		q.dropped++
	}
	return len(line), nil
}

func (q *logQueue) run() {
	defer close(q.ended)
	for line := range q.lines {
		if n := q.takeDropped(); n > 0 {
			q.tellDropped(n)
		}
		_, _ = q.w.Write(line) // where a log cannot be written, nobody can be told
	}
}

func (q *logQueue) takeDropped() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.dropped
	q.dropped = 0
	return n
}

// close writes what waits, and gives up on a reader that does not read.
func (q *logQueue) close() {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.lines)
	}
	q.mu.Unlock()
	select {
	case <-q.ended:
	case <-time.After(logGoodbye):
	}
}

package apiclient

import (
	"context"
	"errors"
	"io"
	"net/http/httptrace"
	"sync"
	"time"
)

// A call is one request on its way. It is asked for leave before the first byte
// is written and gives it once: until sendBy, on one connection, and never after
// the caller has been told that nothing was sent.
type call struct {
	ctx     context.Context // ends with the caller's, at sendBy, and timeout after the first byte
	cancel  context.CancelCauseFunc
	sendBy  time.Time
	timeout time.Duration

	leave func() bool // whether it may still begin; nil where nobody takes it back

	mu    sync.Mutex
	stage stage
	on    *conn     // the connection that the request was written to
	asked time.Time // when the call was asked for
	began time.Time // when its first byte left, if one has
	timer *time.Timer
}

type stage uint8

const (
	waiting stage = iota // nothing written; it may be
	sent                 // a byte may have been written
	sealed               // over: nothing more will be written
)

// newCall starts the clock of a call that was asked for at asked. The caller
// must release it.
func newCall(ctx context.Context, asked, sendBy time.Time, timeout time.Duration) *call {
	if last := asked.Add(timeout); sendBy.IsZero() || sendBy.After(last) {
		sendBy = last
	}
	c := &call{sendBy: sendBy, timeout: timeout, asked: asked}
	c.leave, _ = ctx.Value(leaveKey{}).(func() bool)
	ctx, c.cancel = context.WithCancelCause(ctx)
	c.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: c.gotConn})
	c.mu.Lock() // the timer may fire before it is known
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(sendBy.Sub(asked), c.expire)
	return c
}

// release frees what newCall took.
func (c *call) release() {
	c.timer.Stop()
	c.cancel(context.Canceled)
}

// expire ends the call where it is: late while it waits, out of time once sent.
func (c *call) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.stage {
	case waiting:
		c.cancel(ErrLate)
	case sent:
		c.cancel(errTimeout)
	}
}

// gotConn ties the connection that net/http chose to the call. A connection
// that cannot ask for leave is closed before anything is written to it.
func (c *call) gotConn(info httptrace.GotConnInfo) {
	gate := gateOf(info.Conn)
	if gate == nil {
		info.Conn.Close()
		return
	}
	gate.call.Store(c)
}

// begin gives leave to write to g, or says why not; first tells that these are
// the request's first bytes.
func (c *call) begin(g *conn) (first bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stage == sent && c.on == g:
		return false, nil
	case c.stage != waiting:
		return false, errSpent
	case c.ctx.Err() != nil:
		return false, context.Cause(c.ctx)
	case c.leave != nil && !c.leave():
		c.cancel(ErrRecalled) // or net/http tries one idle connection after another
		return false, ErrRecalled
	}
	now := time.Now()
	// A timer that cannot be stopped has fired: expire waits for the lock.
	if isLate(now, c.sendBy) || !c.timer.Stop() {
		c.cancel(ErrLate) // or net/http tries one idle connection after another
		return false, ErrLate
	}
	c.stage, c.on, c.began = sent, g, now
	c.timer.Reset(c.timeout)
	return true, nil
}

// undo takes back a begin whose write failed before its first byte: net/http
// may use another connection while there is time.
func (c *call) undo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stage != sent {
		return
	}
	c.stage, c.on = waiting, nil
	c.timer.Reset(time.Until(c.sendBy))
}

// seal ends the sending: it reports whether a byte may have been written, makes
// sure that this stays true, and tells when the first one was (where none was,
// when the call was asked for).
func (c *call) seal() (wasSent bool, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	stage := c.stage
	c.stage = sealed
	if stage == sent {
		return true, c.began
	}
	return false, c.asked
}

// cause is why the call failed with err, if it did: the end of its context,
// where that is what tore the connection down, else err.
func (c *call) cause(err error) error {
	if err == nil {
		return nil
	}
	if why := context.Cause(c.ctx); why != nil {
		return why
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// isLate compares both of Go's clocks: the monotonic one stands still while the
// machine sleeps, the wall clock can be stepped.
func isLate(now, by time.Time) bool {
	return now.After(by) || now.Round(0).After(by.Round(0))
}

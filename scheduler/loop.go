package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"curfew/apiclient/quota"
)

// Ledger makes a batch durable, all or nothing. After an error nothing may be
// retried: the process ends.
type Ledger interface {
	Commit(context.Context, *Batch) error
}

// Platform makes one call. It returns when the call has ended, at the latest
// CallTimeout after its first byte.
type Platform interface {
	Do(context.Context, Call) Answer
}

// The precision of a wake-up. A plain timer on an idle machine is up to some
// milliseconds late, so it is armed early and the rest is slept in small steps.
const (
	armEarly  = 30 * time.Millisecond
	smallStep = 100 * time.Microsecond
)

// ErrStopped is returned to whoever asks a loop that has ended.
var ErrStopped = errors.New("the daemon is stopping")

// Loop is the one goroutine that owns a Fleet. It reads the clocks once a turn,
// does what Ready says, and carries answers, commits and requests to the Fleet.
// Its fields are to be set before Run.
type Loop struct {
	Fleet    *Fleet
	Ledger   Ledger
	Platform Platform
	Now      func() Now              // both clocks at once
	Notify   func(Now, []Notice)     // log and metrics; called from the loop, must not block
	Turned   func(Now)               // after every turn; may be nil
	Recall   func(epoch uint64)      // calls of an earlier epoch must not leave any more; may be nil
	Lapse    float64                 // how many seconds of Now pass in a real one; 0 means 1
	requests chan request            // what others want to have done between two turns
	answers  chan Answer             //
	errands  chan errand             // to a goroutine that has made a call before
	commits  chan *Batch             // to the committer
	results  chan error              // from it
	waiters  map[uint64]chan<- error // by order
	orders   uint64
	ended    chan struct{}
	timer    *time.Timer // of wait; one for all turns
}

// An errand is a call with the context that may end it.
type errand struct {
	ctx  context.Context
	call Call
}

type request struct {
	do   func(*Fleet, Now)
	done chan struct{}
}

// NewLoop returns a loop that is ready for Run.
func NewLoop(f *Fleet, l Ledger, p Platform, now func() Now, notify func(Now, []Notice)) *Loop {
	return &Loop{
		Fleet: f, Ledger: l, Platform: p, Now: now, Notify: notify,
		requests: make(chan request), errands: make(chan errand), answers: make(chan Answer, MaxInFlight),
		commits: make(chan *Batch), results: make(chan error, 1),
		waiters: map[uint64]chan<- error{}, ended: make(chan struct{}),
	}
}

// Run turns until ctx is done and what was in flight has ended: then it returns
// nil. It returns an error as soon as a commit fails; what is in the ledger is
// then the only truth.
func (l *Loop) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	looks, endLooks := context.WithCancel(context.WithoutCancel(ctx))
	defer wg.Wait()
	defer close(l.ended)
	defer close(l.commits)
	defer endLooks()
	wg.Go(func() { l.commit(context.WithoutCancel(ctx)) })
	l.timer = time.NewTimer(0)
	defer l.timer.Stop()
	stop := ctx.Done()
	for {
		now := l.Now()
		ready := l.Fleet.Turn(now)
		l.start(ctx, looks, &wg, ready)
		if len(ready.Notices) > 0 {
			l.Notify(now, ready.Notices)
		}
		l.ack(ready.Acked)
		if l.Turned != nil {
			l.Turned(now)
		}
		if ready.Drained {
			return nil
		}
		stopping, err := l.wait(stop, ready)
		if err != nil {
			return err
		}
		if stopping {
			l.Fleet.Draining(l.Now())
			stop = nil
			if l.Recall != nil {
				l.Recall(l.Fleet.Epoch())
			}
		}
	}
}

// start hands the batch to the committer and starts the calls. A POST in flight
// is never cancelled; a look may be, when the process ends.
func (l *Loop) start(ctx, looks context.Context, wg *sync.WaitGroup, ready Ready) {
	for _, c := range ready.Calls {
		callCtx := looks
		if c.Method != quota.Get {
			callCtx = context.WithoutCancel(ctx)
		}
		e := errand{callCtx, c}
		select {
		case l.errands <- e:
		default:
			wg.Go(func() { l.run(e) })
		}
	}
	if ready.Commit != nil {
		l.commits <- ready.Commit
	}
}

// run makes a call, and then the next one that nobody else makes: a goroutine
// whose stack has grown to a call's size is worth keeping. There are never more
// of them than there were calls in flight at once.
func (l *Loop) run(e errand) {
	for {
		a := l.Platform.Do(e.ctx, e.call)
		select {
		case l.answers <- a:
		case <-l.ended:
			return
		}
		select {
		case e = <-l.errands:
		case <-l.ended:
			return
		}
	}
}

// commit makes one batch after the other durable.
func (l *Loop) commit(ctx context.Context) {
	for b := range l.commits {
		l.results <- l.Ledger.Commit(ctx, b)
	}
}

// wait sleeps until something happens or ready.Wake comes, and takes in all that
// has happened. It reports whether stop was closed.
func (l *Loop) wait(stop <-chan struct{}, ready Ready) (bool, error) {
	until := l.real(ready.Wake - l.Now().Steady)
	plain := until
	if ready.Exact {
		plain = until - armEarly
	}
	l.timer.Reset(max(plain, smallStep))
	woken, stopping, err := l.event(stop, l.timer.C)
	if woken || stopping || err != nil || !ready.Exact {
		return stopping, err
	}
	for l.Now().Steady < ready.Wake {
		l.timer.Reset(smallStep)
		woken, stopping, err = l.event(stop, l.timer.C)
		if woken || stopping || err != nil {
			return stopping, err
		}
	}
	return false, nil
}

// event waits for the first thing that happens and then takes all answers that
// are there, so that a turn sees them together.
func (l *Loop) event(stop <-chan struct{}, timer <-chan time.Time) (woken, stopping bool, err error) {
	select {
	case <-timer:
		return false, false, nil
	case <-stop:
		return false, true, nil
	case a := <-l.answers:
		l.Fleet.Answered(l.Now(), a)
	case err := <-l.results:
		if err != nil {
			return true, false, fmt.Errorf("write ledger: %w", err)
		}
		l.Fleet.Committed(l.Now(), nil)
	case r := <-l.requests:
		r.do(l.Fleet, l.Now())
		close(r.done)
	}
	for {
		select {
		case a := <-l.answers:
			l.Fleet.Answered(l.Now(), a)
		default:
			return true, false, nil
		}
	}
}

// real turns a span of the loop's time into one of the machine's.
func (l *Loop) real(d time.Duration) time.Duration {
	if l.Lapse > 0 {
		return time.Duration(float64(d) / l.Lapse)
	}
	return d
}

// Do runs fn between two turns, with the only access to the Fleet.
func (l *Loop) Do(ctx context.Context, fn func(*Fleet, Now)) error {
	r := request{fn, make(chan struct{})}
	select {
	case l.requests <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.ended:
		return ErrStopped
	}
	<-r.done
	return nil
}

// Snapshot asks for a picture of the fleet.
func (l *Loop) Snapshot(ctx context.Context) (*Snapshot, error) {
	var s *Snapshot
	err := l.Do(ctx, func(f *Fleet, now Now) { s = f.Snapshot(now) })
	return s, err
}

// Order gives the fleet a person's word and returns when it is durable.
func (l *Loop) Order(ctx context.Context, o Order) error {
	acked := make(chan error, 1)
	var refused error
	err := l.Do(ctx, func(f *Fleet, now Now) {
		l.orders++
		o.ID = l.orders
		if refused = f.Ordered(now, o); refused == nil {
			l.waiters[o.ID] = acked
		}
	})
	if err = errors.Join(err, refused); err != nil {
		return err
	}
	select {
	case err := <-acked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-l.ended:
		return ErrStopped
	}
}

// ack answers the people whose orders are durable.
func (l *Loop) ack(ids []uint64) {
	for _, id := range ids {
		if w, ok := l.waiters[id]; ok {
			w <- nil
			delete(l.waiters, id)
		}
	}
}

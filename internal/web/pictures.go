package web

import (
	"context"
	"sync/atomic"
	"time"

	"curfew/scheduler"
)

const (
	restFor = 3 // times as long as a picture took, no other one is asked for
	maxRest = time.Second
)

// Shared returns Snapshots that ask s for one picture after the other, and rest
// in between: while the loop takes one it makes no call, and however many ask,
// pictures must not have more than a quarter of its time. Those who wait at the
// same time get the same picture, taken after all of them had come. It is safe
// for concurrent use.
func Shared(s Snapshots) Snapshots {
	p := &pictures{ask: s, turn: make(chan struct{}, 1)}
	return p.take
}

// pictures belong to whoever has the turn.
type pictures struct {
	ask     Snapshots
	turn    chan struct{}
	waiting atomic.Int32 // those who want one, the one who has the turn among them

	last   *scheduler.Snapshot // nil where there is none, or nobody who would want it
	asked  time.Time           // when it was asked for
	rested time.Time           // when the next one may be asked for
}

func (p *pictures) take(ctx context.Context) (*scheduler.Snapshot, error) {
	came := time.Now()
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	select {
	case p.turn <- struct{}{}:
		defer p.pass()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p.last != nil && !p.asked.Before(came) {
		return p.last, nil
	}
	if err := p.rest(ctx); err != nil {
		return nil, err
	}
	var err error
	p.asked = time.Now()
	p.last, err = p.ask(ctx)
	now := time.Now()
	p.rested = now.Add(min(restFor*now.Sub(p.asked), maxRest))
	return p.last, err
}

// pass gives the turn to the next one. A large picture is not kept for nobody.
func (p *pictures) pass() {
	if p.waiting.Load() == 1 {
		p.last = nil
	}
	<-p.turn
}

// rest waits until the next picture may be asked for.
func (p *pictures) rest(ctx context.Context) error {
	timer := time.NewTimer(time.Until(p.rested))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

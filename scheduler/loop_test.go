package scheduler

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/apiclient/quota"
	"curfew/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A slowPlatform answers in its own time. What it was asked is in calls.
type slowPlatform struct {
	mu     sync.Mutex
	now    func() Now
	calls  []Call
	at     []time.Time
	post   time.Duration
	status string
}

func (p *slowPlatform) Do(ctx context.Context, c Call) Answer {
	a := Answer{Claim: c.Claim, Began: p.now(), Sent: true, Status: 201, Sane: true}
	p.mu.Lock()
	p.calls, p.at = append(p.calls, c), append(p.at, time.Now())
	wait, status := p.post, p.status
	p.mu.Unlock()
	if c.Method == quota.Get {
		a.Status, a.Look, wait = 200, Look{Status: status}, 50*time.Millisecond
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		a.Status, a.Sane = 0, false
	}
	if c.Method == quota.Stop {
		p.mu.Lock()
		p.status = "stopped"
		p.mu.Unlock()
	}
	a.Ended = p.now()
	return a
}

func (p *slowPlatform) posts() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []time.Time
	for i, c := range p.calls {
		if c.Method != quota.Get {
			out = append(out, p.at[i])
		}
	}
	return out
}

// A sliceLedger keeps batches, each of which takes a while to become durable.
type sliceLedger struct {
	mu      sync.Mutex
	took    time.Duration
	batches []*Batch
	busy    bool
	overlap bool // two commits were under way at once
	fail    error
}

func (l *sliceLedger) Commit(_ context.Context, b *Batch) error {
	l.mu.Lock()
	l.overlap = l.overlap || l.busy
	l.busy = true
	l.mu.Unlock()
	time.Sleep(l.took)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = false
	if l.fail != nil {
		return l.fail
	}
	l.batches = append(l.batches, b)
	return nil
}

// loopAt returns a loop whose clocks are the bubble's, begun at 19:59:50.
func loopAt(t *testing.T, set *policy.Set) (*Loop, *slowPlatform, *sliceLedger) {
	t.Helper()
	began := time.Now()
	origin := time.Date(2026, 11, 24, 19, 59, 50, 0, time.UTC)
	now := func() Now {
		return Now{Wall: origin.Add(time.Since(began)), Steady: time.Hour + time.Since(began)}
	}
	c := Config{Account: "default", Set: set, Quotas: documented, ObserveEvery: DefaultObserveEvery}
	for m := range c.Quotas {
		c.Quotas[m].Scope = quota.Deployment
	}
	p := &slowPlatform{now: now, post: 100 * time.Millisecond, status: "running"}
	l := &sliceLedger{took: 2 * time.Millisecond}
	return NewLoop(New(now(), c, State{}), l, p, now, func(Now, []Notice) {}), p, l
}

func TestLoopCallsAtTheInstantAndNeverBefore(t *testing.T) {
	set := compile(t, evening("d1"))
	synctest.Test(t, func(t *testing.T) {
		loop, p, l := loopAt(t, set)
		instant := time.Now().Add(10 * time.Second)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- loop.Run(ctx) }()
		time.Sleep(20 * time.Second)
		s, err := loop.Snapshot(ctx)
		if err != nil {
			t.Fatalf("snapshot: %v", err)
		}
		if v := s.Deployments[0]; v.Last != Done || !s.Settled {
			t.Errorf("the stop ended as %v, want done", v.Last)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		posts := p.posts()
		if len(posts) != 1 {
			t.Fatalf("%d POSTs, want 1", len(posts))
		}
		if late := posts[0].Sub(instant); late < 0 || late > 10*time.Millisecond {
			t.Errorf("the POST left %v after its instant, want at most 10ms with a commit of 2ms", late)
		}
		if l.overlap {
			t.Error("two commits were under way at once")
		}
	})
}

func TestLoopEndsWhenACommitFails(t *testing.T) {
	set := compile(t, evening("d1"))
	synctest.Test(t, func(t *testing.T) {
		loop, p, l := loopAt(t, set)
		ended := make(chan error)
		go func() { ended <- loop.Run(t.Context()) }()
		time.Sleep(5 * time.Second)
		l.mu.Lock()
		l.fail = errors.New("no space left on device")
		l.mu.Unlock()
		if err := <-ended; !errors.Is(err, l.fail) {
			t.Errorf("run: %v, want the ledger's error", err)
		}
		if n := len(p.posts()); n != 0 {
			t.Errorf("%d POSTs left without a durable claim", n)
		}
		if err := loop.Do(t.Context(), func(*Fleet, Now) {}); !errors.Is(err, ErrStopped) {
			t.Errorf("do after the end: %v, want ErrStopped", err)
		}
	})
}

func TestLoopDrainsAndNeverCancelsAPost(t *testing.T) {
	set := compile(t, evening("d1"))
	synctest.Test(t, func(t *testing.T) {
		loop, p, l := loopAt(t, set)
		p.post = 15 * time.Second
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- loop.Run(ctx) }()
		time.Sleep(11 * time.Second)
		stop()
		began := time.Now()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if took := time.Since(began); took < 10*time.Second {
			t.Errorf("drained after %v, before the POST was answered", took)
		}
		last := l.batches[len(l.batches)-1]
		if !slices.ContainsFunc(last.Endings, func(e Ending) bool { return e.Result == "accepted" }) {
			t.Errorf("the last batch does not hold the POST's answer: %+v", last.Endings)
		}
	})
}

func TestLoopOrdersAreDurableWhenTheyReturn(t *testing.T) {
	set := compile(t, evening("d1"))
	synctest.Test(t, func(t *testing.T) {
		loop, p, l := loopAt(t, set)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- loop.Run(ctx) }()
		time.Sleep(time.Second)
		hold := Order{Kind: OrderHold, Deployment: "d1", Power: policy.Running, Author: "anna",
			Until: time.Date(2026, 11, 24, 21, 0, 0, 0, time.UTC)}
		if err := loop.Order(ctx, hold); err != nil {
			t.Fatalf("hold: %v", err)
		}
		l.mu.Lock()
		durable := slices.ContainsFunc(l.batches, func(b *Batch) bool { return len(b.Overrides) == 1 })
		l.mu.Unlock()
		if !durable {
			t.Error("the order returned before its override was durable")
		}
		hold.Deployment = "nobody"
		if err := loop.Order(ctx, hold); !errors.Is(err, ErrNoDeployment) {
			t.Errorf("hold of a stranger: %v, want ErrNoDeployment", err)
		}
		time.Sleep(20 * time.Second)
		stop()
		<-ended
		if n := len(p.posts()); n != 0 {
			t.Errorf("%d POSTs during the hold", n)
		}
	})
}

func TestLoopTakesANewConfigurationBetweenTurns(t *testing.T) {
	set, none := compile(t, evening("d1")), compile(t)
	synctest.Test(t, func(t *testing.T) {
		loop, p, _ := loopAt(t, set)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- loop.Run(ctx) }()
		time.Sleep(5 * time.Second)
		if err := loop.Do(ctx, func(f *Fleet, now Now) {
			c := f.cfg
			c.Set = none
			f.Configured(now, c)
		}); err != nil {
			t.Fatalf("configure: %v", err)
		}
		time.Sleep(20 * time.Second)
		stop()
		<-ended
		if n := len(p.posts()); n != 0 {
			t.Errorf("%d POSTs for a policy that was removed", n)
		}
	})
}

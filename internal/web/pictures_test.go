package web

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"curfew/scheduler"
)

// TestSharedTakesTurns: however many ask, there is one question at a time, and the
// loop has three quarters of its time for itself.
func TestSharedTakesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const took = 40 * time.Millisecond
		var asking, most, spent int
		shared := Shared(func(context.Context) (*scheduler.Snapshot, error) {
			asking++
			most = max(most, asking)
			time.Sleep(took)
			asking--
			spent++
			return &scheduler.Snapshot{Now: scheduler.Now{Wall: time.Now()}}, nil
		})
		begin := time.Now()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				for range 50 {
					came := time.Now()
					s, err := shared(t.Context())
					if err != nil || s.Now.Wall.Before(came) {
						t.Errorf("a picture of %s for whoever came at %s, %v", s.Now.Wall, came, err)
						return
					}
				}
			})
		}
		wg.Wait()
		if most != 1 {
			t.Errorf("%d questions at once, want 1", most)
		}
		if busy, all := time.Duration(spent)*took, time.Since(begin); busy > all/4+took {
			t.Errorf("pictures took %s of %s, want at most a quarter", busy, all)
		}
	})
}

// TestSharedIsFresh: whoever comes while a picture is being taken gets the next
// one, and one that nobody waits for is not kept.
func TestSharedIsFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pictures := &pictures{turn: make(chan struct{}, 1), ask: func(context.Context) (*scheduler.Snapshot, error) {
			asked := time.Now()
			time.Sleep(time.Second)
			return &scheduler.Snapshot{Now: scheduler.Now{Wall: asked}}, nil
		}}
		begin := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { pictures.take(t.Context()) })
		time.Sleep(500 * time.Millisecond)
		s, err := pictures.take(t.Context())
		if err != nil || s.Now.Wall.Sub(begin) < 500*time.Millisecond {
			t.Errorf("asked after half a second, got a picture of %s, %v", s.Now.Wall.Sub(begin), err)
		}
		wg.Wait()
		if pictures.last != nil {
			t.Error("a picture is kept that nobody waits for")
		}
	})
}

// TestSharedGivesUp: nobody waits longer than his context, and a failure is not
// handed on.
func TestSharedGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fail := true
		shared := Shared(func(ctx context.Context) (*scheduler.Snapshot, error) {
			if fail {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return fleet(), nil
		})
		var wg sync.WaitGroup
		begin := time.Now()
		for _, patience := range []time.Duration{5 * time.Second, 2 * time.Second, time.Second} {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if _, err := shared(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != patience {
					t.Errorf("with a patience of %s: %v after %s", patience, err, time.Since(begin))
				}
			})
		}
		wg.Wait()
		fail = false
		if s, err := shared(t.Context()); err != nil || s == nil {
			t.Errorf("after the trouble: %v, want a picture", err)
		}
	})
}

package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"curfew/internal/ledger"
	"curfew/internal/simplatform"
	"curfew/scheduler"
)

// A scene is the evening while it happens: what the platform has logged so far,
// and which of it has been told.
type scene struct {
	*show
	*stage
	seq    uint64
	status map[string]simplatform.Status
}

// The evening must not last longer than this on the machine's clock, whatever
// happens.
const patience = 2 * time.Minute

// playEvening lets the real daemon live through the evening. The stage that it
// returns is still up with Keep.
func (s *show) playEvening(ctx context.Context) (*stage, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	t, err := evening().read()
	if err != nil {
		return nil, err
	}
	st, err := setUp(t, s.Options)
	if err != nil {
		st.end()
		return nil, err
	}
	sc := &scene{show: s, stage: st, status: map[string]simplatform.Status{}}
	if err := sc.play(ctx); err != nil {
		st.end()
		return nil, err
	}
	return st, s.playCron(t)
}

func (sc *scene) play(ctx context.Context) error {
	sc.head("A Friday evening, 27 November 2026, Europe/Berlin, 50 times faster")
	if err := sc.stage.start(sc.Options); err != nil {
		return err
	}
	sc.tell(sc.now(), "the daemon", fmt.Sprintf("started as process %d: 3 policies, 4 deployments, all running", sc.daemon.Process.Pid))
	if err := sc.until(ctx, func() bool { return sc.count("mdfba81f", simplatform.Stop) > 0 }); err != nil {
		return err
	}
	pid := sc.daemon.Process.Pid
	if err := sc.kill(); err != nil {
		return err
	}
	sc.tell(sc.now(), "staging", fmt.Sprintf("kill -9 of process %d: the platform has the stop, its answer finds nobody", pid))
	if err := sc.stage.start(sc.Options); err != nil {
		return err
	}
	looks := sc.count("mdfba81f", simplatform.Get)
	if err := sc.until(ctx, func() bool { return sc.count("mdfba81f", simplatform.Get) > looks }); err != nil {
		return err
	}
	sc.tell(sc.now(), "staging", fmt.Sprintf("process %d has found the claim without an answer, and looks: %s so far",
		sc.daemon.Process.Pid, tries(sc.count("mdfba81f", simplatform.Stop))))
	if err := sc.until(ctx, func() bool { return sc.settled(ctx) }); err != nil {
		return err
	}
	return sc.close()
}

// close ends the daemon and reads how it all ended from its ledger and from the
// platform's log.
func (sc *scene) close() error {
	end := sc.now()
	sc.handler.With(func(w *simplatform.World, now time.Time) { sc.ours = sc.ours.plus(scoreOf(w, sc.conf.Policies, now)) })
	if err := sc.stop(); err != nil {
		return err
	}
	sc.tell(end, "the daemon", "SIGTERM: drained, exit 0. Its ledger says:")
	if err := sc.ledger(); err != nil {
		return err
	}
	if sc.Keep {
		return sc.stage.start(sc.Options)
	}
	return nil
}

// until tells what happens until done, and asks again some times a second.
func (sc *scene) until(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		sc.follow()
		if sc.err != nil || done() {
			return sc.err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("the evening takes too long; the daemon said:\n%s", sc.said)
			}
			return ctx.Err()
		}
	}
}

// follow tells what the platform has logged since the last time: POSTs as they
// arrived, and statuses as they changed.
func (sc *scene) follow() {
	sc.handler.With(func(w *simplatform.World, now time.Time) {
		for _, e := range w.Since(sc.seq) {
			sc.seq = e.Seq
			if e.Method == simplatform.Start || e.Method == simplatform.Stop {
				sc.tell(e.At, sc.names[e.ID], fmt.Sprintf("%s arrives: %s", e.Method, answerOf(e)))
			}
		}
		for _, p := range sc.conf.Policies.Policies {
			for _, m := range p.Members() {
				id := string(m.ID)
				if is := w.StatusAt(id, now); is != sc.status[id] {
					if sc.status[id] != "" && is == simplatform.Stopped {
						sc.tell(now, sc.names[id], "is stopped")
					}
					sc.status[id] = is
				}
			}
		}
	})
}

// answerOf says what the platform answers, and what becomes of that.
func answerOf(e simplatform.Entry) string {
	switch e.Fault {
	case simplatform.Hang:
		return fmt.Sprintf("accepted, and the answer %d takes its time", e.Status)
	case simplatform.LostAnswer:
		return "accepted, and the connection dies before the answer"
	}
	return fmt.Sprintf("%d, accepted", e.Status)
}

// count is how many requests of a method for id have arrived.
func (sc *scene) count(id string, m simplatform.Method) (n int) {
	sc.handler.With(func(w *simplatform.World, _ time.Time) {
		for _, e := range w.Log() {
			if e.ID == id && e.Method == m {
				n++
			}
		}
	})
	return n
}

// settled reports whether everything is stopped and the daemon has seen it.
func (sc *scene) settled(ctx context.Context) bool {
	for _, is := range sc.status {
		if is != simplatform.Stopped {
			return false
		}
	}
	n, ready := sc.waits(ctx)
	return ready && n == 0
}

// ledger prints the outcomes that the daemon has recorded.
func (sc *scene) ledger() error {
	l, err := ledger.Open(context.Background(), ledger.Options{
		Path: filepath.Join(sc.dir, "curfew.db"), Account: sc.conf.Name, Endpoint: sc.platformURL + "/public_api/v1",
		Boot: "demo", Release: "demo", Now: func() scheduler.Now { return scheduler.Now{Wall: sc.now()} },
	})
	if err != nil {
		return err
	}
	outcomes, err := l.Outcomes(context.Background(), ledger.Filter{})
	if err = errors.Join(err, l.Close()); err != nil {
		return err
	}
	slices.Reverse(outcomes)
	for _, o := range outcomes {
		if o.Reason == scheduler.ReasonActivation {
			continue
		}
		sc.printf("    %-10s %s of %s %s after %s, because %s\n", sc.names[string(o.Deployment)], o.Power.Action(), sc.local(o.At),
			sc.outcome(o), tries(o.Tries), because(o))
	}
	return nil
}

// tell prints a line of the evening.
func (sc *scene) tell(at time.Time, who, what string) {
	sc.printf("  %s  %-10s %s\n", sc.paint("2", sc.local(at)), who, what)
}

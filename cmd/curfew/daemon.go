package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"

	"curfew/internal/config"
	"curfew/internal/ledger"
	"curfew/internal/web"
	"curfew/scheduler"
)

// A daemon is `curfew run` with all that it owns.
type daemon struct {
	reader     reader
	clock      clock
	log        *slog.Logger
	notices    *noticeLog
	supervisor *supervisor
	registry   *prometheus.Registry
	health     *web.Health
	metrics    *web.Metrics
	snapshots  web.Snapshots // of the loop, for all who ask over HTTP
	caller     *caller

	loop    atomic.Pointer[scheduler.Loop] // nil until the ledger is open
	inForce atomic.Pointer[settings]
	watched []config.File // owned by the reloader
	reloads chan struct{}
	hup     <-chan os.Signal

	selection    selection
	inventories  chan []scheduler.Listed // the last one that the loop told, not taken in yet
	examinations chan struct{}
}

func newDaemon(r reader, first *settings, log *slog.Logger, hup <-chan os.Signal) (*daemon, error) {
	d := &daemon{
		reader: r, clock: r.clock, log: log, notices: newNoticeLog(log),
		supervisor: newSupervisor(log), registry: prometheus.NewRegistry(), health: web.NewHealth(),
		caller: &caller{clock: r.clock}, watched: first.files, reloads: make(chan struct{}, 1), hup: hup,
		inventories: make(chan []scheduler.Listed, 1), examinations: make(chan struct{}, 1),
	}
	d.selection.log = log
	d.snapshots = web.Shared(d.snapshot)
	d.inForce.Store(first)
	d.caller.use(first.client)
	// Metrics come before the loop: a daemon that waits for the ledger can be
	// scraped, and its counters are there at 0.
	var err error
	d.metrics, err = web.NewMetrics(d.registry, web.MetricsOptions{
		Account: first.fleet.Account, Version: ownVersion(), Policies: first.policyNames(),
		PerDeployment: web.PerDeployment(first.file.PerDeployment.String()),
		Snapshot:      d.snapshots, Health: d.health,
	})
	if err != nil {
		return nil, err
	}
	if err := web.RegisterRuntime(d.registry); err != nil {
		return nil, err
	}
	d.health.SetConfig(true, d.clock.read().Wall)
	return d, nil
}

// errNotYet is what is asked for a picture of the fleet before there is one.
var errNotYet = errors.New("the ledger is not open yet")

// snapshot asks the loop for a picture of the fleet.
func (d *daemon) snapshot(ctx context.Context) (*scheduler.Snapshot, error) {
	loop := d.loop.Load()
	if loop == nil {
		return nil, errNotYet
	}
	return loop.Snapshot(ctx)
}

// listen opens the socket before anything else: a daemon whose port is taken
// must not get as far as the ledger.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: another program has this port, perhaps another curfew: stop it, or choose another with --listen", addr)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w (choose another address with --listen)", addr, err)
	}
	return ln, nil
}

// run serves health and metrics from the beginning to the very end, and in
// between does the daemon's work.
func (d *daemon) run(ctx context.Context, ln net.Listener) error {
	d.tellStart(ln)
	// Three lifetimes: what serves outlives what works, so that the last scrape
	// sees the last transition, and either's end ends the other.
	handler := web.New(web.Options{
		Account: d.inForce.Load().fleet.Account, Version: ownVersion(), Gatherer: d.registry,
		Snapshot: d.snapshots, Health: d.health, Log: d.log,
	})
	working, stopWorking := context.WithCancel(ctx)
	defer stopWorking()
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	var wg sync.WaitGroup
	var webErr error
	wg.Go(func() {
		webErr = web.Serve(serving, ln, handler, d.log)
		stopWorking() // a daemon that nobody can see should not go on unseen
	})
	wg.Go(func() { d.hangups(serving) })
	err := d.work(working)
	d.supervisor.stopping()
	stopServing()
	wg.Wait()
	if err = errors.Join(err, webErr); err == nil {
		d.log.Info("curfew ends")
	}
	return err
}

func (d *daemon) tellStart(ln net.Listener) {
	s := d.inForce.Load()
	d.log.Info("curfew starts", append([]any{"version", ownVersion(), "tzdata", tzdata(d.reader.env)}, d.describe(s)...)...)
	d.log.Info("listening", "addr", ln.Addr().String())
	d.tellProblems(s.warnings)
	if lasting, fs := ledger.LastingStorage(s.file.Ledger); !lasting {
		d.log.Warn("the ledger is not on lasting storage: what was called is forgotten with this machine or container; mount a volume for it",
			"ledger", s.file.Ledger, "file_system", fs)
	}
	d.tellWritable(filepath.Dir(s.file.Ledger), s.file.Ledger)
}

// tellWritable warns of a ledger that others could write: they would have a say
// in what is started and stopped. The ledger makes its own files private; these
// were there before.
func (d *daemon) tellWritable(paths ...string) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil { // not there yet, or opening it will tell
			continue
		}
		if mode := info.Mode(); mode.Perm()&0o002 != 0 && mode&fs.ModeSticky == 0 {
			d.log.Warn("everybody on this machine can write here, and so decide what is started and stopped: take that right away with chmod o-w",
				"path", path, "mode", fmt.Sprintf("%04o", mode.Perm()))
		}
	}
}

// describe is a configuration in attributes.
func (d *daemon) describe(s *settings) []any {
	return []any{
		"config", s.file.Source, "account", s.fleet.Account, "endpoint", s.file.Endpoint,
		"policies", len(s.fleet.Set.Policies), "deployments", s.deployments(), "dry_run", s.fleet.DryRun,
	}
}

// work opens the ledger, waiting for its lock if need be, and runs the loop.
func (d *daemon) work(ctx context.Context) error {
	l, err := d.openLedger(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while it waited
		}
		return err
	}
	return errors.Join(d.workWith(ctx, l), l.Close())
}

func (d *daemon) workWith(ctx context.Context, l *ledger.Ledger) error {
	state, err := l.Load(ctx)
	switch {
	case ctx.Err() != nil:
		return nil // told to stop before there was anything to do
	case err != nil:
		return err
	}
	d.caller.mark = l.Mark
	loop := d.newLoop(l, state)
	d.loop.Store(loop) // a snapshot that is asked for from now on waits for the first turn
	d.health.SetLedger(web.LedgerOpen)
	d.supervisor.up("working")
	debug.FreeOSMemory() // reading a large file and ledger took several times what is kept of them
	background, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { d.reloader(background) })
	wg.Go(func() { d.selector(background) })
	wg.Go(func() { d.examiner(background) })
	wg.Go(func() { d.prune(background, l) })
	err = loop.Run(ctx)
	stop()
	wg.Wait() // nobody may be in the ledger when it is closed
	d.notices.flush(d.clock.read())
	return err // the ledger's sentence has the next step already
}

// openLedger opens the ledger. While another daemon holds it, this one is up,
// and not ready; the file may have changed by the time that it is its turn.
func (d *daemon) openLedger(ctx context.Context) (*ledger.Ledger, error) {
	s := d.inForce.Load()
	waited := false // Wait is called from Open, in this goroutine
	l, err := ledger.Open(ctx, ledger.Options{
		Path: s.file.Ledger, Account: s.fleet.Account, Endpoint: s.file.Endpoint,
		Boot: d.clock.boot, Release: ownVersion(), Now: d.clock.read,
		Wait: func(holder string) {
			waited = true
			d.health.SetLedger(web.LedgerWaiting)
			d.log.Warn("waiting for the ledger: another process holds it", "ledger", s.file.Ledger, "holder", holder)
			d.supervisor.up("waiting for the ledger's lock")
		},
	})
	if err != nil {
		return nil, err
	}
	d.health.SetLedger(web.LedgerClosed)
	if waited {
		if next, ok := d.reload(ctx); ok {
			d.watched = next.files
		}
	}
	return l, nil
}

// newLoop returns the loop of the settings in force. Metrics and log hear of
// everything in the loop's own goroutine, so neither needs a lock on what it
// counts.
func (d *daemon) newLoop(l *ledger.Ledger, state scheduler.State) *scheduler.Loop {
	now := d.clock.read()
	fleet := scheduler.New(now, d.firstSelection(state), state)
	loop := scheduler.NewLoop(fleet, l, d.caller, d.clock.read, func(now scheduler.Now, n []scheduler.Notice) {
		d.metrics.Observe(n)
		d.notices.write(now, n)
		d.listed(n)
	})
	loop.Turned = func(now scheduler.Now) {
		d.health.Turned(now.Wall)
		d.notices.turned(now)
		d.supervisor.turned(now)
	}
	loop.Recall = d.caller.recall
	loop.Lapse = d.clock.fast
	return loop
}

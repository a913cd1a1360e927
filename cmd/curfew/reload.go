package main

import (
	"context"
	"errors"
	"sync"

	"curfew/internal/config"
	"curfew/internal/web"
	"curfew/policy"
	"curfew/scheduler"
)

// hangups asks for a reload at every SIGHUP until ctx ends.
func (d *daemon) hangups(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.hup:
			d.askReload()
		}
	}
}

// askReload never waits: a reload that has not begun yet will see what there is
// to see.
func (d *daemon) askReload() {
	select {
	case d.reloads <- struct{}{}:
	default:
	}
}

// reloader reloads when asked, and watches the files in force where that was
// wanted, until ctx ends. A refused file goes on being watched as it is: only
// another change of it asks again.
func (d *daemon) reloader(ctx context.Context) {
	for ctx.Err() == nil {
		watching, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		if d.reader.options.watch {
			files := d.watched // those in force now: reloadOnce puts others there
			wg.Go(func() { config.Watch(watching, files, d.askReload) })
		}
		d.reloadOnce(ctx)
		stop()
		wg.Wait()
	}
}

// reloadOnce waits for a configuration that can be put in force, and does so.
func (d *daemon) reloadOnce(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.reloads:
			if next, ok := d.reload(ctx); ok {
				d.watched = next.files
				return
			}
		}
	}
}

// reload reads everything that can be wrong first, and only then swaps. Whatever
// is wrong leaves the last good configuration in force.
func (d *daemon) reload(ctx context.Context) (*settings, bool) {
	before := d.inForce.Load()
	next, err := d.reader.read(before)
	if err != nil {
		d.refuse(err)
		return nil, false
	}
	if err := d.swap(ctx, next); err != nil { // the loop has ended
		return nil, false
	}
	d.tellProblems(next.warnings)
	d.tellLater(before.file, next.file)
	d.log.Info("configuration in force", d.describe(next)...)
	return next, true
}

// swap puts next in force between two turns of the loop: no call is made with
// the key of one configuration for the policies of the other.
func (d *daemon) swap(ctx context.Context, next *settings) error {
	// New policies have their counters before anything can be counted.
	d.metrics.Configured(next.policyNames(), web.PerDeployment(next.file.PerDeployment.String()))
	d.selection.mu.Lock()
	defer d.selection.mu.Unlock()
	fleet := d.selection.resolve(next)
	install := func() {
		d.caller.use(next.client)
		d.inForce.Store(next)
	}
	if loop := d.loop.Load(); loop == nil {
		install()
	} else if err := loop.Do(ctx, func(f *scheduler.Fleet, now scheduler.Now) {
		install()
		f.Configured(now, fleet)
		d.caller.recall(f.Epoch()) // nothing leaves by what was decided under the file before
	}); err != nil {
		return err
	}
	d.selection.set = fleet.Set
	d.askExamination()
	d.health.SetConfig(true, d.clock.read().Wall)
	return nil
}

// refuse says why a configuration was not put in force.
func (d *daemon) refuse(err error) {
	d.health.SetConfig(false, d.clock.read().Wall)
	var bad *badFile
	if errors.As(err, &bad) {
		d.tellProblems(bad.problems)
	}
	d.log.Error("configuration refused: the last good one stays in force", "err", err)
}

// maxTold is how many problems of a file the log gets.
const maxTold = 20

// tellProblems puts problems of a file into the log, a line each.
func (d *daemon) tellProblems(problems []policy.Problem) {
	for i, p := range problems {
		if i == maxTold {
			d.log.Warn("and more problems: curfew check has them all", "count", len(problems)-maxTold)
			return
		}
		logProblem(d.log, p)
	}
}

// tellLater names what a reload cannot change.
func (d *daemon) tellLater(before, next *config.Config) {
	if before.Listen != next.Listen {
		d.log.Warn("the new listen address counts from the next start on", "listen", next.Listen)
	}
	if before.Ledger != next.Ledger {
		d.log.Warn("the new ledger counts from the next start on", "ledger", next.Ledger)
	}
}

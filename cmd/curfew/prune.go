package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/ledger"
	"curfew/scheduler"
)

// pruneEvery is how often the ledger forgets what is too old. Rarely would do;
// often keeps each time short.
const pruneEvery = 5 * time.Minute

// prune forgets what is too old in the ledger until ctx ends. A failure costs
// nothing but room, so it is counted and tried again; while the wall clock is not
// believed, nothing is forgotten by it.
func (d *daemon) prune(ctx context.Context, l *ledger.Ledger) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A clock that is years ahead would make everything too old.
		s, err := d.snapshot(ctx)
		if err != nil || slices.Contains(s.Blocked, scheduler.BlockClock) {
			continue
		}
		keep := ledger.Keep{Uses: keepUses(d.inForce.Load().fleet.Quotas)}
		if _, err := l.Prune(ctx, d.clock.read(), keep); err != nil && ctx.Err() == nil {
			d.metrics.LedgerError()
			d.log.Warn("forget old records", slog.Any("err", err))
		}
	}
}

// keepUses is twice the longest window with its margin, and no less than the
// ledger's own default: a file that makes a window longer finds its calls.
func keepUses(quotas [quota.Methods]quota.Limit) time.Duration {
	keep := time.Duration(ledger.DefaultKeepUses)
	for _, lim := range quotas {
		keep = max(keep, 2*(lim.Per+lim.UnknownMargin()))
	}
	return keep
}

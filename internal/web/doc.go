// Package web is what a running daemon shows over HTTP: metrics, health, and one
// plain page. It only reads. Nothing here decides, and no request, whatever its
// method or path, changes the state of the daemon; so it may be served on TCP.
//
// There are two kinds of metrics. What happened is counted: the loop hands its
// notices to Metrics.Observe, which bumps counters and histograms. What is the
// case is read: a collector asks for one snapshot when it is scraped and turns
// it into constant metrics, so that no gauge can be left over from a deployment
// that is gone, and all of a scrape speaks of the same instant. A loop that does
// not answer costs a scrape five seconds and its state, not its counters, and
// curfew_state_available says so.
//
// The labels are closed lists, save those that come from the file (policy,
// deployment) and those in deployment_info that the platform reports. Counters
// are there at 0 from the start, for every combination that can occur: one that
// is born at 1 never fires an alert. A policy that a reload brings gets its
// zeros then. The counters of a policy that a reload takes away stay until the
// process ends: its last events would be lost to whoever scrapes a minute later,
// and a series that went and came back would look like a reset.
//
// /healthz asks whether the process is worth keeping (the loop turns, or it
// waits for the ledger's lock); /readyz asks whether it does its work (ledger
// open, configuration in force, first commit durable). Both answer with a
// sentence.
//
//	reg := prometheus.NewRegistry()
//	health := web.NewHealth()
//	m, err := web.NewMetrics(reg, web.MetricsOptions{
//		Account: "default", Policies: names, Snapshot: loop.Snapshot, Health: health,
//	})
//	loop.Notify = func(_ scheduler.Now, n []scheduler.Notice) { m.Observe(n) }
//	loop.Turned = func(now scheduler.Now) { health.Turned(now.Wall) }
//	h := web.New(web.Options{Gatherer: reg, Snapshot: loop.Snapshot, Health: health, Log: log})
//	err = web.Serve(ctx, listener, h, log)
package web

// Package sim lives through days of the daemon's life in virtual time.
//
// A machine is one host: the daemon's own Fleet, a ledger on a disk, two clocks,
// a network and a supervisor; outside of it is a simulated platform. Nothing
// waits and nothing runs beside anything else: the next instant at which
// something happens is the next instant. So a year of a hundred deployments
// takes seconds, an evening can be lived through again with the process killed
// at each single step, and one seed gives one log, byte for byte.
//
// It decides nothing about deployments. What leaves, when and why is the
// Fleet's, the same one that Loop drives; what comes back is made of the
// platform's response as package apiclient would report it. It uses no sockets,
// no JSON, no files, no goroutines and no clock.
//
//	r, err := sim.Simulate(ctx, sim.Options{Config: config, From: monday, Days: 7})
//	fmt.Println(r.Calls[quota.Stop], r.OverQuota, r.Outcomes)
//
// A Disk is what survives a crash: the batches that are durable, each wholly. A
// Model is an open ledger on it, and passes the suite of package ledgertest, as
// the SQLite file does.
//
// The tests are the larger part of the package. TestCrashes enumerates: every
// commit, mark and call of some nights, with a crash before it, a crash after it
// and an end of which nobody knows, and again while the daemon recovers from
// the first. TestYear lets a long outage and a heavy year pass, and nothing may
// grow. TestSim makes up fleets, files, faults, clock steps, reloads and
// people from a seed, and holds every step against the invariants by code of its
// own: an oracle that walks through time minute by minute, and the platform's
// own log. The tester is tested too: package mutants has deliberate bugs, each
// with the check that must catch it.
//
//	go test ./internal/sim -run TestSim -v -seed 4711     # one seed and its timeline
//	go test ./internal/sim -run TestSim -seeds 5000       # an evening's worth
//	go test ./internal/sim -run TestCrashes -deep         # every pair of crashes
//	go test ./internal/sim -run TestYear -days 365        # a whole year
//	go run ./internal/mutants                             # is every bug caught?
package sim

// Package scheduler decides which call leaves when, and is the goroutine that
// makes it so.
//
// Fleet is a state machine. What happened goes in (a configuration, an answer, a
// commit, a person's order, the passing of time), and Ready comes out: a batch
// to make durable, calls to start, things to tell, and when to come back. A
// deployment's record holds facts only (its floor, its last looks, its last
// attempt); what to do next is derived from them anew after every event. So a
// restart, a reload, a retry, a clock change and a lost answer have no path of
// their own: each writes a fact and asks again.
//
// Two promises hold by construction. A call comes out of a turn only after the
// Committed(nil) of the batch that holds its claim: no POST leaves without a
// permit and an attempt that are already durable. And time is an argument: Now
// holds both clocks, read once a turn by whoever drives the Fleet, which reads
// none, starts no goroutine, logs nothing and touches no file. The daemon, the
// simulator and the tests drive the same Fleet:
//
//	f := scheduler.New(now, config, state)
//	for {
//		ready := f.Turn(now)
//		if ready.Commit != nil {
//			err := ledger.Commit(ctx, ready.Commit)
//			f.Committed(now, err)
//		}
//		for _, call := range ready.Calls {
//			f.Answered(now, platform.Do(ctx, call))
//		}
//		now = sleepUntil(ready.Wake)
//	}
//
// Loop is that driver in a real process: one goroutine owns the Fleet, one
// commits, and one runs for each call in flight.
//
// Where to read: plan.go derives what should happen, judge.go settles what can
// be settled, looks.go says when to look, answer.go is the table of what each
// answer leads to, claims.go and permits.go are permits and slots, clock.go is
// what a stepped clock means, adopt.go what a changed file means.
package scheduler

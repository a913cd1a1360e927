// Package quota is the arithmetic of the platform's hourly quotas.
//
// A Limit says how many requests of one method may be made in a window, a Log
// remembers the requests of one method (of one deployment, or of a whole key)
// and answers with an instant: now, or when to come back. Nothing here reads a
// clock, sleeps or touches a disk; instants are readings of one steady clock,
// which nobody can step, and are never instants of a wall clock.
//
// The platform documents "N times within 60 minutes" and does not say whether
// its window slides, nor whether it counts what it rejects. So a Log counts
// every request that may have reached the server, in a sliding window, from the
// latest instant at which the server may have counted it (its end) to the start
// of the next one, plus a margin: a thousandth of the window after a known
// answer, a thirtieth after an unknown one. That is safe for a fixed window too.
//
// A Permit is the right to make one call. Only Claim makes one, so that code
// which asks for a Permit cannot be run past the quota by mistake:
//
//	p, ok := log.Claim(id, quota.Stop, limit, now, notAfter, latest)
//	if !ok {
//		wakeAt(log.Ready(limit, 0, now))
//	}
//	// make p durable, call, then:
//	log.End(p.ID(), ended, true)
//
// A token bucket would not do: one of 60 an hour lets 119 through in an hour,
// and a restart refills it.
package quota

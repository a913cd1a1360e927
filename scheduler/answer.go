package scheduler

import (
	"fmt"
	"time"

	"curfew/apiclient/quota"
)

// Answered takes in the end of a call, or that it never left.
func (f *Fleet) Answered(now Now, a Answer) {
	f.tick(now)
	fl, ok := f.flights[a.Claim]
	if !ok {
		return
	}
	v := a.means(fl.method)
	f.believeDate(a)
	f.landed(a, fl, v)
	f.keyAnswered(fl, a, v)
	rec := &f.recs[fl.r]
	if fl.method == quota.Get {
		rec.getClaim = 0
		f.lookAnswered(fl, a, v)
	} else {
		rec.postClaim = 0
		f.postAnswered(fl, a, v)
		f.dropAnswered(fl.r, fl.transition)
	}
	f.touch(fl.r)
	f.spare = append(f.spare, fl)
}

// landed takes the call out of the air: slot, quota, ledger, what it teaches.
func (f *Fleet) landed(a Answer, fl *flight, v Verdict) {
	delete(f.flights, a.Claim)
	f.inFlight--
	f.ripen(fl)
	f.answers.add(a.Ended.Steady - fl.began)
	if v == NotSent {
		f.giveBack(fl)
	} else {
		ended := Instant{Wall: a.Ended.Wall, Steady: a.Ended.Steady}
		if f.clockBlocks() {
			ended.Wall = time.Time{} // another boot must not count from an instant that is wrong
		}
		f.spent(fl, ended, v, a)
	}
	if v != NotSent {
		f.permit.reached()
	}
	f.permit.learn(f, fl, v, a)
	f.notifyEnd(a, fl, v)
}

// notifyEnd tells of the end of a call.
func (f *Fleet) notifyEnd(a Answer, fl *flight, v Verdict) {
	rec, took := &f.recs[fl.r], a.Ended.Steady-a.Began.Steady
	if fl.method == quota.Get {
		f.notify(LookEnded{Deployment: rec.id, Verdict: v, Status: a.Status, Took: took, Err: a.Err})
		return
	}
	n := CallEnded{
		Deployment: rec.id, Policy: f.policyName(rec), Method: fl.method,
		Transition: fl.transition, Verdict: v, Status: a.Status, Took: took, Err: a.Err,
	}
	if v != NotSent {
		n.Late, n.Cause = a.Began.Wall.Sub(fl.transition.At), fl.cause
	}
	f.notify(n)
}

// lookAnswered reads the answer to a GET.
func (f *Fleet) lookAnswered(fl *flight, a Answer, v Verdict) {
	rec := &f.recs[fl.r]
	if rec.id == everybody {
		f.listAnswered(fl, a, v)
		return
	}
	switch v {
	case Seen:
		f.looked(fl.r, a.Began, StatusOf(a.Look.Status), a.Look)
	case Absent:
		f.looked(fl.r, a.Began, StatusGone, Look{})
	case NoLook:
		if a.Status == 403 {
			f.alarm(AlarmForbidden, rec.id, "403: the key may not read this deployment; give it the project and the right to do so, "+
				"or remove the deployment from the file")
		}
	case Limited:
		f.limited(fl.r, quota.Get, a.Ended.Steady+f.limitedFor(a, quota.Get))
		f.alarm(AlarmLimitedGets, rec.id, "429 for a GET: "+f.foreignUse(quota.Get))
	}
}

// postAnswered reads the answer to a POST: the table of DESIGN section 3.
func (f *Fleet) postAnswered(fl *flight, a Answer, v Verdict) {
	rec := &f.recs[fl.r]
	if v == NotSent && a.Recalled {
		return // nothing was in its way: it is decided anew
	}
	if v == NotSent {
		rec.unsent = min(rec.unsent+1, 20)
		rec.notBefore[fl.method] = tryAgainAt(f.now.Steady, backoff(rec.unsent, rec.hash))
		f.permit.notSent(f, fl.method)
		return
	}
	f.beginAttempt(rec, fl, Instant{Wall: a.Ended.Wall, Steady: a.Ended.Steady})
	switch v {
	case Took:
		rec.attempt.State = Accepted
	case Unclear:
		rec.attempt.State = Doubtful
	case Unauthorized:
		rec.attempt.State = NotTaken
	case Forbidden:
		rec.attempt.State = NotTaken
		f.alarm(AlarmForbidden, rec.id, "403: the key may not "+fl.method.String()+
			" this deployment; give it the project and the right to do so, or remove the deployment from the file")
	case NotFound:
		rec.attempt.State = Vanished
		rec.look.gone = rec.postEnded
	case Limited:
		f.postLimited(fl, a)
	case Refused:
		f.postRefused(fl, a)
	}
	f.write(fl.r)
}

// beginAttempt makes the POST that ended at the one that rec remembers.
func (f *Fleet) beginAttempt(rec *record, fl *flight, ended Instant) {
	if t := fl.transition; rec.attempt.Power != t.Power || !rec.attempt.At.Equal(t.At) {
		rec.attempt = Attempt{Transition: t}
	}
	rec.attempt.Tries++
	rec.attempt.Ended = ended
	rec.postEnded = ended.Steady
	rec.unsent = 0
	rec.look.attemptLooks = attemptLooks{}
}

func (f *Fleet) postLimited(fl *flight, a Answer) {
	rec := &f.recs[fl.r]
	rec.attempt.State = NotTaken
	f.limited(fl.r, fl.method, a.Ended.Steady+f.limitedFor(a, fl.method))
	if fl.probe {
		return // this is how a scope is learned; permits.learn has told
	}
	f.alarm(AlarmLimited, rec.id, "429 for a "+fl.method.String()+": "+f.foreignUse(fl.method))
}

func (f *Fleet) postRefused(fl *flight, a Answer) {
	rec := &f.recs[fl.r]
	rec.attempt.State = Rejected
	rec.attempt.Refused++
	if rec.attempt.Refused < 3 {
		return
	}
	f.alarm(AlarmRefused, rec.id, "the platform refused the "+fl.method.String()+" three times (422): "+
		"look at the deployment in the console")
	f.settle(fl.r, rec.attempt.Transition, Failed, ReasonRefused, a.Err)
}

// limited keeps calls of m to r back after a 429, and those of the whole key
// where they may share its quota.
func (f *Fleet) limited(r ref, m quota.Method, until time.Duration) {
	rec := &f.recs[r]
	rec.notBefore[m] = max(rec.notBefore[m], until)
	f.permit.full(f, m, until)
}

// limitedFor is how long after a 429 its method is left alone: a window, or
// longer where a sane Retry-After says so; a GET waits for a sane Retry-After
// alone.
func (f *Fleet) limitedFor(a Answer, m quota.Method) time.Duration {
	lim := f.cfg.Quotas[m]
	wait := lim.Per + lim.Margin()
	if sane := a.RetryAfter > 0 && a.RetryAfter <= 2*lim.Per; sane {
		if m == quota.Get {
			wait = a.RetryAfter
		} else {
			wait = max(wait, a.RetryAfter)
		}
	}
	return wait
}

// foreignUse says which setting to look at after a 429 that was not expected.
func (f *Fleet) foreignUse(m quota.Method) string {
	lim := f.cfg.Quotas[m]
	return fmt.Sprintf("somebody else used the quota, or it is smaller or wider than api.quotas.%s says (limit %d, per %s, scope %s)",
		m, lim.N, lim.Per, lim.Scope)
}

// sharedTry is the grid of the instants at which long pauses end. Each try costs
// two commits; in an outage that lasts, a fleet's tries share them.
const sharedTry = 30 * time.Second

// tryAgainAt is when a POST that could not be sent is tried again.
func tryAgainAt(now, pause time.Duration) time.Duration {
	at := now + pause
	if pause < sharedTry {
		return at
	}
	return (at + sharedTry - 1).Truncate(sharedTry)
}

// backoff is the pause after the n-th POST in a row that could not be sent:
// from a quarter of a second to a minute, spread by the deployment's hash.
func backoff(n uint8, hash uint32) time.Duration {
	d := min(time.Minute, 250*time.Millisecond<<min(n-1, 8))
	return d - time.Duration(uint64(hash)*uint64(d/4)>>32)
}

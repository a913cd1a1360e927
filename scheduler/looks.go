package scheduler

import (
	"time"

	"curfew/apiclient/quota"
)

// getClass is why a look is wanted, the most important first.
type getClass uint8

const (
	getOpen   getClass = iota // an open attempt, or a POST that waits for a look
	getAhead                  // a boundary is coming
	getList                   // all deployments at once
	getPeople                 // somebody asks
	getIdle                   // nothing in particular
	getClasses
	noGet = getClasses
)

// paced reports whether the pace of looks bounds the class.
func (c getClass) paced() bool { return c == getAhead || c == getIdle }

// keep is how many GETs of a limit a class leaves to those before it.
func (c getClass) keep(lim quota.Limit) int {
	switch c {
	case getAhead, getList, getPeople:
		return lim.N / 4
	case getIdle:
		return lim.N * 2 / 3
	}
	return 0
}

// The pace of idle looks and looks ahead: at most pace a second, claimed a
// second's worth at a time, so that they cost one commit a second.
const (
	pace        = 50
	aheadAtMost = 4 * time.Minute
	aheadLeast  = 10 * time.Second
)

// decideGet finds out whether a look is wanted now, and otherwise when.
func (f *Fleet) decideGet(rec *record, g goal, in *intent) {
	if rec.getClaim != 0 || rec.postClaim != 0 || f.draining {
		return
	}
	if f.blocked.on && !rec.asked {
		return // the probe alone asks
	}
	class, at := f.nextLook(rec, g, in.wait)
	if class == noGet {
		return
	}
	at = max(at, rec.notBefore[quota.Get])
	if at <= f.now.Steady {
		at = f.permit.own(f, rec, quota.Get, class.keep(f.cfg.Quotas[quota.Get]))
	}
	if at <= f.now.Steady {
		in.get = class
		return
	}
	in.wakeAt(at)
}

// nextLook chooses the most important look that is wanted by now, or else the
// one that is wanted first.
func (f *Fleet) nextLook(rec *record, g goal, wait Wait) (getClass, time.Duration) {
	class, at := noGet, quota.Never
	offer := func(c getClass, when time.Duration) {
		if at > f.now.Steady && when < at {
			class, at = c, when
		}
	}
	offer(getOpen, f.lookForAttempt(rec, g, wait))
	if rec.rule == nil {
		return class, at
	}
	offer(getAhead, f.lookAhead(rec))
	if rec.asked {
		offer(getPeople, max(f.now.Steady, rec.look.tried+minStep))
	}
	offer(getIdle, f.lookIdle(rec))
	return class, at
}

// lookForAttempt is when an open attempt, or a POST that a look may release,
// wants the next look.
func (f *Fleet) lookForAttempt(rec *record, g goal, wait Wait) time.Duration {
	confirm := f.confirm(rec)
	if rec.attempt.State.Open() {
		since := rec.attempt.Ended.Steady
		at := max(rec.look.tried, since) + f.step(f.now.Steady-since, confirm)
		if last := since + lastLookAt(confirm); rec.look.tried < last {
			at = min(at, last) // one just before the end, whatever the pace is
		}
		return at
	}
	since := f.steadyAt(g.at)
	if rec.tried(g) {
		since = max(since, rec.postEnded)
	}
	pause := f.step(f.now.Steady-since, confirm)
	switch wait {
	case WaitName: // the first look that tells it
	case WaitLook:
		if rec.fresh() && rec.look.kind.Shows() == g.power {
			pause = max(minStep, confirm/60) // the second of two
		}
	case WaitTransient, WaitStatus, WaitGone: // may last: the attempt to come needs looks too
		pause = max(pause, confirm/15)
	default:
		return quota.Never
	}
	if rec.look.tried < since {
		return since
	}
	return rec.look.tried + pause
}

// lastLookAt is when the last look for an open attempt is due, from the answer
// on: just before the end of confirm_within.
func lastLookAt(confirm time.Duration) time.Duration { return confirm - confirm/120 }

// step is the pause between two looks, by the time since the answer: a sixtieth
// of confirm_within in its first third, then a fifteenth; after its end slower,
// but so that a transient status that lasts is never too old to be believed.
func (f *Fleet) step(since, confirm time.Duration) time.Duration {
	switch {
	case since < confirm/3:
		return max(minStep, confirm/60)
	case since < confirm:
		return max(minStep, confirm/15)
	}
	return max(minStep, confirm/15, min(f.permit.lookEvery, believed/2))
}

// lookAhead is when the next boundary of rec's policy wants a look: for the
// first members two seconds before it, so that as many connections are warm as
// there are slots; for the others, where no look is recent, spread before that.
func (f *Fleet) lookAhead(rec *record) time.Duration {
	until := rec.rule.until
	if until == never {
		return quota.Never
	}
	boundary := f.steadyAt(until)
	span := min(aheadAtMost, max(aheadLeast, time.Duration(len(rec.rule.members))*time.Second*6/5/pace))
	at := boundary - lastLook
	if rec.rank >= Slots {
		at -= time.Duration(uint64(rec.hash) * uint64(span) >> 32)
		if rec.fresh() && rec.look.asked > at-believed/4 {
			return quota.Never
		}
	}
	if rec.look.tried >= at {
		return quota.Never
	}
	return at
}

// lookIdle is when rec is due for a look that nothing else asks for. Looks are
// spread over the deployments and then gathered into handfuls, ten in the time
// between two looks at one deployment: a handful costs one commit.
func (f *Fleet) lookIdle(rec *record) time.Duration {
	if f.cfg.ObserveList {
		return f.lookForLack(rec)
	}
	if rec.look.tried == longAgo {
		return f.now.Steady
	}
	every := f.permit.lookEvery
	jitter := time.Duration(uint64(rec.hash)*uint64(every/5)>>32) - every/10
	at, handful := rec.look.tried+every+jitter, every/10
	return at + handful - at%handful
}

// looked takes in a look at rec that was asked for at asked.
func (f *Fleet) looked(r ref, asked Now, kind StatusKind, look Look) {
	rec := &f.recs[r]
	if rec.postClaim != 0 || asked.Steady < rec.postEnded {
		return // asked before the last POST ended: it proves nothing
	}
	if asked.Steady < rec.look.asked {
		return // overtaken by a later one: a list and a single look can be on their way at once
	}
	was := rec.look
	f.account(rec, asked.Steady)
	l := &rec.look
	if was.kind != kind || l.run == 0 || was.asked < rec.postEnded {
		l.run, l.since = 0, asked.Steady
	}
	l.kind, l.asked, l.wall, l.run = kind, asked.Steady, asked.Wall.UnixNano(), l.run+1
	switch {
	case kind != StatusGone:
		l.gone = 0
		if name := rec.info.Name; rec.info != look {
			rec.info = look
			f.named(r, name)
		}
	case l.gone == 0:
		l.gone = asked.Steady
		f.alarm(AlarmNotFound, rec.id, notKnown)
	}
	if rec.attempt.State.Open() {
		f.lookedAtAttempt(r, kind)
	}
	f.returned(rec, was.kind, kind)
}

// notKnown is what people are told of a 404.
const notKnown = "404: the platform does not know this deployment: correct its id in the file, remove it, " +
	"or give the key the right to see its project"

// account adds the time since the last look to the status that it showed.
func (f *Fleet) account(rec *record, asked time.Duration) {
	if rec.look.kind == StatusNone {
		return
	}
	span := min(asked-rec.look.asked, 2*f.permit.lookEvery)
	rec.seconds[rec.look.kind] += max(0, span).Seconds()
}

package scheduler

import (
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// judge settles what can be settled of a deployment now. It reports whether it
// changed a fact, so that it is to be asked again.
func (f *Fleet) judge(r ref) bool {
	rec := &f.recs[r]
	switch {
	case rec.attempt.State.Open():
		return f.judgeAttempt(r)
	case rec.rule == nil:
		return f.bury(r)
	case rec.postClaim != 0:
		return false
	}
	g := f.goal(rec)
	if g.none() {
		return f.judgeCancelled(r) || f.judgeEnforce(r)
	}
	return f.judgeGuarded(r, g) || f.judgeGoal(r, g)
}

// judgeGoal settles a goal without a call, where the law says so.
func (f *Fleet) judgeGoal(r ref, g goal) bool {
	rec := &f.recs[r]
	o := rec.rule.p.Options()
	switch {
	case f.cfg.DryRun || o.DryRun:
		f.settleGoal(r, g, Skipped, ReasonDryRun, "")
	case f.isThere(rec, g):
		if rec.tried(g) && rec.attempt.State == Closed {
			f.settleGoal(r, g, Done, ReasonNone, "seen after confirm_within")
		} else {
			f.settleGoal(r, g, Already, ReasonNone, "")
		}
	case o.CatchUpWithin > 0 && f.plan-f.callable(rec, g) > int64(o.CatchUpWithin):
		f.settleGoal(r, g, Missed, ReasonCatchUp, "")
	case f.goneThroughout(rec, g, o.ConfirmWithin):
		f.alarm(AlarmNotFound, rec.id, notKnown)
		f.settleGoal(r, g, Failed, ReasonNotFound, "")
	case f.seemsThere(rec, g): // a second look tells
		return false
	case rec.look.kind != StatusNone && f.tooClose(rec, g):
		f.settleGoal(r, g, Missed, ReasonTooClose, "")
	case g.power == policy.Stopped && !f.permit.startFits(f, rec):
		f.skipInfeasible(r, g)
	default:
		return false
	}
	return true
}

// skipInfeasible leaves a deployment running that could not be started in time.
func (f *Fleet) skipInfeasible(r ref, g goal) {
	f.alarm(AlarmInfeasible, f.recs[r].id, "not stopped: the quota could not start it again in time; move the times apart")
	f.settleGoal(r, g, Skipped, ReasonQuota, "")
}

// isThere reports whether looks show what g wants: two equal ones in a row, the
// second asked for at or after the instant; after a POST that may have done it,
// one.
func (f *Fleet) isThere(rec *record, g goal) bool {
	if !rec.fresh() || rec.look.kind.Shows() != g.power || rec.look.wall < g.at {
		return false
	}
	return rec.look.run >= 2 || rec.tried(g) && rec.attempt.State == Closed
}

// seemsThere reports whether the last look showed what g wants and is recent.
func (f *Fleet) seemsThere(rec *record, g goal) bool {
	return rec.fresh() && rec.look.kind.Shows() == g.power && f.now.Steady-rec.look.asked < believed
}

// goneThroughout reports whether looks said 404 for all of confirm_within since
// a POST was answered so.
func (f *Fleet) goneThroughout(rec *record, g goal, confirm time.Duration) bool {
	l := rec.look
	return rec.tried(g) && rec.attempt.State == Vanished && rec.fresh() && l.kind == StatusGone && l.gone <= rec.postEnded &&
		f.now.Steady-rec.postEnded >= confirm && l.asked-rec.postEnded >= confirm*2/3
}

// judgeCancelled settles the latest edge where an override cancelled it.
func (f *Fleet) judgeCancelled(r ref) bool {
	rec := &f.recs[r]
	e := rec.rule.edge
	if len(rec.overrides) == 0 || !rec.rule.acts() || rec.rule.since <= rec.floor {
		return false
	}
	reason := reasonOf(rec.rule.p.Cancels(rec.overrides, e))
	if reason == ReasonNone && f.decision(rec).Want == policy.None {
		reason = ReasonPause // one that began after the edge came, and before it was settled
	}
	if reason == ReasonNone {
		return false
	}
	f.settle(r, Transition{Power: e.Power, At: e.At, Because: e.Because}, Skipped, reason, "")
	return true
}

// reasonOf is the reason for an edge that an override of kind k cancelled.
func reasonOf(k policy.OverrideKind) Reason {
	switch k {
	case policy.Skip:
		return ReasonSkip
	case policy.Pause:
		return ReasonPause
	}
	return ReasonNone
}

// judgeEnforce raises a correction where the policy enforces its power: after
// two equal stable looks a minute apart that show the other one.
func (f *Fleet) judgeEnforce(r ref) bool {
	rec := &f.recs[r]
	want := f.decision(rec).Want
	l := rec.look
	if !rec.armed || want == policy.None || !rec.rule.p.Options().Enforce.Of(want) || !rec.fresh() ||
		l.kind.Shows() != want.Other() || l.run < 2 || l.asked-l.since < time.Minute || l.wall <= rec.floor {
		return false
	}
	if !f.free(rec, want) || want == policy.Stopped && !(f.permit.startFits(f, rec) && f.permit.keyStartFits(f, r, false)) {
		return false // it must not be touched, or could not be started again in time
	}
	rec.look.run = 0
	f.raise(r, goal{want, l.wall}, policy.Because{Kind: policy.KindEnforce, Pos: rec.rule.p.Pos(), Ref: "enforce"})
	return !f.goal(rec).none()
}

// returned raises a transition where a deployment answers again that had failed
// as not found, before the next edge.
func (f *Fleet) returned(rec *record, was, is StatusKind) {
	if rec.rule == nil || rec.last != Failed || rec.lastReason != ReasonNotFound || was != StatusGone && was != StatusNone || is == StatusGone {
		return
	}
	d := f.decision(rec)
	if d.Want == policy.None || !f.goal(rec).none() || rec.look.wall <= rec.floor {
		return
	}
	f.raise(f.index[rec.id], goal{d.Want, rec.look.wall},
		policy.Because{Kind: policy.KindReturned, Pos: d.Because.Pos, Ref: d.Because.Ref})
}

// judgeAttempt closes an open attempt when its time is over, or when looks have
// shown that it did nothing.
func (f *Fleet) judgeAttempt(r ref) bool {
	rec := &f.recs[r]
	confirm := f.confirm(rec)
	since := f.now.Steady - rec.attempt.Ended.Steady
	l := rec.look
	switch {
	case rec.attempt.State == Doubtful && since >= confirm/3 && l.unchanged >= 2 && l.lateOne && !l.changed:
		f.closeAttempt(r, ConfirmNoEffect)
	case since < confirm || rec.getClaim != 0: // a look that is on its way has the last word
		return false
	case l.tried < rec.attempt.Ended.Steady+lastLookAt(confirm) && f.awaitsLastLook(rec, confirm):
		return false // nobody looked at its end: the host slept, or no GET was left
	case rec.attempt.State == Accepted:
		f.alarm(AlarmNotReached, rec.id, "the platform accepted the "+rec.attempt.Power.Action()+
			" and did not carry it out within confirm_within; look at the deployment in the console")
		f.closeAttempt(r, ConfirmUnseen)
	default:
		f.alarm(AlarmUnknown, rec.id, "nobody knows whether the "+rec.attempt.Power.Action()+
			" took effect: its answer was lost, and looks did not tell; look at the deployment in the console")
		t := rec.attempt.Transition
		f.closeAttempt(r, ConfirmUnseen)
		if rec.tried(f.goal(rec)) {
			f.settle(r, t, Failed, ReasonUnknown, "")
		}
	}
	return true
}

// awaitsLastLook gives the last look at an attempt a quarter of confirm_within
// from when it was first missed: a process that was frozen has not looked.
func (f *Fleet) awaitsLastLook(rec *record, confirm time.Duration) bool {
	if rec.look.over == 0 {
		rec.look.over = f.now.Steady
	}
	return f.now.Steady-rec.look.over < confirm/4
}

// lookedAtAttempt reads a look for what it says of the open attempt.
func (f *Fleet) lookedAtAttempt(r ref, kind StatusKind) {
	rec := &f.recs[r]
	l, a := &rec.look, &rec.attempt
	confirm := f.confirm(rec)
	since := l.asked - a.Ended.Steady
	switch {
	case kind.Shows() == a.Power:
		f.seen(r, ConfirmSeen, "")
	case kind == towards(a.Power):
		l.ours = true
		if a.State == Doubtful {
			a.State = Accepted
			f.write(r)
		}
	case kind == towards(a.Power.Other()) && l.ours:
		f.seen(r, ConfirmOverruled, "overruled: somebody else acted before it was reached")
	case kind.Shows() == a.Power.Other() && l.ours:
		f.alarm(AlarmNotReached, rec.id, "the platform began the "+a.Power.Action()+" and took it back; it is tried again")
		f.closeAttempt(r, ConfirmRolledBack)
	case kind.Shows() == a.Power.Other():
		if since <= confirm/3 {
			l.unchanged++
			l.lateOne = l.lateOne || since >= confirm/4
		}
	case since <= confirm/3:
		l.changed = true
	}
}

// seen settles the open attempt's transition as done.
func (f *Fleet) seen(r ref, how ConfirmResult, note string) {
	rec := &f.recs[r]
	t := rec.attempt.Transition
	f.closeAttempt(r, how)
	f.settle(r, t, Done, ReasonNone, note)
}

// closeAttempt ends the open attempt. Where it closes unseen and its transition
// does not count any more, that is settled; otherwise it is due again.
func (f *Fleet) closeAttempt(r ref, how ConfirmResult) {
	rec := &f.recs[r]
	rec.attempt.State = Closed
	rec.look.attemptLooks = attemptLooks{}
	f.notify(AttemptEnded{Deployment: rec.id, Policy: f.policyName(rec), Power: rec.attempt.Power, Result: how})
	f.write(r)
	if how == ConfirmSeen || how == ConfirmOverruled {
		return
	}
	g := f.goal(rec)
	switch t := rec.attempt.Transition; {
	case rec.tried(g):
	case rec.dropped != ReasonNone:
		f.settle(r, t, Skipped, rec.dropped, "")
	case !g.none() && g.at > t.At.UnixNano():
		f.settle(r, t, Superseded, ReasonNone, "")
	case t.At.UnixNano() <= rec.floor: // dropped by a process before this one
		f.settle(r, t, Skipped, ReasonChanged, "")
	}
}

// dropAnswered settles a transition that a new file dropped while its POST was
// in the air, where the POST did nothing.
func (f *Fleet) dropAnswered(r ref, t Transition) {
	if rec := &f.recs[r]; rec.dropped != ReasonNone && !rec.attempt.State.Open() {
		f.settle(r, t, Skipped, rec.dropped, "")
		rec.dropped = ReasonNone
	}
}

// settleGoal settles g with its reasons.
func (f *Fleet) settleGoal(r ref, g goal, kind OutcomeKind, reason Reason, note string) {
	f.settle(r, f.transition(&f.recs[r], g), kind, reason, note)
}

// settle records how t ended and moves the floor to it. Edges that are passed
// over on the way are superseded, or skipped where an override cancelled them.
func (f *Fleet) settle(r ref, t Transition, kind OutcomeKind, reason Reason, note string) {
	rec := &f.recs[r]
	at := t.At.UnixNano()
	// A correction under a hold leaves alone the edge that the hold defers.
	aside := rec.raised == goal{t.Power, at} && f.deferred(rec) != WaitNone
	if !aside {
		f.passOver(r, at)
	}
	tries := 0
	if rec.tried(goal{t.Power, at}) {
		tries = rec.attempt.Tries
	}
	o := Outcome{
		Deployment: rec.id, Policy: f.policyName(rec), Transition: t, Kind: kind, Reason: reason,
		Count: 1, Settled: time.Unix(0, f.plan).UTC(), Tries: tries, Note: note,
	}
	took := time.Duration(0)
	if kind == Done {
		took = time.Duration(rec.look.wall - at)
	}
	f.record(o, took)
	if !aside {
		rec.floor = max(rec.floor, min(at, f.plan)) // at may lie ahead again: the clock was stepped back
	}
	rec.armed = rec.armed || reason != ReasonActivation && reason != ReasonChanged
	rec.last, rec.lastReason, rec.lastPower, rec.lastAt = kind, reason, t.Power, at
	if !rec.attempt.State.Open() && rec.attempt.At.UnixNano() <= max(at, rec.floor) {
		rec.attempt, rec.dropped = Attempt{}, ReasonNone
		f.forgetBackoff(rec, methodOf(t.Power))
	}
	if aside || rec.raised.at <= rec.floor || rec.raised == (goal{t.Power, at}) { // the last: it is of this very instant
		rec.raised = goal{}
	}
	f.expire(r)
	f.write(r)
}

// forgetBackoff ends the pause after calls that could not be sent; the next
// transition begins anew.
func (f *Fleet) forgetBackoff(rec *record, m quota.Method) {
	if rec.unsent > 0 {
		rec.unsent, rec.notBefore[m] = 0, 0
	}
}

// record appends an outcome to the history and tells of it.
func (f *Fleet) record(o Outcome, took time.Duration) {
	f.next.Outcomes = append(f.next.Outcomes, o)
	f.notify(Settled{Outcome: o, Took: took})
}

// passOver records the edges between the floor and at, which nothing was done
// for, as one line a reason with a count.
func (f *Fleet) passOver(r ref, at int64) {
	rec := &f.recs[r]
	if rec.rule == nil || at <= rec.floor {
		return
	}
	if last, power := f.edgeBefore(rec.rule, at); last <= rec.floor && power != policy.None {
		return
	}
	p := rec.rule.between(rec.floor, at, rec.overrides)
	for _, reason := range [...]Reason{ReasonNone, ReasonSkip, ReasonPause, ReasonUntouched} {
		n := p.counts[reason]
		if n == 0 {
			continue
		}
		e, kind := p.first[reason], Superseded
		if reason != ReasonNone {
			kind = Skipped
		}
		f.record(Outcome{
			Deployment: rec.id, Policy: f.policyName(rec), Transition: Transition{e.Power, e.At, e.Because},
			Kind: kind, Reason: reason, Count: n, Settled: time.Unix(0, f.plan).UTC(),
		}, 0)
	}
}

// edgeBefore is the last effective edge before at, from what the rule has at
// hand where it can, and its power. Behind the begin of days on which nothing is
// wanted lie edges that are passed over and are no effective ones.
func (f *Fleet) edgeBefore(r *rule, at int64) (int64, policy.Power) {
	if at > r.since {
		return r.since, r.edge.Power
	}
	if at == r.since {
		return r.prev, r.prevPower
	}
	e, ok := r.p.Prev(time.Unix(0, at-1))
	if !ok {
		return longAgoWall, policy.Stopped
	}
	return e.At.UnixNano(), e.Power
}

// between counts the edges after from and before to by the reason for which
// they are passed over. Without overrides the answer is the same for all
// members, and kept.
func (r *rule) between(from, to int64, over []policy.Override) passing {
	key := [2]int64{from, to}
	if p, ok := r.passed[key]; ok && len(over) == 0 {
		return p
	}
	p := passing{map[Reason]int{}, map[Reason]policy.Edge{}}
	for e := range r.p.Edges(time.Unix(0, from+1), time.Unix(0, to)) {
		reason := reasonOf(r.p.Cancels(over, e))
		switch {
		case e.Cancellation == policy.CancelledUntouched:
			reason = ReasonUntouched
		case e.Cancellation != policy.NotCancelled, e.Power == policy.None:
			continue // it never counted
		}
		if p.counts[reason]++; p.counts[reason] == 1 {
			p.first[reason] = e
		}
	}
	if len(over) == 0 {
		if r.passed == nil {
			r.passed = map[[2]int64]passing{}
		}
		r.passed[key] = p
	}
	return p
}

// policyName is the policy's name, empty where it is gone from the file.
func (f *Fleet) policyName(rec *record) string {
	if rec.rule == nil {
		return ""
	}
	return rec.rule.p.Name()
}

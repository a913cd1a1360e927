package scheduler

import (
	"strconv"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// How long something may be believed, and how late is late (DESIGN sections 2
// and 3).
const (
	believed  = 5 * time.Minute // a status holds a POST back for so long
	lateAfter = 5 * time.Minute // a call that is later must not be too close to the next
	lastLook  = 2 * time.Second // before the instant
	minStep   = 200 * time.Millisecond
)

// A goal is a transition that is due, without its reasons.
type goal struct {
	power policy.Power
	at    int64
}

func (g goal) none() bool { return g.power == policy.None }

// An intent is what should happen to a deployment next, derived from facts.
type intent struct {
	post     bool // a POST is ready for its permit
	get      getClass
	now      time.Duration
	wake     time.Duration
	wait     Wait
	permitAt time.Duration
}

// wakeAt asks for another look at the deployment at a steady instant. What is
// not ahead has had its say already.
func (in *intent) wakeAt(at time.Duration) {
	if at > in.now {
		in.wake = min(in.wake, at)
	}
}

// decision is what is wanted of rec now.
func (f *Fleet) decision(rec *record) policy.Decision {
	if len(rec.overrides) == 0 {
		return rec.rule.dec
	}
	return rec.rule.p.DecideUnder(rec.overrides, time.Unix(0, f.plan))
}

// goal is the transition of rec that is due and not settled: the latest edge,
// begin or end of an override, correction or return after the floor.
func (f *Fleet) goal(rec *record) goal {
	if rec.rule == nil {
		return goal{}
	}
	want, since := rec.rule.dec.Want, rec.rule.since
	if len(rec.overrides) > 0 {
		d := f.decision(rec)
		want, since = d.Want, d.Since.UnixNano()
		if d.Since.IsZero() {
			return goal{}
		}
	}
	if want == policy.None {
		return goal{}
	}
	if r := rec.raised; r.power == want && r.at > since && r.at > rec.floor {
		return r
	}
	if since > rec.floor {
		return goal{want, since}
	}
	return goal{}
}

// transition is g with its reasons.
func (f *Fleet) transition(rec *record, g goal) Transition {
	t := Transition{Power: g.power, At: time.Unix(0, g.at).UTC()}
	switch {
	case rec.raised == g:
		t.Because = rec.raisedWhy
	case rec.rule != nil:
		t.Because = f.decision(rec).Because
	}
	return t
}

// raise makes a transition due that is no edge.
func (f *Fleet) raise(r ref, g goal, why policy.Because) {
	rec := &f.recs[r]
	rec.raised, rec.raisedWhy = g, why
	f.write(r)
}

// raiseNow makes a transition due that comes now, behind all that is settled, or
// will be when an open attempt ends. What was settled for an instant ahead was so
// by a clock that was wrong: it does not make this one wait, nor be early.
func (f *Fleet) raiseNow(r ref, p policy.Power, settled int64, why policy.Because) {
	rec := &f.recs[r]
	rec.floor = min(rec.floor, f.plan)
	f.raise(r, goal{p, max(f.plan, min(settled, f.plan)+1)}, why)
}

// raisedTransition is what was raised, with its reasons; zero where nothing was.
func (rec *record) raisedTransition() Transition {
	if rec.raised.none() {
		return Transition{}
	}
	return Transition{Power: rec.raised.power, At: time.Unix(0, rec.raised.at).UTC(), Because: rec.raisedWhy}
}

// tried reports whether rec's attempt is for g.
func (rec *record) tried(g goal) bool {
	return rec.attempt.State != NoAttempt && rec.attempt.Power == g.power && rec.attempt.At.UnixNano() == g.at
}

// fresh reports whether the last look was asked for after the last POST ended:
// an earlier one proves nothing.
func (rec *record) fresh() bool {
	return rec.look.kind != StatusNone && rec.look.asked >= rec.postEnded
}

// touch derives what should happen to a deployment and puts it where that will
// be seen. Every event ends here, so that restart, reload, retry and clock
// change have no path of their own.
func (f *Fleet) touch(r ref) {
	for f.judge(r) {
	}
	rec := &f.recs[r]
	g := f.goal(rec)
	in := f.decide(rec, g)
	if m := methodOf(g.power); in.post && rec.inPost != m {
		rec.inPost = m
		f.posts[m].push(entry{g.at, rec.hash, r})
	}
	if in.get != noGet && in.get != rec.getClass {
		f.gets[in.get].push(entry{int64(f.now.Steady), rec.hash, r})
	}
	rec.getClass = in.get
	f.setWake(r, in.wake)
	if in.wait != WaitNone && in.wait != WaitSlot {
		f.waits(r, g, in.wait)
	}
}

// waits notes that r's goal waits. What is due must survive a restart with
// another file, so the row tells of it; and where a status holds a POST back that
// is not understood, or a transient one for confirm_within, people are told, once
// a transition.
func (f *Fleet) waits(r ref, g goal, why Wait) {
	rec := &f.recs[r]
	if g.none() {
		return
	}
	if rec.dueAt != g.at {
		rec.dueAt = g.at
		f.later(r)
	}
	long := time.Duration(f.plan-g.at) >= f.confirm(rec)
	if why == WaitName && long && rec.warned != g.at {
		rec.warned = g.at
		f.alarm(AlarmName, rec.id, "the "+g.power.Action()+" waits for the deployment's name, which no look has told: "+
			"look at what the key may read, or name the deployment by its id in protect")
	}
	if lasts := why == WaitTransient && long; (lasts || why == WaitStatus) && rec.warned != g.at {
		rec.warned = g.at
		f.alarm(AlarmStatus, rec.id, "the "+g.power.Action()+" waits: the status is "+strconv.Quote(rec.info.Status)+
			", which takes neither start nor stop; look at the deployment in the console if it lasts")
	}
}

// decide derives from the facts of a deployment what should happen to it next.
func (f *Fleet) decide(rec *record, g goal) intent {
	in := intent{get: noGet, now: f.now.Steady, wake: quota.Never}
	if rec.id == everybody {
		f.decideList(rec, &in)
		return in
	}
	if rec.rule == nil && !rec.attempt.State.Open() {
		return in
	}
	if len(rec.overrides) > 0 && rec.rule != nil {
		in.wakeAt(f.steadyAt(wallOf(f.decision(rec).Until)))
	}
	f.decidePost(rec, g, &in)
	f.decideGet(rec, g, &in)
	return in
}

// decidePost finds out whether a POST should leave now, and otherwise why not
// and when to ask again.
func (f *Fleet) decidePost(rec *record, g goal, in *intent) {
	if rec.attempt.State.Open() {
		f.awaitEffect(rec, in)
		return
	}
	if g.none() {
		in.wait = f.deferred(rec)
		return
	}
	f.wakeForLateness(rec, g, in)
	if rec.postClaim != 0 {
		in.wait = WaitSlot
		return
	}
	if in.wait = f.holdsBack(rec, g); in.wait != WaitNone {
		if in.wait == WaitTransient || in.wait == WaitLook {
			in.wakeAt(rec.look.asked + believed)
		}
		return
	}
	m := methodOf(g.power)
	at := max(rec.notBefore[m], f.permit.own(f, rec, m, 0))
	if at <= f.now.Steady {
		in.post, in.wait = true, WaitSlot
		if key := f.permit.keyAt(f, m); key > f.now.Steady {
			in.wait, in.permitAt = WaitPermit, key // it stays in the queue for what all share
		}
		return
	}
	in.wait, in.permitAt = WaitPermit, at
	if rec.unsent > 0 && rec.notBefore[m] == at {
		in.wait = WaitBackoff
	}
	in.wakeAt(at)
}

// awaitEffect says when an open attempt is to be judged.
func (f *Fleet) awaitEffect(rec *record, in *intent) {
	confirm := f.confirm(rec)
	in.wait = WaitConfirm
	if rec.attempt.State == Doubtful {
		in.wait = WaitUnknown
		in.wakeAt(rec.attempt.Ended.Steady + confirm/3)
	}
	in.wakeAt(rec.attempt.Ended.Steady + confirm)
	if rec.look.over > 0 {
		in.wakeAt(rec.look.over + confirm/4)
	}
}

// confirm is confirm_within of rec's policy, or the default where the policy is
// gone and only an attempt is left to be watched.
func (f *Fleet) confirm(rec *record) time.Duration {
	if rec.rule == nil {
		return policy.DefaultConfirmWithin
	}
	return rec.rule.p.Options().ConfirmWithin
}

// deferred is WaitHold where an edge fell inside a hold that is still in force.
func (f *Fleet) deferred(rec *record) Wait {
	if rec.rule == nil || len(rec.overrides) == 0 || rec.rule.since <= rec.floor {
		return WaitNone
	}
	for _, o := range rec.overrides {
		if o.Kind == policy.Hold && f.plan >= o.From.UnixNano() && f.plan < o.Until.UnixNano() {
			return WaitHold
		}
	}
	return WaitNone
}

// wakeForLateness wakes when a waiting transition becomes late, too close to
// the next edge, or too old to be caught up.
func (f *Fleet) wakeForLateness(rec *record, g goal, in *intent) {
	o := rec.rule.p.Options()
	wake := func(at int64) {
		if at >= f.plan {
			in.wakeAt(f.steadyAt(at + 1))
		}
	}
	at := f.callable(rec, g)
	wake(at + int64(lateAfter))
	if o.CatchUpWithin > 0 {
		wake(at + int64(o.CatchUpWithin))
	}
	if other := rec.rule.nextOf(g.power.Other()); other != never {
		wake(other - int64(o.MinSpan))
	}
}

// holdsBack is why no POST for g may leave now, permits aside.
func (f *Fleet) holdsBack(rec *record, g goal) Wait {
	switch {
	case f.blocked.on:
		return WaitKey
	case f.clockBlocks():
		return WaitClock
	case !f.free(rec, g.power):
		return WaitName
	case rec.tried(g) && rec.attempt.State.needsLook() && !f.unchanged(rec, g):
		if rec.attempt.State == Vanished && (!rec.fresh() || rec.look.kind == StatusGone) {
			return WaitGone
		}
		return f.waitForLook(rec, WaitLook)
	case rec.look.kind == StatusNone:
		if rec.postClaim == 0 && f.tooClose(rec, g) { // its own claim must not make it so
			return WaitLook
		}
		return WaitNone
	}
	if !rec.fresh() {
		return WaitNone
	}
	return f.waitForLook(rec, f.statusHolds(rec, g))
}

// waitForLook names the wait by the status that causes it.
func (f *Fleet) waitForLook(rec *record, w Wait) Wait {
	if w != WaitLook || !rec.fresh() {
		return w
	}
	switch {
	case rec.look.kind.Transient():
		return WaitTransient
	case rec.look.kind == StatusOther:
		return WaitStatus
	}
	return w
}

// statusHolds is what the last look holds against a POST for g.
func (f *Fleet) statusHolds(rec *record, g goal) Wait {
	recent := f.now.Steady-rec.look.asked < believed
	switch {
	case rec.look.kind == StatusOther:
		return WaitStatus
	case recent && rec.look.kind.Transient():
		return WaitTransient
	case recent && rec.look.kind.Shows() == g.power:
		return WaitLook
	}
	return WaitNone
}

// unchanged reports whether a look after the last POST showed the power that g
// is to end; where the POST may have been taken, not one so soon after it that a
// status which lags behind would explain it.
func (f *Fleet) unchanged(rec *record, g goal) bool {
	if !rec.fresh() || rec.look.kind.Shows() != g.power.Other() {
		return false
	}
	return rec.attempt.State != Closed || rec.look.asked-rec.postEnded >= f.confirm(rec)/4
}

// callable is since when a call for g could be made: its instant, or the end of
// the hold that deferred it.
func (f *Fleet) callable(rec *record, g goal) int64 {
	at := g.at
	for _, o := range rec.overrides {
		if until := o.Until.UnixNano(); o.Kind == policy.Hold && o.From.UnixNano() < g.at && g.at < until && until <= f.plan {
			at = max(at, until)
		}
	}
	return at
}

// late reports whether a call for g would be more than five minutes late.
func (f *Fleet) late(rec *record, g goal) bool { return f.plan-f.callable(rec, g) > int64(lateAfter) }

// tooClose reports whether a late call for g must not be made because the next
// edge of the other power is near, or because it would take the permit of the
// next planned call.
func (f *Fleet) tooClose(rec *record, g goal) bool {
	if !f.late(rec, g) {
		return false
	}
	other := rec.rule.nextOf(g.power.Other())
	if other != never && other-f.plan < int64(rec.rule.p.Options().MinSpan) {
		return true
	}
	m := methodOf(g.power)
	lim := f.cfg.Quotas[m]
	same := rec.rule.nextOf(g.power)
	if f.permit.scope(f, m) == quota.Key {
		same = f.nextPlanned(g.power) // whoever it is for
	}
	if same == never {
		return false
	}
	at := max(f.now.Steady, f.permit.own(f, rec, m, 0))
	next := f.steadyAt(same)
	return at+lim.Per+lim.Margin() > next && f.permit.log(f, rec, m).Left(lim, next) <= 1
}

// nextPlanned is the next edge of a power under any policy that has deployments,
// as a wall instant.
func (f *Fleet) nextPlanned(p policy.Power) int64 {
	next := never
	for _, r := range f.rules {
		if len(r.members) > 0 && !r.p.Options().DryRun {
			next = min(next, r.nextOf(p))
		}
	}
	return next
}

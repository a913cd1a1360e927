package scheduler

import (
	"maps"
	"math"
	"slices"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// adopt brings the records in line with the configuration. At start rows holds
// what the ledger kept; at a reload it is nil, and the records themselves are
// what the new file is compared with.
func (f *Fleet) adopt(rows map[policy.DeploymentID]*Row, orphans map[policy.DeploymentID]Use) {
	f.live = 0
	f.findEmpty()
	if f.cfg.ObserveList {
		f.place(everybody)
	}
	f.makeRoom()
	rules := make([]*rule, 0, len(f.cfg.Set.Policies))
	seen := make(map[policy.DeploymentID]bool, len(f.index))
	for _, p := range f.cfg.Set.Policies {
		ru := &rule{p: p}
		ru.refresh(f.plan)
		for i, m := range p.Members() {
			seen[m.ID] = true
			r := f.place(m.ID)
			f.recs[r].rank = int32(i)
			ru.members = append(ru.members, r)
			ru.named = ru.named || m.Name != ""
			if row, ok := rows[m.ID]; ok {
				f.restore(r, row, orphans)
			}
			f.give(r, ru, rows != nil)
		}
		f.live += len(ru.members)
		rules = append(rules, ru)
	}
	f.rules = rules
	for i := range f.recs {
		if rec := &f.recs[i]; rec.rule != nil && !seen[rec.id] {
			f.remove(ref(i))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		if row := rows[id]; !seen[id] {
			r := f.place(id)
			f.restore(r, row, orphans)
			f.recs[r].buried = false
			f.leave(r, row.Due)
		}
	}
}

// makeRoom makes the records' slice large enough for the file at once.
func (f *Fleet) makeRoom() {
	n := 0
	for _, p := range f.cfg.Set.Policies {
		n += len(p.Members())
	}
	f.recs = slices.Grow(f.recs, max(0, n-len(f.recs)))
}

// place returns the record of id, a new one where there is none.
func (f *Fleet) place(id policy.DeploymentID) ref {
	if r, ok := f.index[id]; ok {
		return r
	}
	r := f.emptyRecord()
	f.recs[r] = record{
		id: id, hash: hashOf(id), wake: quota.Never, getClass: noGet, floor: math.MinInt64, dueAt: math.MinInt64, warned: math.MinInt64,
		look: looks{asked: longAgo, tried: longAgo}, postEnded: longAgo, buried: true,
	}
	f.index[id] = r
	return r
}

// emptyRecord returns the place of a record that nobody needs any more, or a new
// one.
func (f *Fleet) emptyRecord() ref {
	for n := len(f.empty); n > 0; n = len(f.empty) {
		r := f.empty[n-1]
		f.empty = f.empty[:n-1]
		if f.recs[r].buried { // not back in the file meanwhile
			delete(f.index, f.recs[r].id)
			return r
		}
	}
	f.recs = append(f.recs, record{})
	return ref(len(f.recs) - 1)
}

// findEmpty finds the records of deployments that are gone from the file and of
// which nothing counts any more, however far a new file stretches a window within
// reason. They may be used again: names come and go, and the records of all that
// ever were would only grow.
func (f *Fleet) findEmpty() {
	foreign := map[ref]bool{}
	for _, u := range f.permit.foreign {
		foreign[u.r] = true
	}
	f.empty = f.empty[:0]
	for i := range f.recs {
		rec := &f.recs[i]
		if rec.buried && !rec.dirty && rec.postClaim == 0 && rec.getClaim == 0 && rec.id != everybody && !foreign[ref(i)] && !f.counts(rec) {
			f.empty = append(f.empty, ref(i))
		}
	}
}

// counts reports whether a call to rec may count against a quota, or hold others
// back, within four windows.
func (f *Fleet) counts(rec *record) bool {
	for m, lim := range f.cfg.Quotas {
		lim.Per *= 4
		if rec.logs[m].Left(lim, f.now.Steady) < lim.N || rec.notBefore[m] > f.now.Steady {
			return true
		}
	}
	return false
}

// restore fills a record from its row. What was open goes on being watched from
// now: nobody looked while the daemon was down.
func (f *Fleet) restore(r ref, row *Row, orphans map[policy.DeploymentID]Use) {
	rec := &f.recs[r]
	rec.floor, rec.fp, rec.power, rec.armed = row.Floor.UnixNano(), row.Fingerprint, row.Power, row.Armed
	rec.attempt, rec.wasNamed = row.Attempt, row.Name
	if t := row.Raised; !t.Zero() {
		rec.raised, rec.raisedWhy = goal{t.Power, min(t.At.UnixNano(), f.plan)}, t.Because
	}
	rec.last, rec.lastReason, rec.lastPower = row.Last, row.LastReason, row.LastPower
	if !row.LastAt.IsZero() {
		rec.lastAt = row.LastAt.UnixNano()
	}
	if !row.Due.Zero() {
		rec.dueAt = row.Due.At.UnixNano()
	}
	if rec.attempt.State.Open() || rec.attempt.Ended.Foreign {
		rec.attempt.Ended = Instant{Wall: f.now.Wall, Steady: f.now.Steady}
	}
	if rec.attempt.State != NoAttempt {
		rec.postEnded = f.now.Steady
	}
	if rec.attempt.State == Vanished {
		rec.look.gone = f.now.Steady
	}
	if u, ok := orphans[rec.id]; ok {
		f.orphaned(r, u)
	}
}

// give puts r under a rule and decides what the change, if there is one, means.
// Nothing that a file says acts on the past.
func (f *Fleet) give(r ref, ru *rule, starting bool) {
	rec := &f.recs[r]
	before := change{fresh: rec.floor == math.MinInt64, was: rec.power, fp: rec.fp, due: goal{}}
	if !before.fresh {
		before.due = f.dueBefore(rec, starting)
	}
	if rec.rule != nil && !starting {
		before.was = rec.rule.dec.Want
	}
	back := rec.rule == nil && !starting // it was gone, or on its way out
	rec.rule, rec.buried = ru, false
	rec.fp = ru.p.Zoned()
	f.checkName(rec)
	switch {
	case before.fresh || back:
		f.activate(r)
	case before.fp == rec.fp, starting && before.fp == ru.p.Fingerprint(): // a row from before zones' data counted
	case before.was == ru.dec.Want:
		f.keepSettled(r, before)
	case ru.p.Options().Converge:
		f.convergeTo(r, before)
	default:
		f.dropPast(r, before)
	}
}

// A change is what held for a deployment before a new rule.
type change struct {
	fresh bool
	was   policy.Power // what was wanted
	fp    policy.Fingerprint
	due   goal // what was due
}

// dueBefore is what was due under the rule before: of a running daemon the
// goal, at start what the ledger holds as due, or as attempted and open.
func (f *Fleet) dueBefore(rec *record, starting bool) goal {
	if !starting {
		return f.goal(rec)
	}
	if rec.attempt.State != NoAttempt && rec.attempt.At.UnixNano() > rec.floor {
		return goal{rec.attempt.Power, rec.attempt.At.UnixNano()}
	}
	if rec.dueAt > rec.floor {
		return goal{rec.power, rec.dueAt}
	}
	return goal{}
}

// activate begins with a deployment that is seen for the first time, or again:
// the past is settled.
func (f *Fleet) activate(r ref) {
	rec := &f.recs[r]
	rec.armed = false
	f.settlePast(r, ReasonActivation)
	next, at := rec.rule.upcoming(rec.floor)
	f.notify(Changed{Deployment: rec.id, Policy: rec.rule.p.Name(), What: ChangeActivated, Next: next, NextAt: at})
}

// dropPast follows a changed rule that wants another power now than the one
// before it: nothing behind now acts.
func (f *Fleet) dropPast(r ref, before change) {
	rec := &f.recs[r]
	switch old := before.due; {
	case old.none():
	case f.underway(rec, old):
		rec.dropped = ReasonChanged
	case old.at != rec.rule.since:
		f.record(f.outcome(rec, Transition{Power: old.power, At: time.Unix(0, old.at).UTC()}, ReasonChanged), 0)
	}
	f.settlePast(r, ReasonChanged)
	f.notify(Changed{Deployment: rec.id, Policy: rec.rule.p.Name(), What: ChangeRule})
}

// underway reports whether a POST for g is in the air, or was made and may still
// take effect: how that ends will be its outcome.
func (f *Fleet) underway(rec *record, g goal) bool {
	if rec.attempt.State.Open() {
		return rec.tried(g)
	}
	fl := f.flights[rec.postClaim]
	return fl != nil && fl.started && fl.transition.Power == g.power && fl.transition.At.UnixNano() == g.at
}

// convergeTo follows a changed rule that is to act at once. Where its latest edge
// would lie behind what is settled, or behind an attempt whose end will settle
// it, the change itself is a transition.
func (f *Fleet) convergeTo(r ref, before change) {
	rec := &f.recs[r]
	ru := rec.rule
	settles := int64(math.MinInt64)
	switch old := before.due; {
	case old.none():
	case f.underway(rec, old):
		rec.dropped, settles = ReasonChanged, old.at
	default:
		f.record(f.outcome(rec, Transition{Power: old.power, At: time.Unix(0, old.at).UTC()}, ReasonChanged), 0)
		rec.floor = max(rec.floor, old.at)
	}
	settles = max(settles, rec.floor)
	if rec.attempt.State.Open() {
		settles = max(settles, rec.attempt.At.UnixNano())
	}
	if ru.dec.Want != policy.None && ru.since <= settles {
		f.raiseNow(r, ru.dec.Want, settles, policy.Because{
			Kind: policy.KindConverge, Pos: ru.dec.Because.Pos, Ref: ru.dec.Because.Ref,
		})
	}
	f.notify(Changed{Deployment: rec.id, Policy: ru.p.Name(), What: ChangeRule})
	f.write(r)
}

// settlePast moves the floor to now and records the latest edge as skipped. An
// edge whose lead has begun and whose nominal time is ahead stays due.
func (f *Fleet) settlePast(r ref, reason Reason) {
	rec := &f.recs[r]
	ru := rec.rule
	ahead := ru.acts() && ru.edge.NominalAt.UnixNano() > f.plan
	switch {
	case !ru.acts() || ahead:
	case reason == ReasonChanged && ru.since <= rec.floor: // it has its outcome
	case f.underway(rec, goal{ru.edge.Power, ru.since}):
		rec.dropped = reason
	default:
		f.record(f.outcome(rec, Transition{ru.edge.Power, ru.edge.At.UTC(), ru.edge.Because}, reason), 0)
		rec.last, rec.lastReason, rec.lastPower, rec.lastAt = Skipped, reason, ru.edge.Power, ru.since
	}
	settled := rec.ended(ru)
	rec.floor = f.plan
	if ahead && !settled {
		rec.floor = ru.since - 1
	}
	if !rec.attempt.State.Open() {
		rec.attempt = Attempt{}
	}
	rec.raised = goal{}
	f.write(r)
}

// ended reports whether the latest edge of ru has its outcome under the file
// before: another file may have come in between.
func (rec *record) ended(ru *rule) bool {
	return rec.floor == ru.since || rec.last != 0 && rec.lastAt == ru.since && rec.lastPower == ru.edge.Power
}

// outcome is a transition of rec that a new configuration skips.
func (f *Fleet) outcome(rec *record, t Transition, reason Reason) Outcome {
	return Outcome{
		Deployment: rec.id, Policy: f.policyName(rec), Transition: t, Kind: Skipped, Reason: reason,
		Count: 1, Settled: time.Unix(0, f.plan).UTC(),
	}
}

// keepSettled follows a changed rule that wants what the one before it wanted:
// what was settled stays settled, what was due stays due under the new edge,
// with its attempts.
func (f *Fleet) keepSettled(r ref, before change) {
	rec := &f.recs[r]
	ru := rec.rule
	f.notify(Changed{Deployment: rec.id, Policy: ru.p.Name(), What: ChangeRule})
	switch {
	case !ru.hasEdge:
	case f.goal(rec) == before.due && !before.due.none(): // an override's: the file has no part in it
	case before.due.none():
		settled := rec.ended(ru)
		rec.floor = max(rec.floor, ru.since)
		if ru.edge.NominalAt.UnixNano() > f.plan && !settled {
			rec.floor = ru.since - 1
		}
	case ru.since <= rec.floor: // the new edge has its outcome: what is due keeps its own instant
		rec.raised, rec.raisedWhy = goal{before.due.power, min(before.due.at, f.plan)}, ru.edge.Because
	default:
		if rec.tried(before.due) {
			rec.attempt.At, rec.attempt.Because = ru.edge.At.UTC(), ru.edge.Because
		} else if f.underway(rec, before.due) {
			fl := f.flights[rec.postClaim]
			fl.transition.At, fl.transition.Because = ru.edge.At.UTC(), ru.edge.Because
		}
		rec.floor = ru.since - 1
	}
	f.write(r)
}

// remove takes a deployment out that is no longer in the file.
func (f *Fleet) remove(r ref) {
	rec := &f.recs[r]
	due := Transition{}
	if g := f.goal(rec); !g.none() {
		due = f.transition(rec, g)
	}
	f.notify(Changed{Deployment: rec.id, Policy: rec.rule.p.Name(), What: ChangeRemoved})
	f.leave(r, due)
}

// leave ends what was due of a deployment that is no longer in the file. An
// open attempt is watched to its end first.
func (f *Fleet) leave(r ref, due Transition) {
	rec := &f.recs[r]
	rec.dropped = ReasonNone
	if fl := f.flights[rec.postClaim]; rec.attempt.State.Open() || fl != nil && fl.started {
		rec.dropped = ReasonRemoved
	}
	if !due.Zero() && !f.underway(rec, goal{due.Power, due.At.UnixNano()}) {
		f.record(f.outcome(rec, due, ReasonRemoved), 0)
		rec.floor = max(rec.floor, due.At.UnixNano())
	}
	rec.rule = nil
	rec.raised = goal{}
	f.write(r)
}

// bury ends the watch over a deployment that is no longer in the file and has
// nothing open. Its record stays: what it used of the quotas still counts.
func (f *Fleet) bury(r ref) bool {
	rec := &f.recs[r]
	if rec.buried || rec.postClaim != 0 {
		return false
	}
	rec.buried = true
	for _, o := range rec.overrides {
		f.next.Expired = append(f.next.Expired, o.ID)
	}
	rec.overrides = nil
	f.write(r)
	return false
}

// orphansOf picks the POSTs out of uses that have no answer.
func orphansOf(uses []Use) map[policy.DeploymentID]Use {
	out := map[policy.DeploymentID]Use{}
	for _, u := range uses {
		if u.Open && !u.Unsent && u.Method != quota.Get {
			out[u.Deployment] = u
		}
	}
	return out
}

// restoreUses counts what the ledger held against the quotas. A claim without
// an answer ended now at the latest, and nobody knows what it did.
func (f *Fleet) restoreUses(uses []Use) {
	for _, u := range uses {
		f.restoreUse(f.place(u.Deployment), u)
	}
}

func (f *Fleet) restoreUse(r ref, u Use) {
	rec := &f.recs[r]
	use := quota.Use{ID: u.ID, End: f.now.Steady, State: quota.Unknown}
	switch {
	case u.Open && u.Unsent: // killed between the commit and the call: the permit comes back
		f.next.Endings = append(f.next.Endings, Ending{
			Claim: u.ID, Returned: true, Ended: Instant{Wall: f.now.Wall, Steady: f.now.Steady}, Result: NotSent.String(),
		})
		f.urgent = true
		return
	case u.Open:
		f.next.Endings = append(f.next.Endings, Ending{
			Claim: u.ID, Ended: Instant{Wall: f.now.Wall, Steady: f.now.Steady}, Result: Unclear.String(),
		})
		f.urgent = true
	case u.Ended.Foreign && u.Ended.Wall.IsZero(): // nobody knows when: a whole window from now
	case u.Ended.Foreign:
		use.State = stateOf(u.Known)
		f.permit.foreign = append(f.permit.foreign, foreignUse{r, u.Method, u.ID, u.Ended.Wall.UnixNano(), u.Known})
	default:
		use.End, use.State = min(f.now.Steady, u.Ended.Steady), stateOf(u.Known)
	}
	rec.logs[u.Method].Restore(use)
	if u.Wait > 0 { // a 429: its wait may be longer than what the use itself counts for
		f.limited(r, u.Method, use.End+u.Wait)
	}
}

func stateOf(known bool) quota.State {
	if known {
		return quota.Ended
	}
	return quota.Unknown
}

// orphaned takes a POST whose answer was lost with the process: it may have
// been sent, and looks from now on decide.
func (f *Fleet) orphaned(r ref, u Use) {
	rec := &f.recs[r]
	if t := u.Transition; rec.attempt.Power != t.Power || !rec.attempt.At.Equal(t.At) {
		rec.attempt = Attempt{Transition: t}
	}
	rec.attempt.State = Doubtful
	rec.attempt.Tries++
	rec.attempt.Ended = Instant{Wall: f.now.Wall, Steady: f.now.Steady}
	rec.postEnded = f.now.Steady
	f.write(r)
}

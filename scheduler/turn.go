package scheduler

import (
	"cmp"
	"slices"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// A flight is a claim from the moment at which it is made to its answer.
type flight struct {
	r          ref
	method     quota.Method
	transition Transition
	permit     quota.Permit
	probe      bool // the scope is learned from its answer
	asked      bool // a person, or a probe, wants this look
	cause      LateCause
	made       time.Duration
	key        int           // the account's key of its time
	started    bool          // its call was handed out
	began      time.Duration // when that was
	aged       bool          // it is older than SlotTime: it holds no slot any more
}

// Turn lets time pass up to now and says what is to be done. It is to be called
// after every event, and at Ready.Wake.
func (f *Fleet) Turn(now Now) Ready {
	f.tick(now)
	f.permit.starts = nil
	f.crossBoundaries()
	for r, ok := f.due(); ok; r, ok = f.due() {
		f.touch(r)
	}
	f.probe()
	f.age()
	var out Ready
	out.Calls = f.release()
	out.Commit = f.batch()
	out.Notices, f.notices = f.notices, f.notices[:0]
	out.Acked, f.acked = f.acked, nil
	out.Wake, out.Exact = f.nextWake()
	out.Drained = f.draining && f.out == nil && f.postsInFlight() == 0
	return out
}

// crossBoundaries brings the rules whose decision has changed up to date, and
// with them their members. Nothing else scans.
func (f *Fleet) crossBoundaries() {
	for _, r := range f.rules {
		if f.plan < r.until {
			continue
		}
		r.refresh(f.plan)
		for _, m := range r.members {
			f.touch(m)
		}
	}
}

// release starts the calls whose claims are durable, as far as there are slots:
// POSTs first.
func (f *Fleet) release() []Call {
	calls := f.calls[:0]
	for kind := range f.waiting {
		q := f.waiting[kind]
		n := 0
		for n < len(q) && (f.youngNow < Slots && f.inFlight < MaxInFlight || f.draining) {
			id := q[n]
			n++
			fl := f.flights[id]
			if !f.stillWanted(fl) {
				f.withdraw(id, fl)
				continue
			}
			fl.started, fl.began, fl.key = true, f.now.Steady, f.keys
			if fl.method == quota.Get {
				f.looking++
			}
			f.inFlight++
			f.youngNow++
			f.young = append(f.young, id)
			calls = append(calls, Call{id, fl.method, f.recs[fl.r].id, fl.permit, f.epoch})
		}
		f.waiting[kind] = append(q[:0], q[n:]...)
	}
	f.calls = calls
	return calls
}

// stillWanted judges a claim again that is about to be sent: the file, an
// override, a look or the time may have changed what it was for.
func (f *Fleet) stillWanted(fl *flight) bool {
	rec := &f.recs[fl.r]
	if f.draining || f.now.Steady > fl.permit.NotAfter() {
		return false
	}
	if fl.method == quota.Get {
		return (rec.rule != nil || rec.attempt.State.Open() || f.lists(rec)) && (!f.blocked.on || fl.asked)
	}
	g := f.goal(rec)
	return g.power == fl.transition.Power && g.at == fl.transition.At.UnixNano() &&
		!rec.attempt.State.Open() && f.holdsBack(rec, g) == WaitNone && !f.cfg.DryRun && !rec.rule.p.Options().DryRun
}

// withdraw gives back a claim whose call certainly was not sent.
func (f *Fleet) withdraw(id uint64, fl *flight) {
	delete(f.flights, id)
	f.ripen(fl)
	f.giveBack(fl)
	rec := &f.recs[fl.r]
	if fl.method == quota.Get {
		rec.getClaim = 0
	} else {
		rec.postClaim = 0
	}
	f.touch(fl.r)
}

// age frees the slots of calls that are older than SlotTime.
func (f *Fleet) age() {
	n := 0
	for n < len(f.young) {
		fl, ok := f.flights[f.young[n]]
		if ok && f.now.Steady-fl.began < SlotTime {
			break
		}
		if ok {
			f.ripen(fl)
		}
		n++
	}
	if n > 0 {
		f.young = append(f.young[:0], f.young[n:]...)
	}
}

// ripen ends the time in which a flight holds back others: it is answered,
// withdrawn or old.
func (f *Fleet) ripen(fl *flight) {
	if fl.aged {
		return
	}
	fl.aged = true
	f.permit.busy[fl.method]--
	if !fl.started {
		return
	}
	f.youngNow--
	if fl.method == quota.Get {
		f.looking--
	}
}

// batch puts together what is to be made durable next, claims included; nil
// while a commit is out or where there is nothing that cannot wait.
func (f *Fleet) batch() *Batch {
	if f.out != nil {
		return nil
	}
	if !f.draining {
		f.claimPosts()
		f.claimGets()
	}
	storming := f.storming()
	if !storming {
		f.held = quota.Never
	}
	switch {
	case storming && f.holdsAnswers():
		return f.hand(f.claimsAlone())
	case !f.urgent && f.now.Steady < f.lazyAt && !f.draining:
		f.settled = true // where there are no deployments, nothing is ever made durable
		return nil
	}
	f.urgent, f.lazyAt, f.held = false, quota.Never, quota.Never
	f.next.Rows = slices.Grow(f.next.Rows, len(f.dirty))
	for _, r := range f.dirty {
		if rec := &f.recs[r]; rec.dirty {
			rec.dirty = false
			f.next.Rows = append(f.next.Rows, f.row(rec))
		}
	}
	f.dirty = f.dirty[:0]
	b := f.next
	f.next, f.used = f.used, Batch{}
	return f.hand(b)
}

// stormLazy is how long answers may wait for the disk while POSTs are ready.
const stormLazy = 5 * time.Second

// storming reports whether POSTs wait for their claims to be durable, or for
// slots alone. What they still need of the disk is claims; the answers of those
// before them can wait: a claim whose answer is lost in a crash is one that
// looks resolve.
func (f *Fleet) storming() bool {
	return f.settled && !f.draining && (len(f.waiting[0]) > 0 || f.postReady() ||
		slices.ContainsFunc(f.next.Claims, func(c Claim) bool { return c.Method != quota.Get }))
}

// holdsAnswers reports whether what is not a claim can still wait in a storm.
func (f *Fleet) holdsAnswers() bool {
	if f.held == quota.Never {
		f.held = f.now.Steady
	}
	return f.now.Steady-f.held < stormLazy && len(f.next.Orders) == 0
}

// claimsAlone takes the claims out of what is to be committed, and what was
// learned of scopes, which is learned once. Rows, endings and outcomes belong
// together and stay.
func (f *Fleet) claimsAlone() Batch {
	b := Batch{Claims: f.next.Claims, Scopes: f.next.Scopes}
	f.next.Claims, f.next.Scopes = f.used.Claims, nil
	f.used.Claims = nil
	return b
}

// hand makes b the commit that is out.
func (f *Fleet) hand(b Batch) *Batch {
	if b.Empty() {
		f.settled = true
		f.reuse(&b)
		return nil
	}
	b.Written = f.now
	f.out, f.outAt = &b, f.now.Steady
	return f.out
}

// Committed says that the batch that was out is durable, or is not. After an
// error nothing more leaves this Fleet: its driver ends the process, and Load
// at the next start is the only recovery.
func (f *Fleet) Committed(now Now, err error) {
	f.tick(now)
	b := f.out
	if b == nil || err != nil {
		return
	}
	f.out, f.settled = nil, true
	f.commits.add(f.now.Steady - f.outAt)
	for _, c := range b.Claims {
		kind := 0
		if c.Method == quota.Get {
			kind = 1
		}
		f.waiting[kind] = append(f.waiting[kind], c.ID)
	}
	f.acked = append(f.acked, b.Orders...)
	f.reuse(b)
}

// reuse takes back the lists of a batch that is durable, as far as each look
// needs them; the next batches are written into them.
func (f *Fleet) reuse(b *Batch) {
	if cap(b.Claims) > cap(f.used.Claims) {
		f.used.Claims = b.Claims[:0]
	}
	if cap(b.Endings) > cap(f.used.Endings) {
		f.used.Endings = b.Endings[:0]
	}
}

// Draining says that the process is asked to end: nothing more is claimed, what
// was not sent is given back, POSTs in flight are waited for.
func (f *Fleet) Draining(now Now) {
	f.tick(now)
	f.draining = true
	f.epoch++
}

// Epoch counts the configurations, and the wish to end, by which calls are
// decided. A call of an earlier epoch of which nothing was written yet must not
// leave: it is to be answered as Recalled, and is decided anew.
func (f *Fleet) Epoch() uint64 { return f.epoch }

func (f *Fleet) postsInFlight() int {
	n := 0
	for _, fl := range f.flights {
		if fl.method != quota.Get && fl.started {
			n++
		}
	}
	return n
}

// later has r's row written within a second, write with the next batch.
func (f *Fleet) later(r ref) {
	f.mark(r)
	f.soon()
}

func (f *Fleet) soon() { f.lazyAt = min(f.lazyAt, f.now.Steady+time.Second) }

func (f *Fleet) write(r ref) {
	f.mark(r)
	f.urgent = true
}

func (f *Fleet) mark(r ref) {
	if rec := &f.recs[r]; !rec.dirty {
		rec.dirty = true
		f.dirty = append(f.dirty, r)
	}
}

// row is what the ledger keeps of rec.
func (f *Fleet) row(rec *record) Row {
	if rec.rule != nil {
		rec.power = rec.rule.dec.Want
	}
	row := Row{
		Deployment: rec.id, Name: cmp.Or(rec.info.Name, rec.wasNamed), Policy: f.policyName(rec), Floor: time.Unix(0, rec.floor).UTC(), Fingerprint: rec.fp,
		Power: rec.power, Armed: rec.armed, Gone: rec.rule == nil && !rec.attempt.State.Open(),
		Raised: rec.raisedTransition(), Attempt: rec.attempt,
		Last: rec.last, LastReason: rec.lastReason, LastPower: rec.lastPower,
	}
	if rec.last != 0 {
		row.LastAt = time.Unix(0, rec.lastAt).UTC()
	}
	if g := f.goal(rec); !g.none() {
		row.Due, rec.dueAt = f.transition(rec, g), g.at
	}
	return row
}

// nextWake is the steady instant of the next turn, and whether it is a policy's.
func (f *Fleet) nextWake() (time.Duration, bool) {
	boundary := quota.Never
	for _, r := range f.rules {
		boundary = min(boundary, f.steadyAt(r.until))
	}
	at := min(f.now.Steady+MaxSleep, f.nextOwnWake())
	return min(at, boundary), boundary <= at
}

// nextOwnWake is the steady instant at which something else than a policy wants
// a turn.
func (f *Fleet) nextOwnWake() time.Duration {
	at := f.nextDue()
	if f.probeEvery() > 0 && !f.draining {
		at = min(at, f.probeAt)
	}
	if len(f.waiting[0])+len(f.waiting[1]) > 0 {
		at = min(at, f.slotFree())
	}
	if f.out != nil {
		return at // whatever else is ready waits for that commit, and its end is an event
	}
	at = min(at, f.permit.wakeAt(f))
	if f.held == quota.Never {
		at = min(at, f.lazyAt)
	} else {
		at = min(at, f.held+stormLazy)
	}
	if f.queued() || f.permit.waitsForOld(f) {
		at = min(at, f.slotFree())
	}
	return at
}

// slotFree is when the oldest call that holds a slot will have held it for long
// enough.
func (f *Fleet) slotFree() time.Duration {
	if len(f.young) > 0 {
		if fl := f.flights[f.young[0]]; fl != nil {
			return fl.began + SlotTime
		}
	}
	return quota.Never
}

// queued reports whether something waits for a slot.
func (f *Fleet) queued() bool {
	n := len(f.posts[quota.Start]) + len(f.posts[quota.Stop])
	for c := range f.gets {
		n += len(f.gets[c])
	}
	return n > 0
}

// An average follows a duration, weighing the latest by an eighth.
type average struct{ d time.Duration }

func (a *average) add(d time.Duration) {
	if a.d == 0 {
		a.d = d
		return
	}
	a.d += (d - a.d) / 8
}

// causeOf says why a POST for g leaves when it does.
func (f *Fleet) causeOf(rec *record, g goal) LateCause {
	switch {
	case rec.tried(g) || rec.unsent > 0:
		return CauseRetry
	case f.plan-g.at <= int64(time.Second):
		return CauseOnTime
	}
	for _, o := range rec.overrides {
		if o.Kind == policy.Hold && o.From.UnixNano() <= g.at && g.at < o.Until.UnixNano() {
			return CauseHold
		}
	}
	return CauseCatchUp
}

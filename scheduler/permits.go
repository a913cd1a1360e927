package scheduler

import (
	"slices"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// permits is what the fleet knows of the account's quotas: the logs that count
// over the whole key, and what answers have taught about the scope of each
// method. The logs of single deployments are in their records.
type permits struct {
	learned   [quota.Methods]quota.Scope // Auto: not learned
	key       [quota.Methods]quota.Log   // kept where the scope is not Deployment
	keyFull   [quota.Methods]time.Duration
	probing   [quota.Methods]uint64 // the claim whose answer tells the scope
	busy      [quota.Methods]int    // claims that are not answered and not older than SlotTime
	lookEvery time.Duration         // the pace of idle looks that quota and fleet allow
	foreign   []foreignUse          // from another boot of the host
	starts    *startPlan            // of this turn; nil until somebody asks

	// While a scope is to be learned, calls go one after the other. After one that
	// could not be sent the next would not fare better: all wait for its pause.
	unsent    [quota.Methods]uint8         // in a row
	notBefore [quota.Methods]time.Duration // of calls whose scope is to be learned

	accepted [quota.Methods][]time.Duration // when the last calls began that were accepted, while a scope is to be learned
}

// A foreignUse is a quota use whose steady instant says nothing under this boot
// of the host.
type foreignUse struct {
	r     ref
	m     quota.Method
	id    uint64
	wall  int64
	known bool
}

// scope is the scope in force; Auto where it has to be learned.
func (p *permits) scope(f *Fleet, m quota.Method) quota.Scope {
	if s := f.cfg.Quotas[m].Scope; s != quota.Auto {
		return s
	}
	return p.learned[m]
}

// configure follows a new configuration: a scope that is set is not learned any
// more, key-wide logs are made anew from those of the deployments, and the pace
// of looks follows limit and fleet.
func (p *permits) configure(f *Fleet) {
	for m := range quota.Method(quota.Methods) {
		if f.cfg.Quotas[m].Scope != quota.Auto && p.learned[m] != quota.Auto {
			p.learned[m] = quota.Auto
			f.next.Scopes = append(f.next.Scopes, LearnedScope{m, quota.Auto})
			f.urgent = true
		}
		p.key[m] = quota.Log{}
		if p.scope(f, m) == quota.Deployment {
			continue
		}
		for i := range f.recs {
			p.key[m].Add(&f.recs[i].logs[m])
		}
	}
	p.lookEvery = LookEvery(f.cfg, p.scope(f, quota.Get), f.live)
}

// LookEvery is the pace of idle looks at each of so many deployments:
// c.ObserveEvery, stretched to what the quota of GETs, counted over the given
// scope, and the pace of all looks allow. Auto counts as deployment, as it does
// until an answer teaches otherwise.
func LookEvery(c Config, scope quota.Scope, deployments int) time.Duration {
	lim := c.Quotas[quota.Get]
	n := time.Duration(deployments)
	each := lim.Per / time.Duration(max(1, lim.N-getIdle.keep(lim)))
	if c.ObserveList {
		return max(c.ObserveEvery, each) // one look for all
	}
	if scope == quota.Key {
		each *= max(1, n)
	}
	return max(c.ObserveEvery, each, n*time.Second/pace)
}

// log is the log that decides for rec in the scope in force.
func (p *permits) log(f *Fleet, rec *record, m quota.Method) *quota.Log {
	if p.scope(f, m) == quota.Key {
		return &p.key[m]
	}
	return &rec.logs[m]
}

// own is when the quota of rec alone allows a call; the key's is not asked, but
// where that is the scope: then it is the same for all, and shared asks it.
func (p *permits) own(f *Fleet, rec *record, m quota.Method, keep int) time.Duration {
	if p.scope(f, m) == quota.Key {
		return f.now.Steady
	}
	return rec.logs[m].Ready(f.cfg.Quotas[m], keep, f.now.Steady)
}

// keyAt is when the quota of the whole key allows a call, where that is the
// scope; now where it is not.
func (p *permits) keyAt(f *Fleet, m quota.Method) time.Duration {
	if p.scope(f, m) != quota.Key {
		return f.now.Steady
	}
	return p.keyReady(f, m, 0)
}

// shared reports whether what deployments share allows a call of m now: the
// key's quota, or, where the scope is to be learned, that the call which the
// key's quota would forbid goes alone.
func (p *permits) shared(f *Fleet, m quota.Method, keep int) bool {
	switch p.scope(f, m) {
	case quota.Deployment:
		return true
	case quota.Key:
		return p.keyReady(f, m, keep) <= f.now.Steady
	}
	return p.notBefore[m] <= f.now.Steady && (p.keyReady(f, m, keep) <= f.now.Steady || p.probing[m] == 0 && p.busy[m] == 0)
}

// keyReady is when the quota of the whole key allows a call.
func (p *permits) keyReady(f *Fleet, m quota.Method, keep int) time.Duration {
	return max(p.keyFull[m], p.key[m].Ready(f.cfg.Quotas[m], keep, f.now.Steady))
}

// wakeAt is when a call that waits for the key's quota may go.
func (p *permits) wakeAt(f *Fleet) time.Duration {
	at := quota.Never
	for m, q := range f.posts {
		if len(q) > 0 {
			at = min(at, p.sharedAt(f, quota.Method(m)))
		}
	}
	for c, q := range f.gets {
		if len(q) == 0 {
			continue
		}
		class := getClass(c)
		when := f.now.Steady
		if !p.sharedLook(f, class) {
			when = p.keyReady(f, quota.Get, class.keep(f.cfg.Quotas[quota.Get]))
		}
		if class.paced() && !f.pacer.may(f.now.Steady) {
			when = max(when, f.pacer.since+time.Second)
		}
		at = min(at, when)
	}
	if at <= f.now.Steady {
		return quota.Never // a slot is what it waits for
	}
	return at
}

// sharedLook is shared for a look of a class. The list of all deployments is not
// the call that teaches a scope: nobody says what it shares with the single ones.
func (p *permits) sharedLook(f *Fleet, c getClass) bool {
	keep := c.keep(f.cfg.Quotas[quota.Get])
	if c == getList && p.scope(f, quota.Get) == quota.Auto {
		return p.keyReady(f, quota.Get, keep) <= f.now.Steady
	}
	return p.shared(f, quota.Get, keep)
}

func (p *permits) sharedAt(f *Fleet, m quota.Method) time.Duration {
	if p.shared(f, m, 0) {
		return f.now.Steady
	}
	if p.notBefore[m] > f.now.Steady {
		return p.notBefore[m]
	}
	return p.keyReady(f, m, 0)
}

// notSent notes that nothing could be sent, for what waits behind a scope that is
// to be learned.
func (p *permits) notSent(f *Fleet, m quota.Method) {
	p.unsent[m] = min(p.unsent[m]+1, 20)
	if p.scope(f, m) == quota.Auto {
		p.notBefore[m] = tryAgainAt(f.now.Steady, backoff(p.unsent[m], 0))
	}
}

// reached notes that something could be sent.
func (p *permits) reached() {
	p.unsent, p.notBefore = [quota.Methods]uint8{}, [quota.Methods]time.Duration{}
}

// waitsForOld reports whether a call that teaches a scope waits for those
// before it to be answered or old.
func (p *permits) waitsForOld(f *Fleet) bool {
	for m := range quota.Method(quota.Methods) {
		if p.busy[m] > 0 && p.scope(f, m) == quota.Auto {
			return true
		}
	}
	return false
}

// claim takes a permit for fl from the log that decides, and counts it in the
// other one.
func (p *permits) claim(f *Fleet, fl *flight, id uint64, notAfter, latest time.Duration) (quota.Permit, bool, bool) {
	m, rec := fl.method, &f.recs[fl.r]
	lim, now := f.cfg.Quotas[m], f.now.Steady
	scope := p.scope(f, m)
	decides, other := &rec.logs[m], &p.key[m]
	if scope == quota.Key {
		decides, other = other, decides
	}
	probe := scope == quota.Auto && rec.id != everybody && p.keyReady(f, m, 0) > now
	permit, ok := decides.Claim(id, m, lim, now, notAfter, latest)
	if !ok {
		return permit, false, false
	}
	if scope != quota.Deployment {
		other.Note(permit)
	}
	p.busy[m]++
	if probe {
		p.probing[m] = id
	}
	return permit, probe, true
}

// end records the end of claim id in both logs.
func (p *permits) end(f *Fleet, r ref, m quota.Method, id uint64, at time.Duration, known bool) {
	f.recs[r].logs[m].End(id, at, known)
	p.key[m].End(id, at, known)
}

// giveBack returns the permit of claim id to both logs.
func (p *permits) giveBack(f *Fleet, r ref, m quota.Method, id uint64) {
	f.recs[r].logs[m].Return(id)
	p.key[m].Return(id)
	if p.probing[m] == id {
		p.probing[m] = 0
	}
}

// full notes a 429 that the logs did not expect: over the whole key nothing is
// free before until.
func (p *permits) full(f *Fleet, m quota.Method, until time.Duration) {
	if p.scope(f, m) != quota.Deployment {
		p.keyFull[m] = max(p.keyFull[m], until)
	}
}

// learn reads the answer to the call that tells a scope.
func (p *permits) learn(f *Fleet, fl *flight, v Verdict, a Answer) {
	m := fl.method
	if f.recs[fl.r].id == everybody {
		return // nobody says whether it shares the quota of the single ones
	}
	full := p.surelyFull(f, m, a.Ended.Steady)
	p.remember(f, m, v, a.Began.Steady)
	if !fl.probe || p.probing[m] != fl.permit.ID() {
		return
	}
	p.probing[m] = 0
	if p.scope(f, m) != quota.Auto {
		return
	}
	switch {
	case (v == Took || v == Seen) && full:
		p.learned[m] = quota.Deployment
		p.key[m], p.keyFull[m] = quota.Log{}, 0
	case v == Limited:
		p.learned[m] = quota.Key
		f.alarm(AlarmScopeKey, "", "the platform counts "+m.String()+"s over the whole key, not for each deployment: "+
			"calls wait for each other; set api.quotas."+m.String()+".scope to key, and see what curfew simulate says of the policies")
	default:
		return
	}
	f.next.Scopes = append(f.next.Scopes, LearnedScope{m, p.learned[m]})
	f.urgent = true
	f.notify(ScopeLearned{m, p.learned[m]})
	p.lookEvery = LookEvery(f.cfg, p.scope(f, quota.Get), f.live)
}

// surelyFull reports whether the quota of the whole key, if there is one, was
// used up all the time until a call that ended at ended. Our logs are careful:
// they count claims that never left, calls that were rejected, and margins. A
// call that they forbid and the platform takes teaches nothing by that.
func (p *permits) surelyFull(f *Fleet, m quota.Method, ended time.Duration) bool {
	lim, a := f.cfg.Quotas[m], p.accepted[m]
	return lim.N > 0 && len(a) >= lim.N && a[len(a)-lim.N] > ended-lim.Per
}

// remember keeps in mind when the last accepted calls began, as many as the
// quota allows.
func (p *permits) remember(f *Fleet, m quota.Method, v Verdict, began time.Duration) {
	if v != Took && v != Seen || p.scope(f, m) != quota.Auto {
		return
	}
	a := append(p.accepted[m], began)
	p.accepted[m] = append(a[:0], a[max(0, len(a)-f.cfg.Quotas[m].N):]...)
}

// inTime is how late a start may get its permit for its stop to be allowed.
const inTime = 5 * time.Minute

// startFits reports whether rec, stopped now, can get the permit of its next
// start within five minutes of that. A scope that is not learned counts as
// deployment.
func (p *permits) startFits(f *Fleet, rec *record) bool {
	at := rec.rule.nextOf(policy.Running)
	if at == never || p.scope(f, quota.Start) == quota.Key {
		return true // the key's is asked when the stop would be claimed
	}
	next := f.steadyAt(at)
	return rec.logs[quota.Start].Ready(f.cfg.Quotas[quota.Start], 0, next) <= next+inTime
}

// A startPlan deals the key's permits out to the starts that are to come, in
// their order, where the whole key shares one quota of starts. A permit is free
// one window after the call that had it N calls before: those that count already
// come first.
type startPlan struct {
	lim   quota.Limit
	used  int             // how many of given are calls that were made
	at    []time.Duration // the planned starts
	given []time.Duration // when each call has its permit
}

// keyStarts plans the starts of all deployments that curfew stopped, or is
// stopping.
func (p *permits) keyStarts(f *Fleet) *startPlan {
	s := &startPlan{lim: f.cfg.Quotas[quota.Start]}
	again := s.lim.Per + s.lim.Margin()
	for _, free := range p.key[quota.Start].Frees(s.lim, f.now.Steady) {
		s.given = append(s.given, free-again)
	}
	s.used = len(s.given)
	for i := range f.recs {
		if rec := &f.recs[i]; rec.rule != nil && f.offByUs(rec) {
			if at := rec.rule.nextOf(policy.Running); at != never {
				s.at = append(s.at, f.steadyAt(at))
			}
		}
	}
	slices.Sort(s.at)
	s.given = append(s.given, make([]time.Duration, len(s.at))...)
	s.deal(0)
	return s
}

// deal gives the starts from i on their permits, and returns how many of them
// are not in time.
func (s *startPlan) deal(i int) (late int) {
	for ; i < len(s.at); i++ {
		s.given[s.used+i] = s.at[i]
		if before := s.used + i - s.lim.N; before >= 0 {
			s.given[s.used+i] = max(s.at[i], s.given[before]+s.lim.Per+s.lim.Margin())
		}
		if s.isLate(i) {
			late++
		}
	}
	return late
}

func (s *startPlan) isLate(i int) bool { return s.given[s.used+i] > s.at[i]+inTime }

// fits reports whether one more start is in time, and makes no other late that
// was not. Then it is planned too, where it is to be kept.
func (s *startPlan) fits(at time.Duration, keep bool) bool {
	if s.lim.N < 1 {
		return false
	}
	i, _ := slices.BinarySearchFunc(s.at, at, func(planned, at time.Duration) int {
		if planned <= at {
			return -1 // behind those of the same instant: nothing of theirs changes
		}
		return 1
	})
	was := 0
	for j := i; j < len(s.at); j++ {
		if s.isLate(j) {
			was++
		}
	}
	s.at, s.given = slices.Insert(s.at, i, at), slices.Insert(s.given, s.used+i, 0)
	fits := s.deal(i) == was && !s.isLate(i)
	if !fits || !keep {
		s.at, s.given = slices.Delete(s.at, i, i+1), slices.Delete(s.given, s.used+i, s.used+i+1)
		s.deal(i)
	}
	return fits
}

// keyStartFits is startFits where the whole key shares one quota of starts: the
// starts of all deployments that curfew stopped, or is stopping, come first. The
// plan is made once a turn; keep puts the start into it.
func (p *permits) keyStartFits(f *Fleet, r ref, keep bool) bool {
	next := f.recs[r].rule.nextOf(policy.Running)
	if p.scope(f, quota.Start) != quota.Key || next == never {
		return true
	}
	if p.starts == nil {
		p.starts = p.keyStarts(f)
	}
	if f.offByUs(&f.recs[r]) {
		return true // its start is planned already
	}
	return p.starts.fits(f.steadyAt(next), keep)
}

// offByUs reports whether rec was stopped by curfew last, or is being stopped.
func (f *Fleet) offByUs(rec *record) bool {
	fl := f.flights[rec.postClaim]
	return fl != nil && fl.method == quota.Stop || rec.attempt.State.Open() && rec.attempt.Power == policy.Stopped ||
		rec.lastPower == policy.Stopped && (rec.last == Done || rec.last == Already)
}

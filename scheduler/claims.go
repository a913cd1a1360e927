package scheduler

import (
	"slices"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// A claim is for a call that is about to start: sendWithin bounds how long it
// may wait for a slot and a connection. getWithin is longer, since idle looks
// are claimed some seconds at a time.
const (
	sendWithin = 10 * time.Second
	getWithin  = 15 * time.Second
)

// aheadMost is how many claims are made beyond the free slots at the most.
const aheadMost = 16 * Slots

// lookSlots is how many slots looks may take: a POST that becomes due must not
// find all of them taken by looks that hang.
const lookSlots = Slots * 3 / 4

// claimPosts claims permits for the POSTs that the free slots can take, and a
// little more. What gets no permit stays, and waits for the instant at which
// the quota frees one.
func (f *Fleet) claimPosts() {
	ahead := f.ahead()
	if len(f.waiting[0]) > ahead/2 {
		return // the reserve lasts for a while yet: fewer, larger commits
	}
	room := f.room() + ahead - len(f.waiting[0])
	if n := min(room, len(f.posts[quota.Start])+len(f.posts[quota.Stop])); n > 0 {
		f.next.Claims = slices.Grow(f.next.Claims, n)
	}
	for room > 0 {
		m := f.nextPost()
		if m == quota.Get {
			return
		}
		if f.claimPost(f.posts[m].pop().r, m) {
			room--
		}
	}
}

// nextPost is the method of the POST that is next: the oldest, and a start
// before a stop of the same instant. It is Get where none may go.
func (f *Fleet) nextPost() quota.Method {
	next := quota.Get
	for _, m := range [...]quota.Method{quota.Start, quota.Stop} {
		if q := f.posts[m]; len(q) > 0 && f.permit.shared(f, m, 0) && (next == quota.Get || q[0].at < f.posts[next][0].at) {
			next = m
		}
	}
	return next
}

// claimPost claims for r's goal, if that still wants a POST of method m.
func (f *Fleet) claimPost(r ref, m quota.Method) bool {
	rec := &f.recs[r]
	if rec.inPost != m {
		return false // it went to the other queue meanwhile, or wants no POST any more
	}
	rec.inPost = quota.Get
	for f.judge(r) {
	}
	g := f.goal(rec)
	if in := f.decide(rec, g); !in.post || methodOf(g.power) != m {
		f.touch(r)
		return false
	}
	if g.power == policy.Stopped && !f.permit.keyStartFits(f, r, true) {
		f.skipInfeasible(r, g)
		f.touch(r)
		return false
	}
	notAfter := min(f.now.Steady+sendWithin, f.steadyAt(rec.rule.until))
	fl := f.newFlight(flight{r: r, method: m, transition: f.transition(rec, g), cause: f.causeOf(rec, g)})
	if !f.claim(fl, notAfter) {
		f.touch(r)
		return false
	}
	rec.postClaim = fl.permit.ID()
	f.touch(r)
	return true
}

// claimGets claims permits for looks. No GET takes a slot while a POST is
// ready.
func (f *Fleet) claimGets() {
	if len(f.waiting[0]) > 0 || f.postReady() {
		return
	}
	room := min(f.room(), lookSlots-f.looking) - len(f.waiting[1])
	for c := range f.gets {
		class := getClass(c)
		for room > 0 && len(f.gets[c]) > 0 && f.permit.sharedLook(f, class) {
			if class.paced() && !f.pacer.may(f.now.Steady) {
				break
			}
			if f.claimGet(f.gets[c].pop().r, class) {
				room--
				if class.paced() {
					f.pacer.took(f.now.Steady)
				}
			}
		}
	}
}

func (f *Fleet) claimGet(r ref, class getClass) bool {
	rec := &f.recs[r]
	if rec.getClass != class {
		return false // it went to another queue meanwhile, or wants no look any more
	}
	rec.getClass = noGet
	if in := f.decide(rec, f.goal(rec)); in.get != class {
		f.touch(r)
		return false
	}
	fl := f.newFlight(flight{r: r, method: quota.Get, asked: rec.asked})
	if !f.claim(fl, f.now.Steady+getWithin) {
		f.touch(r)
		return false
	}
	rec.getClaim = fl.permit.ID()
	rec.look.tried, rec.asked = f.now.Steady, false
	f.touch(r)
	return true
}

// newFlight returns a flight like v, in the place of one that has ended.
func (f *Fleet) newFlight(v flight) *flight {
	var fl *flight
	if n := len(f.spare); n > 0 {
		fl, f.spare = f.spare[n-1], f.spare[:n-1]
	} else {
		fl = new(flight) // not &v, which would be made for those in its place too
	}
	*fl = v
	return fl
}

// claim takes the permit and puts the claim into the next batch.
func (f *Fleet) claim(fl *flight, notAfter time.Duration) bool {
	id := f.lastClaim + 1
	latest := notAfter + CallTimeout
	p, probe, ok := f.permit.claim(f, fl, id, notAfter, latest)
	if !ok {
		return false
	}
	f.lastClaim = id
	fl.permit, fl.probe, fl.made = p, probe, f.now.Steady
	f.flights[id] = fl
	f.next.Claims = append(f.next.Claims, Claim{
		ID: id, Deployment: f.recs[fl.r].id, Method: fl.method, Transition: fl.transition,
		Made: Instant{Wall: f.now.Wall, Steady: f.now.Steady}, Latest: latest, Probe: probe,
	})
	f.urgent = true
	return true
}

// spent records the end of a call that used its permit up.
func (f *Fleet) spent(fl *flight, ended Instant, v Verdict, a Answer) {
	id := fl.permit.ID()
	f.permit.end(f, fl.r, fl.method, id, ended.Steady, v.Known())
	e := Ending{Claim: id, Ended: ended, Known: v.Known(), Result: v.String(), Status: a.Status}
	if v == Limited {
		e.Wait = f.limitedFor(a, fl.method)
	}
	f.next.Endings = append(f.next.Endings, e)
	f.endingNoted(fl)
}

// giveBack records that certainly nothing of a call was sent.
func (f *Fleet) giveBack(fl *flight) {
	id := fl.permit.ID()
	f.permit.giveBack(f, fl.r, fl.method, id)
	f.next.Endings = append(f.next.Endings, Ending{
		Claim: id, Returned: true, Ended: Instant{Wall: f.now.Wall, Steady: f.now.Steady}, Result: NotSent.String(),
	})
	f.soon() // until then a crash wastes the permit, which costs less than a commit for each try of an outage
}

// endingNoted has an ending written: at once for a POST, within a second for a
// look, whose claim counts from later until then.
func (f *Fleet) endingNoted(fl *flight) {
	if fl.method != quota.Get {
		f.urgent = true
		return
	}
	f.soon()
}

// room is how many more calls may start now.
func (f *Fleet) room() int {
	return min(Slots-f.youngNow, MaxInFlight-f.inFlight)
}

// ahead is how many claims are made beyond the free slots, so that no slot
// waits for the disk: those that are used up during one commit, with a reserve
// of eight. Where answers take long against commits that is none, and it is
// never more than half of what waits. A kill wastes none of them: the ledger's
// marks tell which calls never began.
//
// A crash of the host does waste them: it takes the marks along. So there is a
// most, beyond which larger commits bring nothing.
func (f *Fleet) ahead() int {
	if f.answers.d <= 0 {
		return 0
	}
	waiting := len(f.posts[quota.Start]) + len(f.posts[quota.Stop])
	return min(aheadMost, waiting/2, int(8*Slots*2*f.commits.d/f.answers.d))
}

// postReady reports whether a POST waits for a slot alone.
func (f *Fleet) postReady() bool { return f.nextPost() != quota.Get }

// A pacer bounds idle looks and looks ahead: a second's worth at a time, so
// that they cost one commit a second.
type pacer struct {
	since time.Duration // when the last handful was claimed
	n     int
	begun bool
}

func (p *pacer) may(now time.Duration) bool {
	return !p.begun || now-p.since >= time.Second || now == p.since && p.n < pace
}

func (p *pacer) took(now time.Duration) {
	if now != p.since || !p.begun {
		p.since, p.n, p.begun = now, 0, true
	}
	p.n++
}

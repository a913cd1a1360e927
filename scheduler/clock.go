package scheduler

import (
	"time"
)

// The bounds of DESIGN section 5.
const (
	jumpLeast    = time.Second     // smaller differences are slewing
	jumpLarge    = 2 * time.Minute // more than this changes what is done
	disagreement = 2 * time.Minute // between the wall clock and the platform's Date
	clockProbe   = 2 * time.Minute // a step is answered by a probe at once
	keyProbe     = 5 * time.Minute
)

// clockState is what is known of the wall clock's worth.
type clockState struct {
	wall      int64
	steady    time.Duration
	agreed    bool // a Date has agreed since the start, and since the last large step
	unsure    bool // a large step forward, and no Date has agreed since
	disagrees bool // the last Date did not agree

	implausible bool // the wall clock is before the release's date
}

func (c *clockState) start(now Now) { c.wall, c.steady = now.Wall.UnixNano(), now.Steady }

// keyBlock is a refused key: no call but the probe until an answer is another
// than 401.
type keyBlock struct {
	on    bool
	since time.Duration
}

// tick takes a reading of the clocks in. A step of the wall clock is found by
// comparing it with the steady one.
func (f *Fleet) tick(now Now) {
	c := &f.clock
	wall := now.Wall.UnixNano()
	step := time.Duration(wall-c.wall) - (now.Steady - c.steady)
	c.wall, c.steady = wall, now.Steady
	f.now = now
	f.plan = max(f.plan, wall)
	changed := f.believeWall()
	if step.Abs() < jumpLeast {
		if changed {
			f.refreshAll()
		}
		return
	}
	f.notify(ClockJump{By: step})
	f.restampLooks(step)
	f.probeAt = now.Steady // a look tells whether the clock is right now
	switch {
	case step > jumpLarge:
		c.unsure, c.agreed = true, false
		f.alarmClock("this host's clock was stepped forward by " + step.Round(time.Second).String() +
			": no start or stop until the platform's Date agrees")
	case f.plan-wall > int64(jumpLarge): // small steps back add up
		c.agreed = false
		f.plan = wall
		f.cutFloors(0)
	}
	f.refreshAll()
}

// believeWall asks whether the wall clock can be right at all, and reports
// whether that has changed.
func (f *Fleet) believeWall() bool {
	early := f.now.Wall.Before(f.cfg.Release)
	if early == f.clock.implausible {
		return false
	}
	f.clock.implausible = early
	if early {
		f.alarmClock("this host's clock says " + f.now.Wall.UTC().Format(time.DateTime) +
			", which is before this program was released: no start or stop until it is set")
	}
	return true
}

// alarmClock tells that the wall clock is not believed, where that matters.
func (f *Fleet) alarmClock(text string) {
	if !f.cfg.TrustClock {
		f.alarm(AlarmClock, "", text)
	}
}

// cutFloors takes back what was settled for instants that lie ahead again, or
// was raised for them, after a large step back: what lies ahead happens, nothing
// behind is caught up. Less than slack ahead is left alone.
func (f *Fleet) cutFloors(slack time.Duration) {
	for i := range f.recs {
		rec := &f.recs[i]
		if max(rec.floor, rec.raised.at) <= f.plan+int64(slack) {
			continue
		}
		rec.floor = min(rec.floor, f.plan-1)
		rec.raised.at = min(rec.raised.at, f.plan)
		f.write(ref(i))
	}
}

// restampLooks moves the wall instants of looks back along with the wall clock,
// so that one from before is not taken for one after an edge that comes now.
func (f *Fleet) restampLooks(step time.Duration) {
	for i := range f.recs {
		f.recs[i].look.wall += int64(min(0, step))
	}
}

// clockBlocks reports whether the wall clock is not to be believed, so that no
// POST leaves.
func (f *Fleet) clockBlocks() bool {
	if f.cfg.TrustClock {
		return false
	}
	return f.clock.unsure || f.clock.disagrees || f.clock.implausible
}

// believeDate compares the wall clock with the platform's.
func (f *Fleet) believeDate(a Answer) {
	if a.Date.IsZero() {
		return
	}
	before := f.clockBlocks()
	off := a.Ended.Wall.Round(0).Sub(a.Date)
	f.clock.disagrees = off.Abs() > disagreement
	if !f.clock.disagrees {
		f.clock.unsure = false
		if !f.clock.agreed {
			f.clock.agreed = true
			f.rebaseUses()
			f.cutFloors(jumpLarge) // the clock was ahead when they were written
		}
	}
	if before != f.clockBlocks() {
		f.clockChanged(off)
	}
}

func (f *Fleet) clockChanged(off time.Duration) {
	if f.clock.disagrees {
		f.alarmClock("this host's clock is " + off.Round(time.Second).String() +
			" off the platform's: no start or stop until they agree; set the clock, or clock: trust in the file")
	}
	for i := range f.recs {
		f.touch(ref(i))
	}
}

// rebaseUses counts uses of another boot by the wall clock, now that it has
// been found right. Until then each counts for a whole window from the start.
// Right is not exact: now as then the clock may have been off by as much as an
// agreement allows.
func (f *Fleet) rebaseUses() {
	for _, u := range f.permit.foreign {
		at := min(f.now.Steady, f.now.Steady-time.Duration(f.now.Wall.UnixNano()-u.wall)+2*disagreement)
		f.permit.end(f, u.r, u.m, u.id, at, u.known)
	}
	touched := f.permit.foreign
	f.permit.foreign = nil
	for _, u := range touched {
		f.touch(u.r)
	}
}

// keyAnswered blocks the account on 401. The probe opens it again, when the
// platform answers it with anything else; what was sent before the 401, or with
// another key, says nothing.
func (f *Fleet) keyAnswered(fl *flight, a Answer, v Verdict) {
	was := f.blocked.on
	switch {
	case fl.key != f.keys:
	case v == Unauthorized:
		f.blocked.on = true
	case fl.asked && a.Status != 0 && fl.began >= f.blocked.since:
		f.blocked.on = false
	}
	if was == f.blocked.on {
		return
	}
	if f.blocked.on {
		f.probeAt, f.blocked.since = f.now.Steady+keyProbe, f.now.Steady
		f.alarm(AlarmKeyRefused, "", "401: the platform refuses the API key; put a valid key and secret where the file says, and reload")
	}
	for i := range f.recs {
		f.touch(ref(i))
	}
}

// probe asks for one look now and then while the key is refused or the clock is
// not believed: its answer tells whether that is over. A new key is tried at
// once.
func (f *Fleet) probe() {
	every := f.probeEvery()
	if f.draining || !f.newKey && (every == 0 || f.now.Steady < f.probeAt) {
		return
	}
	f.newKey = false
	f.probeAt = f.now.Steady + every
	for range f.recs {
		f.probeNext = (f.probeNext + 1) % len(f.recs)
		rec := &f.recs[f.probeNext]
		if (rec.rule != nil || f.lists(rec)) && rec.getClaim == 0 && rec.postClaim == 0 {
			rec.asked = true
			f.touch(ref(f.probeNext))
			return
		}
	}
}

// probeEvery is the pause between two probes; 0 where none is needed.
func (f *Fleet) probeEvery() time.Duration {
	switch {
	case f.blocked.on:
		return keyProbe
	case f.clockBlocks():
		return clockProbe
	}
	return 0
}

package policy

import (
	"time"
)

// leadGap is how far a start stays behind the stop before it, however long its
// lead: one minute, in seconds, the grain of a cron expression.
const leadGap = 60

// Superseded is the Cancelled of an edge that a DST gap moved to the instant of
// one of the other power with a later local time.
const Superseded = "superseded"

// A line is one expression of a policy: its schedule and what it is quoted as.
type line struct {
	sched   *Schedule
	because Because
}

// A firing is an edge in the making: a run of one of a policy's lines, the begin
// or end of a window, or the begin or end of a stretch of whole days.
type firing struct {
	run
	power     Power
	led       int64    // its instant, a lead included
	because   *Because // nil: a stretch
	stretch   *stretch
	over      bool  // it is the end of the stretch, by whose last date it is quoted
	closes    bool  // the nominal time is 24:00 of the date that it closes
	wasPutOff bool  // its date was off
	putOff    int64 // the local time that it was put off from
}

// date is the date whose effect decides about f.
func (f *firing) date() int64 {
	if f.closes {
		return floorDiv(f.nominal-1, secondsPerDay)
	}
	return floorDiv(f.nominal, secondsPerDay)
}

// either asks for the edges of every power.
const either Power = 255

// Next returns the first edge after the given instant that counts, and false
// where none lies ahead.
func (p *Policy) Next(after time.Time) (Edge, bool) {
	return p.answer(p.next(either, seconds(after)))
}

// Prev returns the last edge at or before the given instant that counts, and
// false where none lies behind.
func (p *Policy) Prev(upTo time.Time) (Edge, bool) {
	return p.answer(p.prev(seconds(upTo)))
}

// NextOf returns the first edge of one power after the given instant that
// counts, and false where none lies ahead. The edges of None are the begins of
// days on which nothing is wanted.
func (p *Policy) NextOf(power Power, after time.Time) (Edge, bool) {
	return p.answer(p.next(power, seconds(after)))
}

func (p *Policy) answer(f firing, ok bool) (Edge, bool) {
	if !ok {
		return Edge{}, false
	}
	return p.edge(&f), true
}

// next finds the first edge of a power that counts, whole days among them.
func (p *Policy) next(power Power, after int64) (firing, bool) {
	if len(p.whole) > 0 {
		return p.nextWithDays(power, after)
	}
	return p.nextBase(power, after)
}

func (p *Policy) prev(upTo int64) (firing, bool) {
	if len(p.whole) > 0 {
		return p.prevWithDays(upTo)
	}
	return p.prevBase(upTo)
}

// nextBase finds the first edge of a power by the policy's own times, dates off
// among them, before whole days are laid over it.
func (p *Policy) nextBase(power Power, after int64) (firing, bool) {
	switch {
	case power == either:
		return p.nextEither(after)
	case len(p.windows) > 0:
		return p.nextWindow(power, after)
	case power == Running:
		return p.nextStart(starts, after)
	case power == Stopped:
		return p.nextFiring(stops, after)
	}
	return firing{}, false
}

func (p *Policy) nextEither(after int64) (firing, bool) {
	if len(p.windows) > 0 {
		return p.nextOfWindows(after)
	}
	start, ok := p.nextStart(starts, after)
	stop, found := p.nextFiring(stops, after)
	if found && (!ok || stop.led < start.led) {
		return stop, true
	}
	return start, ok
}

// prevBase finds the last edge of either power by the policy's own times.
func (p *Policy) prevBase(upTo int64) (firing, bool) {
	if len(p.windows) > 0 {
		return p.prevOfWindows(upTo)
	}
	start, ok := p.prevFiring(starts, p.reach(upTo))
	stop, found := p.prevFiring(stops, upTo)
	if ok {
		start.led = p.led(&start)
	}
	if found && (!ok || stop.led > start.led) {
		return stop, true
	}
	return start, ok
}

// nextStart finds the first start after the given instant, leads included.
func (p *Policy) nextStart(of stream, after int64) (firing, bool) {
	start, ok := p.nextFiring(of, p.reach(after))
	if !ok {
		return firing{}, false
	}
	led := p.led(&start)
	if led > start.at-p.lead() {
		// Held back by a stop, it may share its instant with later starts that
		// are held back by the same one: they count once, as the last of them.
		start, _ = p.prevFiring(of, p.reach(led))
	}
	start.led = led
	return start, true
}

func (p *Policy) lead() int64 { return int64(p.options.StartLead / time.Second) }

// led returns the instant of a start with its lead.
func (p *Policy) led(start *firing) int64 {
	at := start.at - p.lead()
	if at == start.at {
		return at
	}
	stop, ok := p.prevFiring(stops, start.at-1)
	if !ok {
		return at
	}
	return min(max(at, stop.at+leadGap), start.at)
}

// reach returns the last instant at which a start may lie without its lead so
// that it lies at or before t with it. A lead brings starts of the time after t
// to t or before, up to the first stop that would hold them back behind t.
func (p *Policy) reach(t int64) int64 {
	if p.lead() == 0 {
		return t
	}
	farthest := t + p.lead()
	if stop, ok := p.nextFiring(stops, t-leadGap); ok {
		farthest = min(farthest, max(t, stop.at))
	}
	return farthest
}

// A stream is one kind of firing of a policy's cron lines.
type stream uint8

const (
	starts stream = iota // on dates that are not off, and those put off to them
	absent               // the starts that are missing: their date is off
	stops
)

func (p *Policy) lines(of stream) []line {
	if of == stops {
		return p.stops
	}
	return p.starts
}

// on returns the dates on which a stream's lines run, nil for all.
func (p *Policy) on(of stream) *dates {
	if of == stops || len(p.off) == 0 {
		return nil
	}
	return &p.dates[of]
}

func (of stream) power() Power {
	if of == stops {
		return Stopped
	}
	return Running
}

// nextFiring returns the first firing of a stream after the given instant that
// the other power does not supersede.
func (p *Policy) nextFiring(of stream, after int64) (firing, bool) {
	f, ok := p.nextRun(of, after)
	for ok && p.superseded(of, &f) {
		f, ok = p.nextRun(of, f.at)
	}
	return f, ok
}

func (p *Policy) prevFiring(of stream, upTo int64) (firing, bool) {
	f, ok := p.prevRun(of, upTo)
	for ok && p.superseded(of, &f) {
		f, ok = p.prevRun(of, f.at-1)
	}
	return f, ok
}

// superseded reports whether the other power fires at the same instant for a
// later local time. That takes a gap, which moved f: no local time is both a
// start and a stop.
func (p *Policy) superseded(of stream, f *firing) bool {
	if !f.moved || of == absent {
		return false
	}
	other, ok := p.prevRun(of.other(), f.at)
	return ok && other.at == f.at && other.nominal > f.nominal
}

func (of stream) other() stream {
	if of == stops {
		return starts
	}
	return stops
}

// nextRun returns the first run of any line of a stream after the given instant;
// of several at one instant the one with the latest local time, then the first
// in the file. A put-off start is none where there is another.
func (p *Policy) nextRun(of stream, after int64) (firing, bool) {
	best, found := firing{power: of.power()}, false
	lines, on := p.lines(of), p.on(of)
	for i := range lines {
		r, ok := lines[i].sched.nextOn(on, after)
		if ok && (!found || r.at < best.at || r.at == best.at && r.nominal > best.nominal) {
			best.run, best.because, found = r, &lines[i].because, true
		}
	}
	if of == starts && len(p.putOffs) > 0 {
		if f, ok := p.nextPutOff(after); ok && (!found || f.at < best.at) {
			best, found = f, true
		}
	}
	best.led = best.at
	return best, found
}

func (p *Policy) prevRun(of stream, upTo int64) (firing, bool) {
	best, found := firing{power: of.power()}, false
	lines, on := p.lines(of), p.on(of)
	for i := range lines {
		r, ok := lines[i].sched.prevOn(on, upTo)
		if ok && (!found || r.at > best.at || r.at == best.at && r.nominal > best.nominal) {
			best.run, best.because, found = r, &lines[i].because, true
		}
	}
	if of == starts && len(p.putOffs) > 0 {
		if f, ok := p.prevPutOff(upTo); ok && (!found || f.at > best.at) {
			best, found = f, true
		}
	}
	best.led = best.at
	return best, found
}

// edge makes an Edge of a firing.
func (p *Policy) edge(f *firing) Edge {
	e := Edge{
		At:        time.Unix(f.led, 0).In(p.loc),
		Nominal:   civilAt(f.nominal),
		NominalAt: time.Unix(f.at, 0).In(p.loc),
		Power:     f.power,
		Because:   p.because(f),
	}
	if f.closes {
		e.Nominal = civilAt(f.nominal - secondsPerDay)
		e.Nominal.Hour = 24
	}
	if f.wasPutOff {
		e.PutOff = civilAt(f.putOff)
	}
	return e
}

// because names the line or the days that make f.
func (p *Policy) because(f *firing) Because {
	if f.because != nil {
		return *f.because
	}
	why := &f.stretch.begin
	if f.over {
		why = &f.stretch.end
	}
	return Because{KindCalendar, p.except[why.exception].Pos, why.ref}
}

// civilAt splits a local time.
func civilAt(local int64) Civil {
	t := time.Unix(local, 0).UTC()
	year, month, day := t.Date()
	return Civil{year, month, day, t.Hour(), t.Minute()}
}

// Decide returns what p wants at t: the power of the latest edge at or before
// it, until the next one. It knows no overrides; see DecideUnder.
func (p *Policy) Decide(t time.Time) Decision {
	return p.decideWith(nil, t)
}

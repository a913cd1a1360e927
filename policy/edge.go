package policy

import (
	"iter"
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

// A firing is a run of one of a policy's lines, before any lead.
type firing struct {
	run
	power Power
	line  *line
}

// Next returns the first edge after the given instant that counts, and false
// where none lies ahead.
func (p *Policy) Next(after time.Time) (Edge, bool) {
	start, ok := p.NextOf(Running, after)
	stop, found := p.NextOf(Stopped, after)
	if found && (!ok || stop.At.Before(start.At)) {
		return stop, true
	}
	return start, ok
}

// Prev returns the last edge at or before the given instant that counts, and
// false where none lies behind.
func (p *Policy) Prev(upTo time.Time) (Edge, bool) {
	at := seconds(upTo)
	start, ok := p.prevFiring(Running, p.reach(at))
	stop, found := p.prevFiring(Stopped, at)
	switch {
	case !ok && !found:
		return Edge{}, false
	case !ok:
		return p.edge(stop, stop.at), true
	}
	led := p.led(start)
	if found && stop.at > led {
		return p.edge(stop, stop.at), true
	}
	return p.edge(start, led), true
}

// NextOf returns the first edge of one power after the given instant that
// counts, and false where none lies ahead.
func (p *Policy) NextOf(power Power, after time.Time) (Edge, bool) {
	if power == Running {
		return p.nextStart(seconds(after))
	}
	stop, ok := p.nextFiring(power, seconds(after))
	if !ok {
		return Edge{}, false
	}
	return p.edge(stop, stop.at), true
}

func (p *Policy) nextStart(after int64) (Edge, bool) {
	start, ok := p.nextFiring(Running, p.reach(after))
	if !ok {
		return Edge{}, false
	}
	led := p.led(start)
	if led > start.at-p.lead() {
		// Held back by a stop, it may share its instant with later starts that
		// are held back by the same one: they count once, as the last of them.
		start, _ = p.prevFiring(Running, p.reach(led))
	}
	return p.edge(start, led), true
}

func (p *Policy) lead() int64 { return int64(p.options.StartLead / time.Second) }

// led returns the instant of a start with its lead.
func (p *Policy) led(start firing) int64 {
	at := start.at - p.lead()
	if at == start.at {
		return at
	}
	stop, ok := p.prevFiring(Stopped, start.at-1)
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
	if stop, ok := p.nextFiring(Stopped, t-leadGap); ok {
		farthest = min(farthest, max(t, stop.at))
	}
	return farthest
}

// nextFiring returns the first firing of a power after the given instant that
// the other power does not supersede.
func (p *Policy) nextFiring(power Power, after int64) (firing, bool) {
	f, ok := p.nextRun(power, after)
	for ok && p.superseded(f) {
		f, ok = p.nextRun(power, f.at)
	}
	return f, ok
}

func (p *Policy) prevFiring(power Power, upTo int64) (firing, bool) {
	f, ok := p.prevRun(power, upTo)
	for ok && p.superseded(f) {
		f, ok = p.prevRun(power, f.at-1)
	}
	return f, ok
}

// superseded reports whether the other power fires at the same instant for a
// later local time. That takes a gap, which moved f: no local time is both a
// start and a stop.
func (p *Policy) superseded(f firing) bool {
	if !f.moved {
		return false
	}
	other, ok := p.prevRun(f.power.Other(), f.at)
	return ok && other.at == f.at && other.nominal > f.nominal
}

// nextRun returns the first run of any line of a power after the given instant;
// of several at one instant the one with the latest local time, then the first
// in the file.
func (p *Policy) nextRun(power Power, after int64) (firing, bool) {
	best, found := firing{power: power}, false
	lines := p.lines(power)
	for i := range lines {
		r, ok := lines[i].sched.next(after)
		if ok && (!found || r.at < best.at || r.at == best.at && r.nominal > best.nominal) {
			best.run, best.line, found = r, &lines[i], true
		}
	}
	return best, found
}

func (p *Policy) prevRun(power Power, upTo int64) (firing, bool) {
	best, found := firing{power: power}, false
	lines := p.lines(power)
	for i := range lines {
		r, ok := lines[i].sched.prev(upTo)
		if ok && (!found || r.at > best.at || r.at == best.at && r.nominal > best.nominal) {
			best.run, best.line, found = r, &lines[i], true
		}
	}
	return best, found
}

func (p *Policy) lines(power Power) []line {
	switch power {
	case Running:
		return p.starts
	case Stopped:
		return p.stops
	}
	return nil
}

// edge makes an Edge of a firing whose instant, lead included, is at.
func (p *Policy) edge(f firing, at int64) Edge {
	nominal := time.Unix(f.nominal, 0).UTC()
	year, month, day := nominal.Date()
	return Edge{
		At:        time.Unix(at, 0).In(p.loc),
		Nominal:   Civil{year, month, day, nominal.Hour(), nominal.Minute()},
		NominalAt: time.Unix(f.at, 0).In(p.loc),
		Power:     f.power,
		Because:   f.line.because,
	}
}

// Edges yields the edges with from <= At < to in the order of their instants,
// those that do not count among them: where a gap moves a start and a stop to
// one instant, the one with the earlier local time comes first there, Cancelled
// as Superseded and without a lead.
func (p *Policy) Edges(from, to time.Time) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		for after := from.Add(-1); ; {
			e, ok := p.Next(after)
			ok = ok && e.At.Before(to)
			upTo := to.Add(-1)
			if ok {
				upTo = e.At
			}
			for lost := range p.lost(seconds(after), seconds(upTo)) {
				if !yield(lost) {
					return
				}
			}
			if !ok || !yield(e) {
				return
			}
			after = e.At
		}
	}
}

// lost yields the superseded edges after the given instant, up to upTo. They
// lie where gaps end, so only those instants are looked at.
func (p *Policy) lost(after, upTo int64) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		if !p.Has(Running) || !p.Has(Stopped) {
			return
		}
		for now := spanAt(p.loc, after); now.to <= upTo; {
			end := now.to
			then := spanAt(p.loc, end)
			gap := then.off > now.off
			now = then
			if !gap {
				continue
			}
			if f, ok := p.loserAt(end); ok {
				e := p.edge(f, end)
				e.Cancelled = Superseded
				if !yield(e) {
					return
				}
			}
		}
	}
}

// loserAt returns the superseded one of two firings at the instant at.
func (p *Policy) loserAt(at int64) (firing, bool) {
	start, ok := p.prevRun(Running, at)
	stop, found := p.prevRun(Stopped, at)
	if !ok || !found || start.at != at || stop.at != at {
		return firing{}, false
	}
	if start.nominal > stop.nominal {
		return stop, true
	}
	return start, true
}

// Decide returns what p wants at t: the power of the latest edge at or before
// it, until the next one. It knows no overrides; see DecideUnder.
func (p *Policy) Decide(t time.Time) Decision {
	return p.decideWith(nil, t)
}

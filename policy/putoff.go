package policy

import "sort"

// A start of a cron pair whose date is off is put off to the same local time on
// the first later date that is not, and dropped where a stop lies in between:
// the run that it opens is over by then. So a put-off start never meets a stop,
// and has no part in superseding.
//
// Of the starts that one line puts off to one time of a date, the last is the
// one that counts: where a stop drops that, it drops those before it. All of
// them lie in one stretch of dates off, the one that ends on the day before.

// A deferral is a start that was put off.
type deferral struct {
	nominal  int64 // its local time now
	original int64 // and before
	line     *line
}

// findPutOffs lists the stretches of dates off from which a start is put off and
// not dropped. They are found once: where stops are daily there are few, and a
// search need not look at all the others.
func (p *Policy) findPutOffs() []int {
	var out []int
	for i := range p.off {
		if _, ok := p.nextDeferral(&p.off[i], p.off[i].to()); ok {
			out = append(out, i)
		}
	}
	return out
}

// to returns the local midnight at which the first date after s begins: the one
// to which s puts off.
func (s *stretch) to() int64 { return (s.last + 1) * secondsPerDay }

// nextPutOff returns the first put-off start after the given instant.
func (p *Policy) nextPutOff(after int64) (firing, bool) {
	m := momentAt(p.loc, after)
	i := sort.Search(len(p.putOffs), func(i int) bool { return p.off[p.putOffs[i]].last+1 >= m.day() })
	for ; i < len(p.putOffs); i++ {
		s := &p.off[p.putOffs[i]]
		if d, ok := p.nextDeferral(s, max(s.to(), m.local+1)); ok {
			return p.deferred(s, d, m.span), true
		}
	}
	return firing{}, false
}

// prevPutOff returns the last put-off start at or before the given instant.
func (p *Policy) prevPutOff(upTo int64) (firing, bool) {
	m := momentAt(p.loc, upTo)
	i := sort.Search(len(p.putOffs), func(i int) bool { return p.off[p.putOffs[i]].last+1 > m.day() }) - 1
	for ; i >= 0; i-- {
		s := &p.off[p.putOffs[i]]
		if d, ok := p.prevDeferral(s, min(s.to()+secondsPerDay-1, m.local)); ok {
			return p.deferred(s, d, m.span), true
		}
	}
	return firing{}, false
}

// deferred places a deferral. Of several that a gap puts at one instant the one
// with the latest local time stands for all.
func (p *Policy) deferred(s *stretch, d deferral, guess span) firing {
	at, off := place(p.loc, d.nominal, guess)
	if shown := at + off; shown != d.nominal {
		d, _ = p.prevDeferral(s, min(s.to()+secondsPerDay-1, shown))
	}
	return firing{
		run: run{at, d.nominal, at+off != d.nominal}, power: Running, because: &d.line.because,
		putOff: d.original, wasPutOff: true,
	}
}

// nextDeferral returns the first start that s puts off to the local time from or
// later, on the date after s; of several at one time the one that was the last
// originally, then the first in the file.
func (p *Policy) nextDeferral(s *stretch, from int64) (deferral, bool) {
	var best deferral
	for i := range p.starts {
		d, ok := p.nextOfLine(&p.starts[i], s, from)
		if ok && (best.line == nil || d.nominal < best.nominal || d.nominal == best.nominal && d.original > best.original) {
			best = d
		}
	}
	return best, best.line != nil
}

// prevDeferral returns the last start that s puts off to upTo or earlier.
func (p *Policy) prevDeferral(s *stretch, upTo int64) (deferral, bool) {
	var best deferral
	for i := range p.starts {
		d, ok := p.prevOfLine(&p.starts[i], s, upTo)
		if ok && (best.line == nil || d.nominal > best.nominal || d.nominal == best.nominal && d.original > best.original) {
			best = d
		}
	}
	return best, best.line != nil
}

// nextOfLine is nextDeferral for one line. A stop takes all originals before it
// out, so that the search goes on behind it.
func (p *Policy) nextOfLine(l *line, s *stretch, from int64) (deferral, bool) {
	names := &l.sched.names
	least := int((from - s.to() + 59) / 60)
	for least < minutesPerDay {
		minute, ok := names.nextTime(least)
		if !ok {
			break
		}
		least = minute + 1
		original, at, ok := l.lastOn(s, minute)
		if !ok {
			if !l.sched.real {
				break // no date of s at all
			}
			continue
		}
		nominal := s.to() + int64(minute)*60
		stop, any := p.stopBy(nominal)
		if !any || stop.at <= at {
			return deferral{nominal, original, l}, true
		}
		least = max(least, l.minuteFrom(s, stop.at))
	}
	return deferral{}, false
}

// prevOfLine is prevDeferral for one line. A stop takes all starts out that were
// before it and are put off to it or behind it.
func (p *Policy) prevOfLine(l *line, s *stretch, upTo int64) (deferral, bool) {
	names := &l.sched.names
	for most := floorDiv(upTo-s.to(), 60); most >= 0; {
		minute, ok := names.prevTime(int(most))
		if !ok {
			break
		}
		most = int64(minute) - 1
		original, at, ok := l.lastOn(s, minute)
		if !ok {
			if !l.sched.real {
				break
			}
			continue
		}
		nominal := s.to() + int64(minute)*60
		stop, any := p.nextRun(stops, at)
		if then, _ := place(p.loc, nominal, span{}); !any || stop.at > then {
			return deferral{nominal, original, l}, true
		}
		if !l.sched.real || floorDiv(original, secondsPerDay) == l.lastDay(s) {
			most = min(most, floorDiv(momentAt(p.loc, stop.at-1).local-s.to(), 60))
		}
	}
	return deferral{}, false
}

// stopBy returns the last stop at or before a local time.
func (p *Policy) stopBy(local int64) (firing, bool) {
	at, _ := place(p.loc, local, span{})
	return p.prevRun(stops, at)
}

// lastOn returns the last start of l at that minute of a date of s: its local
// time and its instant. One that follows real time counts on its last pass, and
// not on a date that skips it.
func (l *line) lastOn(s *stretch, minute int) (local, at int64, ok bool) {
	names, loc := &l.sched.names, l.sched.loc
	for day, found := names.prevDay(s.last); found && day >= s.first; day, found = names.prevDay(day - 1) {
		local = day*secondsPerDay + int64(minute)*60
		if !l.sched.real {
			at, _ = place(loc, local, span{})
			return local, at, true
		}
		if at, ok = lastShown(loc, local); ok {
			return local, at, true
		}
	}
	return 0, 0, false
}

// lastDay returns the last date of s that l names, given that there is one.
func (l *line) lastDay(s *stretch) int64 {
	day, _ := l.sched.names.prevDay(s.last)
	return day
}

// minuteFrom returns the first minute of the last date of s that l names whose
// start can lie at the instant at or later.
func (l *line) minuteFrom(s *stretch, at int64) int {
	loc := l.sched.loc
	least := momentAt(loc, at-1).local + 1
	if l.sched.real {
		least = spanAt(loc, at).ahead(loc, at)
	}
	minute := floorDiv(least-l.lastDay(s)*secondsPerDay+59, 60)
	return int(min(max(minute, 0), minutesPerDay))
}

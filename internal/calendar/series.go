package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A series is what one UID names: events that repeat or not, and changes of
// their instances. Mostly it has one event; files whose events all have the same
// UID exist, so it may have many.
type series struct {
	events  []event
	changes []event
}

// series understands the records and puts together what belongs together, in
// the order of the file.
func (f *file) series(n *notes) []*series {
	var all []*series
	byUID := map[string]*series{}
	for _, r := range f.records {
		e, err := f.event(r, n)
		if err != nil {
			n.add(cmp.Or(r.at, r.line), "%s is left out: it %v", titled(r), err)
			continue
		}
		s := byUID[e.uid]
		if s == nil || e.uid == "" {
			s = &series{}
			all = append(all, s)
			byUID[e.uid] = s
		}
		if e.change {
			s.changes = append(s.changes, e)
		} else {
			s.events = append(s.events, e)
		}
	}
	for _, s := range all {
		s.events, s.changes = newest(s.events), newest(s.changes)
	}
	return all
}

// titled names a record that could not be understood.
func titled(r *record) string {
	e := event{name: cleaned(r.text("SUMMARY"))}
	return e.title()
}

// newest drops the events that a higher SEQUENCE for the same instance has
// replaced: a file may hold an invitation and its later versions.
func newest(events []event) []event {
	top := map[moment]int{}
	for _, e := range events {
		top[e.instance] = max(top[e.instance], e.sequence)
	}
	return slices.DeleteFunc(events, func(e event) bool { return e.sequence < top[e.instance] })
}

// cancelled reports whether the whole of a series was called off, with its changes.
func (s *series) cancelled() bool {
	return len(s.events) > 0 && !slices.ContainsFunc(s.events, func(e event) bool { return !e.cancelled })
}

// An expansion writes out the days of a file.
type expansion struct {
	notes  *notes
	sheet  sheet
	search search
	count  int  // days so far, each as often as it was given
	full   bool // maxDays is reached
}

// series enters the days of s: first its changes, as what they were changed
// into, then the instances that none of them replaces.
func (x *expansion) series(s *series) {
	if s.cancelled() {
		return
	}
	for _, events := range [][]event{s.changes, s.events} {
		for i := range events {
			if events[i].timed && !events[i].cancelled {
				x.notes.add(events[i].line, "%s is left out: it %v", events[i].title(), errTimed)
			}
		}
	}
	for i := range s.changes {
		x.whole(&s.changes[i], s.changes[i].start)
	}
	var changed changes
	for i := range s.events {
		e := &s.events[i]
		if e.dayless() {
			continue
		}
		if changed.single == nil {
			changed = changesOf(e.clock, s.changes, x.notes)
		}
		x.instances(e, changed)
	}
}

// whole enters the days of e as if it began on start.
func (x *expansion) whole(e *event, start day) {
	if e.dayless() {
		return
	}
	for d := max(start, firstDay); d < start+day(e.span) && d <= lastDay; d++ {
		if x.count == maxDays {
			x.full = true
			x.notes.add(e.line, "the events have more than %d days: from here on they are left out", maxDays)
			return
		}
		x.count++ // whether another event has the day as well: it is the work that is bounded
		x.sheet.add(d, e.name)
	}
}

// changes are those of a series, by the instances that they replace.
type changes struct {
	single map[day]bool
	onward []change // in order
}

// A change with RANGE=THISANDFUTURE holds from a day on.
type change struct {
	from day
	*event
}

// changesOf reads which instances are changed. RECURRENCE-ID names the day that
// an instance would have had, and c is the clock of the event that repeats: the
// change itself may be in another zone.
func changesOf(c clock, all []event, n *notes) changes {
	by := changes{single: make(map[day]bool, len(all))}
	for i := range all {
		d, known := c.local(all[i].instance)
		if !known {
			n.add(all[i].line, "%s changes a day that cannot be told: its RECURRENCE-ID is in UTC, and the file does not describe the zone", all[i].title())
			continue
		}
		by.single[d] = true
		if all[i].onward {
			by.onward = append(by.onward, change{d, &all[i]})
		}
	}
	slices.SortStableFunc(by.onward, func(a, b change) int { return cmp.Compare(a.from, b.from) })
	return by
}

// at returns the change that holds on d because it holds from an earlier day on.
func (c *changes) at(d day) (change, bool) {
	i, _ := slices.BinarySearchFunc(c.onward, d+1, func(c change, d day) int { return cmp.Compare(c.from, d) })
	if i == 0 {
		return change{}, false
	}
	return c.onward[i-1], true
}

// instances enters the instances of e. Those that are changed have been entered
// as what they were changed into.
func (x *expansion) instances(e *event, changed changes) {
	for _, d := range x.starts(e) {
		if x.full {
			return
		}
		if changed.single[d] {
			continue
		}
		if c, ok := changed.at(d); ok {
			x.whole(c.event, d+c.start-c.from)
			continue
		}
		x.whole(e, d)
	}
}

// starts returns the first days of the instances of e, in order: those of its
// rules and RDATEs without its EXDATEs, and none where a rule is refused. EXDATE
// comes last, so that a day that it takes away was counted by COUNT before.
func (x *expansion) starts(e *event) []day {
	starts := []day{}
	for _, p := range e.props["RRULE"] {
		days, err := x.rule(e, p)
		if err != nil {
			x.notes.add(p.line, "%s is left out: its rule %v", e.title(), err)
			return nil
		}
		starts = append(starts, days...)
	}
	if p, ok := e.one("EXRULE"); ok {
		x.notes.add(p.line, "%s is left out: it has an EXRULE, which is not supported", e.title())
		return nil
	}
	if len(e.props["RRULE"]) == 0 {
		starts = append(starts, e.start)
	}
	starts = append(starts, x.listed(e, "RDATE")...)
	gone := map[day]bool{}
	for _, d := range x.listed(e, "EXDATE") {
		gone[d] = true
	}
	slices.Sort(starts)
	return slices.DeleteFunc(slices.Compact(starts), func(d day) bool { return gone[d] })
}

// rule returns the days of one RRULE of e.
func (x *expansion) rule(e *event, p property) ([]day, error) {
	r, err := parseRule(p, e, x.notes)
	if err != nil {
		return nil, err
	}
	days, named, err := x.search.days(r, e.start)
	if err == nil && !named {
		x.notes.add(p.line, "%s starts on %s, which its rule does not name: that day counts too", e.title(), e.start)
	}
	return days, err
}

// listed returns the local dates of all RDATEs or EXDATEs of e. A period counts
// with its beginning.
func (x *expansion) listed(e *event, name string) []day {
	var days []day
	for _, p := range e.props[name] {
		for value := range strings.SplitSeq(p.value, ",") {
			value, _, _ = strings.Cut(value, "/")
			d, err := dated(e, value, p)
			if err != nil {
				x.notes.add(p.line, "a day of %s is left out: its "+name+" %v", e.title(), err)
				continue
			}
			days = append(days, d)
		}
	}
	return days
}

// dated returns the local date of one value.
func dated(e *event, value string, p property) (day, error) {
	m, err := parseMoment(value, p)
	if err != nil {
		return 0, fmt.Errorf("cannot be read: %w", err)
	}
	d, known := e.clock.local(m)
	if !known {
		return 0, errors.New("is in UTC, and the file does not describe the zone of the event")
	}
	return d, nil
}

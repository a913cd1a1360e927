package main

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"curfew/policy"
)

// A callGroup is changes of one kind, at the same local times, on days that a
// person would name in one breath.
type callGroup struct {
	kind    changeKind
	power   policy.Power
	times   string // "20:00", or "20:00 → 19:00" of what moved
	by      string // the calendar by whose days they are removed; empty for none
	loc     *time.Location
	span    span
	week    week // 0: the days are no pattern
	every   bool // each day of the pattern from the first to the last
	changes []callChange
}

// A groupKey is what changes of one group have in common, beside their days.
type groupKey struct {
	kind  changeKind
	power policy.Power
	times string
	by    string
}

// groupsOf puts changes, which are in order, into groups, by their first instants.
// The time comes first and the days second: people change a time and expect to
// find it.
func groupsOf(changes []callChange, loc *time.Location, s span) []callGroup {
	byKey := map[groupKey][]callChange{}
	for _, c := range changes {
		k := groupKey{c.kind(), c.main().power, timesOf(c, loc), c.calendar()}
		byKey[k] = append(byKey[k], c)
	}
	var groups []callGroup
	for k, of := range byKey {
		for _, g := range byDays(of, loc) {
			g.kind, g.power, g.times, g.by, g.loc, g.span = k.kind, k.power, k.times, k.by, loc, s
			groups = append(groups, g.byPasses()...)
		}
	}
	slices.SortFunc(groups, func(a, b callGroup) int {
		return cmp.Or(a.first().Compare(b.first()), cmp.Compare(a.kind, b.kind), cmp.Compare(a.power, b.power), cmp.Compare(a.times, b.times), cmp.Compare(a.by, b.by))
	})
	return groups
}

// byPasses splits a group whose days are named one by one, so that the passes of a
// local time that comes twice on one of them are told apart.
func (g callGroup) byPasses() []callGroup {
	if !g.listed() {
		return []callGroup{g}
	}
	var groups []callGroup
	for _, c := range g.changes {
		times := passesOf(c, g.loc)
		i := slices.IndexFunc(groups, func(of callGroup) bool { return of.times == times })
		if i < 0 {
			i = len(groups)
			groups = append(groups, g)
			groups[i].times, groups[i].changes = times, nil
		}
		groups[i].changes = append(groups[i].changes, c)
	}
	return groups
}

// calendar names the calendar by whose day a call is removed.
func (c callChange) calendar() string {
	name, _, _ := strings.Cut(c.by.Ref, ` "`)
	return name
}

// first and last are the instants of the first and the last change.
func (g *callGroup) first() time.Time { return g.changes[0].main().at.In(g.loc) }
func (g *callGroup) last() time.Time  { return g.changes[len(g.changes)-1].main().at.In(g.loc) }

// timesOf is the local time of a change, of one that moved both. What the clocks
// show twice is one time.
func timesOf(c callChange, loc *time.Location) string {
	return timesIn(c, loc, func(t time.Time) string { return t.Format(clockLayout(t)) })
}

// passesOf is the same with the pass of what they show twice.
func passesOf(c callChange, loc *time.Location) string {
	return timesIn(c, loc, func(t time.Time) string { return shownTime(t, clockLayout(t)) })
}

func timesIn(c callChange, loc *time.Location, clock func(time.Time) string) string {
	if c.kind() != changeMoved {
		return clock(c.main().at.In(loc))
	}
	old, new := c.old.at.In(loc), c.new.at.In(loc)
	if clock(old) == clock(new) { // from one pass to the other, or to another day
		clock = func(t time.Time) string { return t.Format(clockLayout(t) + " MST") }
	}
	s := clock(old) + " → " + clock(new)
	switch days := dayOf(new, loc) - dayOf(old, loc); {
	case days == 1:
		s += " next day"
	case days == -1:
		s += " the day before"
	}
	return s
}

// clockLayout is that of a time of day without its zeros.
func clockLayout(t time.Time) string {
	if t.Second() != 0 {
		return "15:04:05"
	}
	return "15:04"
}

const (
	fewDays = 3  // so many are named one by one
	longGap = 28 // days without a change that end a pattern, such as a season
)

// byDays splits changes at the same local times by the days on which they are:
// stretches of the same days of the week, and the days that are left over.
func byDays(changes []callChange, loc *time.Location) []callGroup {
	var groups []callGroup
	var single []callChange
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && daysBetween(changes[n-1], changes[n], loc) <= longGap {
			n++
		}
		pattern, rest := weekly(changes[:n], loc)
		if len(pattern.changes) > 0 {
			groups = append(groups, pattern)
		}
		single = append(single, rest...)
		changes = changes[n:]
	}
	if len(single) > 0 {
		groups = append(groups, callGroup{changes: single})
	}
	return groups
}

func daysBetween(a, b callChange, loc *time.Location) int {
	return dayOf(b.main().at, loc) - dayOf(a.main().at, loc)
}

// weekly finds the days of the week on which most of a stretch's changes are:
// more than every other one of those days has one. So a holiday makes "every
// Friday" into "most Fridays", and one Monday that stands alone is no pattern.
func weekly(changes []callChange, loc *time.Location) (pattern callGroup, rest []callChange) {
	first, last := dayOf(changes[0].main().at, loc), dayOf(changes[len(changes)-1].main().at, loc)
	on := daysByWeekday(changes, loc)
	// Each day of the week is judged by itself, so that a few of one do not make
	// the others look thin.
	var dense week
	for d, n := range on {
		if 2*n > weekdaysIn(week(1<<d), first, last) {
			dense |= 1 << d
		}
	}
	for _, c := range changes {
		if dense.has(c.main().at.In(loc).Weekday()) {
			pattern.changes = append(pattern.changes, c)
		} else {
			rest = append(rest, c)
		}
	}
	// What is left may begin later and end sooner: the promise of "every" is for
	// its own stretch.
	days := 0
	for _, n := range daysByWeekday(pattern.changes, loc) {
		days += n
	}
	if days <= fewDays {
		return callGroup{}, changes
	}
	first, last = dayOf(pattern.changes[0].main().at, loc), dayOf(pattern.changes[len(pattern.changes)-1].main().at, loc)
	pattern.week, pattern.every = dense, days == weekdaysIn(dense, first, last)
	return pattern, rest
}

// daysByWeekday counts the days that have a change. A day may have two, in an
// hour that the clocks show twice.
func daysByWeekday(changes []callChange, loc *time.Location) (on [7]int) {
	before := -1
	for _, c := range changes {
		if day := dayOf(c.main().at, loc); day != before {
			before = day
			on[c.main().at.In(loc).Weekday()]++
		}
	}
	return on
}

// A week is a set of days of the week, bit 0 for Sunday.
type week uint8

func (w week) has(d time.Weekday) bool { return w>>d&1 != 0 }

// weekdaysIn counts the days of w from one day to another, both included.
func weekdaysIn(w week, first, last int) int {
	const thursday = 4 // 1970-01-01
	n := (last - first + 1) / 7 * bits.OnesCount8(uint8(w))
	for day := first + (last-first+1)/7*7; day <= last; day++ {
		if w.has(time.Weekday(((day+thursday)%7 + 7) % 7)) {
			n++
		}
	}
	return n
}

// String names the days: "Mon-Fri", "Mon, Wed, Fri".
func (w week) String() string {
	var parts []string
	for i := 0; i < 7; {
		n := 0
		for i+n < 7 && w.has(fromMonday(i+n)) {
			n++
		}
		switch {
		case n > 2:
			parts = append(parts, short(fromMonday(i))+"-"+short(fromMonday(i+n-1)))
		case n > 0:
			for d := i; d < i+n; d++ {
				parts = append(parts, short(fromMonday(d)))
			}
		}
		i += n + 1
	}
	return strings.Join(parts, ", ")
}

// fromMonday is the day of the week that comes so many behind Monday.
func fromMonday(n int) time.Weekday { return time.Weekday((n + 1) % 7) }

func short(d time.Weekday) string { return d.String()[:3] }

// days names the days of a group: "every Friday", "most of Mon-Fri", or a few
// dates.
func (g *callGroup) days() string {
	const all = week(1<<7 - 1)
	switch {
	case g.week == 0:
		return g.dates()
	case g.week == all && g.every:
		return "daily"
	case g.week == all:
		return "most days"
	case bits.OnesCount8(uint8(g.week)) == 1:
		day := time.Weekday(bits.TrailingZeros8(uint8(g.week))).String()
		if g.every {
			return "every " + day
		}
		return "most " + day + "s"
	case g.every:
		return g.week.String()
	}
	return "most of " + g.week.String()
}

// dateLayout is how people get a date.
const dateLayout = "Mon 2 Jan 2006"

// date is a date of the group, with its year where there may be two of it.
func (g *callGroup) date(t time.Time) string {
	if t.Before(g.span.from.AddDate(0, 11, 0)) {
		return t.Format("Mon 2 Jan")
	}
	return t.Format(dateLayout)
}

// dates names up to three dates, and counts more.
func (g *callGroup) dates() string {
	var dates []string
	for _, c := range g.changes {
		d := g.date(c.main().at.In(g.loc))
		if len(dates) == 0 || dates[len(dates)-1] != d {
			dates = append(dates, d)
		}
	}
	if len(dates) > fewDays {
		return fmt.Sprintf("on %d days", len(dates))
	}
	return strings.Join(dates, ", ")
}

// listed reports whether the days are named one by one.
func (g *callGroup) listed() bool { return g.week == 0 && !strings.HasPrefix(g.dates(), "on ") }

// reach says from when on, and to when where a pattern ends before the span does.
func (g *callGroup) reach() string {
	from := "from " + g.date(g.first())
	if g.last().AddDate(0, 0, longGap).Before(g.span.to) {
		from += " to " + g.date(g.last())
	}
	return from
}

// crowded reports whether a day has more than one of the changes, which have one
// local time.
func (g *callGroup) crowded() bool {
	for i := range g.changes[1:] {
		if daysBetween(g.changes[i], g.changes[i+1], g.loc) == 0 {
			return true
		}
	}
	return false
}

// often is how many times, for each deployment.
func (g *callGroup) often() string {
	if len(g.changes) == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", len(g.changes))
}

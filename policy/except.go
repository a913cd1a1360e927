package policy

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strconv"
)

// Dates here are days counted from 1970-01-01. What the exceptions of a policy
// say is folded once into stretches, so that a question costs a search among
// them, whether a calendar has ten dates or forty thousand. Behind the last
// stretch nothing differs from a policy without calendars.

// A stretch is a longest row of dates with one effect.
type stretch struct {
	first, last int64
	effect      Effect
	begin, end  cause // of the first date and of the last
}

// A cause is the date of a calendar that gives an effect: the index of the
// exception that names the calendar, and what the date is quoted as.
type cause struct {
	exception int
	ref       string
}

// power is what is wanted on the whole of each date of s.
func (s *stretch) power() Power {
	switch s.effect {
	case EffectRunning:
		return Running
	case EffectStopped:
		return Stopped
	}
	return None
}

// An exception is one that Compile has found right.
type exception struct {
	Exception
	calendar *Calendar
}

// days are the dates on which exceptions hold. They may be shared by policies
// whose exceptions are alike.
type days struct {
	off, whole       []stretch // apart, each in order
	offSum, wholeSum string    // digests; empty where there are none
	placed           map[string][]wholeDay
}

// newDays folds exceptions: of those that have a date, the first decides.
func newDays(except []exception) *days {
	d := &days{placed: map[string][]wholeDay{}}
	quotes := map[string]string{}
	for at := range decided(except) {
		list := &d.whole
		if at.effect == EffectOff {
			list = &d.off
		}
		ref := quoted(except[at.exception].Calendar, at.name)
		if _, ok := quotes[ref]; !ok {
			quotes[ref] = ref // few names are said again and again: each is kept once
		}
		why := cause{at.exception, quotes[ref]}
		if n := len(*list) - 1; n >= 0 && (*list)[n].last == at.day-1 && (*list)[n].effect == at.effect {
			(*list)[n].last, (*list)[n].end = at.day, why
			continue
		}
		*list = append(*list, stretch{at.day, at.day, at.effect, why, why})
	}
	d.off, d.whole = slices.Clip(d.off), slices.Clip(d.whole)
	d.offSum, d.wholeSum = digest(d.off), digest(d.whole)
	return d
}

// dated is a date with what decides it.
type dated struct {
	day       int64
	exception int
	effect    Effect
	name      string
}

// decided yields the dates of all exceptions in order, each once.
func decided(except []exception) iter.Seq[dated] {
	var all []dated
	for i, e := range except {
		for day := range e.calendar.Days() {
			all = append(all, dated{day.Date.number(), i, e.Effect, day.Name})
		}
	}
	slices.SortFunc(all, func(a, b dated) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.exception, b.exception))
	})
	return slices.Values(slices.CompactFunc(all, func(a, b dated) bool { return a.day == b.day }))
}

// quoted is a calendar's name with the day's behind it: holidays "Neujahr".
func quoted(calendar, day string) string {
	if day == "" {
		return calendar
	}
	return calendar + " " + strconv.Quote(day)
}

// digest writes stretches down for a fingerprint: dates and effects, without the
// names of calendars.
func digest(list []stretch) string {
	if len(list) == 0 {
		return ""
	}
	var b []byte
	for i := range list {
		b = fmt.Appendf(b, "%d-%d %s\n", list[i].first, list[i].last, list[i].effect)
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

// from returns the index of the first stretch that does not end before day.
func from(list []stretch, day int64) int {
	return sort.Search(len(list), func(i int) bool { return list[i].last >= day })
}

// holding returns the stretch that has a date, nil where none does.
func holding(list []stretch, day int64) *stretch {
	if i := from(list, day); i < len(list) && list[i].first <= day {
		return &list[i]
	}
	return nil
}

// dates are those to which a search is held: the ones that are off, or all
// others.
type dates struct {
	off []stretch
	in  bool
}

// next returns the first date at or after day that is one of d.
func (d *dates) next(day int64) (int64, bool) {
	i := from(d.off, day)
	inside := i < len(d.off) && d.off[i].first <= day
	switch {
	case inside == d.in:
		return day, true
	case inside:
		return d.off[i].last + 1, true
	case i == len(d.off):
		return 0, false
	}
	return d.off[i].first, true
}

// prev returns the last date at or before day that is one of d.
func (d *dates) prev(day int64) (int64, bool) {
	i := from(d.off, day)
	inside := i < len(d.off) && d.off[i].first <= day
	switch {
	case inside == d.in:
		return day, true
	case inside:
		return d.off[i].first - 1, true
	case i == 0:
		return 0, false
	}
	return d.off[i-1].last, true
}

// foldDays is more than a clock that is set back can fall, in days.
const foldDays = maxShift/secondsPerDay + 1

// over reports whether no date of d can be shown again once day was.
func (d *dates) over(day int64) bool {
	return d.in && (len(d.off) == 0 || day > d.off[len(d.off)-1].last+foldDays)
}

// ahead reports whether no date of d can have been shown before day was.
func (d *dates) ahead(day int64) bool {
	return d.in && (len(d.off) == 0 || day < d.off[0].first-foldDays)
}

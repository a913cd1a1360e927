package calendar

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

const (
	maxRule   = 4000 // bytes of an RRULE
	maxWeight = 366  // numbers and weekdays in its BY parts together; one of BYSETPOS counts as 15

	// maxWork bounds the time for all rules of a file, in units of some five
	// nanoseconds. A thousand birthdays since 1604 fit, which is how Apple's
	// address book writes them; so does every file within maxDays.
	maxWork = 250_000_000
)

// A rule is an RRULE (RFC 5545, section 3.3.10) in days.
type rule struct {
	option rrule.ROption // without start, count and end
	count  int           // 0: no limit
	until  day           // last day on which it may happen
	weight int           // of its BY parts: what they cost for each day that is looked at
}

// errFine refuses what repeats within a day.
var errFine = errors.New("repeats within a day, and only whole days count")

// parseRule reads an RRULE of e. The error says what is refused.
func parseRule(p property, e *event, n *notes) (rule, error) {
	if len(p.value) > maxRule {
		return rule{}, fmt.Errorf("is longer than %d bytes", maxRule)
	}
	r := rule{until: lastDay}
	var parts []string
	for part := range strings.SplitSeq(strings.ToUpper(p.value), ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		keep, err := r.part(key, value, p, e, n)
		switch {
		case err != nil:
			return rule{}, err
		case keep:
			parts = append(parts, key+"="+value)
		}
		r.weigh(key, value)
	}
	if r.weight > maxWeight {
		return rule{}, errors.New("has too many values")
	}
	err := r.parse(strings.Join(parts, ";"))
	return r, err
}

// weigh counts the values of a BY part. For each value of BYSETPOS the library
// goes through the month or the year anew.
func (r *rule) weigh(key, value string) {
	if !strings.HasPrefix(key, "BY") {
		return
	}
	n := strings.Count(value, ",") + 1
	if key == "BYSETPOS" {
		n *= 15
	}
	r.weight += n
}

// part judges one part of a rule, and reports whether it is for the library.
func (r *rule) part(key, value string, p property, e *event, n *notes) (keep bool, err error) {
	switch key {
	case "": // as behind a semicolon at the end, which many write
		return false, nil
	case "UNTIL":
		return false, r.end(value, p, e, n)
	case "FREQ":
		if slices.Contains([]string{"SECONDLY", "MINUTELY", "HOURLY"}, value) {
			return false, errFine
		}
	case "BYHOUR", "BYMINUTE", "BYSECOND": // RFC 5545: to be ignored with a date
		if !e.dateOnly && strings.Trim(value, "0") != "" {
			return false, errFine
		}
		return false, nil
	case "COUNT", "INTERVAL":
		if strings.Trim(value, "+-0") == "" {
			return false, fmt.Errorf("has %s=%s", key, clip(value, maxName))
		}
	case "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS":
	default:
		return false, fmt.Errorf("has a part that is not supported: %q", clip(key, maxName))
	}
	return true, nil
}

// end reads UNTIL, which names the last day on which e may begin.
func (r *rule) end(value string, p property, e *event, n *notes) error {
	m, err := parseMoment(value, property{})
	if err != nil {
		return fmt.Errorf("has an UNTIL that cannot be read: %w", err)
	}
	until, known := e.clock.local(m)
	if !known {
		n.add(p.line, "UNTIL=%s of %s is read as %s: the file does not say in which zone", clip(value, maxName), e.title(), until)
	}
	r.until = min(until, lastDay)
	return nil
}

// parse has the library read the rest. It is not given COUNT: it takes the first
// instance that the rule names for the first, and that is not always DTSTART.
func (r *rule) parse(text string) (err error) {
	defer guard(&err)
	option, err := rrule.StrToROption(text)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if option.Freq > rrule.DAILY {
		return errFine
	}
	if option.Count < 0 || option.Interval < 0 {
		return errors.New("has a negative number")
	}
	if err := checkParts(option); err != nil {
		return err
	}
	r.count, option.Count = option.Count, 0
	option.Interval = min(option.Interval, longest(option.Freq))
	r.option = *option
	return nil
}

// checkParts refuses what the library gets wrong: positions in a week, of which
// its first week has only what follows the start; the weeks around New Year;
// weekdays that no month has, which lead out of its tables; and "MO,2TU", of
// which it takes what is both.
func checkParts(option *rrule.ROption) error {
	if option.Freq == rrule.WEEKLY && len(option.Bysetpos) > 0 {
		return errors.New("has BYSETPOS in a week, which is not supported")
	}
	for _, n := range option.Byweekno {
		if n < 1 || n > 51 {
			return fmt.Errorf("has BYWEEKNO=%d: only the weeks from 1 to 51 are supported", n)
		}
	}
	if option.Freq > rrule.MONTHLY {
		return nil
	}
	ofYear := option.Freq == rrule.YEARLY && len(option.Bymonth) == 0
	for _, w := range option.Byweekday {
		switch {
		case (w.N() == 0) != (option.Byweekday[0].N() == 0):
			return errors.New("has weekdays with a number and others without one")
		case !ofYear && (w.N() < -5 || w.N() > 5):
			return fmt.Errorf("names %s of a month, which has five at most", &w)
		}
	}
	return nil
}

// guard turns a panic of the library into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("cannot be followed: %v", p)
	}
}

// longest returns an interval that is longer than all years that are read
// together. The library counts on with larger ones until its numbers overflow.
func longest(f rrule.Frequency) int {
	const years = LastYear - oldest + 1
	switch f {
	case rrule.YEARLY:
		return years
	case rrule.MONTHLY:
		return 12 * years
	case rrule.WEEKLY:
		return 53 * years
	}
	return 366 * years
}

// A search finds days by rules, within maxWork.
type search struct {
	work int
}

// errWork stops a file that asks for too much.
var errWork = errors.New("is one rule too many: the rules of this file take too long")

// days returns the days of r from start on, start among them: the first instance
// is DTSTART, whether the rule names it or not, and counts (RFC 5545, section
// 3.8.5.3). Days too early to matter are counted and left out. named reports
// whether the rule does name its start.
//
// The library looks for a next instance until the year 9999, and nothing can
// stop it: with BYMONTH=2;BYMONTHDAY=30 that takes it seventy milliseconds. But
// the calendar repeats every 400 years, so it is asked about the same dates
// nineteen such periods later, where 9999 is near.
func (s *search) days(r rule, start day) (days []day, named bool, err error) {
	defer guard(&err)
	if start > lastDay || start > r.until {
		return nil, true, nil
	}
	if s.work > maxWork {
		return nil, true, errWork
	}
	const later = 19 * fourCenturies
	r.option.Dtstart = (start + later).midnight()
	r.option.Until = dayOf(rrule.MAXYEAR, time.December, 31).midnight()
	all, err := rrule.NewRRule(r.option)
	if err != nil {
		return nil, true, fmt.Errorf("cannot be followed: %w", err)
	}
	return s.walk(all.Iterator(), r, start, later)
}

// walk collects what next yields, which is later days too late.
func (s *search) walk(next rrule.Next, r rule, start, later day) (days []day, named bool, err error) {
	days = []day{start}
	end := dayAt(r.option.Until) - later
	count, last := 1, end
	defer func() { s.work += r.work(int(last-start), count, len(days)) }()
	for first := true; first || r.count == 0 || count < r.count; first = false {
		t, ok := next()
		if !ok {
			last = end
			break
		}
		if last = dayAt(t) - later; last > r.until {
			break
		}
		switch {
		case last == start:
			named = true
			continue
		case r.count > 0 && count == r.count:
			continue
		case last >= firstDay-maxSpan:
			days = append(days, last)
		}
		count++
	}
	return days, named, nil
}

// work returns what it costs to look at so many days, to find some of them, and
// to keep some of those, in the units of maxWork.
func (r *rule) work(looked, found, kept int) int {
	step := 1
	switch r.option.Freq {
	case rrule.WEEKLY:
		step = 3
	case rrule.DAILY:
		step = 8
	}
	return looked*(step+r.weight) + 25*found + 75*kept
}

package calendar

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"curfew/policy"
)

// maxItem is the longest item of dates: that is read, in bytes.
const maxItem = 64

// dateForm is a date, or one of every year.
var dateForm = regexp.MustCompile(`^(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})$`)

// ParseDates reads one item of dates: "2026-12-24", "2026-12-28..2027-01-03"
// with both ends included, "12-24" of every year (02-29 of leap years only), or
// "12-28..01-03" of every year, which may go over New Year. The days have no
// name and come in order. An error is an *Error with Col and Hint.
func ParseDates(text string) ([]policy.Day, error) {
	r, fault := parseRange(text)
	if fault != nil {
		fault.Op, fault.Input = "read date", text
		if fault.Hint == "" {
			fault.Hint = suggest(text)
		}
		return nil, fault
	}
	s := sheet{}
	if !r.from.every() {
		r.enter(s, r.from.year, r.to.year)
		return s.days(), nil
	}
	over := 0 // years by which it goes over New Year
	if r.from.rank() > r.to.rank() {
		over = 1
	}
	for year := FirstYear - 1; year <= LastYear; year++ {
		r.enter(s, year, year+over)
	}
	return s.days(), nil
}

// civil is one end of an item as it is written; year is 0 for every year.
type civil struct {
	year, month, dom int
}

// every reports whether c names a day of every year.
func (c civil) every() bool { return c.year == 0 }

// rank puts dates into their order; the rank of a day of every year is that of
// the day in its year.
func (c civil) rank() int { return (c.year*100+c.month)*100 + c.dom }

// String returns c as it is written.
func (c civil) String() string {
	if c.every() {
		return fmt.Sprintf("%02d-%02d", c.month, c.dom)
	}
	return fmt.Sprintf("%04d-%02d-%02d", c.year, c.month, c.dom)
}

// span is an item: from one end to the other, both included.
type span struct {
	from, to civil
}

// enter puts the days of s into a sheet, with these years for its ends. Where a
// year has no 29 February, a span begins after it and ends before it: one of
// this day alone is empty.
func (s span) enter(days sheet, from, to int) {
	end := civil{to, s.to.month, s.to.dom}
	end.dom = min(end.dom, monthLength(end))
	last := dayOf(end.year, time.Month(end.month), end.dom)
	for d := dayOf(from, time.Month(s.from.month), s.from.dom); d <= last; d++ {
		days.add(d, "")
	}
}

// String returns s as it is written.
func (s span) String() string {
	if s.from == s.to {
		return s.from.String()
	}
	return s.from.String() + ".." + s.to.String()
}

// parseRange reads an item. The fault has no Op and no Input, and a Hint only
// where suggest would not know a better one.
func parseRange(text string) (span, *Error) {
	if len(text) > maxItem {
		return span{}, &Error{Text: fmt.Sprintf("longer than %d characters", maxItem), Hint: dateHint}
	}
	left, right, two := strings.Cut(text, "..")
	from, fault := parseCivil(left, 1)
	if fault != nil || !two {
		return span{from, from}, fault
	}
	at := len(left) + len("..") + 1
	to, fault := parseCivil(right, at)
	if fault != nil {
		return span{}, fault
	}
	return span{from, to}, mismatch(from, to, at)
}

// mismatch says what keeps two good dates from being the ends of a range.
func mismatch(from, to civil, at int) *Error {
	switch {
	case from.every() != to.every():
		return &Error{Col: at, Text: "one end has a year and the other has none", Hint: withYears(from, to)}
	case !from.every() && from.rank() > to.rank():
		return &Error{Col: at, Text: fmt.Sprintf("%s is before %s", to, from), Hint: "write " + span{to, from}.String()}
	}
	return nil
}

// withYears completes a range of which one end has a year: a later end takes
// the first date after the earlier one, and the other way round.
func withYears(from, to civil) string {
	switch {
	case from.every():
		if from.year = to.year; from.rank() > to.rank() {
			from.year--
		}
	default:
		if to.year = from.year; from.rank() > to.rank() {
			to.year++
		}
	}
	if s := (span{from, to}).String(); readable(s) {
		return "write " + s
	}
	return dateHint
}

// parseCivil reads one date that begins in column at.
func parseCivil(text string, at int) (civil, *Error) {
	m := dateForm.FindStringSubmatch(text)
	if m == nil {
		return civil{}, &Error{Col: at, Text: misshapen(text)}
	}
	c := civil{number(m[1]), number(m[2]), number(m[3])}
	month := at + len(text) - len("12-24")
	switch {
	case m[1] != "" && (c.year < FirstYear || c.year > LastYear):
		return c, &Error{Col: at, Text: fmt.Sprintf("the year %s is outside %d to %d", m[1], FirstYear, LastYear), Hint: dateHint}
	case c.month < 1 || c.month > 12:
		return c, &Error{Col: month, Text: fmt.Sprintf("there is no month %s", m[2])}
	case c.dom < 1 || c.dom > monthLength(c):
		return c, &Error{Col: month + len("12-"), Text: tooLong(c), Hint: fmt.Sprintf("write a day from 01 to %d", monthLength(c))}
	}
	return c, nil
}

// monthLength returns the number of days of c's month; a February without a
// year has 29.
func monthLength(c civil) int {
	year := c.year
	if c.every() {
		year = FirstYear
	}
	return dayOf(year, time.Month(c.month)+1, 0).date().Day
}

// tooLong says how many days c's month has.
func tooLong(c civil) string {
	month := time.Month(c.month).String()
	if c.month == int(time.February) && !c.every() {
		month = fmt.Sprintf("%s %d", month, c.year)
	}
	return fmt.Sprintf("%s has %d days", month, monthLength(c))
}

// number reads digits that a regexp has counted; none are 0.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// readable reports whether ParseDates takes text.
func readable(text string) bool {
	_, fault := parseRange(text)
	return fault == nil
}

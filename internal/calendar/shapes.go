package calendar

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// dateHint shows the four forms.
const dateHint = "write 2026-12-24, 2026-12-28..2027-01-03, or for every year 12-24, 12-28..01-03"

// A shape is another way in which people write dates.
type shape struct {
	form *regexp.Regexp
	text string                  // what it is
	iso  func(m []string) string // the same as an item of dates:; "" where that would be a guess
}

// shapes are tried in order, so that what has one meaning is taken for that
// before the next one can match: 2026-24-12 for a day before its month, and only
// 2026-1-5 for digits that are missing. Slashes stay a guess: 01/02 is in January
// in one country and in February in the next.
var shapes = []shape{
	{regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ][0-9:]+(?:\.[0-9]+)?(?:[Zz]|[+-][0-9:]+)?$`), "a date with a time of day, and only whole days count",
		func(m []string) string { return m[1] }},
	{regexp.MustCompile(`^([0-9]{1,2})\. ?([0-9]{1,2})\.?$`), "a date with dots",
		func(m []string) string { return padded("", m[2], m[1]) }},
	{regexp.MustCompile(`^([0-9]{1,2})\. ?([0-9]{1,2})\. ?((?:[0-9]{2})?[0-9]{2})$`), "a date with dots",
		func(m []string) string { return padded(m[3], m[2], m[1]) }},
	{regexp.MustCompile(`^([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})$`), "a date without hyphens",
		func(m []string) string { return padded(m[1], m[2], m[3]) }},
	{regexp.MustCompile(`^([0-9]{1,2})/([0-9]{1,2})(?:/[0-9]{2,4})?$`), "a date with slashes, which half of the world reads the other way round",
		func([]string) string { return "" }},
	{regexp.MustCompile(`^([0-9]{4})([0-9]{2})([0-9]{2})$`), "a date without hyphens",
		func(m []string) string { return padded(m[1], m[2], m[3]) }},
	{regexp.MustCompile(`^([0-9]{2})-([0-9]{1,2})-([0-9]{1,2})$`), "a date with a year of two digits",
		func([]string) string { return "" }},
	{regexp.MustCompile(`^([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})$`), "a date with its year at the end",
		func([]string) string { return "" }},
	{regexp.MustCompile(`^([0-9]{4})-([0-9]{2})-([0-9]{2})$`), "a date with the day before the month",
		func(m []string) string { return padded(m[1], m[3], m[2]) }},
	{regexp.MustCompile(`^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$`), "a date with a single digit for month or day",
		func(m []string) string { return padded(m[1], m[2], m[3]) }},
	{regexp.MustCompile(`^([0-9]{2})-([0-9]{2})$`), "a date with the day before the month",
		func(m []string) string { return padded("", m[2], m[1]) }},
	{regexp.MustCompile(`^([0-9]{1,2})-([0-9]{1,2})$`), "a date with a single digit for month or day",
		func(m []string) string { return padded("", m[1], m[2]) }},
	{regexp.MustCompile(`^([0-9]{4})-?[Ww]([0-9]{1,2})(?:-?[1-7])?$`), "a week, not a date",
		func(m []string) string { return week(number(m[1]), number(m[2])) }},
	{regexp.MustCompile(`^([0-9]{4})-([0-9]{2})$`), "a month, not a date",
		func(m []string) string { return month(number(m[1]), number(m[2])) }},
	{regexp.MustCompile(`^([0-9]{4})-?[0-9]{3}$`), "a day of the year",
		func([]string) string { return "" }},
	{regexp.MustCompile(`^([0-9]{4})$`), "a year, not a date",
		func(m []string) string { return m[1] + "-01-01.." + m[1] + "-12-31" }},
}

// separator is what people put between the ends of a range. A hyphen may stand
// inside a date as well, so every place that matches is tried.
var separator = regexp.MustCompile(` *(?:\.{2,}|…|–|—|-|/| to | bis | until ) *`)

// padded joins the parts of a date; a year of two digits is one of 2000 to 2099.
func padded(year, month, dom string) string {
	c := civil{number(year), number(month), number(dom)}
	if len(year) == 2 {
		c.year += 2000
	}
	return c.String()
}

// week returns Monday to Sunday of a week as ISO 8601 counts them.
func week(year, n int) string {
	fourth := dayOf(year, time.January, 4) // lies in week 1
	monday := fourth - day((int(fourth.midnight().Weekday())+6)%7) + day(7*(n-1))
	if y, w := monday.midnight().ISOWeek(); y != year || w != n {
		return ""
	}
	return monday.String() + ".." + (monday + 6).String()
}

// month returns the first to the last day of a month.
func month(year, n int) string {
	c := civil{year, n, 1}
	if n < 1 || n > 12 {
		return ""
	}
	return span{c, civil{year, n, monthLength(c)}}.String()
}

// misshapen says what text is instead of a date.
func misshapen(text string) string {
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "":
		return "a date is missing here"
	case trimmed != text:
		return fmt.Sprintf("there are blanks around %q", clip(trimmed, maxItem))
	}
	for _, s := range shapes {
		if s.form.MatchString(text) {
			return fmt.Sprintf("%q is %s", text, s.text)
		}
	}
	return fmt.Sprintf("%q is not a date", clip(text, maxItem))
}

// suggest returns what to write instead of text: the same in a form that is
// read, where there is no doubt about it, else all the forms.
func suggest(text string) string {
	text = strings.TrimSpace(text)
	if fixed := rewrite(text); readable(fixed) {
		return "write " + fixed
	}
	for _, at := range separator.FindAllStringIndex(text, -1) {
		fixed := joined(rewrite(text[:at[0]]), rewrite(text[at[1]:]))
		if readable(fixed) {
			return "write " + fixed
		}
	}
	return dateHint
}

// rewrite returns one date in a form that is read, or "".
func rewrite(text string) string {
	text = strings.TrimSpace(text)
	if readable(text) {
		return text
	}
	for _, s := range shapes {
		if m := s.form.FindStringSubmatch(text); m != nil {
			if fixed := s.iso(m); readable(fixed) {
				return fixed
			}
		}
	}
	return ""
}

// joined makes one range of two dates, each of which may be a range already.
func joined(left, right string) string {
	from, _, _ := strings.Cut(left, "..")
	_, to, two := strings.Cut(right, "..")
	if !two {
		to = right
	}
	return from + ".." + to
}

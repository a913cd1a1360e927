package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/policy"

	"github.com/rickar/cal/v2"
)

// A Country is one whose public holidays are known.
type Country struct {
	Code    string   // ISO 3166-1, two capitals
	Name    string   // in English
	Regions []Region // that have lists of their own, by code; nil where there are none
	Whole   bool     // there is a list for the country without a region
}

// A Region is a part of a country with holidays of its own.
type Region struct {
	Code string // the second part of its ISO 3166-2 code, such as BE of DE-BE
	Name string // as it is called there
}

// country is a Country with its lists.
type country struct {
	code, name string
	whole      []*cal.Holiday // nil: there is none
	regions    []region
}

type region struct {
	code, name string
	list       []*cal.Holiday
}

// Countries returns the countries that Holidays knows, by code.
func Countries() []Country {
	all := make([]Country, len(countries))
	for i, c := range countries {
		all[i] = Country{Code: c.code, Name: c.name, Whole: c.whole != nil}
		for _, r := range c.regions {
			all[i].Regions = append(all[i].Regions, Region{r.code, r.name})
		}
	}
	return all
}

// Holidays returns the public holidays of a country (an ISO 3166-1 code such as
// "DE", in any case), or of one of its regions ("BE" or "DE-BE"; "" for the
// country as a whole), from FirstYear to LastYear in order. They are those of
// github.com/rickar/cal, with its names, in every year as its tables have them:
// a law that is yet to come is not in them, and now and then a table is wrong or
// lacks a day, so look at the days before you rely on them. A holiday that is
// moved off a weekend counts on both days. An error is an *Error that lists what there is,
// the likeliest first.
func Holidays(country, region string) ([]policy.Day, error) {
	list, fault := holidaysOf(strings.ToUpper(country), strings.ToUpper(region))
	if fault != nil {
		fault.Op, fault.Input = "find holidays", strings.Trim(country+" "+region, " ")
		return nil, fault
	}
	actual, both := sheet{}, sheet{}
	for _, h := range list {
		for year := FirstYear - 1; year <= LastYear+1; year++ {
			if act, obs, ok := onDays(h, year); ok {
				actual.add(act, h.Name)
				both.add(obs, h.Name)
			}
		}
	}
	for d, name := range actual { // what is celebrated names the day, not what was moved onto it
		both[d] = name
	}
	return both.days(), nil
}

// onDays returns the day of h in a year and the day on which it is observed, or
// false where it does not exist in that year.
//
// The library works with local midnights of the machine's zone. One that the
// clocks skip it takes for 23:00 of the day before; half a day later leads to
// the date that was meant. The weekday that moves h is looked at here for the
// same reason. The copy keeps the library's own, which some of its functions
// write to, as it is.
func onDays(h *cal.Holiday, year int) (actual, observed day, ok bool) {
	plain := *h
	plain.Observed = nil
	t, _ := plain.Calc(year)
	if t.IsZero() {
		return 0, 0, false
	}
	actual = dayAt(t.Add(12 * time.Hour))
	for _, alt := range h.Observed {
		if alt.Day == actual.midnight().Weekday() {
			return actual, actual + day(alt.Offset), true
		}
	}
	return actual, actual, true
}

// holidaysOf finds the list of two codes in capitals.
func holidaysOf(code, part string) ([]*cal.Holiday, *Error) {
	i := slices.IndexFunc(countries, func(c country) bool { return c.code == code })
	if i < 0 {
		return nil, unknownCountry(code)
	}
	c := countries[i]
	part = strings.TrimPrefix(part, code+"-")
	if part == "" {
		if c.whole == nil {
			return nil, c.unknownRegion("")
		}
		return c.whole, nil
	}
	for _, r := range c.regions {
		if r.code == part {
			return r.list, nil
		}
	}
	return nil, c.unknownRegion(part)
}

// ownFile is what to do about holidays that are not known.
const ownFile = "or give an iCalendar file instead, {ical: FILE.ics}"

// unknownCountry says which countries there are.
func unknownCountry(code string) *Error {
	text := fmt.Sprintf("the holidays of a country %q are not known here", clip(code, maxName))
	if code == "" {
		text = "no country is named"
	}
	words := make([]word, len(countries))
	for i, c := range countries {
		words[i] = word{c.code, c.name}
	}
	return &Error{Text: text, Hint: "write " + choices(code, words, 3) + ", " + ownFile}
}

// unknownRegion says which regions there are.
func (c *country) unknownRegion(part string) *Error {
	e := &Error{Text: fmt.Sprintf("a region %q of %s is not known here", clip(part, maxName), c.name)}
	switch {
	case part == "":
		e.Text = c.name + " has no holidays here without a region"
	case len(c.regions) == 0:
		e.Hint = "leave the region out, " + ownFile
		return e
	}
	words := make([]word, len(c.regions))
	for i, r := range c.regions {
		words[i] = word{r.code, r.name}
	}
	e.Hint = "write " + choices(part, words, len(words)) + ", " + ownFile
	return e
}

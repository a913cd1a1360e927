package config

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"curfew/internal/calendar"
	"curfew/policy"

	"gopkg.in/yaml.v3"
)

// The limits of what a file may say of days. They bound the time to read it, and
// leave room for whatever somebody may mean.
const (
	maxCalendars = 100     // of a file
	maxICals     = 100     // iCalendar files of a file, each counted once
	maxDates     = 1_000   // items of dates: of a calendar
	maxDays      = 100_000 // that these items are, some of them again and again
	maxExcept    = 20      // calendars that a policy names

	// maxFolded is how many dates all policies may name, of which those with the
	// same except: count once. A country has a thousand or two.
	maxFolded = 5_000_000
)

// A Calendar is one of the calendars: of the file, with its dates written out.
type Calendar struct {
	Name   string
	Pos    policy.Pos       // of its name
	Days   *policy.Calendar // never nil: what is broken takes away its own dates alone
	Broken string           // why an iCalendar file of it gives no dates, for a person; empty where all do
	Files  []string         // its iCalendar files, as paths of the process
	Source CalendarSource

	// LastICal is the last date that its iCalendar files give: behind it
	// somebody has to bring newer ones. It is zero where no file gives any.
	LastICal policy.Date
}

// CalendarSource says what keeps a calendar's dates coming. The values combine
// as bits; zero is a calendar that has the dates of the file alone, and ends
// where somebody meant it to.
type CalendarSource uint8

// The sources.
const (
	FromICal    CalendarSource = 1 << iota // files that somebody has to renew: see Calendar.LastICal
	FromCountry                            // public holidays, which go on to calendar.LastYear
)

// calendars reads all of them.
func (r *reader) calendars(n *node, c *Config) {
	if n == nil {
		return
	}
	r.in("calendars", func() {
		r.entries(n, "calendars", "a name and its dates below: holidays: {country: DE}", func(key, value *node) {
			c.Calendars = append(c.Calendars, r.calendar(key, value, len(c.Calendars)))
		})
	})
	r.someLost = !isNull(n) && n.Kind != yaml.MappingNode || lost(n, c.Calendars)
	for _, path := range slices.Sorted(maps.Keys(r.icals)) {
		c.icals = append(c.icals, r.icals[path].file)
	}
}

// lost reports whether a mapping has a key that is none of the calendars.
func lost(n *node, calendars []Calendar) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if !slices.ContainsFunc(calendars, func(c Calendar) bool { return c.Name == n.Content[i].Value }) {
			return true
		}
	}
	return false
}

// calendar reads one calendar, before which there are so many. One too many is
// a calendar all the same, so that who names it need not be told.
func (r *reader) calendar(key, n *node, before int) Calendar {
	cal := Calendar{Name: key.Value, Pos: r.inner(key)}
	if !nameable(cal.Name) {
		r.fail(key, nameHint, "%s cannot be a calendar's name", quote(cal.Name))
		r.named[cal.Name] = true // nobody can name it, and that follows
	}
	if before == maxCalendars {
		r.fail(key, "one calendar can hold the dates of many", "a file has at most %d calendars", maxCalendars)
	}
	var days []policy.Day
	if before < maxCalendars {
		days = r.sources(n, &cal)
	}
	cal.Days = policy.NewCalendar(cal.Name, days)
	return cal
}

// sources reads what a calendar is made of. The dates that have a name come
// first, so that the days have it.
func (r *reader) sources(n *node, cal *Calendar) []policy.Day {
	const example = "{dates: [12-24, 2026-12-28..2027-01-03]}, {ical: FILE.ics} or {country: DE}"
	var dates, files []policy.Day
	var country, region *node
	said := r.short(n, "a calendar", example,
		field{name: "dates", read: r.dates(&dates)},
		field{name: "ical", read: func(n *node) { files = r.icalFiles(n, cal) }},
		field{name: "country", read: func(n *node) { country = n }},
		field{name: "region", read: func(n *node) { region = n }},
	)
	if !said || n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.fail(n, "write "+example, "a calendar needs dates, ical or country")
	}
	return slices.Concat(files, r.publicHolidays(country, region, cal), dates)
}

// dates reads dates and ranges, one or a list.
func (r *reader) dates(dst *[]policy.Day) func(*node) {
	return func(n *node) {
		if len(n.Content) > maxDates {
			r.fail(n.Content[maxDates], "write ranges, or put them into an iCalendar file", "a calendar has at most %d dates", maxDates)
			return
		}
		full := false
		r.items(n, func(n *node) {
			s, ok := r.text(n, "a date")
			if !ok || full {
				return
			}
			days, err := calendar.ParseDates(s)
			r.fault(n, err)
			*dst = append(*dst, days...)
			if full = len(*dst) > maxDays; full {
				r.fail(n, "are some there again and again?", "the dates are more than %d days together", maxDays)
			}
		})
	}
}

// fault reports why package calendar refused the text of n, at the place in it
// that it names.
func (r *reader) fault(n *node, err error) {
	fault := new(calendar.Error)
	if !errors.As(err, &fault) {
		return
	}
	at := *n
	if fault.Col > 0 {
		at.Column = r.inner(n).Col + utf8.RuneCountInString(n.Value[:min(fault.Col-1, len(n.Value))])
	}
	r.fail(&at, fault.Hint, "%s", fault.Text)
}

// publicHolidays reads the days of a country, or of one of its regions.
func (r *reader) publicHolidays(country, region *node, cal *Calendar) []policy.Day {
	if country == nil {
		if region != nil {
			r.in("region", func() { r.fail(region, "add country: DE", "a region needs its country") })
		}
		return nil
	}
	cal.Source |= FromCountry
	key, good := [2]string{}, true
	at, place := country, "country"
	r.in("country", func() { key[0], good = r.text(country, "a country's code, such as DE") })
	if region != nil {
		r.in("region", func() {
			var ok bool
			key[1], ok = r.text(region, "a region's code, such as BE")
			good = good && ok
		})
		if knownCountry(key[0]) {
			at, place = region, "region"
		}
	}
	if !good {
		return nil
	}
	days, known := r.holidays[key]
	if !known {
		var err error
		days, err = calendar.Holidays(key[0], key[1])
		r.in(place, func() { r.fault(at, err) })
		if err == nil {
			r.holidays[key] = days
		}
	}
	return days
}

func knownCountry(code string) bool {
	return slices.ContainsFunc(calendar.Countries(), func(c calendar.Country) bool { return strings.EqualFold(c.Code, code) })
}

// Package calendar turns what a person writes under calendars: into the days of
// a policy.Calendar: dates and ranges, iCalendar files, public holidays.
//
// It decides which local dates a text names. What such a date does to a policy
// is said by its except: and decided in package policy. It opens no file and
// reads no clock: internal/config finds the file and hands over its bytes.
//
//	days, err := calendar.ParseDates("12-28..01-03")            // every year, across New Year
//	days, notices, err := calendar.ParseICal("de-BE.ics", text) // RFC 5545
//	days, err := calendar.Holidays("DE", "BE")                  // from github.com/rickar/cal
//	c := policy.NewCalendar("holidays", days)
//
// Everything that repeats is written out, date by date, for the years FirstYear
// to LastYear and never from "now" on. The same text so gives the same dates on
// every day of every year, and with them the same fingerprint: New Year alone
// changes no rule.
//
// Of an iCalendar file whole days count: all-day events, and events from
// midnight to midnight in their own zone, which is how Outlook writes them. An
// event with a time of day is left out. A whole day needs no zone, it is the
// date as written; so TZID may say "W. Europe Standard Time" or anything else,
// and no zone data is read. Only where a UTC time stands for a day (UNTIL,
// EXDATE and the like) is the file's own VTIMEZONE asked, for its offsets.
//
// A file comes from outside, so every size in it has a limit, and the time to
// read the worst one is bounded: lines, nesting, events, spans, values in a
// rule, the work of all rules together. Where a limit or a part that is not
// understood takes something away, a Notice says what and where, and the rest
// of the file counts. It is an error only where nothing can be read at all. An
// event whose rule is refused is left out whole: some of its dates would be a
// guess, and a missing day off costs money, not a missed stop.
//
// Two libraries read for it. golang-ical's ParseProperty takes a content line
// apart; the lines and components around it are read here, because that
// library's ParseCalendar gives up on a file at its first odd line and knows no
// line numbers. rrule-go walks the rules, under a limit: see search in rule.go.
package calendar

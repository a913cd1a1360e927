package calendar

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"curfew/policy"

	"github.com/google/go-cmp/cmp"
)

// FuzzDates feeds anything: it is refused with a place in it and with what to
// write, which is then read; or it gives days in order.
func FuzzDates(f *testing.F) {
	for _, text := range []string{
		"2026-12-24", "12-24", "02-29", "2026-12-28..2027-01-03", "12-28..01-03", "24.12.", "24.12.26 bis 1.1.27", "2026-W53",
		"2026-02", "2026", "2026-1-5", "2026/12/24", "12/24", "20261224", "2026-12-24T00:00Z", "2026-12-28 - 2027-01-03",
		"2027-01-03..2026-12-28", "2026-06-31", "..", "", "99-99", "0000-00-00", "2100-01-01", "Dec 24", "\xff..\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		days, err := ParseDates(text)
		if err == nil {
			if len(days) == 0 {
				t.Fatalf("%q: no days and no error", text)
			}
			checkDays(t, days)
			return
		}
		fault, ok := err.(*Error)
		if !ok || days != nil {
			t.Fatalf("%q: %d days, %#v", text, len(days), err)
		}
		if fault.Text == "" || fault.Hint == "" || fault.Col < 0 || fault.Col > len(text)+1 {
			t.Fatalf("%q: %#v", text, fault)
		}
		if fixed, ok := strings.CutPrefix(fault.Hint, "write 2"); ok && fault.Hint != dateHint && !readable("2"+fixed) {
			t.Fatalf("%q: the hint is %q", text, fault.Hint)
		}
		checkLine(t, err.Error())
	})
}

// FuzzICal feeds anything: it must end, give days in order inside the years,
// names and notices of one line, lines that exist, and the same the second time.
func FuzzICal(f *testing.F) {
	for _, a := range stories(f) {
		f.Add(section(f, a, "in.ics"))
	}
	f.Add([]byte("<html>"))
	f.Add([]byte("BEGIN:VCALENDAR\rBEGIN:VEVENT\rDTSTART;X=\"a:b\";TZID=\\\";A=b:20260101T000000Z\rDURATION:P1D\rEND:VEVENT"))
	for _, rule := range []string{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=-5SU,5MO;BYSETPOS=-1", "FREQ=YEARLY;BYWEEKNO=20;WKST=SU;BYYEARDAY=-1"} {
		f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:16000229\nRRULE:" + rule + "\nEND:VEVENT\nEND:VCALENDAR"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		days, notices, err := ParseICal("x.ics", text)
		again, others, _ := ParseICal("x.ics", text)
		if !slices.Equal(days, again) || !slices.Equal(notices, others) {
			t.Fatalf("the second time:\n%s%s", cmp.Diff(days, again), cmp.Diff(notices, others))
		}
		rows := 1 + strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text)), "\n")
		if err != nil {
			fault, ok := err.(*Error)
			if !ok || days != nil || notices != nil || fault.Hint == "" || fault.Line < 0 || fault.Line > rows {
				t.Fatalf("%d days, %#v", len(days), err)
			}
			checkLine(t, err.Error())
			return
		}
		checkDays(t, days)
		for _, n := range notices {
			if n.Line < 1 || n.Line > rows || n.Text == "" {
				t.Fatalf("line %d of %d: %q", n.Line, rows, n.Text)
			}
			checkLine(t, n.Text)
		}
	})
}

// checkDays asks for days in order, each once, inside the years.
func checkDays(t *testing.T, days []policy.Day) {
	t.Helper()
	last := firstDay - 1
	for _, d := range days {
		at := civilDay(d)
		if at <= last || at > lastDay || at.date() != d.Date {
			t.Fatalf("%s after %s", d.Date, last)
		}
		if utf8.RuneCountInString(d.Name) > maxName {
			t.Fatalf("%s is called %q", d.Date, d.Name)
		}
		checkLine(t, d.Name)
		last = at
	}
}

// checkLine asks for one line of text that a terminal can be shown.
func checkLine(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		t.Fatalf("not one line of plain text: %q", text)
	}
}

package calendar

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		days  int
		first string
		last  string
	}{
		{"2026-12-24", 1, "2026-12-24", "2026-12-24"},
		{"2000-01-01", 1, "2000-01-01", "2000-01-01"},
		{"2099-12-31", 1, "2099-12-31", "2099-12-31"},
		{"2028-02-29", 1, "2028-02-29", "2028-02-29"},
		{"2026-12-28..2027-01-03", 7, "2026-12-28", "2027-01-03"},
		{"2026-12-28..2026-12-28", 1, "2026-12-28", "2026-12-28"},
		{"2000-01-01..2099-12-31", 36525, "2000-01-01", "2099-12-31"},
		{"12-24", 100, "2000-12-24", "2099-12-24"},
		{"02-29", 25, "2000-02-29", "2096-02-29"}, // 2000 is a leap year, 2100 would be none
		{"12-24..12-26", 300, "2000-12-24", "2099-12-26"},
		{"12-28..01-03", 700, "2000-01-01", "2099-12-31"}, // 2000 begins inside, 2099 ends inside
		{"02-28..03-01", 225, "2000-02-28", "2099-03-01"},
		{"01-01..12-31", 36525, "2000-01-01", "2099-12-31"},
		{"03-01..02-28", 36500, "2000-01-01", "2099-12-31"}, // all but the 29ths
	} {
		days, err := ParseDates(c.text)
		if err != nil || len(days) != c.days {
			t.Errorf("%s: got %d days, %v, want %d", c.text, len(days), err, c.days)
			continue
		}
		if first, last := days[0].Date.String(), days[len(days)-1].Date.String(); first != c.first || last != c.last {
			t.Errorf("%s: got %s to %s, want %s to %s", c.text, first, last, c.first, c.last)
		}
	}
}

// TestParseDatesRefuses asks for the place, what is wrong, and what to write
// instead: where that is a date, the hint must be right.
func TestParseDatesRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		col   int
		want  string
		write string // the date in the hint; "" where it would be a guess
	}{
		{"2026-06-31", 9, "June has 30 days", ""},
		{"02-30", 4, "February has 29 days", ""},
		{"2027-02-29", 9, "February 2027 has 28 days", ""},
		{"2026-12-24..2026-12-00", 21, "December has 31 days", ""},
		{"2026-13-01", 6, "there is no month 13", "2026-01-13"},
		{"24-12", 1, "there is no month 24", "12-24"},
		{"2026-32-32", 6, "there is no month 32", ""},
		{"2027-01-03..2026-12-28", 13, "2026-12-28 is before 2027-01-03", "2026-12-28..2027-01-03"},
		{"2026-12-28..01-03", 13, "one end has a year", "2026-12-28..2027-01-03"},
		{"12-28..2027-01-03", 8, "one end has a year", "2026-12-28..2027-01-03"},
		{"2099-12-28..01-03", 13, "one end has a year", ""},
		{"1999-12-31", 1, "the year 1999 is outside 2000 to 2099", ""},
		{"2026-12-24..2100-01-01", 13, "the year 2100 is outside 2000 to 2099", ""},
		{"24.12.", 1, `"24.12." is a date with dots`, "12-24"},
		{"24. 12. 2026", 1, `"24. 12. 2026" is a date with dots`, "2026-12-24"},
		{"1.5.26", 1, `"1.5.26" is a date with dots`, "2026-05-01"},
		{"2026/12/24", 1, `"2026/12/24" is a date without hyphens`, "2026-12-24"},
		{"20261224", 1, `"20261224" is a date without hyphens`, "2026-12-24"},
		{"12/24/2026", 1, `"12/24/2026" is a date with slashes`, ""},
		{"01/02", 1, `"01/02" is a date with slashes`, ""},
		{"26-12-24", 1, `"26-12-24" is a date with a year of two digits`, ""},
		{"24-12-2026", 1, `"24-12-2026" is a date with its year at the end`, ""},
		{"2026-1-5", 1, `"2026-1-5" is a date with a single digit`, "2026-01-05"},
		{"1-5", 1, `"1-5" is a date with a single digit`, "01-05"},
		{"2026-12-24T00:00:00Z", 1, `"2026-12-24T00:00:00Z" is a date with a time of day`, "2026-12-24"},
		{"2026-W53", 1, `"2026-W53" is a week`, "2026-12-28..2027-01-03"},
		{"2027-W01-1", 1, `"2027-W01-1" is a week`, "2027-01-04..2027-01-10"},
		{"2027-W53", 1, `"2027-W53" is a week`, ""},
		{"2028-02", 1, `"2028-02" is a month`, "2028-02-01..2028-02-29"},
		{"2026", 1, `"2026" is a year`, "2026-01-01..2026-12-31"},
		{"2026-358", 1, `"2026-358" is a day of the year`, ""},
		{"2026-12-28 .. 2027-01-03", 1, "there are blanks around", "2026-12-28..2027-01-03"},
		{" 12-24", 1, "there are blanks around", "12-24"},
		{"2026-12-28 - 2027-01-03", 1, "", "2026-12-28..2027-01-03"},
		{"2026-12-28-2027-01-03", 1, "", "2026-12-28..2027-01-03"},
		{"2026-12-28...2027-01-03", 13, "", "2026-12-28..2027-01-03"},
		{"2026-12-28/2027-01-03", 1, "", "2026-12-28..2027-01-03"},
		{"24.12.–26.12.", 1, "", "12-24..12-26"},
		{"24.12. bis 2.1.", 1, "", "12-24..01-02"},
		{"2026-W52..2026-W53", 1, "is a week", "2026-12-21..2027-01-03"},
		{"", 1, "a date is missing here", ""},
		{"..2026-12-24", 1, "a date is missing here", ""},
		{"2026-12-24..", 13, "a date is missing here", ""},
		{"Dec 24", 1, `"Dec 24" is not a date`, ""},
		{"٢٠٢٦-١٢-٢٤", 1, "is not a date", ""},
		{"2026-12-24\n", 1, "there are blanks around", "2026-12-24"},
		{strings.Repeat("2", 65), 0, "longer than 64 characters", ""},
	} {
		days, err := ParseDates(c.text)
		var fault *Error
		if !errors.As(err, &fault) || days != nil {
			t.Errorf("%q: got %d days, %v, want an *Error", c.text, len(days), err)
			continue
		}
		if fault.Col != c.col || !strings.Contains(fault.Text, c.want) || fault.Input != c.text {
			t.Errorf("%q: got column %d, %q, want %d, %q", c.text, fault.Col, fault.Text, c.col, c.want)
		}
		if got := written(fault.Hint); got != c.write {
			t.Errorf("%q: the hint is %q, want %q in it", c.text, fault.Hint, c.write)
		}
	}
}

// written returns the one date that a hint says to write, or "".
func written(hint string) string {
	if text, ok := strings.CutPrefix(hint, "write "); ok && readable(text) {
		return text
	}
	return ""
}

// TestErrorText shows the whole sentence.
func TestErrorText(t *testing.T) {
	t.Parallel()
	_, err := ParseDates("2026-12-24..24.12.")
	want := `read date "2026-12-24..24.12.": column 13: "24.12." is a date with dots (` + dateHint + `)`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	_, _, err = ParseICal("de-BE.ics", []byte("<html>"))
	if want := `read calendar "de-BE.ics": line 1: a web page or XML, not an iCalendar file`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v\nwant %s…", err, want)
	}
}

// TestDatesAreWhatTheySay writes random items and counts their days in another
// way: by asking days of all the hundred years, every seventh of them.
func TestDatesAreWhatTheySay(t *testing.T) {
	t.Parallel()
	inYear := func(d day) int { return int(d.date().Month)*100 + d.date().Day }
	rapid.Check(t, func(t *rapid.T) {
		from, to := aDay(t, "from"), aDay(t, "to")
		text, inside := from.String()+".."+to.String(), func(d day) bool { return from <= d && d <= to }
		if rapid.Bool().Draw(t, "yearly") {
			a, b := inYear(from), inYear(to)
			text, inside = from.String()[5:]+".."+to.String()[5:], func(d day) bool {
				if a <= b {
					return a <= inYear(d) && inYear(d) <= b
				}
				return inYear(d) >= a || inYear(d) <= b
			}
		} else if from > to {
			t.Skip("backwards")
		}
		days, err := ParseDates(text)
		if err != nil {
			t.Fatal(err)
		}
		got := map[day]bool{}
		for _, d := range days {
			got[civilDay(d)] = true
		}
		for d := firstDay + day(rapid.IntRange(0, 6).Draw(t, "weekday")); d <= lastDay; d += 7 {
			if got[d] != inside(d) {
				t.Fatalf("%s has %s: %v", text, d, got[d])
			}
		}
	})
}

func aDay(t *rapid.T, label string) day {
	return day(rapid.IntRange(int(firstDay), int(lastDay)).Draw(t, label))
}

// TestDays holds the constants to what they stand for.
func TestDays(t *testing.T) {
	t.Parallel()
	for d, want := range map[day]string{
		firstDay:                 fmt.Sprintf("%d-01-01", FirstYear),
		lastDay:                  fmt.Sprintf("%d-12-31", LastYear),
		firstDay + fourCenturies: fmt.Sprintf("%d-01-01", FirstYear+400),
		0:                        "1970-01-01",
		-1:                       "1969-12-31",
		-135140:                  "1600-01-01",
	} {
		if got := d.String(); got != want {
			t.Errorf("day %d is %s, want %s", int(d), got, want)
		}
		if got := dayAt(d.midnight()); got != d {
			t.Errorf("the day of the midnight of %d is %d", int(d), int(got))
		}
	}
	if fourCenturies%7 != 0 {
		t.Error("four centuries are no whole weeks")
	}
}

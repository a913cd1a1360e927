package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestWindows lists what may be written: the days on which a window begins, its
// begin, and its end, counted from the midnight before the begin.
func TestWindows(t *testing.T) {
	t.Parallel()
	const daily = "Sun Mon Tue Wed Thu Fri Sat"
	for _, c := range []struct{ expr, days, begin, end string }{
		{"08:00-20:00", daily, "8h", "20h"},
		{"8:00-9:05", daily, "8h", "9h5m"},
		{"00:00-24:00", daily, "0s", "24h"},
		{"23:59-24:00", daily, "23h59m", "24h"},
		{"20:00-00:00", daily, "20h", "24h"},
		{"22:00-02:00", daily, "22h", "26h"},
		{"Mon-Fri 08:00-20:00", "Mon Tue Wed Thu Fri", "8h", "20h"},
		{"monday-FRIDAY 08:00-20:00", "Mon Tue Wed Thu Fri", "8h", "20h"},
		{"Mon - Fri 08:00 - 20:00", "Mon Tue Wed Thu Fri", "8h", "20h"},
		{" \tMon-Fri\n08:00-20:00 ", "Mon Tue Wed Thu Fri", "8h", "20h"},
		{"Mon-Fri08:00-20:00", "Mon Tue Wed Thu Fri", "8h", "20h"},
		{"Tue,Thu 08:00-20:00", "Tue Thu", "8h", "20h"},
		{"Tue , Thursday 08:00-20:00", "Tue Thu", "8h", "20h"},
		{"Thu,Tue,Thu 08:00-20:00", "Tue Thu", "8h", "20h"},
		{"Sat-Mon 10:00-24:00", "Sun Mon Sat", "10h", "24h"},
		{"Sat-Mon,Wed-Thu 10:00-24:00", "Sun Mon Wed Thu Sat", "10h", "24h"},
		{"Mon-Sun 10:00-12:00", daily, "10h", "12h"},
		{"Fri-Thu 10:00-12:00", daily, "10h", "12h"},
		{"Wed-Wed 10:00-12:00", "Wed", "10h", "12h"},
		{"Sun 10:00-12:00", "Sun", "10h", "12h"},
		{"Tue 22:00-02:00", "Tue", "22h", "26h"},
		{"Mon 06:00-Fri 20:00", "Mon", "6h", "116h"},
		{"Mon 06:00 - Fri 20:00", "Mon", "6h", "116h"},
		{"Fri 20:00-Mon 06:00", "Fri", "20h", "78h"},
		{"Sun 20:00-Mon 06:00", "Sun", "20h", "30h"},
		{"Tue 22:00-Wed 02:00", "Tue", "22h", "26h"},
		{"Mon 08:00-Mon 20:00", "Mon", "8h", "20h"},
		{"Mon 08:00-Mon 07:00", "Mon", "8h", "175h"},
		{"Mon 08:00-Mon 24:00", "Mon", "8h", "24h"},
		{"Mon 00:00-Sun 24:00", "Mon", "0s", "168h"},
		{"Thu 00:00-Wed 24:00", "Thu", "0s", "168h"},
	} {
		w, err := parseWindow(c.expr)
		if err != nil {
			t.Errorf("%q: %v", c.expr, err)
			continue
		}
		var days []string
		for day, name := range dayNames() {
			if w.week>>day&1 == 1 {
				days = append(days, name[:3])
			}
		}
		got := fmt.Sprint(strings.Join(days, " "), ", ", time.Duration(w.begin)*time.Second, " to ", time.Duration(w.end)*time.Second)
		want := fmt.Sprint(c.days, ", ", must(time.ParseDuration(c.begin)), " to ", must(time.ParseDuration(c.end)))
		if got != want || w.closes != strings.Contains(c.expr, "24:00") {
			t.Errorf("%q\n got %s, closes its day: %t\nwant %s", c.expr, got, w.closes, want)
		}
	}
}

// TestWindowRefusals lists what is refused: where in it the mistake is, a piece
// of what is said, and a piece of the hint.
func TestWindowRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expr       string
		col        int
		text, hint string
	}{
		{"", 0, "empty", "Mon-Fri 08:00-20:00"},
		{" \n", 0, "empty", "two times"},
		{"Mon-Fri", 8, "a time is missing", "two times"},
		{"08:00", 6, "the end is missing", "two times"},
		{"08:00-", 7, "a time is missing", "two times"},
		{"-20:00", 1, "a time is missing", "two times"},
		{"Mon 08:00", 10, "the end is missing", ""},
		{"08:00-08:00", 1, "the same", "00:00-24:00"},
		{"Mon-Fri 00:00-00:00", 9, "the same", "00:00-24:00"},
		{"Mon 06:00-Mon 06:00", 5, "the same", "Mon 00:00-Sun 24:00"},
		{"24:00-08:00", 1, "begins at 24:00", "00:00 of the next day"},
		{"Mon 24:00-Tue 08:00", 5, "begins at 24:00", "00:00 of the next day"},
		{"08:00-24:30", 7, "24:30 is no time", "00:30"},
		{"08:00-25:00", 7, "hour 25", "24:00 ends the day"},
		{"99:00-20:00", 1, "hour 99", "24:00"},
		{"08:60-20:00", 1, "minute 60", ""},
		{"08:00:00-20:00", 1, "seconds", "08:00"},
		{"08:00-20:00:30", 7, "seconds", "08:00"},
		{"8-20", 1, `"8" is no time`, "as in 08:00"},
		{"0800-2000", 1, `"0800" is no time`, "as in 08:00"},
		{"8.00-20.00", 1, `"8.00" is no time`, "as in 08:00"},
		{"8:5-20:00", 1, `"8:5" is no time`, "as in 08:00"},
		{"008:00-20:00", 1, `"008:00" is no time`, ""},
		{"8:-20:00", 1, `"8:" is no time`, ""},
		{"8am-8pm", 2, `"am" has no place`, "8pm is 20:00"},
		{"08:00-8pm", 8, `"pm" has no place`, "8pm is 20:00"},
		{"8:00am-8:00pm", 5, `"am"`, "24 hours"},
		{"8:00 AM - 8:00 PM", 6, `"AM"`, "24 hours"},
		{"08:00-8:00pm", 11, `"pm"`, "24 hours"},
		{"08:00-pm", 7, `"pm"`, "24 hours"},
		{"08:00–20:00", 6, "'–' has no place", `a plain "-"`},
		{"Mon—Fri 08:00-20:00", 4, "'—' has no place", `a plain "-"`},
		{"08:00\u00a0-20:00", 6, "has no place", "two times"},
		{"08:00-20:00\x00", 12, "has no place", ""},
		{"08:00-\xff20:00", 7, "has no place", ""},
		{"08:00-12:00,13:00-17:00", 12, "one window", `["08:00-12:00", "13:00-17:00"]`},
		{"08:00-12:00; 13:00-17:00", 12, "has no place", `["08:00-12:00", "13:00-17:00"]`},
		{"08:00-12:00 13:00-17:00", 13, "nothing may follow", ""},
		{"08:00-20:00 Mon-Fri", 13, "nothing may follow", "Mon-Fri 08:00-20:00"},
		{"08:00-20:00-22:00", 12, "nothing may follow", ""},
		{"0 8 * * *", 5, "'*' has no place", "start: and stop:"},
		{"*/5", 1, "'*' has no place", "start: and stop:"},
		{"daily 08:00-20:00", 1, `"daily" is no day`, "no days at all"},
		{"weekdays 08:00-20:00", 1, `"weekdays" is no day`, "Mon-Fri"},
		{"Weekend 08:00-20:00", 1, `"Weekend" is no day`, "Sat,Sun"},
		{"Tues 08:00-20:00", 1, `"Tues" is no day`, "write Tue"},
		{"Mo-Fr 08:00-20:00", 1, `"Mo" is no day`, "write Mon"},
		{"Mon-Frei 08:00-20:00", 5, `"Frei" is no day`, "write Fri"},
		{"Do 08:00-20:00", 1, `"Do" is no day`, "Mon to Sun"},
		{"x 08:00-20:00", 1, `"x" is no day`, "Mon to Sun"},
		{"Mon to Fri 08:00-20:00", 5, `"to" stands where a time is due`, "two times"},
		{"pm 08:00-20:00", 1, `"pm" is no day`, "Mon to Sun"},
		{"08:00 to 20:00", 7, `"to" stands where a hyphen is due`, "two times"},
		{"08:00 20:00", 7, `"20:00" stands where a hyphen is due`, "two times"},
		{"Mon,,Fri 08:00-20:00", 5, "a day is missing", "Mon-Wed,Fri"},
		{"Mon, 08:00-20:00", 6, "a day is missing", "Mon-Wed,Fri"},
		{",Mon 08:00-20:00", 1, "a day is missing", "Mon-Wed,Fri"},
		{"Mon- 08:00-20:00", 6, "a day is missing", ""},
		{"Mon-", 5, "a day is missing", "two times"},
		{"Mon-Tue-Wed 08:00-20:00", 8, "a time is missing", ""},
		{"Mon,Tue 22:00-Wed 02:00", 15, "begins on one day", "Mon 06:00-Fri 20:00"},
		{"Mon-Tue 22:00-Wed 02:00", 15, "begins on one day", "Mon-Fri 08:00-20:00"},
		{"22:00-Wed 02:00", 7, "begins on one day", ""},
		{"Mon 22:00-Wed", 14, "a time is missing", ""},
		{"Mon 22:00-Wes 02:00", 11, `"Wes" is no day`, "write Wed"},
		{strings.Repeat("Mon,", 300) + "Tue 08:00-20:00", 0, "bytes long", ""},
	} {
		_, err := parseWindow(c.expr)
		var fault *ExprError
		if !errors.As(err, &fault) {
			t.Errorf("%q: %v, want an ExprError", c.expr, err)
			continue
		}
		if fault.Col != c.col || fault.Expr != c.expr || !strings.Contains(fault.Text, c.text) || !strings.Contains(fault.Hint, c.hint) {
			t.Errorf("%q\n got column %d: %s (%s)\nwant column %d: …%s… (…%s…)", c.expr, fault.Col, fault.Text, fault.Hint, c.col, c.text, c.hint)
		}
	}
	_, err := parseWindow("08:00-25:00")
	if got, want := fmt.Sprint(err), `parse window "08:00-25:00": column 7: hour 25 is not between 0 and 24 (24:00 ends the day)`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// FuzzWindow reads anything, in a zone of any jump: it never panics, and what is
// taken has edges that agree, both ways, at any instant.
func FuzzWindow(f *testing.F) {
	for _, seed := range []string{
		"08:00-20:00", "Mon-Fri 08:00-20:00", "Sat-Mon, Thursday 8:00 - 24:00", "Tue 22:00-02:00", "Mon 06:00-Fri 20:00", "Mon 08:00-Mon 07:00",
		"Mon 00:00-Sun 24:00", "00:00-24:00", "02:15-02:45", "24:00-08:00", "08:00–20:00", "8am-8pm", "08:00:00-09:00:00", "Mon,,Tue 1:00-2:00", "-", ",", "Mon-08:00", "0 8 * * *",
	} {
		f.Add(seed, int64(1774746000), uint8(0))
	}
	f.Fuzz(func(t *testing.T, expr string, at int64, zone uint8) {
		w, err := parseWindow(expr)
		if err != nil {
			var fault *ExprError
			if !errors.As(err, &fault) || fault.Text == "" || fault.Col < 0 || fault.Col > len(expr)+1 {
				t.Fatalf("%q: %#v", expr, err)
			}
			return
		}
		if length := w.end - w.begin; w.week == 0 || w.week > 0x7f || w.begin < 0 || w.begin >= secondsPerDay || length <= 0 || length > 7*secondsPerDay {
			t.Fatalf("%q reads as %+v", expr, w)
		}
		name := jumpZones()[int(zone)%len(jumpZones())]
		set, problems := Compile([]Spec{{Name: "p", Zone: name, Running: []Window{{Expr: expr}}}}, zones(name))
		if set == nil {
			if widestGap([]window{w}) > 0 {
				t.Fatalf("%q: %v", expr, problems)
			}
			return
		}
		p, from := set.Policies[0], time.Unix(at%(200*365*secondsPerDay), 0)
		prev, found := p.Prev(from)
		next, ok := p.Next(from)
		if !ok || !found || prev.Power != next.Power.Other() || prev.At.After(from) || !next.At.After(from) {
			t.Fatalf("%q in %s at %v: previous %s %v, next %s %v", expr, name, from.UTC(), prev.Power, prev.At, next.Power, next.At)
		}
		if again, _ := p.Prev(next.At.Add(-1)); again != prev {
			t.Fatalf("%q in %s at %v: previous %v, before the next %v", expr, name, from.UTC(), prev.At, again.At)
		}
	})
}

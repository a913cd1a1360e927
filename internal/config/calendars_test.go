package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"curfew/policy"

	"github.com/google/go-cmp/cmp"
)

// christmas is an iCalendar file of one day.
const christmas = `BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20261225
SUMMARY:1. Weihnachtstag
END:VEVENT
END:VCALENDAR
`

func date(year int, month time.Month, day int) policy.Date {
	return policy.Date{Year: year, Month: month, Day: day}
}

// TestCalendars has every source in every form, alone and together.
func TestCalendars(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mkdir(t, dir+"/sub")
	put(t, dir+"/de.ics", christmas)
	put(t, dir+"/sub/easter.ics", strings.NewReplacer("20261225", "20260405", "1. Weihnachtstag", "Ostern").Replace(christmas))
	put(t, dir+"/sub/curfew.yaml", `
timezone: Europe/Berlin
policies:
  - {name: p, deployments: [], running: Mon-Fri 08:00-20:00, except: [both, freeze, public, yearly, lists, nothing]}
calendars:
  both: {ical: ../de.ics, dates: [12-31, 12-25]}
  freeze:
    dates: 2026-12-28..2027-01-03
  "public": {region: be, country: de}
  yearly: {dates: 02-29}
  lists: {ical: [../de.ics, easter.ics], country: DE, dates: ["2026-05-01"]}
  nothing: {dates: []}
`)
	c, problems, err := Load(filepath.Join(dir, "sub", "curfew.yaml"), nil)
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v\n%s", err, Render(problems, c.Text))
	}
	de, easter := filepath.Join(dir, "de.ics"), filepath.Join(dir, "sub", "easter.ics")
	type view struct {
		Name   string
		Line   int
		Files  []string
		Source CalendarSource
		Last   policy.Date // of the iCalendar files
		Days   string      // some of them
	}
	some := []policy.Date{date(2026, 3, 8), date(2026, 4, 5), date(2026, 12, 25), date(2026, 12, 31), date(2027, 1, 3), date(2028, 2, 29)}
	var got []view
	for _, cal := range c.Calendars {
		v := view{Name: cal.Name, Line: cal.Pos.Line, Files: cal.Files, Source: cal.Source, Last: cal.LastICal}
		for _, d := range some {
			if day, ok := cal.Days.On(d); ok {
				v.Days += fmt.Sprintf("%s %s, ", d, day.Name)
			}
		}
		if cal.Broken != "" || cal.Days.Name() != cal.Name {
			t.Errorf("%s: broken: %q, its days are called %q", cal.Name, cal.Broken, cal.Days.Name())
		}
		got = append(got, v)
	}
	want := []view{
		{"both", 6, []string{de}, FromICal, date(2026, 12, 25), "2026-12-25 1. Weihnachtstag, 2026-12-31 , "},
		{"freeze", 7, nil, 0, policy.Date{}, "2026-12-31 , 2027-01-03 , "},
		{"public", 9, nil, FromCountry, policy.Date{}, "2026-03-08 Frauentag, 2026-12-25 Weihnachtstag, "},
		{"yearly", 10, nil, 0, policy.Date{}, "2028-02-29 , "},
		{"lists", 11, []string{de, easter}, FromICal | FromCountry, date(2026, 12, 25), "2026-04-05 Ostern, 2026-12-25 1. Weihnachtstag, "},
		{"nothing", 12, nil, 0, policy.Date{}, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calendars (-want +got):\n%s", diff)
	}
	if want := []File{read(t, c.Path), read(t, de), read(t, easter)}; !slices.Equal(c.Files(), want) {
		t.Errorf("to be watched: %v, want each once as it was read: %v", c.Files(), want)
	}
}

// TestCalendarActs has a day off reach the policy that names it.
func TestCalendarActs(t *testing.T) {
	t.Parallel()
	c := parse(t, `
timezone: Europe/Berlin
calendars: {holidays: {ical: de.ics}}
policies: [{name: p, deployments: [], running: Mon-Fri 08:00-20:00, except: holidays}]
`, Env{Dir: "/etc/curfew", ICal: func(path string) ([]byte, error) {
		if path != "/etc/curfew/de.ics" {
			t.Errorf("%s is read", path)
		}
		return []byte(christmas), nil
	}})
	noon := time.Date(2026, 12, 25, 12, 0, 0, 0, c.Location)
	if d := c.Policies.Policies[0].Decide(noon); d.Want != policy.Stopped {
		t.Errorf("at noon of a day off %v is wanted, since %v", d.Want, d.Since)
	}
}

// TestBrokenCalendar has an iCalendar file that is not there: a warning, the
// rest of the calendar, and a change to be told once it comes.
func TestBrokenCalendar(t *testing.T) {
	t.Parallel()
	text := `
timezone: UTC
calendars: {holidays: {ical: [de.ics, de2.ics], dates: 12-31}}
policies: [{name: p, deployments: [], running: Mon-Fri 08:00-20:00, except: holidays}]
`
	dir := write(t, map[string]string{"curfew.yaml": text, "de2.ics": "<html>"})
	c, problems, err := Load(filepath.Join(dir, "curfew.yaml"), nil)
	if err != nil || Failed(problems) || len(problems) != 2 {
		t.Fatalf("err %v, want two warnings and no error, got\n%s", err, Render(problems, c.Text))
	}
	path := filepath.Join(dir, "de.ics")
	cal := c.Calendars[0]
	want := "read " + path + ": no such file or directory; " + filepath.Join(dir, "de2.ics") + ":1: a web page or XML, not an iCalendar file"
	if cal.Broken != want || cal.LastICal != (policy.Date{}) {
		t.Errorf("broken: %q, want %q; last date %v, want none", cal.Broken, want, cal.LastICal)
	}
	if _, ok := cal.Days.On(date(2026, 12, 31)); !ok || c.Policies == nil {
		t.Errorf("31 December is off: %v; policies: %v", ok, c.Policies)
	}
	if want := (File{Path: path}); !slices.Contains(c.Files(), want) {
		t.Errorf("%v lacks the file that is not there", c.Files())
	}
}

// TestCalendarIsNoFile names what could be read for ever: a pipe and a device.
func TestCalendarIsNoFile(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe.ics")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	for _, path := range []string{pipe, "/dev/zero", filepath.Dir(pipe)} {
		c, problems := Parse("x", []byte(using("{ical: "+path+"}")), Env{})
		if want := "read " + path + ": it is not a file"; Failed(problems) || c.Calendars[0].Broken != want {
			t.Errorf("%s: broken: %q, want %q", path, c.Calendars[0].Broken, want)
		}
		w := watch{files: c.Files(), changed: func() { t.Errorf("%s: told as changed", path) }}
		for range 2 {
			if w.look() {
				t.Errorf("%s: seems to change", path)
			}
		}
	}
}

// TestCalendarLarge has a file over the limit: it is not read to its end, and
// the watch does not tell it as changed for ever.
func TestCalendarLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "large.ics")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x\n"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	c, problems := Parse("x", []byte(using("{ical: "+path+"}")), Env{})
	if Failed(problems) || !strings.Contains(c.Calendars[0].Broken, "larger than 1 MiB") {
		t.Errorf("broken: %q", c.Calendars[0].Broken)
	}
	w := watch{files: c.Files(), changed: func() { t.Error("told as changed") }}
	for range 2 {
		if w.look() {
			t.Error("seems to change")
		}
	}
}

// using is a file with one calendar that a policy names.
func using(calendar string) string {
	return "timezone: UTC\ncalendars: {holidays: " + calendar + "}\npolicies: [{name: p, deployments: [], running: 08:00-20:00, except: holidays}]\n"
}

// TestCalendarLimits goes to each limit and over it.
func TestCalendarLimits(t *testing.T) {
	t.Parallel()
	list := func(n int, item func(i int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return strings.Join(items, ", ")
	}
	year := func(int) string { return "2026-01-01..2026-12-31" }
	file := func(i int) string { return fmt.Sprintf("%d.ics", i) }
	ical := Env{ICal: func(string) ([]byte, error) { return []byte(christmas), nil }}
	for _, test := range []struct {
		name, text, want string
	}{
		{"dates", using("{dates: [" + list(maxDates, func(int) string { return "12-24" }) + "]}"), ""},
		{"one date more", using("{dates: [" + list(maxDates+1, func(int) string { return "2026-12-24" }) + "]}"), "calendars.holidays.dates: a calendar has at most 1000 dates"},
		{"days", using("{dates: [" + list(maxDays/365, year) + "]}"), ""},
		{"a year more", using("{dates: [" + list(maxDays/365+1, year) + "]}"), "calendars.holidays.dates: the dates are more than 100000 days together"},
		{"files", using("{ical: [" + list(maxICals, file) + "]}"), ""},
		{"one file more", using("{ical: [" + list(maxICals+1, file) + "]}"), "calendars.holidays.ical: more than 100 iCalendar files"},
		{"calendars", manyCalendars(maxCalendars), ""},
		{"one calendar more", manyCalendars(maxCalendars + 1), "calendars.c100: a file has at most 100 calendars"},
		{"ten more", manyCalendars(maxCalendars + 10), "calendars.c100: a file has at most 100 calendars"},
	} {
		c, problems := Parse("x", []byte(test.text), ical)
		switch {
		case test.want == "" && len(problems) > 0, test.want != "" && (len(problems) != 1 || problems[0].Text != test.want):
			t.Errorf("%s: want the problem %q, got\n%.2000s", test.name, test.want, Render(problems, c.Text))
		case len(c.Files()) > maxICals:
			t.Errorf("%s: %d files", test.name, len(c.Files()))
		}
	}
}

// manyCalendars has n calendars, each of which some policy names.
func manyCalendars(n int) string {
	var calendars, policies strings.Builder
	for i := range n {
		fmt.Fprintf(&calendars, "  c%d: {dates: 12-24}\n", i)
		fmt.Fprintf(&policies, "  - {name: p%d, deployments: [], running: 08:00-20:00, except: c%d}\n", i, i)
	}
	return "timezone: UTC\ncalendars:\n" + calendars.String() + "policies:\n" + policies.String()
}

// TestExcept has each form, and what a policy's own makes of the default.
func TestExcept(t *testing.T) {
	t.Parallel()
	const file = `
timezone: UTC
defaults: {except: {holidays: off, freeze: untouched}}
calendars: {holidays: {dates: 2026-12-25}, freeze: {dates: 2026-12-28}, summer: {dates: 2026-12-29}, launch: {dates: 2026-12-30}}
policies:
  - {name: default, deployments: [], %[1]s}
  - {name: one, deployments: [], %[1]s, except: holidays}
  - {name: list, deployments: [], %[1]s, except: [freeze, "holidays"]}
  - {name: map, deployments: [], %[1]s, except: {summer: stopped, launch: running, holidays: untouched, freeze: off}}
  - {name: none, deployments: [], %[1]s, except: []}
  - {name: no keys, deployments: [], %[1]s, except: {}}
`
	days := []int{24, 25, 28, 29, 30}
	for times, want := range map[string]map[string]string{
		"running: 08:00-20:00": {
			"default": "running, stopped, none, running, running", "one": "running, stopped, running, running, running",
			"list": "running, stopped, stopped, running, running", "map": "running, none, stopped, stopped, running",
			"none": "running, running, running, running, running", "no keys": "running, running, running, running, running",
		},
		`stop: "0 11 * * *"`: { // the default's day off says nothing of it, and no warning
			"default": "stopped, stopped, none, stopped, stopped",
		},
	} {
		c, problems := Parse("x", fmt.Appendf(nil, file, times), Env{})
		if Failed(problems) || strings.Contains(Render(problems, nil), `"default"`) {
			t.Errorf("%s:\n%s", times, Render(problems, c.Text))
		}
		for _, p := range c.Policies.Policies {
			var got []string
			for _, day := range days {
				got = append(got, p.Decide(time.Date(2026, 12, day, 12, 0, 0, 0, time.UTC)).Want.String())
			}
			if want, ok := want[p.Name()]; ok && strings.Join(got, ", ") != want {
				t.Errorf("%s, %s: at noon of %v: %v, want %s", times, p.Name(), days, got, want)
			}
		}
	}
}

// TestFold has policies that name a calendar of fifty thousand dates, each beside
// another one, in two rounds: what is too many is told once, and named no more.
func TestFold(t *testing.T) {
	t.Parallel()
	var days []policy.Day
	for i := range 50_000 {
		y, month, d := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i).Date()
		days = append(days, policy.Day{Date: policy.Date{Year: y, Month: month, Day: d}})
	}
	calendars := []Calendar{{Name: "all", Days: policy.NewCalendar("all", days)}}
	const most = maxFolded / 50_000
	specs := make([]policy.Spec, 2*most+7)
	for i := range specs {
		specs[i].Except = []policy.Exception{{Calendar: "all", Pos: policy.Pos{Line: i + 1}}, {Calendar: fmt.Sprint(i % (most + 3))}}
	}
	specs[3].Except = nil
	r := newReader("x", Env{})
	r.fold(specs, calendars)
	if len(r.problems) != 1 || r.problems[0].Pos.Line != most+2 {
		t.Errorf("want one problem, in line %d, got %v", most+2, r.problems)
	}
	named := 0
	for _, s := range specs {
		if len(s.Except) == 2 {
			named++
		}
	}
	const tooMany = 2 + 1 + 2 // the last two of the first round, the one that the first round left out, the two again
	if want := len(specs) - 1 - tooMany; named != want {
		t.Errorf("%d policies still name their calendars, want %d", named, want)
	}
}

// TestCalendarOfEveryDay has many files with every day of every year: they are
// so many dates as there are days, named by the first.
func TestCalendarOfEveryDay(t *testing.T) {
	t.Parallel()
	const first = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20000101\nRRULE:FREQ=DAILY;COUNT=36525\nSUMMARY:1.ics\nEND:VEVENT\nEND:VCALENDAR\n"
	c, problems := Parse("x", []byte(using("{ical: [1.ics, 2.ics, 3.ics, 4.ics]}")), Env{ICal: func(path string) ([]byte, error) {
		return []byte(strings.ReplaceAll(first, "1.ics", path)), nil
	}})
	cal := c.Calendars[0]
	day, _ := cal.Days.On(date(2099, 12, 31))
	if len(problems) > 0 || cal.Days.Len() != 36525 || day.Name != "1.ics" || cal.LastICal != day.Date {
		t.Errorf("%d days, the last %v called %q, of the files %v; problems %v", cal.Days.Len(), day.Date, day.Name, cal.LastICal, problems)
	}
}

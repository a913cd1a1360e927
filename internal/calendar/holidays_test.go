package calendar

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none

	"curfew/policy"

	"github.com/google/go-cmp/cmp"
	"github.com/rickar/cal/v2"
)

// TestHolidays holds whole years to what governments have published.
func TestHolidays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		country, region string
		year            int
		want            string
	}{
		{"DE", "BE", 2026, `
			2026-01-01 Neujahrstag
			2026-03-08 Frauentag
			2026-04-03 Karfreitag
			2026-04-06 Ostermontag
			2026-05-01 Tag der Arbeit
			2026-05-14 Christi Himmelfahrt
			2026-05-25 Pfingstmontag
			2026-10-03 Tag der Deutschen Einheit
			2026-12-25 Weihnachtstag
			2026-12-26 Zweiter Weihnachtsfeiertag`},
		{"de", "de-be", 2027, `
			2027-01-01 Neujahrstag
			2027-03-08 Frauentag
			2027-03-26 Karfreitag
			2027-03-29 Ostermontag
			2027-05-01 Tag der Arbeit
			2027-05-06 Christi Himmelfahrt
			2027-05-17 Pfingstmontag
			2027-10-03 Tag der Deutschen Einheit
			2027-12-25 Weihnachtstag
			2027-12-26 Zweiter Weihnachtsfeiertag`},
		// Christmas is a Saturday: Monday and Tuesday are the substitutes.
		{"GB", "", 2027, `
			2027-01-01 New Year's Day
			2027-03-26 Good Friday
			2027-03-29 Easter Monday
			2027-05-03 Early May
			2027-05-31 Spring Bank Holiday
			2027-08-30 Summer Bank Holiday
			2027-12-25 Christmas Day
			2027-12-26 Boxing Day
			2027-12-27 Christmas Day
			2027-12-28 Boxing Day`},
		// 4 July is a Saturday.
		{"us", "", 2026, `
			2026-01-01 New Year's Day
			2026-01-19 Martin Luther King Jr. Day
			2026-02-16 Presidents' Day
			2026-05-25 Memorial Day
			2026-06-19 Juneteenth
			2026-07-03..2026-07-04 Independence Day
			2026-09-07 Labor Day
			2026-10-12 Columbus Day
			2026-11-11 Veterans Day
			2026-11-26 Thanksgiving Day
			2026-12-25 Christmas Day`},
		// 1 January 2028 is a Saturday: observed on the last day of 2027.
		{"US", "", 2027, `
			2027-01-01 New Year's Day
			2027-01-18 Martin Luther King Jr. Day
			2027-02-15 Presidents' Day
			2027-05-31 Memorial Day
			2027-06-18..2027-06-19 Juneteenth
			2027-07-04..2027-07-05 Independence Day
			2027-09-06 Labor Day
			2027-10-11 Columbus Day
			2027-11-11 Veterans Day
			2027-11-25 Thanksgiving Day
			2027-12-24..2027-12-25 Christmas Day
			2027-12-31 New Year's Day`},
		{"JP", "", 2026, `
			2026-01-01 New Year's Day
			2026-01-12 Coming of Age Day
			2026-02-11 National Foundation Day
			2026-02-23 The Emperor's Birthday
			2026-03-20 Vernal Equinox Day
			2026-04-29 Showa Day
			2026-05-03 Constitution Memorial Day
			2026-05-04 Greenery Day
			2026-05-05 Children's Day
			2026-05-06 Constitution Memorial Day
			2026-07-20 Marine Day
			2026-08-11 Mountain Day
			2026-09-21 Respect for the Aged Day
			2026-09-22 National holiday between Respect for the Aged Day and Autumnal Equinox Day
			2026-09-23 Autumnal Equinox Day
			2026-10-12 Sports Day
			2026-11-03 Culture Day
			2026-11-23 Labor Thanksgiving Day`},
	} {
		days, err := Holidays(c.country, c.region)
		if err != nil {
			t.Errorf("%s %s: %v", c.country, c.region, err)
			continue
		}
		year := slices.DeleteFunc(days, func(d policy.Day) bool { return d.Date.Year != c.year })
		got := strings.Split(strings.TrimSpace(shown(year)), "\n")
		want := strings.Split(strings.TrimSpace(strings.ReplaceAll(c.want, "\t", "")), "\n")
		if diff := cmp.Diff(want, got[:len(got)-1]); diff != "" {
			t.Errorf("%s %s %d (-want +got):\n%s", c.country, c.region, c.year, diff)
		}
	}
}

// TestHolidaysRefuses asks for what to write instead.
func TestHolidaysRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ country, region, text, hint string }{
		{"UK", "", `a country "UK" are not known`, "write GB (United Kingdom"},
		{"USA", "", `a country "USA" are not known`, "write US (United States), "},
		{"germany", "", `a country "GERMANY" are not known`, "write DE (Germany), "},
		{"AUT", "", "", "AT (Austria)"},
		{"CN", "", `a country "CN" are not known`, "or give an iCalendar file instead, {ical: FILE.ics}"},
		{"", "BE", "no country is named", "US or ZA, or give"},
		{"EU", "", "", "write "},
		{"AU", "", "Australia has no holidays here without a region", "write ACT (Australian Capital Territory), "},
		{"DE", "Berlin", `a region "BERLIN" of Germany`, "write BE (Berlin), "},
		{"DE", "DE-", "", ""}, // the whole country
		{"CH", "CH-BX", `a region "BX" of Switzerland`, "write BE (Bern), "},
		{"GB", "SCT", `a region "SCT" of United Kingdom: England and Wales`, "leave the region out, or give"},
		{strings.Repeat("x", 10000), "", "", "write "},
		{"\x1b[31m", "", `"\x1b[31M"`, "write "},
	} {
		days, err := Holidays(c.country, c.region)
		var fault *Error
		if c.text+c.hint == "" {
			if err != nil || len(days) == 0 {
				t.Errorf("%q %q: got %d days, %v", c.country, c.region, len(days), err)
			}
			continue
		}
		if !errors.As(err, &fault) || days != nil {
			t.Errorf("%.40q %q: got %d days, %v", c.country, c.region, len(days), err)
			continue
		}
		if !strings.Contains(fault.Text, c.text) || !strings.Contains(fault.Hint, c.hint) || len(err.Error()) > 2000 {
			t.Errorf("%.40q %q: got %v\nwant %q and %q", c.country, c.region, err, c.text, c.hint)
		}
	}
}

// TestCountries finds in the library's own sources which countries and lists it
// has, so that a new version cannot have more than the table, nor less.
func TestCountries(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	for _, c := range Countries() {
		lists := []string{}
		if c.Whole {
			lists = append(lists, "Holidays")
		}
		for _, r := range c.Regions {
			lists = append(lists, "Holidays"+r.Code)
			if days, err := Holidays(c.Code, r.Code); err != nil || len(days) < 500 || r.Name == "" {
				t.Errorf("%s-%s %q has %d days, %v", c.Code, r.Code, r.Name, len(days), err)
			}
		}
		if days, err := Holidays(c.Code, ""); c.Name == "" || c.Whole == (err != nil || len(days) < 500) {
			t.Errorf("%s %q has %d days, %v", c.Code, c.Name, len(days), err)
		}
		slices.Sort(lists)
		got[strings.ToLower(c.Code)] = lists
	}
	if diff := cmp.Diff(libraryLists(t), got); diff != "" {
		t.Errorf("countries (-library +table):\n%s", diff)
	}
}

// libraryLists returns the lists of holidays that each package of a country has.
func libraryLists(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=Dir,Name", "github.com/rickar/cal/v2/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	lists := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p struct{ Dir, Name string }
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if len(p.Name) == 2 && p.Name != "aa" { // aa is what the others share
			lists[p.Name] = listsOf(t, p.Dir)
		}
	}
	return lists
}

func listsOf(t *testing.T, dir string) []string {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, "*_holidays.go"))
	names := []string{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Holidays") {
				names = append(names, v.Names[0].Name)
			}
			return true
		})
	}
	slices.Sort(names)
	return names
}

// TestAnyMachine asks on machines all over the world: the dates of a holiday are
// the same everywhere, also where the clocks skip a midnight. It sets what all
// tests share, so it runs alone.
func TestAnyMachine(t *testing.T) {
	local, library := time.Local, cal.DefaultLoc
	t.Cleanup(func() { time.Local, cal.DefaultLoc = local, library })
	want := everywhere(t, "UTC")
	skipped := 0
	for _, zone := range []string{"America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia"} {
		if diff := cmp.Diff(want, everywhere(t, zone)); diff != "" {
			t.Errorf("in %s (-UTC +there):\n%s", zone, diff)
		}
		for d := firstDay; d <= lastDay; d++ {
			year, month, dom := d.midnight().Date()
			if time.Date(year, month, dom, 0, 0, 0, 0, time.Local).Day() != dom {
				skipped++
			}
		}
	}
	if skipped == 0 {
		t.Error("none of these zones skips a midnight: the test shows nothing")
	}
}

// everywhere returns the holidays of all countries, asked on a machine in zone.
func everywhere(t *testing.T, zone string) map[string][]policy.Day {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	time.Local, cal.DefaultLoc = loc, loc
	all := map[string][]policy.Day{}
	for _, c := range Countries() {
		regions := c.Regions
		if c.Whole {
			regions = append(regions, Region{})
		}
		for _, r := range regions {
			days, err := Holidays(c.Code, r.Code)
			if err != nil {
				t.Fatal(err)
			}
			all[c.Code+r.Code] = days
		}
	}
	return all
}

// TestConcurrently is for the race detector: the library writes to its own table
// of Japan when it is asked directly.
func TestConcurrently(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if days, err := Holidays("JP", ""); err != nil || len(days) == 0 {
				t.Errorf("got %d days, %v", len(days), err)
			}
		})
	}
	wg.Wait()
}

package calendar

import (
	"testing"
)

// TestLocal asks on which local date a UTC time falls, which is all that this
// package wants of zones.
func TestLocal(t *testing.T) {
	t.Parallel()
	berlin := clock{offsets: []int{3600, 7200}}
	newYork := clock{offsets: []int{-18000, -14400}}
	kolkata := clock{offsets: []int{19800}}
	auckland := clock{offsets: []int{43200, 46800}}
	for _, c := range []struct {
		name  string
		clock clock
		at    string
		want  string
		sure  bool
	}{
		{"midnight in winter", berlin, "20261223T230000Z", "2026-12-24", true},
		{"midnight in summer", berlin, "20260709T220000Z", "2026-07-10", true},
		{"a second before, in winter", berlin, "20261224T225959Z", "2026-12-24", true},
		{"a second before, in summer", berlin, "20260710T215959Z", "2026-07-10", true},
		{"a date that had to have a time", berlin, "20261224T000000Z", "2026-12-24", true},
		{"a date with the end of its day", berlin, "20261224T235959Z", "2026-12-24", true},
		{"noon", berlin, "20261224T120000Z", "2026-12-24", true},
		{"midnight in winter", newYork, "20261224T050000Z", "2026-12-24", true},
		{"midnight in summer", newYork, "20260704T040000Z", "2026-07-04", true},
		{"a second before", newYork, "20261225T045959Z", "2026-12-24", true},
		{"half an hour off", kolkata, "20261223T183000Z", "2026-12-24", true},
		{"ahead of everybody", auckland, "20261223T110000Z", "2026-12-24", true},
		{"before 1970", berlin, "19691223T230000Z", "1969-12-24", true},
		{"no midnight before 1970", newYork, "19691224T010101Z", "1969-12-23", true},
		{"east of Greenwich", clock{}, "20261223T230000Z", "2026-12-24", true},
		{"a second before, east", clock{}, "20261224T225959Z", "2026-12-24", true},
		{"west of Greenwich", clock{}, "20261224T050000Z", "2026-12-24", true},
		{"a second before, west", clock{}, "20261225T045959Z", "2026-12-24", true},
		{"Auckland", clock{}, "20261223T110000Z", "2026-12-24", true},
		{"Honolulu", clock{}, "20261224T100000Z", "2026-12-24", true},
		{"Nepal", clock{}, "20261223T181500Z", "2026-12-24", true},
		{"a second before UTC's", clock{}, "20261224T235959Z", "2026-12-24", true},
		{"a midnight nowhere", clock{}, "20261224T101010Z", "2026-12-24", false},
		{"an event in UTC", clock{utc: true}, "20261223T230000Z", "2026-12-23", true},
		{"as written", newYork, "20261224T233000", "2026-12-24", true},
		{"as written", newYork, "20261224", "2026-12-24", true},
	} {
		m, err := parseMoment(c.at, property{})
		if err != nil {
			t.Errorf("%s: %v", c.at, err)
			continue
		}
		if got, sure := c.clock.local(m); got.String() != c.want || sure != c.sure {
			t.Errorf("%s, %v: %s is on %s (sure: %v), want %s (%v)", c.name, c.clock.offsets, c.at, got, sure, c.want, c.sure)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	in := func(zone string) property { return property{params: map[string][]string{"TZID": {zone}}} }
	date := property{params: map[string][]string{"VALUE": {"date"}}}
	for _, c := range []struct {
		text string
		p    property
		kind kind
		secs int
	}{
		{"20261224", property{}, onDate, 0},
		{"20261224", in("Europe/Berlin"), onDate, 0},
		{"20261224T093000Z", date, onDate, 0},
		{" 20261224t000000z ", property{}, inUTC, 0},
		{"20261224T010203", property{}, floating, 3723},
		{"20261224T010203", in("Europe/Berlin"), inZone, 3723},
		{"20261224T000000", in("Etc/UTC"), inUTC, 0},
		{"20261224T000000Z", in("Europe/Berlin"), inUTC, 0},
	} {
		m, err := parseMoment(c.text, c.p)
		if err != nil || m.kind != c.kind || m.secs != c.secs || m.day.String() != "2026-12-24" {
			t.Errorf("%q with %v: got %+v, %v", c.text, c.p.params, m, err)
		}
	}
	for _, text := range []string{
		"", "2026", "20261301", "20260229", "2026-12-24", "15991231", "20261224T", "20261224T2400", "20261224T240000",
		"20261224T000000.5", "20261224T000000+0100", "Z", "20261224Z", "soon", "２０２６１２２４",
	} {
		if m, err := parseMoment(text, property{}); err == nil {
			t.Errorf("%q was read as %+v", text, m)
		}
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"P1D": daySeconds, "P2W": 14 * daySeconds, "PT24H": daySeconds, "P1DT0H0M0S": daySeconds,
		"p1w1d": 8 * daySeconds, "-P1D": -daySeconds, "PT90M": 5400, "P": 0,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1D", "P1", "P1Y", "PT1D", "P99999999999999999999D", "P1.5D", "P-1D"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}

package main

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 24, 17, 30, 0, 0, time.UTC) // a Thursday, 18:30 in Berlin
	for _, tc := range []struct{ text, zone, want string }{
		{"2026-12-24T18:00:00Z", "Europe/Berlin", "2026-12-24T18:00:00Z"},
		{"2026-12-24T18:00:00+05:30", "Europe/Berlin", "2026-12-24T12:30:00Z"},
		{"2026-12-24 18:00", "Europe/Berlin", "2026-12-24T17:00:00Z"},
		{"2026-12-24T18:00", "Europe/Berlin", "2026-12-24T17:00:00Z"},
		{"2026-12-24 18:00:30", "UTC", "2026-12-24T18:00:30Z"},
		{"2026-07-01", "America/New_York", "2026-07-01T04:00:00Z"},
		{" now ", "Europe/Berlin", "2026-12-24T17:30:00Z"},
		{"90m", "Europe/Berlin", "2026-12-24T19:00:00Z"},
		{"-2h", "Europe/Berlin", "2026-12-24T15:30:00Z"},
		{"7d", "Europe/Berlin", "2026-12-31T17:30:00Z"},
		{"-1d", "Europe/Berlin", "2026-12-23T17:30:00Z"},
		{"Fri 22:00", "Europe/Berlin", "2026-12-25T21:00:00Z"},
		{"friday 22:00", "Europe/Berlin", "2026-12-25T21:00:00Z"},
		{"Thu 18:31", "Europe/Berlin", "2026-12-24T17:31:00Z"},
		{"Thu 18:30", "Europe/Berlin", "2026-12-31T17:30:00Z"}, // now is not the next one
		{"Sat 00:00", "Pacific/Kiritimati", "2026-12-25T10:00:00Z"},
		{"2026-03-29 02:30", "Europe/Berlin", "2026-03-29T01:00:00Z"},       // skipped: the end of the gap
		{"2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"},       // twice: the first pass
		{"2026-10-25 02:00", "Europe/Berlin", "2026-10-25T00:00:00Z"},       // the first minute that comes twice
		{"2026-10-25 03:00", "Europe/Berlin", "2026-10-25T02:00:00Z"},       // after both
		{"2026-10-04 02:15", "Australia/Lord_Howe", "2026-10-03T15:30:00Z"}, // half an hour is skipped
		{"2011-12-30 12:00", "Pacific/Apia", "2011-12-30T10:00:00Z"},        // a whole day is
	} {
		got, err := parseTime(tc.text, now, zone(t, tc.zone))
		if err != nil || got.UTC().Format(time.RFC3339) != tc.want {
			t.Errorf("parseTime(%q) in %s = %s, %v; want %s", tc.text, tc.zone, got.UTC().Format(time.RFC3339), err, tc.want)
		}
	}
}

func TestParseTimeRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "18:00", "tomorrow", "Fri", "Fri 25:00", "Fry 22:00", "2026-13-01", "2026-02-30 10:00", "1e9d",
		"36501d", "2026-12-24 18:00 CET", "12/24/2026",
	} {
		got, err := parseTime(text, time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC), time.UTC)
		if err == nil {
			t.Errorf("parseTime(%q) = %s, want an error", text, got)
		} else if !strings.Contains(err.Error(), "want ") {
			t.Errorf("parseTime(%q): %q does not say what to write", text, err)
		}
	}
}

// TestLocalInstant holds the rule of the policies against any zone and time: the
// first instant at which the clocks show the time, or have passed it.
func TestLocalInstant(t *testing.T) {
	t.Parallel()
	names := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns",
		"Asia/Beirut", "Africa/Casablanca", "Pacific/Chatham", "Antarctica/Troll", "UTC"}
	rapid.Check(t, func(rt *rapid.T) {
		loc := zone(t, rapid.SampledFrom(names).Draw(rt, "zone"))
		minute := rapid.Int64Range(0, 50*366*24*60).Draw(rt, "minute after 1990")
		civil := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(minute) * time.Minute)
		if rapid.Bool().Draw(rt, "near a jump") {
			at := time.Date(civil.Year(), civil.Month(), civil.Day(), 0, 0, 0, 0, loc)
			if _, end := at.ZoneBounds(); !end.IsZero() {
				off := time.Duration(rapid.IntRange(-180, 180).Draw(rt, "minutes from it")) * time.Minute
				civil = wall(end.In(loc)).Add(off)
			}
		}
		got := localInstant(civil, loc)
		if wall(got).Before(civil) {
			rt.Fatalf("%s in %s: %s is too early", civil, loc, got)
		}
		// Nothing in the day before shows that time or a later one of the same stretch.
		for back := time.Minute; back <= 4*time.Hour; back += time.Minute {
			if earlier := got.Add(-back); wall(earlier).Equal(civil) {
				rt.Fatalf("%s in %s: %s is not the first, %s is", civil, loc, got, earlier)
			}
		}
		if !wall(got).Equal(civil) && !wall(got.Add(-time.Nanosecond)).Before(civil) {
			rt.Fatalf("%s in %s is skipped: %s is not the end of the gap", civil, loc, got)
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{"2026-12-24T18:00:00Z", "2026-12-24 18:00", "Fri 22:00", "36h", "7d", "-2h", "now", "0001-01-01"} {
		f.Add(text, int64(1_792_000_000))
	}
	loc := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		now := time.Unix(unix%253_000_000_000, 0)
		got, err := parseTime(text, now, loc)
		if err != nil {
			return
		}
		if got.Location() != loc {
			t.Errorf("parseTime(%q) is in %s, want %s", text, got.Location(), loc)
		}
		again, err := parseTime(got.UTC().Format(time.RFC3339Nano), now, loc) // an old zone has offsets that RFC 3339 cannot say
		if err != nil || !again.Equal(got) {
			t.Errorf("parseTime(%q) = %s, and reading that gives %s, %v", text, got, again, err)
		}
	})
}

// TestShownTime: where a clock shows a time twice, it is told which of the two it is.
func TestShownTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ at, zone, want string }{
		{"2026-10-24T23:59:59Z", "Europe/Berlin", "25 01:59"},
		{"2026-10-25T00:00:00Z", "Europe/Berlin", "25 02:00 CEST"},
		{"2026-10-25T00:59:59Z", "Europe/Berlin", "25 02:59 CEST"},
		{"2026-10-25T01:00:00Z", "Europe/Berlin", "25 02:00 CET"},
		{"2026-10-25T01:59:59Z", "Europe/Berlin", "25 02:59 CET"},
		{"2026-10-25T02:00:00Z", "Europe/Berlin", "25 03:00"},
		{"2026-03-29T01:00:00Z", "Europe/Berlin", "29 03:00"}, // skipped is not twice
		{"2026-04-04T14:45:00Z", "Australia/Lord_Howe", "05 01:45 +11"},
		{"2026-04-04T15:15:00Z", "Australia/Lord_Howe", "05 01:45 +1030"},
		{"2026-04-04T14:15:00Z", "Australia/Lord_Howe", "05 01:15"},
		{"2011-12-30T09:30:00Z", "Pacific/Apia", "29 23:30"},          // a day is skipped
		{"1969-10-01T00:30:00Z", "Pacific/Kwajalein", "30 12:30 -12"}, // a day came twice
		{"2026-10-25T00:30:00Z", "UTC", "25 00:30"},
		{"1700-01-01T00:00:00Z", "Asia/Tokyo", "01 09:18"}, // before the first change
		{"2500-01-01T00:00:00Z", "Asia/Tokyo", "01 09:00"}, // behind the last
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := shownTime(at.In(zone(t, c.zone)), "02 15:04"); got != c.want {
			t.Errorf("%s in %s is shown as %q, want %q", c.at, c.zone, got, c.want)
		}
	}
}

// TestPassesAreApart: two instants that a clock shows alike, less than two days
// apart, are never shown alike.
func TestPassesAreApart(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe", "Africa/Casablanca", "America/Havana", "Pacific/Kwajalein", "Antarctica/Troll"}
	rapid.Check(t, func(rt *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zones).Draw(rt, "zone"))
		from := time.Unix(rapid.Int64Range(-1e9, 2e9).Draw(rt, "from"), 0).In(loc)
		_, end := from.ZoneBounds()
		if end.IsZero() {
			return
		}
		at := end.Add(time.Duration(rapid.IntRange(-48*60, 48*60).Draw(rt, "minutes")) * time.Minute).In(loc)
		for _, other := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 24 * time.Hour} {
			const layout = "2006-01-02 15:04:05"
			b := at.Add(other)
			if at.Format(layout) == b.Format(layout) && shownTime(at, layout) == shownTime(b, layout) {
				rt.Fatalf("%s and %s in %s are both %q", at.UTC(), b.UTC(), loc, shownTime(at, layout))
			}
		}
	})
}

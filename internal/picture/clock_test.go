package picture

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestDayBegin: a day begins at the first instant at which a clock shows it.
func TestDayBegin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, date, want, why string }{
		{"Europe/Berlin", "2027-03-28", "2027-03-28T00:00:00+01:00", "the clocks change later that day"},
		{"Asia/Beirut", "2022-03-27", "2022-03-27T01:00:00+03:00", "midnight is skipped"},
		{"America/Sao_Paulo", "2017-10-15", "2017-10-15T01:00:00-02:00", "midnight is skipped"},
		{"America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00", "midnight comes twice: the first"},
		{"America/Sao_Paulo", "2018-02-18", "2018-02-18T00:00:00-03:00", "the hour before midnight comes twice"},
		{"America/Toronto", "1919-03-31", "1919-03-31T00:30:00-04:00", "23:30 became 00:30"},
		{"America/St_Johns", "2006-10-29", "2006-10-29T00:00:00-02:30", "00:01 became 23:01 of the day before"},
		{"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00", "there was no such day"},
		{"Pacific/Apia", "2011-12-31", "2011-12-31T00:00:00+14:00", "the day after it"},
		{"Pacific/Kwajalein", "1993-08-21", "1993-08-22T00:00:00+12:00", "there was no such day"},
	} {
		date, err := time.Parse(time.DateOnly, c.date)
		if err != nil {
			t.Fatal(err)
		}
		if got := dayBegin(date, zone(t, c.zone)).Format(time.RFC3339); got != c.want {
			t.Errorf("%s begins in %s at %s, want %s: %s", c.date, c.zone, got, c.want, c.why)
		}
	}
}

// TestDaysAreSideBySide: the days of a span follow each other without a gap, each
// from the first instant that shows its date, and have it in their middle.
func TestDaysAreSideBySide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		if p.To.Sub(p.From) > 500*24*time.Hour {
			p.To = p.From.AddDate(1, 0, 0)
		}
		end := time.Time{}
		for d := range p.dates() {
			switch {
			case end.IsZero() && d.from.After(p.From), !end.IsZero() && !d.from.Equal(end):
				t.Fatalf("a day begins at %s, want %s", d.from, end)
			case !d.to.After(p.From) || !d.from.Before(p.To):
				t.Fatalf("the day from %s is outside %s to %s", d.from, p.From, p.To)
			}
			shown := shownAt(d.from).Truncate(24 * time.Hour)
			if before := shownAt(d.from.Add(-1)); !before.Before(shown) {
				t.Fatalf("%s is the begin of a day, and the clock showed %s before", d.from, before)
			}
			end = d.to
		}
		if end.Before(p.To) {
			t.Fatalf("the days end at %s, the span at %s", end, p.To)
		}
	})
}

// TestJumps: what clocks show before and after a change, and that a new name for
// the same time is none.
func TestJumps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, from string
		days       int
		want       []string
	}{
		{"Europe/Berlin", "2027-03-25", 7, []string{"2027-03-28T03:00:00+02:00 02:00 → 03:00 1h0m0s"}},
		{"Europe/Berlin", "2026-10-24", 7, []string{"2026-10-25T02:00:00+01:00 03:00 → 02:00 -1h0m0s"}},
		{"Australia/Lord_Howe", "2026-10-03", 2, []string{"2026-10-04T02:30:00+11:00 02:00 → 02:30 30m0s"}},
		{"Europe/Berlin", "2027-03-28", 400, []string{
			"2027-03-28T03:00:00+02:00 02:00 → 03:00 1h0m0s", "2027-10-31T02:00:00+01:00 03:00 → 02:00 -1h0m0s",
			"2028-03-26T03:00:00+02:00 02:00 → 03:00 1h0m0s",
		}},
		{"Africa/Casablanca", "2018-10-27", 3, nil}, // +01 in summer became +01 for good
		{"UTC", "2026-01-01", 400, nil},
		{"Europe/Berlin", "2026-01-01", 3660, nil}, // too many to be news
	} {
		from, err := time.ParseInLocation(time.DateOnly, c.from, zone(t, c.zone))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for j := range (&Picture{From: from, To: from.AddDate(0, 0, c.days), Location: from.Location()}).jumps(from.Location()) {
			got = append(got, j.at.Format(time.RFC3339)+" "+j.before+" → "+j.after+" "+j.by.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s, %d days from %s: %q, want %q", c.zone, c.days, c.from, got, c.want)
		}
	}
}

// TestScale: the ticks that a span gets.
func TestScale(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		days  int
		every int
		unit  unit
	}{
		{1, 1, hours}, {2, 2, hours}, {4, 3, hours}, {7, 6, hours}, {14, 12, hours}, {17, 12, hours},
		{18, 1, days}, {31, 1, days}, {50, 1, days}, {62, 1, weeks}, {100, 1, weeks}, {365, 1, months}, {400, 1, months},
		{1200, 3, months}, {3660, 1, years}, {20000, 10, years}, {300000, 100, years}, {3000000, 1000, years},
	} {
		p := Picture{From: from, To: from.AddDate(0, 0, c.days)}
		if got := p.scale(plotWidth).lower; got.every != c.every || got.unit != c.unit {
			t.Errorf("%d days: a tick every %d of unit %d, want every %d of unit %d", c.days, got.every, got.unit, c.every, c.unit)
		}
	}
}

// TestTicks: where they lie, in the night in which an hour comes twice, too.
func TestTicks(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	from := time.Date(2026, 10, 25, 1, 20, 0, 0, berlin)
	for _, c := range []struct {
		step step
		to   time.Time
		want []string
	}{
		{step{1, hours, "15", 0}, from.Add(3 * time.Hour), []string{"02 2026-10-25T02:00:00+02:00", "02 2026-10-25T02:00:00+01:00", "03 2026-10-25T03:00:00+01:00"}},
		{step{6, hours, "15", 0}, from.Add(12 * time.Hour), []string{"06 2026-10-25T06:00:00+01:00", "12 2026-10-25T12:00:00+01:00"}},
		{step{1, days, "Mon 2", 0}, from.Add(24 * time.Hour), []string{"Sun 25 2026-10-25T00:00:00+02:00", "Mon 26 2026-10-26T00:00:00+01:00"}},
		{step{1, weeks, "2", 0}, from.AddDate(0, 0, 7), []string{"19 2026-10-19T00:00:00+02:00", "26 2026-10-26T00:00:00+01:00"}},
		{step{3, months, "Jan", 0}, from.AddDate(0, 4, 0), []string{"Oct 2026-10-01T00:00:00+02:00", "Jan 2027-01-01T00:00:00+01:00"}},
		{step{10, years, "2006", 0}, from.AddDate(4, 0, 0), []string{"2020 2020-01-01T00:00:00+01:00", "2030 2030-01-01T00:00:00+01:00"}},
	} {
		var got []string
		for tick := range (&Picture{From: from, To: c.to, Location: berlin}).ticks(c.step) {
			got = append(got, tick.label+" "+tick.from.Format(time.RFC3339))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("every %d of unit %d: %q, want %q", c.step.every, c.step.unit, got, c.want)
		}
	}
}

// TestAnySpan: no span is too long or too odd to be drawn, and none makes the
// axis long.
func TestAnySpan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to time.Time }{
		{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
		{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 1, time.UTC)},
		{time.Time{}, time.Unix(0, 0)},
		{time.Unix(0, 0), time.Unix(0, 0).AddDate(290, 0, 0)},
	} {
		text := svg(t, &Picture{From: c.from, To: c.to, Location: zone(t, "Europe/Berlin"), Rows: []Row{{Name: "a", Bars: []Bar{{c.from, c.to, Running, ""}}}}})
		parsed(t, text)
		if len(text) > 32<<10 {
			t.Errorf("%s to %s: %d bytes", c.from, c.to, len(text))
		}
	}
}

// TestOwnClocks: where the clocks of a row's zone are changed, and those of the
// picture are not, its lane alone has a stripe that says so.
func TestOwnClocks(t *testing.T) {
	t.Parallel()
	berlin, york, paris := zone(t, "Europe/Berlin"), zone(t, "America/New_York"), zone(t, "Europe/Paris")
	from := time.Date(2026, 10, 24, 0, 0, 0, 0, berlin)
	p := &Picture{From: from, To: from.AddDate(0, 0, 10), Location: berlin}
	for _, c := range []struct {
		name string
		loc  *time.Location
		want []string
	}{
		{"none of its own", nil, nil},
		{"the picture's", berlin, nil},
		{"changed at the same instant", paris, nil},
		{"another week", york, []string{"America/New_York, Sun 1 November 2026: the clocks go back, 02:00 → 01:00"}},
	} {
		p.Rows = []Row{{Name: "a", Location: c.loc}}
		var got []string
		for _, n := range lane(t, p).sub {
			if tip := n.tip(); tip != "" {
				got = append(got, tip)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: the lane has %q, want %q", c.name, got, c.want)
		}
	}
	// A picture in UTC has no stripe of its own, and explains that of the row.
	p.Location, p.Rows = nil, []Row{{Name: "a"}, {Name: "b", Location: york}}
	if text := svg(t, p); !strings.Contains(text, ">clocks change</text>") || strings.Contains(text, "<use ") {
		t.Errorf("the legend lacks the stripe, or the two lanes are taken for one:\n%s", text)
	}
}

package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"curfew/internal/config"
	"curfew/internal/picture"
	"curfew/policy"
)

// kindOf is the bar that stands for a power.
var kindOf = map[policy.Power]picture.Kind{
	policy.Running: picture.Running, policy.Stopped: picture.Stopped, policy.None: picture.Nothing,
}

// TestPlanSVGIsTheLaw holds the bars of any file to what is wanted: side by side
// they fill the span, and at each instant the kind is that of the decision.
func TestPlanSVGIsTheLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		file, s, text := drawFile(rt)
		at := s.from.Add(time.Duration(rapid.Int64Range(0, int64(s.to.Sub(s.from))-1).Draw(rt, "at")))
		for _, l := range planLines(file, nil) {
			end, there := s.from, false
			for _, b := range l.bars(s) {
				if !b.From.Equal(end) || !b.To.After(b.From) {
					rt.Fatalf("%s: a bar from %s to %s behind one that ends at %s\n%s", l.policy.Name(), b.From, b.To, end, text)
				}
				if end = b.To; at.Before(b.From) || !at.Before(b.To) {
					continue
				}
				there = true
				if want := kindOf[l.policy.Decide(at).Want]; b.Kind != want {
					rt.Fatalf("%s at %s: drawn as %s, want %s\n%s", l.policy.Name(), at, b.Kind, want, text)
				}
			}
			if !there || !end.Equal(s.to) {
				rt.Fatalf("%s: the bars end at %s, want %s; one at %s: %t\n%s", l.policy.Name(), end, s.to, at, there, text)
			}
		}
	})
}

// TestPlanSVGDaysOff holds the hatched days of any file to its calendars: what
// cancels an edge is marked, and nothing is marked that no calendar has.
func TestPlanSVGDaysOff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		file, s, text := drawFile(rt)
		for _, l := range planLines(file, nil) {
			marked := map[policy.Date]bool{}
			for _, d := range l.daysOff(s) {
				year, month, day := d.Date.Date()
				date := policy.Date{Year: year, Month: month, Day: day}
				if marked[date] {
					rt.Fatalf("%s: %s is marked twice\n%s", l.policy.Name(), date, text)
				}
				marked[date] = true
				if !slices.ContainsFunc(file.Calendars, func(c config.Calendar) bool { _, ok := c.Days.On(date); return ok }) {
					rt.Fatalf("%s: %s is marked as %q, and no calendar has it\n%s", l.policy.Name(), date, d.Title, text)
				}
			}
			for e := range l.policy.Edges(s.from, s.to) {
				date := policy.Date{Year: e.Nominal.Year, Month: e.Nominal.Month, Day: e.Nominal.Day}
				if e.CancelledBy.Kind == policy.KindCalendar && e.Nominal.Hour < 24 && !marked[date] {
					rt.Fatalf("%s: %s at %s is cancelled by %s, and the day is not marked\n%s", l.policy.Name(), e.Power.Action(), e.At, e.Cancelled, text)
				}
			}
		}
	})
}

// daysText are days off in words.
func daysText(days []picture.Day) []string {
	var all []string
	for _, d := range days {
		all = append(all, d.Date.Format(time.DateOnly)+" "+d.Title)
	}
	return all
}

// TestPlanSVGDays: which days are hatched, and what for.
func TestPlanSVGDays(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `
timezone: Europe/Berlin
calendars:
  holidays: {dates: [2026-12-25, 2026-12-26, 2026-12-28]}
  freeze: {dates: [2026-12-30..2027-01-03]}
  fair: {dates: [2027-01-04, 2027-01-05]}
policies:
- {name: office, deployments: [a], running: "Mon-Fri 08:00-20:00", except: {holidays: off, freeze: untouched, fair: running}}
- {name: plain, deployments: [b], running: "Mon-Fri 08:00-20:00"}`)
	from := time.Date(2026, 12, 24, 0, 0, 0, 0, file.Location)
	lines := planLines(file, nil)
	freeze := []string{"2027-01-01 freeze: untouched", "2027-01-02 freeze: untouched", "2027-01-03 freeze: untouched"}
	for _, c := range []struct {
		line     int
		from, to time.Time
		want     []string
	}{
		// The 26th is a Saturday, on which nothing would have happened.
		{0, from, from.AddDate(0, 0, 7), []string{
			"2026-12-25 holidays", "2026-12-28 holidays", "2026-12-30 freeze: untouched",
		}},
		// A weekend in the middle of days that are untouched is untouched, too.
		{0, from.AddDate(0, 0, 9), from.AddDate(0, 0, 10), []string{"2027-01-02 freeze: untouched"}},
		{0, from.AddDate(0, 0, 8), from.AddDate(0, 0, 14), append(freeze, "2027-01-04 fair: running", "2027-01-05 fair: running")},
		{1, from, from.AddDate(0, 0, 14), nil},
	} {
		var got []string
		for _, d := range lines[c.line].daysOff(span{c.from, c.to}) {
			if d.Date.Before(c.from) || !d.Date.Before(c.to) {
				continue // the picture cuts it off
			}
			got = append(got, daysText([]picture.Day{d})...)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s, %s to %s:\ngot  %q\nwant %q", lines[c.line].policy.Name(), c.from, c.to, got, c.want)
		}
	}
}

// TestPlanSVGMarks: what bars do not show.
func TestPlanSVGMarks(t *testing.T) {
	t.Parallel()
	_, lines, s := kitPlan(t)
	var got []string
	for _, l := range lines {
		for _, m := range l.marks(span{s.from.AddDate(0, 0, 1), s.from.AddDate(0, 0, 6).Add(9 * time.Hour)}, nil) {
			got = append(got, fmt.Sprintf("%s: %s %s", l.policy.Name(), m.Kind, m.Title))
		}
	}
	want := []string{
		"office: cancelled Fri 25 Dec 07:50 start cancelled: holidays (curfew.yaml:12)",
		"office: cancelled Mon 28 Dec 07:50 start cancelled: holidays (curfew.yaml:12)",
		"office: cancelled Wed 30 Dec 07:50 start cancelled: freeze: untouched (curfew.yaml:12)",
		"week: cancelled Mon 28 Dec 06:00 start cancelled: holidays (curfew.yaml:16)",
	}
	days := []string{"Fri 25", "Sat 26", "Sun 27", "Mon 28", "Tue 29"}
	for _, day := range days {
		want = append(want, "nightly: stop "+day+" Dec 23:00 0 23 * * *, only if running (curfew.yaml:17)")
	}
	for _, day := range days {
		want = append(want, "watched: stop "+day+" Dec 13:00 0 12 * * *, for 12:00 UTC, dry run, no call (curfew.yaml:18)")
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// TestPlanSVGRows: who stands before a lane, and why no call is made.
func TestPlanSVGRows(t *testing.T) {
	t.Parallel()
	_, lines, s := kitPlan(t)
	var got []string
	for _, l := range lines {
		for _, r := range l.rows(s) {
			got = append(got, fmt.Sprintf("%s | %s | %s | %s", r.Group, r.Name, r.Note, r.Sum))
		}
	}
	want := []string{
		`office | Müller, "dev"; 1 | w1 | 24.3 h`,
		`office | prod-eu | w2 · protected by "prod-*", curfew.yaml:3 | 264 h`,
		`week | guarded | protected by "guarded", curfew.yaml:3 | 264 h`,
		`nightly | w3 | unless its name is protected | `,
		`nightly | w4 | unless its name is protected | `,
		`watched, UTC | w5 | dry run · unless its name is protected | `,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// TestPlanSVGBarred: of whom no stop, or no call at all, is made, the picture shows
// what will be, and each call that is missing with the reason.
func TestPlanSVGBarred(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `
timezone: UTC
protect: [safe, night]
policies:
- name: office
  deployments: [safe, {id: other, name: dev}, plain]
  running: 08:00-20:00
- {name: first, deployments: [{id: night}], start: "0 12 2 1 *", stop: "0 20 1-3 1 *"}
`)
	inv := newInventory("x")
	inv.names["other"] = "prod"
	s := span{time.Date(2027, 1, 1, 10, 0, 0, 0, time.UTC), time.Date(2027, 1, 3, 0, 0, 0, 0, time.UTC)}
	got := map[string][]string{}
	for _, l := range planLines(file, inv) {
		for i, r := range l.rows(s) {
			id := string(l.members[i].id)
			for _, b := range r.Bars {
				got[id] = append(got[id], fmt.Sprintf("%s %s-%s", b.Kind, b.From.Format("2/15"), b.To.Format("2/15")))
			}
			for _, m := range r.Marks {
				got[id] = append(got[id], fmt.Sprintf("%s %s", m.Kind, m.Title))
			}
			got[id] = append(got[id], "sum "+r.Sum)
		}
	}
	for id, want := range map[string][]string{
		"plain": {"running 1/10-1/20", "stopped 1/20-2/08", "running 2/08-2/20", "stopped 2/20-3/00", "sum 22 h"},
		"safe": {
			"running 1/10-1/20", "running 1/20-2/08", "running 2/08-2/20", "running 2/20-3/00",
			`cancelled Fri 1 Jan 20:00 stop cancelled: protected by "safe" (curfew.yaml:3)`,
			"start Sat 2 Jan 08:00 begin of 08:00-20:00, only if stopped (curfew.yaml:7)",
			`cancelled Sat 2 Jan 20:00 stop cancelled: protected by "safe" (curfew.yaml:3)`, "sum 38 h",
		},
		"other": {
			"nothing wanted 1/10-3/00",
			`cancelled Fri 1 Jan 20:00 stop cancelled: it is called "prod", not "dev" (curfew.yaml:6)`,
			`cancelled Sat 2 Jan 08:00 start cancelled: it is called "prod", not "dev" (curfew.yaml:6)`,
			`cancelled Sat 2 Jan 20:00 stop cancelled: it is called "prod", not "dev" (curfew.yaml:6)`, "sum ",
		},
		"night": {
			"running 1/10-2/12", "running 2/12-2/20", "running 2/20-3/00",
			"start Sat 2 Jan 12:00 0 12 2 1 *, only if stopped (curfew.yaml:8)",
			`cancelled Sat 2 Jan 20:00 stop cancelled: protected by "night" (curfew.yaml:3)`, "sum 38 h",
		},
	} {
		if !slices.Equal(got[id], want) {
			t.Errorf("%s:\ngot  %q\nwant %q", id, got[id], want)
		}
	}
}

// TestPlanSVGNeverStarted: a protected deployment under a policy that only stops is
// drawn neither as running nor as stopped.
func TestPlanSVGNeverStarted(t *testing.T) {
	t.Parallel()
	file := fileOf(t, "{timezone: UTC, protect: [w1], policies: [{name: p, deployments: [w1], stop: '0 20 * * *'}]}")
	s := span{time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 3, 0, 0, 0, 0, time.UTC)}
	r := planLines(file, nil)[0].rows(s)[0]
	if len(r.Bars) != 1 || r.Bars[0].Kind != picture.Nothing || r.Sum != "" {
		t.Errorf("bars %v, sum %q; want one of nothing", r.Bars, r.Sum)
	}
	if len(r.Marks) != 2 || r.Marks[0].Kind != picture.MarkCancelled {
		t.Errorf("marks %v, want two that are cancelled", r.Marks)
	}
}

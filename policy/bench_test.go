package policy

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkNext(b *testing.B) { benchmarkSchedule(b, (*Schedule).Next) }

func BenchmarkPrev(b *testing.B) { benchmarkSchedule(b, (*Schedule).Prev) }

// benchmarkSchedule asks an ordinary year with and without a listed clock
// change, and the widest gap that the calendar has.
func benchmarkSchedule(b *testing.B, ask func(*Schedule, time.Time) (time.Time, bool)) {
	for _, c := range []struct{ name, expr, zone, at string }{
		{"daily", "0 20 * * MON-FRI", "Europe/Berlin", "2026-06-03T12:00:00Z"},
		{"winter", "0 20 * * MON-FRI", "America/New_York", "2031-01-15T12:00:00Z"},
		{"real", "*/15 8-18 * * *", "Europe/Berlin", "2026-06-03T22:00:00Z"},
		{"gap", "30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z"},
		{"rare", "0 0 29 2 *", "Europe/Berlin", "2097-06-03T12:00:00Z"},
		{"rare-real", "* 0 29 2 *", "Europe/Berlin", "2097-06-03T12:00:00Z"},
	} {
		s := must(ParseSchedule(c.expr, must(time.LoadLocation(c.zone))))
		at := must(time.Parse(time.RFC3339, c.at))
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := ask(s, at); !ok {
					b.Fatal("no answer")
				}
			}
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	p := office(b, Options{StartLead: 10 * time.Minute})
	at := must(time.Parse(time.RFC3339, "2026-06-03T12:00:00Z"))
	b.ReportAllocs()
	for b.Loop() {
		if p.Decide(at).Want != Running {
			b.Fatal("not running at noon")
		}
	}
}

// BenchmarkDecideDays asks what the policy of BenchmarkDecide says as windows, and
// what both forms say under three calendars of a century.
func BenchmarkDecideDays(b *testing.B) {
	at := must(time.Parse(time.RFC3339, "2026-06-03T12:00:00Z"))
	for _, c := range []struct {
		name string
		spec Spec
	}{
		{"cron", officeSpec(Options{StartLead: 10 * time.Minute})},
		{"windows", officeWindows(Options{StartLead: 10 * time.Minute})},
		{"cron-calendars", with(officeSpec(Options{StartLead: 10 * time.Minute}), threeCalendars)},
		{"windows-calendars", with(officeWindows(Options{StartLead: 10 * time.Minute}), threeCalendars)},
	} {
		p := compiled(b, c.spec)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p.Decide(at).Want != Running {
					b.Fatal("not running at noon")
				}
			}
		})
	}
}

// BenchmarkLongCalendar asks for the next start where the calendar takes
// everything away until 2099: every day of forty thousand, or each one on which
// something would begin.
func BenchmarkLongCalendar(b *testing.B) {
	at := must(time.Parse(time.RFC3339, "2000-06-03T12:00:00Z"))
	every := func(time.Time) bool { return true }
	saturdays := func(t time.Time) bool { return t.Weekday() == time.Saturday }
	weekly := with(officeSpec(Options{}), func(s *Spec) { s.Start[0].Expr, s.Stop[0].Expr = "0 8 * * SAT", "0 20 * * SAT" })
	for _, c := range []struct {
		name string
		spec Spec
		off  func(time.Time) bool
	}{
		{"every-day-cron", officeSpec(Options{}), every},
		{"every-day-windows", officeWindows(Options{}), every},
		{"saturdays-cron", weekly, saturdays},
		{"saturdays-windows", with(officeWindows(Options{}), func(s *Spec) { s.Running[0].Expr = "Sat 08:00-20:00" }), saturdays},
	} {
		c.spec.Except = []Exception{{Calendar: "off"}}
		p := compiledWith(b, c.spec, NewCalendar("off", century(c.off)))
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if e, ok := p.NextOf(Running, at); !ok || e.At.Year() != 2100 {
					b.Fatal(e, ok)
				}
			}
		})
	}
}

func BenchmarkDecideUnder(b *testing.B) {
	p := office(b, Options{StartLead: 10 * time.Minute})
	at := must(time.Parse(time.RFC3339, "2026-06-03T20:00:00Z"))
	over := []Override{
		{ID: 1, Kind: Skip, Power: Stopped, Count: 1, From: at.Add(-24 * time.Hour), Until: at.Add(24 * time.Hour)},
		{ID: 2, Kind: Hold, Power: Running, Before: Running, From: at.Add(-3 * time.Hour), Until: at.Add(time.Hour)},
	}
	b.ReportAllocs()
	for b.Loop() {
		if p.DecideUnder(over, at).Want != Running {
			b.Fatal("not held")
		}
	}
}

// BenchmarkEdges is one policy's share of a plan of seven days.
func BenchmarkEdges(b *testing.B) {
	p := office(b, Options{StartLead: 10 * time.Minute})
	at := must(time.Parse(time.RFC3339, "2026-06-03T12:00:00Z"))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range p.Edges(at, at.AddDate(0, 0, 7)) {
			n++
		}
		if n != 10 {
			b.Fatalf("%d edges in a week, want 10", n)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	env := Env{Zones: map[string]*time.Location{"Europe/Berlin": must(time.LoadLocation("Europe/Berlin"))}, Calendars: map[string]*Calendar{}}
	for _, c := range hundredYears() {
		env.Calendars[c.Name()] = c
	}
	for _, c := range []struct {
		name string
		spec Spec
	}{
		{"cron", officeSpec(Options{StartLead: 10 * time.Minute})},
		{"cron-calendars", with(officeSpec(Options{StartLead: 10 * time.Minute}), threeCalendars)},
		{"windows-calendars", with(officeWindows(Options{StartLead: 10 * time.Minute}), threeCalendars)},
	} {
		b.Run(c.name, func(b *testing.B) {
			specs := make([]Spec, 100)
			for i := range specs {
				specs[i] = c.spec
				specs[i].Name, specs[i].Deployments = fmt.Sprint(i), nil
			}
			for b.Loop() {
				if set, problems := Compile(specs, env); set == nil {
					b.Fatal(problems)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(specs)), "µs/policy")
		})
	}
}

func officeSpec(o Options) Spec {
	return Spec{
		Name:        "office-hours",
		Pos:         Pos{"curfew.yaml", 10, 5},
		Deployments: []Member{{ID: "w41b11c0", Pos: Pos{"curfew.yaml", 11, 20}}},
		Start:       []Cron{{"0 8 * * MON-FRI", Pos{"curfew.yaml", 12, 13}}},
		Stop:        []Cron{{"0 20 * * MON-FRI", Pos{"curfew.yaml", 13, 12}}},
		Zone:        "Europe/Berlin",
		ZonePos:     Pos{"curfew.yaml", 14, 15},
		Options:     o,
	}
}

// officeWindows is officeSpec as windows.
func officeWindows(o Options) Spec {
	s := officeSpec(o)
	s.Start, s.Stop = nil, nil
	s.Running = []Window{{"Mon-Fri 08:00-20:00", Pos{"curfew.yaml", 12, 14}}}
	return s
}

// threeCalendars gives a policy holidays, a freeze and a summer.
func threeCalendars(s *Spec) {
	s.Except = []Exception{
		{"holidays", EffectOff, Pos{"curfew.yaml", 16, 14}},
		{"freeze", EffectUntouched, Pos{"curfew.yaml", 16, 29}},
		{"summer", EffectStopped, Pos{"curfew.yaml", 16, 48}},
	}
}

// century lists the dates from 2000 to 2099 of which in is true.
func century(in func(time.Time) bool) []Day {
	var days []Day
	for at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2100; at = at.AddDate(0, 0, 1) {
		if in(at) {
			days = append(days, Day{Date{at.Year(), at.Month(), at.Day()}, "a day"})
		}
	}
	return days
}

// office is weekdays from eight to eight in Berlin.
func office(t testing.TB, o Options) *Policy { return compiled(t, officeSpec(o)) }

// compiled returns the policy of a spec that has to be right, with calendars of a
// hundred years.
func compiled(t testing.TB, s Spec) *Policy {
	t.Helper()
	return compiledWith(t, s, hundredYears()...)
}

func hundredYears() []*Calendar {
	return []*Calendar{
		NewCalendar("holidays", century(func(t time.Time) bool { return t.Day() == 1 })),
		NewCalendar("freeze", century(func(t time.Time) bool { return t.Month() == time.December && t.Day() > 23 })),
		NewCalendar("summer", century(func(t time.Time) bool { return t.Month() == time.August && t.Day() < 15 })),
	}
}

// compiledWith is compiled with other calendars.
func compiledWith(t testing.TB, s Spec, calendars ...*Calendar) *Policy {
	t.Helper()
	env := Env{Zones: map[string]*time.Location{}, Calendars: map[string]*Calendar{}}
	if s.Zone != "" {
		env.Zones[s.Zone] = must(time.LoadLocation(s.Zone))
	}
	for _, c := range calendars {
		env.Calendars[c.Name()] = c
	}
	set, problems := Compile([]Spec{s}, env)
	if set == nil {
		t.Fatalf("compile %q: %v", s.Name, problems)
	}
	return set.Policies[0]
}

package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestEdges tells how starts and stops share the clock: one line an edge, in
// local time.
func TestEdges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, zone  string
		start, stop []string
		lead        time.Duration
		from, to    string
		want        []string
	}{
		{
			"a lead makes starts earlier, not stops", "Europe/Berlin",
			[]string{"0 8 * * MON-FRI"}, []string{"0 20 * * MON-FRI"}, 10 * time.Minute,
			"2026-12-24T00:00:00Z", "2026-12-26T00:00:00Z",
			[]string{"24 07:50 CET start for 08:00", "24 20:00 CET stop for 20:00", "25 07:50 CET start for 08:00", "25 20:00 CET stop for 20:00"},
		},
		{
			"a lead is real time across a change", "Europe/Berlin",
			[]string{"30 3 * * *"}, nil, time.Hour,
			"2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z",
			[]string{"29 01:30 CET start for 03:30"},
		},
		{
			"a lead stays a minute behind the stop before it", "UTC",
			[]string{"0 8 * * *"}, []string{"45 7 * * *"}, time.Hour,
			"2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z",
			[]string{"01 07:45 UTC stop for 07:45", "01 07:46 UTC start for 08:00"},
		},
		{
			"a lead that ends a minute behind it is not cut", "UTC",
			[]string{"0 8 * * *"}, []string{"45 7 * * *"}, 14 * time.Minute,
			"2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z",
			[]string{"01 07:45 UTC stop for 07:45", "01 07:46 UTC start for 08:00"},
		},
		{
			"a stop a minute before takes the lead away", "UTC",
			[]string{"0 8 * * *"}, []string{"59 7 * * *"}, time.Hour,
			"2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z",
			[]string{"01 07:59 UTC stop for 07:59", "01 08:00 UTC start for 08:00"},
		},
		{
			"starts held back by one stop count once, as the last of them", "UTC",
			[]string{"0,5 8 * * *", "30 9 * * *"}, []string{"45 7 * * *"}, time.Hour,
			"2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z",
			[]string{"01 07:45 UTC stop for 07:45", "01 07:46 UTC start for 08:05", "01 08:30 UTC start for 09:30"},
		},
		{
			"a lead reaches into the day before", "UTC",
			[]string{"0 0 2 * *"}, nil, 10 * time.Minute,
			"2026-06-01T00:00:00Z", "2026-06-03T00:00:00Z",
			[]string{"01 23:50 UTC start for 00:00"},
		},
		{
			"in a gap the later local time wins: the stop", "Europe/Berlin",
			[]string{"15 2 * * *"}, []string{"45 2 * * *"}, 0,
			"2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"29 03:00 CEST start for 02:15 superseded", "29 03:00 CEST stop for 02:45"},
		},
		{
			"in a gap the later local time wins: the start, with its lead", "Europe/Berlin",
			[]string{"45 2 * * *"}, []string{"15 2 * * *"}, 10 * time.Minute,
			"2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"29 01:50 CET start for 02:45", "29 03:00 CEST stop for 02:15 superseded"},
		},
		{
			"a time at the end of the gap is later than one inside it", "Europe/Berlin",
			[]string{"15 2 * * *", "0 3 * * *"}, []string{"45 2 * * *"}, 0,
			"2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"29 03:00 CEST stop for 02:45 superseded", "29 03:00 CEST start for 03:00"},
		},
		{
			"a superseded stop holds no lead back", "Europe/Berlin",
			[]string{"45 2 * * *", "30 3 * * *"}, []string{"15 2 * * *"}, 40 * time.Minute,
			"2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"29 01:20 CET start for 02:45", "29 01:50 CET start for 03:30", "29 03:00 CEST stop for 02:15 superseded"},
		},
		{
			"two lines for one time count once", "UTC",
			nil, []string{"0 20 * * *", "0 20 * * MON", "0 12 * * *"}, 0,
			"2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z",
			[]string{"01 12:00 UTC stop for 12:00", "01 20:00 UTC stop for 20:00"},
		},
		{
			"from belongs to the span, to does not", "UTC",
			nil, []string{"0 * * * *"}, 0,
			"2026-06-01T01:00:00Z", "2026-06-01T03:00:00Z",
			[]string{"01 01:00 UTC stop for 01:00", "01 02:00 UTC stop for 02:00"},
		},
		{
			"in a repeated hour real time comes twice, a fixed time once", "Europe/Berlin",
			[]string{"30 * * * *"}, []string{"45 2 * * *"}, 0,
			"2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z",
			[]string{"25 02:30 CEST start for 02:30", "25 02:45 CEST stop for 02:45", "25 02:30 CET start for 02:30"},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			p := policyOf(t, c.zone, c.lead, c.start, c.stop)
			var got []string
			for e := range p.Edges(must(time.Parse(time.RFC3339, c.from)), must(time.Parse(time.RFC3339, c.to))) {
				got = append(got, tell(e))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// tell writes an edge as the table does.
func tell(e Edge) string {
	s := fmt.Sprintf("%s %s for %02d:%02d", e.At.Format("02 15:04 MST"), e.Power.Action(), e.Nominal.Hour, e.Nominal.Minute)
	if e.Cancelled != "" {
		s += " " + e.Cancelled
	}
	return s
}

func policyOf(t testing.TB, zone string, lead time.Duration, start, stop []string) *Policy {
	t.Helper()
	s := Spec{Name: "p", Zone: zone, Options: Options{StartLead: lead}}
	for i, expr := range start {
		s.Start = append(s.Start, Cron{expr, Pos{Line: 1, Col: i + 1}})
	}
	for i, expr := range stop {
		s.Stop = append(s.Stop, Cron{expr, Pos{Line: 2, Col: i + 1}})
	}
	return compiled(t, s)
}

func TestEdgeSaysWhy(t *testing.T) {
	t.Parallel()
	p := office(t, Options{StartLead: 10 * time.Minute})
	e, _ := p.Next(must(time.Parse(time.RFC3339, "2026-12-24T00:00:00Z")))
	if want := (Because{KindEdge, Pos{"curfew.yaml", 12, 13}, "0 8 * * MON-FRI"}); e.Because != want {
		t.Errorf("because %v, want %v", e.Because, want)
	}
	if e.Nominal.String() != "2026-12-24 08:00" || e.NominalAt.Sub(e.At) != 10*time.Minute || e.At.Location().String() != "Europe/Berlin" {
		t.Errorf("for %s at %v, %v after the call, in %v", e.Nominal, e.NominalAt, e.NominalAt.Sub(e.At), e.At.Location())
	}
}

// TestNothingBehindOrAhead is a policy without times: it wants nothing.
func TestNothingBehindOrAhead(t *testing.T) {
	t.Parallel()
	p := &Policy{loc: time.UTC}
	if d := p.Decide(time.Unix(0, 0)); d != (Decision{}) {
		t.Errorf("%+v is wanted, want nothing", d)
	}
	for e := range p.Edges(time.Unix(0, 0), time.Unix(1<<40, 0)) {
		t.Errorf("edge %s", tell(e))
	}
	for _, power := range []Power{None, Running, Stopped, Power(7)} {
		if e, ok := p.NextOf(power, time.Unix(0, 0)); ok {
			t.Errorf("next %s: %s", power, tell(e))
		}
	}
}

// TestDecideReads tells what is wanted on an ordinary day.
func TestDecideReads(t *testing.T) {
	t.Parallel()
	p := office(t, Options{StartLead: 10 * time.Minute})
	for at, want := range map[string]string{
		"2026-12-24T06:49:59Z": "stopped since 23 20:00 until 24 07:50",
		"2026-12-24T06:50:00Z": "running since 24 07:50 until 24 20:00",
		"2026-12-24T19:00:00Z": "stopped since 24 20:00 until 25 07:50",
		"2026-12-27T12:00:00Z": "stopped since 25 20:00 until 28 07:50",
	} {
		d := p.Decide(must(time.Parse(time.RFC3339, at)))
		if got := fmt.Sprintf("%s since %s until %s", d.Want, d.Since.Format("02 15:04"), d.Until.Format("02 15:04")); got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
}

// drawPolicy draws a policy of cron lines.
func drawPolicy(t *rapid.T, zone string) (p *Policy, start, stop []string) {
	lead, start, stop := drawCrons(t)
	s := Spec{Name: "p", Zone: zone, Options: Options{StartLead: lead}}
	for _, expr := range start {
		s.Start = append(s.Start, Cron{Expr: expr})
	}
	for _, expr := range stop {
		s.Stop = append(s.Stop, Cron{Expr: expr})
	}
	set, problems := Compile([]Spec{s}, Env{Zones: map[string]*time.Location{zone: must(time.LoadLocation(zone))}})
	if set == nil {
		// A day of the months drawn that never comes is the one mistake left.
		for _, problem := range problems {
			if !problem.Warning && !strings.Contains(problem.Text, "never fires") {
				t.Fatalf("%v", problem)
			}
		}
		t.Skip("never fires")
	}
	return set.Policies[0], start, stop
}

// oracleEdges makes edges of the tape's runs by the words of the design.
func oracleEdges(p *Policy, start, stop []string, tp tape) []Edge {
	starts, stops := tp.join(start), tp.join(stop)
	var edges []Edge
	for at, nominal := range stops {
		e := Edge{At: at, NominalAt: at, Nominal: civilOf(nominal), Power: Stopped}
		if other, tied := starts[at]; tied && other.After(nominal) {
			e.Cancelled = Superseded
		}
		edges = append(edges, e)
	}
	byInstant := map[time.Time]Edge{}
	for at, nominal := range starts {
		e := Edge{At: at, NominalAt: at, Nominal: civilOf(nominal), Power: Running}
		if other, tied := stops[at]; tied && other.After(nominal) {
			e.Cancelled = Superseded
			edges = append(edges, e)
			continue
		}
		e.At = ledBy(p.options.StartLead, at, edges[:len(stops)])
		if known, ok := byInstant[e.At]; !ok || known.NominalAt.Before(at) {
			byInstant[e.At] = e
		}
	}
	for _, e := range byInstant {
		edges = append(edges, e)
	}
	slices.SortFunc(edges, func(a, b Edge) int {
		return cmp.Or(a.At.Compare(b.At), -strings.Compare(a.Cancelled, b.Cancelled))
	})
	return edges
}

func ledBy(lead time.Duration, at time.Time, stops []Edge) time.Time {
	led := at.Add(-lead)
	for _, stop := range stops {
		if after := stop.At.Add(time.Minute); stop.Cancelled == "" && stop.At.Before(at) && led.Before(after) {
			led = after
		}
	}
	if led.After(at) {
		return at
	}
	return led
}

// join is runs for several expressions.
func (tp tape) join(exprs []string) map[time.Time]time.Time {
	all := map[time.Time]time.Time{}
	for _, expr := range exprs {
		for at, nominal := range tp.runs(expr) {
			if nominal.After(all[at]) {
				all[at] = nominal
			}
		}
	}
	return all
}

func civilOf(t time.Time) Civil {
	return Civil{t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute()}
}

// TestEdgesAgainstEveryMinute compares what is yielded around a jump with the
// oracle, and every other way of asking with what is yielded.
func TestEdgesAgainstEveryMinute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		j := drawJump(t)
		p, start, stop := drawPolicy(t, j.zone)
		from, to := j.at.Add(-30*time.Hour), j.at.Add(30*time.Hour)
		var want []Edge
		for _, e := range oracleEdges(p, start, stop, clockTape(j.loc, j.at, 4*24*time.Hour)) {
			if !e.At.Before(from) && e.At.Before(to) {
				want = append(want, e)
			}
		}
		got := slices.Collect(p.Edges(from, to))
		if a, b := tellAll(got), tellAll(want); a != b {
			t.Fatalf("%s, start %q, stop %q, lead %s\ngot\n%swant\n%s", j, start, stop, p.options.StartLead, a, b)
		}
		checkAsking(t, p, from, to, slices.DeleteFunc(got, func(e Edge) bool { return e.Cancelled != "" }))
	})
}

func tellAll(edges []Edge) string {
	var b strings.Builder
	for _, e := range edges {
		fmt.Fprintf(&b, "  %s %s, nominal %s %s %s\n", e.At.UTC().Format(time.RFC3339), e.Power, e.Nominal, e.NominalAt.UTC().Format(time.RFC3339), e.Cancelled)
	}
	return b.String()
}

// checkAsking holds Next, NextOf, Prev and Decide to the edges of a span that
// count.
func checkAsking(t *rapid.T, p *Policy, from, to time.Time, edges []Edge) {
	t.Helper()
	at := from.Add(-1)
	for i, want := range edges {
		if got, ok := p.Next(at); !ok || got != want {
			t.Fatalf("Next(%v) is %s, want %s", at.UTC(), tell(got), tell(want))
		}
		for _, upTo := range []time.Time{want.At, want.At.Add(1)} {
			if got, ok := p.Prev(upTo); !ok || got != want {
				t.Fatalf("Prev(%v) is %s, want %s", upTo.UTC(), tell(got), tell(want))
			}
		}
		for _, power := range []Power{Running, Stopped} {
			k := slices.IndexFunc(edges[i:], func(e Edge) bool { return e.Power == power })
			if got, ok := p.NextOf(power, at); k >= 0 && (!ok || got != edges[i+k]) {
				t.Fatalf("NextOf(%s, %v) is %s, want %s", power, at.UTC(), tell(got), tell(edges[i+k]))
			}
		}
		d := p.Decide(want.At)
		next := to
		if i+1 < len(edges) {
			next = edges[i+1].At
		}
		if d.Until.IsZero() {
			if e, ok := p.Next(want.At); ok {
				t.Fatalf("at %v %+v is wanted for ever, and then comes %s", want.At.UTC(), d, tell(e))
			}
			d.Until = to
		}
		if d.Want != want.Power || !d.Since.Equal(want.At) || d.Until.Before(next) || d.Because != want.Because {
			t.Fatalf("at %v %+v is wanted, want %s until %v", want.At.UTC(), d, want.Power, next.UTC())
		}
		last := p.Decide(d.Until.Add(-1))
		if last.Until.IsZero() {
			last.Until = to
		}
		if last != d {
			t.Fatalf("at %v %+v is wanted, at the end of that %+v", want.At.UTC(), d, last)
		}
		at = want.At
	}
}

// TestDecideIsMonotone asks at two instants of a century: what is wanted later
// is wanted since later.
func TestDecideIsMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, _, _ := drawPolicy(t, rapid.SampledFrom(jumpZones()).Draw(t, "zone"))
		at := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "at"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns"))
		later := at.Add(time.Duration(rapid.Int64Range(0, int64(400*24*time.Hour)).Draw(t, "later")))
		a, b := p.Decide(at), p.Decide(later)
		if b.Since.Before(a.Since) || b.Until.Before(a.Until) || a.Since.After(at) || !a.Until.After(at) {
			t.Fatalf("at %v %+v\nat %v %+v", at.UTC(), a, later.UTC(), b)
		}
		if same := later.Before(a.Until); same && a != b {
			t.Fatalf("at %v %+v\nat %v, inside its span, %+v", at.UTC(), a, later.UTC(), b)
		}
	})
}

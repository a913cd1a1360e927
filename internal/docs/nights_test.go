package docs

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the pages' zones, where the system has none

	"curfew/policy"
)

// A night is a night of a clock change, as the pages show it.
type night struct {
	name     string
	title    string
	zone     string
	from, to time.Time // what is shown, whole local hours at both ends
	change   time.Time // the instant at which the clocks change
	what     string    // what happens then, in a few words
}

func springNight() night {
	return night{
		name: "spring", title: "Europe/Berlin, 28 March 2027: clocks go forward", zone: "Europe/Berlin",
		from:   time.Date(2027, 3, 27, 23, 0, 0, 0, time.UTC),
		to:     time.Date(2027, 3, 28, 3, 0, 0, 0, time.UTC),
		change: time.Date(2027, 3, 28, 1, 0, 0, 0, time.UTC),
		what:   "02:00 becomes 03:00: no clock shows 02:00 to 02:59",
	}
}

func autumnNight() night {
	return night{
		name: "autumn", title: "Europe/Berlin, 25 October 2026: clocks go back", zone: "Europe/Berlin",
		from:   time.Date(2026, 10, 24, 23, 0, 0, 0, time.UTC),
		to:     time.Date(2026, 10, 25, 3, 0, 0, 0, time.UTC),
		change: time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC),
		what:   "03:00 becomes 02:00: clocks show 02:00 to 02:59 twice",
	}
}

// nightly are the expressions that both nights are shown with: two of fixed
// local times, two that follow real time.
func nightly() []string {
	return []string{"30 2 * * *", "0,30 1-3 * * *", "*/15 2 * * *", "0 * * * *"}
}

// location loads a zone.
func location(t *testing.T, zone string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// compile returns the one policy that spec makes.
func compile(t *testing.T, spec policy.Spec) *policy.Policy {
	t.Helper()
	spec.Name, spec.Deployments = "example", []policy.Member{{ID: "w41b11c0"}}
	env := policy.Env{Zones: map[string]*time.Location{spec.Zone: location(t, spec.Zone)}}
	set, problems := policy.Compile([]policy.Spec{spec}, env)
	if set == nil {
		t.Fatalf("compile %+v: %v", spec, problems)
	}
	return set.Policies[0]
}

// runs returns when expr is due in that night, as the edges of a policy that
// stops: an Edge carries the local time that it is for.
func (n night) runs(t *testing.T, expr string) []policy.Edge {
	t.Helper()
	p := compile(t, policy.Spec{Zone: n.zone, Stop: []policy.Cron{{Expr: expr}}})
	var all []policy.Edge
	for e := range p.Edges(n.from, n.to) {
		all = append(all, e)
	}
	return all
}

// followsRealTime asks policy how it reads expr.
func followsRealTime(t *testing.T, expr string) bool {
	t.Helper()
	s, err := policy.ParseSchedule(expr, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return s.FollowsRealTime()
}

// reading says in two words how expr is read.
func reading(t *testing.T, expr string) string {
	t.Helper()
	if followsRealTime(t, expr) {
		return "real time"
	}
	return "fixed times"
}

// shown is a local time with its zone's abbreviation, and the time that it is
// for where a gap put it elsewhere.
func shown(e policy.Edge) string {
	text := e.At.Format("15:04 MST")
	if nominal := clockOf(e.Nominal); nominal != e.At.Format("15:04") {
		text += " (for " + nominal + ")"
	}
	return text
}

func clockOf(c policy.Civil) string { return fmt.Sprintf("%02d:%02d", c.Hour, c.Minute) }

// table lists the runs of that night.
func (n night) table(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| expression | reading | due |\n|---|---|---|\n")
	for _, expr := range nightly() {
		var due []string
		for _, e := range n.runs(t, expr) {
			due = append(due, shown(e))
		}
		if due == nil {
			due = []string{"not in this night"}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", expr, reading(t, expr), strings.Join(due, ", "))
	}
	return b.String()
}

// edgeTable lists all edges of a policy in a span.
func edgeTable(p *policy.Policy, from, to time.Time) string {
	var b strings.Builder
	b.WriteString("| due | what | for the local time | |\n|---|---|---|---|\n")
	for e := range p.Edges(from, to) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n",
			e.At.Format("Mon 2 Jan 2006 15:04 MST"), e.Power.Action(), clockOf(e.Nominal), e.Cancelled)
	}
	return b.String()
}

// gapTable is a start and a stop that the spring night moves to one instant.
func gapTable(t *testing.T) string {
	n := springNight()
	p := compile(t, policy.Spec{
		Zone: n.zone, Start: []policy.Cron{{Expr: "15 2 * * *"}}, Stop: []policy.Cron{{Expr: "45 2 * * *"}},
	})
	return edgeTable(p, n.from.AddDate(0, 0, -1), n.to)
}

// leadTable is a start with a lead that the stop before it cuts short.
func leadTable(t *testing.T) string {
	loc := location(t, "Europe/Berlin")
	p := compile(t, policy.Spec{
		Zone: "Europe/Berlin", Start: []policy.Cron{{Expr: "0 8,13 * * *"}}, Stop: []policy.Cron{{Expr: "55 12,19 * * *"}},
		Options: policy.Options{StartLead: 10 * time.Minute},
	})
	return edgeTable(p, time.Date(2026, 12, 1, 0, 0, 0, 0, loc), time.Date(2026, 12, 2, 0, 0, 0, 0, loc))
}

// dialectTable shows the first runs of what robfig's parser would refuse, or
// what people read otherwise.
func dialectTable(t *testing.T) string {
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) // a Tuesday
	var b strings.Builder
	b.WriteString("| expression | the first four times from Tuesday, 1 December 2026, on |\n|---|---|\n")
	for _, expr := range []string{
		"0 20 * * MON-FRI", "0 20 * * 7", "0 20 * * 5-7", "0 20 * * FRI-SUN", "0 20 * * SAT-SUN", "0 20 31 * *",
		"0 20 1-3 * MON", "0 20 */2 * MON", "@weekly",
	} {
		s, err := policy.ParseSchedule(expr, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		var runs []string
		at, ok := s.Next(from)
		for ; ok && len(runs) < 4; at, ok = s.Next(at) {
			runs = append(runs, at.Format("Mon 2 Jan 15:04"))
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", expr, strings.Join(runs, ", "))
	}
	return b.String()
}

// refusedTable shows what is said of expressions that are refused, in a file.
func refusedTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| expression | what curfew says |\n|---|---|\n")
	for _, expr := range []string{
		"CRON_TZ=Europe/Berlin 0 20 * * *", "@every 1h", "@reboot", "0 0 20 * * *", "0 20 * *", ", * * * *",
		"*-garbage * * * *", "0 20 L * *", "0 20 * * MONDAY", "0 22-6 * * *", "0 24 * * *", "*/0 * * * *", "0 0 31 2 *",
	} {
		_, problems := policy.Compile([]policy.Spec{{
			Name: "example", Zone: "UTC", Stop: []policy.Cron{{Expr: expr}},
		}}, policy.Env{Zones: map[string]*time.Location{"UTC": time.UTC}})
		if len(problems) != 1 {
			t.Fatalf("%q: problems %v, want one", expr, problems)
		}
		text := strings.TrimPrefix(problems[0].Text, fmt.Sprintf("cron %q", expr))
		fmt.Fprintf(&b, "| `%s` | %s |\n", expr, cell(strings.TrimLeft(text, ": "), problems[0].Hint))
	}
	return b.String()
}

// cell is a problem's text and hint as Markdown takes them inside a table.
func cell(text, hint string) string {
	if hint != "" {
		text += " (" + hint + ")"
	}
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;").Replace(text)
}

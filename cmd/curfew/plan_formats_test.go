package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"pgregory.net/rapid"

	"curfew/internal/config"
	"curfew/policy"
)

// kit has one of each thing that a plan can show.
const kit = `
timezone: Europe/Berlin
protect: ["prod-*", guarded]
calendars:
  holidays: {dates: [2026-12-25, 2026-12-28]}
  freeze: {dates: [2026-12-30..2027-01-01]}
policies:
- name: office
  deployments: [{id: w1, name: "Müller, \"dev\"; 1"}, {id: w2, name: prod-eu}]
  running: Mon-Fri 08:00-20:00
  start_lead: 10m
  except: {holidays: off, freeze: untouched}
- name: week
  deployments: [guarded]
  running: Mon 06:00-Fri 20:00
  except: holidays
- {name: nightly, deployments: [w3, w4], stop: "0 23 * * *"}
- {name: watched, deployments: [w5], stop: "0 12 * * *", timezone: UTC, dry_run: true}
`

// kitPlan is the plan of eleven days of the kit: lines and span.
func kitPlan(t *testing.T) (*config.Config, []*planLine, span) {
	t.Helper()
	file := fileOf(t, kit)
	from := time.Date(2026, 12, 24, 0, 0, 0, 0, file.Location)
	return file, planLines(file, nil), span{from, from.AddDate(0, 0, 11)}
}

// TestPlanCSV: what spreadsheets get is what programs get, a record a line.
func TestPlanCSV(t *testing.T) {
	t.Parallel()
	_, lines, s := kitPlan(t)
	var table, array bytes.Buffer
	if err := writePlanCSV(&table, walk(lines, s)); err != nil {
		t.Fatal(err)
	}
	if err := writePlanJSON(&array, walk(lines, s)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(table.String(), "\n"); n != strings.Count(table.String(), "\r\n") {
		t.Error("RFC 4180 ends a record with CRLF")
	}
	records, err := csv.NewReader(&table).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(array.Bytes(), &rows); err != nil {
		t.Fatal(err)
	}
	if len(records) != len(rows)+1 || len(rows) == 0 {
		t.Fatalf("%d records with the header, want one more than the %d objects", len(records), len(rows))
	}
	for i, row := range rows {
		for k, column := range records[0] {
			want := ""
			if v, ok := row[column]; ok {
				want = fmt.Sprint(v)
			}
			if got := records[i+1][k]; got != want {
				t.Errorf("record %d: %s is %q, want %q", i+1, column, got, want)
			}
		}
	}
}

// icalOf is the calendar of a plan, read by somebody else's parser.
func icalOf(t fataler, lines []*planLine, s span) (string, *ics.Calendar) {
	t.Helper()
	var out bytes.Buffer
	if err := writePlanICal(&out, "default", lines, s); err != nil {
		t.Fatalf("%v", err)
	}
	cal, err := ics.ParseCalendar(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	return out.String(), cal
}

// A fataler is a test, of either kind.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// TestPlanICalText: lines are folded and ended as RFC 5545 has it, and texts come
// through whatever stands in them.
func TestPlanICalText(t *testing.T) {
	t.Parallel()
	_, lines, s := kitPlan(t)
	lines[0].members[0].name = strings.Repeat("ü", 60) + `,;\` + "\x07" + `:"end`
	text, cal := icalOf(t, lines, s)
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n\x07") || !utf8.ValidString(line) {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
	want := strings.Repeat("ü", 60) + `,;\:"end (w1) running`
	i := slices.IndexFunc(cal.Events(), func(e *ics.VEvent) bool { return strings.HasPrefix(e.Id(), "w1-") })
	if i < 0 {
		t.Fatalf("no event of w1 in\n%s", text)
	}
	if got := cal.Events()[i].GetProperty(ics.ComponentPropertySummary).Value; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}

// TestPlanICalSays: an event carries its lines, and what stands in the way.
func TestPlanICalSays(t *testing.T) {
	t.Parallel()
	_, lines, s := kitPlan(t)
	_, cal := icalOf(t, lines, s)
	var got []string
	for _, e := range cal.Events() {
		begin, _ := e.GetStartAt()
		end, _ := e.GetEndAt()
		got = append(got, fmt.Sprintf("%s %s %s %s", e.Id(), begin.Format(icalTime), end.Format(icalTime),
			strings.ReplaceAll(e.GetProperty(ics.ComponentPropertyDescription).Value, "\n", " | ")))
	}
	for _, want := range []string{
		"w1-20261224T065000Z@default.curfew 20261224T065000Z 20261224T190000Z policy office | start: for 08:00, lead 10m (curfew.yaml:10) | stop: end of Mon-Fri window (curfew.yaml:10)",
		"w2-20261224T065000Z@default.curfew 20261224T065000Z 20261224T190000Z policy office | start: for 08:00, lead 10m (curfew.yaml:10) | stop: end of Mon-Fri window (curfew.yaml:10) | protected by \"prod-*\", curfew.yaml:3",
		"guarded-20261221T050000Z@default.curfew 20261221T050000Z 20261225T190000Z policy week | start: begin of Mon 06:00-Fri 20:00 (curfew.yaml:15) | stop: end of Mon 06:00-Fri 20:00 (curfew.yaml:15) | protected by \"guarded\", curfew.yaml:3",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no event\n %s\nin\n %s", want, strings.Join(got, "\n "))
		}
	}
}

// TestPlanICalIsTheLaw holds the events of any file to what is wanted: an instant
// of the span lies in an event of a deployment just where its policy wants it
// running. Plans that overlap have the same events, by the same UIDs.
func TestPlanICalIsTheLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		file, s, text := drawFile(rt)
		_, cal := icalOf(rt, planLines(file, nil), s)
		seen := map[string]string{}
		for _, e := range cal.Events() {
			if seen[e.Id()] != "" {
				rt.Fatalf("two events %s in\n%s", e.Id(), text)
			}
			seen[e.Id()] = eventTimes(e)
		}
		later := span{s.from.Add(s.to.Sub(s.from) / 2), s.to.Add(24 * time.Hour)}
		_, other := icalOf(rt, planLines(file, nil), later)
		for _, e := range other.Events() {
			if was := seen[e.Id()]; was != "" && was != eventTimes(e) {
				rt.Fatalf("%s is %s, and %s in a later plan of\n%s", e.Id(), was, eventTimes(e), text)
			}
		}
		at := s.from.Add(time.Duration(rapid.Int64Range(0, int64(s.to.Sub(s.from))-1).Draw(rt, "at"))).Truncate(time.Second)
		if at.Before(s.from) {
			at = s.from
		}
		for _, p := range file.Policies.Policies {
			for _, m := range p.Members() {
				if got, want := runsAt(cal, m.ID, at), p.Decide(at).Want == policy.Running; got != want {
					rt.Fatalf("%s at %s: in an event %t, wanted running %t\n%s", m.ID, at, got, want, text)
				}
			}
		}
	})
}

func eventTimes(e *ics.VEvent) string {
	return e.GetProperty(ics.ComponentPropertyDtStart).Value + "/" + e.GetProperty(ics.ComponentPropertyDtEnd).Value
}

// runsAt reports whether an event of a deployment holds an instant.
func runsAt(cal *ics.Calendar, id policy.DeploymentID, at time.Time) bool {
	return slices.ContainsFunc(cal.Events(), func(e *ics.VEvent) bool {
		begin, _ := e.GetStartAt()
		end, _ := e.GetEndAt()
		return strings.HasPrefix(e.Id(), string(id)+"-") && !begin.After(at) && end.After(at)
	})
}

// TestStretchesWithoutEnd: a policy that only starts wants running for ever, and
// windows without a gap always did.
func TestStretchesWithoutEnd(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `
timezone: UTC
calendars: {far: {dates: [2036-01-01]}}
policies:
- {name: starts, deployments: [a], start: "0 8 * * *"}
- {name: always, deployments: [b], running: "00:00-24:00", except: {far: stopped}}`)
	from := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	s := span{from, from.AddDate(0, 0, 2)}
	_, cal := icalOf(t, planLines(file, nil), s)
	var got []string
	for _, e := range cal.Events() {
		got = append(got, e.Id()+" "+eventTimes(e))
	}
	want := []string{
		"a-ever@default.curfew 20261224T000000Z/20261226T000000Z",
		"b-ever@default.curfew 20261224T000000Z/20261226T000000Z",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPlanIsFitForTerminals: a name with control characters does nothing to the
// terminal of whoever looks at any of the formats, and programs get it as it is.
func TestPlanIsFitForTerminals(t *testing.T) {
	t.Parallel()
	const name = "dev\x1b[31m\u009b1m\x7f"
	file := fileOf(t, "{timezone: UTC, policies: [{name: p, deployments: [w1], stop: '0 20 * * *'}]}")
	inv := newInventory("x")
	inv.names["w1"] = name
	from := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, format := range []string{"table", "json", "csv", "ical", "svg"} {
		var out bytes.Buffer
		o := planOptions{format: format}
		if err := o.write(&console{out: &out, env: func(string) (string, bool) { return "", false }}, &out, file, planLines(file, inv), span{from, from.AddDate(0, 0, 1)}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\u009b\x7f") {
			t.Errorf("%s: %q", format, out.String())
		}
		var rows []struct{ Name string }
		if format != "json" {
			continue
		}
		if err := json.Unmarshal(out.Bytes(), &rows); err != nil || len(rows) != 1 || rows[0].Name != name {
			t.Errorf("programs read %q, %v; want %q", rows, err, name)
		}
	}
}

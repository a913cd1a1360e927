package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/internal/raced"
	"curfew/internal/sim"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

const simFile = `timezone: Europe/Berlin
prices: {default: {running: 0.36, stopped: 0.06, currency: EUR}, test-eu: {running: 1, stopped: 0.5, currency: EUR}}
policies:
  - name: office-hours
    deployments: [{id: w1, name: dev-eu}, {id: w2, name: test-eu}, w3]
    start: "0 8 * * MON-FRI"
    stop: "0 20 * * MON-FRI"
  - name: lab
    deployments: [w4]
    running: "Mon-Fri 09:00-18:00"
    start_lead: 10m
    timezone: America/New_York
`

// oneSided has policies of one power, one of them on dry run.
const oneSided = `timezone: Europe/Berlin
prices: {default: {running: 0.36, stopped: 0.06, currency: USD}}
policies:
  - {name: nightly, deployments: [w1], stop: "0 20 * * *"}
  - {name: early, deployments: [w2], start: "0 8 * * *", timezone: UTC}
  - {name: rehearsal, deployments: [w3], stop: "0 20 * * *", dry_run: true}
`

// simViewOf lives through a file, on the days from 1 December 2026 on.
func simViewOf(t *testing.T, text string, days int, faults sim.Faults) simView {
	t.Helper()
	raced.Spare(t)
	file := fileOf(t, text)
	r, err := sim.Simulate(t.Context(), sim.Options{
		Config: simulated(file), From: time.Date(2026, 12, 1, 0, 0, 0, 0, file.Location), Days: days,
		Faults: faults, Seed: 2, StartTakes: 5 * time.Minute, Marks: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return simView{Report: r, file: file, lines: planLines(file, nil), faults: faults, seed: 2, saved: savingsOf(file, r)}
}

func simSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../../docs/schema/simulate.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSimulateSchema: what `simulate -o json` prints is what its schema says, and
// there is no word in the schema that a report never says.
func TestSimulateSchema(t *testing.T) {
	t.Parallel()
	schema := simSchema(t)
	said := map[string]bool{}
	for _, v := range []simView{
		simViewOf(t, simFile, 1, sim.NoFaults), simViewOf(t, simFile, 40, sim.HeavyFaults), simStill(t), simCapped(t),
		simViewOf(t, oneSided, 2, sim.NoFaults),
	} {
		var out bytes.Buffer
		if err := v.json(&out); err != nil {
			t.Fatal(err)
		}
		report := parsedJSON(t, out.Bytes())
		if err := schema.Validate(report); err != nil {
			t.Errorf("%d days with faults %s break the schema: %v", v.To.Sub(v.From)/(24*time.Hour), v.faults, err)
		}
		sayWords(report, said)
	}
	text, err := os.ReadFile("../../docs/schema/simulate.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var raw any
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	for _, word := range schemaWords(raw) {
		if !said[word] {
			t.Errorf("no report has %q: show one, or take it out of the schema", word)
		}
	}
}

// simStill is a span at whose end something is due: the platform counts for the
// whole key.
func simStill(t *testing.T) simView {
	t.Helper()
	v := simViewOf(t, strings.Replace(simFile, "timezone", "api: {quotas: {stop: {scope: key}}}\ntimezone", 1), 1, sim.NoFaults)
	v.Waiting = append(v.Waiting, sim.Waiting{Deployment: "w1", Power: policy.Stopped, At: v.To, Wait: scheduler.WaitPermit})
	return v
}

// simCapped is a span in which a lead is no help.
func simCapped(t *testing.T) simView {
	t.Helper()
	return simViewOf(t, "timezone: UTC\npolicies:\n  - {name: p, deployments: [w1], stop: \"0 8 * * *\", start: \"5 8 * * *\"}\n", 3, sim.NoFaults)
}

// sayWords collects the keys of all objects in v.
func sayWords(v any, said map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			sayWords(x, said)
		}
	case map[string]any:
		for name, x := range v {
			said[name] = true
			sayWords(x, said)
		}
	}
}

// schemaWords are the names of all properties in a schema.
func schemaWords(v any) []string {
	var words []string
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			words = append(words, schemaWords(x)...)
		}
	case map[string]any:
		for name, x := range v {
			words = append(words, schemaWords(x)...)
			if props, ok := x.(map[string]any); ok && name == "properties" {
				for p := range props {
					words = append(words, p)
				}
			}
		}
	}
	return words
}

// TestSimulateSchemaBites feeds reports that nobody gets.
func TestSimulateSchemaBites(t *testing.T) {
	t.Parallel()
	schema := simSchema(t)
	var out bytes.Buffer
	if err := simViewOf(t, simFile, 2, sim.NoFaults).json(&out); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new string }{
		{`"faults": "none"`, `"faults": "some"`}, {`"over_quota": 0`, `"over_quota": -1`},
		{`"repeated": 0`, `"repeated": 0.5`}, {`"by_hand": []`, `"by_hand": null`}, {`"dry_run": false`, `"dry_run": "no"`}, {`"seed": 2,`, ``}, {`"mishaps": []`, `"mishaps": null`},
		{`"nominal": "08:00"`, `"nominal": "8:00"`}, {`"wait": "confirming"`, `"wait": "patience"`},
		{`"action": "start"`, `"action": "go"`}, {`"late": `, `"tardy": `}, {`"currency": "EUR"`, `"currency": "€"`},
		{`T23:00:00Z"`, `T23:00:00+01:00"`},
	} {
		bad := strings.Replace(out.String(), c.old, c.new, 1)
		if bad == out.String() {
			t.Fatalf("the report has no %s:\n%s", c.old, bad)
		}
		if schema.Validate(parsedJSON(t, []byte(bad))) == nil {
			t.Errorf("the schema takes %s for %s", c.new, c.old)
		}
	}
}

// TestSimulateText: the text keeps to 100 columns whatever went wrong, and has no
// blank that is not one.
func TestSimulateText(t *testing.T) {
	t.Parallel()
	for _, faults := range []sim.Faults{sim.NoFaults, sim.LightFaults, sim.HeavyFaults} {
		var out bytes.Buffer
		if err := simViewOf(t, simFile, 60, faults).text(&out); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > simWidth {
				t.Errorf("faults %s: %d columns: %s", faults, n, line)
			}
		}
		if strings.Contains(out.String(), unbroken) || strings.Contains(out.String(), "\x1b") {
			t.Errorf("faults %s: the text has characters that pipe badly", faults)
		}
	}
}

// TestSimulatePeople reads the sentences about start times.
func TestSimulatePeople(t *testing.T) {
	t.Parallel()
	berlin := fileOf(t, simFile).Location
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, berlin)
	base := sim.Starts{Deployment: "w1", Policy: "p", Nominal: "08:00", Zone: "Europe/Berlin"}
	with := func(change func(*sim.Starts)) sim.Starts { s := base; change(&s); return s }
	for _, c := range []struct {
		starts sim.Starts
		want   string
	}{
		{with(func(s *sim.Starts) { s.InTime = 253 }), "who come at 08:00 find dev-eu running on all 253 days"},
		{with(func(s *sim.Starts) { s.InTime = 1; s.Zone = "UTC" }), "who come at 08:00 (UTC) find dev-eu running on the one day"},
		{
			with(func(s *sim.Starts) { s.InTime, s.Late, s.Worst, s.WorstAt = 251, 2, 7*time.Minute, at }),
			"who come at 08:00 find dev-eu running on 251 of 253 days; on 2 it came late, at worst by 7m (Mon 2 Mar 2026: 08:07)",
		},
		{
			with(func(s *sim.Starts) {
				s.Late, s.Never, s.Median, s.P95, s.Worst, s.WorstAt = 9, 1, 2*time.Minute, 3*time.Minute, 64*time.Minute, at
			}),
			"who come at 08:00 find dev-eu running on none of 10 days; on 9 it came late, at worst by 1h4m (Mon 2 Mar 2026: 09:04); " +
				"half of all days by at most 2m, 95 % by at most 3m; on 1 it did not run at all",
		},
	} {
		v := simView{file: fileOf(t, simFile), Report: &sim.Report{From: at, To: at.AddDate(1, 0, 0)}}
		if got := strings.ReplaceAll(v.visit(c.starts, "dev-eu"), unbroken, " "); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestSimulateLeads reads the hints.
func TestSimulateLeads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lead sim.Lead
		want string
	}{
		{sim.Lead{Policy: "p", Needed: 5 * time.Minute, Late: 10, Helped: 10}, "→ p: start_lead: 5m (now 0s) would have had 10 late starts in time"},
		{sim.Lead{Policy: "p", Now: time.Minute, Needed: 5 * time.Minute, Late: 3, Helped: 2}, "→ p: start_lead: 5m (now 1m) would have had 2 of 3 late starts in time"},
		{sim.Lead{Policy: "p", Late: 3, Capped: true}, "→ p: a start_lead that helps would reach the stop before the start"},
		{sim.Lead{Policy: "p", Late: 3}, "→ p: no start_lead makes up for that; see what was waited for"},
	} {
		if got := leadText(c.lead); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestManyPeople: of many start times the text tells the worst.
func TestManyPeople(t *testing.T) {
	t.Parallel()
	v := simView{file: fileOf(t, simFile), Report: &sim.Report{}}
	for i := range mostPeople + 3 {
		v.Starts = append(v.Starts, sim.Starts{Deployment: "w1", Nominal: time.Time{}.Add(time.Duration(i) * time.Minute).Format("15:04"), Zone: "UTC", InTime: 9, Never: i})
	}
	got := v.people()
	if len(got) != mostPeople+1 || !strings.Contains(got[0], "00:08") || got[mostPeople] != "and 3 other start times that went no worse: -o json has them" {
		t.Errorf("people reads\n%s", strings.Join(got, "\n"))
	}
}

// TestSimulateWords: every wait and every mishap has words of its own.
func TestSimulateWords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, w := range []scheduler.Wait{
		scheduler.WaitPermit, scheduler.WaitTransient, scheduler.WaitStatus, scheduler.WaitUnknown, scheduler.WaitConfirm, scheduler.WaitHold,
		scheduler.WaitKey, scheduler.WaitClock, scheduler.WaitLook, scheduler.WaitGone, scheduler.WaitName, scheduler.WaitBackoff,
		scheduler.WaitSlot, sim.WaitDown,
	} {
		if text := waitText(w); text == string(w) || seen[text] {
			t.Errorf("%q is called %q", w, text)
		} else {
			seen[text] = true
		}
	}
	for _, k := range sim.MishapKinds() {
		if one, many := mishapWords(k); one == string(k) || one == many || seen[one] {
			t.Errorf("%q is called %q and %q", k, one, many)
		} else {
			seen[one] = true
		}
	}
}

// TestSavings holds the bill against what the hours cost one by one.
func TestSavings(t *testing.T) {
	t.Parallel()
	v := simViewOf(t, simFile, 7, sim.NoFaults)
	cost := 0.0
	for i, p := range v.Powers {
		running, stopped := 0.36, 0.06
		if p.Name == "test-eu" {
			running, stopped = 1, 0.5
		}
		each := (p.Running+p.Other).Hours()*running + p.Stopped.Hours()*stopped
		if got := v.saved.each[i].cost(); math.Abs(got-each) > 1e-6 {
			t.Errorf("%s costs %f, want %f", p.Deployment, got, each)
		}
		cost += each
	}
	if always := 7 * 24 * (3*0.36 + 1); math.Abs(v.saved.always-always) > 1e-6 || math.Abs(v.saved.cost()-cost) > 1e-6 {
		t.Errorf("always running %f, cost %f; want %f and %f", v.saved.always, v.saved.cost(), always, cost)
	}
	if text := v.saved.String(); !strings.HasSuffix(text, "h stopped × (price running − price stopped), each at its own") {
		t.Errorf("several prices read %q", text)
	}
}

// TestSavingsOneSided: what a policy stops is saved, what people stop is not, and
// a dry run saves nothing. The report says so.
func TestSavingsOneSided(t *testing.T) {
	t.Parallel()
	v := simViewOf(t, oneSided, 7, sim.NoFaults)
	if hours := v.saved.hours; math.Abs(hours-7*13) > 1 || v.saved.each[1] != nil || v.saved.started != 1 || v.saved.each[2].saved != 0 {
		t.Errorf("%.1f h stopped and %d deployments only started, the dry run saves %+v; want about 91, 1 and nothing",
			hours, v.saved.started, v.saved.each[2])
	}
	var out bytes.Buffer
	if err := v.text(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nby hand      assumed: each day at 09:00 somebody starts what nightly has stopped\n" +
			"             assumed: each day at 18:00 (UTC) somebody stops what early has started\n",
		"\ndry run      no calls for 1 deployment of rehearsal (dry_run): they run on, and save nothing\n",
		" rehearsal (dry run) ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not have %q:\n%s", want, out.String())
		}
	}
	if text := v.saved.String(); !strings.HasSuffix(text, "; without 1 deployment that is only started") {
		t.Errorf("the savings are %q", text)
	}
	alone := &savings{started: 2, each: make([]*bill, 2)}
	if text := alone.String(); text != "no figure: the policies only start, and what people save by stopping is theirs" {
		t.Errorf("where policies only start the savings are %q", text)
	}
}

// TestSimulateCookbook: the recipe of what stops every night and is started by
// hand has something to show: thirteen hours of every night, and nothing late.
func TestSimulateCookbook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/cookbook/stop-at-night.yaml")
	if err != nil {
		t.Fatal(err)
	}
	v := simViewOf(t, string(text), 30, sim.NoFaults)
	if stops, hours := v.Calls[quota.Stop], v.Powers[0].Stopped.Hours(); stops != 30 || math.Abs(hours-30*13) > 2 || v.Limited > 0 {
		t.Errorf("%d stops, %.1f h stopped, %d answered 429; want 30, about 390 and none", stops, hours, v.Limited)
	}
}

// TestSavingsText reads the formula.
func TestSavingsText(t *testing.T) {
	t.Parallel()
	price := config.Price{Running: 0.36, Stopped: 0.0625, Currency: "USD"}
	s := &savings{currency: "USD"}
	s.add(sim.Powers{Running: 60 * time.Hour, Stopped: 40 * time.Hour}, price)
	s.unpriced, s.each = 1, append(s.each, nil)
	const want = "11.90 USD of 36.00 for always running (33 %): 40.0 h stopped × (0.36 − 0.0625) USD; 1 deployment has no price"
	if got := s.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestSimulatePicture: the picture is well-formed, has a lane for everybody, and
// a year of it is not much larger than its lanes need.
func TestSimulatePicture(t *testing.T) {
	t.Parallel()
	for _, days := range []int{7, 365} {
		var out bytes.Buffer
		if err := simViewOf(t, simFile, days, sim.HeavyFaults).svg(&out); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for dec := xml.NewDecoder(&out); ; {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%d days: %v", days, err)
			}
		}
		for _, want := range []string{"dev-eu", "test-eu", "w3", "office-hours", "--faults heavy --seed 2"} {
			if !strings.Contains(text, want) {
				t.Errorf("%d days: the picture does not show %q", days, want)
			}
		}
	}
}

// TestSimulatePictureDays: it says which days it shows, in which zone, marks those
// that a calendar changes, and shows what is not done on them, as the plan does.
func TestSimulatePictureDays(t *testing.T) {
	t.Parallel()
	file := "calendars: {fair: {dates: [2026-12-03]}}\n" + strings.Replace(simFile, "    start:", "    except: [fair]\n    start:", 1)
	var out bytes.Buffer
	if err := simViewOf(t, file, 7, sim.NoFaults).svg(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"4 deployments, simulated, Tue 1 Dec 2026 00:00 to Tue 8 Dec 2026 00:00", "times in Europe/Berlin; what the platform saw",
		"Thu 3 Dec", "start cancelled: fair", "lab, America/New_York",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the picture does not show %q:\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "start cancelled: fair"); n == 0 || strings.Contains(out.String(), "stop cancelled") {
		t.Errorf("%d starts are cancelled, want those of the fair alone", n)
	}
}

// TestLanes: what is narrower than a line is part of what follows; what lasts is
// in between, and the end of the span cuts it.
func TestLanes(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	change := func(after time.Duration, s simplatform.Status) simplatform.Change {
		return simplatform.Change{At: from.Add(after), Status: s}
	}
	v := simView{file: fileOf(t, simFile), Report: &sim.Report{From: from, To: from.Add(2000 * time.Minute)}}
	var got []string
	for _, b := range v.bars(sim.Powers{History: []simplatform.Change{
		change(-time.Hour, simplatform.Stopped), change(time.Hour, simplatform.Starting), change(time.Hour+30*time.Second, simplatform.Running),
		change(5*time.Hour, simplatform.Stopping), change(6*time.Hour, simplatform.Failed),
	}}) {
		got = append(got, b.Kind.String()+" "+b.From.Sub(from).String()+" "+b.To.Sub(from).String())
	}
	want := []string{"stopped 0s 1h0m0s", "running 1h0m0s 5h0m0s", "in between 5h0m0s 6h0m0s", "in between 6h0m0s 33h20m0s"}
	if !slices.Equal(got, want) {
		t.Errorf("lanes\n got %q\nwant %q", got, want)
	}
}

// TestSimMarks: a sign stands where a transition was late, was given up or was
// not to be made, and nowhere else.
func TestSimMarks(t *testing.T) {
	t.Parallel()
	v := simView{file: fileOf(t, simFile), Report: &sim.Report{StartTakes: 4 * time.Minute, StopTakes: 2 * time.Minute}}
	for _, c := range []struct {
		mark sim.Mark
		want string
	}{
		{sim.Mark{Kind: scheduler.Done, Power: policy.Running, Took: 8 * time.Minute}, ""},
		{sim.Mark{Kind: scheduler.Done, Power: policy.Stopped, Took: 8 * time.Minute}, "late"},
		{sim.Mark{Kind: scheduler.Already}, ""}, {sim.Mark{Kind: scheduler.Superseded}, ""},
		{sim.Mark{Kind: scheduler.Skipped, Reason: scheduler.ReasonActivation}, ""},
		{sim.Mark{Kind: scheduler.Skipped, Reason: scheduler.ReasonProtected}, "cancelled"},
		{sim.Mark{Kind: scheduler.Missed, Reason: scheduler.ReasonTooClose}, "missed"},
		{sim.Mark{Kind: scheduler.Failed, Reason: scheduler.ReasonUnknown}, "missed"},
	} {
		mark, ok := v.mark(c.mark)
		if ok != (c.want != "") || ok && mark.Kind.String() != c.want {
			t.Errorf("%s %s after %s: a sign %v %q, want %q", c.mark.Kind, c.mark.Reason, c.mark.Took, ok, mark.Kind, c.want)
		}
	}
}

// TestSimProgress: people are told how far it is and how long it will take, not
// more often than they can read, and the line is empty in the end.
func TestSimProgress(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	p := &simProgress{out: &out, from: now, at: now, days: 100, began: now, now: func() time.Time { return now }}
	for day := 1; day <= 25; day++ {
		now = now.Add(40 * time.Millisecond)
		p.reach(p.from.AddDate(0, 0, day))
	}
	p.clear()
	if n := strings.Count(out.String(), "\r"); n > 12 {
		t.Errorf("somebody is told %d times in a second", n)
	}
	if got := p.line(now); got != "day 25 of 100 · 25 % · 1s so far, 3s left" {
		t.Errorf("the line is %q", got)
	}
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("the line is not cleared: %q", out.String())
	}
}

// TestSimulateInterrupted: whoever ends it is told how far it got, and gets no
// half of a report.
func TestSimulateInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	env := func(name string) (string, bool) {
		if name != "CURFEW_CONFIG_YAML" {
			return "", false
		}
		return simFile, true
	}
	var out, errs bytes.Buffer
	code := run(ctx, []string{"simulate", "--from", "2026-12-01", "--days", "9"}, strings.NewReader(""), &out, &errs, env)
	const want = "curfew: interrupted after 0 of 9 days, at Tue 1 Dec 2026 00:00: there is no report\n"
	if code != exitError || out.Len() > 0 || errs.String() != want {
		t.Errorf("exit %d, out %q, errors %q; want %d, none, %q", code, out.String(), errs.String(), exitError, want)
	}
}

// TestPeaksText: a peak says when and for whom, and the key's where it is more.
func TestPeaksText(t *testing.T) {
	t.Parallel()
	v := simViewOf(t, simFile, 2, sim.NoFaults)
	v.names = map[policy.DeploymentID]string{"w1": "dev-eu"}
	at := time.Date(2026, 12, 1, 20, 0, 0, 0, v.file.Location)
	v.Peaks[quota.Stop] = sim.Peak{
		Limit:      quota.Limit{N: 1, Per: time.Hour},
		Deployment: sim.Busiest{Requests: 1, At: at, Deployment: "w1"}, Key: sim.Busiest{Requests: 3, At: at, Deployment: "w2"},
	}
	const want = "1 of 1 stop in 1h (dev-eu, Tue 1 Dec 20:00) · 3 by the whole key (w2, Tue 1 Dec 20:00)"
	if got := strings.ReplaceAll(v.peaks()[quota.Stop], unbroken, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"curfew/internal/config"
	"curfew/policy"
)

// fileOf reads a configuration that must be right.
func fileOf(t testing.TB, text string) *config.Config {
	t.Helper()
	file, problems := config.Parse("curfew.yaml", []byte(text), config.Env{})
	if config.Failed(problems) {
		t.Fatalf("%s", config.Render(problems, []byte(text)))
	}
	return file
}

// someFile draws a file of several policies, some of which act at the same time,
// by cron lines or by windows, with days off and days of another power.
func someFile(rt *rapid.T) string {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York"}
	var b strings.Builder
	b.WriteString("timezone: Europe/Berlin\ncalendars:\n  off: {dates: [2027-03-27, 2027-03-29, 2027-03-31..2027-04-02]}\n" +
		"  whole: {dates: [2027-03-28, 2027-04-01]}\npolicies:\n")
	next := 0
	for p := range rapid.IntRange(1, 5).Draw(rt, "policies") {
		fmt.Fprintf(&b, "- name: p%d\n  timezone: %s\n  deployments: [", p, rapid.SampledFrom(zones).Draw(rt, "zone"))
		for range rapid.IntRange(0, 4).Draw(rt, "deployments") {
			fmt.Fprintf(&b, "w%d, ", (next*7)%31) // not in their order
			next++
		}
		b.WriteString("]\n" + someTimes(rt))
		if rapid.Bool().Draw(rt, "lead") {
			b.WriteString("  start_lead: 10m\n")
		}
		if effect := rapid.SampledFrom([]string{"", "stopped", "running", "untouched"}).Draw(rt, "effect"); effect != "" {
			fmt.Fprintf(&b, "  except: {off: off, whole: %s}\n", effect)
		}
	}
	return b.String()
}

// someTimes draws the times of a policy.
func someTimes(rt *rapid.T) string {
	if rapid.Bool().Draw(rt, "windows") {
		windows := []string{"Mon-Fri 08:00-20:00", "08:00-12:00", "Tue 22:00-02:30", "Mon 06:00-Fri 20:00", "Sat,Sun 01:00-24:00"}
		return fmt.Sprintf("  running: %q\n", rapid.SampledFrom(windows).Draw(rt, "window"))
	}
	crons := []string{"0 8 * * *", "0 20 * * *", "*/15 9 * * *", "30 2 * * SUN", "15 2 * * SUN", "0 8 * * MON-FRI"}
	start := rapid.IntRange(0, len(crons)-1).Draw(rt, "start")
	stop := rapid.IntRange(0, len(crons)-1).Filter(func(i int) bool { return i != start }).Draw(rt, "stop")
	return fmt.Sprintf("  start: %q\n  stop: %q\n", crons[start], crons[stop])
}

// drawFile is someFile, read, with a span around the days that it is about.
func drawFile(rt *rapid.T) (*config.Config, span, string) {
	text := someFile(rt)
	file, problems := config.Parse("curfew.yaml", []byte(text), config.Env{})
	if config.Failed(problems) {
		rt.Skip("the times of one policy collide")
	}
	from := time.Date(2027, 3, 26, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 4000).Draw(rt, "minutes")) * time.Minute)
	return file, span{from, from.Add(time.Duration(rapid.IntRange(1, 8*24*60).Draw(rt, "for minutes")) * time.Minute)}, text
}

// TestWalk holds the streamed plan against each policy's own edges: nothing is
// left out, nothing comes twice, and the order is that of instants and names.
func TestWalk(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		file, s, text := drawFile(rt)
		rows := slices.Collect(walk(planLines(file, nil), s))
		for i := 1; i < len(rows); i++ {
			a, b := rows[i-1], rows[i]
			if c := a.edge.At.Compare(b.edge.At); c > 0 || c == 0 && a.member.id > b.member.id {
				rt.Fatalf("%s %s comes before %s %s in\n%s", a.edge.At, a.member.id, b.edge.At, b.member.id, text)
			}
		}
		for _, p := range file.Policies.Policies {
			for _, m := range p.Members() {
				compareEdges(rt, p, m.ID, s, rows)
			}
		}
	})
}

// compareEdges finds in rows what p wants of one of its deployments.
func compareEdges(rt *rapid.T, p *policy.Policy, id policy.DeploymentID, s span, rows []planRow) {
	var got, want []string
	for _, r := range rows {
		if r.member.id == id {
			got = append(got, fmt.Sprintf("%+v, need %d", r.edge.Edge, r.edge.need))
		}
	}
	for e, need := range p.Calls(s.from, s.to) {
		want = append(want, fmt.Sprintf("%+v, need %d", e, need))
	}
	if !slices.Equal(got, want) {
		rt.Fatalf("%s on [%s, %s):\n got %s\nwant %s", id, s.from, s.to, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// TestPlanJSON: what programs get is JSON, however it is put together.
func TestPlanJSON(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `
policies:
- name: "quotes \" and <brackets>"
  timezone: UTC
  deployments: [w1, w2]
  stop: "0 20 * * *"`)
	from := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	var b bytes.Buffer
	if err := writePlanJSON(&b, walk(planLines(file, nil), span{from, from.AddDate(0, 0, 2)})); err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Deployment, Action, Policy, Because string
		At                                  time.Time
		Cancelled                           *string
	}
	if err := json.Unmarshal(b.Bytes(), &rows); err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	var got []string
	for _, r := range rows {
		if r.Cancelled != nil || r.Because == "" || r.Policy != `quotes " and <brackets>` {
			t.Errorf("odd row %+v", r)
		}
		got = append(got, r.At.Format(time.RFC3339)+" "+r.Action+" "+r.Deployment)
	}
	want := []string{
		"2026-12-24T20:00:00Z stop w1", "2026-12-24T20:00:00Z stop w2",
		"2026-12-25T20:00:00Z stop w1", "2026-12-25T20:00:00Z stop w2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestShortSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10m", time.Hour: "1h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", 20 * time.Second: "20s",
	} {
		if got := shortSpan(d); got != want {
			t.Errorf("shortSpan(%s) = %q, want %q", d, got, want)
		}
	}
}

// BenchmarkPlan is a week of 100,000 deployments under 200 policies: 1.4 million
// lines, half a million events.
func BenchmarkPlan(b *testing.B) {
	file := largeFile(b, 200, 500)
	from := time.Date(2026, 12, 21, 0, 0, 0, 0, time.UTC)
	s := span{from, from.AddDate(0, 0, 7)}
	for _, format := range []string{"table", "json", "csv", "ical"} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out := bufio.NewWriterSize(io.Discard, 64<<10)
				o := planOptions{format: format}
				if err := o.write(&console{out: io.Discard, env: noEnv}, out, file, planLines(file, nil), s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func largeFile(b *testing.B, policies, members int) *config.Config {
	var text strings.Builder
	text.WriteString("timezone: Europe/Berlin\npolicies:\n")
	for p := range policies {
		fmt.Fprintf(&text, "- name: policy-%03d\n  start: \"%d 7 * * *\"\n  stop: \"%d 20 * * *\"\n  deployments: [", p, p%60, p%60)
		for m := range members {
			fmt.Fprintf(&text, "w%08x,", p*members+m)
		}
		text.WriteString("]\n")
	}
	return fileOf(b, text.String())
}

// TestPlanTableFits: of any file with ids, names and policies as people have them,
// no line of the table is longer than 100 characters, and a row says when, what,
// whom and by which policy in its first line.
func TestPlanTableFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		file, s, text := drawFile(rt)
		file.Source = strings.Repeat("d/", rapid.IntRange(0, 60).Draw(rt, "deep")) + "schedules.yaml"
		long := strings.NewReplacer("w", "w123456", "p", "policy-of-sixtee")
		lines := planLines(file, nil)
		named := rapid.Bool().Draw(rt, "named")
		for _, l := range lines {
			for _, m := range l.members {
				m.id = policy.DeploymentID(long.Replace(string(m.id)))[:8]
				if named {
					m.name = "dev-eu-central-1-xyz"
				}
				m.bar = rapid.SampledFrom([]*bar{
					nil, {kind: barStops, what: `protected by "prod-*"`, text: `protected by "prod-*", x.yaml:1`}, {kind: barAll, what: "it is called", text: "it is called"},
					{kind: barPerhaps, what: "its name", text: "its name"},
				}).Draw(rt, "bar")
			}
		}
		table := newPlanTable(file, lines, s, palette(false))
		var out strings.Builder
		if err := table.write(&out, walk(lines, s)); err != nil {
			rt.Fatal(err)
		}
		for _, line := range strings.Split(out.String(), "\n") {
			if n := len([]rune(line)); n > 100 && !strings.HasPrefix(line, "lines of ") {
				rt.Fatalf("%d characters:\n%s\nin\n%s\nof\n%s", n, line, out.String(), text)
			}
		}
		rows := 0
		for r := range walk(lines, s) {
			if head := table.headOf(r.edge) + string(r.member.id); strings.Contains(out.String(), "\n"+head) {
				rows++
			} else {
				rt.Fatalf("no line begins with %q in\n%s", head, out.String())
			}
		}
	})
}

// TestPlanTableCuts: what has no room on a line of its own either is cut there, and
// no word of it is lost to programs.
func TestPlanTableCuts(t *testing.T) {
	t.Parallel()
	day := strings.Repeat("Feast ", 18) + "End"
	file := fileOf(t, "{timezone: UTC, policies: [{name: p, deployments: [w1], running: 08:00-20:00}]}")
	e := planEdge{Edge: policy.Edge{Power: policy.Running, Cancelled: "days " + day}, line: planLines(file, nil)[0]}
	tail := newPlanTable(file, nil, span{}, palette(false)).tailOf(&e)
	if !strings.HasPrefix(tail, "  p\n") || !strings.Contains(tail, "…") || len([]rune(tail)) > 4+101 {
		t.Errorf("%d characters: %q", len([]rune(tail)), tail)
	}
	if got := e.body().Because; !strings.Contains(got, day) {
		t.Errorf("programs get %q", got)
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"curfew/internal/config"
	"curfew/internal/needtool"
	"curfew/policy"
)

// TestGitForStories: the story of revisions is skipped where there is no git,
// and a run that must have all tools must not skip it.
func TestGitForStories(t *testing.T) { needtool.Path(t, "git", "git") }

// someChange draws a file and another one that is much like it.
func someChange(rt *rapid.T) (before, after string) {
	var b, a strings.Builder
	head := "calendars:\n  days: {dates: [2027-03-01..2027-03-03, 2027-03-28]}\n"
	b.WriteString(head)
	a.WriteString(head)
	for _, text := range []*strings.Builder{&b, &a} {
		if rapid.IntRange(0, 3).Draw(rt, "protects") == 0 {
			text.WriteString("protect: [w1]\n")
		}
		text.WriteString("policies:\n")
	}
	for p := range rapid.IntRange(1, 3).Draw(rt, "policies") {
		rule := someRule(rt, p)
		writePolicy(&b, fmt.Sprintf("p%d", p), rule, 3*p, rapid.IntRange(0, 3).Draw(rt, "members"))
		if rapid.Bool().Draw(rt, "changes") {
			rule = someRule(rt, p)
		}
		name := rapid.SampledFrom([]string{"p", "q"}).Draw(rt, "name")
		writePolicy(&a, fmt.Sprintf("%s%d", name, p), rule, 3*p, rapid.IntRange(0, 3).Draw(rt, "members"))
	}
	return b.String(), a.String()
}

func writePolicy(b *strings.Builder, name, rule string, first, members int) {
	var ids []string
	for i := range members {
		ids = append(ids, fmt.Sprintf("w%d", first+i))
	}
	fmt.Fprintf(b, "- name: %s\n  deployments: [%s]\n%s", name, strings.Join(ids, ", "), rule)
}

// someRule draws the times of a policy: of each kind that there is, and near each
// other, so that some move.
func someRule(rt *rapid.T, p int) string {
	zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Europe/Berlin", "America/New_York"}).Draw(rt, "zone")
	s := "  timezone: " + zone + "\n"
	days := rapid.SampledFrom([]string{"*", "MON-FRI", "FRI"}).Draw(rt, "days")
	stop := fmt.Sprintf("%d %d * * %s", rapid.SampledFrom([]int{0, 30}).Draw(rt, "minute"), rapid.IntRange(18, 23).Draw(rt, "hour"), days)
	start := fmt.Sprintf("15 %d * * %s", rapid.IntRange(0, 9).Draw(rt, "start hour"), days)
	switch rapid.IntRange(0, 4).Draw(rt, "kind") {
	case 0:
		s += fmt.Sprintf("  stop: %q\n", stop)
	case 1:
		s += fmt.Sprintf("  stop: [%q, \"*/45 13 * * *\"]\n", stop)
	case 2:
		s += fmt.Sprintf("  running: Mon-Fri %02d:00-20:00\n", rapid.IntRange(6, 9).Draw(rt, "from"))
	default:
		s += fmt.Sprintf("  start: %q\n  stop: %q\n", start, stop)
		s += rapid.SampledFrom([]string{"", "  start_lead: 10m\n"}).Draw(rt, "lead")
	}
	return s + rapid.SampledFrom([]string{"", "  except: {days: off}\n", "  except: {days: untouched}\n", "  except: {days: stopped}\n"}).Draw(rt, "except")
}

// drawnComparison compares two files that are right.
func drawnComparison(rt *rapid.T) *comparison {
	before, after := someChange(rt)
	var files []*config.Config
	for _, text := range []string{before, after} {
		file, problems := config.Parse("curfew.yaml", []byte(text), config.Env{})
		if config.Failed(problems) {
			rt.Skip(config.Render(problems, []byte(text)))
		}
		files = append(files, file)
	}
	from := time.Date(2027, 2, 20, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 20_000).Draw(rt, "minutes")) * time.Minute)
	return compare(files[0], files[1], nil, span{from, from.AddDate(0, 0, rapid.IntRange(1, 60).Draw(rt, "days"))})
}

// TestDiffRoundTrip: the groups, applied to the calls of the old file, give those
// of the new one, for each deployment of either; and each is in one pair.
func TestDiffRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := drawnComparison(rt)
		groups := map[policy.DeploymentID][]callGroup{}
		for _, p := range c.pairs {
			for _, s := range p.subjects {
				if _, twice := groups[s.id]; twice {
					rt.Fatalf("%s is in two pairs", s)
				}
				groups[s.id] = p.groups
			}
		}
		for i := range 9 {
			id := policy.DeploymentID(fmt.Sprintf("w%d", i))
			was, is := plainCalls(c.before, id, c.span), plainCalls(c.after, id, c.span)
			apply(rt, was, groups[id], c.span)
			for k := range is {
				if !was[k] {
					rt.Fatalf("%s: no group adds the %s at %s\n%s\nto\n%s", id, k.power.Action(), time.Unix(k.at, 0).UTC(), c.before.Text, c.after.Text)
				}
				delete(was, k)
			}
			for k := range was {
				rt.Fatalf("%s: no group removes the %s at %s\n%s\nto\n%s", id, k.power.Action(), time.Unix(k.at, 0).UTC(), c.before.Text, c.after.Text)
			}
		}
	})
}

// plainCalls asks the policy of one deployment for its calls.
func plainCalls(file *config.Config, id policy.DeploymentID, s span) map[callKey]bool {
	calls := map[callKey]bool{}
	p, ok := file.Policies.Of(id)
	if !ok {
		return calls
	}
	protected := slices.ContainsFunc(file.Protect, func(e policy.Pattern) bool { return e.Text == string(id) })
	for e, need := range p.Calls(s.from, s.to) {
		if need != policy.NoCall && !(protected && e.Power == policy.Stopped) {
			calls[callKey{e.At.Unix(), e.Power}] = true
		}
	}
	return calls
}

// apply does to calls what groups say.
func apply(rt *rapid.T, calls map[callKey]bool, groups []callGroup, s span) {
	within := func(c call) bool { return !c.at.IsZero() && !c.at.Before(s.from) && c.at.Before(s.to) }
	var added []callKey
	for _, g := range groups {
		for _, c := range g.changes {
			if g.kind != c.kind() || !within(c.old) && !within(c.new) {
				rt.Fatalf("%s in a group of what is %s: %v", c.kind(), g.kind, c)
			}
			if within(c.old) {
				if !calls[c.old.key()] {
					rt.Fatalf("%s at %s: there is no such call", g.kind, c.old.at)
				}
				delete(calls, c.old.key())
			}
			if within(c.new) {
				added = append(added, c.new.key())
			}
		}
	}
	for _, k := range added {
		if calls[k] {
			rt.Fatalf("added at %s: there is such a call", time.Unix(k.at, 0).UTC())
		}
		calls[k] = true
	}
}

// TestDiffMoves: what moved stays within the local day or 12 hours, and whatever
// could have moved has.
func TestDiffMoves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		for _, p := range drawnComparison(rt).pairs {
			near := func(a, b call) bool {
				return a.power == b.power && (a.at.Sub(b.at).Abs() <= longWay || dayOf(a.at, p.location()) == dayOf(b.at, p.location()))
			}
			var removed, added []call
			for _, g := range p.groups {
				for _, c := range g.changes {
					switch {
					case g.kind == changeRemoved:
						removed = append(removed, c.old)
					case g.kind == changeAdded:
						added = append(added, c.new)
					case !near(c.old, c.new):
						rt.Fatalf("%s moved to %s", c.old.at, c.new.at)
					}
				}
			}
			for _, r := range removed {
				if i := slices.IndexFunc(added, func(a call) bool { return near(r, a) }); i >= 0 {
					rt.Fatalf("%s was removed and %s added: it moved", r.at, added[i].at)
				}
			}
		}
	})
}

// TestDiffDays: "every Friday" is every Friday, "most" is more than half, and a
// pattern has no other day.
func TestDiffDays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		for _, p := range drawnComparison(rt).pairs {
			for _, g := range p.groups {
				days := map[int]bool{}
				for _, c := range g.changes {
					at := c.main().at.In(g.loc)
					days[dayOf(at, g.loc)] = true
					if g.week != 0 && !g.week.has(at.Weekday()) {
						rt.Fatalf("%s %s has a %s", g.days(), g.times, at.Weekday())
					}
					if !strings.HasPrefix(g.times, at.Format("15:04")) {
						rt.Fatalf("%s is not %s", at, g.times)
					}
				}
				of := 0
				for at := g.first(); dayOf(at, g.loc) <= dayOf(g.last(), g.loc); at = at.AddDate(0, 0, 1) {
					of += bits.OnesCount8(uint8(g.week) >> at.Weekday() & 1)
				}
				if g.week != 0 && (2*len(days) <= of || g.every != (len(days) == of)) {
					rt.Fatalf("%q of %d days on %d", g.days(), of, len(days))
				}
			}
		}
	})
}

// TestDiffIsReflexive: a file does not differ from itself, however it is written.
func TestDiffIsReflexive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := drawnComparison(rt)
		if same := compare(c.after, c.after, nil, c.span); same.differs() {
			rt.Fatalf("%s in\n%s", same.sum(), c.after.Text)
		}
	})
}

// diffFiles compares two texts from a Tuesday evening in November on.
func diffFiles(t testing.TB, before, after string) *comparison {
	t.Helper()
	old, new := fileOf(t, before), fileOf(t, after)
	from := time.Date(2026, 11, 24, 19, 30, 0, 0, old.Location)
	return compare(old, new, nil, span{from, from.AddDate(0, 0, 400)})
}

// zoned is a file of one policy in Berlin.
func zoned(rule string) string {
	return "timezone: Europe/Berlin\npolicies:\n- name: p\n  deployments: [w1]\n  " + strings.ReplaceAll(rule, "; ", "\n  ") + "\n"
}

// TestDiffGroups is what people read of a change.
func TestDiffGroups(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, before, after string
		want                []string
	}{
		{"a day of the week", `stop: ["0 20 * * MON-THU", "0 20 * * FRI"]`, `stop: ["0 20 * * MON-THU", "0 19 * * FRI"]`,
			[]string{"moved stop every Friday 20:00 → 19:00, from Fri 27 Nov, 57 times"}},
		{"another spelling", `stop: "0 20 * * MON-FRI"`, `stop: "0 20 * * 1-5"`, nil},
		{"tonight's is over already", `stop: "0 20 * * *"`, `stop: "0 19 * * *"`,
			[]string{"removed stop 20:00 on Tue 24 Nov", "moved stop daily 20:00 → 19:00, from Wed 25 Nov, 400 times"}},
		{"over midnight", `stop: "0 23 * * MON-FRI"`, `stop: "0 1 * * TUE-SAT"`,
			[]string{"moved stop Mon-Fri 23:00 → 01:00 next day, from Tue 24 Nov, 286 times"}},
		{"far, but on its day", `start: "0 6 * * MON-FRI"`, `start: "0 20 * * MON-FRI"`,
			[]string{"added start 20:00 on Tue 24 Nov", "moved start Mon-Fri 06:00 → 20:00, from Wed 25 Nov, 286 times"}},
		{"the nearer of two", `stop: ["0 12 * * FRI", "0 20 * * FRI"]`, `stop: "0 19 * * FRI"`,
			[]string{"removed stop every Friday 12:00, from Fri 27 Nov, 57 times", "moved stop every Friday 20:00 → 19:00, from Fri 27 Nov, 57 times"}},
		{"few dates", `stop: "0 20 24,31 12 *"`, `stop: "0 18 24,31 12 *"`,
			[]string{"moved stop 20:00 → 18:00 on Thu 24 Dec, Thu 31 Dec, Fri 24 Dec 2027"}},
		{"three dates", `stop: "0 20 1-6 1 *"`, `stop: "0 20 1-3 1 *"`,
			[]string{"removed stop 20:00 on Mon 4 Jan, Tue 5 Jan, Wed 6 Jan"}},
		{"once a month", `stop: "0 20 1 * *"`, `stop: "0 21 1 * *"`,
			[]string{"moved stop 20:00 → 21:00 on 13 days, from Tue 1 Dec"}},
		{"winter and summer", `timezone: UTC; stop: "0 20 * * *"`, `stop: "0 20 * * *"`, []string{
			"moved stop daily 21:00 → 20:00, from Tue 24 Nov to Sat 27 Mar, 124 times",
			"moved stop daily 22:00 → 20:00, from Sun 28 Mar to Sat 30 Oct 2027, 217 times",
			"moved stop daily 21:00 → 20:00, from Sun 31 Oct 2027, 59 times",
		}},
		{"only now and then", `stop: "0 20 * * MON,WED,FRI"`, `start: "0 8 * * MON,WED,FRI"; stop: "0 20 * * MON,WED,FRI"`,
			[]string{"added start Mon, Wed, Fri 08:00, from Wed 25 Nov, 172 times"}},
		{"half a step ahead", `stop: "0,30 13 1 1 *"`, `stop: "15,45 13 1 1 *"`,
			[]string{"moved stop 13:00 → 13:15 on Fri 1 Jan", "moved stop 13:30 → 13:45 on Fri 1 Jan"}},
		{"less than every other day is no pattern", `stop: "0 20 1-13 * *"`, `stop: "0 19 1-13 * *"`,
			[]string{"moved stop 20:00 → 19:00 on 169 days, from Tue 1 Dec"}},
		{"an hour that comes twice", `stop: "0 12 * * *"`, `stop: ["0 12 * * *", "*/30 2 31 10 *"]`, []string{
			"added stop 02:00 CEST on Sun 31 Oct 2027", "added stop 02:30 CEST on Sun 31 Oct 2027",
			"added stop 02:00 CET on Sun 31 Oct 2027", "added stop 02:30 CET on Sun 31 Oct 2027",
		}},
		{"an hour that comes twice on one of many days", `stop: "0 12 * * *"`, `stop: ["0 12 * * *", "*/60 2 1,10,20,31 * *"]`,
			[]string{"added stop 02:00 on 46 days, from Tue 1 Dec, 47 times"}},
		{"from one pass to the other", `stop: ["0 12 * * *", "30 2 31 10 *"]`, `stop: ["0 12 * * *", "*/30 2 31 10 *"]`, []string{
			"added stop 02:00 CEST on Sun 31 Oct 2027",
			"added stop 02:00 CET on Sun 31 Oct 2027", "added stop 02:30 CET on Sun 31 Oct 2027",
		}},
		{"a lead", `start: "0 8 * * SAT"`, `start: "0 8 * * SAT"; start_lead: 15m`,
			[]string{"moved start every Saturday 08:00 → 07:45, from Sat 28 Nov, 57 times"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, g := range diffFiles(t, zoned(c.before), zoned(c.after)).pairs[0].groups {
				what, reach := g.text()
				got = append(got, strings.TrimSuffix(g.kind.String()+" "+g.power.Action()+" "+what+", "+reach, ", "))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// TestDiffAtLoad: nothing that a file says acts on the past, unless it is to.
func TestDiffAtLoad(t *testing.T) {
	t.Parallel()
	const office = `start: "0 8 * * *"; stop: "0 20 * * *"`
	for _, c := range []struct{ name, before, after, want string }{
		{"the same", office, office, ""},
		{"the same is wanted", office, `start: "0 7 * * *"; stop: "0 21 * * *"`, ""},
		{"another power", office, `start: "0 8 * * *"; stop: "0 19 * * *"`,
			"running → stopped now: no call; the next is start Wed 25 Nov 2026 08:00"},
		{"converge", office, `start: "0 8 * * *"; stop: "0 19 * * *"; on_change: converge`,
			"running → stopped now: stop at once, on_change: converge"},
		{"converge in a dry run", office, `start: "0 8 * * *"; stop: "0 19 * * *"; on_change: converge; dry_run: true`,
			"running → stopped now: stop at once, on_change: converge; dry run"},
		{"a lead has begun", `start: "0 8 * * *"; stop: "0 19 * * *"`, `start: ["0 8 * * *", "40 19 * * *"]; stop: "0 19 * * *"; start_lead: 15m`,
			"stopped → running now: start at once, for Tue 24 Nov 2026 19:40"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := diffFiles(t, zoned(c.before), zoned(c.after)).pairs[0].loaded; got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestDiffSelections: whoever a pattern selects is compared as one.
func TestDiffSelections(t *testing.T) {
	t.Parallel()
	text := func(stop, pattern string) string {
		return fmt.Sprintf("policies:\n- name: p\n  timezone: UTC\n  deployments: []\n  select: {name: %q, max: 5}\n  stop: %q\n", pattern, stop)
	}
	c := diffFiles(t, text("0 20 * * FRI", "dev-*"), text("0 19 * * FRI", "dev-*"))
	if len(c.pairs) != 1 || len(c.pairs[0].groups) != 1 || c.pairs[0].groups[0].kind != changeMoved {
		t.Fatalf("another time for whom a pattern selects: %+v", c.pairs)
	}
	if got := c.pairs[0].whom(60, plainly); got != "all called dev-*" {
		t.Errorf("it is about %q", got)
	}
	if c := diffFiles(t, text("0 20 * * FRI", "dev-*"), text("0 20 * * FRI", "test-*")); len(c.pairs) != 2 {
		t.Errorf("another pattern is about others: want two pairs, got %d", len(c.pairs))
	}
}

// TestDiffProtects: who may no longer be stopped has no stops any more, and is
// told apart from the others of the policy.
func TestDiffProtects(t *testing.T) {
	t.Parallel()
	const text = "policies:\n- name: p\n  timezone: UTC\n  deployments: [w1, w2]\n  start: \"0 8 * * FRI\"\n  stop: \"0 20 * * FRI\"\n"
	var b bytes.Buffer
	if err := writeDiffText(&b, diffFiles(t, text, "protect: [w2]\n"+text), false); err != nil {
		t.Fatal(err)
	}
	const want = `
the whole file
  setting  protect: w2 is new

p (protected now)  curfew.yaml:3, times in UTC
  w2
  removed  stop   every Friday 20:00, from Fri 27 Nov, 57 times  old line 6

0 calls moved, 0 added, 57 removed; 1 setting differs
`
	if _, got, _ := strings.Cut(b.String(), "UTC\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestDiffComment: a comment ends before GitHub refuses it, and says what it lacks.
func TestDiffComment(t *testing.T) {
	t.Parallel()
	var before, after strings.Builder
	before.WriteString("timezone: UTC\npolicies:\n")
	after.WriteString("timezone: UTC\npolicies:\n")
	for i := range 600 {
		fmt.Fprintf(&before, "- {name: p%03d, deployments: [w%03d], stop: \"0 20 * * FRI\"}\n", i, i)
		fmt.Fprintf(&after, "- {name: p%03d, deployments: [w%03d], stop: \"0 19 * * FRI\", min_span: 1h}\n", i, i)
	}
	var b bytes.Buffer
	if err := writeDiffMarkdown(&b, diffFiles(t, before.String(), after.String())); err != nil {
		t.Fatal(err)
	}
	const most = 65_536
	if b.Len() > most {
		t.Errorf("the comment has %d bytes, GitHub takes %d", b.Len(), most)
	}
	rows := strings.Count(b.String(), "\n| `p")
	for _, want := range []string{fmt.Sprintf("\n%d lines are not here; `curfew diff` shows all.\n", 600-rows), "\n600 lines are not here; "} {
		if rows == 0 || !strings.Contains(b.String(), want) {
			t.Errorf("%d rows, and it does not say %q", rows, want)
		}
	}
}

// TestDiffFits: lines keep to their width, whatever the groups say.
func TestDiffFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var b bytes.Buffer
		if err := writeDiffText(&b, drawnComparison(rt), false); err != nil {
			rt.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > textWidth {
				rt.Fatalf("%d columns: %s", n, line)
			}
			if strings.Contains(line, "\x1b") {
				rt.Fatalf("colours without a terminal: %q", line)
			}
		}
	})
}

// TestDiffWriters: all three show the same number of groups.
func TestDiffWriters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := drawnComparison(rt)
		groups := 0
		for _, p := range c.pairs {
			groups += len(p.groups)
		}
		var text, markdown, js bytes.Buffer
		for _, err := range []error{writeDiffText(&text, c, true), writeDiffMarkdown(&markdown, c), writeDiffJSON(&js, c)} {
			if err != nil {
				rt.Fatal(err)
			}
		}
		if rows := strings.Count(markdown.String(), "\n| `"); rows != groups {
			rt.Fatalf("%d rows of %d groups in\n%s", rows, groups, markdown.String())
		}
		if rows := strings.Count(text.String(), "line "); rows != groups {
			rt.Fatalf("%d lines of %d groups in\n%s", rows, groups, text.String())
		}
		var bodies []diffBody
		if err := json.Unmarshal(js.Bytes(), &bodies); err != nil {
			rt.Fatal(err)
		}
		bodies = slices.DeleteFunc(bodies, func(b diffBody) bool { return b.Count == 0 })
		if len(bodies) != groups {
			rt.Fatalf("%d objects of %d groups", len(bodies), groups)
		}
		for _, b := range bodies {
			if b.Count != len(b.Calls) || len(b.Deployments) == 0 {
				rt.Fatalf("odd object %+v", b)
			}
		}
	})
}

// TestMarkdownCode: no text leaves its span of code, or its cell.
func TestMarkdownCode(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"dev":         "`dev`",
		"a|b":         "`a\\|b`",
		"a`b":         "``a`b``",
		"`":           "`` ` ``",
		"two\nlines":  "`two\ufffdlines`",
		"@all <b> *x": "`@all <b> *x`",
		"":            "`  `",
	} {
		if got := code(s); got != want {
			t.Errorf("code(%q) = %q, want %q", s, got, want)
		}
	}
}

// TestGitNames: what is a revision's file, and what is beside it.
func TestGitNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, joined string
		want, beside string
		outside      bool
	}{
		{"main:curfew.yaml", "days.ics", "main:curfew.yaml", "main:days.ics", false},
		{"main:a/curfew.yaml", "a/days.ics", "main:a/curfew.yaml", "main:a/days.ics", false},
		{"main:./curfew.yaml", "days.ics", "main:./curfew.yaml", "main:./days.ics", false},
		{"main:../curfew.yaml", "../days.ics", "main:../curfew.yaml", "main:./../days.ics", false},
		{"main:curfew.yaml", "../days.ics", "main:curfew.yaml", "main:../days.ics", true},
		{"main:./curfew.yaml", "/etc/days.ics", "main:./curfew.yaml", "main:/etc/days.ics", true},
		{"HEAD@{2 days ago 12:00}:c.yaml", "days.ics", "HEAD@{2 days ago 12:00}:c.yaml", "HEAD@{2 days ago 12:00}:days.ics", false},
		{":c.yaml", "days.ics", ":c.yaml", ":days.ics", false},
	} {
		g, ok := gitFileOf(c.name)
		if !ok || g.String() != c.want {
			t.Errorf("%s is %s (%t)", c.name, g, ok)
		}
		b := g.beside(c.joined)
		if b.String() != c.beside || b.outside() != c.outside {
			t.Errorf("%s beside %s is %s, outside %t", c.joined, c.name, b, b.outside())
		}
	}
	for _, name := range []string{"curfew.yaml", `C:\curfew.yaml`, "c:/curfew.yaml", "main:", "diff_test.go"} {
		if g, ok := gitFileOf(name); ok {
			t.Errorf("%s is taken for %s of a revision", name, g)
		}
	}
}

// TestDiffWithoutGit says what is missing.
func TestDiffWithoutGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var errs bytes.Buffer
	code := run(context.Background(), []string{"diff", "main:a.yaml", "main:b.yaml"}, nil, io.Discard, &errs,
		func(string) (string, bool) { return "", false })
	const want = "curfew: read main:a.yaml: a file of a revision needs git, and there is none on the PATH\n"
	if code != exitTrouble || errs.String() != want {
		t.Errorf("exit code %d, %q, want %q", code, errs.String(), want)
	}
}

// BenchmarkDiff compares 200 policies over 400 days, each of which has moved.
func BenchmarkDiff(b *testing.B) {
	text := func(hour int) string {
		var s strings.Builder
		s.WriteString("timezone: Europe/Berlin\ncalendars: {holidays: {country: DE, region: BE}}\npolicies:\n")
		for p := range 200 {
			fmt.Fprintf(&s, "- {name: p%d, deployments: [w%d, v%d], start: \"%d 8 * * MON-FRI\", stop: \"%d %d * * MON-FRI\", except: [holidays]}\n",
				p, p, p, p%60, p%60, hour+p%3)
		}
		return s.String()
	}
	before, after := fileOf(b, text(19)), fileOf(b, text(20))
	from := time.Date(2026, 11, 24, 0, 0, 0, 0, before.Location)
	for b.Loop() {
		if err := writeDiffText(io.Discard, compare(before, after, nil, span{from, from.AddDate(0, 0, 400)}), false); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDiffSumOfDryRuns: the sum says which calls nobody makes, and that a policy
// goes live.
func TestDiffSumOfDryRuns(t *testing.T) {
	t.Parallel()
	const live, dry = `stop: "0 20 * * *"`, `stop: "0 20 * * *"; dry_run: true`
	none := "timezone: Europe/Berlin\npolicies: []\n"
	for _, c := range []struct{ name, before, after, want string }{
		{"goes live", zoned(dry), zoned(live), "0 calls moved, 0 added, 0 removed; 400 calls go live (dry_run before); 1 setting differs"},
		{"goes dry", zoned(live), zoned(dry), "0 calls moved, 0 added, 0 removed; 400 calls are not made any more (dry_run); 1 setting differs"},
		{"the whole file goes live", "dry_run: true\n" + zoned(live), zoned(live), "0 calls moved, 0 added, 0 removed; 400 calls go live (dry_run before); 1 setting differs"},
		{"only one of two switches", "dry_run: true\n" + zoned(dry), zoned(dry), "0 calls moved, 0 added, 0 removed; 1 setting differs"},
		{"a new one", none, zoned(dry), "0 calls moved, 400 added (all dry_run), 0 removed"},
		{"one that goes", zoned(dry), none, "0 calls moved, 0 added, 400 removed (all dry_run)"},
		{"some are", none, zoned(dry) + "- {name: q, deployments: [w2], stop: '0 21 1 1 *'}\n", "0 calls moved, 401 added (400 dry_run), 0 removed"},
		{"moved and live", zoned(dry), zoned(`stop: "0 21 * * *"`), "400 calls moved, 0 added, 0 removed; 400 calls go live (dry_run before); 1 setting differs"},
		{"moved and dry", zoned(dry), zoned(`stop: "0 21 * * *"; dry_run: true`), "400 calls moved (all dry_run), 0 added, 0 removed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := diffFiles(t, c.before, c.after).sum(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

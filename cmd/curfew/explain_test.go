package main

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"curfew/policy"
)

// explained asks a file about one of its deployments.
func explained(t *testing.T, text, id, when string) *explanation {
	t.Helper()
	file := fileOf(t, text)
	at, err := parseTime(when, time.Time{}, file.Location)
	if err != nil {
		t.Fatal(err)
	}
	line, err := find(file, nil, policy.DeploymentID(id), "")
	if err != nil {
		t.Fatal(err)
	}
	return explain(file, line, at)
}

// TestExplainSentence: the first line of every kind of answer.
func TestExplainSentence(t *testing.T) {
	t.Parallel()
	const head = "timezone: Europe/Berlin\nprotect: [guarded]\ncalendars: {freeze: {dates: [2026-12-28..2027-01-03]}, far: {dates: [2036-01-01]}}\npolicies:\n- name: p\n  deployments: [w1, guarded]\n  "
	for _, c := range []struct{ policy, id, at, verdict, want string }{
		{"running: Mon-Fri 08:00-20:00", "w1", "2026-12-24 12:00", "wanted", "WANTED RUNNING: since 08:00, until 20:00."},
		{"running: Mon-Fri 08:00-20:00", "w1", "2026-12-24 08:00", "wanted", "WANTED RUNNING: since 08:00, until 20:00."},
		{"running: Mon-Fri 08:00-20:00\n  start_lead: 90s", "w1", "2026-12-24 07:59", "wanted", "WANTED RUNNING: since 07:58:30, until 20:00."},
		{"running: Mon-Fri 08:00-20:00", "w1", "2027-01-01 21:00", "wanted", "WANTED STOPPED: since 20:00, until Mon 4 Jan 08:00."},
		{"running: Mon-Fri 08:00-20:00", "w1", "2027-01-01 07:00", "wanted", "WANTED STOPPED: since Thu 31 Dec 2026 20:00, until 08:00."},
		{"stop: \"0 20 * * *\"", "w1", "2026-12-24 12:00", "wanted", "WANTED STOPPED: since Wed 23 Dec 20:00, with no end in sight."},
		{"running: 08:00-20:00\n  except: {freeze: untouched}", "w1", "2026-12-29 12:00", "untouched",
			"LEFT ALONE: nothing is wanted because of freeze, since Mon 28 Dec 00:00, until Mon 4 Jan 2027 00:00."},
		{"running: 00:00-24:00\n  except: {far: stopped}", "w1", "2026-12-29 12:00", "wanted", "WANTED RUNNING: always so far, until Tue 1 Jan 2036 00:00."},
		{"stop: \"0 0 1 1 *\"", "w1", "0001-01-01 00:00", "nothing", "NOTHING WANTED: no time of p lies behind; the first is a stop on Tue 1 Jan 0002 00:00."},
		{"stop: \"0 20 * * *\"", "guarded", "2026-12-24 12:00", "protected",
			"PROTECTED: it is never stopped; the policy wants it stopped since Wed 23 Dec 20:00, with no end in sight."},
		{"running: 08:00-20:00", "guarded", "2026-12-24 12:00", "wanted", "WANTED RUNNING: since 08:00, until 20:00."},
		{"running: 08:00-20:00\n  dry_run: true", "w1", "2026-12-24 12:00", "dry_run", "DRY RUN: no call is made; the policy wants it running since 08:00, until 20:00."},
	} {
		x := explained(t, head+c.policy, c.id, c.at)
		if got := x.sentence(); got != c.want || x.verdict() != c.verdict {
			t.Errorf("%s of %s at %s:\n got %s %s\nwant %s %s", c.policy, c.id, c.at, x.verdict(), got, c.verdict, c.want)
		}
		if text := x.text(false); !strings.HasPrefix(text, c.want+"\n  asked ") || !strings.Contains(text, "\n  next ") {
			t.Errorf("the text is\n%s", text)
		}
	}
}

// TestExplainOtherName: a deployment that is not the one that the file means is
// left alone, whatever is wanted.
func TestExplainOtherName(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `timezone: UTC
policies:
- {name: p, deployments: [{id: w1, name: dev-eu}], stop: "0 20 * * *"}`)
	inv, err := inventoryOf(`[{"deploymentID":"w1","deploymentName":"prod-eu"}]`)
	if err != nil {
		t.Fatal(err)
	}
	x := explain(file, planLines(file, inv)[0], time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC))
	const want = `NOT TOUCHED: it is called "prod-eu", not "dev-eu"; the policy wants it stopped since Wed 23 Dec 20:00, with no end in sight.`
	if got := x.sentence(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, e := range x.next {
		if e.Cancelled == "" {
			t.Errorf("%s at %s counts", e.Power.Action(), e.At)
		}
	}
}

// TestExplainQuotes: the line of the file is shown, and of a long one the part
// that matters.
func TestExplainQuotes(t *testing.T) {
	t.Parallel()
	members := "w1"
	for i := range 60 {
		members += ", x" + strings.Repeat("y", i)
	}
	for text, want := range map[string]string{
		"timezone: UTC\npolicies:\n- name: p\n  deployments: [w1]\n  stop: \"0 20 * * *\" # at night\n":                              `| stop: "0 20 * * *" # at night`,
		"{timezone: UTC, policies: [{name: p, deployments: [" + members + "], stop: \"0 20 * * *\", enforce: none, min_span: 10m}]}": `stop: "0 20 * * *", enforce: none`,
	} {
		x := explained(t, text, "w1", "2026-12-24 12:00")
		got := x.quote(x.pos())
		if !strings.Contains(got, want) || len(got) > 82 {
			t.Errorf("quoted %q, want %q in it", got, want)
		}
	}
}

// TestExplainIsTheLaw holds an explanation to the policy: what is wanted, until
// another power is, and what comes next.
func TestExplainIsTheLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		file, s, text := drawFile(rt)
		for _, l := range planLines(file, nil) {
			if len(l.members) == 0 {
				continue
			}
			l.members = l.members[:1]
			x := explain(file, l, s.from)
			if x.want != l.policy.Decide(s.from) {
				rt.Fatalf("%+v is wanted in\n%s", x.want, text)
			}
			until := s.from.AddDate(1, 0, 0)
			if !x.until.IsZero() && x.until.Before(until) {
				until = x.until
				if d := l.policy.Decide(until); d.Want == x.want.Want {
					rt.Fatalf("at %s, %s is wanted still in\n%s", until, d.Want, text)
				}
			}
			for e, ok := l.policy.Next(s.from); ok && e.At.Before(until); e, ok = l.policy.Next(e.At) {
				if e.Power != x.want.Want {
					rt.Fatalf("%s is wanted until %s, and %s at %s in\n%s", x.want.Want, until, e.Power, e.At, text)
				}
			}
			compareNext(rt, l.policy, s.from, x.next, text)
		}
	})
}

// compareNext holds the next rows to the edges of a policy, up to the second
// transition.
func compareNext(rt *rapid.T, p *policy.Policy, at time.Time, next []*planEdge, text string) {
	left := 2
	i := 0
	for e := range p.Edges(at.Add(1), at.AddDate(0, 2, 0)) {
		if i == len(next) || next[i].Edge != e {
			rt.Fatalf("row %d of %d is not %+v in\n%s", i, len(next), e, text)
		}
		i++
		if e.Cancelled == "" && e.Power != policy.None {
			left--
		}
		if left == 0 {
			break
		}
	}
	if left == 0 && i != len(next) {
		rt.Fatalf("%d rows, want %d in\n%s", len(next), i, text)
	}
}

// TestCompleteDeployments completes ids of the file that the line names, and
// nothing where that cannot be read.
func TestCompleteDeployments(t *testing.T) {
	t.Parallel()
	env := func(name string) (string, bool) {
		if name != "CURFEW_CONFIG_YAML" {
			return "", false
		}
		return "{timezone: UTC, policies: [{name: p, deployments: [{id: w1, name: dev}, w2, x1], stop: \"0 20 * * *\"}]}", true
	}
	none := ""
	ids, _ := completeDeployments(&console{env: env}, &none)(nil, nil, "w")
	if got := strings.Join(ids, ","); got != "w1\tdev p,w2\tp" {
		t.Errorf("completed %q", got)
	}
	if ids, _ := completeDeployments(&console{env: env}, &none)(nil, []string{"w1"}, "w"); ids != nil {
		t.Errorf("a second id is completed: %q", ids)
	}
	nowhere := "nowhere.yaml"
	if ids, _ := completeDeployments(&console{env: env}, &nowhere)(nil, nil, "w"); ids != nil {
		t.Errorf("without a file: %q", ids)
	}
}

package config

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"

	"github.com/google/go-cmp/cmp"
)

// parse returns the configuration of a text in which nothing is wrong.
func parse(t *testing.T, text string, env Env) *Config {
	t.Helper()
	c, problems := Parse("curfew.yaml", []byte(text), env)
	if len(problems) > 0 {
		t.Fatalf("unexpected problems:\n%s", Render(problems, c.Text))
	}
	return c
}

func vars(m map[string]string) Lookup {
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

func TestSmallestFile(t *testing.T) {
	t.Parallel()
	c := parse(t, "policies: []\n", Env{})
	got := fmt.Sprintln(c.Source, c.Path, c.Name, c.Endpoint, c.Ledger, c.Listen, c.ObserveEvery, c.Timezone, c.Location,
		c.DryRun, c.TrustClock, c.PerDeployment, c.ObserveList, len(c.Calendars), len(c.Protect), c.Prices.Currency() == "",
		len(c.Policies.Policies), c.Quotas)
	want := fmt.Sprintln("curfew.yaml", "", "default", "https://cloud-intl.emqx.com/public_api/v1", "/var/lib/curfew/curfew.db",
		"127.0.0.1:9815", "5m0s", "", "UTC", false, false, "auto", false, 0, 0, true, 0, [3]quota.Limit{{N: 60, Per: time.Hour}, {N: 1, Per: time.Hour}, {N: 1, Per: time.Hour}})
	if got != want {
		t.Errorf("defaults:\n got %s\nwant %s", got, want)
	}
}

func TestEveryKey(t *testing.T) {
	t.Parallel()
	c := parse(t, `
api:
  name: prod.eu-1
  endpoint: http://127.0.0.1:8080/any/path/
  key_file: key
  secret_file: /run/secret
  quotas:
    get: {limit: 100, scope: key}
    stop: {per: 90s}
ledger: state/curfew.db
listen: "[::]:80"
observe_every: 1m30s
timezone: Europe/Berlin
dry_run: true
clock: trust
metrics: {per_deployment: none}
observe: list
calendars: {}
protect: [prod]
prices: {default: {currency: EUR, running: 1, stopped: 0}}
policies: []
`, Env{Dir: "/etc/curfew"})
	want := [quota.Methods]quota.Limit{
		quota.Get:   {N: 100, Per: time.Hour, Scope: quota.Key},
		quota.Start: {N: 1, Per: time.Hour},
		quota.Stop:  {N: 1, Per: 90 * time.Second},
	}
	if diff := cmp.Diff(want, c.Quotas); diff != "" {
		t.Errorf("quotas: partial maps keep the rest (-want +got):\n%s", diff)
	}
	got := fmt.Sprintln(c.Name, c.Endpoint, c.key.path, c.secret.path, c.Ledger, c.Listen, c.ObserveEvery, c.Timezone, c.Location,
		c.DryRun, c.TrustClock, c.PerDeployment, c.ObserveList, len(c.Calendars), c.Protect[0].Text, c.Prices.Currency())
	if want := fmt.Sprintln("prod.eu-1", "http://127.0.0.1:8080/any/path", "/etc/curfew/key", "/run/secret", "/etc/curfew/state/curfew.db",
		"[::]:80", "1m30s", "Europe/Berlin", "Europe/Berlin", true, true, "none", true, 0, "prod", "EUR"); got != want {
		t.Errorf("values:\n got %s\nwant %s", got, want)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	c := parse(t, `
policies: # before what they depend on
  - name: office hours, für alle
    deployments: [1e5, 0o17, 12345678, 007, true, {id: "null"}, 1e100000]
    start: 0 8 * * 1-5
    stop: ['0 20 * * 1-5', "0 14 * * SAT"]
    start_lead: none
    enforce: false
    dry_run: false
  - name: nightly
    deployments: []
    timezone: America/New_York
    stop: "@daily"
    catch_up_within: none
    min_span: 1s
    on_change: converge
    enforce: none
  - {name: default, deployments: [], start: "0 1 * * *", stop: "0 3 * * *"}
timezone: Europe/Berlin
defaults: {start_lead: 10m, enforce: both, catch_up_within: 1d, confirm_within: 1h, dry_run: true}
`, Env{})
	type view struct {
		Name, Zone string
		Pos        string
		Options    policy.Options
		IDs        []policy.DeploymentID
	}
	var got []view
	for _, p := range c.Policies.Policies {
		v := view{Name: p.Name(), Zone: p.Zone(), Pos: p.Pos().String(), Options: p.Options()}
		for _, m := range p.Members() {
			v.IDs = append(v.IDs, m.ID)
		}
		got = append(got, v)
	}
	base := policy.Options{StartLead: 10 * time.Minute, CatchUpWithin: day, ConfirmWithin: time.Hour, MinSpan: policy.DefaultMinSpan, DryRun: true}
	office, nightly, rest := base, base, base
	office.StartLead, office.DryRun = 0, false
	nightly.CatchUpWithin, nightly.MinSpan, nightly.Converge = noEnd, time.Second, true
	rest.Enforce = policy.EnforceBoth
	want := []view{
		{"office hours, für alle", "Europe/Berlin", "curfew.yaml:3:11", office, []policy.DeploymentID{"1e5", "0o17", "12345678", "007", "true", "null", "1e100000"}},
		{"nightly", "America/New_York", "curfew.yaml:10:11", nightly, nil},
		{"default", "Europe/Berlin", "curfew.yaml:18:12", rest, nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
}

// TestNoCatchUpEnd has both kinds of policy say "none", over a default that is
// not: the one with both powers is caught up without end, which is zero.
func TestNoCatchUpEnd(t *testing.T) {
	t.Parallel()
	c := parse(t, `
timezone: UTC
defaults: {catch_up_within: 2h}
policies:
  - {name: both, deployments: [], start: "0 8 * * *", stop: "0 20 * * *", catch_up_within: none}
  - {name: one, deployments: [], stop: "0 20 * * *", catch_up_within: none}
  - {name: default, deployments: [], stop: "0 20 * * *"}
`, Env{})
	for i, want := range []time.Duration{0, noEnd, 2 * time.Hour} {
		p := c.Policies.Policies[i]
		if got := p.Options().CatchUpWithin; got != want {
			t.Errorf("%s: catch up within %v, want %v", p.Name(), got, want)
		}
	}
}

// TestSectionsWithNothing has sections whose lines are all commented out.
func TestSectionsWithNothing(t *testing.T) {
	t.Parallel()
	c := parse(t, "api:\n  # name: x\nmetrics:\ndefaults: ~\npolicies: []\n", Env{})
	if c.Name != DefaultName {
		t.Errorf("name is %q", c.Name)
	}
	parse(t, "api:\n  quotas:\n    get:\npolicies: []", Env{})
	parse(t, "calendars:\n  # holidays: {country: DE}\nprices:\npolicies: []", Env{})
}

// TestLineEnds has the same file with the line ends of other systems, and asks
// for the same places.
func TestLineEnds(t *testing.T) {
	t.Parallel()
	text := "timezone: UTC\npolicies:\n  - name: a\n    deployments: []\n    stop: \"0 25 * * *\"\nlistn: 1\n"
	_, want := Parse("x", []byte(text), Env{})
	for name, end := range map[string]string{"CRLF": "\r\n", "CR": "\r", "NEL": "\u0085", "LS": "\u2028"} {
		other := []byte(strings.ReplaceAll(text, "\n", end))
		_, got := Parse("x", other, Env{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-LF +%s):\n%s", name, name, diff)
		}
		if out := Render(got, other); !strings.Contains(out, "    6 | listn: 1\n      | ^\n") || strings.Contains(out, "\r") {
			t.Errorf("%s:\n%q", name, out)
		}
	}
}

// TestUnreadable has texts that cannot be written into a golden file.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "x:1:1: error: the file says nothing"},
		{"blank", " \n\n", "x:1:1: error: the file says nothing"},
		{"only a document's beginning", "---\n", "x:1:1: error: the file says nothing"},
		{"byte order mark", "\ufeffpolicies: []\n", "x:1:1: error: the file begins with a byte order mark"},
		{"byte order mark inside", "policies: []\n\ufeff\n", "x:2:1: error: control character U+FEFF"},
		{"UTF-16", "\xff\xfep\x00", "x:1:1: error: the file is UTF-16"},
		{"Latin-1", "# gr\n# \xfc\n", "x:2:3: error: byte 0xfc is not UTF-8"},
		{"escape", "a: 1\n  # \x1b[2J\n", "x:2:5: error: control character U+001B"},
		{"zero byte", "policies: []\x00", "x:1:13: error: control character U+0000"},
		{"delete", "\x7f", "x:1:1: error: control character U+007F"},
		{"large", "#" + strings.Repeat(" ", MaxSize), "x:1:1: error: the file is larger than 16 MiB"},
	} {
		_, problems := Parse("x", []byte(test.text), Env{})
		got, _, _ := strings.Cut(Render(problems, []byte(test.text)), "\n")
		if got != test.want || len(problems) != 1 || problems[0].Hint == "" {
			t.Errorf("%s: got %s, %d problems; want %s, one problem, a hint", test.name, got, len(problems), test.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	const silent = "policies: []\n"
	const says = "listen: 127.0.0.1:1\napi: {endpoint: 'https://file.example/v1'}\n" + silent
	for _, test := range []struct {
		name, text       string
		env              map[string]string
		listen, endpoint string
	}{
		{"nothing set", silent, nil, DefaultListen, DefaultEndpoint},
		{"empty is not set", says, map[string]string{"CURFEW_LISTEN": "", envEndpoint: ""}, "127.0.0.1:1", "https://file.example/v1"},
		{"both, and a silent file", silent, map[string]string{"CURFEW_LISTEN": ":2", envEndpoint: "https://env.example/v1/"}, ":2", "https://env.example/v1"},
		{"listen goes over the file, the endpoint does not", says,
			map[string]string{"CURFEW_LISTEN": ":2", envEndpoint: "nonsense"}, ":2", "https://file.example/v1"},
	} {
		c := parse(t, test.text, Env{Lookup: vars(test.env)})
		if c.Listen != test.listen || c.Endpoint != test.endpoint {
			t.Errorf("%s: listen %s, endpoint %s; want %s, %s", test.name, c.Listen, c.Endpoint, test.listen, test.endpoint)
		}
	}
}

func TestBadEnvironment(t *testing.T) {
	t.Parallel()
	env := Env{Lookup: vars(map[string]string{"CURFEW_LISTEN": "9815", envEndpoint: "https://u:hunter2@x.example"})}
	_, problems := Parse("x", []byte("policies: []\n"), env)
	got := Render(problems, nil)
	for _, want := range []string{
		"$CURFEW_LISTEN: error: want host:port, got \"9815\"\n",
		"$EMQXCLOUD_PLATFORM_ENDPOINT: error: the endpoint holds a user or a password\n",
		"2 errors\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Errorf("a secret is shown:\n%s", got)
	}
}

// TestExample keeps the file in the repository's root true: nothing to say
// about it, and each of its policies has a next edge.
func TestExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../schedules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := parse(t, string(text), Env{})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, p := range c.Policies.Policies {
		if _, ok := p.Next(now); !ok {
			t.Errorf("%s: nothing ever happens", p.Name())
		}
	}
}

// TestExampleDefaults uncomments what the example says is the default, and
// finds that it is.
func TestExampleDefaults(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../schedules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	commented := regexp.MustCompile(`(?m)^( *)# ( *[a-z_]+:(?: .*[^)\n])?)$`) // "(…)" at the end: no default
	shown := commented.ReplaceAll(text, []byte("$1$2"))
	if n := bytes.Count(text, []byte("\n")); len(commented.FindAll(text, -1)) < 10 || bytes.Count(shown, []byte("\n")) != n {
		t.Fatalf("the example shows fewer than ten defaults:\n%s", shown)
	}
	got, want := parse(t, string(shown), Env{}), parse(t, string(text), Env{})
	if a, b := summary(got), summary(want); a != b {
		t.Errorf("with the defaults written out: %s\nwithout: %s", a, b)
	}
}

func summary(c *Config) string {
	s := fmt.Sprintln(c.Name, c.Endpoint, c.Quotas, c.Ledger, c.Listen, c.ObserveEvery, c.DryRun, c.TrustClock, c.PerDeployment,
		c.ObserveList, len(c.Protect))
	for _, p := range c.Policies.Policies {
		s += fmt.Sprintln(p.Name(), p.Options(), len(p.Members()), p.Select(), p.Fingerprint())
	}
	return s
}

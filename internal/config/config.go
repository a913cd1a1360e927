package config

import (
	"path/filepath"
	"slices"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// What holds where the file says nothing.
const (
	DefaultName         = "default"
	DefaultEndpoint     = "https://cloud-intl.emqx.com/public_api/v1"
	DefaultLedger       = "/var/lib/curfew/curfew.db"
	DefaultListen       = "127.0.0.1:9815"
	DefaultObserveEvery = 5 * time.Minute
)

// A Config is one file, read. Parse makes it, and nobody changes it but the
// flags of a command.
type Config struct {
	Source string // what positions call the text: the path, or "$CURFEW_CONFIG_YAML"
	Path   string // of the file; empty where the text came from the environment
	Text   []byte // as it was read, for Render

	Name          string                     // of the account: 1 to 63 letters, digits, ".", "_" and "-"
	Endpoint      string                     // of the API, without a slash at its end
	Quotas        [quota.Methods]quota.Limit // by quota.Method
	Ledger        string                     // path
	Listen        string                     // host:port, for TCP
	ObserveEvery  time.Duration
	Timezone      string         // default of the policies; empty: none
	Location      *time.Location // that of Timezone; UTC where there is none
	DryRun        bool           // for every policy; a policy's own is in its Options
	TrustClock    bool           // clock: trust
	PerDeployment PerDeployment
	ObserveList   bool             // observe: list, or a policy selects by name
	Calendars     []Calendar       // in the order of the file
	Protect       []policy.Pattern // of ids and names that are never stopped
	Prices        Prices
	Policies      *policy.Set // nil where a problem is an error

	key, secret credentialFile
	icals       []File // the iCalendar files, each once
}

// PerDeployment says how much detail the metrics have.
type PerDeployment uint8

// The values of metrics.per_deployment.
const (
	PerDeploymentAuto PerDeployment = iota // all series up to a size of the fleet
	PerDeploymentAll
	PerDeploymentNone
)

// String returns the configuration's word.
func (p PerDeployment) String() string {
	switch p {
	case PerDeploymentAll:
		return "all"
	case PerDeploymentNone:
		return "none"
	}
	return "auto"
}

// A Lookup is os.LookupEnv, or another environment in its place. A variable
// that is set to the empty text counts as not set: that is how people blank a
// variable in a unit or a compose file.
type Lookup func(name string) (value string, ok bool)

func (l Lookup) get(name string) string {
	if l == nil {
		return ""
	}
	value, _ := l(name)
	return value
}

// Env is what Parse takes from outside the text.
type Env struct {
	// Dir is the directory from which relative paths in the file go.
	Dir string
	// Lookup gives CURFEW_LISTEN, which overrides the file, and
	// EMQXCLOUD_PLATFORM_ENDPOINT, which the file overrides. Nil: neither.
	Lookup Lookup
	// Zone loads a time zone by its name; nil means time.LoadLocation.
	Zone func(name string) (*time.Location, error)
	// ICal reads an iCalendar file; nil means the one of that path on the disk.
	ICal func(path string) ([]byte, error)
}

// Parse reads text, which positions call name. The Config is never nil, so that
// its Source, its Text and its Files can be used whatever the text says; but
// where Failed(problems) its Policies are nil and it must not be put in force.
// The problems come in the order of the file. Beside zones and the iCalendar files
// that calendars: names, Parse touches no file itself.
func Parse(name string, text []byte, env Env) (*Config, []policy.Problem) {
	c := &Config{
		Source: name, Text: text,
		Name: DefaultName, Endpoint: DefaultEndpoint, Ledger: DefaultLedger, Listen: DefaultListen,
		ObserveEvery: DefaultObserveEvery, Location: time.UTC,
	}
	for m := range quota.Methods {
		c.Quotas[m] = quota.Documented(quota.Method(m))
	}
	r := newReader(name, env)
	if root := r.document(text); root != nil {
		r.file(root, c)
	}
	r.environment(c)
	problems := r.report(text)
	if Failed(problems) {
		c.Policies = nil
	}
	return c, problems
}

// Failed reports whether any of the problems is an error: then the file must
// not be put in force.
func Failed(problems []policy.Problem) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

// file reads the whole document. The policies come last, whatever their place:
// they need what timezone, calendars and defaults say, and these need calendars.
func (r *reader) file(root *node, c *Config) {
	var calendars, defaults, policies *node
	r.mapping(root, "the file",
		field{name: "api", read: func(n *node) { r.api(n, c) }},
		field{name: "ledger", read: r.path(&c.Ledger)},
		field{name: "listen", read: r.listen(&c.Listen)},
		field{name: "observe_every", read: r.duration(&c.ObserveEvery, time.Second, day)},
		field{name: "timezone", read: func(n *node) { c.Timezone, c.Location = r.zone(n); r.timezone = r.inner(n) }},
		field{name: "dry_run", read: r.boolean(&c.DryRun)},
		field{name: "clock", read: r.choice([]string{"check", "trust"}, func(i int) { c.TrustClock = i == 1 })},
		field{name: "metrics", read: func(n *node) { r.metrics(n, c) }},
		field{name: "observe", read: r.observes(c)},
		field{name: "calendars", read: func(n *node) { calendars = n }},
		field{name: "protect", read: r.protect(&c.Protect)},
		field{name: "defaults", read: func(n *node) { defaults = n }},
		field{name: "policies", read: func(n *node) { policies = n }},
		field{name: "prices", read: r.prices(&c.Prices)},
		field{name: "accounts", refuse: notYet + "; run one curfew for each account"},
	)
	r.missing(root, "policies", "the file has no policies", noPolicies)
	r.calendars(calendars, c)
	specs := r.policies(policies, c, r.defaults(defaults, c))
	r.needList(c, specs)
	r.unused(c, policies)
	r.fold(specs, c.Calendars)
	c.Policies = r.compile(specs, c.Calendars)
}

// observes reads how deployments are looked at.
func (r *reader) observes(c *Config) func(*node) {
	read := r.choice([]string{"each", "list"}, func(i int) { c.ObserveList = i == 1 })
	return func(n *node) { r.observe = n; read(n) }
}

// needList has all deployments listed where a policy selects some of them by
// name, and refuses what says otherwise.
func (r *reader) needList(c *Config, specs []policy.Spec) {
	i := slices.IndexFunc(specs, func(s policy.Spec) bool { return s.Select != nil })
	switch {
	case i < 0:
	case r.observe == nil:
		c.ObserveList = true
	case r.observe.Value == "each":
		r.fail(r.observe, "write list, or leave the key out", "observe: each sees no deployment that is not named, and policy %q selects by name, at %s", specs[i].Name, specs[i].Select.Pos)
	}
}

func (r *reader) metrics(n *node, c *Config) {
	r.mapping(n, "metrics", field{name: "per_deployment", read: r.choice(
		[]string{"auto", "all", "none"}, func(i int) { c.PerDeployment = PerDeployment(i) })})
}

// environment asks the environment for what goes over the file's word and for
// what the file left open.
func (r *reader) environment(c *Config) {
	r.variable("CURFEW_LISTEN", func(value string) (text, hint string) {
		text, hint = badListen(value)
		if text == "" {
			c.Listen = value
		}
		return text, hint
	})
	if r.ownEndpoint {
		return
	}
	r.variable(envEndpoint, func(value string) (text, hint string) {
		endpoint, text, hint := readEndpoint(value)
		if text == "" {
			c.Endpoint = endpoint
		}
		return text, hint
	})
}

// variable reads a variable of the environment, if it is set. A problem's file
// is its name.
func (r *reader) variable(name string, read func(value string) (text, hint string)) {
	value := r.env.Lookup.get(name)
	if value == "" {
		return
	}
	if text, hint := read(value); text != "" {
		r.problems = append(r.problems, policy.Problem{Pos: policy.Pos{File: "$" + name}, Text: text, Hint: hint})
	}
}

// resolve makes a path of the file one of the process.
func (e Env) resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(e.Dir, path)
}

package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// A script is a run as data: a small fleet, its file, the platform, and what goes
// wrong when. A seed makes one up; written down it is the same run for ever,
// whatever becomes of the dice.
type script struct {
	Seed   uint64    `json:"seed"` // of the dice of network and faults
	From   time.Time `json:"from"`
	Days   int       `json:"days"`
	Calm   bool      `json:"calm,omitempty"`
	Fleet  []device  `json:"fleet"`
	File   text      `json:"file"`
	Limits [3]limit  `json:"limits"` // get, start, stop
	Retry  retry     `json:"retry,omitzero"`
	Look   span      `json:"look"`
	List   bool      `json:"list,omitempty"`
	Faults []fault   `json:"faults,omitempty"`
	Acts   []act     `json:"acts,omitempty"`
	Pause  float64   `json:"pause,omitempty"` // the share of connections and commits that take seconds
	Held   span      `json:"held,omitempty"`  // requests arrive so long after their time-out
	Fast   int64     `json:"fast,omitempty"`  // millionths by which the steady clock runs fast

	files []*file // of File, then of each act that has one; worked out once
}

// A span is a length of time, written as Go does.
type span time.Duration

func (s span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = span(d)
	return err
}

// A device is a deployment at the platform.
type device struct {
	ID      policy.DeploymentID `json:"id"`
	Boot    span                `json:"boot"`
	Halt    span                `json:"halt"`
	Pending span                `json:"pending,omitempty"`
	Lag     span                `json:"lag,omitempty"`
}

// A limit is a quota: what the file says of it, and how the platform counts.
type limit struct {
	N        int                `json:"n"`
	Per      span               `json:"per"`
	Scope    quota.Scope        `json:"scope"`
	Platform simplatform.Scope  `json:"platform,omitempty"`
	Window   simplatform.Window `json:"window,omitempty"`
	Free     bool               `json:"free,omitempty"`
}

type retry struct {
	Style simplatform.RetryStyle `json:"style"`
	After span                   `json:"after"`
}

func (r retry) world() simplatform.Retry {
	return simplatform.Retry{Style: r.Style, After: time.Duration(r.After)}
}

// A fault is one of the platform's, for all of the script's troubled time.
type fault struct {
	Kind    string                `json:"kind"`
	Methods simplatform.MethodSet `json:"methods"`
	Target  policy.DeploymentID   `json:"target,omitempty"`
	P       float64               `json:"p,omitempty"`
	For     span                  `json:"for,omitempty"`
	Code    int                   `json:"code,omitempty"`
	Retry   retry                 `json:"retry,omitzero"`
}

func (f fault) world() simplatform.Fault {
	i := slices.IndexFunc(simplatform.Kinds(), func(k simplatform.Kind) bool { return k.String() == f.Kind })
	if i < 0 {
		return simplatform.Fault{}
	}
	return simplatform.Fault{
		Kind: simplatform.Kinds()[i], Methods: f.Methods, Target: string(f.Target), P: f.P,
		For: time.Duration(f.For), Code: f.Code, Retry: f.Retry.world(),
	}
}

// A text is a file as the daemon is told it, as data.
type text struct {
	Policies  []lines             `json:"policies"`
	Calendars map[string][]string `json:"calendars,omitempty"` // dates
	Protect   []string            `json:"protect,omitempty"`
	DryRun    bool                `json:"dry_run,omitempty"`
	Zones     map[string]string   `json:"zones,omitempty"` // those whose data is another zone's
}

// lines are those of a policy.
type lines struct {
	Name     string         `json:"name"`
	Zone     string         `json:"zone"`
	Members  []string       `json:"members"` // "d1", or "d1 called X" where the name is asserted
	Start    []string       `json:"start,omitempty"`
	Stop     []string       `json:"stop,omitempty"`
	Running  []string       `json:"running,omitempty"`
	Except   []string       `json:"except,omitempty"` // "holidays: off"
	Lead     span           `json:"lead,omitempty"`
	CatchUp  span           `json:"catch_up,omitempty"`
	Confirm  span           `json:"confirm,omitempty"`
	MinSpan  span           `json:"min_span,omitempty"`
	Enforce  policy.Enforce `json:"enforce,omitempty"`
	Converge bool           `json:"converge,omitempty"`
	DryRun   bool           `json:"dry_run,omitempty"`
}

// spec is the policy as the daemon's own reader would hand it on.
func (l *lines) spec() policy.Spec {
	s := policy.Spec{Name: l.Name, Zone: l.Zone, Options: policy.Options{
		StartLead: time.Duration(l.Lead), CatchUpWithin: time.Duration(l.CatchUp), ConfirmWithin: time.Duration(l.Confirm),
		MinSpan: time.Duration(l.MinSpan), Enforce: l.Enforce, Converge: l.Converge, DryRun: l.DryRun,
	}}
	for _, m := range l.Members {
		id, name, _ := strings.Cut(m, " called ")
		s.Deployments = append(s.Deployments, policy.Member{ID: policy.DeploymentID(id), Name: name})
	}
	for _, e := range l.Start {
		s.Start = append(s.Start, policy.Cron{Expr: e})
	}
	for _, e := range l.Stop {
		s.Stop = append(s.Stop, policy.Cron{Expr: e})
	}
	for _, e := range l.Running {
		s.Running = append(s.Running, policy.Window{Expr: e})
	}
	for _, e := range l.Except {
		name, word, _ := strings.Cut(e, ": ")
		effect, _ := policy.ParseEffect(word)
		s.Except = append(s.Except, policy.Exception{Calendar: name, Effect: effect})
	}
	return s
}

// calendarOf makes a calendar of dates; one that is none is left out.
func calendarOf(name string, dates []string) *policy.Calendar {
	var days []policy.Day
	for _, d := range dates {
		if at, err := time.Parse(time.DateOnly, d); err == nil {
			days = append(days, policy.Day{Date: policy.Date{Year: at.Year(), Month: at.Month(), Day: at.Day()}})
		}
	}
	return policy.NewCalendar(name, days)
}

// env is what the policies of x refer to. A zone may have the rules of another
// one, as after a new tzdata.
func (x *text) env() (policy.Env, error) {
	env := policy.Env{Zones: map[string]*time.Location{}, Calendars: map[string]*policy.Calendar{}}
	for i := range x.Policies {
		name := x.Policies[i].Zone
		data := name
		if other, ok := x.Zones[name]; ok {
			data = other
		}
		loc, err := time.LoadLocation(data)
		if err != nil {
			return env, err
		}
		env.Zones[name] = loc
	}
	for name, dates := range x.Calendars {
		env.Calendars[name] = calendarOf(name, dates)
	}
	return env, nil
}

// specs are the policies that have deployments.
func (x *text) specs() []policy.Spec {
	var out []policy.Spec
	for i := range x.Policies {
		if len(x.Policies[i].Members) > 0 {
			out = append(out, x.Policies[i].spec())
		}
	}
	return out
}

// compile makes the set that the daemon is told.
func (x *text) compile() (*policy.Set, policy.Env, error) {
	env, err := x.env()
	if err != nil {
		return nil, env, err
	}
	set, problems := policy.Compile(x.specs(), env)
	return set, env, firstFault(problems)
}

// work compiles x and works it out for the checker.
func (x *text) work(read tapes, from, to time.Time) (*file, error) {
	set, env, err := x.compile()
	if err != nil {
		return nil, err
	}
	f := work(set, x.specs(), env, read, from, to)
	f.dry, f.protect = x.DryRun, x.Protect
	var patterns []policy.Pattern
	for _, p := range x.Protect {
		patterns = append(patterns, policy.Pattern{Text: p})
	}
	f.protection = policy.NewProtection(patterns, set.Policies)
	return f, nil
}

func (x *text) clone() text {
	c := *x
	c.Policies = slices.Clone(x.Policies)
	for i := range c.Policies {
		p := &c.Policies[i]
		p.Members, p.Start, p.Stop = slices.Clone(p.Members), slices.Clone(p.Start), slices.Clone(p.Stop)
		p.Running, p.Except = slices.Clone(p.Running), slices.Clone(p.Except)
	}
	c.Calendars = map[string][]string{}
	for name, dates := range x.Calendars {
		c.Calendars[name] = slices.Clone(dates)
	}
	c.Protect, c.Zones = slices.Clone(x.Protect), maps.Clone(x.Zones)
	return c
}

// troubled is how long things go wrong; end is when all is over.
func (s *script) troubled() time.Duration { return time.Duration(s.Days) * 24 * time.Hour }

func (s *script) end() time.Duration { return s.troubled() + s.quiet() }

// quiet is the time at the end in which nothing goes wrong any more: so long
// that everything must have come to an end.
func (s *script) quiet() time.Duration { return max(8*time.Hour, s.bound()+time.Hour) }

// bound is I14: how long after its instant, or after the last trouble, a
// transition may wait. What a refusal asks for, at most two windows; the permits
// of all before it, where they share them; an attempt that is open, and what
// looks need after it; the wake cap and the time-outs of the calls.
func (s *script) bound() time.Duration {
	var permits time.Duration
	for _, lim := range s.Limits[quota.Start:] {
		windows := 3
		if lim.Platform == simplatform.PerKey {
			windows += (len(s.Fleet) + lim.N - 1) / lim.N
		}
		permits = max(permits, time.Duration(windows)*(time.Duration(lim.Per)+time.Duration(lim.Per)/30))
	}
	confirm := policy.DefaultConfirmWithin
	for _, x := range s.texts() {
		for _, p := range x.Policies {
			confirm = max(confirm, time.Duration(p.Confirm))
		}
	}
	return scheduler.MaxSleep + 2*scheduler.CallTimeout + permits + 2*confirm + 5*time.Minute
}

// texts are all files of the script.
func (s *script) texts() []*text {
	all := []*text{&s.File}
	for i := range s.Acts {
		if s.Acts[i].File != nil {
			all = append(all, s.Acts[i].File)
		}
	}
	return all
}

// prepare works all files of the script out.
func (s *script) prepare() error {
	if s.files != nil {
		return nil
	}
	if len(s.Fleet) == 0 || s.Days < 1 || s.Look <= 0 {
		return errors.New("a script needs a fleet, days and a pace of looks")
	}
	read := tapes{}
	from, to := s.From.Add(-12*24*time.Hour), s.From.Add(s.end()+72*time.Hour)
	for _, x := range s.texts() {
		f, err := x.work(read, from, to)
		if err != nil {
			return err
		}
		s.files = append(s.files, f)
	}
	return nil
}

// config is what the daemon is told beside its policies.
func (s *script) config() scheduler.Config {
	c := scheduler.Config{
		Account: "default", ObserveEvery: time.Duration(s.Look), ObserveList: s.List,
		Release: time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for m, lim := range s.Limits {
		c.Quotas[m] = quota.Limit{N: lim.N, Per: time.Duration(lim.Per), Scope: lim.Scope}
	}
	s.files[0].into(&c)
	return c
}

// into puts the file's part into a configuration.
func (f *file) into(c *scheduler.Config) {
	c.Set, c.Protect, c.DryRun = f.set, f.protection, f.dry
}

// platform is the world with its deployments and faults.
func (s *script) platform() (*simplatform.World, error) {
	c := simplatform.Config{Seed: s.Seed, SkipGetLog: true, Retry: s.Retry.world()}
	for m, lim := range s.Limits {
		c.Quotas[methodOf(quota.Method(m))] = simplatform.Quota{
			N: lim.N, Per: time.Duration(lim.Per), Scope: lim.Platform, Window: lim.Window, FreeRejected: lim.Free,
		}
	}
	c.Quotas[simplatform.List] = c.Quotas[simplatform.Get]
	w := simplatform.New(c)
	for _, d := range s.Fleet {
		t := simplatform.Timing{
			Boot: time.Duration(d.Boot), Halt: time.Duration(d.Halt), Pending: time.Duration(d.Pending), Lag: time.Duration(d.Lag),
		}
		if err := w.Add(s.From.Add(-time.Hour), simplatform.Deployment{ID: string(d.ID), Name: nameOf(d.ID)}, t); err != nil {
			return nil, err
		}
	}
	for _, f := range s.Faults {
		if err := w.AddFault(f.world()); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// nameOf is what the platform calls a deployment until somebody renames it.
func nameOf(id policy.DeploymentID) string { return "name-of-" + string(id) }

// run lives through the script and returns the checker, and what was wrong. A
// daemon that panics is wrong like any other.
func (s *script) run(until time.Duration) (k *checker, err error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	w, err := s.platform()
	if err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	k = newChecker(s.files[0])
	k.script = s
	k.m = newMachine(s.From, w, s.config(), k)
	k.m.network = network{dice: dice(s.Seed, "network"), pause: s.Pause, held: time.Duration(s.Held)}
	k.m.clock.fast = s.Fast
	k.m.patient = true
	k.dice = dice(s.Seed, "acts")
	file := 0
	for i := range s.Acts {
		a := &s.Acts[i]
		if a.File != nil {
			file++
		}
		of := s.files[file]
		k.m.at(time.Duration(a.At), func() error { return k.act(a, of) })
	}
	k.m.at(s.troubled(), func() error { return k.calm() })
	if err := k.m.start(); err != nil {
		return k, err
	}
	return k, k.m.run(min(until, s.end()))
}

// readScript reads one that was written down.
func readScript(data []byte) (*script, error) {
	s := new(script)
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("read script: %w", err)
	}
	return s, nil
}

// write writes the script down, in one line.
func (s *script) write() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a script is numbers and texts
	}
	return string(b)
}

// TestScriptWritten holds that a script which is written down and read again is
// the same run.
func TestScriptWritten(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 12; seed++ {
		s := newScript(seed)
		again, err := readScript([]byte(s.write()))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := s.write(), again.write(); a != b {
			t.Fatalf("seed %d reads as another script:\n%s\n%s", seed, a, b)
		}
		k, _ := s.run(6 * time.Hour)
		l, _ := again.run(6 * time.Hour)
		if k.sum != l.sum {
			t.Errorf("seed %d runs otherwise when it was read\n%s", seed, firstDifference(k.trace, l.trace))
		}
	}
}

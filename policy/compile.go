package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Policy is a Spec that was found right: immutable, and safe for any number
// of goroutines. Compile makes it.
type Policy struct {
	name        string
	pos         Pos
	zone        string
	loc         *time.Location
	options     Options
	members     []Member
	selects     *Select // nil where it names its deployments alone
	selected    int     // how many of members, the last, were selected
	starts      []line
	stops       []line
	fingerprint Fingerprint
}

// Name returns the policy's name, which is its own in a Set.
func (p *Policy) Name() string { return p.name }

// Pos returns the place where the policy begins in its file.
func (p *Policy) Pos() Pos { return p.pos }

// Zone returns the name of the zone in which the times are read.
func (p *Policy) Zone() string { return p.zone }

// Location returns that zone. Instants that p returns are in it.
func (p *Policy) Location() *time.Location { return p.loc }

// Options returns the settings, with the defaults filled in.
func (p *Policy) Options() Options { return p.options }

// Members returns the deployments under p in the order of the file. The slice
// is p's own: not to be changed.
func (p *Policy) Members() []Member { return p.members }

// Has reports whether p has edges of that power.
func (p *Policy) Has(power Power) bool { return len(p.lines(power)) > 0 }

// Fingerprint returns what p's edges are made of, in 16 bytes: equal where two
// policies differ in name, members, order, spelling or other settings alone.
func (p *Policy) Fingerprint() Fingerprint { return p.fingerprint }

// A Set is the policies of one file, in its order.
type Set struct {
	Policies []*Policy
	of       map[DeploymentID]*Policy
}

// Of returns the policy under which a deployment stands; there is at most one.
func (s *Set) Of(id DeploymentID) (*Policy, bool) {
	p, ok := s.of[id]
	return p, ok
}

// Compile judges all specs and returns what is wrong with them, everything at
// once, in the order of the file. Where one of the problems is more than a
// warning the Set is nil.
func Compile(specs []Spec, env Env) (*Set, []Problem) {
	c := compiler{
		zones:     env.Zones,
		set:       &Set{of: map[DeploymentID]*Policy{}},
		named:     map[string]Pos{},
		listed:    map[DeploymentID]Pos{},
		schedules: map[scheduleKey]parsed{},
	}
	for i := range specs {
		c.compile(&specs[i])
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	if slices.ContainsFunc(c.problems, func(p Problem) bool { return !p.Warning }) {
		return nil, c.problems
	}
	return c.set, c.problems
}

// A compiler gathers policies and problems. Lines with equal expression and
// zone share one Schedule.
type compiler struct {
	zones     map[string]*time.Location
	set       *Set
	problems  []Problem
	named     map[string]Pos
	listed    map[DeploymentID]Pos
	schedules map[scheduleKey]parsed
}

type scheduleKey struct{ expr, zone string }

type parsed struct {
	sched *Schedule
	err   error
}

func (c *compiler) compile(s *Spec) {
	c.checkName(s)
	loc := c.location(s)
	p := &Policy{
		name:    s.Name,
		pos:     s.Pos,
		zone:    s.Zone,
		loc:     loc,
		members: slices.Clone(s.Deployments),
		starts:  c.linesOf(s.Start, s.Zone, loc),
		stops:   c.linesOf(s.Stop, s.Zone, loc),
	}
	p.options = withDefaults(s)
	c.checkMembers(s, p)
	c.checkOptions(s)
	c.checkTimes(s, p)
	p.fingerprint = fingerprint(p)
	c.set.Policies = append(c.set.Policies, p)
}

// withDefaults fills in what the file left open.
func withDefaults(s *Spec) Options {
	o := s.Options
	o.ConfirmWithin = cmp.Or(o.ConfirmWithin, DefaultConfirmWithin)
	o.MinSpan = cmp.Or(o.MinSpan, DefaultMinSpan)
	if len(s.Start) == 0 || len(s.Stop) == 0 {
		o.CatchUpWithin = cmp.Or(o.CatchUpWithin, CatchUpOnePower)
	}
	return o
}

// location finds the zone of a policy. Where it is wrong the answer is UTC, so
// that the expressions are judged as well.
func (c *compiler) location(s *Spec) *time.Location {
	loc := c.zones[s.Zone]
	switch {
	case s.Zone == "" && len(s.Start)+len(s.Stop) > 0:
		c.fault(cmp.Or(s.ZonePos, s.Pos), fmt.Sprintf("policy %q has times and no time zone anywhere", s.Name),
			"set timezone: in the policy or at the top, such as Europe/Berlin")
	case s.Zone == "":
	case s.Zone == "Local" || loc == time.Local:
		c.fault(s.ZonePos, fmt.Sprintf("the time zone %q is another one on every machine", s.Zone), "write its name, such as Europe/Berlin")
	case loc == nil:
		c.fault(s.ZonePos, fmt.Sprintf("there is no time zone %q", s.Zone), "a name of the tz database, such as Europe/Berlin")
	default:
		return loc
	}
	return time.UTC
}

// linesOf compiles the expressions of one power; those that are refused are
// left out.
func (c *compiler) linesOf(crons []Cron, zone string, loc *time.Location) []line {
	var out []line
	for _, cron := range crons {
		sched, err := c.schedule(cron.Expr, zone, loc)
		if err != nil {
			c.problems = append(c.problems, exprProblem(cron, err))
			continue
		}
		out = append(out, line{sched, Because{Kind: KindEdge, Pos: cron.Pos, Ref: cron.Expr}})
	}
	return out
}

func (c *compiler) schedule(expr, zone string, loc *time.Location) (*Schedule, error) {
	key := scheduleKey{expr, zone}
	known, ok := c.schedules[key]
	if !ok {
		known.sched, known.err = ParseSchedule(expr, loc)
		c.schedules[key] = known
	}
	return known.sched, known.err
}

func (c *compiler) fault(at Pos, text, hint string) {
	c.problems = append(c.problems, Problem{Pos: at, Text: text, Hint: hint})
}

func (c *compiler) warn(at Pos, text, hint string) {
	c.problems = append(c.problems, Problem{Pos: at, Text: text, Hint: hint, Warning: true})
}

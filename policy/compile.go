package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	windows     []window
	fingerprint Fingerprint
	zoned       Fingerprint

	except  []exception
	days    *days
	off     []stretch  // the dates on which nothing begins
	dates   [2]dates   // those that are not off, and those that are
	whole   []wholeDay // the days that want one power, or nothing
	putOffs []int      // of the off ones: those from which a start is put off
	live    []int      // of the off ones: those at which windows without a gap have edges
	gapless bool       // the windows hold every instant of a week without calendars
	real    bool       // a line follows real time
	own     powers     // that its own times lead to
	has     powers
}

// powers are a set, a bit each.
type powers uint8

func (s powers) with(p Power) powers { return s | 1<<p }

func (s powers) hold(p Power) bool { return s>>p&1 == 1 }

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

// Has reports whether p has edges of that power, running or stopped, by its times
// or by a calendar's days.
func (p *Policy) Has(power Power) bool { return power != None && p.has.hold(power) }

// Fingerprint returns what p's edges are made of, in 16 bytes: equal where two
// policies differ in name, members, order, spelling or other settings alone.
func (p *Policy) Fingerprint() Fingerprint { return p.fingerprint }

// Zoned returns the fingerprint of the same with the data of the zone: another
// one where a new tzdata moved the zone's clock changes, from 2020 on, under its
// old name.
func (p *Policy) Zoned() Fingerprint { return p.zoned }

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
		env:       env,
		set:       &Set{of: map[DeploymentID]*Policy{}},
		named:     map[string]Pos{},
		listed:    map[DeploymentID]Pos{},
		schedules: map[scheduleKey]parsed{},
		days:      map[string]*days{},
		near:      map[Fingerprint][]int{},
		zones:     map[string]Fingerprint{},
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
// zone share one Schedule, and policies with like exceptions share their days.
type compiler struct {
	env       Env
	set       *Set
	problems  []Problem
	named     map[string]Pos
	listed    map[DeploymentID]Pos
	schedules map[scheduleKey]parsed
	days      map[string]*days
	near      map[Fingerprint][]int
	zones     map[string]Fingerprint // of the data of each
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
		selects: s.Select,
		starts:  c.linesOf(s.Start, s.Zone, loc),
		stops:   c.linesOf(s.Stop, s.Zone, loc),
	}
	p.windows = c.windowsOf(s)
	p.options = withDefaults(s)
	p.except = c.exceptionsOf(s)
	c.checkMembers(s, p)
	c.checkOptions(s)
	c.checkTimes(s, p)
	c.checkWindows(s, p)
	c.checkExcept(s)
	c.layDays(p)
	c.set.Policies = append(c.set.Policies, p)
}

// withDefaults fills in what the file left open.
func withDefaults(s *Spec) Options {
	o := s.Options
	o.ConfirmWithin = cmp.Or(o.ConfirmWithin, DefaultConfirmWithin)
	o.MinSpan = cmp.Or(o.MinSpan, DefaultMinSpan)
	if !s.both() {
		o.CatchUpWithin = cmp.Or(o.CatchUpWithin, CatchUpOnePower)
	}
	return o
}

// both reports whether s has times of both powers.
func (s *Spec) both() bool {
	return len(s.Running) > 0 || len(s.Start) > 0 && len(s.Stop) > 0
}

// timeless reports whether s has no times at all.
func (s *Spec) timeless() bool { return len(s.Start)+len(s.Stop)+len(s.Running) == 0 }

// location finds the zone of a policy. Where it is wrong the answer is UTC, so
// that the expressions are judged as well.
func (c *compiler) location(s *Spec) *time.Location {
	loc := c.env.Zones[s.Zone]
	switch {
	case s.Zone == "" && !s.timeless():
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

// windowsOf compiles the windows; those that are refused are left out.
func (c *compiler) windowsOf(s *Spec) []window {
	var out []window
	for _, text := range s.Running {
		w, err := parseWindow(text.Expr)
		if err != nil {
			c.problems = append(c.problems, exprProblem(Cron(text), err))
			continue
		}
		w.because = Because{Kind: KindEdge, Pos: text.Pos, Ref: text.Expr}
		out = append(out, w)
	}
	return out
}

// exceptionsOf looks the calendars up; those that are not there are left out.
func (c *compiler) exceptionsOf(s *Spec) []exception {
	if len(s.Except) == 0 {
		return nil
	}
	var out []exception
	named := map[string]Pos{}
	for _, e := range s.Except {
		calendar := c.env.Calendars[e.Calendar]
		first, twice := named[e.Calendar]
		switch {
		case calendar == nil:
			c.fault(e.Pos, fmt.Sprintf("there is no calendar %q", e.Calendar), c.calendarHint())
		case twice:
			c.fault(e.Pos, fmt.Sprintf("policy %q names calendar %q twice, first at %s", s.Name, e.Calendar, first), "one calendar has one effect")
		case e.Effect > EffectUntouched:
			c.fault(e.Pos, fmt.Sprintf("calendar %q has an unknown effect in policy %q", e.Calendar, s.Name), "off, stopped, running or untouched")
		default:
			named[e.Calendar] = e.Pos
			out = append(out, exception{e, calendar})
		}
	}
	return out
}

// calendarHint lists the calendars that there are.
func (c *compiler) calendarHint() string {
	names := slices.Sorted(maps.Keys(c.env.Calendars))
	if len(names) == 0 {
		return "there are none: name it under calendars:"
	}
	return "there are: " + strings.Join(names, ", ")
}

// daysOf folds exceptions, once for all policies with the same.
func (c *compiler) daysOf(except []exception) *days {
	if len(except) == 0 {
		return &days{}
	}
	var key strings.Builder
	for _, e := range except {
		fmt.Fprintf(&key, "%q %s ", e.Calendar, e.Effect)
	}
	d, ok := c.days[key.String()]
	if !ok {
		d = newDays(except)
		c.days[key.String()] = d
	}
	return d
}

// layDays lays days over p's own times. Dates that are off mean nothing where
// nothing begins.
func (c *compiler) layDays(p *Policy) {
	p.days = c.daysOf(p.except)
	p.whole = c.placed(p.days, p.zone, p.loc)
	p.gapless = len(p.windows) > 0 && widestGap(p.windows) == 0
	for _, lines := range [][]line{p.starts, p.stops} {
		p.real = p.real || slices.ContainsFunc(lines, func(l line) bool { return l.sched.real })
	}
	if len(p.starts)+len(p.windows) > 0 {
		p.off, p.own = p.days.off, p.own.with(Running)
	}
	p.dates = [2]dates{{off: p.off}, {off: p.off, in: true}}
	p.fingerprint = fingerprint(p)
	p.zoned = p.fingerprint.mixed(c.zoneData(p.zone, p.loc))
	c.findNear(p)
	if len(p.stops)+len(p.live) > 0 || len(p.windows) > 0 && !p.gapless {
		p.own = p.own.with(Stopped)
	}
	p.has = p.own
	for i := range p.whole {
		p.has = p.has.with(p.whole[i].power())
	}
}

// zoneData digests the data of a zone, once for all policies in it.
func (c *compiler) zoneData(zone string, loc *time.Location) Fingerprint {
	sum, ok := c.zones[zone]
	if !ok {
		sum = zoneData(loc)
		c.zones[zone] = sum
	}
	return sum
}

// findNear finds the dates off that matter to p, once for all policies with the
// same edges.
func (c *compiler) findNear(p *Policy) {
	near, ok := c.near[p.fingerprint]
	switch {
	case ok:
	case p.gapless:
		near = p.findLive()
	case len(p.windows) == 0:
		near = p.findPutOffs()
	}
	c.near[p.fingerprint] = near
	if p.gapless {
		p.live = near
	} else {
		p.putOffs = near
	}
}

// placed places the whole days of a zone, once for all policies with the same.
func (c *compiler) placed(d *days, zone string, loc *time.Location) []wholeDay {
	if len(d.whole) == 0 {
		return nil
	}
	list, ok := d.placed[zone]
	if !ok {
		list = placeDays(d.whole, loc)
		d.placed[zone] = list
	}
	return list
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

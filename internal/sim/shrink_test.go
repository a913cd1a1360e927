package sim

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
)

// A shrinker makes a script that fails smaller for as long as it fails in the
// same way: what is left is what matters.
type shrinker struct {
	fails func(*script) bool
	left  int // runs that it may still make
}

// maxShrinks is how often a script may be run to make it smaller.
const maxShrinks = 400

// shrunk returns the smallest script that it finds to fail as s does.
func shrunk(s *script, fails func(*script) bool) *script {
	sh := &shrinker{fails: fails, left: maxShrinks}
	for before := ""; before != s.write() && sh.left > 0; {
		before = s.write()
		s = sh.pass(s)
	}
	return s
}

// try makes a change to a copy of s and returns that, if it still fails.
func (sh *shrinker) try(s *script, change func(*script)) (*script, bool) {
	if sh.left <= 0 {
		return s, false
	}
	c, err := readScript([]byte(s.write()))
	if err != nil {
		return s, false
	}
	change(c)
	if c.write() == s.write() || c.prepare() != nil {
		return s, false
	}
	sh.left--
	if !sh.fails(c) {
		return s, false
	}
	return c, true
}

// pass tries to leave out each part once, many at a time where there are many.
func (sh *shrinker) pass(s *script) *script {
	s = sh.drop(s, len(s.Acts), func(c *script, i, j int) { c.Acts = slices.Delete(c.Acts, i, j) })
	s = sh.drop(s, len(s.Faults), func(c *script, i, j int) { c.Faults = slices.Delete(c.Faults, i, j) })
	s = sh.drop(s, len(s.Fleet), func(c *script, i, j int) { c.without(c.Fleet[i:j]) })
	for k := range s.texts() {
		s = sh.drop(s, len(s.texts()[k].Policies), func(c *script, i, j int) {
			c.texts()[k].Policies = slices.Delete(c.texts()[k].Policies, i, j)
		})
		for i := range s.texts()[k].Policies {
			s = sh.lines(s, func(c *script) *lines { return &c.texts()[k].Policies[i] })
		}
	}
	for _, change := range plainer() {
		s, _ = sh.try(s, change)
	}
	return s
}

// drop leaves out parts of a list: halves, quarters, and so on to each by itself.
func (sh *shrinker) drop(s *script, n int, cut func(c *script, i, j int)) *script {
	for size := n; size > 0; size /= 2 {
		for i := 0; i < n; {
			j := min(n, i+size)
			smaller, ok := sh.try(s, func(c *script) { cut(c, i, j) })
			if s = smaller; ok {
				n -= j - i
				continue
			}
			i = j
		}
	}
	return s
}

// lines makes one policy plainer.
func (sh *shrinker) lines(s *script, of func(*script) *lines) *script {
	for _, list := range []func(*lines) *[]string{
		func(l *lines) *[]string { return &l.Except }, func(l *lines) *[]string { return &l.Running },
		func(l *lines) *[]string { return &l.Start }, func(l *lines) *[]string { return &l.Stop },
	} {
		s = sh.drop(s, len(*list(of(s))), func(c *script, i, j int) { l := list(of(c)); *l = slices.Delete(*l, i, j) })
	}
	for _, change := range []func(*lines){
		func(l *lines) { l.Lead = 0 }, func(l *lines) { l.CatchUp = 0 }, func(l *lines) { l.Confirm = 0 },
		func(l *lines) { l.MinSpan = 0 }, func(l *lines) { l.Enforce = 0 }, func(l *lines) { l.Converge = false },
		func(l *lines) { l.DryRun = false }, func(l *lines) { l.Zone = "UTC" },
	} {
		s, _ = sh.try(s, func(c *script) { change(of(c)) })
	}
	return s
}

// plainer are the changes that make the rest of a script what is usual.
func plainer() []func(*script) {
	return []func(*script){
		func(c *script) { c.Days = 1 }, func(c *script) { c.Days = max(1, c.Days-1) },
		func(c *script) { c.Pause = 0 }, func(c *script) { c.Held = 0 }, func(c *script) { c.Fast = 0 },
		func(c *script) { c.List = false }, func(c *script) { c.Retry = retry{} },
		func(c *script) {
			for i := range c.Fleet {
				c.Fleet[i] = device{ID: c.Fleet[i].ID, Boot: span(4 * time.Minute), Halt: span(2 * time.Minute)}
			}
		},
		func(c *script) {
			for i := range c.Limits {
				c.Limits[i].Free, c.Limits[i].Window = false, simplatform.Sliding
			}
		},
		func(c *script) {
			for i := range c.Limits {
				c.Limits[i].Scope, c.Limits[i].Platform = quota.Deployment, simplatform.PerDeployment
			}
		},
		func(c *script) { c.File.Protect = nil },
		func(c *script) { c.trimCalendars() },
	}
}

// without takes deployments out of the script, wherever it names them.
func (s *script) without(gone []device) {
	is := func(id policy.DeploymentID) bool {
		return slices.ContainsFunc(gone, func(d device) bool { return d.ID == id })
	}
	for _, x := range s.texts() {
		for i := range x.Policies {
			p := &x.Policies[i]
			p.Members = slices.DeleteFunc(p.Members, func(m string) bool {
				id, _, _ := strings.Cut(m, " ")
				return is(policy.DeploymentID(id))
			})
		}
		x.Policies = slices.DeleteFunc(x.Policies, func(l lines) bool { return len(l.Members) == 0 })
	}
	s.Acts = slices.DeleteFunc(s.Acts, func(a act) bool { return a.ID != "" && is(a.ID) })
	s.Faults = slices.DeleteFunc(s.Faults, func(f fault) bool { return f.Target != "" && is(f.Target) })
	s.Fleet = slices.DeleteFunc(s.Fleet, func(d device) bool { return is(d.ID) })
}

// trimCalendars takes those out of each file that none of its policies names.
func (s *script) trimCalendars() {
	for _, x := range s.texts() {
		for name := range x.Calendars {
			if !slices.ContainsFunc(x.Policies, func(l lines) bool {
				return slices.ContainsFunc(l.Except, func(e string) bool { return strings.HasPrefix(e, name+":") })
			}) {
				delete(x.Calendars, name)
			}
		}
	}
}

// An invariant is named at the begin of what is said of its breach.
var breach = regexp.MustCompile(`\bI\d+: |\bpanic: |does not come to rest`)

// likeness reports whether a script fails in the way that a failure says.
func likeness(failure string, until time.Duration) func(*script) bool {
	word := breach.FindString(failure)
	return func(s *script) bool {
		k, err := s.run(until)
		if k == nil {
			return false
		}
		return word != "" && breach.FindString(strings.Join(k.end(err, until == never), "\n")) == word
	}
}

// TestShrink holds the shrinker to a made-up invariant: no process may be killed
// in a script with a lost answer. Nothing else may be left of a rich script.
func TestShrink(t *testing.T) {
	t.Parallel()
	both := func(s *script) bool {
		killed := slices.ContainsFunc(s.Acts, func(a act) bool { return a.Kind == "kill" })
		lost := slices.ContainsFunc(s.Faults, func(f fault) bool { return f.Kind == simplatform.LostAnswer.String() })
		return killed && lost
	}
	seed := uint64(1)
	var s *script
	for s = newScript(seed); !both(s) || len(s.Acts) < 6 || len(s.Fleet) < 3 || len(s.Faults) < 2; s = newScript(seed) {
		seed++
	}
	got := shrunk(s, both)
	switch {
	case !both(got):
		t.Errorf("the shrunk script does not fail any more: %s", got)
	case len(got.Acts) != 1, len(got.Faults) != 1, got.Days != 1, got.Pause != 0, len(got.File.Policies) > 1:
		t.Errorf("more is left than matters:\n%s", got)
	}
	if again := newScript(seed); again.write() != s.write() {
		t.Error("the script itself was changed")
	}
}

// TestShrinkRuns shrinks a script by running it: that a deployment is stopped at
// all takes no act and no fault.
func TestShrinkRuns(t *testing.T) {
	t.Parallel()
	stops := func(s *script) bool {
		k, err := s.run(never)
		return k != nil && err == nil && k.sent[quota.Stop] > 0
	}
	seed := uint64(1)
	s := newScript(seed)
	for ; len(s.Acts) == 0 || len(s.Faults) == 0 || s.Days > 10 || !stops(s); s = newScript(seed) {
		seed++
	}
	if got := shrunk(s, stops); len(got.Acts)+len(got.Faults) > 0 || len(got.Fleet) != 1 || !stops(got) {
		t.Errorf("more is left of seed %d than matters:\n%s", seed, got)
	}
}

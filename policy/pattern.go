package policy

import "strings"

// A Pattern is a deployment's name as people write several at once: "*" stands
// for any run of characters, "?" for any one, and nothing else is special. It
// covers the whole name.
type Pattern struct {
	Text string
	Pos  Pos
}

// Matches reports whether the whole name fits; case counts.
func (p Pattern) Matches(name string) bool { return globs(p.Text, name) }

// globs is a match with one place to go back to: behind the last star, one
// character later each time. So it takes no longer than the two lengths
// multiplied, whatever the pattern.
func globs(pattern, name string) bool {
	p, n := []rune(pattern), []rune(name)
	i, j, star, from := 0, 0, -1, 0
	for j < len(n) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == n[j]):
			i, j = i+1, j+1
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}

// Protection says which deployments are never stopped: by their ids, or by names
// as the platform reports them. It fails closed: names are compared without
// regard to case, and while a name is not known, whatever is not the id of a
// deployment in the file may turn out to be it.
type Protection struct {
	ids   map[DeploymentID]Pattern
	names []Pattern // what may be a name
}

// NewProtection reads the entries of `protect:`. An entry that is the id of a
// deployment under one of the policies is that, and no name; every other entry
// is taken for both.
func NewProtection(entries []Pattern, policies []*Policy) *Protection {
	known := map[DeploymentID]bool{}
	for _, p := range policies {
		for _, m := range p.Members() {
			known[m.ID] = true
		}
	}
	pr := &Protection{ids: map[DeploymentID]Pattern{}}
	for _, e := range entries {
		id := DeploymentID(e.Text)
		pr.ids[id] = e
		if !known[id] {
			pr.names = append(pr.names, Pattern{strings.ToLower(e.Text), e.Pos})
		}
	}
	return pr
}

// Empty reports whether nobody is protected; so does a nil Protection.
func (p *Protection) Empty() bool { return p == nil || len(p.ids) == 0 }

// Standing is what a list of names says of one deployment.
type Standing uint8

// The standings.
const (
	Free    Standing = iota // it may be touched
	Unclear                 // that depends on its name, which nobody knows yet
	Barred                  // it must not be touched
)

// Of says whether a deployment is protected, and by which entry. An empty name
// is one that is not known.
func (p *Protection) Of(id DeploymentID, name string) (Standing, Pattern) {
	if p == nil {
		return Free, Pattern{}
	}
	if e, ok := p.ids[id]; ok {
		return Barred, e
	}
	if name == "" && len(p.names) > 0 {
		return Unclear, p.names[0]
	}
	for _, e := range p.names {
		if globs(e.Text, strings.ToLower(name)) {
			return Barred, e
		}
	}
	return Free, Pattern{}
}

// Named says whether a deployment bears the name that its line asserts. An empty
// name is one that is not known; a member that asserts none is always Free.
func (m Member) Named(name string) Standing {
	switch {
	case m.Name == "" || m.Name == name:
		return Free
	case name == "":
		return Unclear
	}
	return Barred
}

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"curfew/internal/config"
	"curfew/policy"
)

// A planLine is a policy whose edges are walked through: computed once, whatever
// the number of its deployments.
type planLine struct {
	policy    *policy.Policy
	members   []*planMember     // sorted by id
	dry       bool              // it never calls
	calendars []config.Calendar // of the file, to tell begin and end of days apart
}

// A planMember is a deployment in a plan.
type planMember struct {
	id     policy.DeploymentID
	name   string // empty where nobody knows it
	bar    *bar   // nil where nothing stands in the way of a call
	quoted []byte // id and name in JSON, once they were asked for
}

// A bar is why calls for a deployment are not made: those that are barred for one
// reason share it.
type bar struct {
	kind barKind
	what string // what it is
	text string // the same with its line, where that says more
	pos  policy.Pos
}

type barKind uint8

const (
	barStops   barKind = iota // it is protected: never stopped
	barAll                    // it bears another name than its line asserts
	barPerhaps                // it is protected if its name is one that nobody knows here
)

// planLines returns the policies of a file, ready to be walked through.
func planLines(file *config.Config, inv *inventory) []*planLine {
	b := barring{inv: inv, protection: policy.NewProtection(file.Protect, file.Policies.Policies), bars: map[bar]*bar{}}
	lines := make([]*planLine, 0, len(file.Policies.Policies))
	for _, p := range file.Policies.Policies {
		l := &planLine{policy: p, dry: file.DryRun || p.Options().DryRun, calendars: file.Calendars}
		for _, m := range p.Members() {
			l.members = append(l.members, &planMember{id: m.ID, name: inv.name(m), bar: b.of(m)})
		}
		slices.SortFunc(l.members, func(a, b *planMember) int { return cmp.Compare(a.id, b.id) })
		lines = append(lines, l)
	}
	return lines
}

// barring finds out who is barred.
type barring struct {
	inv        *inventory
	protection *policy.Protection
	bars       map[bar]*bar
}

// of returns what stands in the way of calls for a deployment. Protection goes by
// the name that the file asserts where nobody knows another: one that bears
// another name is not touched at all.
func (b *barring) of(m policy.Member) *bar {
	name := b.inv.name(m)
	if m.Named(name) == policy.Barred {
		what := fmt.Sprintf("it is called %q, not %q", printable(name), m.Name)
		return b.shared(bar{barAll, what, what, m.Pos})
	}
	switch standing, by := b.protection.Of(m.ID, name); standing {
	case policy.Barred:
		what := fmt.Sprintf("protected by %q", by.Text)
		return b.shared(bar{barStops, what, what + ", " + place(by.Pos), by.Pos})
	case policy.Unclear:
		const what = "its name is protected"
		return b.shared(bar{barPerhaps, what, what + ", " + place(by.Pos), by.Pos})
	}
	return nil
}

func (b *barring) shared(k bar) *bar {
	known := b.bars[k]
	if known == nil {
		known = &k
		b.bars[k] = known
	}
	return known
}

// printable is a name from outside, fit for a terminal.
func printable(name string) string {
	if !strings.ContainsFunc(name, unprintable) {
		return name
	}
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return unicode.ReplacementChar
		}
		return r
	}, name)
}

// only is the plan of one deployment: one of a large fleet must not cost the
// fleet's. It is false where no policy has it.
func only(lines []*planLine, id policy.DeploymentID) (*planLine, bool) {
	for _, l := range lines {
		i, ok := slices.BinarySearchFunc(l.members, id, func(m *planMember, id policy.DeploymentID) int { return cmp.Compare(m.id, id) })
		if ok {
			l.members = l.members[i : i+1]
			return l, true
		}
	}
	return nil, false
}

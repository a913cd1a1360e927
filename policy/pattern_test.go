package policy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPatternMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern   string
		yes, noes []string
	}{
		{"dev-eu", []string{"dev-eu"}, []string{"dev-e", "dev-eu2", "Dev-eu", ""}},
		{"dev-*", []string{"dev-", "dev-eu", "dev-*"}, []string{"dev", "xdev-eu"}},
		{"*-eu", []string{"-eu", "dev-eu", "dev-eu-eu"}, []string{"dev-eu-x"}},
		{"d?v", []string{"dev", "döv", "d*v"}, []string{"dv", "deev"}},
		{"*", []string{"", "anything at/all"}, nil},
		{"a*b*c", []string{"abc", "aXbXbXc", "abcc"}, []string{"acb", "ab"}},
		{"[ab]", []string{"[ab]"}, []string{"a"}},
		{"", []string{""}, []string{"a"}},
	} {
		p := Pattern{Text: c.pattern}
		for _, name := range c.yes {
			if !p.Matches(name) {
				t.Errorf("%q does not match %q", c.pattern, name)
			}
		}
		for _, name := range c.noes {
			if p.Matches(name) {
				t.Errorf("%q matches %q", c.pattern, name)
			}
		}
	}
}

// naiveMatch says the same in the words of the definition.
func naiveMatch(p, n string) bool {
	switch {
	case p == "":
		return n == ""
	case p[0] == '*':
		return naiveMatch(p[1:], n) || n != "" && naiveMatch(p, n[1:])
	}
	return n != "" && (p[0] == '?' || p[0] == n[0]) && naiveMatch(p[1:], n[1:])
}

func TestPatternMatchesLikeItsDefinition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?")), 0, 8, -1).Draw(t, "pattern")
		n := rapid.StringOfN(rapid.RuneFrom([]rune("ab*")), 0, 10, -1).Draw(t, "name")
		if got, want := (Pattern{Text: p}).Matches(n), naiveMatch(p, n); got != want {
			t.Fatalf("%q against %q: %v, want %v", p, n, got, want)
		}
	})
}

// A hostile pattern must not take for ever.
func TestPatternOfManyStars(t *testing.T) {
	t.Parallel()
	if (Pattern{Text: strings.Repeat("a*", 2000) + "b"}).Matches(strings.Repeat("a", 20000)) {
		t.Error("a name without b matches")
	}
}

func TestProtection(t *testing.T) {
	t.Parallel()
	members := []*Policy{{members: []Member{{ID: "w1"}, {ID: "w2"}}}}
	pr := NewProtection([]Pattern{{Text: "w1"}, {Text: "Prod-*"}, {Text: "w9"}}, members)
	for _, c := range []struct {
		id   DeploymentID
		name string
		want Standing
	}{
		{"w1", "", Barred},
		{"w1", "dev", Barred},
		{"w2", "", Unclear},
		{"w2", "dev", Free},
		{"w2", "prod-eu", Barred},
		{"w2", "W9", Barred}, // what is the id of nobody in the file may be a name
		{"w2", "w1", Free},   // what is an id in the file is no name
		{"w9", "dev", Barred},
	} {
		if got, _ := pr.Of(c.id, c.name); got != c.want {
			t.Errorf("%s, called %q: %v, want %v", c.id, c.name, got, c.want)
		}
	}
	if got, _ := NewProtection([]Pattern{{Text: "w1"}}, members).Of("w2", ""); got != Free {
		t.Errorf("where only ids are protected, another id waits for its name: %v", got)
	}
	var none *Protection
	if got, _ := none.Of("w1", ""); got != Free {
		t.Errorf("without protection: %v", got)
	}
}

package config

import (
	"fmt"
	"testing"

	"curfew/policy"

	"github.com/google/go-cmp/cmp"
)

// TestMembers has deployments with and without the name that they must bear,
// and those that are taken by their names.
func TestMembers(t *testing.T) {
	t.Parallel()
	c := parse(t, `
timezone: UTC
policies:
  - name: dev
    deployments: [{id: w41b11c0, name: "dev eu "}, b1f77113]
    select: {max: 20, name: 'dev-*'}
    stop: "0 20 * * *"
  - name: test
    select:
      name: test-?
      max: 10000
    stop: "0 20 * * *"
  - {name: plain, deployments: [], select: , stop: "0 20 * * *"}
`, Env{})
	at := func(line, col int) policy.Pos { return policy.Pos{File: "curfew.yaml", Line: line, Col: col} }
	p := c.Policies.Policies
	want := []policy.Member{{ID: "w41b11c0", Pos: at(5, 24), Name: "dev eu "}, {ID: "b1f77113", Pos: at(5, 52)}}
	if diff := cmp.Diff(want, p[0].Members()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	for i, want := range []*policy.Select{
		{Name: policy.Pattern{Text: "dev-*", Pos: at(6, 30)}, Max: 20, Pos: at(6, 13)},
		{Name: policy.Pattern{Text: "test-?", Pos: at(10, 13)}, Max: 10000, Pos: at(10, 7)},
		nil,
	} {
		if diff := cmp.Diff(want, p[i].Select()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p[i].Name(), diff)
		}
	}
	resolved, problems := c.Policies.Resolve([]policy.Named{{ID: "x", Name: "test-1"}, {ID: "y", Name: "prod"}}, nil)
	if _, ok := resolved.Of("x"); !ok || len(problems) > 0 {
		t.Errorf("test-1 is selected: %v; problems %v", ok, problems)
	}
}

// TestObserve: a list is needed where something is selected, and can be asked
// for where nothing is.
func TestObserve(t *testing.T) {
	t.Parallel()
	const named, selects = "deployments: [a]", "select: {name: dev-*, max: 2}"
	for _, test := range []struct {
		observe, members string
		want             bool
	}{
		{"", named, false}, {"observe: each", named, false}, {"observe: list", named, true},
		{"", selects, true}, {"observe: list", selects, true},
	} {
		c := parse(t, fmt.Sprintf("timezone: UTC\n%s\npolicies: [{name: p, %s, stop: 0 20 * * *}]\n", test.observe, test.members), Env{})
		if c.ObserveList != test.want {
			t.Errorf("%q and %s: a list: %v, want %v", test.observe, test.members, c.ObserveList, test.want)
		}
	}
}

// TestProtect has ids and patterns, each with its place, do what they say.
func TestProtect(t *testing.T) {
	t.Parallel()
	c := parse(t, `
protect:
  - b7d0c1e2
  - "prod-*"
  - 1e5
policies: []
`, Env{})
	want := []policy.Pattern{
		{Text: "b7d0c1e2", Pos: policy.Pos{File: "curfew.yaml", Line: 3, Col: 5}},
		{Text: "prod-*", Pos: policy.Pos{File: "curfew.yaml", Line: 4, Col: 6}},
		{Text: "1e5", Pos: policy.Pos{File: "curfew.yaml", Line: 5, Col: 5}},
	}
	if diff := cmp.Diff(want, c.Protect); diff != "" {
		t.Errorf("protect (-want +got):\n%s", diff)
	}
	protection := policy.NewProtection(c.Protect, c.Policies.Policies)
	if standing, by := protection.Of("a", "Prod-1"); standing != policy.Barred || by.Pos.Line != 4 {
		t.Errorf("Prod-1 is %v, by line %d; want it barred by line 4", standing, by.Pos.Line)
	}
}

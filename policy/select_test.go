package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// selecting is a set with two policies that select and one that names w1.
func selecting(t *testing.T, max int) *Set {
	t.Helper()
	dev := spec("dev", 10, "", "", "0 20 * * *")
	dev.Select = &Select{Name: Pattern{Text: "dev-*"}, Max: max, Pos: Pos{"f", 11, 5}}
	eu := spec("eu", 20, "", "", "0 21 * * *")
	eu.Select = &Select{Name: Pattern{Text: "*-eu"}, Max: 9, Pos: Pos{"f", 21, 5}}
	set, problems := Compile([]Spec{dev, eu, spec("named", 30, "w1", "", "0 22 * * *")}, Env{Zones: map[string]*time.Location{"Europe/Berlin": time.UTC}})
	if set == nil {
		t.Fatal(problems)
	}
	return set
}

// whom writes "dev: w2 w3; named: w1".
func whom(s *Set) string {
	var all []string
	for _, p := range s.Policies {
		ids := p.Name() + ":"
		for _, m := range p.Members() {
			ids += " " + string(m.ID)
		}
		all = append(all, ids)
	}
	return strings.Join(all, "; ")
}

func TestResolve(t *testing.T) {
	t.Parallel()
	inventory := []Named{{"w4", "prod-eu"}, {"w3", "dev-us"}, {"w1", "dev-x"}, {"w2", "dev-as"}, {"w5", "other"}, {"w6", "dev-eu"}}
	set := selecting(t, 3)
	got, problems := set.Resolve(inventory, nil)
	if want := "dev: w2 w3; eu: w4; named: w1"; whom(got) != want {
		t.Errorf("selected %s, want %s: by id, none that is named, none that two select", whom(got), want)
	}
	if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Text, `w6, called "dev-eu", is selected by policy "dev" and by policy "eu"`) {
		t.Errorf("problems %v, want one about w6", problems)
	}
	if p, ok := got.Of("w3"); !ok || p.Name() != "dev" {
		t.Errorf("w3 stands under %v", p)
	}
	if whom(set) != "dev:; eu:; named: w1" {
		t.Errorf("the set itself was changed: %s", whom(set))
	}
	if a, b := set.Policies[0].Fingerprint(), got.Policies[0].Fingerprint(); a != b {
		t.Error("whom a rule concerns is no part of it")
	}

	many := slices.Clone(inventory)
	for i := range 4 {
		many = append(many, Named{DeploymentID(fmt.Sprintf("x%d", i)), "dev-many"})
	}
	after, problems := set.Resolve(many, got)
	if whom(after) != whom(got) || len(problems) != 2 || !strings.Contains(problems[0].Text, "selects 6 deployments, more than max: 3") {
		t.Errorf("over max: selected %s, problems %v; want whom it had", whom(after), problems)
	}
	if !after.SameMembers(got) || after.SameMembers(set) {
		t.Error("SameMembers does not see who is under whom")
	}
	if none, _ := set.Resolve(many, nil); whom(none) != "dev:; eu: w4; named: w1" {
		t.Errorf("over max with nothing before: %s", whom(none))
	}
}

// TestHolding: over a restart, the ledger tells whom a policy had.
func TestHolding(t *testing.T) {
	t.Parallel()
	before := selecting(t, 3).Holding(map[DeploymentID]string{"w3": "dev", "w2": "dev", "w1": "dev", "w7": "gone", "w8": "named"})
	if want := "dev: w2 w3; eu:; named: w1"; whom(before) != want {
		t.Errorf("held %s, want %s", whom(before), want)
	}
	fewer, _ := selecting(t, 1).Resolve([]Named{{"w2", "dev-a"}, {"w3", "dev-b"}}, before)
	if want := "dev: w2; eu:; named: w1"; whom(fewer) != want {
		t.Errorf("with a lower max %s, want %s", whom(fewer), want)
	}
}

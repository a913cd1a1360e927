package main

import (
	"strings"
	"testing"

	"curfew/policy"
)

// TestFindAstray: why no policy has a deployment, as far as its name is known.
func TestFindAstray(t *testing.T) {
	t.Parallel()
	const text = `timezone: UTC
observe: list
policies:
- {name: dev, select: {name: "dev-*", max: 2}, stop: "0 20 * * *"}
- {name: load, select: {name: "*-load", max: 2}, stop: "0 21 * * *"}
- {name: one, deployments: [w9], stop: "0 22 * * *"}
`
	const policies = "\npolicies: dev (0 deployments and a select), load (0 deployments and a select), one (1 deployment)"
	inv, err := inventoryOf(`[{"deploymentID":"w1","deploymentName":"dev-load"},{"deploymentID":"w2","deploymentName":"dev-a"},
{"deploymentID":"w3","deploymentName":"dev-b"},{"deploymentID":"w4","deploymentName":"dev-c"},{"deploymentID":"zzz","deploymentName":"pr\u001bod"}]`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		inv      *inventory
		id, name string
		want     string
	}{
		{inv, "w1", "", `it is called "dev-load", which policies dev (curfew.yaml:4) and load (curfew.yaml:5) select: it is under neither` + narrower},
		{nil, "w1", "dev-load", `it is called "dev-load", which policies dev (curfew.yaml:4) and load (curfew.yaml:5) select: it is under neither` + narrower},
		{inv, "w2", "", `policy dev (curfew.yaml:4) selects it, called "dev-a", with more others than its max allows, and has not taken it` + narrower},
		{inv, "zzz", "", "no policy in curfew.yaml has it" + policies + "\nit is called \"pr\uFFFDod\", which no policy selects"},
		{inv, "w5", "", "no policy in curfew.yaml has it\ndid you mean w9 (one)?" + policies +
			"\nwhom a policy selects by name, an inventory tells: stdin has no such id"},
		{inv, "dev-a", "", "no policy in curfew.yaml has it" + policies +
			"\nwhom a policy selects by name, an inventory tells: stdin has no such id; that is the name of w2"},
		{nil, "zzz", "", "no policy in curfew.yaml has it" + policies + "\nwhom a policy selects by name, an inventory tells: --inventory FILE"},
	} {
		file := fileOf(t, text)
		c.inv.resolve(file, nil)
		_, err := find(file, c.inv, policy.DeploymentID(c.id), c.name)
		if want := "find deployment \"" + c.id + "\": " + c.want; err == nil || err.Error() != want {
			t.Errorf("%s %s:\n got %v\nwant %s", c.id, c.name, err, want)
		}
	}
	file := fileOf(t, strings.ReplaceAll(text, "max: 2", "max: 3"))
	inv.resolve(file, nil)
	if l, err := find(file, inv, "w2", ""); err != nil || l.policy.Name() != "dev" || len(l.members) != 1 || l.members[0].name != "dev-a" {
		t.Errorf("w2: %+v, %v", l, err)
	}
}

const narrower = "\nmake the pattern narrower, or name the deployment by its id"

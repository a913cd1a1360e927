package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"curfew/policy"
)

// inventoryOf reads an inventory from stdin.
func inventoryOf(text string) (*inventory, error) {
	return readInventory(&console{in: strings.NewReader(text)}, "-")
}

// TestInventory reads what GET /deployments answers, fields that nobody asked for
// included.
func TestInventory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deployments.json")
	const text = "\ufeff" + `[{"deploymentID":"w1","deploymentName":"dev-eu","status":"running","tps":1000}, {"deploymentID":"w2","deploymentName":""}]`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := readInventory(&console{}, path)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.all) != 2 || v.all[0] != (policy.Named{ID: "w1", Name: "dev-eu"}) || v.all[1] != (policy.Named{ID: "w2"}) {
		t.Errorf("read %+v", v.all)
	}
	for m, want := range map[policy.Member]string{
		{ID: "w1", Name: "asserted"}: "dev-eu", // the platform's word counts
		{ID: "w2", Name: "asserted"}: "",
		{ID: "w3", Name: "asserted"}: "asserted",
	} {
		if got := v.name(m); got != want {
			t.Errorf("%s is called %q, want %q", m.ID, got, want)
		}
	}
	if v, err := readInventory(&console{}, ""); v != nil || err != nil {
		t.Errorf("without a file: %v, %v", v, err)
	}
}

// TestInventoryRefuses: what is no inventory is told by file, entry and line.
func TestInventoryRefuses(t *testing.T) {
	t.Parallel()
	const good = `{"deploymentID":"a","deploymentName":"b"}`
	for text, want := range map[string]string{
		"":                             "it is empty: want a JSON array of deployments",
		"  \n":                         "it is empty",
		"nope":                         "line 1: invalid character",
		good:                           "want a JSON array of deployments, as GET /deployments answers",
		`"w1"`:                         "want a JSON array",
		"[" + good + ",\n5]":           "entry 2: is of the JSON type number, want an object",
		"[" + good + ",\n{\"x\":}]":    "entry 2: line 2: invalid character '}'",
		"[" + good:                     "it ends in the middle",
		"[" + good + ",":               "it ends in the middle",
		"[" + good + "] x":             "there is more behind the array",
		"[" + good + "][]":             "there is more behind the array",
		"[" + good + "," + good + "]":  `entry 2: deployment "a" is there twice`,
		`[{"deploymentName":"b"}]`:     "entry 1: deploymentID is missing",
		`[{"deploymentID":" "}]`:       "entry 1: deploymentID is missing",
		`[null]`:                       "entry 1: deploymentID is missing",
		`[{"deploymentID":"a"}]`:       `entry 1: deployment "a" has no deploymentName`,
		`[{"deploymentID":7}]`:         "entry 1: deploymentID is of the JSON type number, want string",
		strings.Repeat("[", 1_000_000): "entry 1: ",
	} {
		v, err := inventoryOf(text)
		if err == nil || !strings.HasPrefix(err.Error(), "read inventory stdin: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, %v, want an error with %q", text, v, err, want)
		}
	}
	if _, err := readInventory(&console{}, "nowhere.json"); err == nil || !strings.Contains(err.Error(), "open nowhere.json") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// FuzzInventory: whatever it is, it is read or refused, and what was read has an
// id once.
func FuzzInventory(f *testing.F) {
	for _, text := range []string{
		`[{"deploymentID":"w1","deploymentName":"dev-eu"}]`, `[]`, `[{}]`, `[null`, `{"a":[`, "[\"\xff\"]", `[{"deploymentID":"a","deploymentID":"b","deploymentName":null}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := readInventory(&console{in: bytes.NewReader(text)}, "-")
		if err != nil {
			return
		}
		if len(v.all) != len(v.names) {
			t.Errorf("%q: %d deployments with %d ids", text, len(v.all), len(v.names))
		}
		for _, n := range v.all {
			if strings.TrimSpace(string(n.ID)) == "" {
				t.Errorf("%q: a deployment without an id", text)
			}
		}
	})
}

// TestTakeInventory: whom a file selects is under its policies, and what is odd
// about the list is said.
func TestTakeInventory(t *testing.T) {
	t.Parallel()
	const text = `
timezone: UTC
policies:
- {name: p, deployments: [w1, w9], select: {name: "dev-*", max: 1}, stop: "0 20 * * *"}`
	for _, c := range []struct{ inventory, members, said string }{
		{"", "w1 w9", "curfew.yaml selects deployments by name, and those are not shown without an inventory: " +
			"curfew list -o json >deployments.json, then --inventory deployments.json\n"},
		{`[{"deploymentID":"w1","deploymentName":"x"},{"deploymentID":"w2","deploymentName":"dev-eu"}]`, "w1 w9 w2",
			"stdin does not have 1 deployment of curfew.yaml: w9\n"},
		{`[{"deploymentID":"w2","deploymentName":"dev-a"},{"deploymentID":"w3","deploymentName":"dev-b"},{"deploymentID":"w1","deploymentName":""},{"deploymentID":"w9","deploymentName":""}]`,
			"w1 w9", `warning: "dev-*" selects 2 deployments, more than max: 1`},
	} {
		file := fileOf(t, text)
		var errs bytes.Buffer
		path := ""
		if c.inventory != "" {
			path = "-"
		}
		if _, err := takeInventory(&console{in: strings.NewReader(c.inventory), err: &errs}, file, path); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, m := range file.Policies.Policies[0].Members() {
			ids = append(ids, string(m.ID))
		}
		if got := strings.Join(ids, " "); got != c.members {
			t.Errorf("%s: members %s, want %s", c.inventory, got, c.members)
		}
		if !strings.Contains(errs.String(), c.said) {
			t.Errorf("%s: said %q, want %q", c.inventory, errs.String(), c.said)
		}
	}
}

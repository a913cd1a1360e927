package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/policy"
)

// TestBars: who is protected, by what is known of its name, and who bears another
// name than the file asserts.
func TestBars(t *testing.T) {
	t.Parallel()
	const text = `timezone: UTC
protect: ["prod-*", byid]
policies:
- name: p
  deployments: [byid, free, {id: told, name: prod-1}, {id: other, name: dev-1}]
  start: "0 8 * * *"
  stop: "0 20 * * *"`
	const listed = `[{"deploymentID":"free","deploymentName":"PROD-2"},{"deploymentID":"told","deploymentName":"prod-1"},{"deploymentID":"other","deploymentName":"dev-2\u001b[2J"},{"deploymentID":"byid","deploymentName":"x"}]`
	for _, c := range []struct {
		inventory string
		want      []string // the rows of one day
	}{
		{"", []string{
			"start byid: 0 8 * * *, only if stopped", "start free: 0 8 * * *", "start other: 0 8 * * *", "start told: 0 8 * * *, only if stopped",
			`stop byid: stop cancelled: protected by "byid", curfew.yaml:2`, "stop free: 0 20 * * *", "stop other: 0 20 * * *",
			`stop told: stop cancelled: protected by "prod-*", curfew.yaml:2`}},
		{listed, []string{
			"start byid: 0 8 * * *, only if stopped", "start free: 0 8 * * *, only if stopped",
			`start other: start cancelled: it is called "dev-2` + "\ufffd" + `[2J", not "dev-1"`, "start told: 0 8 * * *, only if stopped",
			`stop byid: stop cancelled: protected by "byid", curfew.yaml:2`, `stop free: stop cancelled: protected by "prod-*", curfew.yaml:2`,
			`stop other: stop cancelled: it is called "dev-2` + "\ufffd" + `[2J", not "dev-1"`, `stop told: stop cancelled: protected by "prod-*", curfew.yaml:2`}},
	} {
		file := fileOf(t, text)
		var inv *inventory
		if c.inventory != "" {
			var err error
			if inv, err = inventoryOf(c.inventory); err != nil {
				t.Fatal(err)
			}
		}
		from := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
		s := span{from, from.AddDate(0, 0, 1)}
		lines := planLines(file, inv)
		table := newPlanTable(file, lines, s, false)
		var got []string
		for r := range walk(lines, s) {
			table.count(r)
			got = append(got, r.edge.Power.Action()+" "+string(r.member.id)+": "+r.edge.because(time.UTC))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("inventory %q:\n got %s\nwant %s", c.inventory, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
		}
		const note = "1 deployment is stopped only if its name is not protected (curfew.yaml:2): --inventory FILE tells\n"
		if told, want := strings.Contains(table.summary(), note), c.inventory == ""; told != want {
			t.Errorf("inventory %q: the summary is %q; note wanted: %t", c.inventory, table.summary(), want)
		}
	}
}

// TestStrange: an id that no policy has is answered with those that may have been
// meant.
func TestStrange(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `timezone: UTC
policies:
- {name: office, deployments: [{id: w41b11c0, name: dev-eu}, w41b11c1], stop: "0 20 * * *"}
- {name: night, deployments: [mdfba81f], stop: "0 20 * * *"}`)
	const policies = "\npolicies: office (2 deployments), night (1 deployment)"
	for id, want := range map[string]string{
		"w41b11c2":              "\ndid you mean w41b11c0 dev-eu (office), w41b11c1 (office)?" + policies,
		"W41B11C0":              "\ndid you mean w41b11c0 dev-eu (office), w41b11c1 (office)?" + policies,
		"dev-eu":                "\ndid you mean w41b11c0 dev-eu (office)?" + policies,
		"mdf":                   "\ndid you mean mdfba81f (night)?" + policies,
		"zzz":                   policies,
		"":                      policies,
		strings.Repeat("w", 99): policies,
	} {
		_, err := find(file, nil, policy.DeploymentID(id), "")
		if err == nil || err.Error() != fmt.Sprintf("find deployment %q: no policy in curfew.yaml has it", id)+want {
			t.Errorf("%q: %v, want the end %q", id, err, want)
		}
	}
}

// TestDistance counts edits.
func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed, word string
		want        int
	}{
		{"abcd", "abcd", 0}, {"ABCD", "abcd", 0}, {"abc", "abcdefgh", 1}, {"abxd", "abcd", 1}, {"bacd", "abcd", 2}, {"abcde", "abcd", 1}, {"bcd", "abcd", 1},
		{"", "", 1 << 16}, {"", "abcd", 1 << 16}, {"abcd", "", 1 << 16}, {"ab", "abcdefgh", 1 << 16},
	} {
		if got := distance(c.typed, c.word); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.typed, c.word, got, c.want)
		}
	}
}

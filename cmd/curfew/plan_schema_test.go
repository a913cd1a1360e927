package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// planSchema is docs/schema/plan.schema.json, ready to judge. Compiling holds it
// against the schema of its own draft.
func planSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../../docs/schema/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parsedJSON is a text as the validator takes it.
func parsedJSON(t *testing.T, text []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// TestPlanSchema: what `plan -o json` prints is what its schema says, and there is
// no word in the schema that a plan never says.
func TestPlanSchema(t *testing.T) {
	t.Parallel()
	s := planSchema(t)
	file, lines, sp := kitPlan(t)
	var out bytes.Buffer
	if err := writePlanJSON(&out, walk(lines, sp)); err != nil {
		t.Fatal(err)
	}
	plan := parsedJSON(t, out.Bytes())
	if err := s.Validate(plan); err != nil {
		t.Errorf("the plan of %s breaks its schema: %v", file.Source, err)
	}
	unsaid := maps.Clone(s.Items2020.Properties)
	for _, row := range plan.([]any) {
		for name := range row.(map[string]any) {
			delete(unsaid, name)
		}
	}
	if len(unsaid) > 0 {
		t.Errorf("no row of the plan has %v: show them, or take them out of the schema", slices.Sorted(maps.Keys(unsaid)))
	}
}

// TestPlanSchemaBites feeds rows that no plan has.
func TestPlanSchemaBites(t *testing.T) {
	t.Parallel()
	s := planSchema(t)
	const good = `{"deployment":"w1","action":"stop","at":"2026-12-24T19:00:00Z","policy":"p","because":"b","call":true,` +
		`"nominal":"2026-12-24 20:00","timezone":"UTC","place":"f:1"}`
	for _, c := range []struct{ row, want string }{
		{good, ""},
		{strings.Replace(good, `"stop"`, `"none"`, 1), "'/0/action': value must be one of"},
		{strings.Replace(good, `"call":true`, `"call":"yes"`, 1), "'/0/call': got string, want boolean"},
		{strings.Replace(good, `19:00:00Z`, `20:00:00+01:00`, 1), "'/0/at': '2026-12-24T20:00:00+01:00' does not match pattern"},
		{strings.Replace(good, `"policy":"p",`, ``, 1), "'/0': missing property 'policy'"},
		{strings.Replace(good, `"place"`, `"line"`, 1), "additional properties 'line' not allowed"},
		{strings.Replace(good, `"because":"b"`, `"because":""`, 1), "'/0/because': minLength"},
		{strings.Replace(good, `"call":true`, `"call":true,"dry_run":false`, 1), "'/0/dry_run': value must be true"},
		{`null`, "'/0': got null, want object"},
	} {
		got := ""
		if err := s.Validate(parsedJSON(t, []byte("["+c.row+"]"))); err != nil {
			got = err.Error()
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: the fault is %q, want %q", c.row, got, c.want)
		}
	}
}

// TestPlanSchemaWords: the schema uses no word that the validator would pass over
// in silence.
func TestPlanSchemaWords(t *testing.T) {
	t.Parallel()
	known := []string{
		"$schema", "title", "description", "type", "items", "properties", "required", "additionalProperties",
		"enum", "const", "pattern", "minLength",
	}
	var schema struct {
		Items struct {
			Properties map[string]map[string]any
		}
	}
	text, err := os.ReadFile("../../docs/schema/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	for name, part := range schema.Items.Properties {
		for word := range part {
			if !slices.Contains(known, word) {
				t.Errorf("%s has %q, which says nothing", name, word)
			}
		}
		if part["description"] == nil && part["enum"] == nil {
			t.Errorf("%s is not described", name)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A schema is as much of JSON Schema (draft 2020-12) as docs/schema uses. A word
// that is not among its fields is a fault of the schema, so that none is there
// for show.
type schema struct {
	Schema               string             `json:"$schema"`
	Title                string             `json:"title"`
	Description          string             `json:"description"`
	Type                 string             `json:"type"`
	Items                *schema            `json:"items"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties *bool              `json:"additionalProperties"`
	Enum                 []any              `json:"enum"`
	Const                any                `json:"const"`
	Pattern              string             `json:"pattern"`
	MinLength            int                `json:"minLength"`
}

// readSchema reads one of docs/schema.
func readSchema(t *testing.T, name string) *schema {
	t.Helper()
	text, err := os.ReadFile("../../docs/schema/" + name)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	s := new(schema)
	if err := dec.Decode(s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// faults says where v is not what s asks for. path is v's place.
func (s *schema) faults(path string, v any) []string {
	var out []string
	fault := func(format string, args ...any) { out = append(out, path+" "+fmt.Sprintf(format, args...)) }
	if s.Enum != nil && !slices.Contains(s.Enum, v) {
		fault("is %v, not one of %v", v, s.Enum)
	}
	if s.Const != nil && !reflect.DeepEqual(v, s.Const) {
		fault("is %v, not %v", v, s.Const)
	}
	if got := jsonType(v); s.Type != "" && s.Type != got {
		fault("is of the type %s, not %s", got, s.Type)
	}
	switch v := v.(type) {
	case string:
		if len(v) < s.MinLength {
			fault("is shorter than %d", s.MinLength)
		}
		if !regexp.MustCompile(s.Pattern).MatchString(v) {
			fault("is %q, which does not match %s", v, s.Pattern)
		}
	case []any:
		for i, item := range v {
			if s.Items != nil {
				out = append(out, s.Items.faults(fmt.Sprintf("%s[%d]", path, i), item)...)
			}
		}
	case map[string]any:
		out = append(out, s.objectFaults(path, v)...)
	}
	return out
}

func (s *schema) objectFaults(path string, v map[string]any) []string {
	var out []string
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			out = append(out, path+" lacks "+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		of, known := s.Properties[name]
		switch {
		case known:
			out = append(out, of.faults(path+"."+name, v[name])...)
		case s.AdditionalProperties != nil && !*s.AdditionalProperties:
			out = append(out, path+" has "+name+", of which the schema knows nothing")
		}
	}
	return out
}

func jsonType(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}

// TestPlanSchema: what `plan -o json` prints is what its schema says, and there is
// no word in the schema that a plan never says.
func TestPlanSchema(t *testing.T) {
	t.Parallel()
	s := readSchema(t, "plan.schema.json")
	file, lines, sp := kitPlan(t)
	var out bytes.Buffer
	if err := writePlanJSON(&out, walk(lines, sp)); err != nil {
		t.Fatal(err)
	}
	var plan []any
	if err := json.Unmarshal(out.Bytes(), &plan); err != nil {
		t.Fatal(err)
	}
	if faults := s.faults("$", plan); len(faults) > 0 {
		t.Errorf("the plan of %s breaks its schema:\n%s", file.Source, strings.Join(faults, "\n"))
	}
	unsaid := maps.Clone(s.Items.Properties)
	for _, row := range plan {
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
	s := readSchema(t, "plan.schema.json")
	const good = `{"deployment":"w1","action":"stop","at":"2026-12-24T19:00:00Z","policy":"p","because":"b","call":true,` +
		`"nominal":"2026-12-24 20:00","timezone":"UTC","place":"f:1"}`
	for _, c := range []struct{ row, want string }{
		{good, ""},
		{strings.Replace(good, `"stop"`, `"none"`, 1), "$[0].action is none, not one of [start stop]"},
		{strings.Replace(good, `"call":true`, `"call":"yes"`, 1), "$[0].call is of the type string, not boolean"},
		{strings.Replace(good, `19:00:00Z`, `20:00:00+01:00`, 1), "does not match"},
		{strings.Replace(good, `"policy":"p",`, ``, 1), "$[0] lacks policy"},
		{strings.Replace(good, `"place"`, `"line"`, 1), "$[0] has line, of which the schema knows nothing"},
		{strings.Replace(good, `"because":"b"`, `"because":""`, 1), "$[0].because is shorter than 1"},
		{strings.Replace(good, `"call":true`, `"call":true,"dry_run":false`, 1), "$[0].dry_run is false, not true"},
		{`null`, "$[0] is of the type null, not object"},
	} {
		var v any
		if err := json.Unmarshal([]byte("["+c.row+"]"), &v); err != nil {
			t.Fatalf("%s: %v", c.row, err)
		}
		got := strings.Join(s.faults("$", v), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: faults %q, want %q", c.row, got, c.want)
		}
	}
}

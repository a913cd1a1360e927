package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

// compiled is the schema, ready to judge. Compiling holds it against draft-07's
// own schema.
func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schemaAddress(t))
	if err != nil {
		t.Fatalf("the schema is none: %v", err)
	}
	return s
}

// schemaAddress is a file with what Schema returns.
func schemaAddress(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "curfew.schema.json")
	if err := os.WriteFile(path, []byte(Schema()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// judge holds a text against the schema as an editor does: where it is no YAML,
// or more than one document, the error says so.
func judge(s *jsonschema.Schema, text []byte) error {
	docs, err := decode(text)
	switch {
	case err != nil:
		return err
	case len(docs) > 1:
		return errors.New("more than one document")
	case len(docs) == 0:
		return s.Validate(nil)
	}
	v, err := instanceOf(&docs[0])
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// instanceOf is what an editor sees of a node: YAML's core schema, with numbers
// for whatever looks like one. Aliases are nothing that an editor follows without
// end either.
func instanceOf(n *node) (any, error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return instanceOf(n.Content[0])
	case yaml.AliasNode:
		return nil, errors.New("an alias")
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := instanceOf(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			object[n.Content[i].Value] = v
		}
		return object, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			v, err := instanceOf(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return scalarOf(n), nil
}

func scalarOf(n *node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return i
		}
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil && f-f == 0 {
			return f
		}
		return 0.5 // no number of JSON, but a number to an editor
	}
	return n.Value
}

// TestSchemaExamples: what is good for curfew is good for the schema.
func TestSchemaExamples(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for name, text := range examples(t) {
		if _, problems := Parse(name, text, Env{ICal: func(string) ([]byte, error) { return []byte(christmas), nil }}); Failed(problems) {
			t.Errorf("%s is no good example:\n%s", name, Render(problems, text))
		}
		if err := judge(s, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// examples are all whole files that the repository shows, by their places.
func examples(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for i, text := range seeds() {
		all[fmt.Sprintf("seed %d", i)] = []byte(text)
	}
	for _, pattern := range []string{"../../schedules.example.yaml", "../../docs/cookbook/*.yaml", "../../cmd/curfew/testdata/*.yaml"} {
		for _, path := range matches(t, pattern) {
			all[path] = fileText(t, path)
		}
	}
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		for _, path := range matches(t, pattern) {
			maps.Copy(all, wholeFiles(path, fileText(t, path)))
		}
	}
	if len(all) < 6 {
		t.Fatalf("only %d examples were found: %v", len(all), slices.Sorted(maps.Keys(all)))
	}
	return all
}

func matches(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func fileText(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// wholeFiles are the blocks of YAML on a page that have policies, as every
// configuration has.
func wholeFiles(path string, page []byte) map[string][]byte {
	all := map[string][]byte{}
	for i, part := range strings.Split(string(page), "\n```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		if block += "\n"; strings.HasPrefix(block, "policies:") || strings.Contains(block, "\npolicies:") {
			all[fmt.Sprintf("%s, block %d", path, i+1)] = []byte(block)
		}
	}
	return all
}

// beyond are the files of testdata that the schema takes and Parse refuses, by the
// reason why a schema cannot know better.
func beyond() map[string][]string {
	return map[string][]string{
		"an editor's YAML reads the value without its spelling": {
			"anchors-everywhere", "capital-true", "many-lines", "quota-leading-zero", "tag",
		},
		"a key that stands twice is YAML's affair: editors tell it by themselves": {
			"calendars-twice", "duplicate-key", "duplicate-key-quoted",
		},
		"it compares two places of the file": {
			"except-no-calendars", "ids-in-two-policies", "ids-twice", "long-line", "names-twice", "prices-currency", "prices-euro",
		},
		"times are reckoned, not spelled":                                {"never-fires", "same-time"},
		"which time zones there are says the machine":                    {"policy-zone", "timezone-case", "timezone-unknown"},
		"a pattern has no upper limit for a sum or a number":             {"duration-too-long", "endpoint-port"},
		"a path may have any character but this one, which nobody types": {"path-zero-byte"},
	}
}

// TestSchemaRefusals: what Parse refuses, the schema refuses; where it cannot, the
// file is listed with the reason, and no file is listed without need. What Parse
// takes, warnings or not, the schema takes.
func TestSchemaRefusals(t *testing.T) {
	t.Parallel()
	s, why := compiled(t), map[string]string{}
	for reason, names := range beyond() {
		for _, name := range names {
			why[name] = reason
		}
	}
	for _, path := range matches(t, "testdata/*/*.txt") {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		if text := disagreement(t, s, path, why[name]); text != "" {
			t.Errorf("%s: %s", path, text)
		}
		delete(why, name)
	}
	if len(why) > 0 {
		t.Errorf("there are no such files: %v", slices.Sorted(maps.Keys(why)))
	}
}

// disagreement says where the schema and Parse differ over a file, and no reason
// is given or needed for that.
func disagreement(t *testing.T, s *jsonschema.Schema, path, reason string) string {
	t.Helper()
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := a.Files[0].Data
	_, problems := Parse("curfew.yaml", text, Env{ICal: icalsOf(a)})
	fault := judge(s, text)
	switch {
	case !Failed(problems) && fault != nil:
		return fmt.Sprintf("the schema refuses what is right: %v", fault)
	case Failed(problems) && fault == nil && reason == "":
		return "the schema takes it, and Parse says:\n" + Render(problems, text)
	case fault != nil && reason != "":
		return fmt.Sprintf("it is listed as beyond a schema (%s), and the schema refuses it: %v", reason, fault)
	}
	return ""
}

// TestSchemaRoundTrip: any file that is right is right for the schema.
func TestSchemaRoundTrip(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	rapid.Check(t, func(t *rapid.T) {
		m := drawConfig(t)
		var text bytes.Buffer
		m.write(t, &text)
		if err := judge(s, text.Bytes()); err != nil {
			t.Fatalf("%v\nin\n%s", err, text.Bytes())
		}
	})
}

// TestSchemaTakesNoLead: what Parse takes for no lead, the schema does.
func TestSchemaTakesNoLead(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for _, lead := range []string{"none", "0", `"0"`, "0s", "'0s'", ""} {
		text := []byte(policyWith(`name: a, deployments: [], stop: "0 20 * * *", start_lead: ` + lead))
		_, problems := Parse("x", text, Env{})
		if err := judge(s, text); Failed(problems) != (err != nil) {
			t.Errorf("start_lead: %s: Parse says %v, the schema says %v", lead, problems, err)
		}
	}
}

// TestSchemaRules has one fault in each file, so that every rule of the schema
// must find its own.
func TestSchemaRules(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	const stop = `stop: "0 20 * * *"`
	for _, c := range []struct{ fault, text string }{
		{"no policies", "timezone: UTC"},
		{"policies without a value", "policies:"},
		{"no zone anywhere", "policies: [{name: a, deployments: [], " + stop + "}]"},
		{"no zone for one of two", "policies: [{name: a, deployments: [], timezone: UTC, " + stop + "}, {name: b, deployments: [], " + stop + "}]"},
		{"a local zone", "{timezone: localTime, policies: []}"},
		{"no name", policyWith("deployments: [], " + stop)},
		{"no deployments", policyWith("name: a, " + stop)},
		{"an empty select in the place of deployments", policyWith("name: a, select: , " + stop)},
		{"no times", policyWith("name: a, deployments: []")},
		{"running and stop", policyWith("name: a, deployments: [], running: 08:00-20:00, " + stop)},
		{"running and start", policyWith(`name: a, deployments: [], running: 08:00-20:00, start: "0 8 * * *"`)},
		{"enforce with stops alone", policyWith("name: a, deployments: [], enforce: both, " + stop)},
		{"enforce with starts alone", policyWith(`name: a, deployments: [], enforce: running, start: "0 8 * * *"`)},
		{"select without max", policyWith(`name: a, select: {name: "dev-*"}, ` + stop)},
		{"select of all by another name", policyWith(`name: a, select: {name: "**", max: 1}, ` + stop)},
		{"select where each is looked at", "{observe: each, timezone: UTC, policies: [{name: a, select: {name: x, max: 1}, " + stop + "}]}"},
		{"a member without an id", policyWith("name: a, deployments: [{name: x}], " + stop)},
		{"an id that is no part of an address", policyWith("name: a, deployments: [..], " + stop)},
		{"no cron in the list", policyWith("name: a, deployments: [], stop: []")},
		{"an hour that is none", policyWith(`name: a, deployments: [], stop: "0 24 * * *"`)},
		{"a step of nothing", policyWith(`name: a, deployments: [], stop: "*/0 * * * *"`)},
		{"six fields", policyWith(`name: a, deployments: [], stop: "0 0 20 * * *"`)},
		{"a window without an end", policyWith("name: a, deployments: [], running: Mon-Fri 08:00")},
		{"a day that is none", policyWith("name: a, deployments: [], running: Mo 08:00-20:00")},
		{"no effect", policyWith("name: a, deployments: [], except: {x: of}, " + stop)},
		{"a lead without a unit", policyWith("name: a, deployments: [], start_lead: 10, " + stop)},
		{"no time to catch up", policyWith("name: a, deployments: [], catch_up_within: 0s, " + stop)},
		{"half seconds", "{observe_every: 500ms, policies: [], timezone: UTC}"},
		{"a quoted number", `{api: {quotas: {get: {limit: "60"}}}, policies: [], timezone: UTC}`},
		{"a port beyond", `{listen: ":65536", policies: [], timezone: UTC}`},
		{"http to another host", `{api: {endpoint: "http://example.com"}, policies: [], timezone: UTC}`},
		{"a password in the endpoint", `{api: {endpoint: "https://u:p@example.com"}, policies: [], timezone: UTC}`},
		{"a calendar of nothing", "{calendars: {a: {}}, policies: [], timezone: UTC}"},
		{"a region without its country", "{calendars: {a: {region: BE}}, policies: [], timezone: UTC}"},
		{"a country that is not known", "{calendars: {a: {country: XX}}, policies: [], timezone: UTC}"},
		{"a date that is none", "{calendars: {a: {dates: 12-32}}, policies: [], timezone: UTC}"},
		{"an iCalendar file from afar", `{calendars: {a: {ical: ["https://example.com/a.ics"]}}, policies: [], timezone: UTC}`},
		{"a price in words", "{prices: {default: {running: cheap}}, policies: [], timezone: UTC}"},
	} {
		if _, problems := Parse("x", []byte(c.text), Env{}); !Failed(problems) {
			t.Errorf("%s: Parse takes %s", c.fault, c.text)
		}
		if err := judge(s, []byte(c.text)); err == nil {
			t.Errorf("%s: the schema takes %s", c.fault, c.text)
		}
	}
}

func policyWith(rest string) string { return "{timezone: UTC, policies: [{" + rest + "}]}" }

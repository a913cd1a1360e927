package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"curfew/internal/calendar"

	"github.com/google/go-cmp/cmp"
)

// A subschema is what the tests read of one part of the schema.
type subschema map[string]any

// keysOf returns the part of each key, by its path: api.quotas.get.limit,
// policies[].stop, calendars.*.dates.
func keysOf(t *testing.T) map[string]subschema {
	t.Helper()
	var root subschema
	if err := json.Unmarshal([]byte(Schema()), &root); err != nil {
		t.Fatalf("the schema is no JSON: %v", err)
	}
	all := map[string]subschema{}
	root.below("", root, all)
	return all
}

// resolved is s with what it refers to in the place of the reference.
func (s subschema) resolved(root subschema) subschema {
	at, ok := s["$ref"].(string)
	if !ok {
		return s
	}
	definitions := root["definitions"].(map[string]any)
	out := maps.Clone(subschema(definitions[strings.TrimPrefix(at, "#/definitions/")].(map[string]any)))
	maps.Copy(out, s)
	return out
}

// below gathers the keys under the path at.
func (s subschema) below(at string, root subschema, all map[string]subschema) {
	properties, _ := s["properties"].(map[string]any)
	for name, of := range properties {
		part, path := subschema(of.(map[string]any)).resolved(root), strings.TrimPrefix(at+"."+name, ".")
		all[path] = part
		part.below(path, root, all)
	}
	for suffix, word := range map[string]string{"[]": "items", ".*": "additionalProperties"} {
		if of, ok := s[word].(map[string]any); ok {
			subschema(of).resolved(root).below(at+suffix, root, all)
		}
	}
}

// written returns a configuration with value at the path of a key, beside what
// other holds.
func written(path, value string, other ...string) string {
	parts := strings.Split(path, ".")
	for _, part := range slices.Backward(parts) {
		key, inList := strings.CutSuffix(part, "[]")
		if inList {
			value = "[" + value + "]"
		}
		if key == "*" {
			key = "default"
		}
		value = "{" + strings.Join(append([]string{key + ": " + value}, other...), ", ") + "}"
		other = nil
	}
	return value
}

// nobody is a key that no mapping has, and none has one near to it.
const nobody = "qqqqqqqqqqqqqqqq"

// told are the keys that Parse names in its answer to an unknown one.
func told(text string) []string {
	_, problems := Parse("x", []byte(text), Env{})
	for _, p := range problems {
		if names, ok := strings.CutPrefix(p.Hint, "known here: "); ok && strings.Contains(p.Text, nobody) {
			return strings.Split(names, ", ")
		}
	}
	return nil
}

// parsed gathers the keys that Parse knows under the path at, by asking: in a
// mapping, in the items of a list, and under names of the file's own.
func parsed(at string, all map[string]bool) {
	for suffix, value := range map[string]string{
		"": "{" + nobody + ": 1}", "[]": "{" + nobody + ": 1}", ".*": "{" + nobody + ": 1}",
	} {
		text := value
		if at+suffix != "" {
			text = written(at+suffix, value)
		}
		for _, name := range told(text) {
			path := strings.TrimPrefix(at+suffix+"."+name, ".")
			if !all[path] {
				all[path] = true
				parsed(path, all)
			}
		}
	}
}

// TestSchemaKeys: the schema has the keys that Parse knows, and no other.
func TestSchemaKeys(t *testing.T) {
	t.Parallel()
	want, got := map[string]bool{}, map[string]bool{}
	parsed("", want)
	for path := range keysOf(t) {
		got[path] = true
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 50 {
		t.Errorf("keys that Parse knows (-) and keys of the schema (+), %d in all:\n%s", len(want), diff)
	}
}

var (
	wantOneOf = regexp.MustCompile(`want one of ([a-z, ]+), got`)
	wantRange = regexp.MustCompile(`from \S+ to [^\s,]+`)
)

// TestSchemaWords: a key says in a sentence what it is, with the words and the
// range that Parse has for it, and shows a value.
func TestSchemaWords(t *testing.T) {
	t.Parallel()
	compared := 0
	for path, part := range keysOf(t) {
		description, _ := part["description"].(string)
		if len(description) < 20 || !strings.HasSuffix(description, ".") {
			t.Errorf("%s: %q is no description", path, description)
		}
		shown := part["examples"] != nil || part["default"] != nil || part["properties"] != nil
		if !shown {
			t.Errorf("%s shows no value: give it an example", path)
		}
		for _, value := range []string{nobody, "99999999999", "9999d"} {
			_, problems := Parse("x", []byte(written(path, value)), Env{})
			for _, p := range problems {
				if about, _, _ := strings.Cut(p.Text, ": "); about == strings.NewReplacer("[]", "", "*", "default").Replace(path) {
					compared++
					part.holdWords(t, path, p.Text)
				}
			}
		}
	}
	if compared < 60 {
		t.Errorf("only %d of Parse's answers were compared", compared)
	}
}

// holdWords compares one key with what Parse says of a value that it refuses.
func (s subschema) holdWords(t *testing.T, path, text string) {
	t.Helper()
	if m := wantOneOf.FindStringSubmatch(text); m != nil {
		words := strings.Split(m[1], ", ")
		listed, _ := s["enum"].([]any)
		listed = slices.DeleteFunc(slices.Clone(listed), func(v any) bool { return v == false }) // enforce: another word for none
		if diff := cmp.Diff(fmt.Sprint(words), fmt.Sprint(listed)); diff != "" {
			t.Errorf("%s: Parse wants these words (-), the schema lists those (+):\n%s", path, diff)
		}
	}
	if r := wantRange.FindString(text); r != "" {
		if !strings.Contains(fmt.Sprint(s["description"]), r) {
			t.Errorf("%s: Parse wants a value %s, and the description does not say so: %s", path, r, s["description"])
		}
		if limits := fmt.Sprintf("from %.0f to %.0f", s["minimum"], s["maximum"]); s["type"] == "integer" && limits != r {
			t.Errorf("%s: Parse wants a value %s, the schema one %s", path, r, limits)
		}
	}
}

// base is a file that is right whichever key of it is set to something else,
// beside which that key may need others.
func base(path string) map[string]any {
	policy := map[string]any{"name": "p", "deployments": []any{map[string]any{"id": "d"}}, "start": "0 8 * * *", "stop": "0 20 * * *"}
	switch {
	case strings.HasPrefix(path, "policies[].select"):
		policy["select"] = map[string]any{"name": "dev-*", "max": 20}
	case path == "policies[].running":
		delete(policy, "start")
		delete(policy, "stop")
	}
	return map[string]any{
		"timezone": "UTC",
		"calendars": map[string]any{
			"holidays": map[string]any{"country": "DE"}, "freeze": map[string]any{"dates": "12-24"},
		},
		"prices":   map[string]any{"default": map[string]any{"running": 1.5, "stopped": 0.5}},
		"policies": []any{policy},
	}
}

// insert sets the key at a path to a value, and makes the mappings on the way.
func insert(at map[string]any, path string, value any) {
	key, rest, deeper := strings.Cut(path, ".")
	name, inList := strings.CutSuffix(key, "[]")
	if name == "*" {
		name = map[bool]string{true: "holidays", false: "default"}[at["holidays"] != nil]
	}
	if !deeper {
		at[name] = value
		return
	}
	if inList {
		insert(at[name].([]any)[0].(map[string]any), rest, value)
		return
	}
	below, _ := at[name].(map[string]any)
	if below == nil {
		below = map[string]any{}
		at[name] = below
	}
	insert(below, rest, value)
}

// parseDocument has Parse read what is written down as JSON, which is YAML as well.
func parseDocument(t *testing.T, doc map[string]any) *Config {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	c, problems := Parse("x", text, Env{ICal: func(string) ([]byte, error) { return []byte(christmas), nil }})
	if Failed(problems) {
		t.Fatalf("%s", Render(problems, text))
	}
	return c
}

// TestSchemaValues: each example is taken, by Parse and by the schema, and each
// default is what holds without it.
func TestSchemaValues(t *testing.T) {
	t.Parallel()
	s, defaults := compiled(t), 0
	for path, part := range keysOf(t) {
		values, _ := part["examples"].([]any)
		preset, has := part["default"]
		if has {
			values = append(slices.Clone(values), preset)
		}
		for _, value := range values {
			t.Run(fmt.Sprintf("%s: %v", path, value), func(t *testing.T) {
				doc := base(path)
				insert(doc, path, value)
				c := parseDocument(t, doc)
				if err := s.Validate(doc); err != nil {
					t.Error(err)
				}
				if !has || !reflect.DeepEqual(value, preset) {
					return
				}
				defaults++
				if diff := cmp.Diff(summary(parseDocument(t, base(path))), summary(c)); diff != "" {
					t.Errorf("the file without (-) and with (+) the default:\n%s", diff)
				}
			})
		}
	}
	if defaults < 20 {
		t.Errorf("only %d defaults were compared", defaults)
	}
}

// TestSchemaCountries: the countries whose holidays are known are those that
// editors propose.
func TestSchemaCountries(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, c := range calendar.Countries() {
		want = append(want, c.Code)
	}
	for _, code := range keysOf(t)["calendars.*.country"]["anyOf"].([]any)[0].(map[string]any)["enum"].([]any) {
		got = append(got, code.(string))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("known countries (-), countries of the schema (+):\n%s", diff)
	}
}

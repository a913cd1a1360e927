package docs

import (
	"fmt"
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/policy"
)

// A path is where a key stands: api.quotas.get.limit, or policies[].stop for
// one in each policy, or calendars.<name>.dates for one behind each name.
type path string

// stranger is a key that no mapping has, and none has a name near to.
const stranger = "zzzzzzzzzzzzzz"

// file returns a configuration in which the value at p is the given text, and
// what must stand beside it does.
func (p path) file(value string) string {
	keys := strings.Split(string(p), ".")
	for i := len(keys) - 1; i >= 0; i-- {
		key, list := strings.CutSuffix(keys[i], "[]")
		if list && i < len(keys)-1 {
			value = "[" + value + "]"
		}
		if key == "<name>" {
			key = map[string]string{"calendars": "holidays", "prices": "default"}[keys[i-1]]
		}
		value = "{" + key + ": " + value + beside(keys, i) + "}"
	}
	return value
}

const (
	plainFile   = "{" + plainTop + "}"
	plainTop    = "timezone: UTC, policies: [{" + plainPolicy + "}]"
	plainPolicy = `name: p, deployments: [d], start: "0 8 * * *", stop: "0 20 * * *"`
)

// beside is what the mapping with the i-th key cannot be without, as it is in
// plainFile, but for that key.
func beside(keys []string, i int) string {
	switch {
	case i == 0:
		return besideTop(keys)
	case i == 1 && keys[0] == "policies[]":
		return besideInPolicy(keys[1])
	}
	return map[string]string{
		"policies[].select.name": ", max: 20", "policies[].select.max": `, name: "dev-*"`, "policies[].deployments[].name": ", id: d",
		"calendars.<name>.region": ", country: DE", "prices.<name>.currency": ", running: 0.36, stopped: 0.06",
	}[strings.Join(keys[:i+1], ".")]
}

// besideTop has a calendar where one is named, and a policy that names it where
// there is one.
func besideTop(keys []string) string {
	const days = "calendars: {holidays: {country: DE}, freeze: {dates: 12-28..01-03}}"
	switch last := keys[len(keys)-1]; {
	case keys[0] == "policies[]" && last == "except":
		return ", timezone: UTC, " + days
	case keys[0] == "policies[]" || keys[0] == "policies":
		return ", timezone: UTC"
	case keys[0] == "timezone":
		return ", policies: [{" + plainPolicy + "}]"
	case keys[0] == "calendars":
		return ", timezone: UTC, policies: [{" + plainPolicy + ", except: holidays}]"
	case last == "except":
		return ", " + days + ", " + plainTop
	}
	return ", " + plainTop
}

// besideInPolicy leaves out what the key takes the place of.
func besideInPolicy(but string) string {
	var rest string
	for _, pair := range strings.Split(plainPolicy, ", ") {
		key, _, _ := strings.Cut(pair, ":")
		times := key == "start" || key == "stop"
		if key != strings.TrimSuffix(but, "[]") && !(times && but == "running") {
			rest += ", " + pair
		}
	}
	return rest
}

// parse reads a configuration as if it were /etc/curfew/curfew.yaml, with an
// iCalendar file of one day wherever it names one.
func parse(text string) (*config.Config, []policy.Problem) {
	return config.Parse("curfew.yaml", []byte(text), config.Env{Dir: "/etc/curfew", ICal: func(string) ([]byte, error) {
		return []byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20261225\nEND:VEVENT\nEND:VCALENDAR\n"), nil
	}})
}

func (p path) parse(value string) (*config.Config, []policy.Problem) { return parse(p.file(value)) }

// complaint is the first problem with the value at p.
func (p path) complaint(t *testing.T, value string) policy.Problem {
	t.Helper()
	_, problems := p.parse(value)
	if len(problems) == 0 {
		t.Fatalf("no problem in %s", p.file(value))
	}
	return problems[0]
}

var known = regexp.MustCompile(`known here: (.+)$`)

// children asks the parser which keys the mapping at p has: it names them to
// whoever writes one that it does not know. In a list the answer is of its items,
// under names of the file's own of what stands behind them.
func (p path) children() (path, []string) {
	for _, shape := range []struct {
		suffix path
		value  string
	}{
		{"", "{" + stranger + ": 1}"}, {"[]", "[{" + stranger + ": 1}]"},
		{".<name>", "{" + stranger + ": {" + stranger + ": 1}}"},
	} {
		_, problems := p.parse(shape.value)
		for _, problem := range problems {
			if m := known.FindStringSubmatch(problem.Hint); m != nil && strings.Contains(problem.Text, stranger) {
				return p + shape.suffix, strings.Split(m[1], ", ")
			}
		}
	}
	return p, nil
}

// parserKeys are the paths of all keys that hold a value themselves.
func parserKeys(t *testing.T) []path {
	t.Helper()
	_, problems := parse("{" + plainTop + ", " + stranger + ": 1}")
	if len(problems) != 1 {
		t.Fatalf("an unknown key at the top: problems %v", problems)
	}
	m := known.FindStringSubmatch(problems[0].Hint)
	if m == nil {
		t.Fatalf("the hint %q names no keys", problems[0].Hint)
	}
	var leaves []path
	for _, key := range strings.Split(m[1], ", ") {
		leaves = append(leaves, path(key).leaves()...)
	}
	return leaves
}

// leaves are p itself, or what is below it. A deployment is both: an id alone,
// or a mapping.
func (p path) leaves() []path {
	at, keys := p.children()
	var all []path
	if len(keys) == 0 || strings.HasSuffix(string(p), ".deployments") {
		all = append(all, p)
	}
	for _, key := range keys {
		all = append(all, (at + "." + path(key)).leaves()...)
	}
	return all
}

// A row is one line of a table of keys.
type row struct {
	line    int
	keys    []path
	kind    string // what the value may be
	preset  string // where the key is left out; empty where there is none
	example string
	meaning string
}

var (
	quoted = regexp.MustCompile("`([^`]+)`")
	span   = regexp.MustCompile(`\S+ to \S+`)
)

// keyRows reads the tables of docs/configuration.md that have five columns,
// the first of them "key".
func keyRows(t *testing.T) []row {
	t.Helper()
	var rows []row
	inside := false
	for i, line := range strings.Split(read(t, "docs/configuration.md"), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		switch {
		case !strings.HasPrefix(line, "|"):
			inside = false
		case strings.TrimSpace(cells[0]) == "key" && len(cells) == 5:
			inside = true
		case inside && !strings.HasPrefix(line, "|---"):
			if len(cells) != 5 {
				t.Fatalf("docs/configuration.md:%d: a row of %d cells, want 5", i+1, len(cells))
			}
			rows = append(rows, newRow(i+1, cells))
		}
	}
	return rows
}

func newRow(line int, cells []string) row {
	r := row{line: line, kind: strings.ReplaceAll(cells[1], "`", ""), meaning: cells[4]}
	for _, m := range quoted.FindAllStringSubmatch(cells[0], -1) {
		r.keys = append(r.keys, path(m[1]))
	}
	if m := quoted.FindStringSubmatch(cells[2]); m != nil {
		r.preset = m[1]
	}
	if m := quoted.FindStringSubmatch(cells[3]); m != nil {
		r.example = m[1]
	}
	return r
}

// TestKeys: the page lists the keys that the parser knows, no more and no less.
func TestKeys(t *testing.T) {
	t.Parallel()
	documented := map[path]int{}
	for _, r := range keyRows(t) {
		for _, key := range r.keys {
			documented[key]++
		}
	}
	parsed := map[path]int{}
	for _, key := range parserKeys(t) {
		parsed[key]++
	}
	if diff := cmp.Diff(documented, parsed); diff != "" {
		t.Errorf("keys in docs/configuration.md (-) and in the parser (+), with how often:\n%s", diff)
	}
}

// TestKeyRows: each example is taken, each default changes nothing, each range
// and each list of words is the parser's.
func TestKeyRows(t *testing.T) {
	t.Parallel()
	for _, r := range keyRows(t) {
		for _, key := range r.keys {
			if r.example == "" || strings.TrimSpace(r.meaning) == "" {
				t.Errorf("docs/configuration.md:%d: %s has no example or no meaning", r.line, key)
				continue
			}
			if _, problems := key.parse(r.example); len(problems) > 0 {
				t.Errorf("docs/configuration.md:%d: the example of %s is not taken: %v", r.line, key, problems)
			}
			r.holdDefault(t, key)
			r.holdKind(t, key)
		}
	}
}

// holdDefault compares a file that writes the default out with one that leaves
// the key out.
func (r row) holdDefault(t *testing.T, key path) {
	t.Helper()
	if r.preset == "" {
		return
	}
	with, problems := key.parse(r.preset)
	if len(problems) > 0 {
		t.Errorf("docs/configuration.md:%d: the default of %s is not taken: %v", r.line, key, problems)
		return
	}
	plain := plainFile
	if strings.HasPrefix(string(key), "prices.") { // none hold unless the file asks for them
		plain = "{prices: {}, " + plainTop + "}"
	}
	without, _ := parse(plain)
	if diff := cmp.Diff(meaningOf(with), meaningOf(without)); diff != "" {
		t.Errorf("docs/configuration.md:%d: %s: %s (-) is not what holds without it (+):\n%s", r.line, key, r.preset, diff)
	}
}

// A meaning is what a configuration says, without where it says so.
type meaning struct {
	Name, Endpoint, Ledger, Listen string
	Quotas                         [quota.Methods]quota.Limit
	ObserveEvery                   time.Duration
	DryRun, TrustClock             bool
	ObserveList                    bool
	Price                          config.Price
	PerDeployment                  config.PerDeployment
	Options                        policy.Options
}

func meaningOf(c *config.Config) meaning {
	price, _ := c.Prices.At("d", "")
	return meaning{
		ObserveList: c.ObserveList, Price: price,
		Name: c.Name, Endpoint: c.Endpoint, Ledger: c.Ledger, Listen: c.Listen, Quotas: c.Quotas,
		ObserveEvery: c.ObserveEvery, DryRun: c.DryRun, TrustClock: c.TrustClock, PerDeployment: c.PerDeployment,
		Options: c.Policies.Policies[0].Options(),
	}
}

// holdKind has the parser say what it takes.
func (r row) holdKind(t *testing.T, key path) {
	t.Helper()
	value, want := "", ""
	limits := span.FindString(r.kind)
	switch {
	case strings.HasPrefix(r.kind, "duration"):
		value, want = "999999h", "from "+limits
	case strings.HasPrefix(r.kind, "integer"):
		value, want = "9999999", "from "+limits
	case strings.HasPrefix(r.kind, "one of "), r.kind == "true or false":
		value, want = stranger, "want "+r.kind+","
	default:
		return
	}
	if text := key.complaint(t, value).Text; !strings.Contains(text, want) {
		t.Errorf("docs/configuration.md:%d: %s is %q, and the parser says %q", r.line, key, r.kind, text)
	}
}

// laterKeys are the keys that people look for and the parser refuses by name.
func laterKeys() []path {
	return []path{
		"api.key", "api.secret", "defaults.timezone", "accounts",
	}
}

// laterTable says what curfew answers to each of them.
func laterTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| key | what curfew says |\n|---|---|\n")
	for _, key := range laterKeys() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", key, cell(key.refusal(t), ""))
	}
	return b.String()
}

// refusal is the hint of the problem that p is an unknown key.
func (p path) refusal(t *testing.T) string {
	t.Helper()
	_, problems := p.parse("x")
	for _, problem := range problems {
		if strings.Contains(problem.Text, fmt.Sprintf("unknown key %q", p.last())) {
			return problem.Hint
		}
	}
	t.Fatalf("%s is not an unknown key: %v", p, problems)
	return ""
}

// last is the key itself.
func (p path) last() string { return string(p)[strings.LastIndexByte(string(p), '.')+1:] }

// TestLaterKeys: laterKeys names all that the parser's source refuses.
func TestLaterKeys(t *testing.T) {
	t.Parallel()
	refused := map[string]bool{}
	for _, file := range sources(t, "internal/config") {
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.CompositeLit); ok {
				if name, ok := refusedField(lit); ok {
					refused[name] = true
				}
			}
			return true
		})
	}
	listed := map[string]bool{}
	for _, key := range laterKeys() {
		listed[key.last()] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(listed)), slices.Sorted(maps.Keys(refused))); diff != "" {
		t.Errorf("keys refused by name, in this test (-) and in the parser (+):\n%s", diff)
	}
}

// refusedField reads field{name: "x", refuse: …}.
func refusedField(lit *ast.CompositeLit) (name string, ok bool) {
	for _, e := range lit.Elts {
		pair, isPair := e.(*ast.KeyValueExpr)
		if !isPair {
			continue
		}
		switch key, _ := pair.Key.(*ast.Ident); {
		case key == nil:
		case key.Name == "name":
			name = literal(pair.Value)
		case key.Name == "refuse":
			ok = true
		}
	}
	return name, ok && name != ""
}

// mistakes is what Render shows of a file with several of them.
func mistakes(t *testing.T) string {
	const text = `timezone: Europe/Berlin
observe_every: 5
policies:
  - name: office-hours
    deployments: [w41b11c0, b1f77113]
    strat: "0 8 * * MON-FRI"
    stop: "0 20 * * MONDAY"
  - name: nightly
    deployments: [w41b11c0]
    stop: "0 22 * * *"
`
	_, problems := parse(text)
	if !config.Failed(problems) {
		t.Fatalf("%s has no error", text)
	}
	return "```text\n" + config.Render(problems, []byte(text)) + "```\n"
}

package house

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// arrows says which of our rooms each room may import.
var arrows = map[string][]string{
	"curfew/policy":                     {},
	"curfew/apiclient/quota":            {},
	"curfew/internal/secret":            {},
	"curfew/internal/needtool":          {},
	"curfew/internal/picture":           {},
	"curfew/internal/simplatform":       {},
	"curfew/internal/house":             {},
	"curfew/internal/docs":              {},
	"curfew/internal/mutants":           {},
	"curfew/internal/raced":             {},
	"curfew/scheduler":                  {"curfew/policy", "curfew/apiclient/quota"},
	"curfew/apiclient":                  {"curfew/apiclient/quota", "curfew/internal/secret"},
	"curfew/internal/config":            {"curfew/policy", "curfew/apiclient/quota", "curfew/internal/secret", "curfew/internal/calendar"},
	"curfew/internal/calendar":          {"curfew/policy"},
	"curfew/internal/ledger":            {"curfew/scheduler", "curfew/policy", "curfew/apiclient/quota"},
	"curfew/internal/ledger/ledgertest": {"curfew/scheduler", "curfew/policy", "curfew/apiclient/quota"},
	"curfew/internal/web":               {"curfew/scheduler", "curfew/policy", "curfew/apiclient/quota"},
	"curfew/internal/demo": {"curfew/scheduler", "curfew/policy", "curfew/internal/config", "curfew/internal/ledger",
		"curfew/internal/sim", "curfew/internal/simplatform"},
	"curfew/internal/sim": {"curfew/scheduler", "curfew/policy", "curfew/apiclient/quota",
		"curfew/internal/simplatform"},
}

// outside says which rooms alone may import a library.
var outside = map[string][]string{
	"gopkg.in/yaml.v3":               {"curfew/internal/config"},
	"modernc.org/sqlite":             {"curfew/internal/ledger"},
	"github.com/robfig/cron/v3":      {"curfew/policy"},
	"github.com/arran4/golang-ical":  {"curfew/internal/calendar"},
	"github.com/teambition/rrule-go": {"curfew/internal/calendar"},
	"github.com/rickar/cal/v2":       {"curfew/internal/calendar"},
	"github.com/spf13/cobra":         {"curfew/cmd/curfew"},
	"github.com/lmittmann/tint":      {"curfew/cmd/curfew"},
}

func TestArrows(t *testing.T) {
	t.Parallel()
	for _, p := range listed(t, "curfew/...") {
		if ours(p.ImportPath) {
			for _, text := range strayArrows(p) {
				t.Error(text)
			}
		}
	}
}

// strayArrows says what a package imports against the picture.
func strayArrows(p pkg) []string {
	var stray []string
	may, known := arrows[p.ImportPath]
	free := strings.HasPrefix(p.ImportPath, "curfew/cmd/") // the front door opens to all
	if !known && !free && len(p.GoFiles) > 0 && !strings.HasPrefix(p.ImportPath, "curfew/internal/sim/") {
		stray = append(stray, p.ImportPath+" is a room that docs/architecture.md and this test do not know")
	}
	for _, i := range p.Imports {
		if ours(i) && known && !slices.Contains(may, i) {
			stray = append(stray, fmt.Sprintf("%s imports %s: that arrow is not in the picture", p.ImportPath, i))
		}
		if only, ok := outside[i]; ok && !slices.Contains(only, p.ImportPath) {
			stray = append(stray, fmt.Sprintf("%s imports %s, which belongs in %v alone", p.ImportPath, i, only))
		}
	}
	return stray
}

// TestArrowsBite draws arrows that must not be, and some that may.
func TestArrowsBite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ room, imports, want string }{
		{"curfew/scheduler", "curfew/policy", ""},
		{"curfew/policy", "curfew/scheduler", "that arrow is not in the picture"},
		{"curfew/internal/web", "curfew/internal/ledger", "that arrow is not in the picture"},
		{"curfew/internal/attic", "fmt", "is a room that docs/architecture.md and this test do not know"},
		{"curfew/internal/config", "gopkg.in/yaml.v3", ""},
		{"curfew/internal/web", "gopkg.in/yaml.v3", "belongs in [curfew/internal/config] alone"},
		{"curfew/cmd/curfew", "curfew/internal/ledger", ""},
		{"curfew/cmd/curfew", "modernc.org/sqlite", "belongs in [curfew/internal/ledger] alone"},
	} {
		got := strayArrows(pkg{ImportPath: c.room, GoFiles: []string{"a.go"}, Imports: []string{c.imports}})
		if !tells(got, c.want) {
			t.Errorf("%s imports %s: the test says %q, want %q", c.room, c.imports, got, c.want)
		}
	}
}

// tells reports whether got is the one sentence with want in it; nothing at all
// where want is empty.
func tells(got []string, want string) bool {
	if want == "" {
		return len(got) == 0
	}
	return len(got) == 1 && strings.Contains(got[0], want)
}

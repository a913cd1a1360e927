// Package house holds the rooms of this module to the picture in
// docs/architecture.md: which may import which, and which are pure.
//
// Adapters point at the core, never the other way round. policy, quota and the
// Fleet decide; so they may not read a clock, start a goroutine, log or touch a
// file, and a test here reads their sources to see that they do not.
package house

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
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
	"curfew/internal/simplatform":       {},
	"curfew/internal/house":             {},
	"curfew/internal/docs":              {},
	"curfew/scheduler":                  {"curfew/policy", "curfew/apiclient/quota"},
	"curfew/apiclient":                  {"curfew/apiclient/quota", "curfew/internal/secret"},
	"curfew/internal/config":            {"curfew/policy", "curfew/apiclient/quota", "curfew/internal/secret"},
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
	"gopkg.in/yaml.v3":          {"curfew/internal/config"},
	"modernc.org/sqlite":        {"curfew/internal/ledger"},
	"github.com/robfig/cron/v3": {"curfew/policy"},
	"github.com/spf13/cobra":    {"curfew/cmd/curfew"},
	"github.com/lmittmann/tint": {"curfew/cmd/curfew"},
}

type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "curfew/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		all = append(all, p)
	}
}

func TestArrows(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		may, known := arrows[p.ImportPath]
		free := strings.HasPrefix(p.ImportPath, "curfew/cmd/") // the front door opens to all
		if !known && !free && len(p.GoFiles) > 0 && !strings.HasPrefix(p.ImportPath, "curfew/internal/sim/") {
			t.Errorf("%s is a room that docs/architecture.md and this test do not know", p.ImportPath)
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "curfew/") && known && !slices.Contains(may, i) {
				t.Errorf("%s imports %s: that arrow is not in the picture", p.ImportPath, i)
			}
			if only, ok := outside[i]; ok && !slices.Contains(only, p.ImportPath) {
				t.Errorf("%s imports %s, which belongs in %v alone", p.ImportPath, i, only)
			}
		}
	}
}

// forbidden lists what a pure room must not name.
var forbidden = map[string]string{
	"time.Now": "reads a clock", "time.Since": "reads a clock", "time.Until": "reads a clock",
	"time.Sleep": "sleeps", "time.After": "sleeps", "time.NewTimer": "sleeps", "time.Tick": "sleeps",
	"time.LoadLocation": "reads a file",
}

// TestPureRooms reads the sources of policy, quota and the Fleet. loop.go is the
// goroutine that owns a Fleet, and the one file of its room that may act.
func TestPureRooms(t *testing.T) {
	t.Parallel()
	pure := []string{"curfew/policy", "curfew/apiclient/quota", "curfew/scheduler"}
	imports := []string{"os", "net", "net/http", "log", "log/slog", "context", "sync", "math/rand", "math/rand/v2", "io"}
	for _, p := range packages(t) {
		if !slices.Contains(pure, p.ImportPath) {
			continue
		}
		for _, name := range p.GoFiles {
			if p.ImportPath == "curfew/scheduler" && name == "loop.go" {
				continue
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatalf("parse %s: %v", name, err)
			}
			for _, i := range file.Imports {
				if path := strings.Trim(i.Path.Value, `"`); slices.Contains(imports, path) {
					t.Errorf("%s: a pure room imports %s", fset.Position(i.Pos()), path)
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%s: a pure room starts a goroutine", fset.Position(n.Pos()))
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && forbidden[x.Name+"."+n.Sel.Name] != "" {
						t.Errorf("%s: %s.%s %s in a pure room", fset.Position(n.Pos()), x.Name, n.Sel.Name, forbidden[x.Name+"."+n.Sel.Name])
					}
				}
				return true
			})
		}
	}
}

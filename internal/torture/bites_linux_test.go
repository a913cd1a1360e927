package torture

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var bites = flag.Bool("bites", false, "run TestBites: some minutes of daemons with deliberate bugs")

// TestBites runs the tests of this package against daemons with deliberate bugs,
// those of internal/mutants, and wants each to be found out for what it does.
func TestBites(t *testing.T) {
	if !*bites {
		t.Skip("only with -bites: it takes some minutes")
	}
	for _, c := range []struct{ bug, test, want string }{
		{"no-lock", "TestTorture", "repeated: "},
		{"floor-forgotten", "TestTorture", "outcome: "},
		{"mark-after-the-call", "TestTorture", "over quota: "},
		{"no-sync", "TestTrace", "unsynced: "},
	} {
		t.Run(c.bug, func(t *testing.T) {
			list, err := overlayOf(t.TempDir(), filepath.Join("..", "mutants", "bugs", c.bug+".mutant"))
			if err != nil {
				t.Fatal(err)
			}
			program := build(t, list)
			// What takes luck is tried with more than one seed.
			var out []byte
			for seed := range 4 {
				out, err = apart(program, "^"+c.test+"$", fmt.Sprintf("-seed=%d", seed+1))
				if err == nil && strings.Contains(string(out), "--- SKIP") {
					t.Skipf("%s", out)
				}
				if strings.Contains(string(out), c.want) {
					t.Logf("found out with seed %d: %.300s", seed+1, out[strings.Index(string(out), c.want):])
					return
				}
			}
			t.Errorf("%s does not find out %s: no %q in\n%s", c.test, c.bug, c.want, out)
		})
	}
}

// overlayOf makes the go command's overlay of a bug, as internal/mutants does: the
// head says what is wrong, then come places, each with the lines as they are and
// as they shall be.
func overlayOf(dir, bug string) (list string, err error) {
	text, err := os.ReadFile(bug)
	if err != nil {
		return "", err
	}
	changed := map[string]string{}
	for _, place := range strings.Split("\n"+string(text), "\n--- ")[1:] {
		name, lines, _ := strings.Cut(place, "\n")
		before, after, ok := strings.Cut(lines+"\n", "\n+++\n") // what is left out may be all of it
		path, err := filepath.Abs(filepath.Join("..", "..", name))
		if err != nil {
			return "", err
		}
		if changed[path] == "" {
			source, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			changed[path] = string(source)
		}
		after = strings.TrimRight(after, "\n")
		if !ok || strings.Count(changed[path], before) != 1 {
			return "", fmt.Errorf("%s: its lines do not stand in %s once", bug, name)
		}
		changed[path] = strings.Replace(changed[path], before, after, 1)
	}
	return writeOverlay(dir, changed)
}

// writeOverlay writes changed files and the list of them, in the form of
// `go help build`.
func writeOverlay(dir string, changed map[string]string) (list string, err error) {
	replaced := map[string]string{}
	for path, text := range changed {
		replaced[path] = filepath.Join(dir, fmt.Sprintf("%d.go", len(replaced)))
		err = errors.Join(err, os.WriteFile(replaced[path], []byte(text), 0o600))
	}
	b, encoded := json.Marshal(map[string]any{"Replace": replaced})
	list = filepath.Join(dir, "overlay.json")
	return list, errors.Join(err, encoded, os.WriteFile(list, b, 0o600))
}

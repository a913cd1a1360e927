package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var mutants = flag.Bool("mutants", false, "check that the simulation catches every mutant: some minutes")

// A mutant is a deliberate bug: a file in mutants/ that says what is wrong, what
// must catch it, and which lines to exchange.
type mutant struct {
	name, what string
	tests      string   // a pattern for -run
	words      []string // invariants, one of which the failure must name
	swaps      []swap
}

type swap struct{ file, old, new string }

// readMutant reads a file of mutants/.
func readMutant(path string) (*mutant, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	head, rest, _ := strings.Cut(string(text), "\n--- ")
	what, caught, ok := strings.Cut(head, "caught by: ")
	if !ok {
		return nil, fmt.Errorf("%s does not say what catches it", path)
	}
	m := &mutant{name: strings.TrimSuffix(filepath.Base(path), ".mutant"), what: strings.TrimSpace(what)}
	var tests []string
	for _, word := range strings.Fields(caught) {
		if strings.HasPrefix(word, "Test") {
			tests = append(tests, word+"$")
			continue
		}
		m.words = append(m.words, word)
	}
	m.tests = strings.Join(tests, "|")
	for part := range strings.SplitSeq(rest, "\n--- ") {
		file, body, _ := strings.Cut(part, "\n")
		old, now, ok := strings.Cut(body, "\n+++\n")
		if !ok {
			return nil, fmt.Errorf("%s: no +++ after the lines of %s", path, file)
		}
		m.swaps = append(m.swaps, swap{file, old, strings.TrimSuffix(now, "\n")})
	}
	return m, nil
}

// overlay writes the changed files to dir, and there the list of them that the
// go command takes for -overlay. The module itself stays as it is.
func (m *mutant) overlay(root, dir string) (string, error) {
	texts, list := map[string]string{}, map[string]string{}
	for _, s := range m.swaps {
		path := filepath.Join(root, filepath.FromSlash(s.file))
		if texts[path] == "" {
			b, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			texts[path] = string(b)
		}
		if n := strings.Count(texts[path], s.old); n != 1 {
			return "", fmt.Errorf("the mutant is out of date: its lines are %d times in %s:\n%s", n, s.file, s.old)
		}
		texts[path] = strings.Replace(texts[path], s.old, s.new, 1)
	}
	for path, text := range texts {
		changed := filepath.Join(dir, fmt.Sprintf("%d.go", len(list)))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			return "", err
		}
		list[path] = changed
	}
	b, err := json.Marshal(map[string]any{"Replace": list})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, b, 0o600)
}

// TestMutants tests the tester: a daemon with a deliberate bug must fail, and by
// the invariant that the bug breaks. Without -mutants it checks only that the
// mutants still fit the code.
func TestMutants(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("mutants/*.mutant")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d mutants, error %v", len(files), err)
	}
	for _, path := range files {
		m, err := readMutant(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(m.name, func(t *testing.T) {
			overlay, err := m.overlay(root, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if *mutants {
				m.mustDie(t, root, overlay)
			}
		})
	}
}

// mustDie runs the tests that have to catch the mutant.
func (m *mutant) mustDie(t *testing.T, root, overlay string) {
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-failfast", "-overlay", overlay,
		"-run", m.tests, "./internal/sim", "-seeds", "2000", "-first")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		t.Errorf("it survives: %s\n%s", m.what, out)
	case !bytes.Contains(out, []byte("--- FAIL")):
		t.Errorf("it was not tested: %v\n%s", err, out)
	case m.named(out) == "":
		t.Errorf("it fails, and not by one of %v:\n%s", m.words, out[:min(len(out), 3000)])
	default:
		t.Logf("killed by %s", m.named(out))
	}
}

// named returns the invariant of the mutant that a failure names.
func (m *mutant) named(out []byte) string {
	for _, w := range m.words {
		if bytes.Contains(out, []byte(w+":")) {
			return w
		}
	}
	return ""
}

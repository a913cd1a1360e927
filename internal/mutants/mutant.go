package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A mutant is a deliberate bug.
type mutant struct {
	name, what string
	pkg        string   // whose tests must catch it: ./internal/sim
	tests      []string // top-level ones of that package
	words      []string // one of which the failure must name; empty where the test is enough
	flags      []string // of the tests
	swaps      []swap
}

// A swap exchanges lines of a file, whose path is from the module's root.
type swap struct{ file, old, new string }

// bugs is where the mutants are, from the module's root.
const bugs = "internal/mutants/bugs"

// readMutants reads all mutants, or the one with a name, sorted by name.
func readMutants(root, only string) ([]*mutant, error) {
	paths, err := filepath.Glob(filepath.Join(root, bugs, "*.mutant"))
	if err != nil {
		return nil, err
	}
	var all []*mutant
	for _, path := range paths {
		if name := nameOf(path); only != "" && name != only {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		m, err := parse(nameOf(path), string(text))
		if err != nil {
			return nil, fmt.Errorf("read mutant %s: %w", path, err)
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no mutant %q in %s", only, bugs)
	}
	return all, nil
}

func nameOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".mutant") }

// parse reads the text of a mutant.
func parse(name, text string) (*mutant, error) {
	head, rest, _ := strings.Cut(text, "\n--- ")
	what, caught, ok := strings.Cut(head, "\ncaught by: ")
	if !ok {
		return nil, errors.New("it does not say what it is and, on a line of its own, what it is caught by")
	}
	m := &mutant{name: name, what: strings.TrimSpace(what)}
	m.catchers(caught)
	if m.pkg == "" || len(m.tests) == 0 {
		return nil, fmt.Errorf("caught by %q: it takes a package such as ./scheduler, and a test", caught)
	}
	for part := range strings.SplitSeq(rest, "\n--- ") {
		file, body, _ := strings.Cut(part, "\n")
		old, now, ok := strings.Cut(body, "\n+++")
		if !ok || now != "" && now[0] != '\n' {
			return nil, fmt.Errorf("no +++ after the lines of %s", file)
		}
		now = strings.TrimSuffix(strings.TrimPrefix(now, "\n"), "\n")
		if old == now {
			return nil, fmt.Errorf("the lines of %s are exchanged for themselves", file)
		}
		m.swaps = append(m.swaps, swap{file, old, now})
	}
	return m, nil
}

// catchers reads what stands behind "caught by:".
func (m *mutant) catchers(line string) {
	for _, word := range strings.Fields(line) {
		switch {
		case strings.HasPrefix(word, "./"):
			m.pkg = word
		case strings.HasPrefix(word, "Test"):
			m.tests = append(m.tests, word)
		case strings.HasPrefix(word, "-"):
			m.flags = append(m.flags, word)
		default:
			m.words = append(m.words, word)
		}
	}
}

// errStale is the error of a mutant whose lines are not in the code any more.
var errStale = errors.New("the mutant is out of date")

// changed returns the files that the mutant changes, by path, as they are with
// it.
func (m *mutant) changed(root string) (map[string][]byte, error) {
	texts := map[string][]byte{}
	for _, s := range m.swaps {
		path := filepath.Join(root, filepath.FromSlash(s.file))
		if texts[path] == nil {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errStale, err)
			}
			texts[path] = b
		}
		if n := bytes.Count(texts[path], []byte(s.old)); n != 1 {
			return nil, fmt.Errorf("%w: its lines are %d times in %s:\n%s", errStale, n, s.file, s.old)
		}
		texts[path] = bytes.Replace(texts[path], []byte(s.old), []byte(s.new), 1)
	}
	return texts, nil
}

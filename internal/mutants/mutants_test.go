package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMutants holds every mutant to the code as it is: its lines are there, once;
// the program with it compiles; and the tests that are to catch it exist. That
// they do catch it is what the command finds out.
func TestMutants(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := readMutants(root, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 25 {
		t.Errorf("%d mutants, want 25 at least", len(all))
	}
	changed := map[*mutant]map[string][]byte{}
	var folders []string
	for _, m := range all {
		texts, err := m.changed(root)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		changed[m] = texts
		for path := range texts {
			folders = append(folders, filepath.Dir(path))
		}
	}
	slices.Sort(folders)
	c := newCompiler(t, slices.Compact(folders))
	for _, m := range all {
		if err := c.compile(changed[m]); err != nil {
			t.Errorf("%s does not compile: %v", m.name, err)
		}
		for _, name := range m.tests {
			if !hasTest(t, filepath.Join(root, m.pkg), name) {
				t.Errorf("%s is to be caught by %s, which %s does not have", m.name, name, m.pkg)
			}
		}
	}
}

// hasTest reports whether a folder has a test with a name.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(paths, func(path string) bool {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(text, []byte("\nfunc "+name+"("))
	})
}

// A compiler reads packages with their types, as far as the go command's cache
// has those of all that they import: so a mutant takes it milliseconds.
type compiler struct {
	fset     *token.FileSet
	packages map[string]listed // by folder
	importer types.Importer
}

// listed is what `go list` tells of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

func newCompiler(t *testing.T, folders []string) *compiler {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,GoFiles,Export"}, folders...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list the packages that mutants change: %v\n%s", err, stderr.String())
	}
	c := &compiler{fset: token.NewFileSet(), packages: map[string]listed{}}
	exports := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		c.packages[p.Dir], exports[p.ImportPath] = p, p.Export
	}
	c.importer = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return c
}

// compile checks the packages that have changed files.
func (c *compiler) compile(changed map[string][]byte) error {
	done := map[string]bool{}
	for path := range changed {
		p := c.packages[filepath.Dir(path)]
		if done[p.Dir] {
			continue
		}
		done[p.Dir] = true
		if err := c.check(p, changed); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) check(p listed, changed map[string][]byte) error {
	var files []*ast.File
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		var source any // nil: the file as it is
		if text := changed[path]; text != nil {
			source = text
		}
		f, err := parser.ParseFile(c.fset, path, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	_, err := (&types.Config{Importer: c.importer}).Check(p.ImportPath, c.fset, files, nil)
	return err
}

// TestCompileBites: a mutant that leaves a variable unused does not compile.
func TestCompileBites(t *testing.T) {
	t.Parallel()
	folder, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	c := newCompiler(t, []string{folder})
	path := filepath.Join(folder, "doc.go")
	if err := c.compile(map[string][]byte{path: []byte("package main\n\nfunc idle() {}\n")}); err != nil {
		t.Errorf("a change that compiles: %v", err)
	}
	if err := c.compile(map[string][]byte{path: []byte("package main\n\nfunc idle() { x := 1 }\n")}); err == nil {
		t.Error("a variable that nobody uses compiles")
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	m, err := parse("no-sync", "Nothing is\nsynced.\ncaught by: ./internal/ledger TestA TestB I6 I7 -seeds=9\n--- a.go\nold\n+++\nnew\n--- b.go\ngone\n+++\n")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s|%s|%v|%v|%v|%q", m.what, m.pkg, m.tests, m.words, m.flags, m.swaps)
	want := `Nothing is` + "\n" + `synced.|./internal/ledger|[TestA TestB]|[I6 I7]|[-seeds=9]|[{"a.go" "old" "new"} {"b.go" "gone" ""}]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for text, want := range map[string]string{
		"What.\n--- a.go\nold\n+++\nnew\n":                              "what it is caught by",
		"What.\ncaught by: TestA\n--- a.go\nold\n+++\nnew\n":            "it takes a package",
		"What.\ncaught by: ./scheduler I1\n--- a.go\nold\n+++\nnew\n":   "and a test",
		"What.\ncaught by: ./scheduler TestA\n--- a.go\nold\n":          "no +++",
		"What.\ncaught by: ./scheduler TestA\n":                         "no +++",
		"What.\ncaught by: ./scheduler TestA\n--- a.go\nx\n+++\nx\n":    "for themselves",
		"What.\ncaught by: ./scheduler TestA\n--- a.go\nold\n+++new\n":  "no +++",
		"What.\ncaught by:\n--- a.go\nold\n+++\nnew\n":                  "what it is caught by",
		"What. caught by: ./scheduler TestA\n--- a.go\nold\n+++\nnew\n": "what it is caught by",
	} {
		if _, err := parse("bad", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that says %q", text, err, want)
		}
	}
}

// TestChanged finds lines that are there once, and no others.
func TestChanged(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.go"), []byte("one\ntwo\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, now, want string }{
		{"one", "three", "three\ntwo\ntwo\n"},
		{"two", "three", "2 times"},
		{"four", "three", "0 times"},
	} {
		texts, err := (&mutant{swaps: []swap{{"a.go", c.old, c.now}}}).changed(root)
		got := string(texts[filepath.Join(root, "a.go")])
		if err != nil && !errors.Is(err, errStale) {
			t.Errorf("%s for %s: %v is not of a mutant that is out of date", c.now, c.old, err)
		}
		if got += fmt.Sprint(err); !strings.Contains(got, c.want) {
			t.Errorf("%s for %s: got %q, want %q", c.now, c.old, got, c.want)
		}
	}
	if _, err := (&mutant{swaps: []swap{{"gone.go", "a", "b"}}}).changed(root); !errors.Is(err, errStale) {
		t.Errorf("a file that is gone: error %v, want %v", err, errStale)
	}
}

// TestVerdicts reads what the go command prints of tests.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	failed := errors.New("exit status 1")
	m, worded := &mutant{tests: []string{"TestA"}}, &mutant{tests: []string{"TestA"}, words: []string{"I3", "I5"}}
	for _, c := range []struct {
		name   string
		m      *mutant
		output string
		err    error
		want   verdict
		by     string
	}{
		{"a test fails", m, "--- FAIL: TestA (0.1s)\nFAIL\n", failed, verdictKilled, "TestA"},
		{"and names the invariant", worded, "--- FAIL: TestA (0.1s)\n  x_test.go:1: I5: twice\n", failed, verdictKilled, "TestA, I5"},
		{"and names another", worded, "--- FAIL: TestA (0.1s)\n  x_test.go:1: I4: late\n", failed, verdictMistaken, "[I3 I5]"},
		{"all pass", m, "--- PASS: TestA (0.1s)\nok\n", nil, verdictSurvived, "passed"},
		{"it is skipped", m, "--- SKIP: TestA (0.0s)\n    x_test.go:1: no strace\nok\n", nil, verdictUntested, "TestA was skipped"},
		{"there is none", m, "testing: warning: no tests to run\nPASS\n", nil, verdictUntested, "no such test"},
		{"it panics", m, "panic: test timed out after 10m0s\n", failed, verdictKilled, "a panic"},
		{"it does not compile", m, "FAIL curfew/x [build failed]\n", failed, verdictStale, "compile"},
		{"the go command fails", m, "go: cannot find module\n", failed, verdictUntested, "exit status 1"},
	} {
		if got, by := c.m.read([]byte(c.output), c.err); got != c.want || !strings.Contains(by, c.by) {
			t.Errorf("%s: %s by %q, want %s by %q", c.name, got, by, c.want, c.by)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-parallel", "0"}, 2, "-parallel N"},
		{[]string{"all"}, 2, "no arguments"},
		{[]string{"-nonsense"}, 2, "not defined"},
		{[]string{"-only", "nobody"}, 1, `no mutant "nobody"`},
	} {
		var out, talk bytes.Buffer
		if code := run(t.Context(), c.args, &out, &talk); code != c.code || !strings.Contains(talk.String(), c.want) {
			t.Errorf("mutants %v: exit %d, want %d; it says %q, want %q in it", c.args, code, c.code, talk.String(), c.want)
		}
	}
}

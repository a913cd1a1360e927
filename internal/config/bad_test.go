package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"curfew/policy"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// The files of testdata hold a configuration, the iCalendar files that it names,
// and what Render says of it. After a change of words, CURFEW_UPDATE=1 writes the
// answers anew; read the diff.

// TestBad holds files of which the whole document can be judged. Each is read a
// second time with one more fault at its end: whatever is wrong before, that is
// reported too, and nothing else changes.
func TestBad(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/bad/*.txt", func(t *testing.T, text []byte, env Env, problems []policy.Problem) {
		more := append(slices.Clone(text), "zzz: 1\n"...)
		_, got := Parse("curfew.yaml", more, env)
		i := slices.IndexFunc(got, func(p policy.Problem) bool { return strings.Contains(p.Text, `unknown key "zzz"`) })
		if i < 0 {
			t.Fatalf("one more fault at the end is not reported; got\n%s", Render(got, more))
		}
		if diff := cmp.Diff(problems, slices.Delete(got, i, i+1)); diff != "" {
			t.Errorf("one more fault at the end changes what is said of the rest (-alone +with):\n%s", diff)
		}
	})
}

// TestSyntax holds texts that are no YAML, or of which one fault is all that
// can be said.
func TestSyntax(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/syntax/*.txt", func(t *testing.T, _ []byte, _ Env, problems []policy.Problem) {
		if !Failed(problems) {
			t.Error("the file is accepted")
		}
	})
}

func golden(t *testing.T, pattern string, also func(*testing.T, []byte, Env, []policy.Problem)) {
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(path)
			if err != nil || len(a.Files) < 2 || a.Files[len(a.Files)-1].Name != "want" {
				t.Fatalf("%s: want the files curfew.yaml and want, got %d; %v", path, len(a.Files), err)
			}
			text, want := a.Files[0].Data, &a.Files[len(a.Files)-1].Data
			env := Env{ICal: icalsOf(a)}
			c, problems := Parse("curfew.yaml", text, env)
			got := Render(problems, text)
			if os.Getenv("CURFEW_UPDATE") != "" {
				*want = []byte(got)
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(*want), got); diff != "" || got == "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
			if strings.Contains(got, "hunter2hunter2") || strings.Contains(got, "AKID") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			if Failed(problems) != (c.Policies == nil) {
				t.Errorf("failed is %v and there are policies: %v", Failed(problems), c.Policies != nil)
			}
			also(t, text, env, problems)
		})
	}
}

// icalsOf reads the files between the configuration and the answer.
func icalsOf(a *txtar.Archive) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		for _, f := range a.Files[1 : len(a.Files)-1] {
			if f.Name == path {
				return f.Data, nil
			}
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
}

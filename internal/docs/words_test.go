package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"curfew/scheduler"
)

// sources returns the syntax of the files of a room, its tests left out.
func sources(t *testing.T, room string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, room, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no source (%v)", room, err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// literal is the value of a string in a source, empty for anything else.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return text
}

// declared returns the values of the string constants of a type in scheduler,
// the empty one left out.
func declared(t *testing.T, typeName string) []string {
	t.Helper()
	found := map[string]bool{}
	for _, file := range sources(t, "scheduler") {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == typeName {
				for _, v := range spec.Values {
					found[literal(v)] = true
				}
			}
			return true
		})
	}
	delete(found, "")
	return slices.Sorted(maps.Keys(found))
}

// column returns the words in code in one column of the tables under a heading.
func column(t *testing.T, page, heading string, n int) []string {
	t.Helper()
	_, section, ok := strings.Cut(page, "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("docs/answers.md has no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	found := map[string]bool{}
	for _, line := range strings.Split(section, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if !strings.HasPrefix(line, "|") || n >= len(cells) {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[n], -1) {
			found[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// TestAnswerWords: the tables of docs/answers.md name what package scheduler
// declares, no more and no less.
func TestAnswerWords(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/answers.md")
	var verdicts, outcomes []string
	for v := range scheduler.Verdict(scheduler.Verdicts) {
		if v != scheduler.Seen && v != scheduler.Absent && v != scheduler.NoLook {
			verdicts = append(verdicts, v.String())
		}
	}
	for k := scheduler.Done; k.String() != "none"; k++ {
		outcomes = append(outcomes, k.String())
	}
	slices.Sort(verdicts)
	slices.Sort(outcomes)
	for _, test := range []struct {
		heading string
		column  int
		want    []string
	}{
		{"Answers to a start or stop", 1, verdicts},
		{"What looks make of an attempt", 1, declared(t, "ConfirmResult")},
		{"Waiting", 0, declared(t, "Wait")},
		{"Outcomes", 0, outcomes},
		{"Outcomes", 1, declared(t, "Reason")},
		{"Alarms", 0, declared(t, "AlarmKind")},
	} {
		if diff := cmp.Diff(column(t, page, test.heading, test.column), test.want); diff != "" {
			t.Errorf("docs/answers.md, %q: in column %d (-) and in package scheduler (+):\n%s", test.heading, test.column+1, diff)
		}
	}
}

package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// A pair is a room, or a library, with what internal/house lists for it.
type pair struct {
	key    string
	values []string
}

// houseRules reads a map of internal/house's test: its source is what is
// enforced, and a test cannot be imported.
func houseRules(t *testing.T, name string) []pair {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "internal/house/house_test.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var rules []pair
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == name && len(spec.Values) == 1 {
			rules = pairs(spec.Values[0])
		}
		return true
	})
	if len(rules) == 0 {
		t.Fatalf("internal/house has no map %q any more", name)
	}
	return rules
}

// pairs reads map[string][]string{"key": {"value"}}.
func pairs(e ast.Expr) []pair {
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	var all []pair
	for _, elt := range lit.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		p := pair{key: literal(kv.Key)}
		if list, ok := kv.Value.(*ast.CompositeLit); ok {
			for _, v := range list.Elts {
				p.values = append(p.values, literal(v))
			}
		}
		all = append(all, p)
	}
	return all
}

// inCode writes names in code, without the module's path.
func inCode(names ...string) string {
	var out []string
	for _, n := range names {
		out = append(out, "`"+strings.TrimPrefix(n, "curfew/")+"`")
	}
	if out == nil {
		return "nothing of ours"
	}
	return strings.Join(out, ", ")
}

// arrowTable is what each room may import.
func arrowTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| room | may import |\n|---|---|\n")
	for _, p := range houseRules(t, "arrows") {
		fmt.Fprintf(&b, "| %s | %s |\n", inCode(p.key), inCode(p.values...))
	}
	return b.String()
}

// libraryTable is which libraries have rooms of their own.
func libraryTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| library | only in |\n|---|---|\n")
	for _, p := range houseRules(t, "outside") {
		fmt.Fprintf(&b, "| %s | %s |\n", inCode(p.key), inCode(p.values...))
	}
	return b.String()
}

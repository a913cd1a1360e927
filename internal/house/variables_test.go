package house

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// commonRules are the rules of all rooms.
func commonRules() []rule { return []rule{variablesConstant, nothingWritten, noInit} }

// variablesConstant finds package-level variables that are more than a name for
// something that never changes.
func variablesConstant(r *room, f *ast.File, found func(ast.Node, string, ...any)) {
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.VAR {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.ValueSpec) // there is no other under var
			if embedded(decl.Doc) || embedded(spec.Doc) {
				continue
			}
			for i, name := range spec.Names {
				if !r.mayBe(spec, i) {
					found(name, "%s is a package-level variable, and neither a sentinel error, an embedded file, a regexp nor a table of constants", name.Name)
				}
			}
		}
	}
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// mayBe reports whether the i-th name of a declaration may stand for what it
// does.
func (r *room) mayBe(spec *ast.ValueSpec, i int) bool {
	name := spec.Names[i].Name
	if name == "_" {
		return true // a type that is held against an interface
	}
	if i >= len(spec.Values) {
		return false // it would have to be written later, or comes from a call with several results
	}
	value := ast.Unparen(spec.Values[i])
	if isError(r.info.Defs[spec.Names[i]].Type()) {
		return strings.HasPrefix(strings.ToLower(name), "err") && r.sentinel(value)
	}
	switch value := value.(type) {
	case *ast.CallExpr:
		return r.calls(value, "regexp.MustCompile") && r.constant(value)
	case *ast.CompositeLit:
		return len(value.Elts) > 0 && isTable(r.info.TypeOf(value)) && r.constant(value)
	}
	return false
}

// sentinel reports whether a value is an error of its own: made on the spot, and
// not what some call came back with.
func (r *room) sentinel(value ast.Expr) bool {
	switch value := value.(type) {
	case *ast.CallExpr:
		return r.calls(value, "errors.New", "fmt.Errorf")
	case *ast.UnaryExpr:
		_, ok := value.X.(*ast.CompositeLit)
		return ok
	case *ast.CompositeLit:
		return true
	}
	return false
}

func isError(t types.Type) bool {
	return types.Implements(t, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}

// isTable reports whether a type can be one: what is empty or a single struct is
// state by another name.
func isTable(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Array, *types.Slice, *types.Map:
		return true
	}
	return false
}

// constant reports whether an expression has the same value in every run: made of
// constants, functions, types and other tables alone. It may convert and compile regexps, and
// call nothing else.
func (r *room) constant(e ast.Expr) bool {
	if v, ok := r.info.Types[e]; ok && (v.Value != nil || v.IsType() || v.IsNil()) {
		return true
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return r.constant(e.X)
	case *ast.CompositeLit:
		_, pointer := r.info.TypeOf(e).(*types.Pointer) // an & that was left out
		return !pointer && !slices.ContainsFunc(e.Elts, func(x ast.Expr) bool { return !r.constantElement(x) })
	case *ast.FuncLit:
		return true
	case *ast.Ident, *ast.SelectorExpr:
		return r.constantName(e)
	case *ast.CallExpr:
		made := r.info.Types[e.Fun].IsType() || r.calls(e, "regexp.MustCompile")
		return made && !slices.ContainsFunc(e.Args, func(x ast.Expr) bool { return !r.constant(x) })
	}
	return false
}

// constantElement is constant for one element of a table. The key of a struct is
// a field's name, which has no value.
func (r *room) constantElement(e ast.Expr) bool {
	kv, ok := e.(*ast.KeyValueExpr)
	if !ok {
		return r.constant(e)
	}
	if id, ok := kv.Key.(*ast.Ident); ok {
		if v, ok := r.info.Uses[id].(*types.Var); ok && v.IsField() {
			return r.constant(kv.Value)
		}
	}
	return r.constant(kv.Key) && r.constant(kv.Value)
}

// constantName reports whether a name is a function's, or a variable's that never
// changes: ours are all under this rule, and the table of a library is one as
// well, since nothingWritten keeps us from writing to it. Go's own library has
// variables that are written before main begins, such as os.Args.
func (r *room) constantName(e ast.Expr) bool {
	id := named(e)
	if id == nil {
		return false
	}
	switch obj := r.global(id).(type) {
	case *types.Func:
		return true
	case *types.Var:
		host, _, _ := strings.Cut(obj.Pkg().Path(), "/")
		return ours(obj.Pkg().Path()) || strings.Contains(host, ".") && isTable(obj.Type())
	}
	return false
}

// calls reports whether a call is one of these functions'.
func (r *room) calls(call *ast.CallExpr, functions ...string) bool {
	id := named(call.Fun)
	if id == nil {
		return false
	}
	f, ok := r.global(id).(*types.Func)
	return ok && slices.Contains(functions, f.FullName())
}

// nothingWritten finds writes to package-level variables, other packages' among
// them, and addresses of them, through which anybody could write.
func nothingWritten(r *room, f *ast.File, found func(ast.Node, string, ...any)) {
	ast.Inspect(f, func(n ast.Node) bool {
		for _, e := range r.written(n) {
			id := r.root(e)
			if id == nil {
				continue
			}
			if v, ok := r.global(id).(*types.Var); ok {
				found(e, "%s.%s is a package-level variable, and written to here", v.Pkg().Name(), v.Name())
			}
		}
		return true
	})
}

// written are the expressions that a node writes to, or takes the address of.
func (r *room) written(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return n.Lhs
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		return []ast.Expr{n.Key, n.Value}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	case *ast.CallExpr:
		id := named(n.Fun)
		if id == nil || len(n.Args) == 0 {
			return nil
		}
		b, ok := r.info.Uses[id].(*types.Builtin)
		if ok && (b.Name() == "delete" || b.Name() == "clear" || b.Name() == "copy") {
			return n.Args[:1]
		}
	}
	return nil
}

// root is the identifier with which a place in memory begins: t of t[i].x, and Args
// of os.Args[0].
func (r *room) root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok && r.isPackage(id) {
				return x.Sel
			}
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func (r *room) isPackage(id *ast.Ident) bool {
	_, ok := r.info.Uses[id].(*types.PkgName)
	return ok
}

// noInit finds functions that run before anybody asked.
func noInit(_ *room, f *ast.File, found func(ast.Node, string, ...any)) {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			found(fn.Name, "init() runs before anybody asked")
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	for _, p := range m.packages {
		if ours(p.ImportPath) {
			for _, text := range m.open(t, p).faults("", commonRules()...) {
				t.Error(text)
			}
		}
	}
}

// TestVariablesBite: state in disguise, and what never changes.
func TestVariablesBite(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	const variable, written = "is a package-level variable, and neither", "and written to here"
	for _, c := range []struct{ name, source, want string }{
		{"a counter", `var n int`, variable},
		{"a number", `var most = 3`, variable},
		{"a cache", `var cache = map[string]int{}`, variable},
		{"a single struct", `var options = struct{ n int }{3}`, variable},
		{"a pointer", `var options = &struct{ n int }{3}`, variable},
		{"a lock", `import "sync"; var mu sync.Mutex`, variable},
		{"the last error", `import "errors"; var last = errors.New("none")`, variable},
		{"an error that a call came back with", `import "os"; var errHome = os.Chdir("/")`, variable},
		{"an error that is still to come", `var errLast error`, variable},
		{"a table of what a call said", `import "os"; var t = []string{os.Getenv("HOME")}`, variable},
		{"a table of pointers", `var t = []*struct{ n int }{{3}}`, variable},
		{"a table of variables", `import "os"; var t = []any{os.Args}`, variable},
		{"a table of a library's state", `import p "github.com/prometheus/client_golang/prometheus"; var t = []any{p.DefaultRegisterer}`, variable},
		{"one that came from a call", `import "os"; var out, _ = os.Create("x")`, variable},

		{"a table that is written", `var t = []int{3}; func f() { t[0] = 4 }`, "bad.t " + "is a package-level variable, " + written},
		{"a table that is counted up", `var t = [1]struct{ n int }{{3}}; func f() { t[0].n++ }`, written},
		{"a table that is added to", `var t = []int{3}; func f() { t = append(t, 4) }`, written},
		{"a table that is emptied", `var t = map[string]int{"a": 3}; func f() { clear(t) }`, written},
		{"a table that is walked into", `var t = []int{3}; func f() { for t[0] = range 3 { } }`, written},
		{"a table whose address is given away", `var t = []int{3}; func f() *int { return &t[0] }`, written},
		{"somebody else's variable", `import "os"; func f() { os.Args[0] = "x" }`, "os.Args is"},
		{"somebody else's under another name", `import h "net/http"; func f() { (h.DefaultClient).Timeout = 3 }`, "http.DefaultClient is"},

		{"an init", `func init() {}`, "init() runs before anybody asked"},

		{"sentinels", `import ("errors"; "fmt"); var errA, ErrB = errors.New("a"), fmt.Errorf("b")`, ""},
		{"a sentinel of our own type", `type e struct{}; func (*e) Error() string { return "" }; var errE = &e{}`, ""},
		{"a file", "import _ \"embed\"\n\n//go:embed bad.go\nvar text string", ""},
		{"files in a block", "import \"embed\"\n\nvar (\n\t//go:embed *.go\n\tall embed.FS\n)", ""},
		{"a regexp", `import "regexp"; var digits = regexp.MustCompile("[0-9]+")`, ""},
		{"a table", `type row struct{ is func(rune) bool; name string }; const b = "b"; var t = map[string]row{"a": {name: "A"}, b: {nil, "B"}}`, ""},
		{"a table of tables", `type t []int; var a = t{3}; var b = map[string]t{"a": a}`, ""},
		{"a table of a library's tables", `import p "github.com/prometheus/client_golang/prometheus"; var t = [][]float64{p.DefBuckets}`, ""},
		{"a table of functions", `import "unicode"; var t = [...]func(rune) bool{unicode.IsDigit, func(r rune) bool { return r == 'x' }}`, ""},
		{"a table of regexps", `import "regexp"; var t = []*regexp.Regexp{regexp.MustCompile("a")}`, ""},
		{"a table of conversions", `import "time"; var t = []time.Duration{time.Duration(3), 2 * time.Hour}`, ""},
		{"an interface that is held to", `import "fmt"; type x int; func (x) String() string { return "" }; var _ fmt.Stringer = x(0)`, ""},
		{"a local variable of a table's name", `var t = []int{3}; func f() { t := []int{t[0]}; t[0]++ }`, ""},
		{"a method called init", `type x struct{}; func (x) init() {}`, ""},
	} {
		if got := unplaced(m.source(t, c.source).faults("", commonRules()...)); !tells(got, c.want) {
			t.Errorf("%s: the rules say %q, want %q, of\n\t%s", c.name, got, c.want, c.source)
		}
	}
}

// unplaced are faults without their places, each once: one in several places is
// one that bites.
func unplaced(faults []string) []string {
	var texts []string
	for _, f := range faults {
		_, text, _ := strings.Cut(f, ": ")
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

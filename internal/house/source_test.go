package house

import (
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

// A pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Export     string // the file with its types; with -export only
}

// ours reports whether a package is one of this module.
func ours(path string) bool { return strings.HasPrefix(path, "curfew/") }

// listed asks `go list`.
func listed(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,GoFiles,Imports,Export"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
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

// A module is all packages that this one is made of, as the compiler left them.
type module struct {
	fset     *token.FileSet
	packages []pkg
	importer types.Importer
}

// newModule lists the module and what it imports. The types come from the build
// cache: nothing but our own sources is parsed.
func newModule(t *testing.T) *module {
	t.Helper()
	m := &module{fset: token.NewFileSet(), packages: listed(t, "-export", "-deps", "curfew/...")}
	exports := map[string]string{}
	for _, p := range m.packages {
		exports[p.ImportPath] = p.Export
	}
	m.importer = importer.ForCompiler(m.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("nothing in this module imports %q", path)
		}
		return os.Open(exports[path])
	})
	return m
}

// A room is a package whose sources have been read with their types.
type room struct {
	path  string
	fset  *token.FileSet
	files []*ast.File
	info  *types.Info
	scope *types.Scope // of the package
}

// open reads a package of ours.
func (m *module) open(t *testing.T, p pkg) *room {
	t.Helper()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(m.fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return m.check(t, p.ImportPath, files)
}

// source reads a package of one file that a test has made up.
func (m *module) source(t *testing.T, text string) *room {
	t.Helper()
	f, err := parser.ParseFile(m.fset, "bad.go", "package bad\n"+text, parser.ParseComments)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return m.check(t, "curfew/bad", []*ast.File{f})
}

func (m *module) check(t *testing.T, path string, files []*ast.File) *room {
	t.Helper()
	r := &room{path: path, fset: m.fset, files: files, info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
	}}
	conf := types.Config{Importer: m.importer}
	p, err := conf.Check(path, m.fset, files, r.info)
	if err != nil {
		t.Fatalf("%s does not compile: %v", path, err)
	}
	r.scope = p.Scope()
	return r
}

// file is the name of the file in which a node is.
func (r *room) file(n ast.Node) string { return filepath.Base(r.fset.Position(n.Pos()).Filename) }

// global is the package-level object that an identifier stands for, whatever its
// package is called here; nil for everything else.
func (r *room) global(id *ast.Ident) types.Object {
	obj := r.info.Uses[id]
	if obj == nil || obj.Pkg() == nil || obj.Pkg().Scope().Lookup(obj.Name()) != obj {
		return nil
	}
	return obj
}

// A rule finds the faults of one file.
type rule func(r *room, f *ast.File, found func(at ast.Node, format string, args ...any))

// faults reads all files but those that are left out, and says what is wrong, in
// the order of the files.
func (r *room) faults(without string, rules ...rule) []string {
	var all []string
	for _, f := range r.files {
		if r.file(f) == without {
			continue
		}
		for _, rule := range rules {
			rule(r, f, func(at ast.Node, format string, args ...any) {
				pos := r.fset.Position(at.Pos())
				all = append(all, fmt.Sprintf("%s/%s:%d:%d: %s", strings.TrimPrefix(r.path, "curfew/"),
					filepath.Base(pos.Filename), pos.Line, pos.Column, fmt.Sprintf(format, args...)))
			})
		}
	}
	return slices.Compact(all)
}

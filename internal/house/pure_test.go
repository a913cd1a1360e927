package house

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"testing"
)

// pureRooms are those that decide. What they name is the file that need not be
// pure: loop.go is the goroutine that owns a Fleet.
var pureRooms = map[string]string{
	"curfew/policy":          "",
	"curfew/apiclient/quota": "",
	"curfew/scheduler":       "loop.go",
}

// pureImports is all that a pure room may import.
var pureImports = []string{
	"curfew/apiclient/quota", "curfew/policy", // as far as the arrows allow it
	"bytes", "cmp", "container/heap", "crypto/sha256", "encoding/binary", "encoding/hex", "errors", "fmt", "hash/fnv",
	"iter", "maps", "math", "math/bits", "regexp", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8",
	"github.com/robfig/cron/v3",
}

// pureNames is all that a pure room may use of some packages, beside their
// constants. Of the others it may use everything.
var pureNames = map[string][]string{
	// Parse and the like are not here: what they return depends on the zone of the
	// machine.
	"time": {"Date", "Duration", "Location", "Month", "ParseDuration", "Time", "UTC", "Unix", "UnixMicro", "UnixMilli", "Weekday"},
	// The F of Fprintf takes its writer, and those that can be had here are buffers
	// and hashes.
	"fmt": {
		"Append", "Appendf", "Appendln", "Errorf", "Formatter", "Fprint", "Fprintf", "Fprintln", "Sprint", "Sprintf", "Sprintln",
		"State", "Stringer",
	},
	"iter": {"Seq", "Seq2"}, // a Pull is a goroutine in disguise
	// The parser and its bit sets; its runner reads a clock.
	"github.com/robfig/cron/v3": {"NewParser", "ParseOption", "ParseStandard", "Parser", "Schedule", "SpecSchedule"},
}

// pureRules are the rules of the pure rooms.
func pureRules() []rule { return []rule{importsListed, namesListed, noGoroutine} }

// importsListed finds the imports that are not on the list.
func importsListed(_ *room, f *ast.File, found func(ast.Node, string, ...any)) {
	for _, i := range f.Imports {
		if path, err := strconv.Unquote(i.Path.Value); err != nil || !slices.Contains(pureImports, path) {
			found(i, "%s is not among the packages that a pure room may import", i.Path.Value)
		}
	}
}

// namesListed finds the names that are not on the lists, called or passed on.
func namesListed(r *room, f *ast.File, found func(ast.Node, string, ...any)) {
	compared := comparedWithLocal(r, f)
	ast.Inspect(f, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || compared[id] {
			return true
		}
		switch obj := r.info.Uses[id].(type) {
		case *types.Builtin:
			if obj.Name() == "print" || obj.Name() == "println" {
				found(id, "%s writes to stderr in a pure room", obj.Name())
			}
		case *types.Func:
			if obj.FullName() == "(time.Time).Local" {
				found(id, "Time.Local takes the machine's zone in a pure room")
			}
		}
		if obj := r.global(id); obj != nil && !pureName(obj) {
			found(id, "%s.%s is not among the names that a pure room may use", obj.Pkg().Name(), obj.Name())
		}
		return true
	})
}

// pureName reports whether a pure room may use a package-level name.
func pureName(obj types.Object) bool {
	names, listed := pureNames[obj.Pkg().Path()]
	_, constant := obj.(*types.Const)
	return !listed || constant || slices.Contains(names, obj.Name())
}

// comparedWithLocal are the places where something is held against time.Local. A
// room may refuse the machine's zone; it may not use it.
func comparedWithLocal(r *room, f *ast.File) map[*ast.Ident]bool {
	places := map[*ast.Ident]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		b, ok := n.(*ast.BinaryExpr)
		if !ok || b.Op != token.EQL && b.Op != token.NEQ {
			return true
		}
		for _, side := range []ast.Expr{b.X, b.Y} {
			if id := named(side); id != nil {
				if obj := r.global(id); obj != nil && obj.Pkg().Path() == "time" && obj.Name() == "Local" {
					places[id] = true
				}
			}
		}
		return true
	})
	return places
}

// named is the last identifier of a name, qualified or not; nil for what is no
// name.
func named(e ast.Expr) *ast.Ident {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return e.Sel
	}
	return nil
}

// noGoroutine finds what starts goroutines or talks to them.
func noGoroutine(r *room, f *ast.File, found func(ast.Node, string, ...any)) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found(n, "a pure room starts a goroutine")
		case *ast.SelectStmt:
			found(n, "a pure room waits for channels")
			return false
		case ast.Expr:
			if channel(r.info.TypeOf(n)) {
				found(n, "a pure room has to do with a channel")
				return false // whatever is in it is the same fault
			}
		}
		return true
	})
}

func channel(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

func TestPureRooms(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	read := 0
	for _, p := range m.packages {
		without, pure := pureRooms[p.ImportPath]
		if !pure {
			continue
		}
		read++
		for _, text := range m.open(t, p).faults(without, pureRules()...) {
			t.Error(text)
		}
	}
	if read != len(pureRooms) {
		t.Errorf("%d pure rooms, want all %d", read, len(pureRooms))
	}
}

// TestLoopIsLeftOut: the one file that may act does so, and the rules see it
// where they are not told to leave it out.
func TestLoopIsLeftOut(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	i := slices.IndexFunc(m.packages, func(p pkg) bool { return p.ImportPath == "curfew/scheduler" })
	if i < 0 {
		t.Fatal("curfew/scheduler is not there")
	}
	if got := m.open(t, m.packages[i]).faults("", pureRules()...); len(got) == 0 {
		t.Error("the rules find nothing in loop.go: either it has no goroutine any more, or they have no eyes")
	}
}

// TestPureRulesBite: what a pure room must not do, in all of its disguises, and
// what looks like it and is fine.
func TestPureRulesBite(t *testing.T) {
	t.Parallel()
	m := newModule(t)
	const clock = "time.Now is not among the names"
	for _, c := range []struct{ name, source, want string }{
		{"a file", `import "os"; var _ = os.Args`, `"os" is not among the packages`},
		{"a network", `import _ "net/http"`, `"net/http" is not among the packages`},
		{"a logger", `import "log/slog"; var _ = slog.Info`, `"log/slog" is not among the packages`},
		{"chance", `import "math/rand/v2"; var _ = rand.N(3)`, `"math/rand/v2" is not among the packages`},
		{"a lock", `import "sync"; type t struct{ sync.Mutex }`, `"sync" is not among the packages`},
		{"a context", `import "context"; func f(context.Context) {}`, `"context" is not among the packages`},

		{"a clock", `import "time"; func f() time.Time { return time.Now() }`, clock},
		{"a clock that is passed on", `import "time"; func f() func() time.Time { return time.Now }`, clock},
		{"a clock under another name", `import t "time"; func f() t.Time { return t.Now() }`, clock},
		{"a clock under no name", `import . "time"; func f() Time { return Now() }`, clock},
		{"since", `import "time"; func f(t time.Time) time.Duration { return time.Since(t) }`, "time.Since is not"},
		{"until", `import "time"; func f(t time.Time) time.Duration { return time.Until(t) }`, "time.Until is not"},
		{"sleep", `import "time"; func f() { time.Sleep(1) }`, "time.Sleep is not"},
		{"a timer's call", `import "time"; func f() { time.AfterFunc(1, f) }`, "time.AfterFunc is not"},
		{"a ticker", `import "time"; func f() { time.NewTicker(1).Stop() }`, "time.NewTicker is not"},
		{"a timer", `import "time"; func f() { time.NewTimer(1).Stop() }`, "time.NewTimer is not"},
		{"the type of a timer", `import "time"; func f(t *time.Timer) { t.Reset(1) }`, "time.Timer is not"},
		{"a zone file", `import "time"; func f() { time.LoadLocation("UTC") }`, "time.LoadLocation is not"},
		{"a parser that looks at the machine's zone", `import "time"; func f() { time.Parse("", "") }`, "time.Parse is not"},
		{"the machine's zone", `import "time"; func f(t time.Time) time.Time { return t.In(time.Local) }`, "time.Local is not"},
		{"the machine's zone by a method", `import "time"; func f(t time.Time) time.Time { return t.Local() }`, "Time.Local takes the machine's zone"},
		{"a runner", `import "github.com/robfig/cron/v3"; func f() { cron.New() }`, "cron.New is not"},

		{"output", `import "fmt"; func f() { fmt.Println() }`, "fmt.Println is not"},
		{"output without an import", `func f() { println() }`, "println writes to stderr"},

		{"a goroutine", `func f() { go f() }`, "starts a goroutine"},
		{"a goroutine in disguise", `import "iter"; func f(s iter.Seq[int]) { iter.Pull(s) }`, "iter.Pull is not"},
		{"a channel that is made", `func f() { _ = make(chan int) }`, "has to do with a channel"},
		{"a channel that is sent to", `func f(s struct{ t }) { s.c <- 1 }; type t struct{ c c }; type c = chan<- int`, "has to do with a channel"},
		{"a channel that is read", `func f(g interface{ Done() c }) { <-g.Done() }; type c = <-chan int`, "has to do with a channel"},
		{"a channel that is walked through", `func f(g func() c) { for range g() { } }; type c chan int`, "has to do with a channel"},
		{"a select", `func f() { select {} }`, "waits for channels"},

		{"an instant", `import "time"; var _ = time.Date(2026, time.May, 1, 0, 0, 0, 0, time.UTC).Add(2 * time.Hour).Format(time.RFC3339)`, ""},
		{"the machine's zone refused", `import "time"; func f(l *time.Location) bool { return l == time.Local }`, ""},
		{"a variable called time", `func f(time struct{ Now func() int }) int { return time.Now() }`, ""},
		{"a clock of our own", `type clock struct{}; func (clock) Now() int { return 0 }; var _ = clock{}.Now()`, ""},
		{"an error", `import "fmt"; var _ = fmt.Errorf("no")`, ""},
		{"a parser", `import "github.com/robfig/cron/v3"; var _, _ = cron.ParseStandard("* * * * *")`, ""},
	} {
		if got := unplaced(m.source(t, c.source).faults("", pureRules()...)); !tells(got, c.want) {
			t.Errorf("%s: the rules say %q, want %q, of\n\t%s", c.name, got, c.want, c.source)
		}
	}
}

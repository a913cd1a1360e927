package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The tests let SQLite work on a disk of their own: its usual one, with every
// write, truncation, sync and deletion of chosen files shown to a test first,
// which may let it fail. What was shown is enough to work out what the disk may
// hold after a loss of power (powerloss_test.go).
//
// It is SQLite's own way to a file, its VFS (https://www.sqlite.org/vfs.html),
// with four methods exchanged. Files that no test watches go the usual way.

// An opKind is what SQLite asks of a file.
type opKind uint8

const (
	opWrite opKind = iota
	opTruncate
	opSync
	opDelete
)

func (k opKind) String() string { return [...]string{"write", "truncate", "sync", "delete"}[k] }

// An op is one step of SQLite's towards the disk.
type op struct {
	kind opKind
	file string // its name, without the directory
	at   int64  // of a write; the size of a truncation
	data []byte // of a write
}

func (o op) String() string {
	return fmt.Sprintf("%s %s at %d, %d bytes", o.kind, o.file, o.at, len(o.data))
}

// A fate is how a step ends.
type fate struct {
	code   int32 // SQLite's, 0 for as usual
	prefix int   // of a write that fails: so many bytes are written all the same
	skip   bool  // it is reported as done and is not: only for syncs, which cost most of a test's time
}

// A watch is a test's eye on the files of one directory.
type watch struct {
	mu  sync.Mutex
	see func(op) fate
}

// disks is the VFS of this process, and who watches which directory.
type disks struct {
	mu      sync.Mutex
	vfs     sqlite3.Tsqlite3_vfs // SQLite's own
	own     uintptr              // its address
	methods map[uintptr]uintptr  // of SQLite's files → with ours in their place
	before  map[uintptr]sqlite3.Tsqlite3_io_methods
	paths   map[uintptr]string // of open files
	watches map[string]*watch  // by directory
}

// theDisks is one for the process, as the VFS that SQLite takes by default is.
var theDisks = &disks{
	methods: map[uintptr]uintptr{}, before: map[uintptr]sqlite3.Tsqlite3_io_methods{},
	paths: map[uintptr]string{}, watches: map[string]*watch{},
}

func TestMain(m *testing.M) {
	theDisks.install()
	os.Exit(m.Run())
}

// install puts the VFS in the place of SQLite's own.
func (d *disks) install() {
	tls := libc.NewTLS()
	d.own = sqlite3.Xsqlite3_vfs_find(tls, 0)
	d.vfs = *memory[sqlite3.Tsqlite3_vfs](d.own)
	name, err := libc.CString("watched")
	if err != nil {
		panic(err)
	}
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(d.vfs)))
	ours := memory[sqlite3.Tsqlite3_vfs](p)
	*ours = d.vfs
	ours.FzName, ours.FpNext = name, 0
	ours.FxOpen, ours.FxDelete = function(openFile), function(deleteFile)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, p, 1); rc != 0 {
		panic(fmt.Sprintf("register the VFS: %d", rc))
	}
}

// memory is what lies at an address of SQLite's, as a T. Go's collector knows nothing of it.
func memory[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// function is a Go function as SQLite's Go calls it: the word behind the
// interface, which points to the function's value.
func function(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] }

// called is the other way round.
func called[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

type (
	openFunc     = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	deleteFunc   = func(tls *libc.TLS, vfs, name uintptr, sync int32) int32
	writeFunc    = func(tls *libc.TLS, file, from uintptr, n int32, at int64) int32
	truncateFunc = func(tls *libc.TLS, file uintptr, size int64) int32
	syncFunc     = func(tls *libc.TLS, file uintptr, flags int32) int32
)

func openFile(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	d := theDisks
	if rc := called[openFunc](d.vfs.FxOpen)(tls, d.own, name, file, flags, out); rc != 0 {
		return rc
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paths[file] = ""
	if name != 0 {
		d.paths[file] = libc.GoString(name)
	}
	f := memory[sqlite3.Tsqlite3_file](file)
	f.FpMethods = d.exchanged(tls, f.FpMethods)
	return 0
}

// exchanged returns the methods of a file with ours among them.
func (d *disks) exchanged(tls *libc.TLS, usual uintptr) uintptr {
	if ours, ok := d.methods[usual]; ok {
		return ours
	}
	m := *memory[sqlite3.Tsqlite3_io_methods](usual)
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(m)))
	d.methods[usual], d.before[p] = p, m
	m.FxWrite, m.FxTruncate, m.FxSync = function(writeFile), function(truncateFile), function(syncFile)
	*memory[sqlite3.Tsqlite3_io_methods](p) = m
	return p
}

// usual returns the methods that a file would have without us, and its path.
func (d *disks) usual(file uintptr) (sqlite3.Tsqlite3_io_methods, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.before[memory[sqlite3.Tsqlite3_file](file).FpMethods], d.paths[file]
}

// shown shows a step to whoever watches, and returns what shall become of it.
func (d *disks) shown(path string, o op) fate {
	d.mu.Lock()
	w := d.watches[filepath.Dir(path)]
	d.mu.Unlock()
	if w == nil || path == "" {
		return fate{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	o.file = filepath.Base(path)
	return w.see(o)
}

func writeFile(tls *libc.TLS, file, from uintptr, n int32, offset int64) int32 {
	m, path := theDisks.usual(file)
	write := called[writeFunc](m.FxWrite)
	f := theDisks.shown(path, op{kind: opWrite, at: offset, data: slices.Clone(libc.GoBytes(from, int(n)))})
	switch {
	case f.code == 0:
		return write(tls, file, from, n, offset)
	case f.prefix > 0:
		if rc := write(tls, file, from, min(n, int32(f.prefix)), offset); rc != 0 {
			return rc
		}
	}
	return f.code
}

func truncateFile(tls *libc.TLS, file uintptr, size int64) int32 {
	m, path := theDisks.usual(file)
	if f := theDisks.shown(path, op{kind: opTruncate, at: size}); f.code != 0 {
		return f.code
	}
	return called[truncateFunc](m.FxTruncate)(tls, file, size)
}

func syncFile(tls *libc.TLS, file uintptr, flags int32) int32 {
	m, path := theDisks.usual(file)
	if f := theDisks.shown(path, op{kind: opSync}); f.code != 0 || f.skip {
		return f.code
	}
	return called[syncFunc](m.FxSync)(tls, file, flags)
}

func deleteFile(tls *libc.TLS, vfs, name uintptr, sync int32) int32 {
	if f := theDisks.shown(libc.GoString(name), op{kind: opDelete}); f.code != 0 {
		return f.code
	}
	return called[deleteFunc](theDisks.vfs.FxDelete)(tls, theDisks.own, name, sync)
}

// watchDisk shows a test what SQLite does in a directory, until the test ends.
func watchDisk(t testing.TB, dir string, see func(op) fate) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	must(t, err)
	d := theDisks
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watches[dir] = &watch{see: see}
	t.Cleanup(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watches, dir)
	})
}

// TestWatchedDisk: the steps of a ledger are seen, and carried out.
func TestWatchedDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "curfew.db")
	must(t, mustOpen(t, optionsAt(path)).Close())
	var kinds []string
	watchDisk(t, dir, func(o op) fate {
		if name := o.kind.String() + " " + strings.TrimPrefix(o.file, "curfew.db"); !slices.Contains(kinds, name) {
			kinds = append(kinds, name)
		}
		return fate{}
	})
	l := mustOpen(t, optionsAt(path))
	mustCommit(t, l, batch(0))
	must(t, l.Close())
	slices.Sort(kinds)
	want := []string{"delete -wal", "sync ", "sync -wal", "write ", "write -wal"}
	for _, k := range want {
		if !slices.Contains(kinds, k) {
			t.Errorf("no %q was seen of a commit and a close; seen were %q", k, kinds)
		}
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("a deletion was seen, and the log is still there")
	}
}

package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"curfew/internal/ledger"
	"curfew/internal/needtool"
	"curfew/scheduler"
)

// tracedPosts is how many calls a trace has to hold, and tracedFor in how much time
// of the lapse they must come: there is one every few seconds of real time.
const (
	tracedPosts = 6
	tracedFor   = 25 * time.Minute
)

// TestTrace reads the system calls of a daemon at work. For each POST the disk is
// put together as it was when the call's first byte left, of nothing but what had
// been written and synced by then: a ledger opened on it holds the call's claim.
func TestTrace(t *testing.T) {
	t.Parallel()
	strace := needtool.Path(t, "strace", "strace")
	if program := os.Getenv(insideEnv); program != "" {
		traceRun(t, program, strace)
		return
	}
	dependOnSources(t)
	out, err := apart(build(t, *overlay), "^TestTrace$")
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// traceRun lets one daemon work under strace and judges what it did.
func traceRun(t *testing.T, program, strace string) {
	if err := exec.Command(strace, "-o", filepath.Join(t.TempDir(), "trial"), "true").Run(); err != nil {
		t.Skipf("strace cannot trace here: %v", err)
	}
	s := newSite(t, program)
	s.law = newLaw(tracedFor, 2)
	defer func() {
		if t.Failed() {
			t.Log(s.dump())
		}
	}()
	if err := s.open(tracedFor, 0); err != nil {
		t.Fatal(err)
	}
	// What the trace begins with: a ledger that was closed in good order.
	if err := s.firstLedger(); err != nil {
		t.Fatal(err)
	}
	base, err := os.ReadFile(s.ledger())
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.posted() // by the daemon that made the ledger, if it came to that
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(s.dir, "trace")
	if err := s.traced(strace, trace, before); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	d := &disk{ledger: s.ledger(), files: map[string]*image{s.ledger(): {written: base, durable: base, named: true}}, seen: map[string]int{}}
	for _, e := range before {
		d.seen[e.Method+e.ID]++
	}
	d.post = func(method, id string, n int) {
		if err := d.holds(t.Context(), t.TempDir(), s.source(), method, id, n); err != nil {
			t.Errorf("unsynced: the %s of %s left too early: %v", method, id, err)
		}
	}
	if err := d.replay(string(text)); err != nil {
		t.Fatal(err)
	}
	if d.posts < tracedPosts {
		t.Fatalf("the trace shows %d POSTs, want %d at least", d.posts, tracedPosts)
	}
	t.Logf("%d POSTs, each with its claim on the disk: %d writes and %d syncs of the ledger", d.posts, d.writes, d.syncs)
}

// source says how to read the ledger of a site.
func (s *site) source() ledger.Source {
	return ledger.Source{Path: s.ledger(), Account: "default", Endpoint: "http://" + s.wire.addr + "/public_api/v1", Boot: "judge"}
}

// firstLedger lets a daemon make the ledger and end.
func (s *site) firstLedger() error {
	if err := s.openDaemon(0); err != nil {
		return err
	}
	k := s.daemons[0]
	if err := s.await("a ledger", s.ready); err != nil {
		return err
	}
	s.daemons = nil
	return k.end(syscall.SIGTERM)
}

// posted are the POSTs that the platform has seen.
func (s *site) posted() (posts []entry, err error) {
	var log []entry
	err = s.sim("GET", "/_sim/log", nil, &log)
	for _, e := range log {
		if e.Method == start || e.Method == stop {
			posts = append(posts, e)
		}
	}
	return posts, err
}

// traced lets a daemon work under strace until the platform has seen enough more
// than it had before.
func (s *site) traced(strace, to string, before []entry) error {
	calls := "trace=write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync,ftruncate"
	run := s.daemonCommand(0)
	run.Args = append([]string{strace, "-f", "-y", "-xx", "-s", "8192", "-e", "signal=none", "-e", calls, "-o", to, run.Path}, run.Args[1:]...)
	run.Path = strace
	run.Stderr = os.Stderr
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := run.Start(); err != nil {
		return err
	}
	seen := s.await("POSTs", func() error {
		posts, err := s.posted()
		if err != nil {
			return err
		}
		if n := len(posts) - len(before); n < tracedPosts {
			return fmt.Errorf("%d of %d", n, tracedPosts)
		}
		return nil
	})
	err := syscall.Kill(lockHolder(s.ledger()), syscall.SIGTERM)
	if seen != nil || err != nil {
		_ = syscall.Kill(-run.Process.Pid, syscall.SIGKILL)
	}
	return errors.Join(seen, err, run.Wait())
}

// An image is a file as the processes see it, and as a host that loses its power
// would keep it.
type image struct {
	written, durable []byte
	named            bool // its name is durable, too
}

// A disk is what a trace says of the ledger's files.
type disk struct {
	ledger string
	files  map[string]*image
	open   map[string]string // by thread: what it had begun when the trace went on with another
	asked  map[string][]byte // by thread: what a file held when a sync of it began
	post   func(method, id string, n int)
	seen   map[string]int // calls made, by method and deployment

	posts, writes, syncs int
}

// The lines of a trace: a call with its end, one that goes on further down, and
// the end of such a one.
var (
	unfinished = regexp.MustCompile(`^(\d+) +(\w+\(.*) <unfinished \.\.\.>$`)
	resumed    = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
	whole      = regexp.MustCompile(`^(\d+) +(\w+\(.*)$`)
	called     = regexp.MustCompile(`^(\w+)\(\d+<([^>]*)>(?:, )?(.*)\) += (-?\d+)`)
	begun      = regexp.MustCompile(`^(\w+)\(\d+<([^>]*)>(?:, )?(.*)$`)
	quoted     = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?`)
	request    = regexp.MustCompile(`^POST \S*/deployments/([^/ ]+)/(start|stop) HTTP/1\.1\r\n`)
)

// replay goes through a trace. A call begins where its line does, and has had its
// effect where its end is told.
func (d *disk) replay(trace string) error {
	d.open, d.asked = map[string]string{}, map[string][]byte{}
	for line := range strings.Lines(trace) {
		line = strings.TrimSuffix(line, "\n")
		if m := unfinished.FindStringSubmatch(line); m != nil {
			d.open[m[1]] = m[2]
			d.begin(m[1], m[2])
			continue
		}
		thread, call := "", ""
		if m := resumed.FindStringSubmatch(line); m != nil {
			thread, call = m[1], d.open[m[1]]+m[2]
			delete(d.open, m[1])
		} else if m := whole.FindStringSubmatch(line); m != nil {
			thread, call = m[1], m[2]
			d.begin(thread, call)
		} else {
			continue // of an end or a signal
		}
		if err := d.end(thread, call); err != nil {
			return fmt.Errorf("%w in %.200s", err, line)
		}
	}
	return nil
}

// begin takes the beginning of a call in.
func (d *disk) begin(thread, call string) {
	m := begun.FindStringSubmatch(call)
	if m == nil {
		return
	}
	switch name, path := m[1], unhex(m[2]); name {
	case "fsync", "fdatasync":
		if f := d.files[path]; f != nil {
			d.asked[thread] = f.written
		}
	case "write", "writev", "sendto", "sendmsg":
		text := quoted.FindStringSubmatch(m[3])
		if text == nil || !strings.HasPrefix(path, "socket:") {
			return
		}
		if r := request.FindStringSubmatch(unhex(text[1])); r != nil {
			d.posts++
			d.seen[r[2]+r[1]]++
			d.post(r[2], r[1], d.seen[r[2]+r[1]])
		}
	}
}

// end takes a call's effect in. One that failed has none.
func (d *disk) end(thread, call string) error {
	m := called.FindStringSubmatch(call)
	if m == nil || strings.HasPrefix(m[4], "-") {
		return nil
	}
	name, path := m[1], unhex(m[2])
	switch ours := path == d.ledger || path == d.ledger+"-wal"; {
	case name == "fsync" && path == filepath.Dir(d.ledger):
		for _, f := range d.files {
			f.named = true
		}
	case !ours:
	case name == "fsync" || name == "fdatasync":
		if f := d.files[path]; f != nil {
			f.durable = d.asked[thread]
			d.syncs++
		}
	case name == "pwrite64":
		d.writes++
		return d.write(path, m[3], m[4])
	case name == "ftruncate":
		n, err := strconv.Atoi(m[3])
		d.file(path).resize(n)
		return err
	default:
		return errors.New("a call that this test does not know")
	}
	return nil
}

// file is the image of a file; one that is new has no durable name.
func (d *disk) file(path string) *image {
	if d.files[path] == nil {
		d.files[path] = &image{}
	}
	return d.files[path]
}

// write takes a pwrite64 in: text, length and place, of which n bytes were done.
func (d *disk) write(path, args, n string) error {
	text := quoted.FindStringSubmatchIndex(args)
	if text == nil {
		return errors.New("a write without its text")
	}
	if text[4] >= 0 {
		return errors.New("a write whose text was cut short")
	}
	data := unhex(args[text[2]:text[3]])
	fields := strings.Split(strings.TrimPrefix(args[text[1]:], ", "), ", ")
	done, err := strconv.Atoi(n)
	if err != nil || len(fields) != 2 || done > len(data) {
		return errors.New("a write with strange arguments")
	}
	at, err := strconv.Atoi(fields[1])
	if err != nil {
		return err
	}
	f := d.file(path)
	f.resize(max(len(f.written), at+done)) // a copy: what a sync was asked for stays
	copy(f.written[at:], data[:done])
	return nil
}

// resize makes a new array of n bytes of what was written.
func (f *image) resize(n int) {
	old := f.written
	f.written = make([]byte, n)
	copy(f.written, old)
}

// holds opens a ledger on what was durable, and looks for the n-th claim of such a
// call.
func (d *disk) holds(ctx context.Context, dir string, source ledger.Source, method, id string, n int) error {
	path := filepath.Join(dir, "curfew.db")
	for from, f := range d.files {
		if !f.named {
			continue
		}
		if err := os.WriteFile(path+strings.TrimPrefix(from, d.ledger), f.durable, 0o600); err != nil {
			return err
		}
	}
	l, err := ledger.Open(ctx, ledger.Options{
		Path: path, Account: source.Account, Endpoint: source.Endpoint, Boot: source.Boot, Release: "judge",
		Now: func() scheduler.Now { return scheduler.Now{Wall: time.Now()} },
	})
	if err != nil {
		return err
	}
	posts, err := l.Posts(ctx, ledger.Filter{})
	if err = errors.Join(err, l.Close()); err != nil {
		return err
	}
	claims := 0
	for _, p := range posts {
		if string(p.Claim.Deployment) == id && p.Claim.Method.String() == method {
			claims++
		}
	}
	if claims < n {
		return fmt.Errorf("its disk holds %d claims for it, and this is the call number %d", claims, n)
	}
	return nil
}

// unhex undoes strace's -xx.
func unhex(text string) string {
	if !strings.Contains(text, `\x`) {
		return text
	}
	b := make([]byte, 0, len(text)/4)
	for part := range strings.SplitSeq(strings.TrimPrefix(text, `\x`), `\x`) {
		n, err := strconv.ParseUint(part, 16, 8)
		if err != nil {
			return text
		}
		b = append(b, byte(n))
	}
	return string(b)
}

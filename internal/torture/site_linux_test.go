package torture

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"curfew/internal/raced"
)

// The key and the secret of every run. No output may ever show them.
const (
	someKey    = "key-tortured-4711"
	someSecret = "secret-tortured-0815"
)

// factor is how much faster time passes for daemons and platform. It keeps the
// margins of real time sane: the 2 minutes by which a clock may be off are 4 s.
const factor = 30

// patience is how long, in real time, anything may take that must come.
const patience = time.Minute

// A site is all of one run: two daemons on one ledger, the platform, the wire in
// between, and the record of what was done to them.
type site struct {
	dir, disk    string // disk holds the ledger, and may be full
	small        bool   // disk is a file system of its own
	program      string // the daemon's
	law          law
	origin       time.Time // the lapse's time at anchor
	anchor       time.Time
	anchorNS     int64     // CLOCK_BOOTTIME then
	opened       time.Time // when the first daemon had the ledger, in the lapse
	wire         *wire
	platform     *keeper
	platformAddr string
	daemons      []*keeper
	dice         *rand.Rand // of the one who deals; each trouble has its own

	serial  map[string]*sync.Mutex // by kind: two of it at once would undo each other
	mu      sync.Mutex
	told    []string // the chronicle
	spans   []span
	highest map[string]float64 // by metric
}

// A span is one trouble with its times, open while over is zero.
type span struct {
	kind       string
	from, over time.Time
	off        time.Duration // of a stepped clock
}

func (s *site) ledger() string { return filepath.Join(s.disk, "curfew.db") }
func (s *site) file() string   { return filepath.Join(s.dir, "curfew.yaml") }
func (s *site) steps() string  { return filepath.Join(s.dir, "clock") }

// lapse is what time it is in the lapse at a moment of real time.
func (s *site) lapse(at time.Time) time.Time { return s.origin.Add(factor * at.Sub(s.anchor)) }

// real is when it is so late in the lapse.
func (s *site) real(at time.Time) time.Time { return s.anchor.Add(at.Sub(s.origin) / factor) }

// tell adds a line to the chronicle.
func (s *site) tell(format string, args ...any) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, fmt.Sprintf("%7.3fs  %s  ", now.Sub(s.anchor).Seconds(), s.lapse(now).Format("15:04:05.000"))+fmt.Sprintf(format, args...))
}

// begin opens the span of a trouble; the function closes it.
func (s *site) begin(kind string, off time.Duration) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := len(s.spans)
	s.spans = append(s.spans, span{kind: kind, from: time.Now(), off: off})
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.spans[i].over = time.Now()
	}
}

// during are the spans of a kind that touch [from, to] of real time.
func (s *site) during(kind string, from, to time.Time) []span {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []span
	for _, p := range s.spans {
		if p.kind == kind && !p.from.After(to) && (p.over.IsZero() || !p.over.Before(from)) {
			found = append(found, p)
		}
	}
	return found
}

// boottime reads CLOCK_BOOTTIME, which the lapse counts by.
func boottime() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(err)
	}
	return ts.Nano()
}

// build builds the program with the clock that can be stepped; with the race
// detector, where this test has it. overlay may be empty.
func build(t *testing.T, overlay string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "curfew")
	args := []string{"build", "-tags", "curfew_steps", "-o", program}
	if raced.Detector {
		args = append(args, "-race")
	}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	if out, err := exec.Command("go", append(args, "curfew/cmd/curfew")...).CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return program
}

// dependOnSources lets the go command know what this test depends on, beside what
// it imports, so that it runs anew when the program has changed.
func dependOnSources(t *testing.T) {
	t.Helper()
	format := "{{if not .Standard}}{{range .GoFiles}}{{$.Dir}}/{{.}}\n{{end}}{{range .EmbedFiles}}{{$.Dir}}/{{.}}\n{{end}}{{end}}"
	out, err := exec.Command("go", "list", "-deps", "-f", format, "curfew/cmd/curfew").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for name := range strings.Lines(string(out)) {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if _, err := os.Stat(name); err != nil { // the go command remembers the question
			t.Fatal(err)
		}
	}
}

// env is what the processes are given: nothing of this process's own but where
// things are.
func (s *site) env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TZ=UTC",
		"EMQXCLOUD_PLATFORM_API_KEY=" + someKey, "EMQXCLOUD_PLATFORM_API_SECRET=" + someSecret,
	}
}

// lapsed is a command of the program in the lapse.
func (s *site) lapsed(word string, args ...string) *exec.Cmd {
	args = append([]string{word, "--time-lapse", strconv.Itoa(factor),
		"--time-origin", s.origin.Format(time.RFC3339Nano), "--time-anchor", strconv.FormatInt(s.anchorNS, 10)}, args...)
	cmd := exec.Command(s.program, args...)
	cmd.Dir = s.dir
	cmd.Env = s.env()
	return cmd
}

// open starts the platform, the wire and n daemons, span before the law's end.
func (s *site) open(span time.Duration, n int) error {
	s.origin, s.anchorNS, s.anchor = s.law.end.Add(-span), boottime(), time.Now()
	if err := s.write(s.law.text(draft{})); err != nil {
		return err
	}
	if err := s.openPlatform(); err != nil {
		return err
	}
	var err error
	if s.wire, err = lay(s.platformAddr, rand.New(rand.NewPCG(s.dice.Uint64(), 0))); err != nil {
		return err
	}
	for i := range n {
		if err := s.openDaemon(i); err != nil {
			return err
		}
		if err := s.await("a daemon with the ledger", func() error { return s.ready() }); err != nil {
			return err
		}
		if i == 0 {
			s.opened = s.lapse(time.Now())
		}
	}
	return nil
}

var platformLine = regexp.MustCompile(`(?m)^http://(\S+)/public_api/v1$`)

func (s *site) openPlatform() (err error) {
	ids := strings.Join(append(s.law.ids(), visitor), ",")
	s.platform, err = keep("platform", filepath.Join(s.dir, "platform.log"), func() *exec.Cmd {
		return s.lapsed("platform", "-c", s.file(), "--boot", "20s", "--halt", "15s", "--deployments", ids[strings.LastIndex(ids, ",")+1:])
	})
	if err != nil {
		return err
	}
	return s.await("the platform's address", func() error {
		if s.platformAddr = s.platform.lastOf(platformLine); s.platformAddr == "" {
			return errors.New(s.platform.text())
		}
		return nil
	})
}

// openDaemon starts the i-th daemon.
func (s *site) openDaemon(i int) error {
	name, out := fmt.Sprintf("daemon %d", i+1), filepath.Join(s.dir, fmt.Sprintf("daemon%d.log", i+1))
	k, err := keep(name, out, func() *exec.Cmd { return s.daemonCommand(i) })
	if err == nil {
		s.daemons = append(s.daemons, k)
	}
	return err
}

// daemonCommand is the i-th daemon. The first watches its file, the others wait for
// a signal.
func (s *site) daemonCommand(i int) *exec.Cmd {
	args := []string{"-c", s.file(), "--ledger", s.ledger(), "--listen", "127.0.0.1:0", "--log-format", "json"}
	if i == 0 {
		args = append(args, "--watch")
	}
	cmd := s.lapsed("run", args...)
	cmd.Env = append(cmd.Env, "EMQXCLOUD_PLATFORM_ENDPOINT=http://"+s.wire.addr+"/public_api/v1", "CURFEW_CLOCK_STEPS="+s.steps())
	return cmd
}

// write puts a configuration in its place, whole or not at all.
func (s *site) write(text string) error {
	return replace(s.file(), text)
}

func replace(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// await asks until there is no error, for as long as patience goes.
func (s *site) await(what string, ask func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no %s in %v: %w", what, patience, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

var listening = regexp.MustCompile(`"msg":"listening","addr":"([^"]+)"`)

// ask asks a daemon over HTTP, at the address that its log tells.
func (s *site) ask(k *keeper, path string) (status int, body string, err error) {
	return get("http://" + k.lastOf(listening) + path)
}

// get is one request that is not waited for for long: the one who is asked may be
// stopped.
func get(url string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	req.Close = true // a connection must not outlive the process that it is to
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// ready is nil where one of the daemons has the ledger and works.
func (s *site) ready() error {
	var errs []error
	for _, k := range s.daemons {
		status, body, err := s.ask(k, "/readyz")
		if err == nil && status == http.StatusOK {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %d %s %w", k.name, status, body, cmp.Or(err, errors.New("not ready"))))
	}
	return errors.Join(errs...)
}

// holder is the daemon that has the ledger, as far as can be told; else any.
func (s *site) holder(dice *rand.Rand) *keeper {
	pid := lockHolder(s.ledger())
	for _, k := range s.daemons {
		if k.pid() == pid {
			return k
		}
	}
	return s.daemons[dice.IntN(len(s.daemons))]
}

// sim asks the platform's control surface and reads the answer into v.
func (s *site) sim(method, path string, body, v any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, "http://"+s.platformAddr+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %d %s %w", method, path, resp.StatusCode, got, err)
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(got, v)
}

// sample keeps the highest values of what must stay bounded, until ctx ends.
func (s *site) sample(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, k := range s.daemons {
			_, body, err := s.ask(k, "/metrics")
			if err != nil {
				continue
			}
			s.mu.Lock()
			for name, value := range gauges(body) {
				s.highest[name] = max(s.highest[name], value)
			}
			s.mu.Unlock()
		}
	}
}

var gauge = regexp.MustCompile(`(?m)^(go_goroutines|process_open_fds|process_resident_memory_bytes) (\S+)$`)

// gauges are the metrics that must stay bounded.
func gauges(body string) map[string]float64 {
	found := map[string]float64{}
	for _, m := range gauge.FindAllStringSubmatch(body, -1) {
		found[m[1]], _ = strconv.ParseFloat(m[2], 64)
	}
	return found
}

// close ends what still runs; a run that went well has ended it before.
func (s *site) close() {
	for _, k := range append(slices.Clone(s.daemons), s.platform) {
		if k != nil {
			_ = k.end(syscall.SIGKILL)
		}
	}
	if s.wire != nil {
		s.wire.cutDown()
	}
}

// dump is what a person needs who wants to know why a run failed.
func (s *site) dump() string {
	var b strings.Builder
	s.mu.Lock()
	fmt.Fprintf(&b, "what happened, in real time and in the lapse's:\n  %s\n", strings.Join(s.told, "\n  "))
	s.mu.Unlock()
	for _, k := range append(slices.Clone(s.daemons), s.platform) {
		if k == nil {
			continue
		}
		fmt.Fprintf(&b, "\n%s:\n", k.name)
		for _, l := range k.ended() {
			fmt.Fprintf(&b, "  process %d from %.3fs to %.3fs: %s\n", l.pid, l.began.Sub(s.anchor).Seconds(), l.over.Sub(s.anchor).Seconds(), l.how)
		}
		b.WriteString(excerpt(k.text()))
	}
	return b.String()
}

// excerpt is the end of a log, and before it what is no log: a panic, or what the
// race detector has found.
func excerpt(text string) string {
	const most, tail = 200, 60
	lines := strings.Split(strings.TrimSpace(text), "\n")
	strange := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.HasPrefix(l, "{") })
	return fmt.Sprintf("  %s\n  ...\n  %s\n", strings.Join(strange[:min(most, len(strange))], "\n  "),
		strings.Join(lines[max(0, len(lines)-tail):], "\n  "))
}

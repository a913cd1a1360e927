package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What no output, page or file may show.
const (
	hiddenKey    = "key-Rj7vQm2x"
	hiddenSecret = `s3cr3t"Wq9"\Zt5+u`
)

// leaks returns which spelling of the credentials is in a text, if any is.
func leaks(text string) string {
	pair := hiddenKey + ":" + hiddenSecret
	quoted := strconv.Quote(hiddenSecret)
	for _, s := range []string{
		hiddenKey, hiddenSecret, quoted[1 : len(quoted)-1], url.QueryEscape(hiddenSecret), url.PathEscape(hiddenSecret), hex.EncodeToString([]byte(hiddenSecret)),
		base64.StdEncoding.EncodeToString([]byte(pair)), base64.URLEncoding.EncodeToString([]byte(pair)), "Zt5+u", "Wq9",
	} {
		if strings.Contains(text, s) {
			return s
		}
	}
	return ""
}

// A child is a `curfew` of its own process, with all that it writes.
type child struct {
	t   *testing.T
	cmd *exec.Cmd

	mu    sync.Mutex
	text  bytes.Buffer
	ended chan struct{}
	err   error // of Wait; to be read once ended is closed
}

// Write implements io.Writer.
func (c *child) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(b)
}

// output is what it has written up to now.
func (c *child) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// spawn starts a command with the hidden credentials in its environment. It ends
// with the test.
func spawn(t *testing.T, change func(*exec.Cmd), args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.CommandContext(t.Context(), args[0], args[1:]...), ended: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), "EMQXCLOUD_PLATFORM_API_KEY="+hiddenKey, "EMQXCLOUD_PLATFORM_API_SECRET="+hiddenSecret)
	c.cmd.Stdout, c.cmd.Stderr = c, c
	if change != nil {
		change(c.cmd)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.err = c.cmd.Wait(); close(c.ended) }()
	t.Cleanup(func() { <-c.ended })
	return c
}

// until waits for what must be written, and returns its first group.
func (c *child) until(pattern string) string {
	c.t.Helper()
	want := regexp.MustCompile(pattern)
	var found string
	c.poll("no line matches "+pattern, func() bool {
		m := want.FindStringSubmatch(c.output())
		if m != nil {
			found = m[len(m)-1]
		}
		return m != nil
	})
	return found
}

// poll asks again and again until done, and fails where that takes too long.
func (c *child) poll(complaint string, done func() bool) {
	c.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline.C:
			c.t.Fatalf("%s in %s; it wrote:\n%s", complaint, patience, c.output())
		case <-tick.C:
		}
	}
}

// page asks for a page of the daemon at addr.
func (c *child) page(addr, path string) string {
	c.t.Helper()
	_, body, err := fetch(c.t.Context(), "http://"+addr+path)
	if err != nil {
		c.t.Fatalf("GET %s: %v; it wrote:\n%s", path, err, c.output())
	}
	return body
}

// end sends a signal and waits for the end.
func (c *child) end(sig os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatal(err)
	}
	select {
	case <-c.ended:
	case <-time.After(patience):
		c.cmd.Process.Signal(syscall.SIGQUIT) // for a dump of its goroutines
		<-c.ended
		c.t.Fatalf("it does not end after %s; it wrote:\n%s", sig, c.output())
	}
}

// fast are the flags of a daemon for which a minute is a second.
func fast() []string {
	return []string{
		"--time-lapse", "60", "--time-origin", "2026-12-23T10:00:00Z",
		"--time-anchor", strconv.FormatInt(int64(machineClock().read().Steady), 10),
	}
}

// daemonWith starts `curfew run` on a file, and returns where it listens.
func daemonWith(t *testing.T, change func(*exec.Cmd), text string, flags ...string) (c *child, addr, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "curfew.yaml")
	write(t, file, text)
	if err := os.Mkdir(filepath.Join(filepath.Dir(file), "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"curfew", "run", "-c", file, "--listen", "127.0.0.1:0", "--log-format", "json"}, flags...)
	c = spawn(t, change, args...)
	return c, c.until(`"msg":"listening","addr":"([^"]+)"`), file
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// busyFile is a configuration with something to do every minute.
func busyFile(endpoint string) string {
	return `api: {endpoint: "` + endpoint + `", quotas: {get: {limit: 1000, per: 1m}, start: {limit: 9, per: 1m}, stop: {limit: 9, per: 1m}}}
ledger: state/curfew.db
observe_every: 20s
timezone: UTC
clock: trust
policies: [{name: busy, deployments: [w1, w2, w3], stop: "*/2 * * * *", start: "1-59/2 * * * *"}]
`
}

// A gossip is a platform that tells everybody what it was sent, in every part of
// an answer, well-formed and not.
type gossip struct {
	asked   atomic.Int64
	refuses atomic.Bool // answers 401 to everything
}

// ServeHTTP implements http.Handler.
func (g *gossip) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, sec, _ := r.BasicAuth()
	told := fmt.Sprintf("%s %s %s", r.Header.Get("Authorization"), key, sec)
	if g.refuses.Load() {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"code":%q,"message":%q}`, told, told)
		return
	}
	answers := g.answers(w, r, told)
	answers[int(g.asked.Add(1))%len(answers)]()
}

// answers are all the ways of telling.
func (g *gossip) answers(w http.ResponseWriter, r *http.Request, told string) []func() {
	id := strings.Split(strings.TrimPrefix(r.URL.Path, "/deployments/"), "/")[0]
	status := func(code int, format string, args ...any) func() {
		return func() { w.WriteHeader(code); fmt.Fprintf(w, format, args...) }
	}
	bytes := func(format string) func() {
		return func() {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				fmt.Fprintf(conn, format, told)
				conn.Close()
			}
		}
	}
	look := `{"deploymentID":%q,"deploymentName":%q,"deploymentType":%q,"platform":%q,"region":%q,"status":%q,"operation":%q}`
	return []func(){
		status(200, look, id, told, told, told, told, "running", told),
		status(200, look, id, told, told, told, told, told, told),
		status(200, look, told, told, told, told, told, "running", told),
		status(200, "%s", told), status(200, "{%q:", told),
		status(403, `{"code":%q,"message":%q}`, told, told), status(404, `{"code":%q,"message":%q}`, told, told),
		status(422, `{"code":%q,"message":%q}`, told, told), status(500, "%s", told), status(599, `{"message":%q}`, told),
		func() { w.Header().Set("Location", "http://127.0.0.1:1/"+url.PathEscape(told)); w.WriteHeader(307) },
		func() { w.Header().Set("Date", told); w.Header().Set("Retry-After", told); w.WriteHeader(503) },
		bytes("HTTP/1.1 %s\r\n\r\n"), bytes("%s\r\n\r\n"), bytes("HTTP/1.1 200 OK\r\n%s\r\n\r\n"),
		bytes("HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n"), bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n"),
		bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n"),
	}
}

// An obedient platform does at once what it is told.
type obedient struct {
	mu     sync.Mutex
	status map[string]string
	orders int
}

// ServeHTTP implements http.Handler.
func (o *obedient) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	id, order, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/deployments/"), "/")
	if o.status[id] == "" {
		o.status[id] = "running"
	}
	if order != "" {
		o.orders++
		o.status[id] = map[string]string{"start": "running", "stop": "stopped"}[order]
	}
	w.Header().Set("Connection", "close") // each call needs a descriptor of its own
	fmt.Fprintf(w, `{"deploymentID":%q,"deploymentName":"x","status":%q}`, id, o.status[id])
}

// given is how many orders it got.
func (o *obedient) given() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.orders
}

// serveObedient starts an obedient platform.
func serveObedient(t *testing.T) (platform *obedient, endpoint string) {
	t.Helper()
	platform = &obedient{status: map[string]string{}}
	server := httptest.NewServer(platform)
	t.Cleanup(server.Close)
	return platform, server.URL
}

// TestSecretsStayInside leads a real daemon down every path on which something
// fails, against a platform that tells all it knows, and looks for the credentials
// in what the daemon says, shows, keeps and leaves behind.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	platform := new(gossip)
	server := httptest.NewServer(platform)
	defer server.Close()
	good := busyFile(server.URL)
	c, addr, file := daemonWith(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "GOTRACEBACK=all") }, good, fast()...)
	kept(t, c, file)

	ways := int64(len(platform.answers(nil, httptest.NewRequest("GET", "/", nil), "")))
	c.poll("the platform was not asked often enough", func() bool { return platform.asked.Load() >= 2*ways })
	shown := c.page(addr, "/") + c.page(addr, "/metrics") + c.page(addr, "/healthz") + c.page(addr, "/readyz")
	platform.refuses.Store(true)
	c.until(`"alarm":"(key_refused)"`)
	shown += c.page(addr, "/metrics") + c.page(addr, "/")
	for i, bad := range []string{
		"api: {secret: '" + hiddenSecret + "'}\npolicies: []\n",
		"api: {secret_file: '" + hiddenSecret + "'}\npolicies: []\n",
		"api: {secret_file: curfew.yaml}\npolicies: [] # " + hiddenSecret + "\n",
		"api: {endpoint: 'http://" + hiddenKey + ":x@127.0.0.1/'}\npolicies: []\n",
		"api: {endpoint: 'https://host/?" + hiddenSecret + "'}\npolicies: []\n",
	} {
		write(t, file, bad)
		if err := c.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		c.until(fmt.Sprintf(`(?s)(configuration refused.*){%d}`, i+1))
	}
	shown += c.page(addr, "/metrics") + c.page(addr, "/")
	c.end(syscall.SIGQUIT)
	if out := c.output(); !strings.Contains(out, "goroutine ") || !strings.Contains(out, `"msg":"attempt"`) {
		t.Errorf("the daemon made no attempt, or left no dump of its goroutines:\n%s", out)
	}
	if s := leaks(c.output()); s != "" {
		t.Errorf("the daemon wrote %q:\n%s", s, c.output())
	}
	if s := leaks(shown); s != "" {
		t.Errorf("a page shows %q:\n%s", s, shown)
	}
	kept(t, c, file)
}

// kept looks for the credentials in the daemon's command line and in all files of
// its ledger.
func kept(t *testing.T, c *child, file string) {
	t.Helper()
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.cmd.Process.Pid)); err == nil && leaks(string(line)) != "" {
		t.Errorf("the command line is %q", line)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(file), "state", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if data, err := os.ReadFile(f); err != nil || leaks(string(data)) != "" {
			t.Errorf("%s holds %q, %v", f, leaks(string(data)), err)
		}
	}
}

// TestNoFlagTakesASecret: what is in a command line is everybody's to read.
func TestNoFlagTakesASecret(t *testing.T) {
	t.Parallel()
	var walk func(cmd *cobra.Command)
	n := 0
	walk = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			n++
			if regexp.MustCompile(`(?i)secret|token|passw|credential|api-?key`).MatchString(f.Name) {
				t.Errorf("%s --%s takes a secret", cmd.CommandPath(), f.Name)
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&console{in: strings.NewReader(""), out: io.Discard, err: io.Discard}))
	if n < 20 {
		t.Errorf("only %d flags were found", n)
	}
}

// TestFilesArePrivate: whatever the umask, nobody else may read or write what the
// daemon makes, the lock among it: whoever can open that can keep a daemon
// waiting. A directory that everybody may write in is told.
func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	_, endpoint := serveObedient(t)
	dir := t.TempDir()
	shared := filepath.Join(dir, "shared")
	if err := os.Mkdir(shared, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777); err != nil { // past this test's own umask
		t.Fatal(err)
	}
	file := filepath.Join(dir, "curfew.yaml")
	write(t, file, strings.ReplaceAll(busyFile(endpoint), "state/curfew.db", "shared/curfew.db"))
	args := append([]string{"sh", "-c", `umask 0 && exec curfew run "$@"`, "sh", "-c", file, "--listen", "127.0.0.1:0"}, fast()...)
	c := spawn(t, nil, args...)
	c.until(`"msg":"everybody on this machine can write here[^\n]*"path":"[^"]*shared","mode":"(0777)"`)
	c.until(`"msg":"(attempt)"`) // by then there are marks, too
	c.poll("there are not all files", func() bool {
		all, _ := filepath.Glob(filepath.Join(shared, "*"))
		return len(all) >= 5 // the ledger, its -wal and -shm, .lock, .sent
	})
	all, err := os.ReadDir(shared)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if info, err := f.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o: others can get at it", f.Name(), info.Mode().Perm())
		}
	}
	c.end(syscall.SIGTERM)
}

// asNobody makes a command another user's where this test is root's, who may see
// everything: no permission would be tested.
func asNobody(cmd *exec.Cmd) {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}

// publicDir is a directory that everybody may use, with a copy of curfew in it.
func publicDir(t *testing.T) (dir, program string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "curfew-public")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	found, err := exec.LookPath("curfew")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(found)
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "curfew")
	if err := os.WriteFile(program, code, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o777, program: 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir, program
}

// TestProcessIsClosed: a key in the environment is there for as long as the
// process is. Neither another process of the same user nor a core dump gets it.
func TestProcessIsClosed(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("no /proc here: other systems show no process's environment to others")
	}
	dir, program := publicDir(t)
	file := filepath.Join(dir, "curfew.yaml")
	write(t, file, "ledger: curfew.db\npolicies: []\n")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	change := func(cmd *exec.Cmd) {
		asNobody(cmd)
		cmd.Dir, cmd.Env = dir, append(cmd.Env, "GOTRACEBACK=crash")
	}
	// The control: a process that does not hide itself is read.
	open := spawn(t, change, "sh", "-c", "ulimit -c unlimited; echo ready; exec sleep 600")
	open.until("(ready)")
	open.poll("an open process cannot be read", func() bool { return leaks(peek(t, open, "environ")) != "" })
	open.end(syscall.SIGKILL)

	c := spawn(t, change, "sh", "-c", `ulimit -c unlimited; exec "$@"`, "sh", program, "run", "-c", file, "--listen", "127.0.0.1:0", "--log-format", "json")
	addr := c.until(`"msg":"listening","addr":"([^"]+)"`)
	for _, what := range []string{"environ", "maps", "auxv"} {
		if got := peek(t, c, what); got != "" {
			t.Errorf("another process of the same user reads /proc/PID/%s: %.200q", what, got)
		}
	}
	// It sees itself all the same.
	resp, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || !bytes.Contains(body, []byte("\nprocess_open_fds ")) {
		t.Errorf("the metrics lack process_open_fds, %v", err)
	}
	c.end(syscall.SIGQUIT)
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.CoreDump() {
		t.Errorf("it ended as %v: with a core dump", c.cmd.ProcessState)
	}
	if out := c.output(); !strings.Contains(out, "goroutine ") || leaks(out) != "" {
		t.Errorf("the dump of goroutines is missing, or shows %q:\n%s", leaks(out), out)
	}
}

// peek reads a file of /proc as the same user that the process has.
func peek(t *testing.T, c *child, what string) string {
	t.Helper()
	cat := exec.CommandContext(t.Context(), "cat", fmt.Sprintf("/proc/%d/%s", c.cmd.Process.Pid, what))
	asNobody(cat)
	out, _ := cat.Output() // what it may not read is empty
	return string(out)
}

// TestScrapersTakeNoDescriptors: somebody opens as many connections as he can to
// a daemon with few descriptors. It goes on calling the platform, and a probe and
// a scrape are answered all the while.
func TestScrapersTakeNoDescriptors(t *testing.T) {
	t.Parallel()
	platform, endpoint := serveObedient(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "curfew.yaml")
	write(t, file, strings.ReplaceAll(busyFile(endpoint), "state/curfew.db", "curfew.db"))
	args := append([]string{"sh", "-c", `ulimit -n 64 && exec curfew run "$@"`, "sh", "-c", file, "--listen", "127.0.0.1:0", "--log-format", "json"}, fast()...)
	c := spawn(t, nil, args...)
	addr := c.until(`"msg":"listening","addr":"([^"]+)"`)
	c.poll("no order was given before", func() bool { return platform.given() > 0 })
	var held []net.Conn
	defer func() {
		for _, conn := range held {
			conn.Close()
		}
	}()
	for range 600 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
		io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n") // and never the end of it
	}
	before := platform.given()
	c.poll("no order is given while connections are held open", func() bool {
		status, _, err := fetch(context.WithoutCancel(t.Context()), "http://"+addr+"/healthz")
		if err != nil || status != http.StatusOK {
			t.Errorf("a probe: %d, %v", status, err)
		}
		return platform.given() > before+2
	})
	if !strings.Contains(c.page(addr, "/metrics"), "curfew_build_info") {
		t.Error("a scrape holds no metrics")
	}
	c.end(syscall.SIGTERM)
	if out := c.output(); strings.Contains(out, "too many open files") || strings.Count(out, "too many connections to this address") != 1 {
		t.Errorf("the log tells of missing descriptors, or not once of too many connections:\n%s", out)
	}
}

// An authority signs certificates for tests.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	plan.Subject.CommonName = name
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{key, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// sign returns a server's certificate for platform.example and 127.0.0.1, changed
// as the test wishes.
func (a *authority) sign(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"platform.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(plan)
	}
	der, err := x509.CreateCertificate(rand.Reader, plan, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secured is a platform without deployments that speaks TLS; asked counts what
// reached it.
func secured(t *testing.T, config *tls.Config) (endpoint string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		io.WriteString(w, "[]")
	}))
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are what it is for
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, asked
}

// TestPlatformCertificates asks by the real binary: it trusts who signed the
// platform's certificate by the system's list or SSL_CERT_FILE and SSL_CERT_DIR
// alone, and sends nothing to anybody else, whatever is wrong with him.
func TestPlatformCertificates(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	dir := t.TempDir()
	bundle := filepath.Join(dir, "ours.pem")
	write(t, bundle, string(ours.pem))
	good := ours.sign(t, nil)
	file, folder := "SSL_CERT_FILE="+bundle, "SSL_CERT_DIR="+dir
	for name, test := range map[string]struct {
		config *tls.Config
		env    []string
		want   string // of its output; empty where it is to work
	}{
		"signed by an authority of SSL_CERT_FILE": {&tls.Config{Certificates: []tls.Certificate{good}}, []string{file}, ""},
		"signed by an authority in SSL_CERT_DIR":  {&tls.Config{Certificates: []tls.Certificate{good}}, []string{folder}, ""},
		"TLS 1.3 alone":                           {&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS13}, []string{file}, ""},
		"TLS 1.2 alone":                           {&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, []string{file}, ""},
		"TLS 1.1":                                 {&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, []string{file}, "protocol version"},
		"an authority that nobody named":          {&tls.Config{Certificates: []tls.Certificate{good}}, nil, "unknown authority"},
		"another authority":                       {&tls.Config{Certificates: []tls.Certificate{theirs.sign(t, nil)}}, []string{file}, "unknown authority"},
		"another host":                            {&tls.Config{Certificates: []tls.Certificate{ours.sign(t, func(c *x509.Certificate) { c.IPAddresses = nil })}}, []string{file}, "certificate"},
		"expired":                                 {&tls.Config{Certificates: []tls.Certificate{ours.sign(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })}}, []string{file}, "expired"},
		"not valid yet":                           {&tls.Config{Certificates: []tls.Certificate{ours.sign(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })}}, []string{file}, "not yet valid"},
		"for clients":                             {&tls.Config{Certificates: []tls.Certificate{ours.sign(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })}}, []string{file}, "usage"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint, asked := secured(t, test.config)
			out, fine := askOnce(t, endpoint, test.env)
			if fine != (test.want == "") || !strings.Contains(out, test.want) || leaks(out) != "" {
				t.Errorf("fine: %t, output %q; want it to say %q", fine, out, test.want)
			}
			if got := asked.Load(); (got == 0) != (test.want != "") {
				t.Errorf("the server got %d requests", got)
			}
		})
	}
}

// askOnce runs `curfew list` against an endpoint.
func askOnce(t *testing.T, endpoint string, env []string) (out string, fine bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "curfew.yaml")
	write(t, file, "api: {endpoint: \""+endpoint+"\"}\npolicies: []\n")
	c := spawn(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, env...) }, "curfew", "list", "-c", file)
	<-c.ended
	return c.output(), c.err == nil
}

// TestProxyIsBlind: HTTPS_PROXY is honoured, and what goes through it is sealed.
// NO_PROXY goes past it.
func TestProxyIsBlind(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "ours")
	bundle := filepath.Join(t.TempDir(), "ours.pem")
	write(t, bundle, string(ours.pem))
	endpoint, asked := secured(t, &tls.Config{Certificates: []tls.Certificate{ours.sign(t, nil)}})
	var mu sync.Mutex
	var heads []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		heads = append(heads, fmt.Sprintf("%s %s %v", r.Method, r.RequestURI, r.Header))
		mu.Unlock()
		tunnel(w, strings.TrimPrefix(endpoint, "https://"))
	}))
	defer proxy.Close()
	env := []string{"SSL_CERT_FILE=" + bundle, "HTTPS_PROXY=" + strings.Replace(proxy.URL, "http://", "http://me:pr0xyw0rd@", 1), "NO_PROXY=", "no_proxy="}
	if out, fine := askOnce(t, "https://platform.example/v1", env); !fine || asked.Load() != 1 {
		t.Errorf("through a proxy: %s", out)
	}
	seen := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return heads
	}
	if all := strings.Join(seen(), "\n"); len(seen()) != 1 || !strings.HasPrefix(all, "CONNECT platform.example:443") || leaks(all) != "" {
		t.Errorf("the proxy saw %q, want one CONNECT that tells nothing", all)
	}
	out, fine := askOnce(t, "https://platform.example/v1", append(env, "NO_PROXY=platform.example"))
	if fine || len(seen()) != 1 || strings.Contains(out, "pr0xyw0rd") {
		t.Errorf("past the proxy: %t, %q; the proxy saw %q", fine, out, seen())
	}
}

// tunnel joins a CONNECT to an address.
func tunnel(w http.ResponseWriter, address string) {
	onward, err := net.Dial("tcp", address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer onward.Close()
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer near.Close()
	io.WriteString(near, "HTTP/1.1 200 Connected\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() { io.Copy(onward, buffered); onward.Close() })
	both.Go(func() { io.Copy(near, onward); near.Close() })
	both.Wait()
}

// TestPagesNameTests: every test that a page of promises names is there, and it
// names some.
func TestPagesNameTests(t *testing.T) {
	t.Parallel()
	there := allTests(t)
	for page, least := range map[string]int{"docs/security.md": 30, "docs/reliability.md": 12} {
		text, err := os.ReadFile(filepath.Join("../..", page))
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(string(text), -1)
		if len(named) < least {
			t.Errorf("%s names %d tests, want one for each of its claims", page, len(named))
		}
		for _, name := range named {
			if !there[name] {
				t.Errorf("%s names %s, which is not there", page, name)
			}
		}
	}
}

// allTests are the names of all tests of the module.
func allTests(t *testing.T) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(code, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return there
}

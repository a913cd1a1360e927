package web

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// pipes is a listener without sockets, for virtual time.
type pipes struct {
	conns chan net.Conn
	ended chan struct{}
}

// from is the address that a pipe pretends to come from.
type from string

func (f from) Network() string { return "pipe" }
func (f from) String() string  { return string(f) }

// A piped connection comes from somewhere.
type piped struct {
	net.Conn
	remote from
}

func (p piped) RemoteAddr() net.Addr { return p.remote }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.ended); return nil }
func (p *pipes) Addr() net.Addr { return from("pipes") }

// A crowd is a server in virtual time with room for a number of connections.
type crowd struct {
	t        *testing.T
	pipes    *pipes
	visitors *visitors
	log      *strings.Builder
	server   *http.Server
	all      []net.Conn
}

// newCrowd serves h in the test's bubble until close.
func newCrowd(t *testing.T, h http.Handler, room int) *crowd {
	c := &crowd{t: t, pipes: &pipes{make(chan net.Conn), make(chan struct{})}, log: new(strings.Builder)}
	log := slog.New(slog.NewTextHandler(c.log, nil))
	c.visitors = newVisitors(c.pipes, room, log)
	c.server = newServer(h, log)
	go c.server.Serve(c.visitors)
	return c
}

// connect opens a connection from a host.
func (c *crowd) connect(host string) net.Conn {
	near, far := net.Pipe()
	c.pipes.conns <- piped{far, from(fmt.Sprintf("%s:%d", host, 1000+len(c.all)))}
	c.all = append(c.all, near)
	synctest.Wait()
	return near
}

// ask sends a request on a connection and returns the status, 0 where the
// connection is closed.
func (c *crowd) ask(on net.Conn, path string) int {
	if _, err := io.WriteString(on, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return 0
	}
	resp, err := http.ReadResponse(bufio.NewReader(on), nil)
	if err != nil {
		return 0
	}
	io.Copy(io.Discard, resp.Body)
	synctest.Wait()
	return resp.StatusCode
}

// send writes from a goroutine of its own: a pipe takes only what is read.
func (c *crowd) send(on net.Conn, text string) {
	go io.WriteString(on, text)
	synctest.Wait()
}

// closedWithin is how long it takes from now until the server closes a
// connection on which it sends nothing, or nothing but an answer.
func (c *crowd) closedWithin(on net.Conn) time.Duration {
	begin := time.Now()
	io.Copy(io.Discard, on)
	return time.Since(begin)
}

// openNow is how many connections the server holds.
func (c *crowd) openNow() int {
	c.visitors.mu.Lock()
	defer c.visitors.mu.Unlock()
	return len(c.visitors.open)
}

func (c *crowd) close() {
	c.server.Close()
	for _, conn := range c.all {
		conn.Close()
	}
	synctest.Wait()
}

// TestSlowClients: whoever sends nothing, a part of a header, a header drop by
// drop or a body that never comes is let go in time.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		send   []string // the parts, a second between them
		within time.Duration
	}{
		"sends nothing":            {nil, headerWithin},
		"half a request line":      {[]string{"GET /heal"}, headerWithin},
		"half a header":            {[]string{"GET / HTTP/1.1\r\nHost: x\r\nX-A: "}, headerWithin},
		"a header drop by drop":    {append([]string{"GET / HTTP/1.1\r\nHost: x\r\n"}, drops(60)...), headerWithin},
		"a body that never comes":  {[]string{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"}, requestWithin},
		"a body drop by drop":      {append([]string{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"}, drops(60)...), requestWithin},
		"an answer, then nothing":  {[]string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n"}, idleWithin},
		"an answer, then a little": {[]string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /"}, time.Second + headerWithin},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, readOnly(http.NotFoundHandler()), 10)
				conn, sent := c.connect("10.0.0.1"), make(chan struct{})
				go func() {
					defer close(sent)
					for i, part := range test.send {
						if i > 0 {
							time.Sleep(time.Second) // of the bubble's time
						}
						if _, err := io.WriteString(conn, part); err != nil {
							return
						}
					}
				}()
				// Half a second is what net/http waits for a refused client to hang up.
				if got := c.closedWithin(conn); got < test.within-time.Second || got > test.within+time.Second {
					t.Errorf("let go after %s, want %s", got, test.within)
				}
				synctest.Wait()
				if c.openNow() != 0 {
					t.Errorf("%d connections are still counted as open", c.openNow())
				}
				c.close()
				<-sent
			})
		})
	}
}

// drops are n headers that come one by one.
func drops(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = "X-A: b\r\n"
	}
	return all
}

// TestSlowReader: an answer that is not read is given up.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write(make([]byte, 64<<10))
		}), 10)
		defer c.close()
		conn := c.connect("10.0.0.1")
		c.send(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		time.Sleep(answerWithin - time.Second)
		if c.openNow() != 1 {
			t.Error("given up too early")
		}
		time.Sleep(2 * time.Second)
		if c.openNow() != 0 {
			t.Errorf("%d connections are open %s after an answer that nobody reads", c.openNow(), answerWithin+time.Second)
		}
	})
}

// TestThousandsOfConnections: somebody holds open all the connections that he
// gets, in every state there is. The number stays bounded, a probe from elsewhere
// is answered at any moment, and the log gets a line a minute.
func TestThousandsOfConnections(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]string{
		"silent":           "",
		"half a header":    "GET / HTTP/1.1\r\nHost",
		"answers not read": "GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const room, attempts = 16, 2000
				c := newCrowd(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/large" {
						w.Write(make([]byte, 64<<10))
					}
				}), room)
				defer c.close()
				for i := range attempts {
					c.send(c.connect("10.6.6.6"), hold)
					if c.openNow() > room {
						t.Fatalf("%d connections are open, want at most %d", c.openNow(), room)
					}
					if i%100 == 0 {
						if got := c.ask(c.connect("10.0.0.1"), "/"); got != http.StatusOK {
							t.Fatalf("after %d connections a probe gets %d, want 200", i, got)
						}
					}
				}
				if lines := strings.Count(c.log.String(), "\n"); lines != 1 { // all of this is one instant
					t.Errorf("the log has %d lines, want 1:\n%s", lines, c.log)
				}
			})
		})
	}
}

// TestCrowdSparesOthers: the host that holds the most loses connections first,
// there the idle ones before those being answered, and the oldest before others.
func TestCrowdSparesOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := newCrowd(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/work" {
				<-release
			}
		}), 4)
		defer c.close()
		prometheus := c.connect("10.0.0.1") // the oldest of all, idle
		if got := c.ask(prometheus, "/"); got != http.StatusOK {
			t.Fatalf("a scrape gets %d", got)
		}
		working := c.connect("10.6.6.6")
		c.send(working, "GET /work HTTP/1.1\r\nHost: x\r\n\r\n")
		time.Sleep(time.Millisecond)
		older := c.connect("10.6.6.6")
		time.Sleep(time.Millisecond)
		newer := c.connect("10.6.6.6")
		time.Sleep(time.Millisecond)
		c.connect("10.6.6.6")
		if got := c.closedWithin(older); got != 0 {
			t.Errorf("the oldest idle connection of the busiest host was closed after %s, want at once", got)
		}
		close(release)
		for name, conn := range map[string]net.Conn{"of another host": prometheus, "newer": newer} {
			if got := c.ask(conn, "/"); got != http.StatusOK {
				t.Errorf("the connection %s gets %d, want 200: it was to be kept", name, got)
			}
		}
		if resp, err := http.ReadResponse(bufio.NewReader(working), nil); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("the connection that was being answered: %v", err)
		}
	})
}

// TestConnectionLimit: descriptors for the calls remain.
func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
	got := connectionLimit()
	if got < 1 || got > maxConnections || uint64(got) > max(1, uint64(r.Cur)/4) {
		t.Errorf("%d connections with %d descriptors, want at most %d and a quarter", got, r.Cur, maxConnections)
	}
}

// TestSlowReadersOfMetrics: those who ask for metrics and do not read them keep
// nobody from them, and cost no more than a few scrapes' memory.
func TestSlowReadersOfMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDaemon(t, always(fleet()), PerDeploymentAuto)
		c := newCrowd(t, d.handler, 100)
		defer c.close()
		for range 3 * maxSending {
			c.send(c.connect("10.6.6.6"), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
			if got := c.ask(c.connect("10.0.0.1"), "/metrics"); got != http.StatusOK {
				t.Fatalf("a scrape beside slow readers gets %d, want 200", got)
			}
			if open := c.openNow(); open > 3*maxSending+maxSending { // those read are kept alive
				t.Fatalf("%d connections are open", open)
			}
		}
		unread := 0
		for _, conn := range c.all {
			conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			if n, _ := io.Copy(io.Discard, conn); n > 0 {
				unread++
			}
		}
		if unread > maxSending+1 {
			t.Errorf("%d answers wait for their readers, want at most %d", unread, maxSending)
		}
		if d.log.Len() > 0 {
			t.Errorf("slow readers reach the log:\n%s", d.log)
		}
	})
}

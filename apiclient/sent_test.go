package apiclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/apiclient/quota"
)

// unsent is one way for a call to fail before its first byte.
type unsent struct {
	name  string
	serve func(*session) // nil: answers as if all were well
	setup func(t *testing.T, p *peer) (c *Client, id string, pm quota.Permit, sendBy time.Time)
	cause error // nil: any
}

func TestNotSent(t *testing.T) {
	t.Parallel()
	plain := func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
		return connect(t, p.url), testID, permit(quota.Stop), time.Time{}
	}
	for _, test := range []unsent{
		{name: "no permit", cause: ErrNoPermit, setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
			return connect(t, p.url), testID, quota.Permit{}, time.Time{}
		}},
		{name: "permit for another method", cause: ErrNoPermit, setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
			return connect(t, p.url), testID, permit(quota.Start), time.Time{}
		}},
		{name: "no ID", cause: errBadID, setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
			return connect(t, p.url), "", permit(quota.Stop), time.Time{}
		}},
		{name: "ID that is a path", cause: errBadID, setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
			return connect(t, p.url), "..", permit(quota.Stop), time.Time{}
		}},
		{name: "past sendBy", cause: ErrLate, setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
			return connect(t, p.url), testID, permit(quota.Stop), time.Now().Add(-time.Nanosecond)
		}},
		{name: "connection refused", setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
			gone, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			gone.Close()
			return connect(t, "http://"+gone.Addr().String()), testID, permit(quota.Stop), time.Time{}
		}},
		{name: "name not found", setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
			c := connect(t, "https://platform.invalid")
			lame := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, errors.New("no name server here")
			}}
			c.dialer.dial = (&net.Dialer{Resolver: lame}).DialContext
			return c, testID, permit(quota.Stop), time.Time{}
		}},
		{name: "plain HTTP where TLS is asked for", serve: func(s *session) { s.send(reply(201, startBody)) },
			setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
				return connect(t, "https://"+p.ln.Addr().String()), testID, permit(quota.Stop), time.Time{}
			}},
		{name: "closed in the handshake", serve: func(s *session) {},
			setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
				return connect(t, "https://"+p.ln.Addr().String()), testID, permit(quota.Stop), time.Time{}
			}},
		{name: "handshake hangs past sendBy", cause: ErrLate, serve: (*session).wait,
			setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
				return connect(t, "https://"+p.ln.Addr().String()), testID, permit(quota.Stop), time.Now().Add(20 * time.Millisecond)
			}},
		{name: "proxy refuses", serve: func(s *session) { s.read(); s.send(reply(407, "")) },
			setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
				return connect(t, "https://platform.invalid", through(p)), testID, permit(quota.Stop), time.Time{}
			}},
		{name: "connection that has no gate", setup: func(t *testing.T, p *peer) (*Client, string, quota.Permit, time.Time) {
			c, id, pm, by := plain(t, p)
			c.transport.DialContext = c.dialer.dial
			return c, id, pm, by
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

func (test unsent) run(t *testing.T) {
	serve := test.serve
	if serve == nil {
		serve = answering(reply(201, startBody))
	}
	p := listen(t, serve)
	c, id, pm, sendBy := test.setup(t, p)
	_, meta, err := c.Stop(t.Context(), id, pm, sendBy)
	if !errors.Is(err, ErrNotSent) || test.cause != nil && !errors.Is(err, test.cause) {
		t.Errorf("got error %v, want ErrNotSent because of %v", err, test.cause)
	}
	if meta.Sent || meta.Began.IsZero() || meta.Ended.Before(meta.Began) {
		t.Errorf("got meta %+v, want not sent, with both instants", meta)
	}
	for _, head := range p.requests(t, c) {
		if strings.Contains(head, "\r\nAuthorization: ") {
			t.Errorf("the platform was sent\n%s", head)
		}
	}
}

func TestUntrustedCertificates(t *testing.T) {
	t.Parallel()
	mine, pool := certificate(t, "127.0.0.1")
	other, otherPool := certificate(t, "platform.example")
	old := mine.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	for name, test := range map[string]struct {
		server *tls.Config
		trust  func(*Config)
	}{
		"unknown authority": {mine, trusting(otherPool)},
		"another name":      {other, trusting(otherPool)},
		"TLS 1.1":           {old, trusting(pool)},
	} {
		p := listenTLS(t, test.server, answering(reply(200, lookBody)))
		c := connect(t, p.url, test.trust)
		meta, err := do(t, c, quota.Get, testID, time.Time{})
		if !errors.Is(err, ErrNotSent) || meta.Sent {
			t.Errorf("%s: got error %v, sent %t; want ErrNotSent", name, err, meta.Sent)
		}
		if got := p.requests(t, c); len(got) != 0 {
			t.Errorf("%s: the server was sent\n%s", name, got)
		}
	}
}

// Once a byte may have been written, an order is unknown, however it ends.
func TestSentAndUnknown(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 201 Created\r\n"
	for name, serve := range map[string]func(*session){
		"closed unanswered":       once(""),
		"reset":                   func(s *session) { s.read(); s.reset() },
		"reset unread":            func(s *session) { _, _ = s.in.Peek(1); s.reset() },
		"no HTTP":                 once("SSH-2.0-OpenSSH_9.6\r\n\r\n"),
		"HTTP/2":                  once("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		"half a status line":      once("HTTP/1.1 2"),
		"status of two digits":    once("HTTP/1.1 20 OK\r\n\r\n"),
		"status zero":             once("HTTP/1.1 000 None\r\n\r\n"),
		"half a header":           once(head + "Content-Le"),
		"header without a colon":  once(head + "Content\r\n\r\n" + startBody),
		"huge headers":            once(head + "A: " + strings.Repeat("a", 2*maxHeaders) + "\r\n\r\n" + startBody),
		"two lengths":             once(head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + startBody),
		"negative length":         once(head + "Content-Length: -1\r\n\r\n" + startBody),
		"body cut":                once(head + "Content-Length: 4000\r\n\r\n" + startBody),
		"chunk cut":               once(head + "Transfer-Encoding: chunked\r\n\r\n" + "ff\r\n" + startBody),
		"chunk length nonsense":   once(head + "Transfer-Encoding: chunked\r\n\r\n" + "zz\r\n" + startBody),
		"reset in the body":       func(s *session) { s.read(); s.send(head + "Content-Length: 4000\r\n\r\n{"); s.reset() },
		"body over the cap":       once(reply(201, startBody+strings.Repeat(" ", maxBody))),
		"no body":                 once(reply(204, "")),
		"not JSON":                once(reply(201, "Created")),
		"an array":                once(reply(201, "["+startBody+"]")),
		"JSON and more":           once(reply(201, startBody+startBody)),
		"about another":           once(reply(201, strings.ReplaceAll(startBody, testID, "b1f77113"))),
		"about another, by case":  once(reply(201, strings.ReplaceAll(startBody, testID, "W41B11C0"))),
		"about none":              once(reply(201, `{"operation":"starting"}`)),
		"hangs":                   (*session).wait,
		"hangs in the body":       func(s *session) { s.read(); s.send(head + "Content-Length: 4000\r\n\r\n{"); s.wait() },
		"says 100 and then hangs": func(s *session) { s.read(); s.send("HTTP/1.1 100 Continue\r\n\r\n"); s.wait() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := listen(t, serve)
			c := connect(t, p.url, func(c *Config) {
				if strings.Contains(name, "hangs") {
					c.Timeout = 50 * time.Millisecond
				}
			})
			meta, err := do(t, c, quota.Start, testID, time.Time{})
			if !errors.Is(err, ErrUnknown) || !meta.Sent {
				t.Errorf("got error %v, sent %t; want ErrUnknown, sent", err, meta.Sent)
			}
			if strings.Contains(name, "hangs") && !errors.Is(err, errTimeout) {
				t.Errorf("got error %v, want a time-out", err)
			}
			if got := p.requests(t, c); len(got) > 1 {
				t.Errorf("%d requests on the wire for one call:\n%s", len(got), strings.Join(got, ""))
			}
		})
	}
}

// What is no look teaches nothing, and is an error.
func TestNoLook(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"about another": reply(200, strings.ReplaceAll(lookBody, testID, "b1f77113")),
		"no status":     reply(200, `{"deploymentID":"w41b11c0"}`),
		"status null":   reply(200, `{"deploymentID":"w41b11c0","status":null}`),
		"status number": reply(200, `{"deploymentID":"w41b11c0","status":1}`),
		"empty":         reply(200, ""),
		"no content":    reply(204, ""),
		"an error body": reply(200, `{"code":"SYS","message":"try later"}`),
	} {
		p := listen(t, once(answer))
		d, meta, err := connect(t, p.url).Get(t.Context(), testID, permit(quota.Get), time.Time{})
		if !errors.Is(err, ErrUnknown) || !meta.Sent || d != (Deployment{}) {
			t.Errorf("%s: got %+v, error %v; want none and ErrUnknown", name, d, err)
		}
	}
}

func TestCancelledBeforeAndAfter(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := listen(t, func(s *session) {
		if s.read() {
			cancel()
			s.wait()
		}
	})
	c := connect(t, p.url)
	_, meta, err := c.Stop(ctx, testID, permit(quota.Stop), time.Time{})
	if !errors.Is(err, ErrUnknown) || !errors.Is(err, context.Canceled) || !meta.Sent {
		t.Errorf("cancelled while it waits for its answer: error %v, sent %t; want ErrUnknown, sent", err, meta.Sent)
	}
	_, meta, err = c.Stop(ctx, testID, permit(quota.Stop), time.Time{})
	if !errors.Is(err, ErrNotSent) || !errors.Is(err, context.Canceled) || meta.Sent {
		t.Errorf("cancelled before: error %v, sent %t; want ErrNotSent", err, meta.Sent)
	}
	if got := p.requests(t, c); len(got) != 1 {
		t.Errorf("%d requests on the wire, want 1", len(got))
	}
}

// route is a way to the platform: the gate sits at another place on each.
type route struct {
	name string
	open func(t *testing.T) (*peer, *Client)
}

func routes() []route {
	serve := answering(reply(200, lookBody))
	return []route{
		{"plain", func(t *testing.T) (*peer, *Client) {
			p := listen(t, serve)
			return p, connect(t, p.url)
		}},
		{"TLS", func(t *testing.T) (*peer, *Client) {
			config, pool := certificate(t, "127.0.0.1")
			p := listenTLS(t, config, serve)
			return p, connect(t, p.url, trusting(pool))
		}},
		{"proxy", func(t *testing.T) (*peer, *Client) {
			config, pool := certificate(t, "127.0.0.1")
			p := listenTLS(t, config, serve)
			proxy := listen(t, func(s *session) { s.tunnel(p.ln.Addr().String()) })
			return p, connect(t, p.url, trusting(pool), through(proxy))
		}},
	}
}

// The worst moment to be late is after a connection was found: net/http writes
// whatever has become of the call by then.
func TestLateOnAReadyConnectionWritesNothing(t *testing.T) {
	t.Parallel()
	for _, way := range routes() {
		for _, kept := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s kept=%t", way.name, kept), func(t *testing.T) {
				t.Parallel()
				p, c := way.open(t)
				want := 0
				if kept {
					want = 1
					if _, err := do(t, c, quota.Get, testID, time.Time{}); err != nil {
						t.Fatal(err)
					}
				}
				sendBy := time.Now().Add(200 * time.Millisecond)
				found := false
				ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
					GotConn: func(httptrace.GotConnInfo) { found = true; holdUntilPast(sendBy) },
				})
				_, meta, err := c.Get(ctx, testID, permit(quota.Get), sendBy)
				if !errors.Is(err, ErrLate) || meta.Sent {
					t.Errorf("connection found: %t; got error %v, sent %t; want ErrLate", found, err, meta.Sent)
				}
				if got := p.requests(t, c); len(got) != want {
					t.Errorf("%d requests on the wire, want %d", len(got), want)
				}
			})
		}
	}
}

// holdUntilPast returns once by is past.
func holdUntilPast(by time.Time) {
	for !isLate(time.Now(), by) {
		runtime.Gosched()
	}
}

// A caller that gives up between the connection and the first byte has sent
// nothing.
func TestCancelledOnAReadyConnectionWritesNothing(t *testing.T) {
	t.Parallel()
	for _, way := range routes() {
		p, c := way.open(t)
		ctx, cancel := context.WithCancel(t.Context())
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel() }})
		_, meta, err := c.Get(ctx, testID, permit(quota.Get), time.Time{})
		if !errors.Is(err, ErrNotSent) || !errors.Is(err, context.Canceled) || meta.Sent {
			t.Errorf("%s: got error %v, sent %t; want ErrNotSent", way.name, err, meta.Sent)
		}
		if got := p.requests(t, c); len(got) != 0 {
			t.Errorf("%s: the platform was sent\n%s", way.name, got)
		}
	}
}

// moody serves connections that die in every way, each request by its number.
func moody(s *session) {
	if s.nr%11 == 0 {
		return // closed before it is asked anything
	}
	for n := s.nr; s.read(); n++ {
		switch n % 7 {
		case 3:
			return
		case 4:
			s.reset()
			return
		case 5:
			s.send(reply(500, ""))
			s.reset() // the client may have found it idle by now
			return
		case 6:
			s.send(reply(500, "", "Connection: close"))
			return
		default:
			s.send(reply(500, ""))
		}
	}
}

// Whatever dies when: no request arrives twice, and one that is said not to have
// been sent does not arrive.
func TestSentIsTrue(t *testing.T) {
	t.Parallel()
	p := listen(t, moody)
	c := connect(t, p.url)
	const workers, each = 8, 150
	metas := make([][]Meta, workers)
	var all sync.WaitGroup
	for w := range workers {
		metas[w] = make([]Meta, each)
		all.Go(func() {
			for i := range each {
				m := quota.Method((w + i) % quota.Methods)
				metas[w][i], _ = do(t, c, m, fmt.Sprintf("w%di%d", w, i), time.Time{})
			}
		})
	}
	all.Wait()
	seen := map[string]int{}
	for _, head := range p.requests(t, c) {
		path := strings.Fields(head)[1]
		seen[strings.Split(path, "/")[4]]++ // "", public_api, v1, deployments, ID
	}
	for w := range workers {
		for i, meta := range metas[w] {
			checkSent(t, fmt.Sprintf("w%di%d", w, i), meta, seen)
		}
	}
}

// checkSent holds what a call says of itself against what the server saw.
func checkSent(t *testing.T, id string, meta Meta, seen map[string]int) {
	t.Helper()
	switch n := seen[id]; {
	case n > 1:
		t.Errorf("%s arrived %d times", id, n)
	case n == 1 && !meta.Sent:
		t.Errorf("%s arrived, but is said not to have been sent", id)
	case n == 0 && meta.Status != 0:
		t.Errorf("%s never arrived, but has an answer: %+v", id, meta)
	}
}

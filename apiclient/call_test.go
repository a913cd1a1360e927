package apiclient

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"curfew/apiclient/quota"
)

// A pipe is a platform inside a bubble of virtual time: connecting and
// answering take as long as the test says.
type pipe struct {
	connecting, answering time.Duration
	answer                string

	conns    int
	requests atomic.Int32
	closed   atomic.Int32
}

// dial is the client's way to the pipe. Like a real one that hangs, it does not
// look at its context.
func (p *pipe) dial(context.Context, string, string) (net.Conn, error) {
	p.conns++
	time.Sleep(p.connecting)
	near, far := net.Pipe()
	go p.serve(far)
	return near, nil
}

func (p *pipe) serve(far net.Conn) {
	defer p.closed.Add(1)
	defer far.Close()
	in := bufio.NewReader(far)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		req.Body.Close()
		p.requests.Add(1)
		time.Sleep(p.answering)
		if _, err := far.Write([]byte(p.answer)); err != nil {
			return
		}
	}
}

// inBubble runs test in virtual time with a client whose platform is p.
func inBubble(t *testing.T, p *pipe, test func(t *testing.T, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, "http://localhost")
		c.dialer.dial = p.dial
		test(t, c)
		c.Close()
		time.Sleep(2 * p.connecting) // of virtual time: a bubble waits for no dial that hangs
	})
}

func TestTimeoutCountsFromTheFirstByte(t *testing.T) {
	t.Parallel()
	p := &pipe{connecting: 9 * time.Second, answering: 19 * time.Second, answer: reply(201, startBody)}
	inBubble(t, p, func(t *testing.T, c *Client) {
		asked := time.Now()
		meta, err := do(t, c, quota.Start, testID, time.Time{})
		if err != nil {
			t.Errorf("connected in 9s, answered in 19s: %v", err)
		}
		if began, ended := meta.Began.Sub(asked), meta.Ended.Sub(asked); began != 9*time.Second || ended != 28*time.Second {
			t.Errorf("began after %v, ended after %v; want 9s and 28s", began, ended)
		}
	})
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	p := &pipe{connecting: 9 * time.Second, answering: 21 * time.Second, answer: reply(201, startBody)}
	inBubble(t, p, func(t *testing.T, c *Client) {
		meta, err := do(t, c, quota.Start, testID, time.Time{})
		if !errors.Is(err, ErrUnknown) || !errors.Is(err, errTimeout) || !meta.Sent {
			t.Errorf("got error %v, sent %t; want a time-out, sent", err, meta.Sent)
		}
		if took := meta.Ended.Sub(meta.Began); took != Timeout {
			t.Errorf("gave up after %v, want %v", took, Timeout)
		}
	})
}

func TestSendByEndsTheWaitForAConnection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ sendBy, want time.Duration }{
		{5 * time.Second, 5 * time.Second},
		{time.Hour, Timeout}, // a permit is not kept busy by a dead network
	} {
		p := &pipe{connecting: time.Minute}
		inBubble(t, p, func(t *testing.T, c *Client) {
			asked := time.Now()
			meta, err := do(t, c, quota.Stop, testID, asked.Add(test.sendBy))
			if !errors.Is(err, ErrLate) || !errors.Is(err, ErrNotSent) || meta.Sent {
				t.Errorf("got error %v, sent %t; want ErrLate", err, meta.Sent)
			}
			if took := meta.Ended.Sub(asked); took != test.want {
				t.Errorf("sendBy in %v: gave up after %v, want %v", test.sendBy, took, test.want)
			}
		})
		if got := p.requests.Load(); got != 0 {
			t.Errorf("sendBy in %v: %d requests were written", test.sendBy, got)
		}
	}
}

// At sendBy itself a byte may still leave; a nanosecond later none may.
func TestSendByIsInclusive(t *testing.T) {
	t.Parallel()
	at := time.Now()
	for by, want := range map[time.Duration]bool{-1: true, 0: false, 1: false} {
		if got := isLate(at, at.Add(by)); got != want {
			t.Errorf("%d ns after sendBy: late is %t, want %t", -by, got, want)
		}
	}
	// An instant that was on disk has no monotonic reading.
	if wall := at.Add(-time.Second).Round(0); !isLate(at, wall) {
		t.Error("a second past sendBy by the wall clock is not late")
	}
}

func TestIdleConnectionsEndAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	p := &pipe{answer: reply(201, startBody)}
	inBubble(t, p, func(t *testing.T, c *Client) {
		look := func(wait time.Duration, conns int, closed int32) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			if got := p.closed.Load(); got != closed {
				t.Errorf("after %v idle, %d connections are closed, want %d", wait, got, closed)
			}
			if _, err := do(t, c, quota.Stop, testID, time.Time{}); err != nil {
				t.Error(err)
			}
			if p.conns != conns {
				t.Errorf("after %v idle, the call used connection %d, want %d", wait, p.conns, conns)
			}
		}
		look(0, 1, 0)
		look(4900*time.Millisecond, 1, 0)
		look(5100*time.Millisecond, 2, 1)
	})
}

// A call that is late when it is asked for leaves a warm connection to the next.
func TestLateCallSparesConnections(t *testing.T) {
	t.Parallel()
	p := listen(t, answering(reply(200, lookBody)))
	c := connect(t, p.url)
	for _, sendBy := range []time.Time{{}, time.Now(), {}} {
		if _, err := do(t, c, quota.Get, testID, sendBy); err != nil && !errors.Is(err, ErrLate) {
			t.Fatal(err)
		}
	}
	if got := p.requests(t, c); len(got) != 2 || len(p.conns) != 1 {
		t.Errorf("%d requests on %d connections, want 2 on 1", len(got), len(p.conns))
	}
}

// slow is a body that net/http must not read: it does so for 200 ms to find out
// whether there is anything in it, and where that takes longer, as on a stalled
// machine, it sends an empty body in chunks.
type slow struct{ onceOnly }

func (slow) Read([]byte) (int, error) {
	time.Sleep(time.Second)
	return 0, io.EOF
}

func TestBodyOfGETIsNotProbed(t *testing.T) {
	t.Parallel()
	p := &pipe{answer: reply(200, lookBody)}
	inBubble(t, p, func(t *testing.T, c *Client) {
		one := newCall(t.Context(), time.Now(), time.Time{}, time.Minute)
		defer one.release()
		req := c.request(one.ctx, quota.Get, testID)
		req.Body = slow{}
		resp, err := c.transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if took := time.Since(one.asked); took != 0 {
			t.Errorf("the request took %v: its body was read", took)
		}
	})
}

// deaf is a connection that takes one request and fails at the next before it
// writes a byte, as one does whose other end was reset.
type deaf struct {
	net.Conn
	writes atomic.Int32
	fails  bool
}

func (d *deaf) Write(b []byte) (int, error) {
	if d.fails && d.writes.Add(1) > 1 {
		return 0, errors.New("broken pipe")
	}
	return d.Conn.Write(b)
}

// Where not one byte could be written, net/http may try again; it does so for an
// order, and what counts is the connection that took it. A look is not tried
// again, and was not sent.
func TestWriteThatFailsAtOnceSentNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method quota.Method
		body   string
		want   error
		seen   int
	}{
		{quota.Stop, startBody, nil, 2},
		{quota.Get, lookBody, ErrNotSent, 1},
	} {
		p := listen(t, answering(reply(200, test.body)))
		c := connect(t, p.url)
		var dials sync.Once
		c.dialer.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			raw, err := new(net.Dialer).DialContext(ctx, network, addr)
			first := &deaf{Conn: raw}
			dials.Do(func() { first.fails = true })
			return first, err
		}
		if _, err := do(t, c, test.method, testID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		meta, err := do(t, c, test.method, testID, time.Time{})
		if !errors.Is(err, test.want) || meta.Sent != (test.want == nil) {
			t.Errorf("%s: got error %v, sent %t; want %v", test.method, err, meta.Sent, test.want)
		}
		if got := p.requests(t, c); len(got) != test.seen {
			t.Errorf("%s: %d requests on the wire, want %d", test.method, len(got), test.seen)
		}
	}
}

// Once the caller knows that nothing was sent, nothing can be, whoever writes.
func TestSealedCallWritesNothing(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	c := newCall(t.Context(), time.Now(), time.Time{}, time.Minute)
	defer c.release()
	gate := &conn{Conn: near}
	gate.call.Store(c)
	if wasSent, began := c.seal(); wasSent || began != c.asked {
		t.Errorf("sealed before a write: sent %t, began %v; want false, %v", wasSent, began, c.asked)
	}
	c.undo() // of a write that failed meanwhile: must not open it again
	if n, err := gate.Write([]byte("GET")); n != 0 || !errors.Is(err, errSpent) {
		t.Errorf("wrote %d bytes with error %v after the seal, want 0 and %v", n, err, errSpent)
	}
}

// An answer that came before its question is somebody else's.
func TestAnswerToNothing(t *testing.T) {
	t.Parallel()
	c := connect(t, "http://localhost")
	body, meta, err := c.judge(quota.Stop, testID, Meta{Status: 201}, []byte(startBody), nil)
	if !errors.Is(err, ErrNotSent) || body != nil || meta.Status != 0 {
		t.Errorf("got %q, %+v, %v; want nothing, ErrNotSent", body, meta, err)
	}
}

// TestRecall: what waits for its connection does not leave any more, what is on
// the wire goes on.
func TestRecall(t *testing.T) {
	t.Parallel()
	p := &pipe{connecting: 2 * time.Second, answering: 2 * time.Second, answer: reply(201, startBody)}
	inBubble(t, p, func(t *testing.T, c *Client) {
		var over atomic.Bool
		ctx := WithLeave(t.Context(), func() bool { return !over.Load() })
		var wg sync.WaitGroup
		var first, second error
		var meta Meta
		wg.Go(func() { _, _, first = c.Start(ctx, testID, permit(quota.Start), time.Time{}) })
		time.Sleep(3 * time.Second) // on the wire
		wg.Go(func() { _, meta, second = c.Start(ctx, testID, permit(quota.Start), time.Time{}) })
		time.Sleep(time.Second / 2) // connecting
		over.Store(true)
		wg.Wait()
		if first != nil {
			t.Errorf("the call on the wire: %v", first)
		}
		if !errors.Is(second, ErrRecalled) || !errors.Is(second, ErrNotSent) || meta.Sent {
			t.Errorf("the call that waited: %v, sent %v; want it recalled", second, meta.Sent)
		}
		if n := p.requests.Load(); n != 1 {
			t.Errorf("%d requests arrived, want 1", n)
		}
	})
}

// TestList: one GET of all, at the address of all; a look without an ID is none.
func TestList(t *testing.T) {
	t.Parallel()
	p := listen(t, once(reply(200, `[{"deploymentID":"a","deploymentName":"dev-eu","status":"running"}]`)))
	c := connect(t, p.url)
	all, meta, err := c.List(t.Context(), permit(quota.Get), time.Time{})
	if err != nil || len(all) != 1 || all[0].Name != "dev-eu" || !meta.Sent {
		t.Errorf("list: %+v, %+v, %v", all, meta, err)
	}
	if _, meta, err := c.Get(t.Context(), "", permit(quota.Get), time.Time{}); !errors.Is(err, errBadID) || meta.Sent {
		t.Errorf("a look at no deployment: sent %v, %v", meta.Sent, err)
	}
	if _, _, err := c.List(t.Context(), permit(quota.Stop), time.Time{}); !errors.Is(err, ErrNoPermit) {
		t.Errorf("a list with a permit to stop: %v", err)
	}
	if heads := p.requests(t, c); len(heads) != 1 || !strings.HasPrefix(heads[0], "GET /public_api/v1/deployments HTTP/1.1\r\n") {
		t.Errorf("on the wire: %q", heads)
	}
}

package apiclient

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/apiclient/quota"
)

// What is on the wire is what the platform's page documents, and nothing more.
func TestRequestsAsDocumented(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method quota.Method
		line   string
		extra  string
		body   string
	}{
		{quota.Get, "GET /public_api/v1/deployments/w41b11c0 HTTP/1.1", "", lookBody},
		{quota.Start, "POST /public_api/v1/deployments/w41b11c0/start HTTP/1.1", "Content-Length: 0\r\n", startBody},
		{quota.Stop, "POST /public_api/v1/deployments/w41b11c0/stop HTTP/1.1", "Content-Length: 0\r\n", startBody},
	} {
		t.Run(test.method.String(), func(t *testing.T) {
			t.Parallel()
			p := listen(t, answering(reply(200, test.body)))
			c := connect(t, p.url+"/") // a trailing slash is tolerated
			if _, err := do(t, c, test.method, testID, time.Time{}); err != nil {
				t.Fatal(err)
			}
			want := []string{test.line + "\r\n" +
				"Host: " + p.ln.Addr().String() + "\r\n" +
				"User-Agent: curfew/test\r\n" + test.extra +
				"Accept: application/json\r\n" +
				"Authorization: " + testAuth + "\r\n\r\n"}
			if diff := cmp.Diff(want, p.requests(t, c)); diff != "" {
				t.Errorf("requests on the wire (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPathsEscapeTheID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"a/../b":  "/public_api/v1/deployments/a%2F..%2Fb/stop",
		"ä b":     "/public_api/v1/deployments/%C3%A4%20b/stop",
		"?x#y%2F": "/public_api/v1/deployments/%3Fx%23y%252F/stop",
		"...":     "/public_api/v1/deployments/.../stop",
	} {
		p := listen(t, answering(reply(404, "")))
		c := connect(t, p.url)
		if _, err := do(t, c, quota.Stop, id, time.Time{}); !errors.Is(err, ErrNotFound) {
			t.Errorf("stop %q: got error %v, want ErrNotFound", id, err)
		}
		if got := p.requests(t, c)[0]; !strings.HasPrefix(got, "POST "+want+" HTTP/1.1\r\n") {
			t.Errorf("stop %q: asked for\n%s\nwant path %s", id, got, want)
		}
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	p := listen(t, answering(reply(200, lookBody, "Date: Mon, 22 Jul 2024 05:32:01 GMT")))
	c := connect(t, p.url)
	before := time.Now()
	got, meta, err := c.Get(t.Context(), testID, permit(quota.Get), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := Deployment{
		Connections: "1000", CreateAt: "2024-07-22 05:32", ID: testID,
		Name: "deployment-w41b11c0", Type: "dedicated", Platform: "AWS",
		Region: "N. Virginia (us-east-1)", Status: "running",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deployment (-want +got):\n%s", diff)
	}
	if before.After(meta.Began) || meta.Began.After(meta.Ended) || meta.Ended.After(time.Now()) {
		t.Errorf("began %v, ended %v: want both in this order since %v", meta.Began, meta.Ended, before)
	}
	meta.Began, meta.Ended = time.Time{}, time.Time{}
	wantMeta := Meta{Sent: true, Status: 200, Date: time.Date(2024, 7, 22, 5, 32, 1, 0, time.UTC)}
	if diff := cmp.Diff(wantMeta, meta); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	p := listen(t, answering(reply(201, startBody)))
	got, meta, err := connect(t, p.url).Start(t.Context(), testID, permit(quota.Start), time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	want := Operation{ID: testID, Name: "deployment-w41b11c0", Operation: "starting"}
	if got != want || meta.Status != 201 || !meta.Sent {
		t.Errorf("got %+v with %+v, want %+v with status 201", got, meta, want)
	}
}

// Every documented status, and the rest, with and without what the official
// client reads of an error's body.
func TestStatuses(t *testing.T) {
	t.Parallel()
	const wait = "Retry-After: 120"
	for _, test := range []struct {
		answer string
		want   Error
	}{
		{reply(401, ``), Error{Status: 401, kind: ErrUnauthorized}},
		{reply(401, `{"code":"UNAUTHORIZED","message":"no"}`), Error{Status: 401, kind: ErrUnauthorized, Code: "UNAUTHORIZED", Message: "no"}},
		{reply(403, `{"code":403001,"message":"scope"}`), Error{Status: 403, kind: ErrForbidden, Code: "403001", Message: "scope"}},
		{reply(404, `<html>not here</html>`), Error{Status: 404, kind: ErrNotFound}},
		{reply(422, `{"message":"not running"}`), Error{Status: 422, kind: ErrRefused, Message: "not running"}},
		{reply(429, ``), Error{Status: 429, kind: ErrLimited}},
		{reply(429, ``, wait), Error{Status: 429, kind: ErrLimited, RetryAfter: 2 * time.Minute}},
		{reply(500, ``), Error{Status: 500, kind: ErrUnknown}},
		{reply(503, `{"code":null,"message":{}}`, wait), Error{Status: 503, kind: ErrUnknown, RetryAfter: 2 * time.Minute}},
		{reply(304, ``), Error{Status: 304, kind: ErrUnknown}},
		{reply(400, ``), Error{Status: 400, kind: ErrUnknown}},
		{reply(409, ``), Error{Status: 409, kind: ErrUnknown}},
		{reply(999, ``), Error{Status: 999, kind: ErrUnknown}},
		// The status is in, whatever happens to the body.
		{"HTTP/1.1 404 No\r\nContent-Length: 99\r\n\r\n{", Error{Status: 404, kind: ErrNotFound}},
	} {
		for _, m := range []quota.Method{quota.Get, quota.Start, quota.Stop} {
			p := listen(t, once(test.answer))
			meta, err := do(t, connect(t, p.url), m, testID, time.Time{})
			want := test.want
			want.Method, want.Deployment, want.Sent = m, testID, true
			got, ok := errors.AsType[*Error](err)
			if !ok || *got != want {
				t.Errorf("%s answered %q:\n got %#v\nwant %#v", m, test.answer, err, &want)
				continue
			}
			if meta.Status != want.Status || meta.RetryAfter != want.RetryAfter || !meta.Sent {
				t.Errorf("%s answered %q: meta %+v does not agree with %#v", m, test.answer, meta, got)
			}
		}
	}
}

// An error is exactly one kind: callers may ask in any order.
func TestErrorIsOneKind(t *testing.T) {
	t.Parallel()
	kinds := []error{ErrUnauthorized, ErrForbidden, ErrNotFound, ErrRefused, ErrLimited, ErrUnknown, ErrNotSent}
	for _, kind := range kinds {
		err := fmt.Errorf("wrapped: %w", &Error{kind: kind})
		for _, other := range kinds {
			if got := errors.Is(err, other); got != (kind == other) {
				t.Errorf("errors.Is(%v, %v) = %t", kind, other, got)
			}
		}
	}
}

// dying serves one answer on a connection, then closes it when the next request
// is in: what a balancer does whose patience is over.
func dying(answer string) func(*session) {
	return func(s *session) {
		if s.read() {
			s.send(answer)
			s.read()
		}
	}
}

// The platform counts requests, so a GET that net/http repeats costs a second
// one that nobody claimed.
func TestDyingConnectionSendsOneRequest(t *testing.T) {
	t.Parallel()
	for _, m := range []quota.Method{quota.Get, quota.Start, quota.Stop} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			body := map[bool]string{true: lookBody, false: startBody}[m == quota.Get]
			p := listen(t, dying(reply(200, body)))
			c := connect(t, p.url)
			if _, err := do(t, c, m, testID, time.Time{}); err != nil {
				t.Fatal(err)
			}
			meta, err := do(t, c, m, testID, time.Time{})
			if !errors.Is(err, ErrUnknown) || !meta.Sent {
				t.Errorf("second call: error %v, sent %t; want ErrUnknown, sent", err, meta.Sent)
			}
			if got := p.requests(t, c); len(got) != 2 {
				t.Errorf("%d requests on the wire for 2 calls:\n%s", len(got), strings.Join(got, ""))
			}
		})
	}
}

// The trap is real: if net/http ever stops repeating, this says so.
func TestBareTransportRepeatsGET(t *testing.T) {
	t.Parallel()
	p := listen(t, dying(reply(200, lookBody)))
	c := connect(t, p.url)
	bare := &http.Transport{}
	defer bare.CloseIdleConnections()
	for range 2 {
		if err := roundTrip(t.Context(), bare, p.url); err != nil {
			t.Fatal(err)
		}
	}
	bare.CloseIdleConnections()
	if got := p.requests(t, c); len(got) != 3 {
		t.Errorf("%d requests on the wire for 2 bare GETs, want 3: one is repeated", len(got))
	}
}

// roundTrip makes a GET that net/http may repeat, and reads the whole answer.
func roundTrip(ctx context.Context, rt http.RoundTripper, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = readBody(resp, maxBody)
	return err
}

// The gate alone is enough: it holds even where net/http would repeat.
func TestGateAllowsOneRequestPerCall(t *testing.T) {
	t.Parallel()
	p := listen(t, dying(reply(200, lookBody)))
	c := connect(t, p.url)
	first := newCall(t.Context(), time.Now(), time.Time{}, time.Minute)
	defer first.release()
	if err := roundTrip(first.ctx, c.transport, p.url); err != nil {
		t.Fatal(err)
	}
	second := newCall(t.Context(), time.Now(), time.Time{}, time.Minute)
	defer second.release()
	if err := roundTrip(second.ctx, c.transport, p.url); !errors.Is(err, errSpent) {
		t.Errorf("the repeated GET ended with %v, want %v", err, errSpent)
	}
	if wasSent, _ := second.seal(); !wasSent {
		t.Error("the second call says that nothing was sent")
	}
	if got := p.requests(t, c); len(got) != 2 {
		t.Errorf("%d requests on the wire for 2 calls, want 2", len(got))
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		elsewhere := listen(t, answering(reply(201, startBody)))
		p := listen(t, answering(reply(status, "", "Location: "+elsewhere.url)))
		c := connect(t, p.url)
		for _, m := range []quota.Method{quota.Get, quota.Stop} {
			if _, err := do(t, c, m, testID, time.Time{}); !errors.Is(err, ErrUnknown) {
				t.Errorf("%s answered %d: got error %v, want ErrUnknown", m, status, err)
			}
		}
		if got := elsewhere.requests(t, c); len(got) != 0 {
			t.Errorf("%d was followed:\n%s", status, strings.Join(got, ""))
		}
	}
}

// Compression would let a small answer become a large one, and is not asked for.
func TestGzipIsNotDecoded(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(lookBody + strings.Repeat(" ", 8<<20)))
	_ = w.Close()
	p := listen(t, answering(reply(200, packed.String(), "Content-Encoding: gzip", "Content-Type: application/json")))
	_, err := do(t, connect(t, p.url), quota.Get, testID, time.Time{})
	if !errors.Is(err, ErrUnknown) {
		t.Errorf("got error %v, want ErrUnknown: the body is not JSON as it stands", err)
	}
}

// HTTP/2 is not offered: on a shared connection "nothing was written" means
// nothing.
func TestHTTP2IsNotOffered(t *testing.T) {
	t.Parallel()
	config, pool := certificate(t, "127.0.0.1")
	config.NextProtos = []string{"h2", "http/1.1"}
	offered := make(chan []string, 2)
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		offered <- hello.SupportedProtos
		return nil, nil
	}
	p := listenTLS(t, config, answering(reply(200, lookBody)))
	proxy := listen(t, func(s *session) { s.tunnel(p.ln.Addr().String()) })
	for name, c := range map[string]*Client{
		"straight":        connect(t, p.url, trusting(pool)),
		"through a proxy": connect(t, p.url, trusting(pool), through(proxy)),
	} {
		if _, err := do(t, c, quota.Get, testID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got := <-offered; slices.Contains(got, "h2") {
			t.Errorf("%s, the client offers %q", name, got)
		}
	}
}

// A connection is used again, and no more of them are kept than there are slots.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	p := listen(t, answering(reply(200, lookBody)))
	c := connect(t, p.url)
	for range 5 {
		if _, err := do(t, c, quota.Get, testID, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(p.requests(t, c)); got != 5 || len(p.conns) != 1 {
		t.Errorf("%d requests on %d connections, want 5 on 1", got, len(p.conns))
	}
	if got := connect(t, p.url, func(c *Config) { c.Slots = 7 }).transport.MaxIdleConnsPerHost; got != 7 {
		t.Errorf("7 slots keep %d connections", got)
	}
}

// Informational answers come before the answer; a switch of protocols is one.
func TestInformationalAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, answer string
		want         error
	}{
		{"100 first", "HTTP/1.1 100 Continue\r\n\r\n" + reply(200, lookBody), nil},
		{"102 and 103 first", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + reply(200, lookBody), nil},
		{"only 100", "HTTP/1.1 100 Continue\r\n\r\n", ErrUnknown},
		{"101", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", ErrUnknown},
		{"101 without Upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n", ErrUnknown},
		{"100 for ever", strings.Repeat("HTTP/1.1 100 Continue\r\nA: "+strings.Repeat("a", 1000)+"\r\n\r\n", 100), ErrUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := listen(t, func(s *session) {
				if s.read() {
					s.send(test.answer)
					if strings.HasPrefix(test.name, "101") {
						s.wait() // the server thinks that the connection is another protocol's now
					}
				}
			})
			c := connect(t, p.url)
			if _, err := do(t, c, quota.Get, testID, time.Time{}); !errors.Is(err, test.want) {
				t.Errorf("got error %v, want %v", err, test.want)
			}
			if got := p.requests(t, c); len(got) != 1 {
				t.Errorf("got %d requests, want 1", len(got))
			}
		})
	}
}

// Behind a proxy all holds as without one, and the proxy sees no credentials of
// the platform.
func TestProxy(t *testing.T) {
	t.Parallel()
	config, pool := certificate(t, "127.0.0.1")
	p := listenTLS(t, config, answering(reply(200, lookBody)))
	tunnel := listen(t, func(s *session) { s.tunnel(p.ln.Addr().String()) })
	c := connect(t, p.url, trusting(pool), through(tunnel))
	for range 2 {
		if meta, err := do(t, c, quota.Get, testID, time.Time{}); err != nil || !meta.Sent {
			t.Errorf("got error %v, sent %t; want a look", err, meta.Sent)
		}
	}
	if got := p.requests(t, c); len(got) != 2 {
		t.Errorf("the platform got %d requests, want 2", len(got))
	}
	seen := tunnel.requests(t, c)
	if len(seen) != 1 || !strings.HasPrefix(seen[0], "CONNECT ") || strings.Contains(seen[0], testAuth) {
		t.Errorf("the proxy got %q, want one CONNECT without the key", seen)
	}
}

func TestPlainHTTPTakesNoProxy(t *testing.T) {
	t.Parallel()
	p := listen(t, answering(reply(200, lookBody)))
	tunnel := listen(t, answering(reply(200, lookBody)))
	c := connect(t, p.url, through(tunnel))
	if _, err := do(t, c, quota.Get, testID, time.Time{}); err != nil {
		t.Error(err)
	}
	if got := tunnel.requests(t, c); len(got) != 0 {
		t.Errorf("the proxy was shown %q", got)
	}
}

// through sends a client's connections through p.
func through(p *peer) func(*Config) {
	return func(c *Config) {
		c.Proxy = func(*http.Request) (*url.URL, error) {
			return &url.URL{Scheme: "http", Host: p.ln.Addr().String(), User: url.UserPassword("egress", "proxy-pass")}, nil
		}
	}
}

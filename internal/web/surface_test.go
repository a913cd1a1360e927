package web

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// verbs are all that HTTP knows, WebDAV's for one, and some that nobody does.
func verbs() []string {
	return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "MKCOL", "BREW", "get"}
}

// paths are all of ours, and what people try on a surface that they do not know.
func paths() []string {
	return append([]string{"/", "/metrics", "/healthz", "/readyz"}, tricks()...)
}

// tricks are other spellings of our paths, and ways out of them.
func tricks() []string {
	return []string{
		"//", "///metrics", "//metrics", "/metrics/", "/metrics//", "/./metrics", "/healthz/../metrics", "/../metrics",
		"/%2e%2e/metrics", "/%2E/metrics", "/%6detrics", "/metrics%2f", "/metrics%00", "/metrics%0d%0aSet-Cookie:%20a=b", "/%2fmetrics",
		"/Metrics", "/metrics;a=b", "/metrics.", "/metrics%20", "/index.html", "/favicon.ico", "/..%2f..%2fetc/passwd", "/%5c..%5c",
		"//elsewhere.example/", "//elsewhere.example/%2f..", "/\\elsewhere.example/", "/debug/pprof/", "/debug/vars", "/-/reload", "/-/quit",
		"/api/v1/hold", "/hold", "/stop", "/reload", "/.git/config", "/" + strings.Repeat("a", 1900), "/" + strings.Repeat("../", 600),
	}
}

// TestNoRouteChangesState asks everything in every way, with all that a browser
// adds to a request from another site: nothing of what the daemon shows is
// different afterwards, and no way is open but GET and HEAD.
func TestNoRouteChangesState(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(fleet()), PerDeploymentAuto, "office-hours")
	d.metrics.Observe(happened())
	before := d.scrape(t)
	for _, path := range paths() {
		for _, method := range verbs() {
			req := httptest.NewRequest(method, "/", nil)
			req.RequestURI = path
			if u, err := req.URL.Parse(path); err == nil && strings.HasPrefix(path, "/") {
				req.URL, req.URL.Host = u, ""
			}
			req.Header.Set("Origin", "https://elsewhere.example")
			req.Header.Set("X-HTTP-Method-Override", "DELETE")
			w := httptest.NewRecorder()
			d.handler.ServeHTTP(w, req)
			if reads := method == "GET" || method == "HEAD"; !reads && (w.Code != http.StatusMethodNotAllowed || w.Header().Get("Connection") != "close") {
				t.Errorf("%s %.60s: %d, Connection %q, want 405 and close", method, path, w.Code, w.Header().Get("Connection"))
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("%s %.60s: lets %q read it", method, path, got)
			}
		}
	}
	if diff := cmp.Diff(before, d.scrape(t)); diff != "" {
		t.Errorf("asking changed what the daemon shows (-before +after):\n%s", diff)
	}
}

// raw sends the bytes of a request to a server on a real socket, and returns the
// answer and its body.
func raw(t *testing.T, addr, request string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second)) // a server that waits is a failure
	go io.WriteString(c, request)                   // the server may answer, and close, before it has read all
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body) // a refused body may cost its answer the end
	return resp, string(body)
}

// served serves d on loopback until the test ends.
func served(t *testing.T, d *daemon) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- Serve(t.Context(), ln, d.handler, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil { // the test's context is done by now
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// TestPathTricks: a path has one spelling. No other leads to a page, none leads
// elsewhere, and none is repeated.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	addr := served(t, newDaemon(t, always(fleet()), PerDeploymentAuto))
	for _, path := range tricks() {
		resp, body := raw(t, addr, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if resp.StatusCode != http.StatusNotFound || resp.Header.Get("Location") != "" {
			t.Errorf("GET %.60s: %d to %q, want 404 and nowhere", path, resp.StatusCode, resp.Header.Get("Location"))
		}
		if !strings.HasPrefix(body, "there is nothing here") {
			t.Errorf("GET %.60s says %.200q", path, body)
		}
	}
}

// TestRefusals: what is malformed, too large or not for us is refused in a
// sentence that holds nothing of what was sent.
func TestRefusals(t *testing.T) {
	t.Parallel()
	addr := served(t, newDaemon(t, always(fleet()), PerDeploymentAuto))
	const mark, host = "xssmark", "Host: localhost\r\n"
	long := strings.Repeat(mark, 1000)
	for _, test := range []struct {
		name, request string
		codes         []int
	}{
		{"unknown path", "GET /<script>" + mark + "</script> HTTP/1.1\r\n" + host + "\r\n", []int{404}},
		{"unknown method", mark + " / HTTP/1.1\r\n" + host + "\r\n", []int{405}},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", []int{405}},
		{"TRACE", "TRACE / HTTP/1.1\r\n" + host + "X-A: " + mark + "\r\n\r\n", []int{405}},
		{"CONNECT", "CONNECT " + mark + ":443 HTTP/1.1\r\n" + host + "\r\n", []int{405, 421}},
		{"long query", "GET /metrics?" + long[:3000] + " HTTP/1.1\r\n" + host + "\r\n", []int{414}},
		{"huge address", "GET /" + strings.Repeat(long, 5) + " HTTP/1.1\r\n" + host + "\r\n", []int{431}},
		{"huge header", "GET / HTTP/1.1\r\n" + host + "X-A: " + strings.Repeat(long, 5) + "\r\n\r\n", []int{431}},
		{"many headers", "GET / HTTP/1.1\r\n" + host + strings.Repeat("X-A: "+mark+"\r\n", 3000) + "\r\n", []int{431}},
		{"a body", "GET /healthz HTTP/1.1\r\n" + host + "Content-Length: 7\r\n\r\n" + mark, []int{413}},
		{"a chunked body", "GET /healthz HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n7\r\n" + mark + "\r\n0\r\n\r\n", []int{413}},
		{"two lengths", "GET / HTTP/1.1\r\n" + host + "Content-Length: 7\r\nContent-Length: 8\r\n\r\n" + mark, []int{400}},
		{"length and chunks", "GET / HTTP/1.1\r\n" + host + "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n" + mark, []int{413}},
		{"header without a name", "GET / HTTP/1.1\r\n" + host + ": " + mark + "\r\n\r\n", []int{400}},
		{"folded header", "GET / HTTP/1.1\r\n" + host + "X-A: a\r\n " + mark + "\r\n\r\n", []int{200, 400}},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", []int{400}},
		{"two Hosts", "GET / HTTP/1.1\r\n" + host + "Host: " + mark + "\r\n\r\n", []int{400}},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{405, 505, 421}},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + mark + "\r\n\r\n", []int{400}},
		{"control characters", "GET /\x01" + mark + " HTTP/1.1\r\n" + host + "\r\n", []int{400}},
		{"no address", "GET  HTTP/1.1\r\n" + host + "\r\n", []int{400}},
	} {
		resp, body := raw(t, addr, test.request)
		if !slices.Contains(test.codes, resp.StatusCode) {
			t.Errorf("%s: %d %q, want one of %d", test.name, resp.StatusCode, body, test.codes)
		}
		if all := fmt.Sprint(resp.Header, body); strings.Contains(all, mark) {
			t.Errorf("%s: the answer repeats what was sent:\n%s", test.name, all)
		}
	}
}

// TestBodyIsNoRequest: what is refused ends its connection, so that what was
// sent as a body is never taken for the next request.
func TestBodyIsNoRequest(t *testing.T) {
	t.Parallel()
	addr := served(t, newDaemon(t, always(fleet()), PerDeploymentAuto))
	inner := "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	for _, method := range []string{"GET", "POST"} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprintf(c, "%s / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s%s", method, len(inner), inner, inner)
		all, _ := io.ReadAll(c)
		c.Close()
		if n := strings.Count(string(all), "HTTP/1.1 "); n != 1 {
			t.Errorf("%s with a body gets %d answers, want 1:\n%s", method, n, all)
		}
	}
}

// TestHostNames: on a loopback address only this machine's own names are
// answered; a name that leads here from outside is not.
func TestHostNames(t *testing.T) {
	t.Parallel()
	addr := served(t, newDaemon(t, always(fleet()), PerDeploymentAuto))
	_, port, _ := net.SplitHostPort(addr)
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST.:" + port: 200, "curfew.localhost": 200, "127.0.0.1:" + port: 200, "[::1]:" + port: 200, "10.1.2.3": 200,
		"rebound.example": 421, "rebound.example:" + port: 421, "localhost.rebound.example": 421, "127.0.0.1.rebound.example": 421, "xlocalhost": 421,
	} {
		for _, request := range []string{
			"GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
			"GET http://" + host + "/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
		} {
			resp, body := raw(t, addr, request)
			if resp.StatusCode != want || resp.Header.Get("Content-Security-Policy") == "" || strings.Contains(body, "rebound") {
				t.Errorf("%q: %d %q, want %d with a content policy", request, resp.StatusCode, body, want)
			}
		}
	}
	if resp, body := raw(t, addr, "GET /healthz HTTP/1.0\r\n\r\n"); resp.StatusCode != http.StatusOK {
		t.Errorf("a probe by HTTP/1.0 without Host: %d %q, want 200", resp.StatusCode, body)
	}
}

// TestPageLoadsNothing: the page has no script, loads nothing and cannot be put
// into a frame, and its policy says so to browsers.
func TestPageLoadsNothing(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(fleet()), PerDeploymentAuto)
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	page := strings.ToLower(w.Body.String())
	for _, bad := range []string{"<script", "javascript:", " src=", "<link", "<form", "<iframe", " onload", " onclick", " onerror", " style=", "@import", "url("} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the content policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("the content policy allows scripts or unsafe styles: %q", policy)
	}
	for h, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
	} {
		if got := w.Header().Get(h); got != want {
			t.Errorf("%s: %q, want %q", h, got, want)
		}
	}
}

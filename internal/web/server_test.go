package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestOnlyReads: every method but GET and HEAD is refused on every path.
func TestOnlyReads(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(fleet()), PerDeploymentAuto)
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz", "/nowhere"} {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "BREW"} {
			w := httptest.NewRecorder()
			d.handler.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader("x")))
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q, want 405 and GET, HEAD", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(fleet()), PerDeploymentAuto)
	for path, want := range map[string]struct {
		code int
		kind string
	}{
		"/":            {200, "text/html; charset=utf-8"},
		"/metrics":     {200, "text/plain; version=0.0.4"},
		"/healthz":     {200, "text/plain; charset=utf-8"},
		"/readyz":      {200, "text/plain; charset=utf-8"},
		"/index.html":  {404, "text/plain"},
		"/metrics/":    {404, "text/plain"},
		"/debug/pprof": {404, "text/plain"},
		"/api/v1":      {404, "text/plain"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := httptest.NewRecorder()
			d.handler.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			kind := w.Header().Get("Content-Type")
			if w.Code != want.code || !strings.HasPrefix(kind, want.kind) {
				t.Errorf("%s %s: %d %q, want %d %q", method, path, w.Code, kind, want.code, want.kind)
			}
			for _, h := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"} {
				if w.Header().Get(h) == "" {
					t.Errorf("%s %s: has no %s", method, path, h)
				}
			}
		}
	}
}

// TestContentPolicy: the policy allows the page's style sheet as it is served,
// and nothing else that loads or runs.
func TestContentPolicy(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(fleet()), PerDeploymentAuto)
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(w.Body.String())
	if style == nil {
		t.Fatalf("the page has no style sheet:\n%s", w.Body)
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := w.Header().Get("Content-Security-Policy"); got != want {
		t.Errorf("policy %q\n  want %q", got, want)
	}
}

// broken is a collector that cannot collect.
type broken struct{ desc *prometheus.Desc }

func (b broken) Describe(ch chan<- *prometheus.Desc) { ch <- b.desc }

func (b broken) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(b.desc, errors.New("disk on fire"))
}

// TestBrokenCollector: what can be gathered is served, the rest is logged.
func TestBrokenCollector(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, always(fleet()), PerDeploymentAuto)
	d.registry.MustRegister(broken{prometheus.NewDesc("broken", "Breaks.", nil, nil)})
	code, body := d.get("/metrics")
	if code != http.StatusOK || !strings.Contains(body, "curfew_leader{") {
		t.Errorf("one broken collector: %d, want 200 with all other metrics\n%s", code, body)
	}
	if !strings.Contains(d.log.String(), "disk on fire") {
		t.Errorf("the log does not say why: %q", d.log)
	}
}

// TestServe on a real socket: it answers, refuses large headers, and ends with
// its context.
func TestServe(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	d := newDaemon(t, always(fleet()), PerDeploymentAuto)
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, ln, d.handler, slog.New(slog.DiscardHandler)) }()

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for _, tc := range []struct {
		path   string
		header int
		code   int
	}{{"/healthz", 0, 200}, {"/metrics", 0, 200}, {"/healthz", 2 * maxHeaderBytes, 431}} {
		req, err := http.NewRequest(http.MethodGet, "http://"+ln.Addr().String()+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Padding", strings.Repeat("x", tc.header))
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tc.code {
			t.Errorf("GET %s with %d bytes of header: %d, want %d", tc.path, tc.header, resp.StatusCode, tc.code)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v, want nil when its context ends", err)
	}
	if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		c.Close()
		t.Error("still listens after Serve has returned")
	}
}

// TestServeClosedListener: an end that nobody asked for is an error.
func TestServeClosedListener(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	err = Serve(t.Context(), ln, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if !errors.Is(err, net.ErrClosed) || !strings.HasPrefix(err.Error(), "serve 127.0.0.1:") {
		t.Errorf("Serve on a closed listener: %v, want one that names it", err)
	}
}

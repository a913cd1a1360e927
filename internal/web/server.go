package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are what the handler needs from its daemon.
type Options struct {
	Account  string
	Version  string              // shown at the foot of the page
	Gatherer prometheus.Gatherer // what /metrics serves
	Snapshot Snapshots           // for the page and for /readyz
	Health   *Health
	Log      *slog.Logger // scrapes that went wrong
}

// maxScrapes is how many scrapes may be answered at once; a stuck loop must not
// pile them up. Two Prometheus servers and a person fit.
const maxScrapes = 4

// New returns the handler of /, /metrics, /healthz and /readyz. Every other path
// is 404, every method but GET and HEAD is 405.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", metricsHandler(o))
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { o.Health.live().write(w) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		o.Health.ready(r.Context(), o.Snapshot).write(w)
	})
	mux.Handle("/{$}", newIndex(o))
	return readOnly(mux)
}

// metricsHandler serves what could be gathered even where some of it could not:
// a daemon in trouble is when its counters are needed.
func metricsHandler(o Options) http.Handler {
	return promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		ErrorLog:            scrapeLog{o.Log},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
	})
}

// scrapeLog is promhttp's logger.
type scrapeLog struct{ log *slog.Logger }

// Println implements promhttp.Logger. A prometheus.MultiError spans lines; slog
// keeps it in one attribute.
func (l scrapeLog) Println(v ...any) {
	l.log.Warn("serve metrics", "err", strings.TrimSpace(fmt.Sprintln(v...)))
}

// write answers a probe.
func (v verdict) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !v.ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	io.WriteString(w, v.text+"\n")
}

// readOnly lets only GET and HEAD through, and tells browsers that an answer
// needs nothing, may go nowhere and is not to be kept.
func readOnly(next http.Handler) http.Handler {
	policy := contentPolicy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "this address only reads: GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// contentPolicy allows the page's one style sheet, by its hash, and nothing else.
func contentPolicy() string {
	sum := sha256.Sum256([]byte(indexCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// The limits of a connection. An answer may take as long as a stuck loop makes a
// scrape wait, and then some for a slow line.
const (
	headerWithin   = 5 * time.Second
	requestWithin  = 10 * time.Second
	answerWithin   = time.Minute
	idleWithin     = 2 * time.Minute
	maxHeaderBytes = 16 << 10
	shutdownWithin = 5 * time.Second
)

// Serve answers on ln until ctx is done, then lets the answers under way finish
// for a few seconds and returns nil. It closes ln in any case. Any other end is
// an error.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerWithin,
		ReadTimeout:       requestWithin,
		WriteTimeout:      answerWithin,
		IdleTimeout:       idleWithin,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	err := shutdown(ctx, s)
	<-ended
	return err
}

// shutdown ends s. Answers that are not out by then are cut off: that is no
// error, since whoever reads this only ever comes again.
func shutdown(ctx context.Context, s *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWithin)
	defer cancel()
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	if err != nil {
		return fmt.Errorf("shut down web server: %w", err)
	}
	return nil
}

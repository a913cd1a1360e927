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

// maxAddress is how long a path with its query may be, in bytes.
const maxAddress = 2 << 10

// New returns the handler of /, /metrics, /healthz and /readyz. Every other path
// is 404, every method but GET and HEAD is 405, and a request that brings a body
// or a very long address is refused. No answer repeats anything of a request.
func New(o Options) http.Handler {
	return readOnly(routes{
		"/":        newIndex(o),
		"/metrics": newScrapes(o),
		"/healthz": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { o.Health.live().write(w) }),
		"/readyz": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			o.Health.ready(r.Context(), o.Snapshot).write(w)
		}),
	})
}

// routes are handlers by path. A path counts as it was sent: it is not decoded,
// cleaned or redirected, so that it has one spelling for us and for any proxy
// that guards it.
type routes map[string]http.Handler

// ServeHTTP implements http.Handler.
func (all routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, ok := all[r.URL.EscapedPath()]; ok {
		h.ServeHTTP(w, r)
		return
	}
	http.Error(w, "there is nothing here: the pages are /, /metrics, /healthz and /readyz", http.StatusNotFound)
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

// readOnly lets only GET and HEAD through, with nothing in them but an address
// of sane length. Whatever it refuses also ends the connection: what follows on
// it may be the body.
func readOnly(next http.Handler) http.Handler {
	policy := contentPolicy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		harmless(w.Header(), policy)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, "this address only reads: GET and HEAD", http.StatusMethodNotAllowed)
		case r.ContentLength != 0: // -1 is one of unknown length
			refuse(w, "this address takes no body", http.StatusRequestEntityTooLarge)
		case len(r.RequestURI) > maxAddress:
			refuse(w, "this address is too long", http.StatusRequestURITooLong)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, text string, code int) {
	w.Header().Set("Connection", "close")
	http.Error(w, text, code)
}

// harmless tells browsers that an answer needs nothing, may go nowhere and is
// not to be kept.
func harmless(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// sameMachine refuses what does not ask for this machine by a name of its own.
// A web page elsewhere can let its own name lead to 127.0.0.1 and have a browser
// here read for it; the browser still sends that name. It guards a listener on
// loopback only: elsewhere we do not know what we are called.
func sameMachine(next http.Handler) http.Handler {
	policy := contentPolicy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOwnName(r.Host) {
			harmless(w.Header(), policy)
			refuse(w, "this address is for this machine alone: ask for it as localhost or by its number, in a proxy's Host header, too",
				http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOwnName reports whether no name server had a say in a Host header: it is a
// number or localhost (RFC 6761, section 6.3), or HTTP/1.0 has none.
func isOwnName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	number := net.ParseIP(strings.Trim(name, "[]"))
	return name == "" || number != nil || name == "localhost" || strings.HasSuffix(name, ".localhost")
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
// an error. On a loopback address it answers only who asks for that by number
// or as localhost; it has at most 128 connections open, and no more than a
// quarter of the descriptors that the process may have.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, log *slog.Logger) error {
	if addr, ok := ln.Addr().(*net.TCPAddr); ok && addr.IP.IsLoopback() {
		h = sameMachine(h)
	}
	s := newServer(h, log)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(newVisitors(ln, connectionLimit(), log)) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	err := shutdown(ctx, s)
	<-ended
	return err
}

// newServer has a limit on everything that a client could draw out. What is wrong
// with a client's requests is no news: anybody could fill the log with it.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:                      marking(h),
		DisableGeneralOptionsHandler: true, // OPTIONS * is refused like any other
		ReadHeaderTimeout:            headerWithin,
		ReadTimeout:                  requestWithin,
		WriteTimeout:                 answerWithin,
		IdleTimeout:                  idleWithin,
		MaxHeaderBytes:               maxHeaderBytes,
		ConnContext:                  remember,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
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

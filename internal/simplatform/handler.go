package simplatform

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// HandlerConfig is how a World shows itself on the wire.
type HandlerConfig struct {
	Key, Secret string        // basic authentication; an empty Key lets everybody in
	Skew        time.Duration // the Date header is so far ahead of server time
	Latency     time.Duration // every answer takes so long
	BareErrors  bool          // no {"code", "message"} with an error

	// Wait waits for d of server time, or until ctx ends and then returns its
	// error. nil is a timer: server time passes as fast as everybody's. Where the
	// Handler's now runs faster, so should this.
	Wait func(ctx context.Context, d time.Duration) error
}

// A Handler serves a World over HTTP/1.1: the documented routes under any path
// prefix, and a control surface under /_sim/, which answers loopback addresses
// only and knows no password. It is safe for concurrent use. It is made for
// loopback servers, in tests and for play; nothing about it is hardened.
//
// One fault it cannot show as it is: by the time that a request is here its
// connection has been accepted, so Refused is a reset before the first byte of
// an answer. A client that was truly refused knows that nothing was sent; for
// that, close the listener.
type Handler struct {
	config  HandlerConfig
	now     func() time.Time
	control http.Handler

	mu    sync.Mutex
	world *World // guarded by mu
}

// NewHandler returns a Handler that owns w from now on; now is server time.
func NewHandler(w *World, now func() time.Time, c HandlerConfig) *Handler {
	if c.Wait == nil {
		c.Wait = wait
	}
	h := &Handler{config: c, now: now, world: w}
	h.control = h.controls()
	return h
}

// With calls f with the World and the server time while no request is answered.
// f must not keep the World, nor anything of its own that it returns.
func (h *Handler) With(f func(w *World, now time.Time)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(h.world, h.now())
}

// ServeHTTP answers the platform's routes and the control surface.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		h.control.ServeHTTP(w, r)
		return
	}
	q, ok := route(r.Method, r.URL)
	if !ok {
		h.fail(w, h.now(), http.StatusNotFound)
		return
	}
	q.Key, q.Unverified = h.authenticate(r)
	var resp Response
	var at time.Time
	h.With(func(w *World, now time.Time) { resp, at = w.Do(now, q), now })
	h.send(w, r, &resp, at)
}

// route finds the documented request in the end of a path, whatever stands
// before it.
func route(method string, u *url.URL) (Request, bool) {
	parts := strings.Split(u.EscapedPath(), "/")
	n := len(parts)
	id := func(i int) string { // an id may hold an escaped slash
		s, _ := url.PathUnescape(parts[i])
		return s
	}
	switch {
	case method == http.MethodPost && n >= 3 && parts[n-3] == "deployments" && parts[n-2] != "":
		var m Method
		if m.UnmarshalText([]byte(parts[n-1])) == nil && Posts.Has(m) {
			return Request{Method: m, ID: id(n - 2)}, true
		}
	case method == http.MethodGet && n >= 2 && parts[n-2] == "deployments" && parts[n-1] != "":
		return Request{Method: Get, ID: id(n - 1)}, true
	case method == http.MethodGet && parts[n-1] == "deployments":
		return Request{Method: List}, true
	}
	return Request{}, false
}

// authenticate returns the key of a request, and whether its secret is wrong.
func (h *Handler) authenticate(r *http.Request) (key string, unverified bool) {
	if h.config.Key == "" {
		return "", false
	}
	key, secret, ok := r.BasicAuth()
	same := subtle.ConstantTimeCompare([]byte(key), []byte(h.config.Key)) &
		subtle.ConstantTimeCompare([]byte(secret), []byte(h.config.Secret))
	return key, !ok || same != 1
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

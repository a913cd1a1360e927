package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// maxConnections is how many connections are open at once: some pairs of
// Prometheus servers, probes and people, several times over.
const maxConnections = 128

// tellDroppedEvery is how often the log hears that connections were closed for
// newer ones. Whoever opens thousands must not fill a disk with it.
const tellDroppedEvery = time.Minute

// connectionLimit is how many connections may be open here: never more than a
// quarter of the descriptors that the process may have, since the calls to the
// platform need theirs.
func connectionLimit() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return maxConnections
	}
	return int(min(maxConnections, max(1, uint64(r.Cur)/4)))
}

// visitors is a listener with a bound on its open connections. One more than
// that is let in and another one closed for it, so that nobody who only holds
// connections keeps a probe or a scrape out: of the host that has the most, one
// that is not being answered goes first, then the one that has been as it is for
// the longest.
type visitors struct {
	net.Listener
	max int
	log *slog.Logger

	mu      sync.Mutex
	open    map[*visitor]struct{}
	dropped int       // since they were told
	told    time.Time // when the log heard of it
}

// A visitor is one connection. What it does is guarded by the visitors' lock.
type visitor struct {
	net.Conn
	of       *visitors
	host     string
	answered bool      // a handler is at work for it
	since    time.Time // since when that is so
}

func newVisitors(ln net.Listener, limit int, log *slog.Logger) *visitors {
	return &visitors{Listener: ln, max: limit, log: log, open: map[*visitor]struct{}{}}
}

// Accept implements net.Listener.
func (l *visitors) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	v := &visitor{Conn: c, of: l, host: hostOf(c.RemoteAddr()), since: time.Now()}
	if loser := l.admit(v); loser != nil {
		loser.Conn.Close() // its own goroutine finds out
	}
	return v, nil
}

func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

// admit takes v in, and returns who has to go for it.
func (l *visitors) admit(v *visitor) (loser *visitor) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.max {
		loser = l.last()
		delete(l.open, loser)
		l.tell(v.since)
	}
	l.open[v] = struct{}{}
	return loser
}

// last is the one who can be missed most easily.
func (l *visitors) last() *visitor {
	all, of := make([]*visitor, 0, len(l.open)), map[string]int{}
	for v := range l.open {
		all = append(all, v)
		of[v.host]++
	}
	return slices.MinFunc(all, func(a, b *visitor) int {
		switch {
		case of[a.host] != of[b.host]:
			return of[b.host] - of[a.host]
		case a.answered != b.answered && b.answered:
			return -1
		case a.answered != b.answered:
			return 1
		}
		return a.since.Compare(b.since)
	})
}

// tell says now and then that connections were closed.
func (l *visitors) tell(now time.Time) {
	l.dropped++
	if now.Sub(l.told) < tellDroppedEvery {
		return
	}
	l.log.Warn("too many connections to this address: the oldest are closed for new ones", "limit", l.max, "closed", l.dropped)
	l.dropped, l.told = 0, now
}

// Close implements net.Conn.
func (v *visitor) Close() error {
	v.of.mu.Lock()
	delete(v.of.open, v)
	v.of.mu.Unlock()
	return v.Conn.Close()
}

// mark says whether v is being answered.
func (v *visitor) mark(answered bool) {
	v.of.mu.Lock()
	defer v.of.mu.Unlock()
	v.answered, v.since = answered, time.Now()
}

type visitorKey struct{}

// remember puts a connection where marking finds it.
func remember(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, visitorKey{}, c)
}

// marking keeps the connections whose requests next answers from being taken for
// idle ones.
func marking(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v, ok := r.Context().Value(visitorKey{}).(*visitor); ok {
			v.mark(true)
			defer v.mark(false)
		}
		next.ServeHTTP(w, r)
	})
}

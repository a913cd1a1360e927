package web

import (
	"bytes"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// maxScrapes is how many scrapes may be made at once; a stuck loop must not
	// pile them up. Two Prometheus servers and a person fit.
	maxScrapes = 4
	// maxSending is how many scrapes may be on their way to their readers at once,
	// which is what bounds the memory that slow readers cost.
	maxSending = 8
)

// scrapes answers /metrics. A scrape is made in memory and sent from there: how
// fast it is read is its reader's business, and neither keeps others from theirs
// nor reaches the log. Where too many are being sent, the one that takes longest
// is cut off for the newest.
type scrapes struct {
	make http.Handler

	mu      sync.Mutex
	sending []*http.ResponseController // the longest under way first
}

// newScrapes serves what could be gathered even where some of it could not: a
// daemon in trouble is when its counters are needed.
func newScrapes(o Options) *scrapes {
	return &scrapes{make: promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		ErrorLog:            scrapeLog{o.Log},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
	})}
}

// ServeHTTP implements http.Handler.
func (s *scrapes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	made := inMemory{header: w.Header(), code: http.StatusOK}
	s.make.ServeHTTP(&made, r)
	to := http.NewResponseController(w)
	s.begin(to)
	defer s.end(to)
	w.WriteHeader(made.code)
	w.Write(made.body.Bytes())
}

func (s *scrapes) begin(to *http.ResponseController) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sending) == maxSending {
		s.sending[0].SetWriteDeadline(time.Now())
		s.sending = s.sending[1:]
	}
	s.sending = append(s.sending, to)
}

// end takes a scrape off the list, unless it was cut off. Before it returns,
// its handler has not: so no deadline is ever set for a later request.
func (s *scrapes) end(to *http.ResponseController) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range s.sending {
		if c == to {
			s.sending = append(s.sending[:i], s.sending[i+1:]...)
			return
		}
	}
}

// inMemory is an answer that nobody reads yet.
type inMemory struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (m *inMemory) Header() http.Header { return m.header }

// WriteHeader implements http.ResponseWriter.
func (m *inMemory) WriteHeader(code int) { m.code = code }

// Write implements http.ResponseWriter.
func (m *inMemory) Write(b []byte) (int, error) { return m.body.Write(b) }

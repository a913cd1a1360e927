package simplatform

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// patient is a Wait that does not wait but remembers for how long it was to.
type patient struct{ waited chan time.Duration }

func newPatient() patient { return patient{make(chan time.Duration, 1000)} }

func (p patient) wait(_ context.Context, d time.Duration) error {
	p.waited <- d
	return nil
}

// total is the sum of all waits so far.
func (p patient) total() time.Duration {
	var sum time.Duration
	for len(p.waited) > 0 {
		sum += <-p.waited
	}
	return sum
}

// serve puts w on a loopback port; server time stands at the epoch.
func serve(t *testing.T, w *World, c HandlerConfig) (addr string, h *Handler) {
	t.Helper()
	h = NewHandler(w, epoch, c)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), h
}

// exchange sends a request over a connection of its own and reads until the
// server ends it. What comes back is all that was on the wire.
func exchange(t *testing.T, addr, head string) ([]byte, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := head + " HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nAuthorization: Basic a2V5OnNlY3JldA==\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return io.ReadAll(conn)
}

// answer takes an answer apart. Its body is as long as its head says, or err
// says otherwise.
func answer(t *testing.T, raw []byte) (resp *http.Response, body string, err error) {
	t.Helper()
	resp, err = http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
	if err != nil {
		t.Fatalf("no HTTP answer: %v\n%q", err, raw)
	}
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

// TestWireAnswers: the examples of the API page, byte for byte up to white
// space, and errors with and without a body.
func TestWireAnswers(t *testing.T) {
	t.Parallel()
	const deployment = `"connections":1000,"createAt":"2024-07-22 05:32","deploymentID":"w41b11c0",` +
		`"deploymentName":"deployment-w41b11c0","deploymentType":"dedicated","platform":"AWS",` +
		`"region":"N. Virginia (us-east-1)","status":"running"`
	for _, c := range []struct {
		request string
		status  int
		body    string
	}{
		{"GET /public_api/v1/deployments/w41b11c0", 200, "{" + deployment + "}"},
		{"GET /deployments/w41b11c0", 200, "{" + deployment + "}"},
		{"GET /a/b/c/d/deployments/w41b11c0?x=y", 200, "{" + deployment + "}"},
		{"GET /public_api/v1/deployments", 200, "[{" + deployment + `,"projectName":"dev","version":"5.8.1","tps":500}]`},
		{"POST /public_api/v1/deployments/w41b11c0/stop", 201,
			`{"deploymentID":"w41b11c0","deploymentName":"deployment-w41b11c0","operation":"stopping"}`},
		{"POST /public_api/v1/deployments/off/start", 201, `{"deploymentID":"off","deploymentName":"","operation":"starting"}`},
		{"POST /public_api/v1/deployments/w41b11c0/start", 422, `{"code":422,"message":"Invalid request parameters."}`},
		{"GET /public_api/v1/deployments/nobody", 404, `{"code":404,"message":"Deployment not found."}`},
		{"GET /public_api/v1/deployments/a%2Fb", 404, `{"code":404,"message":"Deployment not found."}`},
		{"POST /public_api/v1/deployments/w41b11c0/restart", 404, `{"code":404,"message":"Deployment not found."}`},
		{"POST /public_api/v1/deployments/w41b11c0/list", 404, `{"code":404,"message":"Deployment not found."}`},
		{"GET /public_api/v1/deployments/w41b11c0/stop", 404, `{"code":404,"message":"Deployment not found."}`},
		{"GET /public_api/v1/", 404, `{"code":404,"message":"Deployment not found."}`},
	} {
		t.Run(c.request, func(t *testing.T) {
			t.Parallel()
			for _, bare := range []bool{false, true} {
				w := worldOf(t, Config{}, example())
				if err := w.Add(epoch(), Deployment{ID: "off", Status: Stopped}, Timing{}); err != nil {
					t.Fatal(err)
				}
				if strings.HasSuffix(c.request, "/deployments") {
					_ = w.Act(epoch(), Act{ID: "off", Do: Delete})
				}
				addr, _ := serve(t, w, HandlerConfig{Key: "key", Secret: "secret", BareErrors: bare})
				raw, err := exchange(t, addr, c.request)
				if err != nil {
					t.Fatal(err)
				}
				resp, body, err := answer(t, raw)
				want := c.body
				if bare && c.status >= 400 {
					want = ""
				}
				if err != nil || resp.StatusCode != c.status || body != want {
					t.Errorf("bare errors %t: %d %s, %v\nwant %d %s", bare, resp.StatusCode, body, err, c.status, want)
				}
			}
		})
	}
}

// TestAuthentication: who does not know key and secret gets 401, and uses the
// quota all the same.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config HandlerConfig
		set    func(r *http.Request)
		status int
	}{
		{"right", HandlerConfig{Key: "key", Secret: "secret"}, func(r *http.Request) { r.SetBasicAuth("key", "secret") }, 200},
		{"wrong secret", HandlerConfig{Key: "key", Secret: "secret"}, func(r *http.Request) { r.SetBasicAuth("key", "x") }, 401},
		{"wrong key", HandlerConfig{Key: "key", Secret: "secret"}, func(r *http.Request) { r.SetBasicAuth("x", "secret") }, 401},
		{"none", HandlerConfig{Key: "key", Secret: "secret"}, func(*http.Request) {}, 401},
		{"a token", HandlerConfig{Key: "key"}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer key") }, 401},
		{"nobody asks", HandlerConfig{}, func(*http.Request) {}, 200},
	} {
		w := worldOf(t, Config{}, example())
		h := NewHandler(w, epoch, c.config)
		r := httptest.NewRequest("GET", "/deployments/"+example().ID, nil)
		c.set(r)
		got := httptest.NewRecorder()
		h.ServeHTTP(got, r)
		if got.Code != c.status {
			t.Errorf("%s: %d, want %d", c.name, got.Code, c.status)
		}
		if challenge := got.Header().Get("WWW-Authenticate"); (challenge != "") != (c.status == 401) {
			t.Errorf("%s: WWW-Authenticate %q with a %d", c.name, challenge, got.Code)
		}
		if n := w.Score().Calls[Get]; n != 1 {
			t.Errorf("%s: the World saw %d calls, want 1", c.name, n)
		}
	}
}

// wire is what a stop of a running deployment looks like from outside.
type wire struct {
	err    error         // what ends the reading; nil for a closed connection
	status int           // 0 for no answer at all
	json   bool          // the body is JSON, and complete
	header string        // a header field that is there, "Name: value"
	waited time.Duration // how long the server held back
	dated  time.Duration // how far its Date is behind the request's arrival
}

// wires has a row for every kind of fault.
func wires() map[string]wire {
	return map[string]wire{
		"lost-answer":           {},
		"dropped":               {},
		"refused":               {err: syscall.ECONNRESET},
		"reset-mid-body":        {err: syscall.ECONNRESET, status: 201},
		"slow":                  {status: 201, json: true, waited: 30 * time.Second},
		"hang":                  {status: 201, json: true, waited: 30 * time.Second, dated: 30 * time.Second},
		"hang-dropped":          {waited: 30 * time.Second},
		"late":                  {status: 504, json: true, waited: 30 * time.Second, dated: 30 * time.Second},
		"error":                 {status: 500, json: true},
		"error code=503":        {status: 503, json: true},
		"limited":               {status: 429, json: true},
		"limited retry=90s":     {status: 429, json: true, header: "Retry-After: 90"},
		"limited retry=date:1h": {status: 429, json: true, header: "Retry-After: Mon, 21 Dec 2026 09:05:00 GMT"},
		"limited retry=876000h": {status: 429, json: true, header: "Retry-After: 3153600000"},
		"limited retry=garbage": {status: 429, json: true, header: "Retry-After: in a while"},
		"unauthorized":          {status: 401, json: true},
		"forbidden":             {status: 403, json: true},
		"not-found":             {status: 404, json: true},
		"refusal":               {status: 422, json: true},
		"redirect":              {status: 307, json: true, header: "Location: /v1/deployments/w41b11c0/stop"},
		"error-body":            {status: 201, json: true},
		"error-applied":         {status: 500, json: true},
		"garbage":               {status: 201},
		"truncated":             {status: 201},
		"duplicate":             {status: 429, json: true},
		"stuck":                 {status: 201, json: true, header: "Content-Type: application/json"},
		"roll-back":             {status: 201, json: true},
		"fails":                 {status: 201, json: true},
	}
}

// TestWireFaults: every kind of fault over a real connection, 5 minutes of clock
// skew included.
func TestWireFaults(t *testing.T) {
	t.Parallel()
	for text, want := range wires() {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			w, p := worldOf(t, Config{}, example()), newPatient()
			addFault(t, w, "stop * "+text)
			addr, _ := serve(t, w, HandlerConfig{Skew: 5 * time.Minute, Wait: p.wait})
			raw, err := exchange(t, addr, "POST /v1/deployments/w41b11c0/stop")
			if !errors.Is(err, want.err) {
				t.Errorf("the connection ended with %v, want %v", err, want.err)
			}
			if off := want.waited - p.total(); off < 0 || off > time.Microsecond {
				t.Errorf("the server held back %s less than the %s wanted", off, want.waited)
			}
			if want.status == 0 {
				if len(raw) > 0 {
					t.Errorf("want no answer, got %q", raw)
				}
				return
			}
			checkAnswer(t, raw, want)
		})
	}
}

func checkAnswer(t *testing.T, raw []byte, want wire) {
	t.Helper()
	resp, body, err := answer(t, raw)
	if resp.StatusCode != want.status {
		t.Errorf("status %d, want %d", resp.StatusCode, want.status)
	}
	if (err != nil) != (want.err != nil) {
		t.Errorf("body %q ends with %v; cut off by the wire: %v", body, err, want.err)
	}
	if json.Valid([]byte(body)) != want.json {
		t.Errorf("body %q, want JSON: %t", body, want.json)
	}
	if got, want := resp.Header.Get("Date"), date(5*time.Minute+want.dated); got != want {
		t.Errorf("Date: %s, want %s", got, want)
	}
	if name, value, _ := strings.Cut(want.header, ": "); name != "" && resp.Header.Get(name) != value {
		t.Errorf("%s: %q, want %q", name, resp.Header.Get(name), value)
	}
}

// date is the Date header of so long after the epoch.
func date(after time.Duration) string { return epoch().Add(after).Format(http.TimeFormat) }

// TestMisleadingBody: an accepting status with an error inside.
func TestMisleadingBody(t *testing.T) {
	t.Parallel()
	w := worldOf(t, Config{}, example())
	addFault(t, w, "get * error-body")
	addr, _ := serve(t, w, HandlerConfig{BareErrors: true})
	raw, _ := exchange(t, addr, "GET /deployments/w41b11c0")
	resp, body, _ := answer(t, raw)
	if want := `{"code":500,"message":"internal error"}`; resp.StatusCode != 200 || body != want {
		t.Errorf("%d %s, want 200 %s", resp.StatusCode, body, want)
	}
}

// TestHangUntilClientGoes: a server that hangs for an hour lets go of a client
// that hangs up, with the fault's own timer.
func TestHangUntilClientGoes(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"hang", "hang-dropped", "slow"} {
		w := worldOf(t, Config{}, example())
		addFault(t, w, "get * "+kind+" for=100h")
		hanging, ended := make(chan struct{}, 1), make(chan error, 1)
		addr, _ := serve(t, w, HandlerConfig{Wait: func(ctx context.Context, d time.Duration) error {
			hanging <- struct{}{}
			err := wait(ctx, d)
			ended <- err
			return err
		}})
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /deployments/w41b11c0 HTTP/1.1\r\nHost: sim\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-hanging
		conn.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the wait ended with %v, want %v", kind, err, context.Canceled)
		}
	}
}

// TestLatency is added to every answer, faults' own delays on top.
func TestLatency(t *testing.T) {
	t.Parallel()
	w, p := worldOf(t, Config{}, example()), newPatient()
	addFault(t, w, "get * hang for=1s nth=2")
	addr, _ := serve(t, w, HandlerConfig{Latency: 150 * time.Millisecond, Wait: p.wait})
	for i, want := range []time.Duration{150 * time.Millisecond, 1150 * time.Millisecond} {
		if _, err := exchange(t, addr, "GET /deployments/w41b11c0"); err != nil {
			t.Fatal(err)
		}
		if got := p.total(); got != want {
			t.Errorf("answer %d waited %s, want %s", i+1, got, want)
		}
	}
}

// TestWithoutHijacker: where a connection cannot be taken over, the server is
// told to end it.
func TestWithoutHijacker(t *testing.T) {
	t.Parallel()
	w := worldOf(t, Config{}, example())
	addFault(t, w, "get * dropped")
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("panic %v, want http.ErrAbortHandler", got)
		}
	}()
	r := httptest.NewRequest("GET", "/deployments/w41b11c0", nil)
	NewHandler(w, epoch, HandlerConfig{}).ServeHTTP(httptest.NewRecorder(), r)
	t.Error("the handler returned, and an empty 200 would go out")
}

// TestConcurrentRequests: a hundred at once lose nothing (and, under -race, share
// nothing).
func TestConcurrentRequests(t *testing.T) {
	t.Parallel()
	w := worldOf(t, Config{}, example())
	addr, h := serve(t, w, HandlerConfig{})
	done := make(chan error)
	for range 100 {
		go func() {
			_, err := exchange(t, addr, "GET /deployments/w41b11c0")
			done <- err
		}()
	}
	for range 100 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	h.With(func(w *World, _ time.Time) {
		want := Score{Calls: [Methods]int{Get: 100}, OverQuota: 40, Limited: 40}
		if diff := cmp.Diff(want, w.Score()); diff != "" {
			t.Errorf("score (-want +got):\n%s", diff)
		}
	})
}

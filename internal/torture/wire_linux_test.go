package torture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"sync"
	"time"
)

// What the wire does to one exchange.
type mishap int

// The mishaps, each with a probability of its own.
const (
	fair    mishap = iota
	reset          // nothing arrives; the client's connection is reset
	lost           // all arrives; the client's connection is reset instead of an answer
	cut            // a part of the answer, then an end in good order
	torn           // a part of the answer, then a reset
	slow           // the answer's bytes trickle
	late           // the request is held for a while; nothing arrives if its client has gone by then
	mute           // all arrives; no answer ever comes, and no end
	mishaps int    = iota
)

// A weather is how likely each mishap is.
type weather [mishaps]float64

// The places in an exchange at which something can be done to the one who calls.
type place int

// The places. A call that is struck before it was passed on never arrives.
const (
	beforePassed place = iota
	afterPassed
	afterAnswered
)

// A wire lies between the daemons and the platform and misbehaves.
type wire struct {
	addr, platform string

	mu      sync.Mutex
	dice    *rand.Rand
	ln      net.Listener // nil while it refuses connections
	conns   map[net.Conn]bool
	weather weather
	strikes map[place]func()
	open    sync.WaitGroup
}

// lay lays a wire to the platform.
func lay(platform string, dice *rand.Rand) (*wire, error) {
	ln, err := listenLow()
	if err != nil {
		return nil, err
	}
	w := &wire{platform: platform, dice: dice, conns: map[net.Conn]bool{}, strikes: map[place]func(){}, addr: ln.Addr().String()}
	w.take(ln)
	return w, nil
}

// listenLow listens at a port below those that the kernel deals out: while the wire
// refuses connections, a daemon that starts must not be given its port.
func listenLow() (ln net.Listener, err error) {
	const first, ports = 28000, 4000
	for n := range ports {
		if ln, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+(os.Getpid()*7+n)%ports)); err == nil {
			return ln, nil
		}
	}
	return nil, err
}

// up takes connections, always at the same address.
func (w *wire) up() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ln != nil {
		return nil
	}
	ln, err := net.Listen("tcp", w.addr)
	if err != nil {
		return err
	}
	w.take(ln)
	return nil
}

func (w *wire) take(ln net.Listener) {
	w.ln = ln
	w.open.Go(func() { w.accept(ln) })
}

// down refuses connections and resets those that are there: to a client, the
// platform's end.
func (w *wire) down() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ln == nil {
		return
	}
	w.ln.Close()
	w.ln = nil
	for c := range w.conns {
		abort(c)
	}
}

// cutDown is down for good.
func (w *wire) cutDown() {
	w.down()
	w.open.Wait()
}

// set makes the weather.
func (w *wire) set(now weather) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.weather = now
}

// strike has act called once, when the next POST is at a place.
func (w *wire) strike(at place, act func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.strikes[at] = act
}

func (w *wire) struck(at place) {
	w.mu.Lock()
	act := w.strikes[at]
	delete(w.strikes, at)
	w.mu.Unlock()
	if act != nil {
		act()
	}
}

// draw deals out what befalls an exchange, and how far it gets.
func (w *wire) draw() (mishap, float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	roll := w.dice.Float64()
	for m, p := range w.weather {
		if roll -= p; roll < 0 {
			return mishap(m), w.dice.Float64()
		}
	}
	return fair, 0
}

func (w *wire) accept(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		if w.ln == ln {
			w.conns[c] = true
			w.open.Go(func() { w.serve(c) })
		} else {
			abort(c)
		}
		w.mu.Unlock()
	}
}

// serve passes one connection's exchanges on, until one of them goes wrong.
func (w *wire) serve(client net.Conn) {
	defer func() {
		w.mu.Lock()
		delete(w.conns, client)
		w.mu.Unlock()
		client.Close()
	}()
	up, err := net.Dial("tcp", w.platform)
	if err != nil {
		abort(client)
		return
	}
	defer up.Close()
	e := exchange{wire: w, client: client, up: up, asked: bufio.NewReader(client), answered: bufio.NewReader(up)}
	for e.next() {
	}
}

// An exchange is a request and its answer, one after the other on a connection.
type exchange struct {
	wire            *wire
	client, up      net.Conn
	asked, answered *bufio.Reader
}

// The spans of the wire, in real time; the patience of a client in the lapse is
// two thirds of a second.
const (
	trickle  = 5 * time.Millisecond
	longHold = 400 * time.Millisecond
	muteFor  = 3 * time.Second
)

// next passes one request on and its answer back, and reports whether the
// connection goes on.
func (e *exchange) next() bool {
	req, err := http.ReadRequest(e.asked)
	if err != nil {
		return false
	}
	what, far := e.wire.draw()
	post := req.Method == http.MethodPost
	if post {
		e.wire.struck(beforePassed)
	}
	hold := time.Millisecond
	if what == late {
		hold = time.Duration(far * float64(longHold))
	}
	if what == reset || e.gone(hold) {
		abort(e.client)
		return false
	}
	if err := req.Write(e.up); err != nil {
		return false
	}
	if post {
		e.wire.struck(afterPassed)
	}
	return e.answer(req, what, far)
}

// answer takes the platform's answer and gives of it what gets through.
func (e *exchange) answer(req *http.Request, what mishap, far float64) bool {
	resp, err := http.ReadResponse(e.answered, req)
	if err != nil {
		return false
	}
	text, err := httputil.DumpResponse(resp, true)
	if err != nil {
		return false
	}
	if req.Method == http.MethodPost {
		e.wire.struck(afterAnswered)
	}
	switch what {
	case lost:
		abort(e.client)
		return false
	case mute:
		e.gone(muteFor)
		return false
	case cut, torn:
		_, _ = e.client.Write(text[:int(far*float64(len(text)))])
		if what == torn {
			abort(e.client)
		}
		return false
	case slow:
		return e.trickle(text)
	}
	_, err = e.client.Write(text)
	return err == nil
}

// trickle gives text in small pieces.
func (e *exchange) trickle(text []byte) bool {
	for len(text) > 0 {
		n := min(4, len(text))
		if _, err := e.client.Write(text[:n]); err != nil || e.gone(trickle) {
			return false
		}
		text = text[n:]
	}
	return true
}

// gone waits for so long, and reports whether the client has gone by then: what
// nobody waits for is not passed on.
func (e *exchange) gone(hold time.Duration) bool {
	_ = e.client.SetReadDeadline(time.Now().Add(hold))
	_, err := e.asked.Peek(1)
	_ = e.client.SetReadDeadline(time.Time{})
	return err != nil && (errors.Is(err, io.EOF) || !errors.Is(err, os.ErrDeadlineExceeded))
}

// abort ends a connection with a reset.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}

package apiclient

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/apiclient/quota"
	"curfew/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKey    = "demo-key"
	testSecret = `s3cr3t "quoted" \ and+odd`
	testAuth   = "Basic ZGVtby1rZXk6czNjcjN0ICJxdW90ZWQiIFwgYW5kK29kZA=="
	testID     = "w41b11c0"
)

const (
	lookBody  = `{"connections":1000,"createAt":"2024-07-22 05:32","deploymentID":"w41b11c0","deploymentName":"deployment-w41b11c0","deploymentType":"dedicated","platform":"AWS","region":"N. Virginia (us-east-1)","status":"running"}`
	startBody = `{"deploymentID":"w41b11c0","deploymentName":"deployment-w41b11c0","operation":"starting"}`
)

// reply is a whole answer with the headers that every server sends.
func reply(status int, body string, headers ...string) string {
	head := fmt.Sprintf("HTTP/1.1 %d Any text\r\nContent-Length: %d\r\n", status, len(body))
	return head + strings.Join(append(headers, "", ""), "\r\n") + body
}

// A peer is a server of raw bytes on loopback. It keeps every request head that
// reaches it, so that a test can say what was on the wire.
type peer struct {
	url   string
	ln    net.Listener
	serve func(*session)
	all   sync.WaitGroup

	mu    sync.Mutex
	quit  net.Addr // the connection after which no more are accepted
	conns []net.Conn
	heads []string
}

// A session is one connection to a peer.
type session struct {
	net.Conn
	nr   int // of the connection, from 1
	in   *bufio.Reader
	peer *peer
}

// listen starts a peer; it ends with the test at the latest.
func listen(t *testing.T, serve func(*session)) *peer {
	t.Helper()
	return listenOn(t, "http", func(ln net.Listener) net.Listener { return ln }, serve)
}

// listenTLS starts a peer that speaks TLS as config says.
func listenTLS(t *testing.T, config *tls.Config, serve func(*session)) *peer {
	t.Helper()
	return listenOn(t, "https", func(ln net.Listener) net.Listener { return tls.NewListener(ln, config) }, serve)
}

func listenOn(t *testing.T, scheme string, wrap func(net.Listener) net.Listener, serve func(*session)) *peer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{url: scheme + "://" + ln.Addr().String() + "/public_api/v1", ln: wrap(ln), serve: serve}
	p.all.Go(p.accept)
	t.Cleanup(func() {
		p.ln.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.all.Wait()
	})
	return p
}

func (p *peer) accept() {
	for nr := 1; ; nr++ {
		c, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		if p.quit != nil && c.RemoteAddr().String() == p.quit.String() {
			p.mu.Unlock()
			c.Close()
			return
		}
		p.conns = append(p.conns, c)
		p.mu.Unlock()
		p.all.Go(func() {
			defer c.Close()
			p.serve(&session{Conn: c, nr: nr, in: bufio.NewReader(c), peer: p})
		})
	}
}

// requests returns the heads of all requests that ever reached the peer. It
// first waits for every connection that the client may have begun: they are
// accepted in order, and the one made here comes last.
func (p *peer) requests(t *testing.T, c *Client) []string {
	t.Helper()
	c.Close()
	p.mu.Lock()
	last, err := net.Dial("tcp", p.ln.Addr().String())
	if err != nil {
		p.mu.Unlock()
		t.Fatalf("dial the peer to end it: %v", err)
	}
	p.quit = last.LocalAddr()
	p.mu.Unlock()
	defer last.Close()
	p.all.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heads
}

// read waits for a request and keeps its head. It is false where the connection
// ended first.
func (s *session) read() bool {
	var head strings.Builder
	for {
		line, err := s.in.ReadString('\n')
		head.WriteString(line)
		if err != nil {
			return false
		}
		if line == "\r\n" {
			break
		}
	}
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.peer.heads = append(s.peer.heads, head.String())
	return true
}

// send writes an answer. The client may be gone: that is for the test to see.
func (s *session) send(text string) { _, _ = s.Write([]byte(text)) }

// wait reads on until the client closes the connection.
func (s *session) wait() {
	for s.read() {
	}
}

// reset closes the connection so that the client gets a reset, not an end.
func (s *session) reset() {
	if tcp, ok := s.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	s.Close()
}

// answering serves text to every request.
func answering(text string) func(*session) {
	return func(s *session) {
		for s.read() {
			s.send(text)
		}
	}
}

// once reads one request, sends text and closes the connection.
func once(text string) func(*session) {
	return func(s *session) {
		if s.read() {
			s.send(text)
		}
	}
}

// connect returns a client for endpoint, changed as the test wishes.
func connect(t testing.TB, endpoint string, change ...func(*Config)) *Client {
	t.Helper()
	config := Config{
		Endpoint:  endpoint,
		Key:       secret.New(testKey),
		Secret:    secret.New(testSecret),
		UserAgent: "curfew/test",
	}
	for _, f := range change {
		f(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// permit returns a permit for m.
func permit(m quota.Method) quota.Permit {
	var log quota.Log
	p, _ := log.Claim(1, m, quota.Documented(m), 0, time.Minute, time.Hour)
	return p
}

// do makes a call of method m for id and returns what all methods return.
func do(t testing.TB, c *Client, m quota.Method, id string, sendBy time.Time) (Meta, error) {
	var meta Meta
	var err error
	switch m {
	case quota.Get:
		_, meta, err = c.Get(t.Context(), id, permit(m), sendBy)
	case quota.Start:
		_, meta, err = c.Start(t.Context(), id, permit(m), sendBy)
	case quota.Stop:
		_, meta, err = c.Stop(t.Context(), id, permit(m), sendBy)
	}
	return meta, err
}

// certificate returns a server's configuration for host and the pool that
// trusts it.
func certificate(t *testing.T, host string) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IsCA:         true, BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(host); ip != nil {
		plan.IPAddresses = []net.IP{ip}
	} else {
		plan.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// trusting makes a client trust pool.
func trusting(pool *x509.CertPool) func(*Config) { return func(c *Config) { c.RootCAs = pool } }

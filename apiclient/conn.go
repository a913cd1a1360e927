package apiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
)

// A conn is a connection that asks its call for leave before it writes. What is
// written while it has none is the way there: a proxy's CONNECT and the TLS
// handshake behind it. There the gate is below TLS, so an alert that falls into
// the moment before a request counts as its first byte: wrong on the safe side.
type conn struct {
	net.Conn
	call atomic.Pointer[call]
}

// Write writes b if the call allows it. HTTP/1.1 has one request at a time on a
// connection, so what is written is that of the call stored last.
func (g *conn) Write(b []byte) (int, error) {
	c := g.call.Load()
	if c == nil {
		return g.Conn.Write(b)
	}
	first, err := c.begin(g)
	if err != nil {
		return 0, err
	}
	n, err := g.Conn.Write(b)
	if first && n == 0 && err != nil {
		c.undo()
	}
	return n, err
}

// gateOf finds the conn in or under c.
func gateOf(c net.Conn) *conn {
	for {
		switch under := c.(type) {
		case *conn:
			return under
		case *tls.Conn: // made by net/http behind a proxy
			c = under.NetConn()
		default:
			return nil
		}
	}
}

// A dialer makes connections that ask for leave.
type dialer struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	tls  *tls.Config
}

func newDialer(roots *x509.CertPool) *dialer {
	return &dialer{
		dial: (&net.Dialer{Timeout: connectTimeout}).DialContext,
		tls:  &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
	}
}

// newTransport returns net/http's transport without what it does unasked:
// HTTP/2, decompression, an environment's proxy, long-lived idle connections.
func newTransport(d *dialer, proxy *url.URL, slots int) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyURL(proxy),
		DialContext:            d.plain,
		DialTLSContext:         d.secure,
		TLSClientConfig:        d.tls.Clone(), // used behind a proxy only
		TLSHandshakeTimeout:    connectTimeout,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    slots,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaders,
	}
}

// plain connects to a loopback endpoint or to a proxy.
func (d *dialer) plain(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: raw}, nil
}

// secure connects to addr with TLS. The gate is above TLS, so that what TLS
// writes on its own account (an alert, a key update) is not taken for a request.
// net/http lets a dial go on after its call has given up: hence a limit here.
func (d *dialer) secure(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, stop := context.WithTimeout(ctx, connectTimeout)
	defer stop()
	raw, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config := d.tls.Clone()
	config.ServerName, _, _ = net.SplitHostPort(addr)
	secured := tls.Client(raw, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return &conn{Conn: secured}, nil
}

package apiclient

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"curfew/apiclient/quota"
)

// BenchmarkCall compares one look on a kept loopback connection with the same
// request by a bare http.Transport that reads and drops the answer.
//
//	go test -run '^$' -bench Call -benchmem ./apiclient
func BenchmarkCall(b *testing.B) {
	address := echo(b, reply(200, lookBody, "Date: Mon, 22 Jul 2024 05:32:01 GMT"))
	b.Run("curfew", func(b *testing.B) {
		c := connect(b, address)
		p := permit(quota.Get)
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := c.Get(context.Background(), testID, p, time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		bare := &http.Transport{DisableCompression: true}
		defer bare.CloseIdleConnections()
		b.ReportAllocs()
		for b.Loop() {
			bareLook(b, bare, address+"/deployments/"+testID)
		}
	})
}

func bareLook(b *testing.B, bare *http.Transport, address string) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.SetBasicAuth(testKey, testSecret)
	resp, err := bare.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Fatal(err)
	}
	resp.Body.Close()
}

// echo answers everything that ends like a request, as fast as a server can.
func echo(b *testing.B, answer string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go echoOn(c, []byte(answer))
		}
	}()
	return "http://" + ln.Addr().String()
}

func echoOn(c net.Conn, answer []byte) {
	defer c.Close()
	in := make([]byte, 4096)
	for {
		n, err := c.Read(in)
		if err != nil {
			return
		}
		if bytes.HasSuffix(in[:n], []byte("\r\n\r\n")) {
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}
}

package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"curfew/apiclient/quota"
)

// BenchmarkCall compares a look and an order on kept loopback connections with
// the same requests by a bare http.Transport that decodes the answer: alone,
// where what counts is the time that a call takes, and in all slots at once, as
// at a boundary, where it is the work.
//
//	go test -run '^$' -bench Call ./apiclient
func BenchmarkCall(b *testing.B) {
	const date = "Date: Mon, 22 Jul 2024 05:32:01 GMT"
	for _, row := range []struct {
		method       quota.Method
		verb, suffix string
		answer       string
	}{
		{quota.Get, http.MethodGet, "", reply(200, lookBody, date, "Content-Type: application/json")},
		{quota.Stop, http.MethodPost, "/stop", reply(201, startBody, date, "Content-Type: application/json")},
	} {
		address := echo(b, row.answer)
		c := connect(b, address)
		tr := &http.Transport{MaxIdleConnsPerHost: defaultSlots, DisableCompression: true}
		b.Cleanup(tr.CloseIdleConnections)
		ours := func() error {
			_, err := do(b, c, row.method, testID, time.Time{})
			return err
		}
		bare := func() error { return bareCall(tr, row.verb, address+"/deployments/"+testID+row.suffix) }
		for _, many := range []bool{false, true} {
			name := row.method.String() + map[bool]string{true: "/many"}[many]
			b.Run(name+"/curfew", func(b *testing.B) { repeat(b, many, ours) })
			b.Run(name+"/bare", func(b *testing.B) { repeat(b, many, bare) })
		}
	}
}

// repeat makes one call after the other, or about as many at once as there are
// slots.
func repeat(b *testing.B, many bool, call func() error) {
	b.ReportAllocs()
	if !many {
		for b.Loop() {
			if err := call(); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.SetParallelism(max(1, defaultSlots/runtime.GOMAXPROCS(0)))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := call(); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// bareCall is what anybody would write.
func bareCall(tr *http.Transport, verb, address string) error {
	req, err := http.NewRequestWithContext(context.Background(), verb, address, nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth(testKey, testSecret)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Connections    int
		CreateAt       string
		DeploymentID   string
		DeploymentName string
		DeploymentType string
		Platform       string
		Region         string
		Status         string
		Operation      string
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body) // or the connection is not kept
	return err
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

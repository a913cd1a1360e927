package apiclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"curfew/apiclient/quota"
)

// checkShown fails where a text must not reach a log or a label.
func checkShown(t *testing.T, what, s string, max int) {
	t.Helper()
	switch {
	case len(s) > max:
		t.Errorf("%s has %d bytes, want at most %d", what, len(s), max)
	case !utf8.ValidString(s):
		t.Errorf("%s is not UTF-8: %q", what, s)
	case strings.ContainsFunc(s, unicode.IsControl):
		t.Errorf("%s holds a control character: %q", what, s)
	case leaks(s):
		t.Errorf("%s holds a secret: %q", what, s)
	}
}

// FuzzBody reads any bytes as each of the three bodies.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		lookBody, startBody, `{"code":1,"message":"` + testKey + `"}`, `{"code":{},"message":null}`, `[]`, `{`,
		`{"deploymentID":"w41b11c0","status":"` + strings.Repeat("\u2028é", 200) + `"}`,
		`[` + lookBody + `,` + startBody + `,{"deploymentID":"` + testKey + `","status":"x"}]`,
		`{"deploymentID":"w41b11c0","DEPLOYMENTid":1,"status":"x","connections":1e999}`,
	} {
		f.Add([]byte(seed))
	}
	c := connect(f, "https://host")
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := readDeployment(body, testID, c.text)
		if (err == nil) != (d.ID == testID && d.Status != "") {
			t.Errorf("read %+v with error %v", d, err)
		}
		op, opErr := readOperation(body, testID, c.text)
		if (opErr == nil) != (op.ID == testID) {
			t.Errorf("read %+v with error %v", op, opErr)
		}
		for _, s := range []string{d.Connections, d.CreateAt, d.ID, d.Name, d.Type, d.Platform, d.Region, d.Status, op.ID, op.Name, op.Operation} {
			checkShown(t, "a field", s, maxText)
		}
		all, listErr := readDeployments(body, c.text)
		for _, d := range all {
			for _, s := range []string{d.Connections, d.CreateAt, d.ID, d.Name, d.Type, d.Platform, d.Region, d.Status} {
				checkShown(t, "a field of a list", s, maxText)
			}
		}
		code, message := readErrorBody(body, c.text)
		checkShown(t, "the code", code, maxText)
		checkShown(t, "the message", message, maxMessage)
		for _, err := range []error{err, opErr, listErr} {
			if err != nil {
				checkShown(t, "the error", c.clean(err).Error(), maxMessage)
			}
		}
	})
}

// FuzzHeaders reads any text as Retry-After and as Date.
func FuzzHeaders(f *testing.F) {
	for _, seed := range []string{"", "120", "-1", "99999999999999999999", "Sun, 25 Oct 2026 01:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "+5", "٣"} {
		f.Add(seed, seed)
	}
	now := time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, retry, date string) {
		h := http.Header{"Retry-After": {retry}, "Date": {date}}
		at := readDate(h)
		if got := readRetryAfter(h, at, now); got < 0 || got > maxRetryAfter {
			t.Errorf("Retry-After %q at %v: got %v", retry, at, got)
		}
		if _, err := http.ParseTime(date); (err == nil) == at.IsZero() && at.Unix() != (time.Time{}).Unix() {
			t.Errorf("Date %q: got %v, but it parses with error %v", date, at, err)
		}
	})
}

// FuzzWire lets a server answer a start with any bytes, then close. Whatever they
// are, the call is sent, ends, says one thing, and shows nothing that it must not.
func FuzzWire(f *testing.F) {
	for _, seed := range []string{
		"", "\r\n\r\n", reply(201, startBody), reply(429, "", "Retry-After: 5"), reply(307, "", "Location: http://localhost/"),
		"HTTP/1.1 100 Continue\r\n\r\n" + reply(200, startBody), "HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
		"HTTP/1.0 200 OK\r\n\r\n" + startBody, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 " + testAuth + "\r\n\r\n", reply(401, `{"message":"`+testKey+`"}`),
	} {
		f.Add([]byte(seed))
	}
	log.SetOutput(io.Discard) // net/http reports what comes after an answer
	f.Fuzz(func(t *testing.T, answer []byte) {
		c := connect(t, "http://localhost")
		c.dialer.dial = func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go answerOnce(far, answer)
			return near, nil
		}
		op, meta, err := c.Start(t.Context(), testID, permit(quota.Start), time.Time{})
		if !meta.Sent {
			t.Errorf("not sent: %+v, error %v", meta, err)
		}
		if (err == nil) != (op.ID == testID && isSuccess(meta.Status)) {
			t.Errorf("got %+v, %+v with error %v", op, meta, err)
		}
		checkShown(t, "the result", fmt.Sprint(op), 3*maxText+10)
		if err != nil {
			checkFailure(t, err)
		}
	})
}

// answerOnce reads a request, answers it with any bytes, and closes.
func answerOnce(far net.Conn, answer []byte) {
	defer far.Close()
	if _, err := http.ReadRequest(bufio.NewReader(far)); err == nil {
		_, _ = far.Write(answer)
	}
}

// checkFailure holds an error of a sent call against what it promises.
func checkFailure(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || !e.Sent || errors.Is(err, ErrNotSent) {
		t.Errorf("got %#v, want an *Error of a sent call", err)
	}
	checkShown(t, "the error", err.Error(), 4*maxMessage)
	if text := shown(err); leaks(text) {
		t.Errorf("the error's causes hold a secret:\n%s", text)
	}
}

// FuzzEndpoint accepts what can be called, and shows no password in its errors.
func FuzzEndpoint(f *testing.F) {
	for _, seed := range []string{"https://host/v1/", "http://127.0.0.1:80", "https://a:b@c", "http://[::1%25lo]/", "https://h/%2f/#", "//x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseEndpoint(s)
		if err != nil {
			if u != nil {
				t.Errorf("%q: got both %v and %v", s, u, err)
			}
			return
		}
		if u.Scheme != "https" && !isLoopback(u.Hostname()) || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(u.Path, "/") {
			t.Errorf("%q is accepted as %#v", s, u)
		}
		if again, err := parseEndpoint(u.String()); err != nil || again.String() != u.String() {
			t.Errorf("%q is read as %s, and that as %v, error %v", s, u, again, err)
		}
	})
}

package apiclient

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
)

// What a person reads: what happened, and the next step.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  Error
		want string
	}{
		{Error{Status: 401, kind: ErrUnauthorized},
			`stop w41b11c0: the API key is refused (401); check the key and the secret, then reload`},
		{Error{Status: 403, kind: ErrForbidden, Code: "403001", Message: "out of scope"},
			`stop w41b11c0: the API key may not do this (403); the platform says "out of scope", code "403001"; give the key this project and this function in the platform's console`},
		{Error{Status: 404, kind: ErrNotFound},
			`stop w41b11c0: there is no such deployment (404); check the deployment ID, which is not the name, and the endpoint's path`},
		{Error{Status: 422, kind: ErrRefused},
			`stop w41b11c0: refused as the deployment stands (422); look at its status: on the way to another one it takes neither start nor stop`},
		{Error{Status: 429, kind: ErrLimited, RetryAfter: 5 * time.Minute},
			`stop w41b11c0: the quota is used up (429, retry after 5m0s); see who else uses this key, and check api.quotas.stop`},
		{Error{Status: 502, kind: ErrUnknown},
			`stop w41b11c0: no usable answer (502); it may have been accepted: look at its status before calling again`},
		{Error{kind: ErrUnknown, cause: errTimeout},
			`stop w41b11c0: no usable answer: no whole answer within the time-out; it may have been accepted: look at its status before calling again`},
		{Error{kind: ErrUnknown, cause: errCut, Method: quota.Get},
			`get w41b11c0: no usable answer: the connection was closed before the answer was complete; nothing was learned of its status: look again`},
		{Error{kind: ErrNotSent, cause: ErrLate},
			`stop w41b11c0: not sent: the last instant at which it might leave has passed; its permit is free again`},
		{Error{kind: ErrNotSent, cause: ErrNoPermit},
			`stop w41b11c0: not sent: there is no permit for it; claim one of this method's quota first`},
		{Error{kind: ErrNotSent, cause: errBadID},
			`stop w41b11c0: not sent: this is not a deployment ID; give the ID that the platform's console shows, not a name or a path`},
		{Error{kind: ErrNotSent, cause: errors.New("connection refused")},
			`stop w41b11c0: not sent: connection refused; check the network, api.endpoint and its certificate`},
	} {
		test.err.Deployment = testID
		if !strings.HasPrefix(test.want, "get") {
			test.err.Method = quota.Stop
		}
		if got := test.err.Error(); got != test.want {
			t.Errorf("got\n\t%s\nwant\n\t%s", got, test.want)
		}
	}
}

// leaks reports whether s holds a credential, as it is, quoted or encoded.
func leaks(s string) bool {
	quoted := strconv.Quote(testSecret)
	inJSON, _ := json.Marshal(testSecret)
	for _, hidden := range []string{
		testKey, testSecret, strings.TrimPrefix(testAuth, "Basic "), "proxy-pass",
		quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1]),
	} {
		if strings.Contains(s, hidden) {
			return true
		}
	}
	return false
}

// shown is every way in which err, and what it wraps, may reach a log.
func shown(err error) string {
	var all strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&all, "%v\n%+v\n%#v\n%q\n", err, err, err, err)
	}
	return all.String()
}

// A server that sends back what it was sent must not make a log of it.
func TestNoErrorHoldsASecret(t *testing.T) {
	t.Parallel()
	everything := fmt.Sprintf("%s %s %s", testKey, testSecret, testAuth)
	inJSON, _ := json.Marshal(everything)
	quoted := strconv.Quote(everything)
	for name, answer := range map[string]string{
		"error body":     reply(401, fmt.Sprintf(`{"code":%s,"message":%s}`, inJSON, inJSON)),
		"cut at the cap": reply(500, fmt.Sprintf(`{"message":"%s%s"}`, strings.Repeat("x", maxMessage-5), testKey)),
		"split by NUL":   reply(500, `{"message":"demo-\u0000key demo\u200b-key"}`),
		"status line":    "HTTP/1.1 " + everything + "\r\n\r\n",
		"no HTTP":        everything + "\r\n\r\n",
		"no HTTP quoted": quoted + "\r\n\r\n",
		"header":         "HTTP/1.1 200 OK\r\n" + everything + "\r\n\r\n",
		"length":         "HTTP/1.1 200 OK\r\nContent-Length: " + everything + "\r\n\r\n",
		"encoding":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + everything + "\r\n\r\n",
		"bad JSON":       reply(200, everything),
		"another ID":     reply(200, fmt.Sprintf(`{"deploymentID":%s,"status":"running"}`, inJSON)),
	} {
		for _, m := range []quota.Method{quota.Get, quota.Stop} {
			p := listen(t, once(answer))
			_, err := do(t, connect(t, p.url), m, testID, time.Time{})
			if err == nil {
				t.Errorf("%s: %s: no error", name, m)
			}
			if text := shown(err); leaks(text) || strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("%s: %s: the error holds a secret or a control character:\n%s", name, m, text)
			}
		}
	}
}

func TestNoResultHoldsASecret(t *testing.T) {
	t.Parallel()
	echo, _ := json.Marshal(testKey + testSecret)
	p := listen(t, answering(reply(200, fmt.Sprintf(
		`{"deploymentID":"w41b11c0","status":%[1]s,"deploymentName":%[1]s,"region":%[1]s,"operation":%[1]s}`, echo))))
	c := connect(t, p.url)
	d, _, err := c.Get(t.Context(), testID, permit(quota.Get), time.Time{})
	op, _, err2 := c.Stop(t.Context(), testID, permit(quota.Stop), time.Time{})
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if got := fmt.Sprintf("%+v %+v", d, op); leaks(got) || d.Status != "[redacted][redacted]" {
		t.Errorf("the results hold a secret: %s", got)
	}
}

// A proxy may echo its own password.
func TestProxyErrorHoldsNoSecret(t *testing.T) {
	t.Parallel()
	p := listen(t, func(s *session) {
		s.read()
		s.send("HTTP/1.1 407 proxy-pass ZWdyZXNzOnByb3h5LXBhc3M= is wrong\r\n\r\n")
	})
	_, err := do(t, connect(t, "https://platform.invalid", through(p)), quota.Get, testID, time.Time{})
	if text := shown(err); err == nil || leaks(text) || strings.Contains(text, "ZWdyZXNz") {
		t.Errorf("the error holds the proxy's password:\n%s", text)
	}
	if !strings.Contains(err.Error(), "is wrong") {
		t.Errorf("the proxy's reason is lost: %v", err)
	}
}

// What was wrong with a connection can still be asked for by type.
func TestErrorWrapsItsCause(t *testing.T) {
	t.Parallel()
	mine, _ := certificate(t, "127.0.0.1")
	_, others := certificate(t, "127.0.0.1")
	p := listenTLS(t, mine, answering(""))
	_, err := do(t, connect(t, p.url, trusting(others)), quota.Get, testID, time.Time{})
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("got %#v, want an x509.UnknownAuthorityError in it", err)
	}
}

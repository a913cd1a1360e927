package apiclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"curfew/internal/secret"
)

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ endpoint, want string }{
		{"https://cloud-intl.emqx.com/public_api/v1", "https://cloud-intl.emqx.com/public_api/v1"},
		{"https://cloud.emqx.com:8443/a/b/", "https://cloud.emqx.com:8443/a/b"},
		{"https://cloud.emqx.com", "https://cloud.emqx.com"},
		{"https://cloud.emqx.com//", "https://cloud.emqx.com"},
		{"https://cloud.emqx.com/a%2Fb/", "https://cloud.emqx.com/a%2Fb"},
		{"https://[2001:db8::1]/v1", "https://[2001:db8::1]/v1"},
		{"HTTPS://cloud.emqx.com/v1", "https://cloud.emqx.com/v1"},
		{"http://localhost:18083/v1", "http://localhost:18083/v1"},
		{"http://127.8.9.1/v1", "http://127.8.9.1/v1"},
		{"http://[::1]:80/v1", "http://[::1]:80/v1"},
	} {
		got, err := parseEndpoint(test.endpoint)
		if err != nil {
			t.Errorf("%s: %v", test.endpoint, err)
			continue
		}
		if got.String() != test.want {
			t.Errorf("%s is read as %s, want %s", test.endpoint, got, test.want)
		}
	}
}

// A mistake is met with what to write instead, and a password in it is not
// repeated.
func TestBadEndpoints(t *testing.T) {
	t.Parallel()
	for endpoint, hint := range map[string]string{
		"":                                 "write one like https://",
		"cloud-intl.emqx.com":              "write one like https://",
		"https:cloud.emqx.com":             "write one like https://",
		"https://:443/v1":                  "write one like https://",
		"https://me:hunter2@host:x/":       "write one like https://",
		"https://host/v1?\n":               "write one like https://",
		"https://me:hunter2@host/v1":       "take them out",
		"https://hunter2@host/v1":          "take them out",
		"https://host/v1?token=hunter2":    "end it with the path",
		"https://host/v1?":                 "end it with the path",
		"https://host/v1#hunter2":          "end it with the path",
		"https://host/v1#":                 "end it with the path",
		"ftp://host/v1":                    "begin it with https://",
		"http://cloud-intl.emqx.com/v1":    "use https",
		"http://10.0.0.1/v1":               "use https",
		"http://localhost.example/v1":      "use https",
		"https://host:70000/public_api/v1": "leave it out for 443",
	} {
		_, err := New(Config{Endpoint: endpoint, Key: secret.New("k"), Secret: secret.New("s")})
		if err == nil {
			t.Errorf("%q is accepted", endpoint)
			continue
		}
		if !strings.Contains(err.Error(), hint) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got error %q, want a hint %q and no password", endpoint, err, hint)
		}
	}
}

func TestBadCredentialsAndAgent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ key, secret, agent, hint string }{
		{"", "s", "", "is missing"},
		{"k", "", "", "is missing"},
		{"hunter2:other", "s", "", "without the secret"},
		{"k", "hunter2\n", "", "write the bare text"},
		{"hunter2\t", "s", "", "write the bare text"},
		{"k", "s", "curfew\r\nX: y", "leave it out"},
	} {
		_, err := New(Config{
			Endpoint: "https://host", UserAgent: test.agent,
			Key: secret.New(test.key), Secret: secret.New(test.secret),
		})
		if err == nil || !strings.Contains(err.Error(), test.hint) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: got error %v, want a hint %q and no secret", test, err, test.hint)
		}
	}
}

func TestProxyThatCannotBeRead(t *testing.T) {
	t.Parallel()
	_, err := New(Config{
		Endpoint: "https://host", Key: secret.New("k"), Secret: secret.New("s"),
		Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New("parse http://me:hunter2@proxy") },
	})
	if err == nil || !strings.Contains(err.Error(), "HTTPS_PROXY") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got error %v, want one that names HTTPS_PROXY and no password", err)
	}
}

func TestClientPrintsNoSecret(t *testing.T) {
	t.Parallel()
	c := connect(t, "https://host:8443/v1")
	holder := struct{ C *Client }{c}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, c); got != "apiclient.Client(host:8443)" {
			t.Errorf("%s prints %s", verb, got)
		}
		if got := fmt.Sprintf(verb, holder); leaks(got) {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

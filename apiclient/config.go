package apiclient

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"curfew/internal/secret"
)

// Timeout is how long a call may take from its first byte to the end of its
// answer. Connecting comes before that and has a limit of its own.
const Timeout = 20 * time.Second

const (
	connectTimeout = 10 * time.Second
	idleTimeout    = 5 * time.Second // a kept connection must die here, not at the platform's balancer
	defaultSlots   = 64
	maxHeaders     = 64 << 10
	maxBody        = 1 << 20
	maxList        = 32 << 20
)

// Config is what a Client needs.
type Config struct {
	// Endpoint is the platform's address with the API's path, such as
	// https://cloud-intl.emqx.com/public_api/v1. Plain http is for loopback.
	Endpoint string
	// Key and Secret are the user name and the password of basic auth.
	Key, Secret secret.String
	// Slots is how many connections are kept open between calls; 0 means 64.
	Slots int
	// UserAgent names the program to the platform; "" means "curfew".
	UserAgent string
	// RootCAs are the authorities to trust; nil means the system's.
	RootCAs *x509.CertPool
	// Proxy is asked once, by New, for the proxy of an https endpoint; nil, or
	// an endpoint on plain http, means none. Give http.ProxyFromEnvironment to
	// honour HTTPS_PROXY and NO_PROXY. TLS goes through it end to end.
	Proxy func(*http.Request) (*url.URL, error)
	// Timeout replaces the constant of that name where it is not 0: for tests.
	Timeout time.Duration
}

// New checks c and returns a Client; it connects to nothing. Its errors say
// what to change, and quote no part of an address that may hold a password.
func New(c Config) (*Client, error) {
	base, err := parseEndpoint(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("read API endpoint: %w", err)
	}
	if err := checkCredentials(c.Key, c.Secret); err != nil {
		return nil, fmt.Errorf("read API credentials: %w", err)
	}
	if strings.ContainsFunc(c.UserAgent, unicode.IsControl) {
		return nil, errors.New("read user agent: it holds a control character: leave it out")
	}
	proxy, err := findProxy(c.Proxy, base)
	if err != nil {
		return nil, err
	}
	pair := base64.StdEncoding.EncodeToString([]byte(c.Key.Reveal() + ":" + c.Secret.Reveal()))
	agent, auth := cmp.Or(c.UserAgent, "curfew"), "Basic "+pair
	d := newDialer(c.RootCAs)
	return &Client{
		transport: newTransport(d, proxy, cmp.Or(max(0, c.Slots), defaultSlots)),
		dialer:    d,
		base:      base,
		prefix:    base.EscapedPath() + "/deployments/",
		get:       newGet(base, agent, auth),
		post:      newRequest(http.MethodPost, base, agent, auth),
		hidden:    newScrubber(pair, c.Key.Reveal(), c.Secret.Reveal(), proxy),
		timeout:   cmp.Or(max(0, c.Timeout), Timeout),
	}, nil
}

// parseEndpoint reads an endpoint. url.Parse's own errors are not shown: they
// quote the address, and people put passwords there.
func parseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("it is not an address: write one like https://cloud-intl.emqx.com/public_api/v1")
	case u.User != nil:
		return nil, errors.New("it holds a user or a password: take them out, the key and the secret have places of their own")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return nil, errors.New("it has a query or a fragment: end it with the path, such as /public_api/v1")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("its scheme is neither https nor http: begin it with https://")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("plain http would show the key to everybody between here and %s: use https (http is for loopback only)", u.Hostname())
	}
	if _, err := strconv.ParseUint(cmp.Or(u.Port(), "443"), 10, 16); err != nil {
		return nil, errors.New("its port is above 65535: leave it out for 443")
	}
	u.RawPath = strings.TrimRight(u.EscapedPath(), "/")
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// checkCredentials finds what would only show as a puzzling 401.
func checkCredentials(key, sec secret.String) error {
	switch {
	case key.Empty() || sec.Empty():
		return errors.New("the key or the secret is missing: set api.key_file and api.secret_file, or EMQXCLOUD_PLATFORM_API_KEY and _API_SECRET")
	case strings.Contains(key.Reveal(), ":"):
		return errors.New("the key holds a colon, which basic auth cannot carry: give the key alone, without the secret")
	case strings.ContainsFunc(key.Reveal()+sec.Reveal(), unicode.IsControl):
		return errors.New("the key or the secret holds a line break or another control character: write the bare text")
	}
	return nil
}

// findProxy asks for the proxy of base. What it fails with is not shown, as it
// may quote an address with a password.
func findProxy(find func(*http.Request) (*url.URL, error), base *url.URL) (*url.URL, error) {
	if find == nil || base.Scheme != "https" {
		return nil, nil
	}
	proxy, err := find(&http.Request{URL: base})
	if err != nil {
		return nil, fmt.Errorf("find proxy for %s: its address cannot be read: check HTTPS_PROXY", base.Host)
	}
	return proxy, nil
}

// A scrubber takes the credentials out of texts. It is held by pointer, as fmt
// prints of one in an unexported field an address only.
type scrubber struct {
	hide     []string
	replacer *strings.Replacer
}

// newScrubber returns what takes the credentials out in their own spelling and
// in the one that Go's %q gives them. The longest goes first, so that no part of
// one is left because another is inside it.
func newScrubber(pair, key, sec string, proxy *url.URL) *scrubber {
	hide := []string{pair, key, sec}
	if proxy != nil {
		if password, ok := proxy.User.Password(); ok && password != "" {
			login := proxy.User.Username() + ":" + password
			hide = append(hide, password, base64.StdEncoding.EncodeToString([]byte(login)))
		}
	}
	for _, s := range slices.Clone(hide) {
		if quoted := strconv.Quote(s); quoted[1:len(quoted)-1] != s {
			hide = append(hide, quoted[1:len(quoted)-1])
		}
	}
	slices.SortFunc(hide, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range hide {
		pairs = append(pairs, s, "[redacted]")
	}
	return &scrubber{hide: hide, replacer: strings.NewReplacer(pairs...)}
}

// scrub returns s without what is hidden. A Replacer copies every text, and
// hardly one holds anything: it is looked for first.
func (h *scrubber) scrub(s string) string {
	for _, hidden := range h.hide {
		if strings.Contains(s, hidden) {
			return h.replacer.Replace(s)
		}
	}
	return s
}

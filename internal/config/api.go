package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// The environment's names are those of the platform's official tools.
const (
	envEndpoint = "EMQXCLOUD_PLATFORM_ENDPOINT"
	envKey      = "EMQXCLOUD_PLATFORM_API_KEY"
	envSecret   = "EMQXCLOUD_PLATFORM_API_SECRET"
)

// endpointHint is what an endpoint looks like.
const endpointHint = "write an address such as " + DefaultEndpoint

// api reads where the platform is and who we are there.
func (r *reader) api(n *node, c *Config) {
	const inline = "a secret must not stand in this file, which others read: put it into a file of its own and name that in "
	r.mapping(n, "api",
		field{name: "name", read: r.account(&c.Name)},
		field{name: "endpoint", read: r.endpoint(&c.Endpoint)},
		field{name: "key_file", read: r.credential(&c.key)},
		field{name: "secret_file", read: r.credential(&c.secret)},
		field{name: "quotas", read: func(n *node) { r.quotas(n, &c.Quotas) }},
		field{name: "key", refuse: inline + "key_file, or set " + envKey},
		field{name: "secret", refuse: inline + "secret_file, or set " + envSecret},
	)
}

func (r *reader) account(dst *string) func(*node) {
	return func(n *node) {
		s, ok := r.text(n, "a name")
		if ok && !accountName.MatchString(s) {
			r.fail(n, `1 to 63 letters, digits, ".", "_" and "-", the first a letter or a digit`, "%s cannot be an account's name", quote(s))
			return
		}
		if ok {
			*dst = s
		}
	}
}

func (r *reader) endpoint(dst *string) func(*node) {
	return func(n *node) {
		r.ownEndpoint = true
		s, ok := r.text(n, "an address")
		if !ok {
			return
		}
		endpoint, text, hint := readEndpoint(s)
		if text != "" {
			r.fail(n, hint, "%s", text)
			return
		}
		*dst = endpoint
	}
}

// readEndpoint returns the endpoint without its last slash, or what is wrong
// with it. The address is not repeated: people put passwords into them.
func readEndpoint(s string) (endpoint, text, hint string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || strings.ContainsAny(s, " \t"):
		return "", "the endpoint is not an address", endpointHint
	case u.Scheme != "https" && u.Scheme != "http":
		return "", "the endpoint is neither https nor http", endpointHint
	case u.User != nil:
		return "", "the endpoint holds a user or a password", "take them out: the key and the secret have places of their own"
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return "", "the endpoint has a query or a fragment", "end it with the path, such as /public_api/v1"
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "", "plain http would show the key to everybody on the way", "write https://; http:// is for loopback only"
	case !validPort(u.Port()):
		return "", "the endpoint's port is not one from 1 to 65535", "leave it out for the usual one"
	}
	return strings.TrimRight(s, "/"), "", ""
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}

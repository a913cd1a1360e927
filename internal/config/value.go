package config

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/apiclient/quota"
)

const day = 24 * time.Hour

// durationHint says how durations are written.
const durationHint = "write a number with a unit: 90s, 30m, 4h, 2d, or together: 1h30m"

var (
	wholeNumber = regexp.MustCompile(`^(?:0|[1-9][0-9]*)$`) // YAML 1.1 reads 010 as eight
	daysFirst   = regexp.MustCompile(`^([0-9]+)d`)
	accountName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	hostName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// boolean reads true or false. The other words of YAML 1.1 are refused rather
// than guessed at: half of the tools read them as texts.
func (r *reader) boolean(dst *bool) func(*node) {
	return func(n *node) {
		s, ok := r.text(n, "true or false")
		switch {
		case !ok:
		case bare(n) && (s == "true" || s == "false"):
			*dst = s == "true"
		default:
			r.fail(n, booleanHint(s), "want true or false, got %s", describe(n))
		}
	}
}

func booleanHint(s string) string {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "y", "1":
		return "write true, in small letters and without quotes"
	case "false", "no", "off", "n", "0":
		return "write false, in small letters and without quotes"
	}
	return "write one of the two words, without quotes"
}

// choice reads one of words and passes its index on.
func (r *reader) choice(words []string, chosen func(i int)) func(*node) {
	want := "one of " + strings.Join(words, ", ")
	return func(n *node) {
		s, ok := r.text(n, want)
		if !ok {
			return
		}
		i := slices.Index(words, s)
		if i < 0 {
			r.fail(n, meant(s, words), "want %s, got %s", want, describe(n))
			return
		}
		chosen(i)
	}
}

func meant(s string, words []string) string {
	if near := nearest(s, words); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "write one of these words"
}

// duration reads a duration from least to most.
func (r *reader) duration(dst *time.Duration, least, most time.Duration) func(*node) {
	return r.durationOr("", 0, dst, least, most)
}

// durationOr reads a duration, or a word that stands for one if it is not "".
func (r *reader) durationOr(word string, meaning time.Duration, dst *time.Duration, least, most time.Duration) func(*node) {
	want := "a duration"
	if word != "" {
		want += " or " + word
	}
	return func(n *node) {
		s, ok := r.text(n, want)
		if !ok {
			return
		}
		d, ok := parseDuration(s)
		switch {
		case word != "" && s == word:
			*dst = meaning
		case !ok:
			r.fail(n, unitHint(s), "want %s, got %s", want, describe(n))
		case d%time.Second != 0:
			r.fail(n, durationHint, "want whole seconds, got %s", describe(n))
		case d < least || d > most:
			r.fail(n, durationHint, "want %s, from %s to %s, got %s", want, spell(least), spell(most), describe(n))
		default:
			*dst = d
		}
	}
}

// parseDuration reads Go's notation with days in front of it; a day is 24 hours
// here, whatever the clocks do.
func parseDuration(s string) (time.Duration, bool) {
	var days time.Duration
	if m := daysFirst.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || n > int(math.MaxInt64/day) {
			return 0, false
		}
		days, s = time.Duration(n)*day, s[len(m[0]):]
		if s == "" {
			return days, true
		}
		if s[0] == '+' || s[0] == '-' {
			return 0, false
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d > math.MaxInt64-days {
		return 0, false
	}
	return days + d, true
}

func unitHint(s string) string {
	if wholeNumber.MatchString(s) && len(s) < 7 {
		return fmt.Sprintf("add the unit: %ss, %sm or %sh", s, s, s)
	}
	return durationHint
}

// spell writes a duration as a person would: 24h, not 24h0m0s.
func spell(d time.Duration) string {
	switch {
	case d > 0 && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d > 0 && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d > 0 && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// integer reads a whole number from least to most, in decimal.
func (r *reader) integer(dst *int, least, most int) func(*node) {
	want := fmt.Sprintf("a whole number from %d to %d", least, most)
	return func(n *node) {
		s, ok := r.text(n, want)
		if !ok {
			return
		}
		i, err := strconv.Atoi(s)
		switch {
		case !bare(n) || !wholeNumber.MatchString(s):
			r.fail(n, "write it in digits, without quotes", "want %s, got %s", want, describe(n))
		case err != nil || i < least || i > most:
			r.fail(n, "write a number in that range", "want %s, got %s", want, describe(n))
		default:
			*dst = i
		}
	}
}

// path reads a path; a relative one goes from the file's directory.
func (r *reader) path(dst *string) func(*node) {
	return func(n *node) {
		s, ok := r.text(n, "a path")
		switch {
		case !ok:
		case strings.TrimSpace(s) == "":
			r.fail(n, "leave the key out for the default", "want a path, got nothing")
		case strings.Contains(s, "\x00"):
			r.fail(n, "take it out", "a path cannot hold a zero byte")
		default:
			*dst = r.env.resolve(s)
		}
	}
}

// listen reads the address to serve on.
func (r *reader) listen(dst *string) func(*node) {
	return func(n *node) {
		s, ok := r.text(n, "an address such as "+DefaultListen)
		if !ok {
			return
		}
		if text, hint := badListen(s); text != "" {
			r.fail(n, hint, "%s", text)
			return
		}
		*dst = s
	}
}

// badListen says what is wrong with an address to listen on, or "".
func badListen(s string) (text, hint string) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Sprintf("want host:port, got %s", quote(s)), "write an address such as 127.0.0.1:9815, [::1]:9815, or :9815 for all interfaces"
	}
	if n, err := strconv.Atoi(port); err != nil || !wholeNumber.MatchString(port) || n > math.MaxUint16 {
		return fmt.Sprintf("want a port from 0 to 65535, got %s", quote(port)), "write it as a number"
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !hostName.MatchString(host) {
		return fmt.Sprintf("want a host name or an address, got %s", quote(host)), "write an address such as 127.0.0.1, [::1], or nothing for all interfaces"
	}
	return "", ""
}

// quotas reads a partial map: what it leaves out keeps its value.
func (r *reader) quotas(n *node, quotas *[quota.Methods]quota.Limit) {
	var fields []field
	for m := range quotas {
		method := quota.Method(m).String()
		fields = append(fields, field{name: method, read: func(n *node) {
			r.mapping(n, "the quota of "+method, r.limit(&quotas[m])...)
		}})
	}
	r.mapping(n, "quotas", fields...)
}

func (r *reader) limit(l *quota.Limit) []field {
	scopes := []string{quota.Auto.String(), quota.Deployment.String(), quota.Key.String()}
	return []field{
		{name: "limit", read: r.integer(&l.N, 1, 1_000_000)},
		{name: "per", read: r.duration(&l.Per, time.Second, 31*day)},
		{name: "scope", read: r.choice(scopes, func(i int) { l.Scope = quota.Scope(i) })},
	}
}

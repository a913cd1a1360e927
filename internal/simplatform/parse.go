package simplatform

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseFault reads one rule as it stands on a command line:
//
//	METHOD DEPLOYMENT KIND [xN] [nth=N] [from=T] [to=T] [p=P] [for=D] [code=N] [retry=R]
//
// METHOD is get, start, stop, list, post (start and stop), any, or several with
// commas; DEPLOYMENT an id or a name, * for all; KIND a word of Kind.String. xN
// fires N times, nth=N spares the requests before the Nth, p=P fires with
// probability P. T is RFC 3339, or +D after now; D a duration such as 90s or
// 2h45m. R is none, D (seconds), date:D (an HTTP date), or garbage; D may be
// negative there. Examples:
//
//	stop dev-eu lost-answer x1
//	any * error code=503 p=0.2 from=+1h to=+2h
//	start w41b11c0 limited retry=date:30m nth=2 x1
//
// A text that makes no rule is an error that says what was expected.
func ParseFault(text string, now time.Time) (Fault, error) {
	f, err := parseFault(strings.Fields(text), now)
	if err == nil {
		f = f.withDefaults()
		err = f.check()
	}
	if err != nil {
		return Fault{}, fmt.Errorf("read fault %q: %w", text, err)
	}
	return f, nil
}

func parseFault(words []string, now time.Time) (f Fault, err error) {
	if len(words) < 3 {
		return f, fmt.Errorf("want METHOD DEPLOYMENT KIND, such as %q", "stop dev-eu lost-answer x1")
	}
	if f.Methods, err = parseMethods(words[0]); err != nil {
		return f, err
	}
	if words[1] != "*" {
		f.Target = words[1]
	}
	if f.Kind, err = parseKind(words[2]); err != nil {
		return f, err
	}
	seen := map[string]bool{}
	for _, word := range words[3:] {
		key, value, err := splitOption(word)
		if err != nil {
			return f, err
		}
		if seen[key] {
			return f, fmt.Errorf("%q: given twice", word)
		}
		seen[key] = true
		if err := f.option(key, value, now); err != nil {
			return f, fmt.Errorf("%q: %w", word, err)
		}
	}
	return f, nil
}

func parseKind(word string) (Kind, error) {
	all := Kinds()
	names := make([]string, len(all))
	for i, k := range all {
		if names[i] = k.String(); names[i] == word {
			return k, nil
		}
	}
	return NoFault, fmt.Errorf("unknown kind %q: want one of %s", word, strings.Join(names, ", "))
}

// splitOption takes key=value apart; xN is short for x=N.
func splitOption(word string) (key, value string, err error) {
	if key, value, ok := strings.Cut(word, "="); ok && key != "x" {
		return key, value, nil
	}
	if n, ok := strings.CutPrefix(word, "x"); ok {
		return "x", n, nil
	}
	return "", "", fmt.Errorf("%q: want xN, nth=, from=, to=, p=, for=, code= or retry=", word)
}

func (f *Fault) option(key, value string, now time.Time) (err error) {
	switch key {
	case "x":
		f.Count, err = parseCount(value)
	case "nth":
		f.Nth, err = parseCount(value)
	case "from":
		f.From, err = parseInstant(value, now)
	case "to":
		f.To, err = parseInstant(value, now)
	case "p":
		f.P, err = parseProbability(value)
	case "for":
		f.For, err = parsePositive(value)
	case "code":
		f.Code, err = parseCount(value)
	case "retry":
		f.Retry, err = parseRetry(value)
	default:
		err = errors.New("unknown option: want xN, nth=, from=, to=, p=, for=, code= or retry=")
	}
	return err
}

func parseCount(value string) (int, error) {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is no number from 1 on", value)
	}
	return int(n), nil
}

// parseProbability refuses 0: it would be a rule that never fires, and in a
// Fault it stands for always.
func parseProbability(value string) (float64, error) {
	p, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(p) || p <= 0 || p > 1 {
		return 0, fmt.Errorf("%q is no probability: want more than 0 and at most 1", value)
	}
	return p, nil
}

func parsePositive(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is no length of time such as 90s or 2h45m", value)
	}
	return d, nil
}

func parseInstant(value string, now time.Time) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, value)
	if after, ok := strings.CutPrefix(value, "+"); ok {
		var d time.Duration
		d, err = parsePositive(after)
		t = now.Add(d)
	}
	if err != nil {
		return t, fmt.Errorf("%q is neither RFC 3339 (2026-12-24T18:00:00Z) nor +D after now", value)
	}
	// The World keeps time as a count of nanoseconds, which ends in 2262.
	if y := t.UTC().Year(); y < 1700 || y > 2200 {
		return t, fmt.Errorf("the year %d is out of reach: want 1700 to 2200", y)
	}
	return t.UTC(), nil
}

func parseRetry(value string) (Retry, error) {
	switch value {
	case "none":
		return Retry{}, nil
	case "garbage":
		return Retry{Style: RetryGarbage}, nil
	}
	r := Retry{Style: RetrySeconds}
	text, ok := strings.CutPrefix(value, "date:")
	if ok {
		r.Style = RetryDate
	}
	var err error
	if r.After, err = time.ParseDuration(text); err != nil {
		return r, fmt.Errorf("%q is none of none, garbage, D and date:D with a D such as 90s", value)
	}
	return r, nil
}

// String returns f as ParseFault reads it.
func (f Fault) String() string {
	target := f.Target
	if target == "" {
		target = "*"
	}
	words := []string{f.Methods.String(), target, f.Kind.String()}
	add := func(given bool, format string, value any) {
		if given {
			words = append(words, fmt.Sprintf(format, value))
		}
	}
	add(f.Count > 0, "x%d", f.Count)
	add(f.Nth > 0, "nth=%d", f.Nth)
	add(!f.From.IsZero(), "from=%s", f.From.UTC().Format(time.RFC3339Nano))
	add(!f.To.IsZero(), "to=%s", f.To.UTC().Format(time.RFC3339Nano))
	add(f.P > 0, "p=%v", f.P)
	add(f.For > 0, "for=%s", f.For)
	add(f.Code > 0, "code=%d", f.Code)
	add(f.Retry != Retry{}, "retry=%s", f.Retry)
	return strings.Join(words, " ")
}

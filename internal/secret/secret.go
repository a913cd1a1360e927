// Package secret holds strings that must not be seen.
//
// A secret.String prints as [redacted] through fmt, log/slog, encoding/json,
// encoding/text and yaml, so that a log line, an error, a dump of a
// configuration and a status page can never show it by accident. What it holds
// comes out of Reveal alone, which only the code that builds the
// Authorization header calls.
package secret

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// String is a secret text. The zero String is empty. It holds a pointer, since
// fmt does not ask a method of a value in an unexported field: what it prints of
// a struct around a String is an address.
type String struct{ s *string }

// New wraps s.
func New(s string) String { return String{s: &s} }

// Reveal returns the text itself.
func (s String) Reveal() string {
	if s.s == nil {
		return ""
	}
	return *s.s
}

// Empty reports whether there is nothing to hide.
func (s String) Empty() bool { return s.Reveal() == "" }

// Format prints [redacted] for every verb.
func (s String) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// String returns [redacted].
func (s String) String() string { return redacted }

// GoString returns [redacted].
func (s String) GoString() string { return redacted }

// LogValue returns [redacted].
func (s String) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns [redacted]; JSON and YAML encoders use it.
func (s String) MarshalText() ([]byte, error) { return []byte(redacted), nil }

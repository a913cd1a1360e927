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

// String is a secret text. The zero String is empty.
type String struct{ s string }

// New wraps s.
func New(s string) String { return String{s: s} }

// Reveal returns the text itself.
func (s String) Reveal() string { return s.s }

// Empty reports whether there is nothing to hide.
func (s String) Empty() bool { return s.s == "" }

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

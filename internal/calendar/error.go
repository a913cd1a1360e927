package calendar

import (
	"fmt"
	"strings"
)

// An Error is why a date, a file or a country was refused.
type Error struct {
	Op    string // what was tried: "read date", "read calendar", "find holidays"
	Input string // of what: the item, the name of the file, the codes
	Line  int    // where in a file, from 1; 0: the whole, or no file
	Col   int    // where in an item, in bytes from 1; 0: the whole
	Text  string // what is wrong
	Hint  string // what to write or to do instead
}

// Error returns all of it in one line.
func (e *Error) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %q: ", e.Op, clip(e.Input, 64))
	if e.Line > 0 {
		fmt.Fprintf(&s, "line %d: ", e.Line)
	}
	if e.Col > 0 {
		fmt.Fprintf(&s, "column %d: ", e.Col)
	}
	s.WriteString(e.Text)
	if e.Hint != "" {
		fmt.Fprintf(&s, " (%s)", e.Hint)
	}
	return s.String()
}

// clip cuts text to at most n characters, with a mark where something is
// missing. What is not UTF-8 becomes the replacement character.
func clip(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}

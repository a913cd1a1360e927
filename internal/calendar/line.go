package calendar

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	ics "github.com/arran4/golang-ical"
)

const (
	maxLine = 64 << 10 // bytes of a content line, unfolded; a thousand EXDATEs take 16 KiB
	maxHead = 1 << 10  // bytes of it before the value: the library's time grows with their square
)

// A line is one content line, unfolded (RFC 5545, section 3.1).
type line struct {
	n    int // of its first row, from 1
	text string
	cut  bool // it was longer than maxLine
}

// contentLines yields the content lines of text, whatever its line ends are. A
// row that begins with a blank or a tab goes on with the line above.
func contentLines(text string) iter.Seq[line] {
	return func(yield func(line) bool) {
		var l line
		var buf []byte
		flush := func() bool {
			l.text = string(buf)
			return l.n == 0 || yield(l)
		}
		n := 0
		for row := range rows(text) {
			n++
			switch {
			case row == "":
				continue
			case row[0] != ' ' && row[0] != '\t':
				if !flush() {
					return
				}
				l, buf = line{n: n}, append(buf[:0], row...)
			default:
				buf = append(buf, row[1:]...)
			}
			if len(buf) > maxLine {
				l.cut, buf = true, buf[:maxLine]
			}
		}
		flush()
	}
}

// rows yields what stands between line ends: CRLF, LF, or the CR of old Macs.
func rows(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			row, rest := text, ""
			if i := strings.IndexAny(text, "\r\n"); i >= 0 {
				row, rest = text[:i], text[i+1:]
				if text[i] == '\r' {
					rest = strings.TrimPrefix(rest, "\n")
				}
			}
			if !yield(row) {
				return
			}
			text = rest
		}
	}
}

// name returns the name of the property in capitals, or "" where l is none.
func (l line) name() string {
	i := strings.IndexAny(l.text, ";:")
	if i <= 0 || strings.Trim(l.text[:i], nameLetters) != "" {
		return ""
	}
	return strings.ToUpper(l.text[:i])
}

// nameLetters are what a name is made of. The library finds one in the middle of
// a line, too; here a line begins with its name or has none.
const nameLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"

// word returns the value of a BEGIN or END.
func (l line) word() string {
	_, value, _ := strings.Cut(l.text, ":")
	return strings.ToUpper(strings.TrimSpace(value))
}

// A property is a content line, taken apart.
type property struct {
	line   int
	params map[string][]string // by name in capitals
	value  string
}

// param returns the first value of a parameter, or "".
func (p property) param(name string) string {
	if values := p.params[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// property takes l apart, with the library behind a guard.
func (l line) property() (p property, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the library gave up: %v", r)
		}
	}()
	switch {
	case l.cut:
		return p, fmt.Errorf("longer than %d KiB", maxLine>>10)
	// For each parameter the library copies what is left of the line.
	case headLength(l.text) > maxHead:
		return p, fmt.Errorf("more than %d bytes of parameters", maxHead)
	}
	read, err := ics.ParseProperty(ics.ContentLine(l.text))
	if err == nil && read == nil {
		err = errors.New("not of the form NAME:VALUE")
	}
	if err != nil {
		return p, err
	}
	p = property{line: l.n, value: read.Value, params: make(map[string][]string, len(read.ICalParameters))}
	for name, values := range read.ICalParameters {
		p.params[strings.ToUpper(name)] = values
	}
	return p, nil
}

// headLength counts the bytes up to the colon that the value stands behind; a
// colon in quotes belongs to a parameter.
func headLength(text string) int {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ':' && !quoted:
			return i
		}
	}
	return len(text)
}

package calendar

import (
	"bytes"
	"fmt"

	"curfew/policy"
)

// MaxSize is how large an iCalendar file may be, in bytes.
const MaxSize = 1 << 20

// maxDays is how many days all events of a file may have together, each day as
// often as an event has it.
const maxDays = 100_000

// ParseICal reads the whole-day events of an iCalendar file (RFC 5545) as days
// from FirstYear to LastYear, in order, each once; where events share a day the
// first in the file names it. The name is for errors. The notices say what was
// left out, cut or doubtful, in the order of their lines. An error is an *Error
// with a Line, and means that nothing could be read.
func ParseICal(name string, text []byte) ([]policy.Day, []Notice, error) {
	var n notes
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	fault := unreadable(text)
	var f file
	if fault == nil {
		f = scan(string(text), &n)
	}
	if fault == nil && f.calendars == 0 {
		fault = foreign(text)
	}
	if fault != nil {
		fault.Op, fault.Input = "read calendar", name
		return nil, nil, fault
	}
	days := f.days(&n)
	switch {
	case len(f.records) == 0:
		n.add(1, "there is no event in the file")
	case len(days) == 0:
		n.add(1, "none of the %d events has a whole day from %d to %d", len(f.records), FirstYear, LastYear)
	}
	return days, n.all(), nil
}

// unreadable says what keeps text from being a text at all.
func unreadable(text []byte) *Error {
	switch zero := bytes.IndexByte(text, 0); {
	case len(text) > MaxSize:
		return &Error{Text: fmt.Sprintf("larger than %d MiB", MaxSize>>20), Hint: "keep only the events that matter here, those of whole days"}
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return &Error{Line: 1, Text: "UTF-16", Hint: "save the file as UTF-8"}
	case zero >= 0:
		return &Error{Line: 1 + bytes.Count(text[:zero], []byte("\n")), Text: "a zero byte, so this is no text", Hint: fileHint}
	}
	return nil
}

// fileHint says what the file should be.
const fileHint = "an iCalendar file is a text that begins with BEGIN:VCALENDAR; its name mostly ends in .ics"

// foreign says what a text without a calendar is.
func foreign(text []byte) *Error {
	e := &Error{Line: 1, Text: "no BEGIN:VCALENDAR in the file", Hint: fileHint}
	switch text = bytes.TrimSpace(text); {
	case len(text) == 0:
		e.Text = "the file is empty"
	case text[0] == '<':
		e.Text, e.Hint = "a web page or XML, not an iCalendar file", "was it saved from a page that asks for a password? "+fileHint
	case text[0] == '{', text[0] == '[':
		e.Text = "JSON, not an iCalendar file"
	}
	return e
}

// days expands the events of f.
func (f *file) days(n *notes) []policy.Day {
	x := expansion{notes: n, sheet: sheet{}}
	for _, s := range f.series(n) {
		x.series(s)
		if x.full {
			break
		}
	}
	return x.sheet.days()
}

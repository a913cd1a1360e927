package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"curfew/internal/calendar"
	"curfew/policy"
)

// An icalFile is an iCalendar file, read once however many calendars name it.
type icalFile struct {
	file         File
	days         []policy.Day
	notices      []calendar.Notice
	broken, hint string // why there are no dates, and what to do
}

// icalFiles reads the files of a calendar. What is wrong with a file is not
// what is wrong with this one: the daemon must start, and without a date nothing
// is stopped less.
func (r *reader) icalFiles(n *node, cal *Calendar) (days []policy.Day) {
	r.some(n, "path", func(n *node) {
		var path string
		r.path(&path)(n)
		switch {
		case path == "":
			return
		case strings.Contains(n.Value, "://"):
			r.fail(n, "let a timer download it beside this file, and name that", "%s is an address: calendars are read from files", quote(n.Value))
			return
		case slices.Contains(cal.Files, path):
			r.fail(n, "drop one of the two", "%s stands here twice", quote(n.Value))
			return
		}
		cal.Files, cal.Source = append(cal.Files, path), cal.Source|FromICal
		f := r.ical(path)
		if f == nil {
			r.fail(n, "join some of them: one file can hold many calendars", "more than %d iCalendar files", maxICals)
			return
		}
		if days = append(days, f.days...); len(days) > maxDays { // each once, so that many large files are no burden
			days = slices.AppendSeq(days[:0:0], policy.NewCalendar("", days).Days())
		}
		r.tell(n, f)
		if f.broken != "" {
			cal.Broken = strings.TrimPrefix(cal.Broken+"; "+f.broken, "; ")
		}
	})
	cal.LastICal, _ = policy.NewCalendar("", days).Last()
	return days
}

// tell reports what is wrong with a file where it is named.
func (r *reader) tell(n *node, f *icalFile) {
	if f.broken != "" {
		r.warn(n, f.hint, "%s: none of its dates count, so starts are made on them; no stop is left out", f.broken)
	}
	for _, notice := range f.notices {
		r.warn(n, "the rest of the file counts", "%s:%d: %s", f.file.Path, notice.Line, notice.Text)
	}
}

// ical reads a file, or returns nil where there were too many before it.
func (r *reader) ical(path string) *icalFile {
	if f, known := r.icals[path]; known || len(r.icals) >= maxICals {
		return f
	}
	f := &icalFile{file: File{Path: path}}
	r.icals[path] = f
	read := r.env.ICal
	if read == nil {
		read = readRegular
	}
	text, err := read(path)
	if err != nil {
		f.broken = fmt.Sprintf("read %s: %v", path, reason(err))
		f.hint = "is its volume mounted, and may this user read it? Paths go from the directory of this file"
		return f
	}
	f.file.sum = sum(text)
	f.days, f.notices, err = calendar.ParseICal(path, text)
	if fault := new(calendar.Error); errors.As(err, &fault) {
		f.broken, f.hint = fmt.Sprintf("%s:%d: %s", path, max(fault.Line, 1), fault.Text), fault.Hint
	}
	return f
}

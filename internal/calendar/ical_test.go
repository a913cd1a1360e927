package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"curfew/policy"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestParseICal reads the files of testdata/ical: what they hold and why stands
// in their first lines, which days and notices it gives in their last.
func TestParseICal(t *testing.T) {
	t.Parallel()
	for name, a := range stories(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			days, notices, err := ParseICal(name, section(t, a, "in.ics"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(section(t, a, "days")), shown(days)); diff != "" {
				t.Errorf("days (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(string(section(t, a, "notices")), told(notices)); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLineEnds reads the same files as they come from other systems: the ends
// of lines, a byte order mark and an END that is missing change no day.
func TestLineEnds(t *testing.T) {
	t.Parallel()
	for name, a := range stories(t) {
		text := section(t, a, "in.ics")
		want, notices, _ := ParseICal(name, text)
		for kind, other := range map[string][]byte{
			"CRLF":             bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")),
			"CR":               bytes.ReplaceAll(text, []byte("\n"), []byte("\r")),
			"byte order mark":  append([]byte("\xef\xbb\xbf"), text...),
			"no last line end": bytes.TrimSuffix(text, []byte("\n")),
		} {
			got, others, err := ParseICal(name, other)
			if err != nil || !cmp.Equal(want, got) || !cmp.Equal(notices, others) {
				t.Errorf("%s with %s: %v\n%s%s", name, kind, err, cmp.Diff(want, got), cmp.Diff(notices, others))
			}
		}
		cut, _, err := ParseICal(name, bytes.TrimSuffix(text, []byte("END:VCALENDAR\n")))
		if err != nil || !cmp.Equal(want, cut) {
			t.Errorf("%s without its end: %v\n%s", name, err, cmp.Diff(want, cut))
		}
	}
}

// TestNoCalendar refuses what is none, and says what it is.
func TestNoCalendar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		line int
		want string
	}{
		{"", 1, "the file is empty"},
		{"\xef\xbb\xbf \n", 1, "the file is empty"},
		{"<!DOCTYPE html>\n<title>Sign in</title>", 1, "a web page or XML"},
		{`["vcalendar",[],[]]`, 1, "JSON"},
		{"\xff\xfeB\x00E\x00G\x00", 1, "UTF-16"},
		{"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:2026\x00", 3, "a zero byte"},
		{"BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261224\nEND:VEVENT\n", 1, "no BEGIN:VCALENDAR"},
		{"24.12.2026;Heiligabend\n", 1, "no BEGIN:VCALENDAR"},
		{strings.Repeat("x", MaxSize+1), 0, "larger than 1 MiB"},
	} {
		days, notices, err := ParseICal("x.ics", []byte(c.text))
		var fault *Error
		if !errors.As(err, &fault) || len(days)+len(notices) > 0 {
			t.Errorf("%.40q: got %v, %v, %v", c.text, days, notices, err)
			continue
		}
		if !strings.HasPrefix(fault.Text, c.want) || fault.Line != c.line || fault.Hint == "" || fault.Input != "x.ics" {
			t.Errorf("%.40q: got %#v, want line %d, %q", c.text, fault, c.line, c.want)
		}
	}
}

// TestNames takes out of a name what would act on a terminal or on a reader.
func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"red\x07\x1b[31malarm":            "red [31malarm",
		"exe.\u202egnp\u2066 \ufeffend":   "exe.gnp end",
		" \t one \r\n two\u2028three \v ": "one two three",
		"Caf\xe9":                         "Caf\ufffd",
		"👩\u200d💻":                        "👩\u200d💻", // a joiner is part of the picture
		strings.Repeat("ß", 81):           strings.Repeat("ß", 79) + "…",
	} {
		if got := cleaned(in); got != want {
			t.Errorf("cleaned(%q) = %q, want %q", in, got, want)
		}
	}
}

// stories returns the archives of testdata/ical by name.
func stories(t testing.TB) map[string]*txtar.Archive {
	t.Helper()
	paths, err := filepath.Glob("testdata/ical/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	all := map[string]*txtar.Archive{}
	for _, path := range paths {
		if all[filepath.Base(path)], err = txtar.ParseFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func section(t testing.TB, a *txtar.Archive, name string) []byte {
	t.Helper()
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	t.Fatalf("the story has no %s", name)
	return nil
}

// shown writes the days from 2020 to 2028, neighbours of one name as a range,
// and how many there are in all.
func shown(days []policy.Day) string {
	var b strings.Builder
	for i := 0; i < len(days); i++ {
		first, last := days[i], days[i]
		for i+1 < len(days) && days[i+1].Name == first.Name && civilDay(days[i+1]) == civilDay(last)+1 {
			i++
			last = days[i]
		}
		if first.Date.Year >= 2020 && first.Date.Year <= 2028 {
			b.WriteString(strings.TrimSpace(ranged(first.Date, last.Date)+" "+first.Name) + "\n")
		}
	}
	if len(days) > 0 {
		fmt.Fprintf(&b, "%d days, the last %s\n", len(days), days[len(days)-1].Date)
	}
	return b.String()
}

func ranged(first, last policy.Date) string {
	if first == last {
		return first.String()
	}
	return first.String() + ".." + last.String()
}

func civilDay(d policy.Day) day { return dayOf(d.Date.Year, d.Date.Month, d.Date.Day) }

func told(notices []Notice) string {
	var b strings.Builder
	for _, n := range notices {
		fmt.Fprintf(&b, "line %d: %s\n", n.Line, n.Text)
	}
	return b.String()
}

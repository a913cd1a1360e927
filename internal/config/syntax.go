package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"curfew/policy"

	"gopkg.in/yaml.v3"
)

// MaxSize is how large a file may be, in bytes. A hundred thousand deployments
// take two million.
const MaxSize = 16 << 20

// maxSearch is the size up to which the line of a syntax error is searched for
// by reading the text again and again.
const maxSearch = 1 << 20

// node is one node of the document; see yaml.Node.
type node = yaml.Node

// document returns the root of the only document in text, or nil after it
// reported why there is none.
func (r *reader) document(text []byte) *node {
	if at, what, hint := unreadable(text); what != "" {
		line, col := place(text, at)
		r.problem(line, col, what, hint)
		return nil
	}
	docs, err := decode(text)
	if err != nil && strings.Contains(err.Error(), unknownAnchor) {
		// A merge key is refused whatever it merges: what is wrong is that it is one,
		// and it must not keep the other mistakes from being told.
		if without, more := decode(unmerged(text)); more == nil {
			docs, err = without, nil
		}
	}
	if err != nil {
		r.syntax(text, err)
		return nil
	}
	switch {
	case len(docs) == 0 || len(docs[0].Content) == 0 || isNull(docs[0].Content[0]):
		r.problem(1, 1, "the file says nothing", `the least that it can say is "policies: []"`)
		return nil
	case len(docs) > 1:
		r.fail(&docs[1], "put everything into one document, or into files of their own", "a second document begins here")
	}
	return docs[0].Content[0]
}

// unknownAnchor is in the library's error for an alias of something that is not
// there.
const unknownAnchor = "unknown anchor"

// mergedAlias is a merge key with the alias that it merges as the submatch.
var mergedAlias = regexp.MustCompile(`(?m)(?:^|[\s{,])<<[ \t]*:[ \t]+(\*[^\s,\]}]+)`)

// unmerged is text with nothing in the place of the aliases behind merge keys; all
// else stays where it is.
func unmerged(text []byte) []byte {
	text = bytes.Clone(text)
	for _, m := range mergedAlias.FindAllSubmatchIndex(text, -1) {
		copy(text[m[2]:m[3]], "~"+strings.Repeat(" ", m[3]-m[2]-1))
	}
	return text
}

// decode returns the first two documents of text. The library is guarded: its
// own errors are panics inside, and not all of them are caught there.
func decode(text []byte) (docs []node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(text))
	for len(docs) < 2 {
		var doc node
		switch err := d.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return docs, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// unreadable finds what keeps text from being YAML at all: the offset, what it
// is, what to do.
func unreadable(text []byte) (at int, what, hint string) {
	switch {
	case len(text) > MaxSize:
		return 0, fmt.Sprintf("the file is larger than %d MiB", MaxSize>>20), "is it the right file?"
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return 0, "the file begins with a byte order mark", `save it as "UTF-8 without BOM"`
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return 0, "the file is UTF-16", "save it as UTF-8"
	}
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		if c == utf8.RuneError && size == 1 {
			return i, fmt.Sprintf("byte %#02x is not UTF-8", text[i]), "save the file as UTF-8"
		}
		if !printable(c) {
			return i, fmt.Sprintf("control character %U", c), `take it out; in "double quotes" it can be written as \x or \u`
		}
		i += size
	}
	return 0, "", ""
}

// printable reports whether YAML allows c (YAML 1.2, section 5.1). A byte order
// mark inside the text is allowed there and here is not: nobody sees it.
func printable(c rune) bool {
	switch {
	case c < ' ':
		return c == '\t' || c == '\n' || c == '\r'
	case c < 0xa0:
		return c < 0x7f || c == 0x85
	}
	return c != 0xfeff && c != 0xfffe && c != 0xffff
}

// syntax reports the library's error. Its line is often that of the mapping
// around the error, so the line is looked for anew.
func (r *reader) syntax(text []byte, err error) {
	what := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := lineNumber.FindStringSubmatch(what); m != nil {
		line, _ = strconv.Atoi(m[1])
		what = what[len(m[0]):]
	}
	if strings.HasPrefix(what, unknownAnchor) {
		what = "alias of something that is not there" // its name may be half a secret
	}
	lines := splitLines(text)
	line = min(max(line, 1), len(lines))
	if len(text) <= maxSearch {
		line = firstBadLine(lines, line, err.Error())
	}
	line, col, hint := suspectAbove(lines, line)
	r.problem(line, col, "not valid YAML: "+what, hint)
}

// firstBadLine returns the line with which the error begins to be the same as
// for the whole text: the library reads forward, so nothing behind the error
// changes it. The search goes ahead in growing steps, then halves the last.
func firstBadLine(lines []string, from int, want string) int {
	same := func(n int) bool {
		_, err := decode([]byte(strings.Join(lines[:n], "\n") + "\n"))
		return err != nil && err.Error() == want
	}
	low, high := from-1, from
	for step := 1; high < len(lines) && !same(high); step *= 2 {
		low, high = high, min(high+step, len(lines))
	}
	for low+1 < high {
		if mid := (low + high) / 2; same(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

var (
	lineNumber = regexp.MustCompile(`^line (\d+): `)

	// What people do wrong, with the place of it as the submatch, and how the
	// same looks where it is right.
	tabIndent  = regexp.MustCompile(`^ *(\t)`)
	badStart   = regexp.MustCompile("(?:^|[:-]\\s|[,\\[{])\\s*([*&!%@`|>])")
	badColon   = regexp.MustCompile(`:\s+[^"'\[{#]*?(:)(?:\s|$)`)
	quoted     = regexp.MustCompile(`[:-]\s+(["'])`)
	goodQuotes = regexp.MustCompile(`[:-]\s+(?:"(?:[^"\\]|\\[0abtnvfre "/\\N_LPxuU])*"|'(?:[^']|'')*')\s*(?:[,}\]#].*)?$`)
	bracket    = regexp.MustCompile(`:\s+([\[{])`)
	goodPair   = regexp.MustCompile(`:\s+(?:\[.*\]|\{.*\})\s*(?:#.*)?$`)
	stuckColon = regexp.MustCompile(`^\s*(?:- )?\w+(:)[^\s:]`)
	noColon    = regexp.MustCompile(`^\s*(\w+)(?:\s[^:]*)?$`)
)

// suspect looks at a line on which YAML fails for the mistakes that people
// make, and returns the column of the likeliest and what to do about it; or 0.
func suspect(line string) (col int, hint string) {
	for _, s := range []struct {
		wrong, right *regexp.Regexp
		hint         string
	}{
		{tabIndent, nil, "indent with blanks; YAML does not allow tabs there"},
		{badStart, nil, `quote the value: "* * * * *"; unquoted, this character has a meaning of its own in YAML`},
		{badColon, nil, "quote the value: a colon with a blank behind it begins another value"},
		{quoted, goodQuotes, "close the quotes on the same line, and put nothing behind them; inside, a quote is written twice in '…' and as \\\" in \"…\""},
		{bracket, goodPair, "close the bracket; if the value itself begins with it, quote the value"},
		{stuckColon, nil, "put a blank behind the colon"},
		{noColon, nil, `put a colon and a blank behind the key: "key: value"`},
	} {
		if m := s.wrong.FindStringSubmatchIndex(line); m != nil && (s.right == nil || !s.right.MatchString(line)) {
			return utf8.RuneCountInString(line[:m[2]]) + 1, s.hint
		}
	}
	return 0, ""
}

// suspectAbove looks at line n for mistakes, then at the one above it: what has
// no colon is taken for the beginning of a text that goes on in the next line.
func suspectAbove(lines []string, n int) (line, col int, hint string) {
	if col, hint := suspect(lines[n-1]); col > 0 {
		return n, col, hint
	}
	if n > 1 && (noColon.MatchString(lines[n-2]) || stuckColon.MatchString(lines[n-2])) {
		col, hint := suspect(lines[n-2])
		return n - 1, col, hint
	}
	at := lines[n-1]
	indent := len(at) - len(strings.TrimLeft(at, " \t"))
	return n, indent + 1, `check this line and the one above: a line is "key: value" or "- item", and what belongs together is indented alike`
}

// splitLines cuts text where YAML sees line breaks, so that line numbers agree.
func splitLines(text []byte) []string {
	s := string(text)
	if strings.ContainsAny(s, "\r\u0085\u2028\u2029") {
		s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	}
	lines := strings.Split(s, "\n")
	if len(lines) > 1 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// place returns line and column of a byte of text.
func place(text []byte, at int) (line, col int) {
	lines := splitLines(append(bytes.Clone(text[:at]), '.'))
	return len(lines), utf8.RuneCountInString(lines[len(lines)-1])
}

// problem adds an error at a place.
func (r *reader) problem(line, col int, text, hint string) {
	r.problems = append(r.problems, policy.Problem{
		Pos: policy.Pos{File: r.name, Line: line, Col: col}, Text: text, Hint: hint,
	})
}

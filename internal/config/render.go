package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"curfew/policy"
)

// How much of a line is quoted before the caret and from it on, and what a tab
// becomes, in columns of a terminal.
const (
	maxLeft  = 70
	maxRight = 60
	tabWidth = 4
)

// Render shows problems to people, in the order of the file: the place and what
// is wrong, the line with a caret under the column, what to do; at the end how
// many there are. text is what the positions with a line point into. Secrets
// that stand in it by mistake are not shown. Without problems it returns "".
func Render(problems []policy.Problem, text []byte) string {
	if len(problems) == 0 {
		return ""
	}
	problems = slices.Clone(problems)
	sortProblems(problems)
	r := renderer{lines: hideSecrets(splitLines(text))}
	for _, p := range problems {
		r.problem(p)
	}
	r.out.WriteString(count(problems) + "\n")
	return r.out.String()
}

// A renderer writes problems in the order of the file. Where it was in a line
// it remembers: a hundred thousand problems can be on one.
type renderer struct {
	out   strings.Builder
	lines []string

	line, col, at int // col characters of line are at bytes in
}

func (r *renderer) problem(p policy.Problem) {
	kind := "error"
	if p.Warning {
		kind = "warning"
	}
	if at := p.Pos.String(); at != "" {
		fmt.Fprintf(&r.out, "%s: ", visible(at))
	}
	fmt.Fprintf(&r.out, "%s: %s\n", kind, visible(p.Text))
	if 0 < p.Pos.Line && p.Pos.Line <= len(r.lines) {
		r.quote(p.Pos)
	}
	if p.Hint != "" {
		fmt.Fprintf(&r.out, "      hint: %s\n", visible(p.Hint))
	}
	r.out.WriteString("\n")
}

// quote writes the line of a place, and a caret under its column if it has one.
func (r *renderer) quote(pos policy.Pos) {
	line := r.lines[pos.Line-1]
	at := r.seek(line, pos.Line, max(pos.Col, 1))
	left, width := before(line[:at])
	fmt.Fprintf(&r.out, "%5d | %s\n", pos.Line, strings.TrimRight(left+behind(line[at:]), " "))
	if pos.Col > 0 {
		fmt.Fprintf(&r.out, "      | %s^\n", strings.Repeat(" ", width))
	}
}

// seek returns the byte at which the character of a column begins.
func (r *renderer) seek(s string, line, col int) int {
	if line != r.line || col <= r.col {
		r.line, r.col, r.at = line, 0, 0
	}
	for r.col+1 < col && r.at < len(s) {
		_, size := utf8.DecodeRuneInString(s[r.at:])
		r.col, r.at = r.col+1, r.at+size
	}
	return r.at
}

// before returns what is shown of the text in front of a caret, and its width.
func before(s string) (shown string, width int) {
	for s != "" {
		c, size := utf8.DecodeLastRuneInString(s)
		text, w := cell(c)
		if width+w > maxLeft {
			return "…" + shown, width + 1
		}
		shown, width, s = text+shown, width+w, s[:len(s)-size]
	}
	return shown, width
}

// behind returns what is shown of the text from a caret on.
func behind(s string) string {
	var b strings.Builder
	width := 0
	for _, c := range s {
		text, w := cell(c)
		if width += w; width > maxRight {
			return b.String() + "…"
		}
		b.WriteString(text)
	}
	return b.String()
}

// cell is how a terminal shows a character, and on how many columns.
func cell(c rune) (string, int) {
	switch {
	case c == '\t':
		return strings.Repeat(" ", tabWidth), tabWidth
	case !unicode.IsPrint(c):
		return "·", 1
	}
	return string(c), runeWidth(c)
}

// visible takes out of a text what a terminal would act on.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '·'
	}, s)
}

// runeWidth is how many columns a terminal gives to a printable character:
// none to a combining one, two to East Asian wide ones and to emoji (the blocks
// of Unicode's EastAsianWidth.txt, roughly: a caret needs no more).
func runeWidth(c rune) int {
	switch {
	case c < 0x300:
		return 1
	case unicode.In(c, unicode.Mn, unicode.Me):
		return 0
	case c < 0x1100:
		return 1
	case c <= 0x115f, // Hangul initials
		0x2e80 <= c && c <= 0xa4cf && c != 0x303f, // CJK, Kana, Yi
		0xac00 <= c && c <= 0xd7a3,                // Hangul
		0xf900 <= c && c <= 0xfaff,                // CJK compatibility
		0xfe30 <= c && c <= 0xfe6f,
		0xff00 <= c && c <= 0xff60, // full width forms
		0xffe0 <= c && c <= 0xffe6,
		0x1f300 <= c && c <= 0x1faff, // emoji
		0x20000 <= c && c <= 0x3fffd:
		return 2
	}
	return 1
}

// count says how many errors and warnings there are.
func count(problems []policy.Problem) string {
	warnings := 0
	for _, p := range problems {
		if p.Warning {
			warnings++
		}
	}
	var parts []string
	for _, n := range []struct {
		n    int
		word string
	}{{len(problems) - warnings, "error"}, {warnings, "warning"}} {
		switch {
		case n.n == 1:
			parts = append(parts, "1 "+n.word)
		case n.n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n.n, n.word))
		}
	}
	return strings.Join(parts, ", ")
}

const hidden = "[redacted]"

var (
	secretKey = regexp.MustCompile(`(?i)[\w.-]*(?:key|secret|pass(?:word|wd)?|token|credentials?)["']?\s*:`)
	fileKey   = regexp.MustCompile(`(?i)([\w.-]*(?:key|secret)_file["']?\s*:)\s*["']?\s*([^\s"',}#]*)`)
	userInfo  = regexp.MustCompile(`//[^\s"']*@`)
)

// hideSecrets returns the lines with what looks like a secret taken out. It
// goes by the letters alone, since it must work on a text that is no YAML: the
// rest of a line behind "secret:" and its like, the deeper lines below it, what
// does not look like a path behind "secret_file:", and user and password of an
// address.
func hideSecrets(lines []string) []string {
	shown := slices.Clone(lines)
	under := -1 // the indent of the secret's key, while below it
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		if indent == len(line) {
			continue
		}
		if under >= 0 && indent > under {
			shown[i] = line[:indent] + hidden
			continue
		}
		under = -1
		if !strings.Contains(line, ":") {
			continue // most lines of a long file, and neither of the two
		}
		if at := secretAt(line); at >= 0 {
			under = indent
			line = hideFrom(line, at)
		}
		shown[i] = userInfo.ReplaceAllString(line, "//"+hidden+"@")
	}
	return shown
}

// secretAt is where in a line a secret may begin; -1 where there is none. What
// stands behind the key of a file is the secret itself where somebody pasted it
// there, and then it is no path: it has neither slash nor dot.
func secretAt(line string) int {
	if m := secretKey.FindStringIndex(line); m != nil {
		return m[1]
	}
	for _, m := range fileKey.FindAllStringSubmatchIndex(line, -1) {
		value := line[m[4]:m[5]]
		empty := value == "" && strings.TrimSpace(line[m[3]:]) != "" // such as ""
		if !empty && !strings.ContainsAny(value, "/.") {
			return m[3]
		}
	}
	return -1
}

// hideFrom takes out what stands behind a secret's key.
func hideFrom(line string, at int) string {
	if strings.TrimSpace(line[at:]) == "" {
		return line
	}
	return line[:at] + " " + hidden
}

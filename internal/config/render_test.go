package config

import (
	"strings"
	"testing"

	"curfew/policy"
)

func TestRenderPlaces(t *testing.T) {
	t.Parallel()
	wide := "a\t日本 é\u0301x end"
	long := strings.Repeat("0123456789", 30)
	for _, test := range []struct {
		name, text string
		line, col  int
		want       string
	}{
		{"first column", "abc", 1, 1, "    1 | abc\n      | ^\n"},
		{"behind the end", "abc", 1, 4, "    1 | abc\n      |    ^\n"},
		{"far behind the end", "abc", 1, 99, "    1 | abc\n      |    ^\n"},
		{"no column", "abc", 1, 0, "    1 | abc\n"},
		{"no such line", "abc", 2, 1, ""},
		{"no line", "abc", 0, 0, ""},
		{"an empty line", "a\n\nb", 2, 1, "    2 | \n      | ^\n"},
		{"behind a tab", wide, 1, 3, "    1 | a    日本 é\u0301x end\n      |      ^\n"},
		{"behind wide and combining characters", wide, 1, 8, "    1 | a    日本 é\u0301x end\n      | " + strings.Repeat(" ", 1+4+2+2+1+1+0) + "^\n"},
		{"what a terminal would act on", "a\u202eb\u200b", 1, 3, "    1 | a·b·\n      |   ^\n"},
		{"cut behind", long, 1, 5, "    1 | " + long[:64] + "…\n      |     ^\n"},
		{"cut before", long, 1, 300, "    1 | …" + long[229:] + "\n      | " + strings.Repeat(" ", 71) + "^\n"},
		{"cut on both sides", long, 1, 151, "    1 | …" + long[80:210] + "…\n      | " + strings.Repeat(" ", 71) + "^\n"},
	} {
		p := policy.Problem{Pos: policy.Pos{Line: test.line, Col: test.col}, Text: "x"}
		got := Render([]policy.Problem{p}, []byte(test.text))
		_, got, _ = strings.Cut(got, "error: x\n")
		if want := test.want + "\n1 error\n"; got != want {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", test.name, got, want)
		}
	}
}

func TestRenderOrderAndCount(t *testing.T) {
	t.Parallel()
	at := func(line, col int, text string, warning bool) policy.Problem {
		return policy.Problem{Pos: policy.Pos{File: "f", Line: line, Col: col}, Text: text, Warning: warning}
	}
	problems := []policy.Problem{at(2, 2, "d", false), at(2, 1, "c", true), at(0, 0, "a", false), at(1, 9, "b", true)}
	got := Render(problems, nil)
	want := "f: error: a\n\nf:1:9: warning: b\n\nf:2:1: warning: c\n\nf:2:2: error: d\n\n2 errors, 2 warnings\n"
	got = strings.ReplaceAll(got, "    1 | \n      | ^\n", "")
	if got != want || problems[0].Text != "d" {
		t.Errorf("got\n%s\nwant\n%s\nand the argument left alone", got, want)
	}
	if got := Render(nil, []byte("x")); got != "" {
		t.Errorf("nothing to say, but %q", got)
	}
	if got := Render(problems[1:2], nil); !strings.HasSuffix(got, "\n1 warning\n") {
		t.Errorf("one warning: %q", got)
	}
}

// TestHideSecrets has lines on which a secret can stand, good YAML or not.
func TestHideSecrets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"secret: hunter2":                 "secret: [redacted]",
		"  api_key:hunter2":               "  api_key: [redacted]",
		"{\"secret\":\"hunter2\"}":        "{\"secret\": [redacted]",
		"- Password : hunter2":            "- Password : [redacted]",
		"secret: |\n  hunter2\n\n  more":  "secret: [redacted]\n  [redacted]\n\n  [redacted]",
		"secret:\n  hunter2\nlisten: a":   "secret:\n  [redacted]\nlisten: a",
		"a:\n  token: hunter2\n  b: c":    "a:\n  token: [redacted]\n  b: c",
		"https://me:hunter2@example.com/": "https://[redacted]@example.com/",
		"'https://me:hunt/er2@a@b.c/' #x": "'https://[redacted]@b.c/' #x",
		"key_file: /run/key":              "key_file: /run/key",
		"secret_file: hunter2":            "secret_file: [redacted]",
		"secret_file: \"hunter2\" # x":    "secret_file: [redacted]",
		"secret_file:\n  hunter2":         "secret_file:\n  [redacted]",
		"{key_file: ./k, secret_file: s}": "{key_file: ./k, secret_file: [redacted]",
		"secret_file: 's.txt'":            "secret_file: 's.txt'",
		"scope: key":                      "scope: key",
		"stop: {limit: 1, scope: key}":    "stop: {limit: 1, scope: key}",
	} {
		if got := strings.Join(hideSecrets(strings.Split(text, "\n")), "\n"); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"

	"curfew/policy"
)

// TestLogStandard: what a library says by Go's standard log is a line of ours.
// It is not parallel, since there is one standard log.
func TestLogStandard(t *testing.T) {
	w, flags := log.Writer(), log.Flags()
	defer func() { log.SetOutput(w); log.SetFlags(flags) }()
	var out bytes.Buffer
	logStandard(newLogger(&console{err: &out}, &out, &out, "json"))
	log.Printf("Unsolicited response received on idle HTTP channel starting with %q", "HTTP/1.0")
	lines, err := jsonLines(out.String())
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || lines[0]["level"] != "WARN" || !strings.HasPrefix(lines[0]["msg"].(string), "Unsolicited response") {
		t.Errorf("the log has %v, want one warning with the library's words", lines)
	}
}

// TestLogProblem: a place is in parts for programs, and in one for people.
func TestLogProblem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pos        policy.Pos
		json, text string
	}{
		{policy.Pos{File: "a.yaml", Line: 4, Col: 3}, `"file":"a.yaml","line":4,"column":3,"place":"a.yaml:4:3","text":"no"`, "place=a.yaml:4:3 "},
		{policy.Pos{File: "a.yaml", Line: 4}, `"file":"a.yaml","line":4,"place":"a.yaml:4","text":"no"`, "place=a.yaml:4 "},
		{policy.Pos{File: "a.yaml"}, `"file":"a.yaml","place":"a.yaml","text":"no"`, "place=a.yaml "},
	} {
		for format, want := range map[string]string{"json": c.json, "text": c.text} {
			var out bytes.Buffer
			logProblem(newLogger(&console{err: &out, env: noEnv}, &out, &out, format), policy.Problem{Pos: c.pos, Text: "no"})
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s of %s lacks %q: %s", format, c.pos, want, out.String())
			}
		}
	}
}

func noEnv(string) (string, bool) { return "", false }

// TestTellStart: who hears of a start that fails, in which form, and what is left
// to the end of the program.
func TestTellStart(t *testing.T) {
	t.Parallel()
	bad := &badFile{
		problems: []policy.Problem{{Pos: policy.Pos{File: "a.yaml", Line: 1, Col: 1}, Text: "no"}}, text: []byte("x"),
	}
	plain, usage := errors.New("the port is taken"), usagef("no such lapse")
	for _, c := range []struct {
		format string
		err    error
		left   error // what tellStart returns
		stderr string
	}{
		{"text", nil, nil, ""},
		{"text", plain, plain, ""},
		{"auto", plain, plain, ""},
		{"auto", fmt.Errorf("read: %w", bad), errTold, "a.yaml:1:1: error: no\n"},
		{"json", nil, nil, ""},
		{"json", plain, errTold, `"msg":"curfew cannot start","err":"the port is taken"}`},
		{"json", fmt.Errorf("read: %w", bad), errTold, `"msg":"problem in the configuration","file":"a.yaml","line":1,"column":1,`},
		{"json", errTold, errTold, ""},
		{"json", usage, usage, ""},
	} {
		var out bytes.Buffer
		got := tellStart(&console{err: &out, env: noEnv}, c.format, c.err)
		if !errors.Is(got, c.left) || (got == nil) != (c.left == nil) {
			t.Errorf("--log-format %s, %v: left is %v, want %v", c.format, c.err, got, c.left)
		}
		if (out.Len() == 0) != (c.stderr == "") || !strings.Contains(out.String(), c.stderr) {
			t.Errorf("--log-format %s, %v: stderr has %q, want %q", c.format, c.err, out.String(), c.stderr)
		}
	}
}

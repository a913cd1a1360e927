package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A verdict is what became of a mutant.
type verdict string

// The verdicts.
const (
	verdictKilled   verdict = "killed"
	verdictSurvived verdict = "SURVIVED"
	verdictStale    verdict = "STALE"
	verdictMistaken verdict = "MISTAKEN" // something failed, and not what the mutant names
	verdictUntested verdict = "UNTESTED" // the tests did not run, or were skipped
)

// A result is a verdict with its reason.
type result struct {
	mutant  *mutant
	verdict verdict
	by      string // what killed it, or why it was not
	output  []byte // of the tests
	took    time.Duration
}

// patience is how long the tests of one mutant may take. A bug that makes a test
// hang is caught by its end, if by nothing else.
const patience = 10 * time.Minute

// judge runs the tests that have to catch m.
func (m *mutant) judge(ctx context.Context, root string) (r result) {
	began := time.Now()
	defer func() { r.took = time.Since(began) }()
	r.mutant = m
	dir, err := os.MkdirTemp("", "curfew-mutant-")
	if err != nil {
		r.verdict, r.by = verdictUntested, err.Error()
		return r
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(root, dir)
	if err != nil {
		r.verdict, r.by = verdictStale, err.Error()
		return r
	}
	cmd := exec.CommandContext(ctx, "go", m.command(overlay)...)
	cmd.Dir = root
	r.output, err = cmd.CombinedOutput()
	r.verdict, r.by = m.read(r.output, err)
	return r
}

// command is the go command's arguments. Verbose, so that a test which was
// skipped is told from one that passed.
func (m *mutant) command(overlay string) []string {
	args := []string{"test", "-v", "-count=1", "-failfast", "-timeout", patience.String(), "-overlay", overlay,
		"-run", "^(" + strings.Join(m.tests, "|") + ")$", m.pkg}
	return append(args, m.flags...)
}

// overlay writes the changed files to dir, and there the list of them that the
// go command takes.
func (m *mutant) overlay(root, dir string) (string, error) {
	texts, err := m.changed(root)
	if err != nil {
		return "", err
	}
	list := map[string]string{}
	for path, text := range texts {
		changed := filepath.Join(dir, fmt.Sprintf("%d.go", len(list)))
		if err := os.WriteFile(changed, text, 0o600); err != nil {
			return "", err
		}
		list[path] = changed
	}
	b, err := json.Marshal(map[string]any{"Replace": list})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, b, 0o600)
}

var (
	failedTest  = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
	endedTest   = regexp.MustCompile(`(?m)^--- (PASS|FAIL): (\S+)`)
	skippedTest = regexp.MustCompile(`(?m)^--- SKIP: (\S+)`)
	running     = regexp.MustCompile(`(?m)^=== .*\n`)
)

// read finds the verdict in what the tests printed.
func (m *mutant) read(out []byte, err error) (verdict, string) {
	failed := failedTest.FindSubmatch(out)
	switch {
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return verdictStale, "it does not compile"
	case err == nil && !endedTest.Match(out):
		return verdictUntested, missed(out)
	case err == nil:
		return verdictSurvived, "all of " + strings.Join(m.tests, ", ") + " passed"
	case failed == nil && bytes.Contains(out, []byte("panic: ")):
		return m.named(out, "a panic")
	case failed == nil:
		return verdictUntested, err.Error()
	}
	return m.named(out, string(failed[1]))
}

// named holds a failure against the words of which it must name one.
func (m *mutant) named(out []byte, by string) (verdict, string) {
	if len(m.words) == 0 {
		return verdictKilled, by
	}
	for _, w := range m.words {
		if bytes.Contains(out, []byte(w+":")) {
			return verdictKilled, by + ", " + w
		}
	}
	return verdictMistaken, fmt.Sprintf("%s fails, and not by one of %v", by, m.words)
}

// missed says why no test ran to its end.
func missed(out []byte) string {
	if s := skippedTest.FindSubmatch(out); s != nil {
		return string(s[1]) + " was skipped"
	}
	return "there is no such test"
}

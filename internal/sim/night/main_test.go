package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRefuses: what makes no sense is refused before anything is built.
func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-for", "0s"}, {"-range", "0"}, {"-procs", "0"}, {"-nonsense"}, {"more"}} {
		var out, errs bytes.Buffer
		if code := run(context.Background(), args, &out, &errs); code != 2 || errs.Len() == 0 || out.Len() > 0 {
			t.Errorf("%v: exit %d, stdout %q, stderr %q, want 2 and a word on stderr", args, code, &out, &errs)
		}
	}
}

// fake is a night whose test binary is a script of the shell.
func fake(t *testing.T, text string) (*night, *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "sim.test")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	return &night{binary: path, dir: dir, from: 1, next: 1, chunk: 5, out: &out, counts: map[string]int{}}, &out
}

// writes is what a range of seeds does that met one thing twice: the path of its
// counts is its last argument.
const writes = `for path; do :; done; [ "$2" = '^TestCoverage$' ] || echo '{"act kill up": 2}' > "$path"`

// TestRangesAreAddedUp: what two ranges met is judged together, and a good night
// ends well.
func TestRangesAreAddedUp(t *testing.T) {
	t.Parallel()
	n, out := fake(t, writes)
	n.one(t.Context(), 1)
	n.one(t.Context(), 6)
	if code := n.report(t.Context()); code != 0 || n.counts["act kill up"] != 4 || n.seeds != 10 {
		t.Errorf("exit %d after %d seeds that met %v:\n%s", code, n.seeds, n.counts, out)
	}
	b, err := os.ReadFile(filepath.Join(n.dir, "met.json"))
	var met map[string]int
	if err != nil || json.Unmarshal(b, &met) != nil || met["act kill up"] != 4 {
		t.Errorf("judged are %s, %v", b, err)
	}
}

// TestBadNights: a range that fails, one that dies without a word, and a table
// with a hole each make the night a bad one, which says why.
func TestBadNights(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ text, says string }{
		"a seed fails":         {writes + "\n[ \"$2\" = '^TestCoverage$' ] || { echo 'replay: -seed 3'; exit 1; }", "replay: -seed 3"},
		"a process dies":       {"[ \"$2\" = '^TestCoverage$' ] || exit 2", "seeds 1 to 5"},
		"something never came": {writes + "\n[ \"$2\" != '^TestCoverage$' ] || { echo 'never came up'; exit 1; }", "never came up"},
		"counts that are none": {"for path; do :; done; echo '{' > \"$path\"", "read counts"},
		"counts are missing":   {"exit 0", "no such file"},
	} {
		n, out := fake(t, c.text)
		n.one(t.Context(), 1)
		if code := n.report(t.Context()); code != 1 || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: exit %d, want 1 and %q:\n%s", what, code, c.says, out)
		}
	}
}

// TestNoSeeds: a night that was ended before its first range proves nothing.
func TestNoSeeds(t *testing.T) {
	t.Parallel()
	n, _ := fake(t, writes)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n.one(ctx, 1)
	if code := n.report(ctx); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
}

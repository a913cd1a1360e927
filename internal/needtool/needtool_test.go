package needtool

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// judge is a test that only takes down how it ended. Fatalf and Skipf return,
// unlike the real ones: Path has nothing to do after them.
type judge struct {
	testing.TB
	ended string
}

func (j *judge) Helper() {}

func (j *judge) Fatalf(format string, args ...any) { j.end("FAIL " + fmt.Sprintf(format, args...)) }

func (j *judge) Skipf(format string, args ...any) { j.end("SKIP " + fmt.Sprintf(format, args...)) }

// end keeps the first ending: the real methods would not have gone on.
func (j *judge) end(s string) {
	if j.ended == "" {
		j.ended = s
	}
}

func TestPath(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ tool, require, path, ended string }{
		{"there", "", there, ""},
		{"there", "1", there, ""},
		{"promtool", "", "", "SKIP promtool not found: apt-get install prometheus"},
		{"promtool", "0", "", "SKIP promtool not found: apt-get install prometheus"},
		{"promtool", "1", "", "FAIL promtool not found, and CI_REQUIRE_TOOLS=1: apt-get install prometheus"},
	} {
		t.Setenv(RequireEnv, tc.require)
		j := new(judge)
		if path := Path(j, tc.tool, "prometheus"); path != tc.path || j.ended != tc.ended {
			t.Errorf("Path(%s) with %s=%q: %q, %q; want %q, %q", tc.tool, RequireEnv, tc.require, path, j.ended, tc.path, tc.ended)
		}
	}
}

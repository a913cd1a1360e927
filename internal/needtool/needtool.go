package needtool

import (
	"os"
	"os/exec"
	"testing"
)

// RequireEnv is the environment variable that makes a missing tool a failure
// when it is "1".
const RequireEnv = "CI_REQUIRE_TOOLS"

// Path returns where the program tool is on PATH. Where it is not, the test is
// skipped, or fails if RequireEnv says so; pkg is the Debian package that has it.
func Path(t testing.TB, tool, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err == nil {
		return path
	}
	if os.Getenv(RequireEnv) == "1" {
		t.Fatalf("%s not found, and %s=1: apt-get install %s", tool, RequireEnv, pkg)
	}
	t.Skipf("%s not found: apt-get install %s", tool, pkg)
	return ""
}

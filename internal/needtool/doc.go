// Package needtool finds the outside programs that some tests check our output
// with, such as promtool or systemd-analyze.
//
// A person who runs the tests on a laptop need not have them: the test is
// skipped with one line that names the package to install. A CI run must have
// them, or a check would vanish the day an image changes: with
// CI_REQUIRE_TOOLS=1 in the environment a missing tool fails the test.
//
// It never installs anything and runs nothing itself.
//
//	promtool := needtool.Path(t, "promtool", "prometheus")
//	out, err := exec.Command(promtool, "check", "rules", file).CombinedOutput()
package needtool

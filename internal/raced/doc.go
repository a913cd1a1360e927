// Package raced tells tests whether the race detector watches them, and spares
// those in which nothing runs beside anything else.
//
// The detector finds two goroutines that share what they should not. In a test of
// one goroutine there is nothing to find, and some of them (SQLite's Go, the
// simulator, commands that only compute) take ten times as long under it. Such a
// test says so in its first line and is skipped in the gate's run with -race; it
// always runs without. With CURFEW_RACE_ALL=1 in the environment, as in .ci/full,
// nothing is spared.
//
// It decides nothing but that.
//
//	func TestPowerLoss(t *testing.T) {
//		raced.Spare(t)
package raced

import (
	"os"
	"testing"
)

// AllEnv is the environment variable that spares nothing when it is "1".
const AllEnv = "CURFEW_RACE_ALL"

// Spared reports whether tests of one goroutine are to be left out.
func Spared() bool { return Detector && os.Getenv(AllEnv) != "1" }

// Spare skips a test of one goroutine where Spared says so.
func Spare(t testing.TB) {
	t.Helper()
	if Spared() {
		t.Skip("one goroutine: nothing to race with; " + AllEnv + "=1 runs it")
	}
}

// Package torture runs the real binary in rough weather: two `curfew run` on one
// ledger against `curfew platform`, over loopback, in a lapse of time in which
// half a minute holds hundreds of transitions.
//
// Processes are killed, at random and in the very middle of a call; they are
// stopped and go on, run out of disk and of descriptors, have their clock
// stepped and their file spoilt. Between them and the platform lies a wire that
// loses answers, cuts them, resets connections and refuses them. A seed deals
// out the troubles and their times:
//
//	go test ./internal/torture -run '^TestTorture$' -v -seed 7
//	go test ./internal/torture -run '^TestTorture$' -v -seed 7 -for 10m -timeout 30m
//
// Real time makes a run not exactly repeatable, so a failure prints what
// happened when, beside the platform's log and the daemons' own.
//
// Nothing that is judged here is asked of the daemon. What it did is in the
// platform's log; when it should have is arithmetic of this package's own
// (law_test.go), which shares nothing with package policy; and how its
// transitions ended is read out of its ledger once it has ended. After the
// troubles comes fair weather, with an edge of each kind at least: by then
// everything must be as the policies want it.
//
// TestBites lets it run against daemons with deliberate bugs, which it must find
// out. TestTrace reads the system calls of a daemon at work: before the first
// byte of each call, its claim was in the ledger and synced.
package torture

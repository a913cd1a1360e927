// Command mutants tests the tests: it puts one deliberate bug at a time into the
// program and runs the check that must notice.
//
// A mutant is a file in bugs/: what is wrong, what must catch it, and which lines
// to exchange for which.
//
//	A restart takes all that came before it for settled.
//	caught by: ./internal/sim TestCrashes TestSim I17
//	--- scheduler/adopt.go
//	the lines as they are
//	+++
//	the lines that stand in their place
//
// Behind "caught by:" stand a package, top-level tests of it, and words, one of
// which a failure must name before a colon: that something fails is not enough
// where one test holds all invariants. What begins with a hyphen goes to the
// tests as a flag.
//
// Nothing is written into the sources: the go command takes the changed files as
// an overlay. A mutant is killed where one of its tests fails and names it,
// survives where all pass, and is stale where its lines are not found exactly
// once, or where the program with it does not compile.
//
//	go run ./internal/mutants                # all of them: up to half an hour
//	go run ./internal/mutants -only no-sync  # one, and what its tests print
//
// The exit status is 1 unless all were killed by what they name. TestMutants,
// which is fast, holds every mutant to the code: it fits and compiles.
package main

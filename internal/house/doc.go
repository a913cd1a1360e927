// Package house holds the rooms of this module to the picture in
// docs/architecture.md, and their sources to the house rules that a compiler
// does not know. It has tests and nothing else.
//
// Which room may import which is TestArrows's question. Adapters point at the
// core, never the other way round, and a few libraries have one room only.
//
// The pure rooms decide: policy, apiclient/quota and the Fleet half of scheduler
// (all of it but loop.go). A year must pass in them within seconds and come out
// the same on every machine, so they get the time as an argument. TestPureRooms
// gives them a short list of packages to import; of some of those, package time
// above all, a short list of names; and no goroutine, no channel, no output.
// These are lists of what is allowed: what a new release of Go brings is not in
// them, and whoever needs more has to add it where it is seen.
//
// Everywhere, a package-level variable is a sentinel error, an embedded file, a
// regexp or a table of constants, nobody writes to one, and there is no init().
// That is TestVariables.
//
// The sources are read with their types. So it does not matter how a package is
// called where it is imported, whether a function is called or only passed on,
// or that a local variable has the name of a package. What is not read are tests
// and the files for other systems.
//
// Each rule is a function from a source to its faults. The tests whose names end
// in Bite feed it sources that are bad on purpose; a rule without one of them may
// have stopped working long ago. A fault reads
//
//	policy/edges.go:41:9: time.Now is not among the names that a pure room may use
package house

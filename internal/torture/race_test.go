//go:build race

package torture

// raced says that this test, and so the program that it builds, has the race
// detector.
const raced = true

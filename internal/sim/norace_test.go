//go:build !race

package sim

// raced tells whether the race detector watches. Nothing here has two goroutines
// but the tests themselves, so a few of each are enough then.
const raced = false

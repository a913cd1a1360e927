//go:build race

package ledger

// raced says that the race detector watches.
const raced = true

//go:build !race

package ledger

// raced is false where no race detector watches.
const raced = false

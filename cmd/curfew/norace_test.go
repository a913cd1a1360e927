//go:build !race

package main

// raced is false where no race detector watches.
const raced = false

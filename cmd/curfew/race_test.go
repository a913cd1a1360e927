//go:build race

package main

// raced says that the race detector watches. What has one goroutine is not run
// under it: there is nothing to find, and it takes ten times as long.
const raced = true

//go:build !race

package raced

// Detector reports whether the race detector is built in.
const Detector = false

//go:build !linux

package main

import "time"

// steadyClock returns Go's monotonic clock, counted from now: there is no
// CLOCK_BOOTTIME here.
func steadyClock() func() time.Duration {
	begin := time.Now()
	return func() time.Duration { return time.Since(begin) }
}

// bootID is new in each process, as the zero of its steady clock is.
func bootID() string { return randomBoot() }

//go:build curfew_steps

package main

import (
	"os"
	"strings"
	"sync/atomic"
	"time"

	"curfew/scheduler"
)

// stepsEnv names the file that says how far the wall clock is off, such as -10m.
const stepsEnv = "CURFEW_CLOCK_STEPS"

// stepped lets the wall clock be off by what a file says, anew at each reading:
// a host whose clock is set. The steady clock is as ever. It is in the build for
// the torture test alone: nothing else reaches the clock of a Go program from
// outside.
func stepped(read func() scheduler.Now) func() scheduler.Now {
	path := os.Getenv(stepsEnv)
	if path == "" {
		return read
	}
	var off atomic.Int64
	return func() scheduler.Now {
		// A file that cannot be read, by a process out of descriptors, sets no clock.
		if text, err := os.ReadFile(path); err == nil {
			if d, err := time.ParseDuration(strings.TrimSpace(string(text))); err == nil {
				off.Store(int64(d))
			}
		}
		now := read()
		now.Wall = now.Wall.Add(time.Duration(off.Load()))
		return now
	}
}

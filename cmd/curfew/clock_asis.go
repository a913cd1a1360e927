//go:build !curfew_steps

package main

import "curfew/scheduler"

// stepped leaves the clock as it is. Only a build for the torture test of
// internal/torture, with the tag curfew_steps, has another.
func stepped(read func() scheduler.Now) func() scheduler.Now { return read }

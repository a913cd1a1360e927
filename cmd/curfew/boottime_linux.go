package main

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// steadyClock returns a reading of CLOCK_BOOTTIME: time since the boot of the
// host, suspends included, which nobody can set.
func steadyClock() func() time.Duration {
	return func() time.Duration {
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
			panic("read CLOCK_BOOTTIME: " + err.Error()) // every Linux since 2.6.39 has it
		}
		return time.Duration(ts.Nano())
	}
}

// bootID names this boot of the host. Where the kernel does not tell, each
// process counts as a boot of its own: steady instants of another then mean
// nothing, which is safe.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || strings.TrimSpace(string(id)) == "" {
		return randomBoot()
	}
	return strings.TrimSpace(string(id))
}

package sim

import (
	"time"

	"curfew/scheduler"
)

// A clock is the two clocks of a host. The steady one counts from its boot and
// goes on in a suspend; the wall clock is off the true time by offset.
type clock struct {
	boots  int
	base   time.Duration // what the steady clock showed at booted
	booted time.Duration // real time
	offset time.Duration // wall clock minus true time
	fast   int64         // by so many millionths the steady clock runs fast
}

// firstBoot is how long the host has been up when a simulation begins.
const firstBoot = 1000 * time.Hour

func (c *clock) read(epoch time.Time, real time.Duration) scheduler.Now {
	up := real - c.booted
	return scheduler.Now{Wall: epoch.Add(real + c.offset), Steady: c.base + up + up/millionth*time.Duration(c.fast)}
}

const millionth = 1_000_000

// span is how long it really takes until the steady clock has moved by d.
func (c *clock) span(d time.Duration) time.Duration {
	if c.fast == 0 || d <= 0 {
		return max(0, d)
	}
	return d - d/(millionth+time.Duration(c.fast))*time.Duration(c.fast)
}

// reboot begins another boot at a real instant: the steady clock starts again.
func (c *clock) reboot(real time.Duration) {
	c.boots++
	c.base, c.booted = 15*time.Second, real
}

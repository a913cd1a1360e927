package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"curfew/internal/demo"
)

// newDemo returns the command that shows everything with no account.
func newDemo(c *console) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show in half a minute what curfew does, with no account and no set-up",
		Long: `Let the real daemon live through a Friday evening against a simulated platform
on this machine, on a clock that runs 50 times faster: it is killed between a
call and its answer, and started again. Then three nights in virtual time, the
score that the platform kept, beside that of a loop of cron and curl on the same
tapes, and what a week saves. It uses random ports of the loopback and a
temporary directory, and ends by itself.`,
		Example: `  curfew demo
  curfew demo --keep       then look at the daemon's page and metrics`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error {
			signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error to clean up after, not a way to die
			ctx, stop := untilSignal(ctx)
			defer stop()
			binary, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program's own file: %w", err)
			}
			err = demo.Run(ctx, demo.Options{
				Out: c.out, Binary: binary, Env: c.zoneEnv(), Keep: keep, Colour: c.coloured(c.out), Lapse: demoLapse,
			})
			if errors.Is(err, context.Canceled) {
				return errors.New("interrupted")
			}
			return err
		}),
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the platform and the daemon up until Ctrl-C")
	return cmd
}

// zoneEnv is what a child inherits: where time zones are, and nothing of the
// caller's account.
func (c *console) zoneEnv() []string {
	if dir, ok := c.env("ZONEINFO"); ok {
		return []string{"ZONEINFO=" + dir}
	}
	return nil
}

// demoLapse begins a lapse now, and returns the flags with which a child shares
// it.
func demoLapse(factor float64, origin time.Time) ([]string, func() time.Time) {
	anchor := machineClock().read().Steady
	l := lapse{factor: factor, origin: origin.Format(time.RFC3339Nano), anchor: int64(anchor)}
	shared, err := l.clock()
	if err != nil {
		shared = machineClock() // cannot be: the three values are good
	}
	return []string{
		"--time-lapse", strconv.FormatFloat(factor, 'f', -1, 64),
		"--time-origin", l.origin, "--time-anchor", strconv.FormatInt(l.anchor, 10),
	}, func() time.Time { return shared.read().Wall }
}

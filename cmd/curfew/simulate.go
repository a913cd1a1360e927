package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"curfew/internal/config"
	"curfew/internal/sim"
	"curfew/policy"
	"curfew/scheduler"
)

// newSimulate is `curfew simulate`: what would that be like?
func newSimulate(c *console) *cobra.Command {
	var o simulateOptions
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Live through days of a configuration in virtual time",
		Long: `Run the daemon's own core under this configuration against a simulated platform,
in virtual time, and show what the platform saw: calls, quota use, how transitions
ended, how long each deployment ran, and what that saves where the file has
prices. It needs no key and makes no call. Deployments have the names that the file
asserts; whom it selects by name, nobody knows here.

With --seed, things go wrong as they do in real life: answers get lost, the
platform errs, starts take long. The same seed gives the same days.`,
		Example: `  curfew simulate -c curfew.yaml --days 30
  curfew simulate -c curfew.yaml --days 365 --seed 7 -o json
  curfew simulate -c curfew.yaml --per-key     the quota is one for the whole key`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return o.run(ctx, c, time.Now()) }),
	}
	fileFlag(cmd, &o.file)
	formatFlag(cmd, &o.format, "table", "json")
	o.days = 30
	cmd.Flags().Var(whole[int]{&o.days}, "days", "how many days to live through")
	cmd.Flags().StringVar(&o.from, "from", "now", "the `TIME` at which the daemon is started")
	cmd.Flags().Var(whole[uint64]{&o.seed}, "seed", "what goes wrong; 0 is nothing")
	cmd.Flags().BoolVar(&o.perKey, "per-key", false, "let the platform count quotas over the whole key where the file leaves that open")
	return cmd
}

type simulateOptions struct {
	file, format, from string
	days               int
	seed               uint64
	perKey             bool
}

func (o simulateOptions) run(ctx context.Context, c *console, now time.Time) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	file, err := loadFile(c, o.file)
	if err != nil {
		return err
	}
	from, err := parseTime(o.from, now, file.Location)
	if err != nil {
		return usagef("--from: %w", err)
	}
	if o.days < 1 || o.days > maxDays {
		return usagef("--days %d: want 1 to %d", o.days, maxDays)
	}
	report, err := sim.Simulate(ctx, sim.Options{
		Config: simulated(file), From: from, Days: o.days, Seed: o.seed, PerKey: o.perKey, Progress: o.progress(c, from),
	})
	if err != nil {
		return err
	}
	if o.format == "json" {
		return writeReportJSON(c.out, report, savingsOf(file, report), o.seed)
	}
	return writeReport(c.out, report, savingsOf(file, report), file.Location, o.seed)
}

// simulated is what the daemon would be told of the file, but for the key and for
// the release's date, which simulated days may well be before.
func simulated(file *config.Config) scheduler.Config {
	c := scheduler.Config{
		Account: file.Name, Set: file.Policies, Quotas: file.Quotas, ObserveEvery: file.ObserveEvery,
		ObserveList: file.ObserveList, DryRun: file.DryRun, TrustClock: file.TrustClock,
	}
	if file.Policies != nil { // nil where the file is wrong
		c.Protect = policy.NewProtection(file.Protect, file.Policies.Policies)
	}
	return c
}

// progress tells people at a terminal how far it is; nobody else.
func (o simulateOptions) progress(c *console, from time.Time) func(time.Time) {
	if !terminal(c.err) {
		return nil
	}
	return func(at time.Time) {
		day := int(at.Sub(from).Hours()/24 + 0.5)
		fmt.Fprintf(c.err, "\rday %d of %d", day, o.days)
		if day >= o.days {
			fmt.Fprint(c.err, "\r\x1b[K")
		}
	}
}

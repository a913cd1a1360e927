package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
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
in virtual time, and show what that was like: calls, quota peaks, how transitions
ended and what they waited for, whether people found their deployments running at
the time that the file names, how long each ran, and what that saves where the file
has prices. It needs no key and makes no call. Names, and whom policies select by
name, are those of --inventory; without it, the names are those that the file
asserts, and nobody is selected.

Where a policy has one power only, people are taken to undo once a day what it
did, and the report says at what time; what a policy starts alone saves nothing.
A dry run saves nothing, either: what would be stopped runs on.

How much goes wrong is what --faults says:

  none    nothing
  light   an ordinary month: now and then a lost answer, a 5xx, a slow transition,
          a 429 for what others with the key did
  heavy   a bad year: also outages of hours, a daemon that is killed and started
          again, a clock that is stepped, others who use up the quota, people who
          start and stop by hand, and transitions that take up to twice as long

--seed says what goes wrong and when: the same seed gives the same days. A --seed
alone means --faults light. Nobody documents how long a deployment takes to start:
say what yours take with --start-takes and --stop-takes.

"-o svg" is a picture of what the platform saw. Of "-o json" there is a JSON Schema
in docs/schema/simulate.schema.json.`,
		Example: `  curfew simulate -c curfew.yaml --days 365
  curfew simulate -c curfew.yaml --days 365 --faults heavy --seed 7 -o json
  curfew simulate -c curfew.yaml --start-takes 10m       are people served at 08:00?
  curfew simulate -c curfew.yaml --per-key               the quota is one for the whole key
  curfew simulate -c curfew.yaml --inventory deployments.json
  curfew simulate -c curfew.yaml -o svg >month.svg`,
		Args: cobra.NoArgs,
		PreRun: func(cmd *cobra.Command, _ []string) {
			if cmd.Flags().Changed("seed") && !cmd.Flags().Changed("faults") {
				o.faults = sim.LightFaults
			}
		},
		RunE: c.action(func(ctx context.Context, _ []string) error { return o.run(ctx, c, time.Now()) }),
	}
	o.flags(cmd)
	return cmd
}

type simulateOptions struct {
	file, format, from    string
	inventory             string
	days                  int
	faults                sim.Faults
	seed                  uint64
	startTakes, stopTakes string
	perKey                bool
}

func (o *simulateOptions) flags(cmd *cobra.Command) {
	fileFlag(cmd, &o.file)
	formatFlag(cmd, &o.format, "table", "json", "svg")
	o.days, o.seed = 30, 1
	inventoryFlag(cmd, &o.inventory)
	f := cmd.Flags()
	f.Var(whole[int]{&o.days}, "days", "how many days to live through")
	f.StringVar(&o.from, "from", "now", "the `TIME` at which the daemon is started")
	f.Var(faultsFlag{&o.faults}, "faults", "how much goes wrong: none, light or heavy")
	f.Var(whole[uint64]{&o.seed}, "seed", "what goes wrong, and when")
	f.StringVar(&o.startTakes, "start-takes", shortSpan(sim.DefaultStartTakes), "how `LONG` a deployment takes to start")
	f.StringVar(&o.stopTakes, "stop-takes", shortSpan(sim.DefaultStopTakes), "how `LONG` a deployment takes to stop")
	f.BoolVar(&o.perKey, "per-key", false, "let the platform count quotas over the whole key where the file leaves that open")
	// It fails only for a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc("faults", cobra.FixedCompletions(
		[]cobra.Completion{"none", "light", "heavy"}, cobra.ShellCompDirectiveNoFileComp))
}

// faultsFlag is --faults.
type faultsFlag struct{ level *sim.Faults }

// Set implements pflag.Value.
func (f faultsFlag) Set(s string) error { return f.level.UnmarshalText([]byte(s)) }

// String implements pflag.Value. Pflag asks the zero value, too.
func (f faultsFlag) String() string {
	if f.level == nil {
		return ""
	}
	return f.level.String()
}

// Type implements pflag.Value; it is what --help calls the value.
func (f faultsFlag) Type() string { return "level" }

func (o simulateOptions) run(ctx context.Context, c *console, now time.Time) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	file, err := readFile(c, o.file)
	if err != nil {
		return err
	}
	so, err := o.simOptions(file, now)
	if err != nil {
		return err
	}
	inv, err := takeInventory(c, file, o.inventory)
	if err != nil {
		return err
	}
	so.Config, so.Name = simulated(file), inv.name
	p := &simProgress{from: so.From, at: so.From, days: o.days, began: now, now: time.Now}
	if terminal(c.err) {
		p.out = c.err
	}
	so.Progress = p.reach
	report, err := sim.Simulate(ctx, so)
	p.clear()
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted after %d of %d days, at %s: there is no report",
			p.day(), o.days, p.at.In(file.Location).Format("Mon 2 Jan 2006 15:04"))
	case err != nil:
		return err
	}
	return o.write(c, simView{
		Report: report, file: file, lines: planLines(file, inv), faults: o.faults, seed: o.seed, saved: savingsOf(file, report),
	})
}

// simOptions is what the flags ask for.
func (o simulateOptions) simOptions(file *config.Config, now time.Time) (sim.Options, error) {
	from, err := parseTime(o.from, now, file.Location)
	if err != nil {
		return sim.Options{}, usagef("--from: %w", err)
	}
	if o.days < 1 || o.days > maxDays {
		return sim.Options{}, usagef("--days %d: want 1 to %d", o.days, maxDays)
	}
	if err := conceivable(from, o.days); err != nil {
		return sim.Options{}, err
	}
	start, err := takes("--start-takes", o.startTakes)
	if err != nil {
		return sim.Options{}, err
	}
	stop, err := takes("--stop-takes", o.stopTakes)
	if err != nil {
		return sim.Options{}, err
	}
	return sim.Options{
		From: from, Days: o.days, Faults: o.faults, Seed: o.seed,
		StartTakes: start, StopTakes: stop, PerKey: o.perKey, Marks: o.format == "svg",
	}, nil
}

// conceivable refuses a span that the simulated platform's clock does not know: it
// counts nanoseconds from 1970 on, in 63 bits.
func conceivable(from time.Time, days int) error {
	const first, end = 1970, 2262 // the years of the whole range
	to := from.Add(time.Duration(days) * 24 * time.Hour)
	if from.UTC().Year() < first || to.After(time.Date(end, 1, 1, 0, 0, 0, 0, time.UTC)) {
		return usagef("--from %s, for %s: want a span from %d on that ends by the end of %d, in UTC",
			from.Format("2006-01-02 15:04"), plural(days, "day", "days"), first, end-1)
	}
	return nil
}

// takes reads how long a transition takes.
func takes(flag, text string) (time.Duration, error) {
	d, ok := readSpan(text)
	if !ok || d < time.Second || d > 24*time.Hour {
		return 0, usagef("%s %q: want a duration from 1s to 24h, such as 3m or 4m30s", flag, text)
	}
	return d, nil
}

// write shows the report in the format that was asked for.
func (o simulateOptions) write(c *console, view simView) error {
	out := bufio.NewWriterSize(c.out, 64<<10)
	write := view.text
	switch o.format {
	case "json":
		write = view.json
	case "svg":
		write = view.svg
	}
	if err := write(out); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return out.Flush()
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

// simProgress tells people at a terminal how far a simulation is, and remembers it
// for those who end it.
type simProgress struct {
	out      io.Writer // nil where nobody is to be told
	now      func() time.Time
	from, at time.Time // simulated
	days     int
	began    time.Time
	told     time.Time // the last time that somebody was
}

// toldEvery is how often people are told; more often, nobody can read it.
const toldEvery = 100 * time.Millisecond

// reach takes in that a simulated instant is reached.
func (p *simProgress) reach(at time.Time) {
	p.at = at
	now := p.now()
	if p.out == nil || now.Sub(p.told) < toldEvery {
		return
	}
	p.told = now
	fmt.Fprintf(p.out, "\r%s\x1b[K", p.line(now))
}

// day is how many days are over.
func (p *simProgress) day() int { return int(p.at.Sub(p.from).Hours()/24 + 0.5) }

func (p *simProgress) line(now time.Time) string {
	day, elapsed := p.day(), now.Sub(p.began)
	s := fmt.Sprintf("day %d of %d · %d %% · %s so far", day, p.days, 100*day/p.days, elapsed.Round(time.Second))
	if day > 0 && elapsed >= time.Second {
		left := time.Duration(float64(elapsed) / float64(day) * float64(p.days-day))
		s += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return s
}

// clear leaves the line empty for what comes next.
func (p *simProgress) clear() {
	if p.out != nil && !p.told.IsZero() {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

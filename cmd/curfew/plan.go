package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"curfew/internal/config"
	"curfew/policy"
)

// newPlan is `curfew plan`: what will happen?
func newPlan(c *console) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what the policies will do, and why",
		Long: `Show the transitions of a span of time, each with its reason and its line, those
that are cancelled among them. It goes by the file alone: it needs no key, makes
no call, and knows nothing of holds or of what people do meanwhile.

A "call expected" is one that is needed where nobody interferes.

Times are ` + timeHelp + `.`,
		Example: `  curfew plan -c curfew.yaml --days 2
  curfew plan -c curfew.yaml --from 2027-03-27 --to 2027-03-30 --deployment w41b11c0
  curfew plan -c curfew.yaml -o json | jq '.[] | select(.action == "stop") | .at'`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("days") && cmd.Flags().Changed("to") {
				return usagef("--days and --to both say where the plan ends: give one of them")
			}
			return nil
		},
		RunE: c.action(func(context.Context, []string) error { return o.run(c, time.Now()) }),
	}
	fileFlag(cmd, &o.path)
	formatFlag(cmd, &o.format, "table", "json")
	o.days = 7
	cmd.Flags().Var(whole[int]{&o.days}, "days", "how many days to look ahead")
	cmd.Flags().StringVar(&o.from, "from", "now", "the `TIME` to begin with")
	cmd.Flags().StringVar(&o.to, "to", "", "the `TIME` to end before, instead of --days")
	cmd.Flags().StringVar(&o.deployment, "deployment", "", "show this deployment `ID` only")
	return cmd
}

// maxDays is how far plan and simulate look: ten years show every leap day and
// every change of clocks.
const maxDays = 3660

type planOptions struct {
	path, format string
	days         int
	from, to     string
	deployment   string
}

func (o planOptions) run(c *console, now time.Time) error {
	file, err := loadFile(c, o.path)
	if err != nil {
		return err
	}
	span, err := o.span(now, file.Location)
	if err != nil {
		return err
	}
	// A deployment of a large fleet must not cost the fleet's plan.
	lines := planLines(file)
	if o.deployment != "" {
		if lines, err = only(file, policy.DeploymentID(o.deployment)); err != nil {
			return err
		}
	}
	out := bufio.NewWriterSize(c.out, 64<<10)
	if o.format == "json" {
		err = writePlanJSON(out, walk(lines, span))
	} else {
		t := newPlanTable(file, lines, span, palette(c.coloured(c.out)))
		err = t.write(out, walk(lines, span))
	}
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return out.Flush()
}

// A span is a stretch of time, [from, to).
type span struct{ from, to time.Time }

// span is what the flags ask for. Days are the calendar's, so that a week with a
// change of clocks ends at the hour at which it began.
func (o planOptions) span(now time.Time, loc *time.Location) (span, error) {
	from, err := parseTime(o.from, now, loc)
	if err != nil {
		return span{}, usagef("--from: %w", err)
	}
	if o.days < 1 || o.days > maxDays {
		return span{}, usagef("--days %d: want 1 to %d", o.days, maxDays)
	}
	to := from.AddDate(0, 0, o.days)
	if o.to != "" {
		if to, err = parseTime(o.to, now, loc); err != nil {
			return span{}, usagef("--to: %w", err)
		}
	}
	switch {
	case !to.After(from):
		return span{}, usagef("the plan would end before it begins: --to %s is not after --from %s",
			to.Format(time.RFC3339), from.Format(time.RFC3339))
	case to.After(from.AddDate(0, 0, maxDays)):
		return span{}, usagef("that is more than %d days", maxDays)
	}
	return span{from, to}, nil
}

// loadFile reads the configuration for a command that only looks, and tells of
// its problems and of its having nothing to show.
func loadFile(c *console, path string) (*config.Config, error) {
	file, problems, err := config.Load(path, c.env)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c.err, config.Render(problems, file.Text)); err != nil {
		return nil, err
	}
	if config.Failed(problems) {
		return nil, errTold
	}
	return file, tellIdle(c, file)
}

// only is the plan of one deployment.
func only(file *config.Config, id policy.DeploymentID) ([]*planLine, error) {
	for _, l := range planLines(file) {
		if _, ok := slices.BinarySearch(l.ids, id); ok {
			l.ids = []policy.DeploymentID{id}
			return []*planLine{l}, nil
		}
	}
	return nil, fmt.Errorf("find deployment %q: no policy in %s has it", id, file.Source)
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
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

A "call expected" is one that is needed where nobody interferes. The quota peak
is the most calls that fall into one window of the quota in that span, those
included that are needed only if somebody acts.

"-----" is what will not happen: a start on a day off, a time of a day on which
something else is wanted, a stop of a protected deployment.

Names, and the deployments that a policy selects by name, come from an inventory.
"-o csv" is for spreadsheets; "-o ical" is a calendar of the times at which the
policies want each deployment running; "-o svg" is a picture of the same for a
browser, with days off and changes of clocks. Of "-o json" there is a JSON Schema
in docs/schema/plan.schema.json; like "-o csv", it has starts and stops alone.

Times are ` + timeHelp + `.`,
		Example: `  curfew plan -c curfew.yaml --days 2
  curfew plan -c curfew.yaml --from 2027-03-27 --to 2027-03-30 --deployment w41b11c0
  curfew plan -c curfew.yaml -o json | jq '.[] | select(.action == "stop") | .at'
  curfew plan -c curfew.yaml --days 90 -o ical >running.ics
  curfew plan -c curfew.yaml --days 31 -o svg >month.svg
  curfew list -o json | curfew plan -c curfew.yaml --inventory -`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("days") && cmd.Flags().Changed("to") {
				return usagef("--days and --to both say where the plan ends: give one of them")
			}
			return nil
		},
		RunE: c.action(func(ctx context.Context, _ []string) error { return o.run(ctx, c, time.Now()) }),
	}
	fileFlag(cmd, &o.path)
	formatFlag(cmd, &o.format, "table", "json", "csv", "ical", "svg")
	o.days = 7
	cmd.Flags().Var(whole[int]{&o.days}, "days", "how many days to look ahead")
	cmd.Flags().StringVar(&o.from, "from", "now", "the `TIME` to begin with")
	cmd.Flags().Var(given{&o.to, "a time"}, "to", "the `TIME` to end before, instead of --days")
	cmd.Flags().Var(given{&o.deployment, "the id of a deployment"}, "deployment", "show this deployment `ID` only")
	inventoryFlag(cmd, &o.inventory)
	// It fails only for a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc("deployment", completeDeployments(c, &o.path))
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
	inventory    string
	now          time.Time // when it was asked: a line in the picture
}

func (o planOptions) run(ctx context.Context, c *console, now time.Time) error {
	o.now = now
	file, err := readFile(c, o.path)
	if err != nil {
		return err
	}
	s, err := o.span(now, file.Location)
	if err != nil {
		return err
	}
	inv, err := takeInventory(c, file, o.inventory)
	if err != nil {
		return err
	}
	lines := planLines(file, inv)
	if o.deployment != "" {
		line, err := find(file, inv, policy.DeploymentID(o.deployment), "")
		if err != nil {
			return err
		}
		lines = []*planLine{line}
	}
	if err := tellInfeasible(ctx, c, file, inv, lines, s); err != nil {
		return err
	}
	out := bufio.NewWriterSize(c.out, 64<<10)
	if err := o.write(c, out, file, lines, s); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return out.Flush()
}

// write writes the plan in the format that was asked for.
func (o planOptions) write(c *console, out io.Writer, file *config.Config, lines []*planLine, s span) error {
	switch o.format {
	case "json":
		return writePlanJSON(out, walk(lines, s))
	case "csv":
		return writePlanCSV(out, walk(lines, s))
	case "ical":
		return writePlanICal(out, file.Name, lines, s)
	case "svg":
		return writePlanSVG(out, file, lines, s, o.now)
	}
	t := newPlanTable(file, lines, s, palette(c.coloured(c.out)))
	t.alone = o.deployment != ""
	return t.write(out, walk(lines, s))
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

// readFile reads the configuration for a command that only looks, and tells of its
// problems.
func readFile(c *console, path string) (*config.Config, error) {
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
	return file, nil
}

// loadFile is readFile for a command that asks for no inventory. It tells of a
// file that has nothing to show, too.
func loadFile(c *console, path string) (*config.Config, error) {
	file, err := readFile(c, path)
	if err != nil {
		return nil, err
	}
	return file, tellIdle(c, file)
}

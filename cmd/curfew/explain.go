package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"curfew/internal/config"
	"curfew/policy"
)

// newExplain is `curfew explain`: what does the file want of one deployment, and
// why?
func newExplain(c *console) *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Say what the file wants of one deployment, and because of which line",
		Long: `Say what the file wants of one deployment at a time: running or stopped, since
when, until when, because of which line, and what comes next. The first line is
the answer in one sentence.

It goes by the file alone: it asks no daemon, reads no ledger, needs no key, and
knows nothing of holds, of calls that failed, or of what people did meanwhile.

Names, and the deployments that a policy selects by name, come from an inventory.

Times are ` + timeHelp + `.`,
		Example: `  curfew explain -c curfew.yaml w41b11c0
  curfew explain -c curfew.yaml w41b11c0 --at "2026-12-25 12:00"
  curfew explain -c curfew.yaml w41b11c0 --at "Mon 07:55" -o json | jq -r .wanted`,
		Args: oneDeployment,
		RunE: c.action(func(_ context.Context, args []string) error {
			return o.run(c, policy.DeploymentID(args[0]), time.Now())
		}),
		ValidArgsFunction: completeDeployments(c, &o.path),
	}
	fileFlag(cmd, &o.path)
	formatFlag(cmd, &o.format, "text", "json")
	cmd.Flags().StringVar(&o.at, "at", "now", "the `TIME` to ask for")
	inventoryFlag(cmd, &o.inventory)
	return cmd
}

// oneDeployment wants one argument.
func oneDeployment(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("which deployment? Give its id: curfew explain w41b11c0")
	case len(args) > 1:
		return errors.New("one deployment at a time: curfew plan shows all of them")
	}
	return nil
}

type explainOptions struct {
	path, format string
	at           string
	inventory    string
}

func (o explainOptions) run(c *console, id policy.DeploymentID, now time.Time) error {
	file, err := readFile(c, o.path)
	if err != nil {
		return err
	}
	at, err := parseTime(o.at, now, file.Location)
	if err != nil {
		return usagef("--at: %w", err)
	}
	inv, err := takeInventory(c, file, o.inventory)
	if err != nil {
		return err
	}
	lines, err := only(file, planLines(file, inv), id)
	if err != nil {
		return err
	}
	x := explain(file, lines[0], at)
	if o.format == "json" {
		enc := json.NewEncoder(c.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(x.body())
	}
	_, err = io.WriteString(c.out, x.text(palette(c.coloured(c.out))))
	return err
}

// An explanation is what a file wants of one deployment at one time.
type explanation struct {
	file   *config.Config
	line   *planLine
	member *planMember
	at     time.Time
	want   policy.Decision
	until  time.Time   // when another power is wanted, or nothing; zero where that is never
	made   *planEdge   // the edge that is behind it; nil where there is none
	next   []*planEdge // the next two transitions, with what does not happen before
}

// explain asks the policy of l, whose one member is the deployment in question.
func explain(file *config.Config, l *planLine, at time.Time) *explanation {
	x := &explanation{file: file, line: l, member: l.members[0], at: at, want: l.policy.Decide(at)}
	if e, ok := l.policy.Prev(at); ok {
		x.made = &planEdge{Edge: e, line: l}
	}
	x.until = x.change()
	from := at.Add(time.Nanosecond)
	left := 2
	for r := range walk([]*planLine{l}, span{from, x.horizon()}) {
		x.next = append(x.next, r.edge)
		if r.edge.transition() && r.edge.Cancelled == "" {
			left--
		}
		if left == 0 {
			break
		}
	}
	return x
}

// change is when another power is wanted, or nothing. A Decision ends before, with
// the next edge, though that may want the same.
func (x *explanation) change() time.Time {
	var first time.Time
	for _, power := range []policy.Power{policy.None, policy.Running, policy.Stopped} {
		if power == x.want.Want {
			continue
		}
		if e, ok := x.line.policy.NextOf(power, x.at); ok && (first.IsZero() || e.At.Before(first)) {
			first = e.At
		}
	}
	return first
}

// horizon is an instant behind the next two transitions. Where there are no two,
// it is far enough ahead to show what is cancelled instead.
func (x *explanation) horizon() time.Time {
	end := x.at.AddDate(0, 2, 0)
	after := x.at
	for n := 0; n < 2; {
		e, ok := x.line.policy.Next(after)
		if !ok {
			break
		}
		after = e.At
		if e.Power == policy.None || x.member.bar != nil && (&planEdge{Edge: e, line: x.line}).of(x.member).Cancelled != "" {
			if after.After(end) {
				break // every stop of a protected deployment is cancelled
			}
			continue
		}
		n++
	}
	return later(after.Add(time.Second), end)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// The verdicts: what the first line of an explanation says.
const (
	verdictWanted    = "wanted"     // a power is wanted, and seen to
	verdictUntouched = "untouched"  // a day on which nothing is wanted
	verdictNothing   = "nothing"    // no edge lies behind
	verdictProtected = "protected"  // stopped is wanted, and it is never stopped
	verdictName      = "other_name" // it is not the deployment that the file means
	verdictDryRun    = "dry_run"    // a power is wanted, and no call is made
)

// verdict is the one thing to know first.
func (x *explanation) verdict() string {
	b := x.member.bar
	switch {
	case b != nil && b.kind == barAll:
		return verdictName
	case x.want.Want == policy.None && x.want.Since.IsZero():
		return verdictNothing
	case x.want.Want == policy.None:
		return verdictUntouched
	case b != nil && b.kind == barStops && x.want.Want == policy.Stopped:
		return verdictProtected
	case x.line.dry:
		return verdictDryRun
	}
	return verdictWanted
}

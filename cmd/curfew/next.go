package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/policy"
)

// newNext is `curfew next`: the next instants of one cron expression.
func newNext(c *console) *cobra.Command {
	var o nextOptions
	cmd := &cobra.Command{
		Use:   `next "CRON" | -`,
		Short: "Show the next instants of a cron expression",
		Long: `Show the next instants of a cron expression, in UTC, with END after the last
where there are no more. What the daemon does on the night of a clock change can
be seen here.

With "-", each line of stdin asks one question, zone|cron|from|count, and is
answered in one line: the instants, END after the last where there are no more
(alone for what never fires), or ERR and why the question was refused.`,
		Example: `  curfew next "0 20 * * MON-FRI" --timezone Europe/Berlin
  curfew next "30 2 * * *" --timezone Europe/Berlin --from "2027-03-27 12:00" -n 3
  echo "Europe/Berlin|30 2 * * *|2027-03-27T11:00:00Z|3" | curfew next -`,
		Args: oneExpression,
		RunE: c.action(func(_ context.Context, args []string) error {
			if args[0] == "-" {
				return answerLines(c.in, c.out)
			}
			return o.answer(c, args[0], time.Now())
		}),
	}
	cmd.Flags().StringVar(&o.zone, "timezone", "UTC", "the `ZONE` in which the expression is read")
	cmd.Flags().StringVar(&o.from, "from", "now", "the `TIME` after which to begin")
	o.count = 10
	cmd.Flags().VarP(whole[int]{&o.count}, "count", "n", "how many instants")
	return cmd
}

// oneExpression wants one argument, and knows the most likely reason for more:
// a shell that has split an expression, and put file names where its stars were.
// Flags would say nothing to lines that carry zone, time and count themselves.
func oneExpression(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return errors.New(`which expression? Give it in quotes: curfew next "0 20 * * *"`)
	case len(args) > 1:
		return errors.New(`quote the expression: curfew next "0 20 * * *"`)
	case args[0] != "-":
		return nil
	}
	for _, name := range []string{"timezone", "from", "count"} {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s says nothing to \"-\": each line has its own zone|cron|from|count", name)
		}
	}
	return nil
}

type nextOptions struct {
	zone, from string
	count      int
}

// answer writes one instant a line. People at a terminal see the local time
// beside it.
func (o nextOptions) answer(c *console, expr string, now time.Time) error {
	loc, err := loadZone(o.zone)
	if err != nil {
		return usagef("--timezone: %w", err)
	}
	from, err := parseTime(o.from, now, loc)
	if err != nil {
		return usagef("--from: %w", err)
	}
	if o.count < 1 || o.count > maxCount {
		return usagef("-n %d: want 1 to %d", o.count, maxCount)
	}
	s, err := policy.ParseSchedule(expr, loc)
	if err != nil {
		return pointed(err)
	}
	out := bufio.NewWriter(c.out) // its errors stay until Flush
	beside := ""
	if terminal(c.out) {
		beside = "   Mon _2 Jan 2006 15:04 MST"
	}
	at, more := from, true
	for n := 0; n < o.count && more; n++ {
		if at, more = s.Next(at); more {
			fmt.Fprintln(out, at.UTC().Format(time.RFC3339)+at.Format(beside))
		}
	}
	if !more {
		fmt.Fprintln(out, "END")
	}
	return out.Flush()
}

// pointed shows a refused expression with a caret under the place, like a
// problem of a file.
func pointed(err error) error {
	var e *policy.ExprError
	if !errors.As(err, &e) || e.Col == 0 || strings.ContainsFunc(e.Expr, unprintable) {
		return err
	}
	hint := ""
	if e.Hint != "" {
		hint = "\nhint: " + e.Hint
	}
	before := len([]rune(e.Expr[:min(e.Col-1, len(e.Expr))]))
	return fmt.Errorf("parse cron: %s\n  %s\n  %s^%s", e.Text, e.Expr, strings.Repeat(" ", before), hint)
}

// loadZone returns a time zone by its name.
func loadZone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("want the name of a time zone such as Europe/Berlin, got %q", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %q: want a name of the tz database such as Europe/Berlin or UTC", name)
	}
	return loc, nil
}

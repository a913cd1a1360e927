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
)

// newDiff is `curfew diff`: what does a change of the file change?
func newDiff(c *console) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Show which calls a change of the file adds, moves and removes",
		Long: `Compare two configurations by what they do: the calls that NEW adds to those of
OLD, moves and removes, for each deployment, over the next 400 days with all their
changes of clocks. Another spelling of the same times is no difference.

OLD and NEW are files, or files of a git revision: REV:PATH as git understands it,
with PATH from the top of the repository, or REV:./PATH from here. A file of that
very name comes first. A revision's iCalendar files are read from that revision.

A call that goes, and another of the same power that comes for the same deployment
on the same local day or within 12 hours, is one that moved. Times are those of
NEW's policy in its zone, leads included; "57 times" is for each deployment.

Said beside the calls: what is done at the moment NEW is loaded, and settings that
change how calls are made, not when. A policy that is only renamed is no
difference, and is told of in a line. Keys and secrets are not compared.

With an inventory it knows whom policies select, who is protected by name, and who
bears another name than the file asserts; it is taken for both files. Without one,
a policy that selects deployments by name is compared as one, by its pattern.

The exit code is that of diff(1): 0 where nothing differs, 1 where something does,
2 where there was trouble; a file with errors is trouble.`,
		Example: `  curfew diff main:schedules.yaml schedules.yaml     before a commit
  curfew diff v1.4:./curfew.yaml curfew.yaml -o markdown > comment.md
  curfew diff old.yaml new.yaml --from 2027-03-01 --days 60
  curfew diff HEAD~1:curfew.yaml HEAD:curfew.yaml -o json | jq '.[] | select(.change == "removed")'`,
		Args: twoFiles,
		RunE: c.action(func(ctx context.Context, args []string) error {
			return troubled(o.run(ctx, c, args[0], args[1], time.Now()))
		}),
	}
	formatFlag(cmd, &o.format, "text", "markdown", "json")
	o.days = feasibleDays
	cmd.Flags().Var(whole[int]{&o.days}, "days", "how many days to compare")
	cmd.Flags().StringVar(&o.from, "from", "now", "the `TIME` to begin with, and at which NEW is taken to be loaded")
	inventoryFlag(cmd, &o.inventory)
	return cmd
}

// twoFiles wants OLD and NEW.
func twoFiles(_ *cobra.Command, args []string) error {
	if len(args) != 2 || args[0] == "" || args[1] == "" {
		return errors.New("which two files? Give the old one and the new one: curfew diff main:curfew.yaml curfew.yaml")
	}
	return nil
}

type diffOptions struct {
	format    string
	days      int
	from      string
	inventory string
}

// run compares two files and writes what differs. It returns errTold where
// something does.
func (o diffOptions) run(ctx context.Context, c *console, oldName, newName string, now time.Time) error {
	before, after, err := loadBoth(ctx, c, oldName, newName)
	if err != nil {
		return err
	}
	s, err := planOptions{from: o.from, days: o.days}.span(now, after.Location)
	if err != nil {
		return err
	}
	inv, err := o.takeInventory(c, before, after)
	if err != nil {
		return err
	}
	found := compare(before, after, inv, s)
	out := bufio.NewWriterSize(c.out, 64<<10)
	switch o.format {
	case "json":
		err = writeDiffJSON(out, found)
	case "markdown":
		err = writeDiffMarkdown(out, found)
	default:
		err = writeDiffText(out, found, palette(c.coloured(c.out)))
	}
	if err == nil {
		err = out.Flush()
	}
	switch {
	case err != nil:
		return fmt.Errorf("write differences: %w", err)
	case found.differs():
		return errTold
	}
	return nil
}

// loadBoth reads the two configurations. Both are judged before either is found
// wanting: whoever mends one should not have to come back for the other.
func loadBoth(ctx context.Context, c *console, oldName, newName string) (before, after *config.Config, err error) {
	good := true
	for _, side := range []struct {
		name string
		file **config.Config
	}{{oldName, &before}, {newName, &after}} {
		file, problems, err := loadSide(ctx, c, side.name)
		if err != nil {
			return nil, nil, err
		}
		if _, err := io.WriteString(c.err, config.Render(problems, file.Text)); err != nil {
			return nil, nil, err
		}
		*side.file = file
		good = good && !config.Failed(problems)
	}
	if !good {
		return nil, nil, troubleError{errTold}
	}
	return before, after, nil
}

// takeInventory reads the inventory and resolves whom both files select: the new
// one as a daemon would that has the old one in force.
func (o diffOptions) takeInventory(c *console, before, after *config.Config) (*inventory, error) {
	inv, err := readInventory(c, o.inventory)
	if err != nil {
		return nil, err
	}
	if inv == nil {
		return nil, tellSelections(c, before, after)
	}
	problems := config.Render(inv.resolve(before, nil), before.Text) + config.Render(inv.resolve(after, before.Policies), after.Text)
	_, err = io.WriteString(c.err, problems+inv.missing(before)+inv.missing(after))
	return inv, err
}

// tellSelections says of policies that select by name how they are compared:
// nobody has said which deployments those are.
func tellSelections(c *console, files ...*config.Config) error {
	for _, f := range files {
		if !f.Policies.Selects() {
			continue
		}
		if _, err := fmt.Fprintf(c.err, "%s selects deployments by name: those of one pattern are compared as one, whoever they are; "+
			"--inventory says who\n", f.Source); err != nil {
			return err
		}
	}
	return nil
}

// A troubleError ends a diff that could not compare. The exit code is diff(1)'s
// own for that, which is not the one for a difference.
type troubleError struct{ error }

func (e troubleError) Unwrap() error { return e.error }

// troubled marks whatever kept a diff from its answer; errTold alone is one.
func troubled(err error) error {
	if err == nil || err == errTold || errors.As(err, new(usageError)) {
		return err
	}
	return troubleError{err}
}

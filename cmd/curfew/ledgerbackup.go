package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"curfew/internal/ledger"
)

// newLedgerBackup is `curfew ledger backup`.
func newLedgerBackup(c *console) *cobra.Command {
	var o ledgerOptions
	var force bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy a ledger to a file, beside a running daemon",
		Long: `Copy a ledger to FILE, beside a running daemon or without one. The copy is one
moment of the ledger, all that was committed before it, in one file without a log. It
is checked as ` + "`curfew ledger check`" + ` does, made durable, and only then given its name: a
FILE that is there is whole. Only its owner can read it. A file that is there already
stays, unless --force is given.

A copy with cp of a ledger that a daemon has open is no backup: it lacks what is still
in the log beside it, or mixes two moments.

A FILE of - is refused: what goes down a pipe cannot be checked before it is used.

Exit codes: 0 there is a backup that a daemon would start with, 1 there is none,
2 the command line makes no sense.`,
		Example: `  curfew ledger backup -c curfew.yaml curfew.bak
  curfew ledger backup -c curfew.yaml --force /backup/curfew-$(date +%u).bak`,
		Args: oneFile("write the backup to", "curfew ledger backup curfew.bak"),
		RunE: c.action(func(ctx context.Context, args []string) error { return backUpLedger(ctx, c, o, args[0], force) }),
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE where it is there")
	return cmd
}

// oneFile wants the name of one file, which is no stream.
func oneFile(what, example string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 || args[0] == "":
			return fmt.Errorf("which file to %s? Name it: %s", what, example)
		case len(args) > 1:
			return errors.New("one file at a time")
		case args[0] == "-":
			return errors.New("a stream cannot be checked before it is used: name a file")
		}
		return nil
	}
}

func backUpLedger(ctx context.Context, c *console, o ledgerOptions, path string, force bool) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	t, err := o.target(c)
	if err != nil {
		return err
	}
	found, err := ledger.Backup(ctx, t.source, path, ledger.Copy{Replace: force, Progress: copying(c)})
	switch {
	case errors.Is(err, ledger.ErrExists):
		return fmt.Errorf("%w: name another one, or replace it with --force", err)
	case err != nil:
		return err
	}
	v := ledgerVerdict{found}
	if !v.Whole() { // of its history, which a daemon can do without
		fmt.Fprintf(c.err, "warning: %s\n", v.line())
	}
	_, err = fmt.Fprintf(c.out, "%s: account %s, %s, %s\n", path, printable(found.Account), ledgerAge(found, t.clock.read().Wall), ledgerSize(found.Bytes))
	return err
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"curfew/internal/config"
	"curfew/internal/ledger"
)

// newLedger is `curfew ledger`: what an operator does to the record of a daemon.
func newLedger(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Check, back up, restore and export the record of a daemon",
		Long: `Check, back up, restore and export the ledger: the one file in which a daemon
keeps what it called, how that ended, up to where each deployment is settled, and
people's overrides. All but restore work beside a running daemon, take no lock that it
waits for, and write nothing to the ledger. Run them as the daemon's user, or as root.

The configuration says where the ledger is and for which account; --ledger names
another file. docs/ledger.md tells the rest.`,
		Example: `  curfew ledger check -c curfew.yaml               is it whole?
  curfew ledger backup -c curfew.yaml curfew.bak   a consistent copy
  curfew ledger restore -c curfew.yaml curfew.bak  put it back
  curfew ledger export -c curfew.yaml | jq .       what happened?`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLedgerCheck(c), newLedgerBackup(c), newLedgerRestore(c), newLedgerExport(c))
	return cmd
}

// ledgerOptions say which ledger is meant.
type ledgerOptions struct {
	file   string
	ledger ledgerPath
	lapse  lapse
}

func (o *ledgerOptions) flags(cmd *cobra.Command) {
	fileFlag(cmd, &o.file)
	cmd.Flags().Var(&o.ledger, "ledger", "`PATH` of the ledger, over the file's")
	o.lapse.flags(cmd)
}

// A ledgerTarget is the ledger that is meant, with the file that says whose it is;
// nil where there is none.
type ledgerTarget struct {
	source ledger.Source
	file   *config.Config
	clock  clock
}

// target finds the ledger. Without any configuration on this machine, one that is
// named is taken for whoever's it is.
func (o *ledgerOptions) target(c *console) (t ledgerTarget, err error) {
	if t.clock, err = o.lapse.clock(); err != nil {
		return t, err
	}
	t.source = ledger.Source{Path: string(o.ledger), Boot: t.clock.boot, Anyones: o.ledger != "" && o.noFile(c)}
	if t.source.Anyones {
		return t, nil
	}
	if t.file, err = readFile(c, o.file); err != nil {
		return t, err
	}
	t.source.Account, t.source.Endpoint = t.file.Name, t.file.Endpoint
	if o.ledger == "" {
		t.source.Path = t.file.Ledger
	}
	return t, nil
}

// noFile reports whether no configuration was named, nor is one in the usual place.
func (o *ledgerOptions) noFile(c *console) bool {
	at := config.Find(o.file, c.env).Path
	if at != config.DefaultPath || o.file != "" {
		return false
	}
	_, err := os.Stat(at)
	return errors.Is(err, fs.ErrNotExist)
}

// ledgerMoment is an instant as these commands write it for people: they may have
// no file, and so no zone.
func ledgerMoment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// ledgerAge is for how long a ledger was not written.
func ledgerAge(f *ledger.Findings, now time.Time) string {
	switch age := now.Sub(f.Written).Round(time.Second); {
	case f.Written.IsZero():
		return "nothing was called yet"
	case age < 0:
		return "written last at " + ledgerMoment(f.Written) + ", which is ahead of this host's clock"
	default:
		return fmt.Sprintf("written last at %s, %s ago", ledgerMoment(f.Written), shortSpan(age))
	}
}

// copying shows people on a terminal how far a copy is; nobody else.
func copying(c *console) func(done, total int) {
	const worth = 8192 // pages: 32 MB, below which it is done before one has read it
	shown := -1
	return func(done, total int) {
		percent := 100 * done / max(1, total)
		switch {
		case total < worth || percent == shown || !terminal(c.err):
		case done == total:
			fmt.Fprint(c.err, "\r\x1b[K")
		default:
			fmt.Fprintf(c.err, "\rcopying: %d %%", percent)
		}
		shown = percent
	}
}

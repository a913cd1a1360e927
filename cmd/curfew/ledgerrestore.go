package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"curfew/apiclient/quota"
	"curfew/internal/ledger"
	"curfew/policy"
)

// newLedgerRestore is `curfew ledger restore`.
func newLedgerRestore(c *console) *cobra.Command {
	var o ledgerOptions
	var yes bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of a ledger",
		Long: `Put a backup in the place of a ledger that no daemon holds. FILE is checked wholly
first. What was in place, damaged or not, is kept beside it under a dated name. A crash
in the middle leaves the one, the other, or an empty file that no daemon starts with.

Nobody knows what was called since the backup was written. So the restored ledger says
that the quotas of every deployment in the file or the backup were used up just now: a
daemon that starts, at once if you like, makes no start or stop before they are free
again whatever was called, and looks first. It tells until when that is.

What else came after the backup is forgotten: what was settled, so that a stop of then
is caught up as after an outage, though somebody may have started the deployment since;
and holds, skips and pauses, which have to be given again.

Exit codes: 0 restored, 1 not, and what was in place is there as it was or the last
line says where, 2 the command line makes no sense.`,
		Example: `  curfew ledger restore -c curfew.yaml curfew.bak
  curfew ledger restore -c curfew.yaml --yes /backup/curfew-5.bak`,
		Args: oneFile("restore from", "curfew ledger restore curfew.bak"),
		RunE: c.action(func(ctx context.Context, args []string) error { return restoreLedger(ctx, c, o, args[0], yes) }),
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func restoreLedger(ctx context.Context, c *console, o ledgerOptions, from string, yes bool) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	t, err := o.target(c)
	switch {
	case err != nil:
		return err
	case t.file == nil:
		return errors.New("restore a ledger: its account and its quotas are needed: name the daemon's configuration with -c")
	}
	in, person := c.in.(*os.File)
	if person = person && term.IsTerminal(int(in.Fd())); !person && !yes {
		return usagef("nobody can be asked here: say --yes")
	}
	r := ledger.Restoration{
		From: from, Quotas: t.file.Quotas, Copy: ledger.Copy{Progress: copying(c)},
		Options: ledger.Options{
			Path: t.source.Path, Account: t.source.Account, Endpoint: t.source.Endpoint, Boot: t.source.Boot,
			Release: ownVersion(), Now: t.clock.read,
		},
	}
	for _, p := range t.file.Policies.Policies {
		for _, m := range p.Members() {
			r.Deployments = append(r.Deployments, policy.DeploymentID(m.ID))
		}
	}
	r.Agree = func(done *ledger.Restored) error {
		tellRestoration(c.err, done, t.source.Path, t.clock.read().Wall)
		if yes {
			return nil
		}
		return agree(ctx, in, c.err)
	}
	done, err := ledger.Restore(ctx, r)
	if err != nil {
		return err
	}
	return tellRestored(c.out, done, t.source.Path)
}

// tellRestoration says what is about to happen.
func tellRestoration(w io.Writer, r *ledger.Restored, path string, now time.Time) {
	row := func(head, text string) { fmt.Fprintf(w, "%-9s %s\n", head, text) }
	row("backup", r.Backup.Path+", "+ledgerAge(r.Backup, now))
	if v := (ledgerVerdict{r.Backup}); !v.Whole() {
		row("", v.line())
	}
	if r.InPlace == nil {
		row("in place", "no ledger at "+path)
	} else {
		v := ledgerVerdict{r.InPlace}
		row("in place", path+", "+inPlaceWords(v, now))
		row("", "it is kept as "+r.Aside)
	}
	row("forgotten", "what was called, settled and ordered after the backup was written")
	if last := r.InPlace; last != nil && last.Last > r.Backup.Last {
		row("", fmt.Sprintf("the one in place has claimed %d calls since", last.Last-r.Backup.Last))
	}
}

func inPlaceWords(v ledgerVerdict, now time.Time) string {
	if !v.Sound() {
		return "not to be used: " + printable(v.reason())
	}
	return "which a daemon would start with: " + ledgerAge(v.Findings, now)
}

// errUnchanged ends a restoration to which somebody said no.
var errUnchanged = errors.New("not agreed to: nothing was changed")

// agree asks on a terminal.
func agree(ctx context.Context, in *os.File, talk io.Writer) error {
	fmt.Fprint(talk, "Restore? [y/N] ")
	answer := make(chan string, 1)
	go func() { // nothing calls a read of a terminal off: the process is about to end then
		line, _ := bufio.NewReader(in).ReadString('\n')
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(talk)
		return errUnchanged
	case line := <-answer:
		if word := strings.ToLower(strings.TrimSpace(line)); word == "y" || word == "yes" {
			return nil
		}
		return errUnchanged
	}
}

// tellRestored says what was done, and what a daemon will make of it.
func tellRestored(w io.Writer, r *ledger.Restored, path string) error {
	at := func(m quota.Method) string { return ledgerMoment(r.At.Add(r.Waits[m]).Add(time.Second)) }
	_, err := fmt.Fprintf(w, `restored  %s: the daemon may start now
looks     none before %s
calls     no start before %s, no stop before %s: the quotas of %s count as used up
`, path, at(quota.Get), at(quota.Start), at(quota.Stop), plural(r.Deployments, "deployment", "deployments"))
	return err
}

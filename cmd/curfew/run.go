package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"curfew/internal/config"
	"curfew/internal/secret"
)

// newRun is `curfew run`: the daemon.
func newRun(c *console) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon: start and stop deployments as the policies say",
		Long: `Run the daemon. It starts and stops deployments as the policies say, writes down
in its ledger what it is about to call before it calls, and serves /metrics,
/healthz and /readyz.

It needs the API key and its secret: in files that the configuration names
(api.key_file, api.secret_file), in EMQXCLOUD_PLATFORM_API_KEY and
EMQXCLOUD_PLATFORM_API_SECRET, or as systemd's credentials emqx-key and
emqx-secret.

SIGHUP reloads the configuration; a bad one is refused and the last good one stays
in force. SIGTERM and SIGINT end the daemon once the calls under way are answered;
a second one ends it at once.

The log goes to stderr: text on a terminal, else JSON, an object a line. What keeps
the daemon from starting is text even there, unless --log-format json asks for JSON
alone; only a command line that makes no sense is told in text then.

Exit codes:
  0  it was told to end, and has written down all that it did
  1  it cannot start or go on; the last line says why and what to do
  2  the command line makes no sense`,
		Example: `  curfew run -c curfew.yaml
  curfew run -c curfew.yaml --dry-run      decide and look, never start or stop
  curfew run -c /etc/curfew/curfew.yaml --watch --listen 0.0.0.0:9815`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error {
			return tellStart(c, o.logFormat, runDaemon(ctx, c, o))
		}),
	}
	flags := cmd.Flags()
	fileFlag(cmd, &o.file)
	flags.StringVar(&o.listen, "listen", "", "`ADDR` of metrics and health, over the file's listen and $CURFEW_LISTEN")
	flags.StringVar(&o.ledger, "ledger", "", "`PATH` of the ledger, over the file's")
	flags.BoolVar(&o.dryRun, "dry-run", false, "decide, look and report, but never start or stop anything")
	flags.BoolVar(&o.watch, "watch", false, "reload when the file or its secrets change, too")
	o.logFormat = "auto"
	flags.Var(&choice{&o.logFormat, []string{"auto", "text", "json"}}, "log-format", "auto, text or json; auto is text on a terminal")
	o.lapse.flags(cmd)
	return cmd
}

// runOptions are the flags of the daemon.
type runOptions struct {
	file, listen, ledger string
	logFormat            string
	dryRun, watch        bool
	lapse                lapse
}

// override lets the flags go over the file's word, on every reload anew. A flag
// can only add to dry_run: nobody should find out that a flag made it act.
func (o *runOptions) override(file *config.Config) {
	if o.listen != "" {
		file.Listen = o.listen
	}
	if o.ledger != "" {
		file.Ledger = o.ledger
	}
	file.DryRun = file.DryRun || o.dryRun
}

// runDaemon runs the daemon until ctx ends or a signal says so. Up to its first
// log line it returns its troubles, from then on they are in the log.
func runDaemon(ctx context.Context, c *console, o runOptions) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // before it could end the process
	defer signal.Stop(hup)
	signal.Ignore(syscall.SIGPIPE) // a log whose reader is gone is no reason to stop working
	hiding := secret.HideProcess() // before there is a key to hide
	clock, err := o.lapse.clock()
	if err != nil {
		return err
	}
	r := reader{options: o, env: c.env, clock: clock, salt: config.NewSalt()}
	first, err := r.read(nil)
	if err != nil {
		return err
	}
	// The socket comes before the ledger: a second daemon on one port is found
	// before it waits for anything, and one that waits can say so.
	ln, err := listen(ctx, first.file.Listen)
	if err != nil {
		return err
	}
	queue := newLogQueue(c.err, tellDropped(c, o.logFormat))
	defer queue.close()
	log := newLogger(c, c.err, queue, o.logFormat)
	logStandard(log)
	if hiding != nil {
		log.Warn("the key is less well hidden than it could be", "err", hiding)
	}
	d, err := newDaemon(r, first, log, hup)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	// From here on whoever collects logs must see the end, too.
	if err := d.run(ctx, ln); err != nil {
		d.log.Error("curfew cannot go on", "err", err)
		return errTold
	}
	return nil
}

// tellStart tells why the daemon does not start, at which point it has no log. Like
// any command, it tells people: a bad file with its lines, what stands nowhere in
// it in a sentence. But whoever asked for JSON has a program that reads stderr
// from its first line on. A command line that makes no sense is left to run.
func tellStart(c *console, format string, err error) error {
	var usage usageError
	var bad *badFile
	switch {
	case err == nil, errors.Is(err, errTold), errors.As(err, &usage):
		return err
	case format == "json":
		logStart(newLogger(c, c.err, c.err, format), err)
		return errTold
	case errors.As(err, &bad) && bad.inTheText():
		if _, err := io.WriteString(c.err, config.Render(bad.problems, bad.text)); err != nil {
			return err
		}
		return errTold
	}
	return err
}

// logStart is tellStart for programs: the problems of a bad file, a line each, and
// the sentence last.
func logStart(to *slog.Logger, err error) {
	if bad := (*badFile)(nil); errors.As(err, &bad) {
		for _, p := range bad.problems {
			logProblem(to, p)
		}
	}
	to.Error("curfew cannot start", "err", err)
}

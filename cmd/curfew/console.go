package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"curfew/internal/config"
)

// A console is what a command talks to: the standard streams and the
// environment.
type console struct {
	in       io.Reader
	out, err io.Writer
	env      config.Lookup
	began    bool // a command has been understood and begun
}

// action makes a command's work out of do. Whatever fails before it is reached is
// the command line's fault, and cobra's errors have no type to tell that by.
func (c *console) action(do func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c.began = true
		return do(cmd.Context(), args)
	}
}

// terminal reports whether w is one.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// coloured reports whether w is a terminal that wants colours
// (https://no-color.org).
func (c *console) coloured(w io.Writer) bool {
	noColour, _ := c.env("NO_COLOR")
	kind, _ := c.env("TERM")
	return noColour == "" && kind != "dumb" && terminal(w)
}

// A palette paints words where its console has colours.
type palette bool

func (p palette) paint(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) green(s string) string  { return p.paint("32", s) }
func (p palette) yellow(s string) string { return p.paint("33", s) }
func (p palette) dim(s string) string    { return p.paint("2", s) }

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. The
// second one then finds no handler and ends the process at once, as everybody
// who presses Ctrl-C twice expects.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

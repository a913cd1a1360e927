package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"curfew/internal/config"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// The exit codes: scripts tell a file that is wrong from a flag that is.
const (
	exitFine  = 0
	exitError = 1
	exitUsage = 2

	exitTrouble = 2 // of diff, whose 1 is an answer
)

// run is the whole program but for the process around it. It returns the exit
// code.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer, env config.Lookup) int {
	c := &console{in: in, out: out, err: errs, env: env}
	root := newRoot(c)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx) // cmd is the one that was meant, as far as it is known
	if err == nil {
		return exitFine
	}
	var usage usageError
	if !c.began || errors.As(err, &usage) {
		fmt.Fprintf(errs, "curfew: %v%s\nSee %q.\n", err, meant(cmd, args), cmd.CommandPath()+" --help")
		return exitUsage
	}
	if !errors.Is(err, errTold) {
		fmt.Fprintf(errs, "curfew: %v\n", err)
	}
	if errors.As(err, new(troubleError)) {
		return exitTrouble
	}
	return exitError
}

// meant is what was probably meant by a command that does not exist.
func meant(cmd *cobra.Command, args []string) string {
	if cmd.HasParent() || len(args) == 0 {
		return ""
	}
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		return fmt.Sprintf(": did you mean %q?", like[0])
	}
	return ""
}

// A usageError is a command line that makes no sense. Cobra's own errors need no
// such mark: they all come before a command has begun.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// errTold ends a command whose trouble a person has been told of already.
var errTold = errors.New("told already")

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run reads the flags, runs the mutants and reports. It returns the exit status:
// 0 where all were killed, 1 where one was not, 2 for wrong usage.
func run(ctx context.Context, args []string, out, talk io.Writer) int {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(talk)
	only := flags.String("only", "", "run the mutant with this `name` alone, and print what its tests say")
	parallel := flags.Int("parallel", max(1, runtime.NumCPU()/2), "how many mutants to run at once")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || *parallel < 1 {
		if err == nil {
			fmt.Fprintln(talk, "mutants: it takes -only NAME and -parallel N, which is 1 or more, and no arguments")
		}
		return 2
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		fmt.Fprintln(talk, "mutants:", err)
		return 1
	}
	all, err := readMutants(root, *only)
	if err != nil {
		fmt.Fprintln(talk, "mutants:", err)
		return 1
	}
	if killed := report(ctx, root, all, *parallel, out); killed < len(all) || *only != "" && killed == 0 {
		return 1
	}
	return 0
}

// moduleRoot is the directory of the module that the command is run in.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	path := strings.TrimSpace(string(out))
	if err != nil || path == "" || path == os.DevNull {
		return "", errors.Join(errors.New("find the module: run this inside of it"), err)
	}
	return strings.TrimSuffix(path, "go.mod"), nil
}

// report runs the mutants, so many at once, and writes a line for each as it
// ends. It returns how many were killed.
func report(ctx context.Context, root string, all []*mutant, parallel int, out io.Writer) int {
	began := time.Now()
	next, ended := make(chan *mutant), make(chan result)
	for range min(parallel, len(all)) {
		go func() {
			for m := range next {
				ended <- m.judge(ctx, root)
			}
		}()
	}
	go func() {
		for _, m := range all {
			next <- m
		}
		close(next)
	}()
	killed := 0
	for range all {
		r := <-ended
		if r.verdict == verdictKilled {
			killed++
		}
		fmt.Fprintf(out, "%-8s  %5.1fs  %-28s  %s\n", r.verdict, r.took.Seconds(), r.mutant.name, r.by)
		if r.verdict != verdictKilled || len(all) == 1 {
			fmt.Fprintf(out, "%s\n%s\n", r.mutant.what, tail(r.output))
		}
	}
	fmt.Fprintf(out, "%d mutants, %d killed, in %s\n", len(all), killed, time.Since(began).Round(time.Second))
	return killed
}

// tail is the end of what the tests printed, without the lines that only say
// which of them runs.
func tail(output []byte) string {
	const most = 8000
	output = running.ReplaceAll(output, nil)
	if cut := len(output) - most; cut > 0 {
		output = append([]byte("…"), output[cut:]...)
	}
	return strings.ToValidUTF8(string(output), "")
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"curfew/internal/ledger"
	"curfew/internal/raced"
)

// TestMain lets the scripts run this test's own binary as `curfew`.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"curfew": main})
}

// The key and the secret of all stories. No output may ever show them.
const (
	storyKey    = "key-4711"
	storySecret = "secret-0815"
)

// TestStories runs testdata/script: the real binary, a simulated platform, and
// what people see. Nothing in them sleeps; they wait for what must come.
func TestStories(t *testing.T) {
	t.Parallel()
	var ports atomic.Int32
	ports.Store(firstPort())
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("EMQXCLOUD_PLATFORM_API_KEY", storyKey)
			env.Setenv("EMQXCLOUD_PLATFORM_API_SECRET", storySecret)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "raced" {
				return false, fmt.Errorf("no condition %q", cond)
			}
			return raced.Spared(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"port":      func(ts *testscript.TestScript, _ bool, args []string) { port(ts, &ports, args) },
			"lapse":     beginLapse,
			"wait-http": waitHTTP,
			"signal":    sendSignal,
			"exits":     exits,
			"no-secret": noSecret,
			"json-log":  jsonLog,
			"newer":     newerLedger,
		},
	})
}

// firstPort begins at a place of this process's own below the ephemeral ports,
// so that no connection of the kernel's choice takes one away.
func firstPort() int32 { return 12000 + int32(os.Getpid()%150)*100 }

// port sets each variable to a free port of its own.
func port(ts *testscript.TestScript, next *atomic.Int32, names []string) {
	for _, name := range names {
		for {
			n := next.Add(1)
			ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", n))
			if err != nil {
				continue
			}
			ts.Check(ln.Close())
			ts.Setenv(name, strconv.Itoa(int(n)))
			break
		}
	}
}

// beginLapse sets ORIGIN to a time and ANCHOR to now: from here on the lapse
// runs.
func beginLapse(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("ORIGIN", args[0])
	ts.Setenv("ANCHOR", strconv.FormatInt(int64(machineClock().read().Steady), 10))
}

// patience is how long a story waits for what must come. Nothing takes nearly so
// long on a machine that is not overwhelmed.
const patience = 30 * time.Second

// waitHTTP is wait-http URL STATUS [REGEXP]: it asks until the answer has the
// status and matches, and leaves it as stdout.
func waitHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: wait-http URL STATUS [REGEXP]")
	}
	var want *regexp.Regexp
	if len(args) == 3 {
		want = regexp.MustCompile("(?m)" + args[2])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		status, body, err := fetch(ctx, args[0])
		if err == nil && strconv.Itoa(status) == args[1] && (want == nil || want.MatchString(body)) {
			io.WriteString(ts.Stdout(), body)
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("%s: no %s with %q in %s; last: %d, %v\n%s", args[0], args[1], args[2:], patience, status, err, body)
		case <-tick.C:
		}
	}
}

func fetch(ctx context.Context, url string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, runtimeNoise().ReplaceAllString(string(body), ""), err
}

// runtimeNoise is what a story would drown in: help texts, buckets, and what the
// Go runtime says of itself.
func runtimeNoise() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(#|go_|process_|\w+_bucket\{).*\n`)
}

// sendSignal is signal NAME WORD: it sends to the last background `curfew WORD`.
func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	known := map[string]os.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "INT": os.Interrupt, "KILL": os.Kill}
	var last *exec.Cmd
	for _, cmd := range ts.BackgroundCmds() {
		if len(cmd.Args) > 1 && cmd.Args[1] == args[1] {
			last = cmd
		}
	}
	if last == nil || known[args[0]] == nil {
		ts.Fatalf("signal %v: no such process or signal", args)
	}
	ts.Check(last.Process.Signal(known[args[0]]))
}

// exits is exits CODE COMMAND...: the command ends with just that code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit := new(exec.ExitError); err != nil {
		if !errors.As(err, &exit) {
			ts.Fatalf("%v: %v", args[1:], err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%s exits with %d, want %s", strings.Join(args[1:], " "), code, args[0])
	}
}

// noSecret fails where what was written last, or one of the files, holds the key
// or the secret.
func noSecret(ts *testscript.TestScript, _ bool, files []string) {
	texts := map[string]string{"stdout": ts.ReadFile("stdout"), "stderr": ts.ReadFile("stderr")}
	for _, f := range files {
		texts[f] = ts.ReadFile(f)
	}
	for where, text := range texts {
		for _, s := range []string{storyKey, storySecret} {
			if strings.Contains(text, s) {
				ts.Fatalf("%s shows %q", where, s)
			}
		}
	}
}

// jsonLog fails where what was written last to stderr, or one of the files, is not
// a log in JSON from its first line to its last.
func jsonLog(ts *testscript.TestScript, _ bool, files []string) {
	if len(files) == 0 {
		files = []string{"stderr"}
	}
	for _, f := range files {
		if _, err := jsonLines(ts.ReadFile(f)); err != nil {
			ts.Fatalf("%s: %v", f, err)
		}
	}
}

// jsonLines reads a log in JSON. There must be a line, and each must be an object
// with a time, a level and a message.
func jsonLines(text string) ([]map[string]any, error) {
	var lines []map[string]any
	for line := range strings.Lines(text) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			return nil, fmt.Errorf("%w in line %d: %q", err, len(lines)+1, line)
		}
		at, _ := l["time"].(string)
		level, _ := l["level"].(string)
		if _, err := time.Parse(time.RFC3339Nano, at); err != nil || new(slog.Level).UnmarshalText([]byte(level)) != nil || l["msg"] == "" || l["msg"] == nil {
			return nil, fmt.Errorf("line %d lacks a time, a level or a message: %s", len(lines)+1, line)
		}
		lines = append(lines, l)
	}
	if lines == nil {
		return nil, errors.New("there is no line")
	}
	return lines, nil
}

// newerLedger is newer PATH: it makes a ledger of the story's account, and lets a
// later release have written it.
func newerLedger(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	l, err := ledger.Open(context.Background(), ledger.Options{
		Path: path, Account: "default", Endpoint: ts.Getenv("EMQXCLOUD_PLATFORM_ENDPOINT"),
		Boot: "story", Release: "story", Now: machineClock().read,
	})
	ts.Check(err)
	ts.Check(l.Close())
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteAt([]byte{0, 0, 0, 99}, 60) // SQLite's user_version (sqlite.org/fileformat.html)
	ts.Check(errors.Join(err, f.Close()))
}

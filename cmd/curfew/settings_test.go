package main

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/internal/ledger"
	"curfew/scheduler"
)

// newReader is a reader of a file that write replaces.
func newReader(t *testing.T) (r *reader, write func(text string), env map[string]string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "curfew.yaml")
	env = map[string]string{"EMQXCLOUD_PLATFORM_API_KEY": storyKey, "EMQXCLOUD_PLATFORM_API_SECRET": storySecret}
	r = &reader{
		options: runOptions{file: path}, clock: machineClock(), salt: config.NewSalt(),
		env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}
	return r, func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}, env
}

// TestReadAgain: what a reload may change, what it keeps, and what it refuses.
func TestReadAgain(t *testing.T) {
	t.Parallel()
	r, write, env := newReader(t)
	const policies = "\ntimezone: UTC\npolicies: [{name: one, deployments: [w1, w2], stop: 0 20 * * *}]"
	write("listen: 127.0.0.1:1" + policies)
	first, err := r.read(nil)
	if err != nil {
		t.Fatal(err)
	}
	if first.deployments() != 2 || !slices.Equal(first.policyNames(), []string{"one"}) || len(first.files) != 1 {
		t.Errorf("%d deployments, policies %v, files %v", first.deployments(), first.policyNames(), first.files)
	}

	write("listen: 127.0.0.1:2\ndry_run: true" + policies)
	same, err := r.read(first)
	if err != nil || same.client != first.client || !same.fleet.DryRun || same.fleet.KeyID != first.fleet.KeyID {
		t.Errorf("another file, the same key: %v, the client is kept: %t", err, same.client == first.client)
	}

	env["EMQXCLOUD_PLATFORM_API_SECRET"] = "another"
	other, err := r.read(same)
	if err != nil || other.client == same.client || other.fleet.KeyID == same.fleet.KeyID {
		t.Errorf("another key: %v, the client is kept: %t", err, other.client == same.client)
	}

	write("api: {endpoint: https://cloud.emqx.com/public_api/v1}" + policies)
	if _, err := r.read(first); err == nil || !strings.Contains(err.Error(), "restart with another ledger") {
		t.Errorf("another endpoint: %v, want it refused", err)
	}
	write("api: {name: b}" + policies)
	if _, err := r.read(first); err == nil {
		t.Error("another account is accepted")
	}
}

// TestReadSaysAll: the problems of the file and of the key come together.
func TestReadSaysAll(t *testing.T) {
	t.Parallel()
	r, write, env := newReader(t)
	delete(env, "EMQXCLOUD_PLATFORM_API_KEY")
	write("policies: []\nmaster: key\n")
	_, err := r.read(nil)
	bad, ok := err.(*badFile)
	if !ok || len(bad.problems) != 2 || strings.Count(bad.Error(), "; ") != 1 || !bad.inTheText() {
		t.Errorf("got %v, want two problems", err)
	}
}

// TestFlagsGoOverTheFile also on a reload.
func TestFlagsGoOverTheFile(t *testing.T) {
	t.Parallel()
	r, write, _ := newReader(t)
	r.options.listen, r.options.ledger, r.options.dryRun = "127.0.0.1:9", "other.db", true
	write("policies: []")
	s, err := r.read(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.file.Listen != "127.0.0.1:9" || s.file.Ledger != "other.db" || !s.fleet.DryRun {
		t.Errorf("listen %s, ledger %s, dry run %t: want the flags' word", s.file.Listen, s.file.Ledger, s.fleet.DryRun)
	}
}

func TestKeepUses(t *testing.T) {
	t.Parallel()
	var limits [quota.Methods]quota.Limit
	for m := range limits {
		limits[m] = quota.Documented(quota.Method(m))
	}
	hour := quota.Limit{N: 1, Per: time.Hour}
	if got, want := keepUses(limits), 2*(time.Hour+hour.UnknownMargin()); got != want {
		t.Errorf("keepUses = %s, want %s", got, want)
	}
	for m := range limits {
		limits[m].Per = time.Minute
	}
	if got := keepUses(limits); got != ledger.DefaultKeepUses {
		t.Errorf("short windows: %s, want the ledger's default", got)
	}
	limits[quota.Stop].Per = 24 * time.Hour
	if got := keepUses(limits); got < 48*time.Hour {
		t.Errorf("a window of a day: %s, want more than two", got)
	}
}

func TestReadQuota(t *testing.T) {
	t.Parallel()
	c := &console{env: func(string) (string, bool) { return "", false }}
	for text, want := range map[string]string{
		"stop=1/60m": "", "get=60/1h/key": "", "start=2/90s/deployment": "", "list=5/1m": "",
		"stop": "want METHOD=N/PER", "halt=1/60m": "unknown method", "stop=0/60m": "from 1 on", "stop=1/0s": "length of time",
		"stop=1/60m/world": "no scope", "stop=1/60m/key/x": "want METHOD=N/PER",
	} {
		_, err := platformOptions{quotas: []string{text}}.world(c, time.Unix(0, 0))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("--quota %s: %v, want %q", text, err, want)
		}
	}
}

// TestSupervisor is what systemd hears of a daemon.
func TestSupervisor(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	ln, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "20000000")
	t.Setenv("WATCHDOG_PID", "")
	l := newLogged()
	s := newSupervisor(l.log)
	s.up("working")
	s.turned(scheduler.Now{})
	s.turned(scheduler.Now{}) // too soon for another
	s.stopping()
	buf := make([]byte, 1<<10)
	for _, want := range []string{"READY=1\nSTATUS=working", "WATCHDOG=1", "STOPPING=1"} {
		n, err := ln.Read(buf)
		if got := string(buf[:n]); err != nil || got != want {
			t.Errorf("systemd hears %q, %v; want %q", got, err, want)
		}
	}
	if l.out.Len() > 0 {
		t.Errorf("the log has %q", l.out.String())
	}
}

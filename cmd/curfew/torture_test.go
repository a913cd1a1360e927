package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"curfew/internal/config"
	"curfew/internal/ledger"
)

// TestToldToEndWhileItLoads: a daemon that is told to end between its ledger and
// its first turn has nothing to end, and nothing to complain of. The torture test
// (internal/torture) found one that took over just then and ended with exit 1.
func TestToldToEndWhileItLoads(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&said, nil))
	r := reader{
		clock: machineClock(), salt: config.NewSalt(),
		env: func(name string) (string, bool) {
			text, ok := map[string]string{
				"CURFEW_CONFIG_YAML":            "timezone: UTC\npolicies: []\n",
				"EMQXCLOUD_PLATFORM_API_KEY":    "key",
				"EMQXCLOUD_PLATFORM_API_SECRET": "secret",
			}[name]
			return text, ok
		},
	}
	first, err := r.read(nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDaemon(r, first, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Options{
		Path: filepath.Join(t.TempDir(), "curfew.db"), Account: first.fleet.Account, Endpoint: first.file.Endpoint,
		Boot: r.clock.boot, Release: "test", Now: r.clock.read,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, told := context.WithCancel(t.Context())
	told()
	if err := d.workWith(ctx, l); err != nil {
		t.Errorf("it was told to end, and says: %v", err)
	}
	if strings.Contains(said.String(), `"level":"ERROR"`) {
		t.Errorf("it was told to end, and its log has errors:\n%s", said.String())
	}
}

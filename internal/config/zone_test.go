package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestTzdata(t *testing.T) {
	t.Parallel()
	zones := func(files map[string]string) string {
		dir := t.TempDir()
		for name, text := range files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	const berlin = "Europe/Berlin"
	for _, test := range []struct {
		name    string
		files   map[string]string
		version string
	}{
		{"Debian's file", map[string]string{berlin: "", "tzdata.zi": "# version 2026c\n# more\n"}, "2026c"},
		{"BSD's file", map[string]string{berlin: "", "+VERSION": "2026b\n"}, "2026b"},
		{"no version", map[string]string{berlin: ""}, ""},
		{"another file of that name", map[string]string{berlin: "", "tzdata.zi": "R d 1916"}, ""},
	} {
		dir := zones(test.files)
		source, version := Tzdata(vars(map[string]string{"ZONEINFO": dir}))
		if source != dir || version != test.version {
			t.Errorf("%s: got %s, %q; want %s, %q", test.name, source, version, dir, test.version)
		}
	}
	zip := filepath.Join(zones(map[string]string{"zoneinfo.zip": ""}), "zoneinfo.zip")
	if source, version := Tzdata(vars(map[string]string{"ZONEINFO": zip})); source != zip || version != "" {
		t.Errorf("a zip file: got %s %q, want %s", source, version, zip)
	}
	empty := t.TempDir()
	if source, version := tzdataIn([]string{empty, filepath.Join(empty, "gone")}); source != "embedded" || version != runtime.Version() {
		t.Errorf("no zones anywhere: got %s %s, want the embedded ones, as old as %s", source, version, runtime.Version())
	}
}

// TestZonesAreShared has all policies of a zone use one Location, loaded once.
func TestZonesAreShared(t *testing.T) {
	t.Parallel()
	loaded := map[string]int{}
	env := Env{Zone: func(name string) (*time.Location, error) {
		loaded[name]++
		if name != "Here/There" {
			return nil, errors.New("no such zone")
		}
		return time.FixedZone(name, 3600), nil
	}}
	c := parse(t, `
timezone: Here/There
policies:
  - {name: a, deployments: [], stop: "@daily"}
  - {name: b, deployments: [], stop: "@daily", timezone: Here/There}
`, env)
	a, b := c.Policies.Policies[0].Location(), c.Policies.Policies[1].Location()
	if a != b || a != c.Location || loaded["Here/There"] != 1 {
		t.Errorf("locations %p %p %p, loaded %v", a, b, c.Location, loaded)
	}
}

package config

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	_ "time/tzdata" // what time.LoadLocation falls back on where the system has no zones
	"unicode"
)

// zone reads the name of a time zone and loads it: once, since all policies of
// a name must share one Location. In the place of one that cannot be used stands
// UTC, so that what depends on it can be judged.
func (r *reader) zone(n *node) (string, *time.Location) {
	const hint = "write a name of the tz database, such as Europe/Berlin or UTC"
	name, ok := r.text(n, "a time zone")
	switch {
	case !ok:
		return r.utc()
	case name == "":
		r.fail(n, hint, "want a time zone, got nothing")
		return r.utc()
	case strings.EqualFold(name, "local") || strings.EqualFold(name, "localtime"):
		r.fail(n, hint, "%s is another zone on every machine", quote(name))
		return r.utc()
	}
	loc, seen := r.zones[name]
	if !seen {
		loc = r.load(name)
		r.zones[name] = loc
	}
	if loc == nil {
		r.fail(n, r.likelyZone(name, hint), "unknown time zone %s", quote(name))
		return r.utc()
	}
	return name, loc
}

// likelyZone is the hint for an unknown zone: mostly its capitals are wrong, or
// a blank stands where the database has an underscore.
func (r *reader) likelyZone(name, otherwise string) string {
	likely := []rune(strings.ToLower(strings.ReplaceAll(name, " ", "_")))
	for i, c := range likely {
		if i == 0 || likely[i-1] == '/' || likely[i-1] == '_' {
			likely[i] = unicode.ToUpper(c)
		}
	}
	for _, name := range []string{string(likely), strings.ToUpper(name)} {
		if r.load(name) != nil {
			return fmt.Sprintf("did you mean %q?", name)
		}
	}
	return otherwise
}

func (r *reader) utc() (string, *time.Location) {
	r.zones["UTC"] = time.UTC
	return "UTC", time.UTC
}

func (r *reader) load(name string) *time.Location {
	load := r.env.Zone
	if load == nil {
		load = time.LoadLocation
	}
	loc, err := load(name)
	if err != nil {
		return nil
	}
	return loc
}

// Tzdata tells which time zone data is in use, and of which version, where that
// is known: that of $ZONEINFO, else the system's, else the copy inside the
// program, which is as old as the Go release that built it. The places are
// those in which package time looks, in its order.
func Tzdata(env Lookup) (source, version string) {
	dirs := []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"}
	if dir := env.get("ZONEINFO"); dir != "" {
		dirs = append([]string{dir}, dirs...)
	}
	return tzdataIn(dirs)
}

func tzdataIn(dirs []string) (source, version string) {
	for _, dir := range dirs {
		if hasZones(dir) {
			return dir, zoneVersion(dir)
		}
	}
	return "embedded", runtime.Version()
}

// hasZones reports whether dir, or a zip file of that name, can give zones.
// UTC alone does not tell: minimal images have it and nothing else.
func hasZones(dir string) bool {
	if strings.HasSuffix(dir, ".zip") {
		_, err := os.Stat(dir)
		return err == nil
	}
	_, err := os.Stat(filepath.Join(dir, "Europe", "Berlin"))
	return err == nil
}

// zoneVersion finds the version in the two files that distributions ship; ""
// where there is neither.
func zoneVersion(dir string) string {
	if v := firstLine(filepath.Join(dir, "+VERSION")); v != "" {
		return v
	}
	v, ok := strings.CutPrefix(firstLine(filepath.Join(dir, "tzdata.zi")), "# version ")
	if !ok {
		return ""
	}
	return v
}

func firstLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Scan()
	return strings.TrimSpace(s.Text())
}

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"curfew/internal/config"
)

// zoneName is a name that the tz database may have.
var zoneName = regexp.MustCompile(`^[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*$`)

// machineZone is the time zone of the machine by its name, and where it says so:
// $TZ, /etc/timezone or where /etc/localtime leads, below root. Where none of them
// has a name of the tz database, it is UTC, and from is empty.
func machineZone(env config.Lookup, root string) (zone, from string) {
	tz, _ := env("TZ")
	named, _ := os.ReadFile(filepath.Join(root, "etc/timezone")) // may be missing, as may the next
	link, _ := os.Readlink(filepath.Join(root, "etc/localtime"))
	for _, place := range []struct{ text, from string }{
		{tz, "$TZ"}, {string(named), "/etc/timezone"}, {link, "/etc/localtime"},
	} {
		if zone := zoneIn(place.text); zone != "" {
			return zone, place.from
		}
	}
	return "UTC", ""
}

// zoneIn is the zone that a text names, with or without a path to its file; or
// nothing.
func zoneIn(text string) string {
	name := strings.TrimPrefix(strings.TrimSpace(text), ":")
	if _, behind, ok := strings.Cut(name, "zoneinfo/"); ok {
		name = behind
	}
	for _, half := range []string{"posix/", "right/"} { // copies of the whole database
		name = strings.TrimPrefix(name, half)
	}
	if !zoneName.MatchString(name) || strings.EqualFold(name, "local") || strings.EqualFold(name, "localtime") {
		return ""
	}
	if _, err := time.LoadLocation(name); err != nil {
		return ""
	}
	return name
}

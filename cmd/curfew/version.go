package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"

	"curfew/internal/config"
)

// newVersion is `curfew version`.
func newVersion(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version, the commit, and the time zone data in use",
		Args:  cobra.NoArgs,
		RunE: c.action(func(context.Context, []string) error {
			commit := version.GetRevision()
			if commit == "unknown" || commit == "" {
				commit = "commit unknown"
			}
			_, err := fmt.Fprintf(c.out, "curfew %s (%s)\n%s %s/%s\ntzdata %s\n",
				ownVersion(), commit, runtime.Version(), runtime.GOOS, runtime.GOARCH, tzdata(c.env))
			return err
		}),
	}
}

// ownVersion is the release's, which the build sets in prometheus/common/version,
// else that of the module, which `go install` knows.
func ownVersion() string {
	if version.Version != "" {
		return version.Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// tzdata says which time zone data is in use: its version and where it is.
func tzdata(env config.Lookup) string {
	source, v := config.Tzdata(env)
	if v == "" {
		v = "of unknown version"
	}
	if source == "embedded" {
		return "embedded, as old as " + v
	}
	return v + " from " + source
}

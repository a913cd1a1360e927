package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"curfew/internal/config"
)

// newSchema is `curfew schema`: what editors know the configuration by.
func newSchema(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Long: `Print the JSON Schema (draft-07) of the configuration: every key with what it
means, what it may be, its default and examples. Editors with a YAML language server
complete and check a file by it. Lay it beside the file, and let the first line of
the file say so:

  # yaml-language-server: $schema=./curfew.schema.json

A schema knows the form of each value. What takes the whole file to judge, such as an
id in two policies, and what takes the machine, such as a time zone's name, only
curfew check knows. The schema is this release's: print it anew with the next one.`,
		Example: `  curfew schema > curfew.schema.json`,
		Args:    cobra.NoArgs,
		RunE: c.action(func(context.Context, []string) error {
			_, err := io.WriteString(c.out, config.Schema())
			return err
		}),
	}
}

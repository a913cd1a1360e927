package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"curfew/apiclient"
	"curfew/internal/config"
)

// newList is `curfew list`: who is there?
func newList(c *console) *cobra.Command {
	var path, format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the deployments that the key can see",
		Long: `Ask the platform for all deployments that the key can see, by one GET, and list
them by name. With -o json it is an inventory: what check, plan, explain and diff take
by --inventory, so that they know names, and whom a policy selects, without a key.

Of the configuration it needs the account alone: api.endpoint and the key. The GET
counts against the key's quota; a daemon beside it does not know of it.`,
		Example: `  curfew list -c curfew.yaml
  curfew list -c curfew.yaml -o json > deployments.json
  curfew check -c curfew.yaml --inventory deployments.json`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return list(ctx, c, path, format) }),
	}
	fileFlag(cmd, &path)
	formatFlag(cmd, &format, "table", "json")
	return cmd
}

func list(ctx context.Context, c *console, path, format string) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	file, problems, err := config.Load(path, c.env)
	if err != nil {
		return err
	}
	// A file whose policies are wrong still knows its account.
	l, more, err := newLookout(c, file)
	if err != nil {
		return err
	}
	if l == nil {
		if _, err := io.WriteString(c.err, config.Render(append(problems, more...), file.Text)); err != nil {
			return err
		}
		return errTold
	}
	defer l.client.Close()
	all, err := l.list(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b apiclient.Deployment) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	if format == "json" {
		return writeInventory(c.out, all)
	}
	return writeList(c.out, all)
}

// inventoryItem is a deployment as the platform's own list has it.
type inventoryItem struct {
	ID          string `json:"deploymentID"`
	Name        string `json:"deploymentName"`
	Type        string `json:"deploymentType,omitempty"`
	Platform    string `json:"platform,omitempty"`
	Region      string `json:"region,omitempty"`
	Status      string `json:"status"`
	Connections int    `json:"connections,omitempty"`
	CreateAt    string `json:"createAt,omitempty"`
}

func writeInventory(w io.Writer, all []apiclient.Deployment) error {
	items := make([]inventoryItem, 0, len(all))
	for _, d := range all {
		connections, _ := strconv.Atoi(d.Connections) // shown only
		items = append(items, inventoryItem{d.ID, d.Name, d.Type, d.Platform, d.Region, d.Status, connections, d.CreateAt})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(items)
}

func writeList(w io.Writer, all []apiclient.Deployment) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, d := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s %s\n", d.ID, d.Name, d.Status, d.Type, d.Platform, d.Region)
	}
	return t.Flush()
}

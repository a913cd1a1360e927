package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"curfew/apiclient"
	"curfew/internal/config"
)

// newInit is `curfew init`: from a key to a first file.
func newInit(c *console) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first configuration for the deployments of a key",
		Long: `Ask the platform for all deployments that the key can see, by one GET, and write a
configuration to begin with: each deployment in an example that is commented out, and
no policy in force, so that nothing is stopped before you say so.

The key is the one in EMQXCLOUD_PLATFORM_API_KEY and EMQXCLOUD_PLATFORM_API_SECRET, or
in systemd's credentials; without one it is asked for on the terminal, and not shown.
It is written nowhere. The endpoint is EMQXCLOUD_PLATFORM_ENDPOINT, or asked for with
the key, else the international one.

The first line of the file tells editors to complete it by the schema beside it:

  curfew schema > curfew.schema.json`,
		Example: `  curfew init
  curfew init -o /etc/curfew/curfew.yaml
  curfew init -o - | less`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return o.run(ctx, c) }),
	}
	cmd.Flags().StringVarP(&o.path, "output", "o", "curfew.yaml", "`FILE` to write; - is stdout")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace a file that is there")
	return cmd
}

type initOptions struct {
	path  string
	force bool
}

func (o initOptions) run(ctx context.Context, c *console) error {
	if err := o.free(); err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	account, err := findAccount(ctx, c)
	if err != nil {
		return err
	}
	first, err := account.look(ctx, c)
	if err != nil {
		return err
	}
	first.zone, first.zoneFrom = machineZone(c.env, "/")
	if o.path != "-" {
		first.path = o.path
	}
	text, err := first.text()
	if err != nil {
		return err
	}
	if o.path == "-" {
		_, err := io.WriteString(c.out, text)
		return err
	}
	if err := o.write(text); err != nil {
		return err
	}
	_, err = io.WriteString(c.err, o.next(len(first.deployments)))
	return err
}

// next says what was done, and what to type now.
func (o initOptions) next(deployments int) string {
	path := shellWord(o.path)
	return fmt.Sprintf(`%s is written, with %s and no policy in force: nothing is stopped yet.
Take in what you need, then:

  curfew check -c %[3]s                              is the file right?
  curfew plan -c %[3]s --days 7                      what would happen?
  curfew run -c %[3]s --dry-run --ledger curfew.db   watch it decide; this one wants the key in the environment
`, o.path, plural(deployments, "deployment", "deployments"), path)
}

// look asks for the deployments of an account. A key that may not list them is
// good for a file as well, in which a person puts their ids.
func (a *account) look(ctx context.Context, c *console) (firstFile, error) {
	first := firstFile{endpoint: a.file.Endpoint}
	with := *c
	with.env = a.env
	l, problems, err := newLookout(&with, a.file)
	if err != nil {
		return first, err
	}
	if l == nil {
		return first, a.refused(problems)
	}
	defer l.client.Close()
	all, err := l.list(ctx)
	switch {
	case err == nil:
		first.listed, first.deployments = true, nameable(all)
		if left := len(all) - len(first.deployments); left > 0 {
			fmt.Fprintf(c.err, "%s that no file can name, or there twice: left out\n", plural(left, "deployment has an id", "deployments have ids"))
		}
	case errors.Is(err, apiclient.ErrUnauthorized):
		return first, fmt.Errorf("the platform at %s refuses the API key (401): check the key and its secret, and whether they are of this endpoint",
			a.file.Endpoint)
	case errors.Is(err, apiclient.ErrForbidden):
		fmt.Fprintln(c.err, "the key may not list deployments (403): put their ids into the file by hand, as the console shows them")
	case errors.Is(err, apiclient.ErrNotFound):
		fmt.Fprintf(c.err, "there is no list of deployments at %s (404): is that the address of the API? Else put their ids into the file by hand\n", a.file.Endpoint)
	default:
		return first, a.unseen(ctx, err)
	}
	return first, nil
}

// unseen is why the deployments could not be listed, with what is to be done where
// there is no file yet.
func (a *account) unseen(ctx context.Context, err error) error {
	var call *apiclient.Error
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case errors.Is(err, apiclient.ErrLimited):
		return fmt.Errorf("the platform at %s says that the quota of this key is used up (429): see who else uses it, and try again in an hour", a.file.Endpoint)
	case errors.As(err, &call) && call.Status != 0:
		return fmt.Errorf("the platform at %s gave no usable answer (%d): try again, or check %s", a.file.Endpoint, call.Status, endpointVariable)
	case call != nil && call.Unwrap() != nil:
		return fmt.Errorf("ask the platform at %s for its deployments: %w: check the network, %s and its certificate",
			a.file.Endpoint, call.Unwrap(), endpointVariable)
	}
	return fmt.Errorf("ask the platform at %s for its deployments: %w", a.file.Endpoint, err)
}

// nameable returns the deployments that a file can name, by name, each once.
func nameable(all []apiclient.Deployment) []apiclient.Deployment {
	seen := map[string]bool{}
	good := slices.DeleteFunc(slices.Clone(all), func(d apiclient.Deployment) bool {
		bad := seen[d.ID] || !goodID(d.ID)
		seen[d.ID] = true
		return bad
	})
	slices.SortStableFunc(good, func(a, b apiclient.Deployment) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return good
}

// goodID reports whether a file can name a deployment by that id.
func goodID(id string) bool { return idForm.MatchString(id) && id != "." && id != ".." }

// idForm is what package policy takes for an id, but for the two that are no name.
var idForm = regexp.MustCompile(`^[!-.0-~]{1,128}$`)

// An account is an endpoint and where its key is.
type account struct {
	env   config.Lookup // with what was asked for
	file  *config.Config
	typed map[string]string // by the variable in whose place it is
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
)

// newPlatform is `curfew platform`: a simulated EMQX Platform on a port.
func newPlatform(c *console) *cobra.Command {
	var o platformOptions
	cmd := &cobra.Command{
		Use:   "platform",
		Short: "Serve a simulated EMQX Platform, for tests and play",
		Long: `Serve a simulated EMQX Platform with one account. The endpoint's address is the
one line on stdout. /_sim/ shows what the server saw, and lets faults and people in.
It asks for the key and the secret of EMQXCLOUD_PLATFORM_API_KEY and _API_SECRET,
and lets everybody in where there is none.`,
		Example: `  curfew platform --deployments w41b11c0,b1f77113=stopped --boot 20s --halt 10s
  curfew platform -c curfew.yaml --fault "stop * lost-answer x1" --quota "stop=1/60m/key"`,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   c.action(func(ctx context.Context, _ []string) error { return o.run(ctx, c) }),
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.file, "config", "c", "", "take deployments and quotas from this configuration `FILE`")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDR` to listen on")
	flags.StringSliceVar(&o.deployments, "deployments", nil, "`IDS` of deployments, each with :NAME where it has one and =STATUS where it is not running")
	flags.StringArrayVar(&o.faults, "fault", nil, "a `RULE` of what goes wrong, such as \"stop w41b11c0 lost-answer x1\"")
	flags.StringArrayVar(&o.quotas, "quota", nil, "a `QUOTA` such as stop=1/60m or get=60/60m/key")
	flags.DurationVar(&o.boot, "boot", 0, "how long a start takes (default 4m)")
	flags.DurationVar(&o.halt, "halt", 0, "how long a stop takes (default 2m)")
	o.lapse.flags(cmd)
	return cmd
}

type platformOptions struct {
	file, listen                string
	deployments, faults, quotas []string
	boot, halt                  time.Duration
	lapse                       lapse
}

func (o platformOptions) run(ctx context.Context, c *console) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	clock, err := o.lapse.clock()
	if err != nil {
		return err
	}
	world, err := o.world(c, clock.read().Wall)
	if err != nil {
		return err
	}
	key, _ := c.env("EMQXCLOUD_PLATFORM_API_KEY")
	secret, _ := c.env("EMQXCLOUD_PLATFORM_API_SECRET")
	h := simplatform.NewHandler(world, func() time.Time { return clock.read().Wall }, simplatform.HandlerConfig{
		Key: key, Secret: secret,
		Wait: func(ctx context.Context, d time.Duration) error { return pause(ctx, clock.real(d)) },
	})
	ln, err := listen(ctx, o.listen)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.out, "http://%s/public_api/v1\n", ln.Addr()); err != nil {
		return errors.Join(err, ln.Close())
	}
	if err := serveUntil(ctx, ln, h); err != nil {
		return err
	}
	h.With(func(w *simplatform.World, _ time.Time) { fmt.Fprintln(c.err, scoreLine(w.Score())) })
	return nil
}

// scoreLine is what the server counted, in a line.
func scoreLine(s simplatform.Score) string {
	return fmt.Sprintf("server saw %s: %d get, %d start, %d stop · over quota %d · repeated %d · answered 429 %d",
		plural(s.Total(), "call", "calls"), s.Calls[simplatform.Get], s.Calls[simplatform.Start], s.Calls[simplatform.Stop],
		s.OverQuota, s.Repeated, s.Limited)
}

// serveUntil serves h until ctx ends. It does not wait for answers that a fault
// holds back.
func serveUntil(ctx context.Context, ln net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	}
	return nil
}

// pause waits for d of the machine's time.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// world is the platform that the flags ask for.
func (o platformOptions) world(c *console, now time.Time) (*simplatform.World, error) {
	ids := o.deployments
	var config simplatform.Config
	if o.file != "" {
		file, err := loadFile(c, o.file)
		if err != nil {
			return nil, err
		}
		config.Quotas = quotasOf(file.Quotas)
		for _, p := range file.Policies.Policies {
			for _, m := range p.Members() {
				ids = append(ids, string(m.ID)+":"+m.Name)
			}
		}
	}
	for _, text := range o.quotas {
		if err := readQuota(text, &config.Quotas); err != nil {
			return nil, usagef("--quota %q: %w", text, err)
		}
	}
	w := simplatform.New(config)
	for _, text := range ids {
		rest, status, _ := strings.Cut(text, "=")
		id, name, _ := strings.Cut(rest, ":")
		d := simplatform.Deployment{ID: id, Name: cmp.Or(name, "sim-"+id), Status: simplatform.Status(status)}
		if err := w.Add(now, d, simplatform.Timing{Boot: o.boot, Halt: o.halt}); err != nil {
			return nil, usagef("deployment %q: %w", text, err)
		}
	}
	return w, addFaults(w, o.faults, now)
}

// addFaults lets go wrong what the rules say.
func addFaults(w *simplatform.World, faults []string, now time.Time) error {
	for _, text := range faults {
		f, err := simplatform.ParseFault(text, now)
		if err == nil {
			err = w.AddFault(f)
		}
		if err != nil {
			return usagef("--fault: %w", err)
		}
	}
	return nil
}

// quotasOf lets the platform count what the file says. A scope that the file
// leaves open is the deployment's.
func quotasOf(limits [quota.Methods]quota.Limit) (quotas [simplatform.Methods]simplatform.Quota) {
	for m, s := range map[quota.Method]simplatform.Method{
		quota.Get: simplatform.Get, quota.Start: simplatform.Start, quota.Stop: simplatform.Stop,
	} {
		quotas[s] = simplatform.Quota{N: limits[m].N, Per: limits[m].Per}
		if limits[m].Scope == quota.Key {
			quotas[s].Scope = simplatform.PerKey
		}
	}
	quotas[simplatform.List] = quotas[simplatform.Get]
	return quotas
}

// readQuota reads METHOD=N/PER or METHOD=N/PER/SCOPE.
func readQuota(text string, quotas *[simplatform.Methods]simplatform.Quota) error {
	name, rest, _ := strings.Cut(text, "=")
	part := strings.Split(rest, "/")
	var m simplatform.Method
	if err := m.UnmarshalText([]byte(name)); err != nil {
		return err
	}
	if len(part) < 2 || len(part) > 3 {
		return errors.New("want METHOD=N/PER or METHOD=N/PER/SCOPE, such as stop=1/60m/key")
	}
	n, err := strconv.Atoi(part[0])
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number from 1 on", part[0])
	}
	per, err := time.ParseDuration(part[1])
	if err != nil || per <= 0 {
		return fmt.Errorf("%q is no length of time such as 60m", part[1])
	}
	q := simplatform.Quota{N: n, Per: per}
	switch {
	case len(part) == 2 || part[2] == "deployment":
	case part[2] == "key":
		q.Scope = simplatform.PerKey
	default:
		return fmt.Errorf("%q is no scope: want deployment or key", part[2])
	}
	quotas[m] = q
	return nil
}

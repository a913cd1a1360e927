package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"curfew/apiclient"
	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/policy"
)

// A lookout makes looks for a command, GETs alone, and counts them as if the
// quota were the whole key's. It knows nothing of what a daemon uses.
type lookout struct {
	client *apiclient.Client
	limit  quota.Limit
	log    quota.Log
	claims uint64
	steady func() time.Duration
	talk   io.Writer
}

// newLookout makes one for the account of a file. The problems say what is wrong
// with its key.
func newLookout(c *console, file *config.Config) (*lookout, []policy.Problem, error) {
	creds, problems := file.Credentials(c.env)
	if config.Failed(problems) {
		return nil, problems, nil
	}
	clock := machineClock()
	client, err := (&reader{env: c.env, clock: clock}).newClient(file, creds)
	if err != nil {
		return nil, nil, err
	}
	return &lookout{
		client: client, limit: file.Quotas[quota.Get], talk: c.err,
		steady: func() time.Duration { return clock.read().Steady },
	}, problems, nil
}

// permit takes a permit, and waits for it where the quota is used up.
func (l *lookout) permit(ctx context.Context) (quota.Permit, error) {
	now := l.steady()
	if ready := l.log.Ready(l.limit, 0, now); ready > now {
		if ready == quota.Never {
			return quota.Permit{}, errors.New("look: api.quotas.get allows none")
		}
		fmt.Fprintf(l.talk, "waiting for the GET quota of %d in %s, free again in %s\n", l.limit.N, shortSpan(l.limit.Per), lateBy(ready-now))
		if err := pause(ctx, ready-now); err != nil {
			return quota.Permit{}, err
		}
		now = l.steady()
	}
	l.claims++
	last := now + apiclient.Timeout
	p, ok := l.log.Claim(l.claims, quota.Get, l.limit, now, last, last+apiclient.Timeout)
	if !ok {
		return p, errors.New("look: the quota has no permit")
	}
	return p, nil
}

// ended counts a call from its end on.
func (l *lookout) ended(p quota.Permit, meta apiclient.Meta) {
	if !meta.Sent {
		l.log.Return(p.ID())
		return
	}
	l.log.End(p.ID(), l.steady(), meta.Status != 0)
}

// list asks for all deployments that the key can see.
func (l *lookout) list(ctx context.Context) ([]apiclient.Deployment, error) {
	p, err := l.permit(ctx)
	if err != nil {
		return nil, err
	}
	all, meta, err := l.client.List(ctx, p, time.Time{})
	l.ended(p, meta)
	return all, err
}

// get asks for one.
func (l *lookout) get(ctx context.Context, id policy.DeploymentID) (apiclient.Deployment, error) {
	p, err := l.permit(ctx)
	if err != nil {
		return apiclient.Deployment{}, err
	}
	d, meta, err := l.client.Get(ctx, string(id), p, time.Time{})
	l.ended(p, meta)
	return d, err
}

// checkOnline asks the platform who is there, for as much as the key may know:
// the inventory is nil where it may not list deployments, and each was looked at
// by itself, or where the key is refused. The problems are those of the key, and
// of what was looked at.
func checkOnline(ctx context.Context, c *console, file *config.Config) (inv *inventory, problems []policy.Problem, sees string, err error) {
	l, problems, err := newLookout(c, file)
	if l == nil || err != nil {
		return nil, problems, "", err
	}
	defer l.client.Close()
	all, err := l.list(ctx)
	switch {
	case err == nil:
		return accountInventory(all), problems, "the key sees " + plural(len(all), "deployment", "deployments"), nil
	case errors.Is(err, apiclient.ErrForbidden), errors.Is(err, apiclient.ErrNotFound):
		more, err := l.lookAtEach(ctx, file)
		return nil, append(problems, more...), "each was looked at", err
	}
	problem, err := accountProblem(file, err)
	return nil, append(problems, problem...), "", err
}

// accountProblem is an answer that concerns every call, as a problem of the file.
// Any other error stays one.
func accountProblem(file *config.Config, err error) ([]policy.Problem, error) {
	if errors.Is(err, apiclient.ErrUnauthorized) {
		return []policy.Problem{{
			Pos: policy.Pos{File: file.Source}, Text: "the platform refuses the API key (401)",
			Hint: "check the key, the secret and api.endpoint",
		}}, nil
	}
	return nil, err
}

// lookAtEach compares a file with single looks. It says how far it is, since a
// large fleet takes long.
func (l *lookout) lookAtEach(ctx context.Context, file *config.Config) (problems []policy.Problem, err error) {
	var members []policy.Member
	for _, p := range file.Policies.Policies {
		if s := p.Select(); s != nil {
			problems = append(problems, policy.Problem{
				Pos: s.Pos, Text: "the key may not list deployments, which select needs",
				Hint: "give it the right to, or name the deployments by their ids",
			})
		}
		members = append(members, p.Members()...)
	}
	for i, m := range members {
		if i > 0 && i%20 == 0 {
			fmt.Fprintf(l.talk, "looked at %d of %d deployments\n", i, len(members))
		}
		d, err := l.get(ctx, m.ID)
		switch {
		case errors.Is(err, apiclient.ErrNotFound), errors.Is(err, apiclient.ErrForbidden):
			problems = append(problems, unseen(theKey, m))
		case err != nil:
			problem, err := accountProblem(file, err)
			return append(problems, problem...), err
		case m.Named(d.Name) == policy.Barred:
			problems = append(problems, misnamed(m, d.Name))
		}
	}
	return problems, nil
}

package main

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"curfew/apiclient"
	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// minTimeout is the least patience of a call in a lapse of time.
const minTimeout = 500 * time.Millisecond

// A caller makes the scheduler's calls with the client in force. It is the
// scheduler's Platform.
type caller struct {
	clock  clock
	client atomic.Pointer[apiclient.Client]
	epoch  atomic.Uint64            // of the calls that may leave
	mark   func(claim uint64) error // says that a call is about to begin; nil where nobody asks
}

// use puts another client in its place. Calls on the wire go on with theirs.
func (c *caller) use(client *apiclient.Client) {
	if old := c.client.Swap(client); old != nil && old != client {
		old.Close()
	}
}

// recall takes back the calls of earlier epochs of which nothing was written yet:
// what they were for may have changed. The scheduler decides them anew.
func (c *caller) recall(epoch uint64) { c.epoch.Store(epoch) }

// Do makes one call. Its first byte leaves by the permit's NotAfter, or never;
// the bound is steady time for the scheduler and a timer for the client.
func (c *caller) Do(ctx context.Context, call scheduler.Call) scheduler.Answer {
	// The client knows Go's clock, the scheduler its own two: each reading of the
	// one is turned into the others from the nearest moment at which all were read.
	asked, now := time.Now(), c.clock.read()
	sendBy := asked.Add(c.clock.real(call.Permit.NotAfter() - now.Steady))
	a := scheduler.Answer{Claim: call.Claim}
	if c.mark != nil {
		if err := c.mark(call.Claim); err != nil {
			a.Began, a.Ended, a.Err = now, now, err.Error()
			return a // nothing was sent: a later process would take it for certain
		}
	}
	ctx = apiclient.WithLeave(ctx, func() bool { return call.Epoch == c.epoch.Load() })
	meta, err := c.call(ctx, call, sendBy, &a)
	ended, after := time.Now(), c.clock.read()
	a.Began = shift(now, c.clock.virtual(meta.Began.Sub(asked)))
	a.Ended = shift(after, -c.clock.virtual(ended.Sub(meta.Ended)))
	a.Sent, a.Status, a.Date = meta.Sent, meta.Status, meta.Date
	a.RetryAfter = meta.RetryAfter
	a.Sane, a.Recalled = err == nil, errors.Is(err, apiclient.ErrRecalled)
	if err != nil {
		a.Err = err.Error()
	}
	return a
}

// call picks the client's method. What a GET tells goes into a.
func (c *caller) call(ctx context.Context, call scheduler.Call, sendBy time.Time, a *scheduler.Answer) (meta apiclient.Meta, err error) {
	client, id := c.client.Load(), string(call.Deployment)
	switch {
	case call.Method == quota.Start:
		_, meta, err = client.Start(ctx, id, call.Permit, sendBy)
	case call.Method == quota.Stop:
		_, meta, err = client.Stop(ctx, id, call.Permit, sendBy)
	case id == "":
		var all []apiclient.Deployment
		all, meta, err = client.List(ctx, call.Permit, sendBy)
		for i := range all {
			a.List = append(a.List, scheduler.Listed{ID: policy.DeploymentID(all[i].ID), Look: lookOf(&all[i])})
		}
	default:
		var d apiclient.Deployment
		d, meta, err = client.Get(ctx, id, call.Permit, sendBy)
		a.Look = lookOf(&d)
	}
	return meta, err
}

// lookOf is what the platform said of a deployment, in the scheduler's words.
func lookOf(d *apiclient.Deployment) scheduler.Look {
	connections, _ := strconv.Atoi(d.Connections) // shown only; 0 where it is no number
	return scheduler.Look{
		Status: d.Status, Name: d.Name, Type: d.Type, Platform: d.Platform, Region: d.Region, Connections: connections,
	}
}

// shift moves a reading of both clocks by the same span.
func shift(now scheduler.Now, by time.Duration) scheduler.Now {
	return scheduler.Now{Wall: now.Wall.Add(by), Steady: now.Steady + by}
}

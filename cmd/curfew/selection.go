package main

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"

	"curfew/policy"
	"curfew/scheduler"
)

// A selection is whom the file in force concerns: those that it names, and those
// that it selects from the last inventory. Its lock is held while one
// configuration takes the place of another, by a reload or by an inventory.
type selection struct {
	log       *slog.Logger
	mu        sync.Mutex
	inventory []policy.Named
	lacking   map[policy.DeploymentID]int // of those selected, how many lists in a row did not have them
	set       *policy.Set                 // in force, with whom it selects; nil before the loop
	told      []policy.Problem            // of the last resolution, so that each is said once
}

// resolve is what the core is told of s, with whom it selects. What is odd about
// that is said once.
func (s *selection) resolve(next *settings) scheduler.Config {
	c := next.fleet
	var problems []policy.Problem
	c.Set, problems = c.Set.Resolve(s.inventory, s.set)
	c.Protect = policy.NewProtection(next.file.Protect, c.Set.Policies)
	for _, p := range problems {
		if !slices.Contains(s.told, p) {
			logProblem(s.log, p)
		}
	}
	s.told = problems
	return c
}

// name returns what deployments are called: by the last inventory, else by the
// file. What it returns can be asked without the lock.
func (s *selection) name() func(policy.Member) string {
	names := make(map[policy.DeploymentID]string, len(s.inventory))
	for _, n := range s.inventory {
		names[n.ID] = n.Name
	}
	return func(m policy.Member) string { return cmp.Or(names[m.ID], m.Name) }
}

// firstSelection is the configuration that the loop begins with. Whom the file
// selects is known by the names in the ledger until the platform lists them: a
// restart must not lose sight of anybody.
func (d *daemon) firstSelection(state scheduler.State) scheduler.Config {
	d.selection.mu.Lock()
	defer d.selection.mu.Unlock()
	of := map[policy.DeploymentID]string{}
	for _, r := range state.Rows {
		if !r.Gone {
			of[r.Deployment] = r.Policy
			d.selection.inventory = append(d.selection.inventory, policy.Named{ID: r.Deployment, Name: r.Name})
		}
	}
	d.selection.set = d.inForce.Load().fleet.Set.Holding(of)
	c := d.selection.resolve(d.inForce.Load())
	d.selection.set = c.Set
	d.askExamination()
	return c
}

// listed hands the last inventory of a turn to the selector. It is called from
// the loop and never waits: a newer one takes the place of one that nobody has
// taken yet.
func (d *daemon) listed(notices []scheduler.Notice) {
	for _, n := range notices {
		i, ok := n.(scheduler.Inventory)
		if !ok {
			continue
		}
		select {
		case <-d.inventories:
		default:
		}
		d.inventories <- i.Deployments // the loop alone puts one in, so there is room
	}
}

// selector follows the platform's inventory until ctx ends.
func (d *daemon) selector(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case all := <-d.inventories:
			if err := d.reselect(ctx, all); err != nil {
				return // the loop has ended
			}
		}
	}
}

// reselect puts another selection in force where the inventory makes one.
func (d *daemon) reselect(ctx context.Context, all []scheduler.Listed) error {
	s := &d.selection
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take(all)
	c := s.resolve(d.inForce.Load())
	if c.Set.SameMembers(s.set) {
		return nil
	}
	err := d.loop.Load().Do(ctx, func(f *scheduler.Fleet, now scheduler.Now) {
		f.Configured(now, c)
		d.caller.recall(f.Epoch())
	})
	if err != nil {
		return err
	}
	s.set = c.Set
	d.askExamination()
	return nil
}

// lists is how many lists in a row must lack a deployment before it is taken to
// be gone: one that is cut short, or empty, must not take anybody out of a policy
// in whose evening it falls.
const lists = 3

// take makes all the inventory, with those selected that it lacks, or has without
// a name, as they were.
func (s *selection) take(all []scheduler.Listed) {
	before := make(map[policy.DeploymentID]string, len(s.inventory))
	for _, n := range s.inventory {
		before[n.ID] = n.Name
	}
	names := make(map[policy.DeploymentID]string, len(all))
	s.inventory = s.inventory[:0]
	for i := range all {
		names[all[i].ID] = all[i].Name
		if all[i].Name != "" {
			s.inventory = append(s.inventory, policy.Named{ID: all[i].ID, Name: all[i].Name})
		}
	}
	lacking := map[policy.DeploymentID]int{}
	for _, p := range s.set.Policies {
		for _, m := range p.Selected() {
			if names[m.ID] != "" {
				continue
			}
			if lacking[m.ID] = s.lacking[m.ID] + 1; lacking[m.ID] < lists {
				s.inventory = append(s.inventory, policy.Named{ID: m.ID, Name: before[m.ID]})
			}
		}
	}
	s.lacking = lacking
}

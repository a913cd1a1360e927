package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/policy"
	"curfew/scheduler"
)

// feasibleDays is how far ahead it is proved that the quotas can carry the calls:
// a year with all its changes of clocks, and a month more.
const feasibleDays = 400

// An examination is what the quotas cannot carry of some policies.
type examination []scheduler.Infeasible

// infeasible tries it for the policies in set, which are those of the file with
// whom they select, from now on and for as long as is proved.
func infeasible(ctx context.Context, file *config.Config, set *policy.Set, name func(policy.Member) string, now time.Time) (examination, error) {
	return infeasibleIn(ctx, file, set, name, span{now, now.AddDate(0, 0, feasibleDays)})
}

func infeasibleIn(ctx context.Context, file *config.Config, set *policy.Set, name func(policy.Member) string, s span) (examination, error) {
	all, err := scheduler.Feasible(scheduler.Config{
		Set: set, Quotas: file.Quotas, Protect: policy.NewProtection(file.Protect, set.Policies),
	}, name, s.from, s.to, ctx.Err)
	if err != nil {
		err = fmt.Errorf("try the quotas: %w", err)
	}
	return all, err
}

// tellInfeasible says what of a plan the quotas cannot carry, whatever they are
// counted over: a plan that shows a stop that would not be made must say so.
func tellInfeasible(ctx context.Context, c *console, file *config.Config, inv *inventory, lines []*planLine, s span) error {
	var set policy.Set
	for _, l := range lines {
		if !l.dry {
			set.Policies = append(set.Policies, l.policy)
		}
	}
	x, err := infeasibleIn(ctx, file, &set, inv.name, s)
	if err != nil {
		return err
	}
	problems, _ := x.certain()
	for i := range problems {
		problems[i].Warning = true
	}
	_, err = io.WriteString(c.err, config.Render(problems, file.Text))
	return err
}

// unsure reports whether i is a fault only if a quota of which nobody knows over
// what it is counted is the whole key's.
func unsure(i scheduler.Infeasible) bool { return i.Scope == quota.Key && i.Limit.Scope == quota.Auto }

// certain is what cannot be carried whatever a quota is counted over, as problems
// of the file, and how many transitions of each policy that are.
func (x examination) certain() (problems []policy.Problem, counts map[string]int) {
	counts = map[string]int{}
	for _, i := range x {
		if !unsure(i) {
			problems = append(problems, infeasibleProblem(i))
			counts[i.Policy.Name()] += i.Count
		}
	}
	return problems, counts
}

// perhaps is the rest.
func (x examination) perhaps() (problems []policy.Problem) {
	for _, i := range x {
		if unsure(i) {
			problems = append(problems, infeasibleProblem(i))
		}
	}
	return problems
}

func infeasibleProblem(i scheduler.Infeasible) policy.Problem {
	p := policy.Problem{Pos: i.Because.Pos, Text: infeasibleText(i)}
	m := quota.Start
	if i.Power == policy.Stopped && !i.Skipped {
		m = quota.Stop
	}
	p.Hint = fmt.Sprintf("move the times apart, or set api.quotas.%s to what your contract says", m)
	if i.Scope == quota.Key {
		p.Hint = fmt.Sprintf("spread the policies over the hours, or set api.quotas.%s.scope to deployment if you know that it is", m)
	}
	return p
}

// infeasibleText is what would happen, and why.
func infeasibleText(i scheduler.Infeasible) string {
	first := shownTime(i.First, "Mon 2 Jan 2006 15:04")
	calls := plural(i.Count, i.Power.Action(), i.Power.Action()+"s")
	limit := fmt.Sprintf("%d in %s", i.Limit.N, shortSpan(i.Limit.Per))
	switch {
	case i.Skipped && i.Power == policy.Running:
		s := fmt.Sprintf("policy %q: %s could not come in time, the first on %s, so that the stops before them would not be made: the whole key has %s",
			i.Policy.Name(), calls, first, limit)
		if unsure(i) {
			s = fmt.Sprintf("policy %q: if the quota is the whole key's (%s), %s could not come in time, the first on %s, and the stops before them would not be made",
				i.Policy.Name(), limit, calls, first)
		}
		return s
	case i.Skipped:
		return fmt.Sprintf("policy %q: %s would not be made, the first on %s: the start after it could not have its permit within 5 minutes (%s for each deployment)",
			i.Policy.Name(), calls, first, limit)
	case i.Scope == quota.Key && i.Limit.Scope == quota.Auto:
		return fmt.Sprintf("policy %q: if the quota is the whole key's (%s), %s would be late, the first on %s by %s",
			i.Policy.Name(), limit, calls, first, lateBy(i.Late))
	case i.Scope == quota.Key:
		return fmt.Sprintf("policy %q: %s would be late, the first on %s by %s: the whole key has %s",
			i.Policy.Name(), calls, first, lateBy(i.Late), limit)
	}
	return fmt.Sprintf("policy %q: %s would be late, the first on %s by %s: each deployment has %s",
		i.Policy.Name(), calls, first, lateBy(i.Late), limit)
}

// lateBy is how late a call would be, to the second.
func lateBy(d time.Duration) string {
	if d >= 24*time.Hour {
		return "a day or more"
	}
	return shortSpan(d.Round(time.Second))
}

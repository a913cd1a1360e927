package main

import (
	"fmt"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/policy"
	"curfew/scheduler"
)

// feasibleDays is how far ahead it is proved that the quotas can carry the calls:
// a year with all its changes of clocks, and a month more.
const feasibleDays = 400

// infeasible says what the quotas cannot carry of the policies in the time that
// is proved, as problems of the file. What only a quota over the whole key could
// not carry, while nobody knows whether there is one, is apart: it may never be.
func infeasible(file *config.Config, set *policy.Set, now time.Time) (problems, perhaps []policy.Problem) {
	for _, i := range scheduler.Feasible(set, file.Quotas, now, now.AddDate(0, 0, feasibleDays)) {
		if i.Scope == quota.Key && i.Limit.Scope == quota.Auto {
			perhaps = append(perhaps, infeasibleProblem(i))
		} else {
			problems = append(problems, infeasibleProblem(i))
		}
	}
	return problems, perhaps
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
	first := i.First.Format("Mon 2 Jan 2006 15:04")
	calls := plural(i.Count, i.Power.Action(), i.Power.Action()+"s")
	limit := fmt.Sprintf("%d in %s", i.Limit.N, shortSpan(i.Limit.Per))
	switch {
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

package ledger

import (
	"fmt"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// Go evaluates the calls in a composite literal from left to right, so the
// order of the fields below is the order of the columns.

func decodeRow(r *row) scheduler.Row {
	_ = r.text() // account
	return scheduler.Row{
		Deployment:  policy.DeploymentID(r.text()),
		Name:        r.text(),
		Policy:      r.text(),
		Floor:       r.time(),
		Fingerprint: r.fingerprint(),
		Power:       enumerated[policy.Power](r),
		Armed:       r.flag(),
		Gone:        r.flag(),
		Due:         r.transition(),
		Raised:      r.transition(),
		Attempt:     decodeAttempt(r),
		Last:        enumerated[scheduler.OutcomeKind](r),
		LastReason:  scheduler.Reason(r.text()),
		LastPower:   enumerated[policy.Power](r),
		LastAt:      r.time(),
	}
}

func decodeAttempt(r *row) scheduler.Attempt {
	return scheduler.Attempt{
		Transition: r.transition(),
		State:      scheduler.AttemptState(enumerated[attemptWord](r)),
		Ended:      r.instant(),
		Tries:      int(r.number()),
		Refused:    int(r.number()),
	}
}

func decodeClaim(r *row) scheduler.Claim {
	_ = r.text() // account
	return scheduler.Claim{
		ID:         r.id(),
		Deployment: policy.DeploymentID(r.text()),
		Method:     decodeMethod(r),
		Transition: r.transition(),
		Made:       r.instant(),
		Latest:     time.Duration(r.number()),
		Probe:      r.flag(),
	}
}

// decodeMethod reads a method's name, which unlike the words of the closed
// lists has no "none".
func decodeMethod(r *row) quota.Method {
	name := r.text()
	for m := range quota.Method(quota.Methods) {
		if m.String() == name {
			return m
		}
	}
	r.fail(fmt.Errorf("no such method: %q", name))
	return quota.Get
}

func decodeEnding(r *row) scheduler.Ending {
	_ = r.text() // account
	claim := r.id()
	e := decodeEnd(r)
	e.Claim = claim
	return e
}

func decodeEnd(r *row) scheduler.Ending {
	return scheduler.Ending{
		Ended: r.instant(), Known: r.flag(), Result: r.text(), Status: int(r.number()), Wait: time.Duration(r.number()),
	}
}

func decodePost(r *row) Post {
	p := Post{Claim: decodeClaim(r), Answered: r.flag()}
	p.Ending = decodeEnd(r)
	p.Ending.Claim = p.Claim.ID
	return p
}

func decodeOutcome(r *row) scheduler.Outcome {
	_, _ = r.text(), r.id() // account, number
	return scheduler.Outcome{
		Deployment: policy.DeploymentID(r.text()),
		Policy:     r.text(),
		Transition: r.transition(),
		Kind:       enumerated[scheduler.OutcomeKind](r),
		Reason:     scheduler.Reason(r.text()),
		Count:      int(r.number()),
		Settled:    r.time(),
		Tries:      int(r.number()),
		Note:       r.text(),
	}
}

func decodeOverride(r *row) policy.Override {
	_ = r.text() // account
	return policy.Override{
		ID:         r.id(),
		Deployment: policy.DeploymentID(r.text()),
		Kind:       enumerated[policy.OverrideKind](r),
		Power:      enumerated[policy.Power](r),
		Before:     enumerated[policy.Power](r),
		From:       r.time(),
		Until:      r.time(),
		Count:      int(r.number()),
		Author:     r.text(),
		Reason:     r.text(),
	}
}

func decodeScope(r *row) scheduler.LearnedScope {
	_ = r.text() // account
	return scheduler.LearnedScope{Method: decodeMethod(r), Scope: enumerated[quota.Scope](r)}
}

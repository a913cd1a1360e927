package main

import (
	"fmt"
	"time"

	"curfew/internal/ledger"
	"curfew/scheduler"
)

// past answers about a time that is over: by what was recorded, never by what the
// file of today would have done.
func (x *explanation) past() answer {
	due, isDue := x.pending()
	o, found := x.record.before(x.at)
	switch {
	case x.at.Before(x.record.begins), unborn(o, x.at):
		return x.notRecorded(o, found)
	case isDue && (!found || due.At.After(o.At)):
		return x.present()
	case found && !o.At.Before(x.want.Since):
		return x.ended(o)
	}
	if o, ok := x.record.passed(x.want.Since); ok && !x.want.Since.IsZero() {
		return x.ended(o)
	}
	return x.notRecorded(o, found)
}

// pending is a transition from before the time in question that has not ended yet.
func (x *explanation) pending() (scheduler.Transition, bool) {
	t := x.record.view.Due
	if t.Zero() && x.record.row.Attempt.State.Open() {
		t = x.record.row.Attempt.Transition
	}
	return t, !t.Zero() && !t.At.After(x.at)
}

// unowned is for a deployment that no policy of the file has now: of a time that
// is over the record tells all the same.
func (x *explanation) unowned() answer {
	if !x.at.Before(x.record.now.Wall) {
		return answer{verdictNotOurs, "NOT OURS: " + x.barren + ", so that nothing is done to it."}
	}
	o, found := x.record.before(x.at)
	p, called := x.record.callBefore(x.at)
	switch {
	case x.at.Before(x.record.begins), unborn(o, x.at):
		return x.notRecorded(o, found)
	case called && (!found || p.Claim.Transition.At.After(o.At)):
		return x.endless(p)
	case found:
		return x.ended(o)
	}
	return x.notRecorded(o, found)
}

// callBefore is the last POST for a transition at or before an instant.
func (r *record) callBefore(at time.Time) (ledger.Post, bool) {
	for _, p := range r.posts {
		if !p.Claim.Transition.At.After(at) {
			return p, true
		}
	}
	return ledger.Post{}, false
}

// endless is for a call of which the record has no end.
func (x *explanation) endless(p ledger.Post) answer {
	t := p.Claim.Transition
	return answer{verdictUnknown, fmt.Sprintf("NOT KNOWN: %s was called%s%s, and the record does not say how it ended.",
		x.named(t), x.calledAt(t), x.answered(t))}
}

// notRecorded says why there may be nothing.
func (x *explanation) notRecorded(last scheduler.Outcome, found bool) answer {
	s := "NOTHING RECORDED: "
	begins := x.record.begins
	switch {
	case x.record.empty:
		s += "the ledger " + emptyWords
	case begins.IsZero():
		s += "the record has no history yet"
	case x.at.Before(begins):
		return answer{verdictNotRecorded, s + fmt.Sprintf("the record goes back to %s; what was before is older than it, or than the %d days for which it is kept.",
			x.moment(begins), int(ledger.DefaultKeepHistory/(24*time.Hour)))}
	case unborn(last, x.at):
		return answer{verdictNotRecorded, s + "the deployment came into the file " + x.settledAt(last) + ", after that."}
	case x.line == nil:
		s += "neither a call nor an end of anything before that; " + x.barren + " now"
	default:
		s += "it has neither a call nor an end of " + x.stretchStart() + ", which the file of today has; another file may have been in force, or no daemon ran"
	}
	if found {
		s += fmt.Sprintf("; the last before is %s: %s", x.named(last.Transition), last.Kind)
	}
	return answer{verdictNotRecorded, s + "."}
}

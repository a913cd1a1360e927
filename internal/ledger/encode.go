package ledger

import (
	"curfew/policy"
	"curfew/scheduler"
)

// The functions of this file and those of decode.go are pairs: what the one
// writes of a record, the other reads, column by column.

// encodeRow writes a deployment.
func encodeRow(r *record, account string, row *scheduler.Row) {
	r.text(account)
	r.text(string(row.Deployment))
	r.text(row.Name)
	r.text(row.Policy)
	r.time(row.Floor)
	r.add(row.Fingerprint[:])
	word(r, row.Power)
	r.flag(row.Armed)
	r.flag(row.Gone)
	r.transition(row.Due)
	r.transition(row.Raised)
	encodeAttempt(r, &row.Attempt)
	word(r, row.Last)
	r.text(string(row.LastReason))
	word(r, row.LastPower)
	r.time(row.LastAt)
}

// encodeAttempt writes the part of a deployment that is about its last POST.
func encodeAttempt(r *record, a *scheduler.Attempt) {
	r.transition(a.Transition)
	word(r, attemptWord(a.State))
	r.instant(a.Ended)
	r.number(int64(a.Tries))
	r.number(int64(a.Refused))
}

func encodeClaim(r *record, account string, c *scheduler.Claim) {
	r.text(account)
	r.id(c.ID)
	r.text(string(c.Deployment))
	r.text(c.Method.String())
	r.transition(c.Transition)
	r.instant(c.Made)
	r.number(int64(c.Latest))
	r.flag(c.Probe)
}

func encodeEnding(r *record, account string, e *scheduler.Ending) {
	r.text(account)
	r.id(e.Claim)
	encodeEnd(r, e)
}

// encodeEnd writes what an ending and a POST in the history have in common.
func encodeEnd(r *record, e *scheduler.Ending) {
	r.instant(e.Ended)
	r.flag(e.Known)
	r.text(e.Result)
	r.number(int64(e.Status))
	r.number(int64(e.Wait))
}

// encodePost writes a claim together with its ending, for the history.
func encodePost(r *record, account string, p *Post) {
	encodeClaim(r, account, &p.Claim)
	r.flag(p.Answered)
	encodeEnd(r, &p.Ending)
}

// encodeOutcome writes an outcome under its number in the history.
func encodeOutcome(r *record, account string, number uint64, o *scheduler.Outcome) {
	r.text(account)
	r.id(number)
	r.text(string(o.Deployment))
	r.text(o.Policy)
	r.transition(o.Transition)
	word(r, o.Kind)
	r.text(string(o.Reason))
	r.number(int64(o.Count))
	r.time(o.Settled)
	r.number(int64(o.Tries))
	r.text(o.Note)
}

func encodeOverride(r *record, account string, o *policy.Override) {
	r.text(account)
	r.id(o.ID)
	r.text(string(o.Deployment))
	word(r, o.Kind)
	word(r, o.Power)
	word(r, o.Before)
	r.time(o.From)
	r.time(o.Until)
	r.number(int64(o.Count))
	r.text(o.Author)
	r.text(o.Reason)
}

func encodeScope(r *record, account string, s *scheduler.LearnedScope) {
	r.text(account)
	r.text(s.Method.String())
	word(r, s.Scope)
}

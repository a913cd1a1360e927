package main

import (
	"time"

	"curfew/apiclient/quota"
	"curfew/scheduler"
)

// recordBody is what a record has of a deployment, in JSON. Instants are RFC 3339
// in UTC, with what they have below the second.
type recordBody struct {
	Ledger       string         `json:"ledger"`
	Open         *bool          `json:"open,omitempty"`          // a daemon has it open; absent: that cannot be told here
	Written      string         `json:"written,omitempty"`       // the last entry of any deployment
	Begins       string         `json:"begins,omitempty"`        // the oldest entry of any deployment
	SettledUntil string         `json:"settled_until,omitempty"` // the floor; absent: the record has no row of it
	RuleChanged  bool           `json:"rule_changed,omitempty"`
	Due          *dueBody       `json:"due,omitempty"`
	Attempt      *attemptBody   `json:"attempt,omitempty"`
	Last         *entryBody     `json:"last,omitempty"`
	Quota        []quotaBody    `json:"quota"`
	Overrides    []overrideBody `json:"overrides"`
	History      []entryBody    `json:"history"`
}

type dueBody struct {
	Action   string `json:"action"`
	At       string `json:"at"`
	Wait     string `json:"wait,omitempty"`
	PermitAt string `json:"permit_at,omitempty"` // when the quota frees the next permit of the action
}

type attemptBody struct {
	Action       string `json:"action"`
	At           string `json:"at"`
	State        string `json:"state"`
	CalledAt     string `json:"called_at,omitempty"`
	EndedAt      string `json:"ended_at,omitempty"`
	Result       string `json:"result,omitempty"`
	Status       int    `json:"status,omitempty"`
	Tries        int    `json:"tries"`
	ConfirmUntil string `json:"confirm_until,omitempty"` // only while it is open
}

type quotaBody struct {
	Action     string   `json:"action"`
	Limit      int      `json:"limit"`
	PerSeconds float64  `json:"per_seconds"`
	Scope      string   `json:"scope"`
	Left       int      `json:"left"`
	UsedAt     []string `json:"used_at,omitempty"` // by this deployment
	FreeAt     string   `json:"free_at,omitempty"` // absent: never
}

type overrideBody struct {
	ID     uint64 `json:"id"`
	Kind   string `json:"kind"`
	Power  string `json:"power,omitempty"`
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
	From   string `json:"from"`
	Until  string `json:"until,omitempty"`
	Count  int    `json:"count,omitempty"`
}

// entryBody is a call ("call") or the end of a transition ("outcome").
type entryBody struct {
	Entry       string   `json:"entry"`
	Action      string   `json:"action"`
	At          string   `json:"at"`          // of the transition
	RecordedAt  string   `json:"recorded_at"` // settled, or called
	Outcome     string   `json:"outcome,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Count       int      `json:"count,omitempty"`
	Note        string   `json:"note,omitempty"`
	CalledAt    string   `json:"called_at,omitempty"`
	Result      string   `json:"result,omitempty"`
	Status      int      `json:"status,omitempty"`
	LateSeconds *float64 `json:"late_seconds,omitempty"` // from at to called_at
	Because     string   `json:"because,omitempty"`      // what people had to do with it
}

// recordBody puts what is recorded into JSON; nil where no ledger was named.
func (x *explanation) recordBody() *recordBody {
	r := x.record
	if r == nil {
		return nil
	}
	b := &recordBody{
		Ledger: r.source, Written: exactText(r.written), Begins: exactText(r.begins), SettledUntil: exactText(r.row.Floor),
		RuleChanged: r.changed, Quota: []quotaBody{}, Overrides: []overrideBody{}, History: []entryBody{},
	}
	if r.daemon != untold {
		open := r.daemon == somebody
		b.Open = &open
	}
	if t := r.view.Due; !t.Zero() {
		b.Due = &dueBody{t.Power.Action(), exactText(t.At), string(x.waiting()), exactText(r.permits[methodOf(t.Power)].At)}
	}
	if a := r.row.Attempt; a.State != scheduler.NoAttempt {
		b.Attempt = x.attemptBody(a)
	}
	if len(r.outcomes) > 0 {
		last := x.entryBody(historyLine{at: r.outcomes[0].Settled, outcome: &r.outcomes[0]})
		b.Last = &last
	}
	if !r.empty {
		b.Quota = append(b.Quota, r.quotaBody(quota.Start), r.quotaBody(quota.Stop))
	}
	b.Overrides = append(b.Overrides, r.overrideBodies()...)
	for _, e := range x.entries() {
		b.History = append(b.History, x.entryBody(e))
	}
	return b
}

func (x *explanation) attemptBody(a scheduler.Attempt) *attemptBody {
	b := &attemptBody{
		Action: a.Power.Action(), At: exactText(a.At), EndedAt: exactText(a.Ended.Wall), Tries: a.Tries,
		State: [...]string{"none", "accepted", "doubtful", "closed", "not_taken", "rejected", "vanished"}[a.State],
	}
	if p, ok := x.record.post(a.Transition); ok {
		b.CalledAt, b.Result, b.Status = exactText(p.Claim.Made.Wall), p.Ending.Result, p.Ending.Status
	}
	if a.State.Open() && x.line != nil {
		b.ConfirmUntil = exactText(x.confirmEnd(a))
	}
	return b
}

func (r *record) quotaBody(m quota.Method) quotaBody {
	v := r.permits[m]
	b := quotaBody{
		Action: m.String(), Limit: v.Limit.N, PerSeconds: v.Limit.Per.Seconds(), Scope: v.Scope.String(), Left: v.Left, FreeAt: exactText(v.At),
	}
	for _, at := range r.callsIn(m, v.Limit.N-v.Left) {
		b.UsedAt = append(b.UsedAt, exactText(at))
	}
	return b
}

func (r *record) overrideBodies() (all []overrideBody) {
	for _, o := range r.overrides {
		b := overrideBody{
			ID: o.ID, Kind: o.Kind.String(), By: o.Author, Reason: o.Reason, From: exactText(o.From), Until: exactText(o.Until), Count: o.Count,
		}
		if o.Power != 0 {
			b.Power = o.Power.String()
		}
		all = append(all, b)
	}
	return all
}

func (x *explanation) entryBody(e historyLine) entryBody {
	b := entryBody{Entry: "call", RecordedAt: exactText(e.at)}
	p := e.post
	if o := e.outcome; o != nil {
		b = entryBody{
			Entry: "outcome", Action: o.Power.Action(), At: exactText(o.At), RecordedAt: exactText(o.Settled),
			Outcome: o.Kind.String(), Reason: string(o.Reason), Note: o.Note, Because: x.whose(o.Because),
		}
		if o.Count > 1 {
			b.Count = o.Count
		}
		if last, ok := x.record.post(o.Transition); ok {
			p = &last
		}
	}
	if p != nil {
		late := p.Claim.Made.Wall.Sub(p.Claim.Transition.At).Seconds()
		b.Action, b.At, b.CalledAt = p.Claim.Transition.Power.Action(), exactText(p.Claim.Transition.At), exactText(p.Claim.Made.Wall)
		b.Result, b.Status, b.LateSeconds = p.Ending.Result, p.Ending.Status, &late
	}
	return b
}

// exactText is RFC 3339 in UTC with what is below the second, empty for none.
func exactText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/ledger"
	"curfew/policy"
	"curfew/scheduler"
)

// A rowWriter writes one row of an explanation.
type rowWriter func(head, text string)

// remembered writes what the record has: what is due, the open attempt, the last
// outcome, what people said, the quotas. Of another time than now only people's
// words that may still count are told, and of a ledger without an entry nothing.
func (x *explanation) remembered(row rowWriter) {
	r := x.record
	if r == nil {
		return
	}
	for _, o := range r.overrides {
		row(o.Kind.String(), x.override(o))
	}
	if !x.at.Equal(r.now.Wall) || r.empty {
		return
	}
	if r.changed {
		row("rule", "the record was written under another rule than this file's; what is said of now is by this file")
	}
	if t := r.view.Due; !t.Zero() {
		row("due", x.transition(t)+waitWords(x.waiting()))
	}
	if a := r.row.Attempt; a.State != scheduler.NoAttempt {
		row("attempt", x.attempt(a))
	}
	if len(r.outcomes) > 0 {
		row("last", x.outcome(r.outcomes[0], true))
	}
	for _, m := range []quota.Method{quota.Start, quota.Stop} {
		row("quota", x.quota(m))
	}
	x.looks(row)
}

// looks says what the record cannot know of the status, and what is the last that
// it does.
func (x *explanation) looks(row rowWriter) {
	r := x.record
	for _, o := range r.outcomes {
		if o.Kind == scheduler.Done || o.Kind == scheduler.Already {
			row("observed", fmt.Sprintf("%s at %s, as recorded; the daemon knows later looks, the record does not", o.Power, x.withSeconds(o.Settled)))
			return
		}
	}
	row("observed", "nothing recorded; the daemon knows the last look, the record does not")
}

// transition is one in a row: stop of 20:00.
func (x *explanation) transition(t scheduler.Transition) string {
	return t.Power.Action() + " of " + x.moment(t.At)
}

// waitWords is why what is due is not settled.
func waitWords(w scheduler.Wait) string {
	if w == scheduler.WaitNone || w == scheduler.WaitSlot {
		return ""
	}
	return ", waits: " + strings.ReplaceAll(string(w), "_", " ")
}

// attempt is the last POST for what is due.
func (x *explanation) attempt(a scheduler.Attempt) string {
	s := x.transition(a.Transition) + ": " + attemptWords(a.State)
	if at := x.calledAt(a.Transition); at != "" {
		s += ", called" + at + x.answered(a.Transition)
	}
	if a.Tries > 1 {
		s += fmt.Sprintf(", the last of %d calls", a.Tries)
	}
	if a.State.Open() && x.line != nil {
		s += ", looked for until " + x.moment(roundUp(x.confirmEnd(a)))
	}
	return s
}

func attemptWords(s scheduler.AttemptState) string {
	return [...]string{"none", "accepted", "in doubt", "closed without effect", "not taken", "refused as it stood", "not known to the platform"}[s]
}

// outcome is how a transition ended, in a row; whole, with the instants that the
// history has in lines of their own.
func (x *explanation) outcome(o scheduler.Outcome, whole bool) string {
	s := x.transition(o.Transition) + ": " + o.Kind.String()
	if o.Reason != scheduler.ReasonNone {
		s += ", " + strings.ReplaceAll(string(o.Reason), "_", " ")
	}
	if o.Count > 1 {
		s += fmt.Sprintf(", %d edges", o.Count)
	}
	if whole {
		s += ", settled " + x.withSeconds(o.Settled)
	}
	if p, ok := x.record.post(o.Transition); ok && whole {
		s += ", called " + x.precise(p.Claim.Made.Wall) + " (" + x.lateness(p) + ")"
	}
	if why := x.whose(o.Because); why != "" {
		s += ", " + why
	}
	if o.Note != "" {
		s += ": " + printable(o.Note)
	}
	return s
}

// lateness is how long after its instant a POST was claimed.
func (x *explanation) lateness(p ledger.Post) string {
	d := p.Claim.Made.Wall.Sub(p.Claim.Transition.At)
	if d < time.Second {
		return d.Round(time.Millisecond).String() + " late"
	}
	return longSpan(d) + " late"
}

// whose is what people had to do with a transition, as far as its reason tells.
func (x *explanation) whose(b policy.Because) string {
	switch b.Kind {
	case policy.KindOverride:
		return printable(b.Ref)
	case policy.KindEnforce:
		return "somebody had changed it: enforce"
	case policy.KindReturned:
		return "it answered again"
	case policy.KindConverge:
		if b.Ref != "" {
			return "asked for: " + printable(b.Ref)
		}
		return "asked for"
	}
	return ""
}

// override is a person's word in a row.
func (x *explanation) override(o policy.Override) string {
	var s string
	switch o.Kind {
	case policy.Hold:
		s = o.Power.String() + ", "
	case policy.Skip:
		s = fmt.Sprintf("the next %s, ", plural(o.Count, o.Power.Action(), o.Power.Action()+"s"))
	}
	s += fmt.Sprintf("by %s, from %s", author(o), x.moment(o.From))
	if !o.Until.IsZero() {
		s += " until " + x.moment(o.Until)
		if !o.Until.After(x.at) {
			s += ", which is over"
		}
	}
	if o.Reason != "" {
		s += ": " + printable(o.Reason)
	}
	return s
}

// quota is what was used of one, and when the next permit is free.
func (x *explanation) quota(m quota.Method) string {
	v := x.record.permits[m]
	used := v.Limit.N - v.Left
	s := fmt.Sprintf("%s: %d of %d in %s used", m, used, v.Limit.N, shortSpan(v.Limit.Per))
	if v.Scope == quota.Key {
		s += " by the whole key"
	}
	if calls := x.lastCalls(m, used); len(calls) > 0 {
		s += ", here at " + strings.Join(calls, ", ")
	}
	if v.Left == 0 {
		s += ", " + x.freeAt(powerOf(m))
	}
	return s
}

// lastCalls are when the last POSTs of a method were claimed, as far as they may
// count.
func (x *explanation) lastCalls(m quota.Method, most int) []string {
	var at []string
	for _, t := range x.record.callsIn(m, most) {
		at = append(at, x.precise(t))
	}
	return at
}

// callsIn are the instants of the last calls of a method that may still count, the
// latest first.
func (r *record) callsIn(m quota.Method, most int) (at []time.Time) {
	lim := r.permits[m].Limit
	since := r.now.Wall.Add(-lim.Per - lim.UnknownMargin() - scheduler.CallTimeout)
	for _, p := range r.posts {
		if len(at) < min(most, 3) && p.Claim.Method == m && p.Claim.Made.Wall.After(since) {
			at = append(at, p.Claim.Made.Wall)
		}
	}
	return at
}

// powerOf is the power that a method leads to.
func powerOf(m quota.Method) policy.Power {
	if m == quota.Start {
		return policy.Running
	}
	return policy.Stopped
}

// A historyLine is one line of the history: a call or an outcome.
type historyLine struct {
	at      time.Time // when it was recorded
	post    *ledger.Post
	outcome *scheduler.Outcome
}

// mostEntries is how much of the history is shown.
const mostEntries = 10

// entries are the last of what was recorded up to the time in question, or for
// what was due by then, the latest first.
func (x *explanation) entries() []historyLine {
	var all []historyLine
	for i := range x.record.posts {
		if p := &x.record.posts[i]; !p.Claim.Transition.At.After(x.at) {
			all = append(all, historyLine{at: p.Claim.Made.Wall, post: p})
		}
	}
	for i := range x.record.outcomes {
		if o := &x.record.outcomes[i]; !o.At.After(x.at) {
			all = append(all, historyLine{at: o.Settled, outcome: o})
		}
	}
	slices.SortStableFunc(all, func(a, b historyLine) int { return b.at.Compare(a.at) })
	return all[:min(len(all), mostEntries)]
}

// history writes the last entries, and how far the record reaches.
func (x *explanation) history(row rowWriter) {
	if x.record == nil {
		return
	}
	head := "history"
	for _, e := range x.entries() {
		row(head, x.entry(e))
		head = ""
	}
	row("record", x.reach())
}

func (x *explanation) entry(e historyLine) string {
	if o := e.outcome; o != nil {
		return x.withSeconds(e.at) + "  " + x.outcome(*o, false)
	}
	s := x.precise(e.at) + "  " + x.transition(e.post.Claim.Transition) + ": called"
	if !e.post.Answered {
		return s + ", no answer recorded"
	}
	took := e.post.Ending.Ended.Wall.Sub(e.at).Round(time.Millisecond)
	s += ", " + resultWords(e.post.Ending.Result)
	if e.post.Ending.Status > 0 {
		s += fmt.Sprintf(" (%d)", e.post.Ending.Status)
	}
	return s + " in " + cmp.Or(took.String(), "0s")
}

// reach says where the record is, when it was written last and how far back it
// goes.
func (x *explanation) reach() string {
	r := x.record
	s := r.source
	switch ago := r.now.Wall.Sub(r.written); {
	case r.written.IsZero():
	case ago < -time.Minute:
		s += fmt.Sprintf(", written last at %s, which is ahead of this clock", x.withSeconds(r.written))
	default:
		s += fmt.Sprintf(", written last at %s (%s ago)", x.withSeconds(r.written), longSpan(max(0, ago)))
	}
	switch quiet, silent := r.silent(); {
	case r.daemon == nobody:
		s += "; no daemon has it open"
	case silent:
		s += fmt.Sprintf("; a daemon at work writes every %s or so: does it run?", longSpan(min(quiet, max(r.pace, time.Minute))))
	}
	if !r.begins.IsZero() {
		s += "; begins " + x.moment(r.begins.Truncate(time.Minute))
	}
	return s
}

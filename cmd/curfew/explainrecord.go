package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// An answer is the first line of an explanation by the record, and its word for
// programs.
type answer struct {
	verdict string
	text    string
}

// The verdicts that only a record can give; those of outcomes are their own words.
const (
	verdictOnItsWay    = "on_its_way"   // called, or about to be; looks or an answer tell
	verdictWaiting     = "waiting"      // due, and something has to come first
	verdictUnknown     = "unknown"      // called, and nobody knows whether it took effect
	verdictHeld        = "held"         // a person's hold is in force
	verdictPaused      = "paused"       // a person's pause is in force
	verdictCannot      = "cannot"       // a person has to do something
	verdictUnseen      = "unseen"       // no daemon has had it yet
	verdictSettled     = "settled"      // nothing is due, and no outcome of its own tells why
	verdictNotRecorded = "not_recorded" // nothing is there of the time in question
	verdictNotOurs     = "not_ours"     // no policy has it
)

// nothingToDo ends what only time can change, as long as there is a daemon.
const nothingToDo = " Nothing to do."

// emptyWords are for a ledger without an entry of anything.
const emptyWords = "has no entry of anything: no daemon has written to it yet, or it is a copy without its -wal file, " +
	"which belongs beside it"

// byRecord is the answer for the time in question: what is, what was, or what the
// file and the people's words will want.
func (x *explanation) byRecord() answer {
	switch {
	case x.at.After(x.record.now.Wall):
		return x.future()
	case x.at.Before(x.record.now.Wall):
		return x.past()
	}
	return x.present()
}

// future is by the file and the overrides, for nobody has recorded it; but what is
// settled by now is not due again.
func (x *explanation) future() answer {
	if o, ok := x.record.held(x.at); ok {
		return x.under(o)
	}
	a := answer{x.verdict(), x.sentence()}
	if a.verdict == verdictWanted && x.settledSince() {
		a.text = strings.TrimSuffix(a.text, ".") + "; " + x.stretchStart() + " is settled, and not due again."
	}
	return a
}

// settledSince reports whether what is wanted is so since an edge that is settled
// by now, whatever came of it.
func (x *explanation) settledSince() bool {
	r := x.record
	return r.known && !r.row.Gone && !x.want.Since.IsZero() && !x.want.Since.After(r.now.Wall) &&
		r.view.Due.Zero() && r.view.Wait != scheduler.WaitHold
}

// present is what is true of the deployment now, as of the record. What waits for
// a daemon says so where there is none.
func (x *explanation) present() answer {
	a := x.standing()
	switch a.verdict {
	case verdictWaiting, verdictOnItsWay, verdictUnknown, verdictCannot:
		if x.record.daemon == nobody {
			a.text = strings.TrimSuffix(strings.TrimSuffix(a.text, nothingToDo), ".") + "; no daemon has the ledger open: start it."
		}
	}
	return a
}

// standing is present for somebody who has a daemon.
func (x *explanation) standing() answer {
	r := x.record
	if x.verdict() == verdictName {
		return answer{verdictName, x.sentence()}
	}
	if !r.known || r.row.Gone {
		return x.unseen()
	}
	if a, ok := x.underWay(); ok {
		return a
	}
	if o, ok := x.settlesNow(); ok {
		return x.unsettled(o)
	}
	if !r.view.Due.Zero() {
		return x.waits(r.view.Due)
	}
	if o, ok := r.held(x.at); ok {
		return x.under(o)
	}
	if v := x.verdict(); v == verdictNothing || v == verdictUntouched {
		return answer{v, x.sentence()}
	}
	return x.settled()
}

// settlesNow is the end that a daemon would write down at once, without a call: of
// what is due, or of what was before nothing is.
func (x *explanation) settlesNow() (scheduler.Outcome, bool) {
	due := x.record.view.Due
	for _, o := range x.record.settles {
		if o.Kind != scheduler.Superseded && !sameTransition(o.Transition, x.lastOne()) && (due.Zero() || sameTransition(o.Transition, due)) {
			return o, true
		}
	}
	return scheduler.Outcome{}, false
}

// lastOne is the transition that the row says was settled last.
func (x *explanation) lastOne() scheduler.Transition {
	return scheduler.Transition{Power: x.record.row.LastPower, At: x.record.row.LastAt}
}

// unseen is for a deployment of the file that no daemon has had yet.
func (x *explanation) unseen() answer {
	if x.record.empty {
		return answer{verdictNotRecorded, "NOTHING RECORDED: the ledger " + emptyWords + "."}
	}
	s := "NOT SEEN YET: the record has nothing of it"
	if x.record.row.Gone {
		s = "NOT SEEN YET: it was gone from the file when the record was written last"
	}
	return answer{verdictUnseen, s + ". A daemon that takes it up leaves alone what lies behind; " + x.firstAhead() + "."}
}

// underWay is for a POST without an answer, or one whose effect is looked for.
func (x *explanation) underWay() (answer, bool) {
	p, state := x.record.open()
	t := p.Claim.Transition
	switch a := x.record.row.Attempt; {
	case state == callClaims:
		return answer{verdictOnItsWay, fmt.Sprintf("ON ITS WAY: %s is about to leave: claimed at %s.", x.named(t), x.precise(p.Claim.Made.Wall))}, true
	case state == callFlies:
		return answer{verdictOnItsWay, fmt.Sprintf("ON ITS WAY: %s was called at %s, and its answer is awaited.", x.named(t), x.precise(p.Claim.Made.Wall))}, true
	case state == callLost:
		return answer{verdictUnknown, fmt.Sprintf("NOT KNOWN YET: %s was called at %s, and the daemon ended before an answer was written down; "+
			"the next one looks before it calls again.", x.named(t), x.precise(p.Claim.Made.Wall))}, true
	case a.State.Open():
		return x.confirming(a), true
	}
	return answer{}, false
}

// confirming is for an attempt that is open: looks have to tell.
func (x *explanation) confirming(a scheduler.Attempt) answer {
	until := ", looked for until " + x.moment(x.confirmEnd(a).Round(time.Second))
	if x.confirmEnd(a).Before(x.record.now.Wall) {
		until = ", and looked for in vain so far"
	}
	if a.State == scheduler.Doubtful {
		return answer{verdictUnknown, fmt.Sprintf("NOT KNOWN YET: %s was called%s, and whether it was taken is not known: looks decide%s.",
			x.named(a.Transition), x.calledAt(a.Transition), until)}
	}
	return answer{verdictOnItsWay, fmt.Sprintf("ON ITS WAY: %s was called%s and accepted%s; it is done when it is seen %s%s.",
		x.named(a.Transition), x.calledAt(a.Transition), x.code(a.Transition), a.Power, until)}
}

// confirmEnd is when nobody looks for the effect of an attempt any more.
func (x *explanation) confirmEnd(a scheduler.Attempt) time.Time {
	return a.Ended.Wall.Add(x.line.policy.Options().ConfirmWithin)
}

// calledAt is when the last POST for a transition was claimed, where the record
// has it.
func (x *explanation) calledAt(t scheduler.Transition) string {
	if p, ok := x.record.post(t); ok {
		return " at " + x.precise(p.Claim.Made.Wall)
	}
	return ""
}

// code is the HTTP status of its answer.
func (x *explanation) code(t scheduler.Transition) string {
	if p, ok := x.record.post(t); ok && p.Answered && p.Ending.Status > 0 {
		return " (" + strconv.Itoa(p.Ending.Status) + ")"
	}
	return ""
}

// waits is for a transition that is due and has no POST under way.
func (x *explanation) waits(t scheduler.Transition) answer {
	if a, ok := x.refused(t); ok {
		return a
	}
	wait := x.waiting()
	if wait == scheduler.WaitNone && x.barsStop() {
		return answer{verdictProtected, x.sentence()}
	}
	s := "NOT " + strings.ToUpper(turned(t.Power)) + " YET: "
	switch wait {
	case scheduler.WaitKey:
		return answer{verdictCannot, "CANNOT " + strings.ToUpper(t.Power.Action()) + ": the platform refuses the key; correct it and reload."}
	case scheduler.WaitClock:
		return answer{verdictCannot, "CANNOT " + strings.ToUpper(t.Power.Action()) + ": this host's clock is not believed; set it."}
	case scheduler.WaitUnknown:
		return answer{verdictUnknown, s + "whether " + x.named(t) + " was taken is not known; looks decide."}
	case scheduler.WaitConfirm:
		return answer{verdictOnItsWay, s + x.named(t) + " was accepted, and looks wait for its effect."}
	}
	return answer{verdictWaiting, s + x.reasonToWait(t, wait)}
}

// waiting is what the transition that is due waits for. The record or an inventory
// may have the name that the Fleet has not looked for yet: then it waits for what
// comes after, or, where its name forbids it, for nothing.
func (x *explanation) waiting() scheduler.Wait {
	switch w := x.record.view.Wait; {
	case w != scheduler.WaitName:
		return w
	case x.member.bar == nil:
		return x.permitOrSlot(x.record.view.Due)
	case x.barsStop():
		return scheduler.WaitNone
	}
	return scheduler.WaitName
}

// barsStop reports whether the deployment is known to be protected.
func (x *explanation) barsStop() bool { return x.member.bar != nil && x.member.bar.kind == barStops }

// permitOrSlot asks the quota what a POST that nothing else holds back waits for.
func (x *explanation) permitOrSlot(t scheduler.Transition) scheduler.Wait {
	if x.permit(t.Power).At.After(x.record.now.Wall) {
		return scheduler.WaitPermit
	}
	return scheduler.WaitSlot
}

func (x *explanation) permit(p policy.Power) scheduler.PermitView {
	return x.record.permits[methodOf(p)]
}

// reasonToWait says what has to come before a POST.
func (x *explanation) reasonToWait(t scheduler.Transition, wait scheduler.Wait) string {
	action := t.Power.Action()
	switch wait {
	case scheduler.WaitPermit:
		return fmt.Sprintf("waiting for the %s quota, %s."+nothingToDo, action, x.freeAt(t.Power))
	case scheduler.WaitTransient:
		return "its status takes neither start nor stop; " + x.named(t) + " goes when that has changed."
	case scheduler.WaitStatus:
		return "its status is one that is not understood; look at it in the console."
	case scheduler.WaitLook:
		return x.lookFirst(t)
	case scheduler.WaitGone:
		return "the platform said that it does not know it (404); looks decide, and " + x.named(t) + " stays due."
	case scheduler.WaitName:
		return x.named(t) + " waits for a look at its name, by which the file may forbid it."
	case scheduler.WaitHold:
		return x.named(t) + " waits for the end of a hold."
	case scheduler.WaitBackoff:
		return "nothing could be sent for " + x.named(t) + "; it is tried again soon."
	}
	return x.unexplained(t)
}

// unexplained is for a POST that nothing in the record holds back: a daemon's key
// may be refused, its clock not believed, its slots full, and none of that is
// written down.
func (x *explanation) unexplained(t scheduler.Transition) string {
	const aMoment = 5 * time.Second
	late := x.record.now.Wall.Sub(t.At)
	s := fmt.Sprintf("%s has been due for %s", x.named(t), longSpan(late))
	switch quiet, silent := x.record.silent(); {
	case x.record.daemon == nobody:
		return s + "."
	case late < aMoment:
		return x.named(t) + " has just come due, and the record has no call for it yet."
	case silent && x.record.daemon == untold:
		return s + fmt.Sprintf(", and nothing was written for %s: does a daemon run?", longSpan(quiet))
	case silent:
		s += fmt.Sprintf(", and nothing was written for %s", longSpan(quiet))
	}
	return s + ", and the record does not say why it has not left: look into the daemon's log, and at curfew_account_blocked in its /metrics."
}

// lookFirst is for a POST that did nothing: the next one needs a look.
func (x *explanation) lookFirst(t scheduler.Transition) string {
	switch a := x.record.row.Attempt; a.State {
	case scheduler.Rejected:
		return fmt.Sprintf("the platform refused %s as it stands (422), %d of 3; a look comes first, then the next permit.", x.named(t), a.Refused)
	case scheduler.Closed:
		return x.named(t) + " was called" + x.calledAt(t) + " and had no effect; a look comes first, then the next permit."
	}
	return "a look decides whether " + x.named(t) + " needs a call."
}

// refused is for a transition whose last POST the platform did not take, for a
// reason that a person may have to do something about.
func (x *explanation) refused(t scheduler.Transition) (answer, bool) {
	p, ok := x.record.post(t)
	if a := x.record.row.Attempt; !ok || a.State != scheduler.NotTaken || !sameTransition(a.Transition, t) {
		return answer{}, false
	}
	cannot := "CANNOT " + strings.ToUpper(t.Power.Action()) + ": at " + x.precise(p.Ending.Ended.Wall) + " the platform "
	switch p.Ending.Result {
	case scheduler.Unauthorized.String():
		return answer{verdictCannot, cannot + "refused the key (401); correct key and secret where the file says, and reload."}, true
	case scheduler.Forbidden.String():
		return answer{verdictCannot, cannot + "said that the key may not do this (403); give it the right, or take the deployment out of the file. It is tried again " +
			x.againAt(t.Power) + "."}, true
	case scheduler.Limited.String():
		return answer{verdictWaiting, fmt.Sprintf("NOT %s YET: at %s the platform said that the %s quota is used up (429), which the record did not know; it is tried again %s.",
			strings.ToUpper(turned(t.Power)), x.precise(p.Ending.Ended.Wall), t.Power.Action(), x.againAt(t.Power))}, true
	}
	return answer{}, false
}

// freeAt is when the quota frees the next permit.
func (x *explanation) freeAt(p policy.Power) string {
	at := x.permit(p).At
	if at.IsZero() {
		return "which allows no call at all"
	}
	at = roundUp(at)
	return fmt.Sprintf("free at %s (in %s)", x.moment(at), longSpan(at.Sub(x.record.now.Wall)))
}

// againAt is the same as part of another sentence.
func (x *explanation) againAt(p policy.Power) string {
	at := x.permit(p).At
	switch {
	case at.IsZero():
		return "never, as the quota allows no call"
	case !at.After(x.record.now.Wall):
		return "when a daemon is at work"
	}
	return "at " + x.moment(roundUp(at))
}

// roundUp is the first whole second that is not before t: a permit is never early.
func roundUp(t time.Time) time.Time {
	if r := t.Truncate(time.Second); r.Before(t) {
		return r.Add(time.Second)
	}
	return t
}

// unsettled is for what a daemon would settle without a call as soon as it runs.
func (x *explanation) unsettled(o scheduler.Outcome) answer {
	a := x.ended(o)
	head, text, _ := strings.Cut(a.text, ": ")
	return answer{a.verdict, head + ", as soon as a daemon runs: " + text}
}

// under is for a hold or pause in force.
func (x *explanation) under(o policy.Override) answer {
	s := fmt.Sprintf("by %s until %s", author(o), x.moment(o.Until))
	if o.Reason != "" {
		s += fmt.Sprintf(" (%s)", printable(o.Reason))
	}
	if o.Kind == policy.Pause {
		return answer{verdictPaused, "PAUSED: " + s + "; nothing is wanted before the first time of " + x.line.policy.Name() + " after that."}
	}
	s = "HELD " + strings.ToUpper(o.Power.String()) + ": " + s
	if x.record.view.Wait == scheduler.WaitHold && !x.at.After(x.record.now.Wall) {
		d := x.line.policy.Decide(x.at)
		s += fmt.Sprintf("; the %s of %s waits for that", d.Want.Action(), x.moment(d.Since))
	}
	return answer{verdictHeld, s + "."}
}

func author(o policy.Override) string {
	if o.Author == "" {
		return "somebody"
	}
	return printable(o.Author)
}

// settled is for a deployment of which nothing is due.
func (x *explanation) settled() answer {
	o, ok := x.record.before(x.at)
	switch {
	case ok && !o.At.Before(x.want.Since) && x.overtaken(o):
		return answer{verdictSettled, fmt.Sprintf("LEFT ALONE: the file changed so that it is wanted %s%s, and nothing behind a change acts; "+
			"the last that the record has is %s: %s; %s.", x.want.Want, x.since(), x.named(o.Transition), o.Kind, x.nextAhead())}
	case ok && !o.At.Before(x.want.Since):
		return x.ended(o)
	case ok:
		return answer{verdictSettled, fmt.Sprintf("NOTHING DUE: %s is settled; the last that the record has is %s: %s.",
			x.stretchStart(), x.named(o.Transition), o.Kind)}
	}
	return answer{verdictSettled, "NOTHING DUE: " + x.stretchStart() + " is settled, and the record has no more of how."}
}

// overtaken reports whether an outcome is of another power than the one that is
// wanted from before it: another rule made it. What people took out of the rule
// has its own reason.
func (x *explanation) overtaken(o scheduler.Outcome) bool {
	switch o.Reason {
	case scheduler.ReasonChanged, scheduler.ReasonSkip, scheduler.ReasonPause:
		return false
	}
	return o.Power != x.want.Want
}

// stretchStart is the transition that the file says is behind what is wanted.
func (x *explanation) stretchStart() string {
	if x.want.Since.IsZero() {
		return "what lies behind"
	}
	return "the " + x.want.Want.Action() + " of " + x.moment(x.want.Since)
}

// named is a transition in words: the stop of Tue 24 Nov 20:00.
func (x *explanation) named(t scheduler.Transition) string {
	return "the " + t.Power.Action() + " of " + x.moment(t.At)
}

// precise is an instant with what is below its seconds: of a call that matters.
func (x *explanation) precise(t time.Time) string { return x.formatted(t, "15:04:05.000") }

// withSeconds is an instant at which something was observed.
func (x *explanation) withSeconds(t time.Time) string { return x.formatted(t, "15:04:05") }

// formatted is an instant with what its date has that the question did not.
func (x *explanation) formatted(t time.Time, clock string) string {
	t, at := t.In(x.file.Location), x.at.In(x.file.Location)
	switch {
	case t.Year() == at.Year() && t.YearDay() == at.YearDay():
		return shownTime(t, clock)
	case t.Year() == at.Year():
		return shownTime(t, "Mon 2 Jan "+clock)
	}
	return shownTime(t, "Mon 2 Jan 2006 "+clock)
}

// turned is what a deployment has been when it has come to a power.
func turned(p policy.Power) string {
	if p == policy.Running {
		return "started"
	}
	return "stopped"
}

// longSpan is a length of time for people, in whole seconds.
func longSpan(d time.Duration) string {
	return shortSpan(d.Round(time.Second))
}

package main

import (
	"fmt"
	"strings"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// ended is the answer where a transition has its outcome: what came of it, how,
// and when.
func (x *explanation) ended(o scheduler.Outcome) answer {
	head, text := x.outcomeWords(o)
	if o.Count > 1 {
		text += fmt.Sprintf(" (%d edges from then on, together)", o.Count)
	}
	return answer{verdictOf(o), head + ": " + text + "."}
}

// verdictOf is an outcome in a word for programs: its kind, or the reason where
// that is something to know first.
func verdictOf(o scheduler.Outcome) string {
	switch o.Reason {
	case scheduler.ReasonDryRun:
		return verdictDryRun
	case scheduler.ReasonProtected:
		return verdictProtected
	case scheduler.ReasonName:
		return verdictName
	}
	return o.Kind.String()
}

func (x *explanation) outcomeWords(o scheduler.Outcome) (head, text string) {
	not := "NOT " + strings.ToUpper(turned(o.Power))
	switch o.Kind {
	case scheduler.Done:
		return x.doneWords(o)
	case scheduler.Already:
		return "ALREADY " + strings.ToUpper(o.Power.String()),
			x.named(o.Transition) + " needed no call: two looks showed it " + o.Power.String() + ", the second " + x.settledAt(o)
	case scheduler.Superseded:
		return not, x.named(o.Transition) + " was superseded " + x.settledAt(o) + ": a newer edge took over before it was done"
	case scheduler.Skipped:
		return x.skippedWords(o)
	case scheduler.Missed:
		return not, x.named(o.Transition) + " was missed: " + missedWords(o) + " (" + x.settledAt(o) + ")"
	case scheduler.Failed:
		return x.failedWords(o)
	}
	return not, x.named(o.Transition) + " ended " + x.settledAt(o) + ", and the record does not say how"
}

// doneWords tells of the call and of the look that saw its effect.
func (x *explanation) doneWords(o scheduler.Outcome) (head, text string) {
	head, text = strings.ToUpper(turned(o.Power)), x.named(o.Transition)
	if at := x.calledAt(o.Transition); at != "" {
		text += " was called" + at + x.answered(o.Transition) + ","
	}
	if o.Tries > 1 {
		text += fmt.Sprintf(" the last of %d times,", o.Tries)
	}
	if strings.HasPrefix(o.Note, "overruled") {
		return "OVERRULED", text + " began to take effect, and was taken back by somebody else " + x.settledAt(o)
	}
	text += " and was seen " + o.Power.String() + " " + x.settledAt(o)
	return head, strings.Replace(text, x.named(o.Transition)+" and was", x.named(o.Transition)+" was", 1)
}

// answered says how the last POST for a transition was answered.
func (x *explanation) answered(t scheduler.Transition) string {
	p, ok := x.record.post(t)
	if !ok || !p.Answered {
		return ""
	}
	if p.Ending.Result == scheduler.Unclear.String() {
		return ", its answer was lost" + x.code(t)
	}
	return ", was " + resultWords(p.Ending.Result) + x.code(t)
}

func (x *explanation) settledAt(o scheduler.Outcome) string { return "at " + x.withSeconds(o.Settled) }

func (x *explanation) skippedWords(o scheduler.Outcome) (head, text string) {
	not, what := "NOT "+strings.ToUpper(turned(o.Power)), x.named(o.Transition)
	at := " (" + x.settledAt(o) + ")"
	switch o.Reason {
	case scheduler.ReasonActivation:
		return "LEFT ALONE", what + " lay behind when the deployment came into the file " + x.settledAt(o) + ", and what lies behind is not done"
	case scheduler.ReasonChanged:
		return "LEFT ALONE", "the file changed " + x.settledAt(o) + " so that another power was wanted, and nothing behind that acts: not " + what
	case scheduler.ReasonQuota:
		return not, what + " was skipped: the quota could not have started it again in time; move the times apart" + at
	case scheduler.ReasonDryRun:
		return "DRY RUN", "no call was made for " + what + at
	case scheduler.ReasonProtected:
		return "PROTECTED", what + " was not made: " + noted(o, "it is never stopped") + at
	case scheduler.ReasonName:
		return "NOT TOUCHED", noted(o, what+" was not made: it bears another name than the file says") + at
	case scheduler.ReasonRemoved:
		return "NOT OURS", what + " was dropped: the deployment was no longer in the file" + at
	case scheduler.ReasonUntouched:
		return "LEFT ALONE", what + " was not wanted: its date is one on which nothing is" + at
	case scheduler.ReasonSkip:
		return not, what + " was skipped, as somebody had asked" + at
	case scheduler.ReasonPause:
		return not, what + " fell into a pause that somebody had asked for" + at
	}
	return not, what + " was skipped: " + string(o.Reason) + at
}

func missedWords(o scheduler.Outcome) string {
	switch o.Reason {
	case scheduler.ReasonTooClose:
		return fmt.Sprintf("so late, it would have come too close to the next %s, or have taken the permit of the next %s",
			o.Power.Other().Action(), o.Power.Action())
	case scheduler.ReasonCatchUp:
		return "catch_up_within was over before it could be called"
	}
	return string(o.Reason)
}

func (x *explanation) failedWords(o scheduler.Outcome) (head, text string) {
	what, at := x.named(o.Transition), " ("+x.settledAt(o)+")"
	switch o.Reason {
	case scheduler.ReasonUnknown:
		return "NOT KNOWN", what + " was called" + x.calledAt(o.Transition) + ", and neither an answer nor looks told whether it took effect; look at it in the console" + at
	case scheduler.ReasonNotFound:
		return "NOT FOUND", what + " failed: the platform does not know the deployment (404); correct its id, or take it out of the file" + at
	case scheduler.ReasonRefused:
		return "REFUSED", what + " failed: " + noted(o, "the platform refused it three times (422)") + "; look at it in the console" + at
	}
	return "NOT " + strings.ToUpper(turned(o.Power)), what + " failed: " + string(o.Reason) + at
}

// noted is an outcome's note, or what stands for it. Notes may hold what the
// platform said.
func noted(o scheduler.Outcome, otherwise string) string {
	if o.Note == "" {
		return otherwise
	}
	return printable(o.Note)
}

// resultWords is how a POST was answered, for people.
func resultWords(result string) string {
	switch result {
	case scheduler.Unauthorized.String():
		return "refused: the key is bad"
	case scheduler.Forbidden.String():
		return "refused: the key may not"
	case scheduler.NotFound.String():
		return "answered: not known"
	case scheduler.Refused.String():
		return "refused as it stood"
	case scheduler.Limited.String():
		return "refused: quota used up"
	case scheduler.Unclear.String():
		return "without a clear answer"
	}
	return result
}

// methodOf is the method that leads to a power.
func methodOf(p policy.Power) quota.Method {
	if p == policy.Running {
		return quota.Start
	}
	return quota.Stop
}

package web

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"curfew/apiclient/quota"
	"curfew/policy"
	"curfew/scheduler"
)

// The closed lists of label values. They repeat what scheduler declares, since
// Go cannot list constants; a test reads its source and holds the two together.

// ending is an outcome with a reason that it can have.
type ending struct {
	kind   scheduler.OutcomeKind
	reason scheduler.Reason
}

// endings are all the ways in which a transition ends (DESIGN section 1).
func endings() []ending {
	reasons := map[scheduler.OutcomeKind][]scheduler.Reason{
		scheduler.Done:       {scheduler.ReasonNone},
		scheduler.Already:    {scheduler.ReasonNone},
		scheduler.Superseded: {scheduler.ReasonNone},
		scheduler.Skipped: {
			scheduler.ReasonActivation, scheduler.ReasonChanged, scheduler.ReasonQuota, scheduler.ReasonDryRun,
			scheduler.ReasonProtected, scheduler.ReasonName, scheduler.ReasonRemoved, scheduler.ReasonUntouched,
			scheduler.ReasonSkip, scheduler.ReasonPause,
		},
		scheduler.Missed: {scheduler.ReasonTooClose, scheduler.ReasonCatchUp},
		scheduler.Failed: {scheduler.ReasonUnknown, scheduler.ReasonNotFound, scheduler.ReasonRefused},
	}
	var all []ending
	for kind, list := range reasons {
		for _, r := range list {
			all = append(all, ending{kind, r})
		}
	}
	return all
}

// powers are the powers that can be wanted, in the order of View.Next.
func powers() []policy.Power { return []policy.Power{policy.Running, policy.Stopped} }

// methods are the platform's methods.
func methods() []quota.Method { return []quota.Method{quota.Get, quota.Start, quota.Stop} }

// scopes are what can be in force; Auto stands for "not known yet".
func scopes() []quota.Scope { return []quota.Scope{quota.Auto, quota.Deployment, quota.Key} }

// postVerdicts are what an answer to a POST can mean.
func postVerdicts() []scheduler.Verdict {
	return []scheduler.Verdict{
		scheduler.NotSent, scheduler.Took, scheduler.Unauthorized, scheduler.Forbidden,
		scheduler.NotFound, scheduler.Refused, scheduler.Limited, scheduler.Unclear,
	}
}

// confirmResults are the ways in which an open attempt closes.
func confirmResults() []scheduler.ConfirmResult {
	return []scheduler.ConfirmResult{
		scheduler.ConfirmSeen, scheduler.ConfirmOverruled, scheduler.ConfirmRolledBack,
		scheduler.ConfirmNoEffect, scheduler.ConfirmUnseen,
	}
}

// lateCauses are why a POST left when it did.
func lateCauses() []scheduler.LateCause {
	return []scheduler.LateCause{
		scheduler.CauseOnTime, scheduler.CauseCatchUp, scheduler.CauseRetry, scheduler.CauseHold,
	}
}

// blockReasons are why the whole account makes no POST.
func blockReasons() []scheduler.BlockReason {
	return []scheduler.BlockReason{scheduler.BlockKey, scheduler.BlockClock}
}

// statusKinds are the statuses that a look can show: not StatusNone, which
// says that nobody has looked.
func statusKinds() []scheduler.StatusKind {
	var all []scheduler.StatusKind
	for k := scheduler.StatusRunning; k < scheduler.StatusKinds; k++ {
		all = append(all, k)
	}
	return all
}

// The values of the label code that are no status of HTTP.
const (
	codeNotSent = "not_sent" // nothing was written, so that the platform counts nothing
	codeNone    = "none"     // sent, and no answer came
	codeOther   = "other"    // a number that is no status
)

// ownCode lists the statuses that the platform documents; every other one is
// counted under its class, so that a strange proxy cannot make up labels.
func ownCode() []int { return []int{200, 201, 401, 403, 404, 422, 429} }

// codes are all values of the label code.
func codes() []string {
	all := []string{codeNotSent, codeNone, codeOther}
	for _, c := range ownCode() {
		all = append(all, strconv.Itoa(c))
	}
	for class := 1; class <= 5; class++ {
		all = append(all, fmt.Sprintf("%dxx", class))
	}
	return all
}

// codeOf is the label of how a call ended.
func codeOf(v scheduler.Verdict, status int) string {
	switch {
	case v == scheduler.NotSent:
		return codeNotSent
	case status == 0:
		return codeNone
	case status < 100 || status > 599:
		return codeOther
	}
	for _, own := range ownCode() {
		if status == own {
			return strconv.Itoa(status)
		}
	}
	return strconv.Itoa(status/100) + "xx"
}

// label makes a text from outside fit for a label: Prometheus takes any valid
// UTF-8 and refuses everything else, the whole scrape with it. Bytes that are
// none are shown as \xNN, so that two names that differ in them stay two.
func label(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

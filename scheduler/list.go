package scheduler

import (
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// everybody is the deployment of the GET that lists all of them. It has a record
// as the others have, for its quota use alone: under no policy, never in a file.
const everybody policy.DeploymentID = ""

// lists reports whether rec is that of the list, and the list is wanted.
func (f *Fleet) lists(rec *record) bool { return rec.id == everybody && f.cfg.ObserveList }

// decideList finds out whether the list is wanted now, and otherwise when.
func (f *Fleet) decideList(rec *record, in *intent) {
	if !f.cfg.ObserveList || rec.getClaim != 0 || f.draining || f.blocked.on && !rec.asked {
		return
	}
	at := rec.notBefore[quota.Get]
	if rec.look.tried != longAgo && !rec.asked {
		at = max(at, rec.look.tried+f.permit.lookEvery)
	}
	if at <= f.now.Steady {
		at = f.permit.own(f, rec, quota.Get, getList.keep(f.cfg.Quotas[quota.Get]))
	}
	if at <= f.now.Steady {
		in.get = getList
		return
	}
	in.wakeAt(at)
}

// listAnswered reads the answer to the GET of all deployments. One that failed
// changes nothing: single looks go on where they are due.
func (f *Fleet) listAnswered(fl *flight, a Answer, v Verdict) {
	switch v {
	case Seen:
		for i := range a.List {
			l := &a.List[i]
			if r, ok := f.index[l.ID]; ok && !f.recs[r].buried && l.Status != "" {
				f.looked(r, a.Began, StatusOf(l.Status), l.Look)
				f.touch(r)
			}
		}
		f.recs[fl.r].look.asked = a.Began.Steady
		f.notify(Inventory{a.List})
	case Limited:
		f.limited(fl.r, quota.Get, a.Ended.Steady+f.limitedFor(a, quota.Get))
		f.alarm(AlarmLimitedGets, "", "429 for the list of deployments: "+f.foreignUse(quota.Get))
	case Absent, NoLook:
		if a.Status == 403 || a.Status == 404 {
			f.alarm(AlarmForbidden, "", "the key may not list deployments, or this platform has no list: "+
				"give it the right to, or set observe: each and name deployments by their ids")
		}
	}
}

// lookForLack is when a deployment wants a look of its own though there is a
// list: the list does not have it, or fails. Two lists may be missed.
func (f *Fleet) lookForLack(rec *record) time.Duration {
	last := max(rec.look.tried, rec.look.asked)
	if last != longAgo {
		return last + f.permit.lookEvery*5/2
	}
	if list, ok := f.index[everybody]; ok {
		if l := &f.recs[list]; l.look.tried == longAgo || l.getClaim != 0 {
			return f.now.Steady + getWithin // it is about to tell
		}
	}
	return f.now.Steady
}

package scheduler

import (
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// PermitView is what the quotas allow of one method for one deployment.
type PermitView struct {
	Limit quota.Limit
	Scope quota.Scope // in force: Auto while not known
	Left  int         // requests allowed now, of the deployment or, where that is the scope, of the key
	At    time.Time   // when one more is allowed, by the wall clock and not before now; zero for never
}

// Permit tells when the quotas allow one more call of m for a deployment, asked by
// the same logs as its POSTs are. One that the Fleet does not know has used
// nothing of its own. Like Snapshot, it lets no time pass.
func (f *Fleet) Permit(id policy.DeploymentID, m quota.Method) PermitView {
	rec := &record{}
	if r, ok := f.index[id]; ok {
		rec = &f.recs[r]
	}
	lim, now := f.cfg.Quotas[m], f.now.Steady
	at := max(rec.notBefore[m], f.permit.own(f, rec, m, 0), f.permit.keyAt(f, m))
	v := PermitView{Limit: lim, Scope: f.permit.scope(f, m), Left: f.permit.log(f, rec, m).Left(lim, now)}
	if rec.notBefore[m] > now {
		v.Left = 0
	}
	if at != quota.Never {
		v.At = f.now.Wall.Add(max(at, now) - now).Round(0).UTC()
	}
	return v
}

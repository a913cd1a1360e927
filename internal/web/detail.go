package web

import (
	"cmp"
	"slices"

	"curfew/scheduler"
)

// PerDeployment says which deployments have series of their own: the file's
// metrics.per_deployment. The zero value is PerDeploymentAuto.
type PerDeployment string

// The values of metrics.per_deployment.
const (
	PerDeploymentAuto PerDeployment = "auto" // all of a small fleet; of a large one those that need a look
	PerDeploymentAll  PerDeployment = "all"
	PerDeploymentNone PerDeployment = "none" // aggregates only
)

// maxDetailed is the size of fleet up to which PerDeploymentAuto shows each
// deployment, and the most that it shows of a larger one: a boundary that makes
// a hundred thousand due must not be the moment at which scrapes time out.
const maxDetailed = 5000

// attention says how much a deployment needs a person's look; more comes first.
type attention uint8

const (
	calm attention = iota
	due
	overridden
	trouble
)

// attentionOf judges a deployment. What waits for its permit, or for an effect
// to show, is on its way: that is due, not trouble.
func attentionOf(v *scheduler.View) attention {
	switch {
	case inTrouble(v):
		return trouble
	case !v.Override.IsZero():
		return overridden
	case !v.Due.Zero():
		return due
	}
	return calm
}

func inTrouble(v *scheduler.View) bool {
	if statusOf(v) == scheduler.StatusOther || v.Gone || badlyEnded(v) {
		return true
	}
	switch v.Wait {
	case scheduler.WaitStatus, scheduler.WaitUnknown, scheduler.WaitKey, scheduler.WaitClock,
		scheduler.WaitGone, scheduler.WaitBackoff:
		return true
	}
	return false
}

// badlyEnded reports whether the last transition did not do what the policy
// wanted, for a reason that somebody should remove.
func badlyEnded(v *scheduler.View) bool {
	switch v.Last {
	case scheduler.Failed, scheduler.Missed:
		return true
	case scheduler.Skipped:
		return v.LastReason == scheduler.ReasonQuota || v.LastReason == scheduler.ReasonName
	}
	return false
}

// statusOf is the status of the last look.
func statusOf(v *scheduler.View) scheduler.StatusKind {
	switch {
	case v.Gone:
		return scheduler.StatusGone
	case v.Look.Status == "":
		return scheduler.StatusNone
	}
	return scheduler.StatusOf(v.Look.Status)
}

// detailed picks the deployments that have series of their own.
func (p PerDeployment) detailed(views []scheduler.View) []*scheduler.View {
	switch {
	case p == PerDeploymentNone:
		return nil
	case p == PerDeploymentAll || len(views) <= maxDetailed:
		return pointers(views)
	}
	return foremost(views, maxDetailed, due)
}

func pointers(views []scheduler.View) []*scheduler.View {
	all := make([]*scheduler.View, len(views))
	for i := range views {
		all[i] = &views[i]
	}
	return all
}

// foremost returns at most n of the views that need attention of at least
// level, those that need it most first, then by id: two scrapes of the same
// state pick the same ones.
func foremost(views []scheduler.View, n int, level attention) []*scheduler.View {
	type ranked struct {
		view *scheduler.View
		attention
	}
	var list []ranked
	for i := range views {
		if a := attentionOf(&views[i]); a >= level {
			list = append(list, ranked{&views[i], a})
		}
	}
	slices.SortFunc(list, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.attention, a.attention), cmp.Compare(a.view.Deployment, b.view.Deployment))
	})
	list = list[:min(n, len(list))]
	picked := make([]*scheduler.View, len(list))
	for i, r := range list {
		picked[i] = r.view
	}
	return picked
}

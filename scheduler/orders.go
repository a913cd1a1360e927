package scheduler

import (
	"errors"
	"fmt"
	"math"
	"time"

	"curfew/policy"
)

// Errors of Ordered.
var (
	ErrNoDeployment = errors.New("no policy in force has this deployment")
	ErrOrder        = errors.New("this cannot be ordered")
)

// Ordered takes a person's word. An order that makes no sense is refused at
// once; one that is taken becomes durable with the next batch, and is then in
// Ready.Acked.
func (f *Fleet) Ordered(now Now, o Order) error {
	f.tick(now)
	f.crossBoundaries()
	r, ok := f.index[o.Deployment]
	if !ok || f.recs[r].rule == nil {
		return fmt.Errorf("%s %s: %w", orderName(o.Kind), o.Deployment, ErrNoDeployment)
	}
	if err := f.checkOrder(o); err != nil {
		return fmt.Errorf("%s %s: %w", orderName(o.Kind), o.Deployment, err)
	}
	switch o.Kind {
	case OrderHold, OrderPause, OrderSkip:
		f.override(r, o)
	case OrderRelease:
		f.releaseOverrides(r)
	case OrderConverge:
		f.converge(r, o)
	case OrderLook:
		f.recs[r].asked = true
	}
	f.next.Orders = append(f.next.Orders, o.ID)
	f.urgent = true
	f.touch(r)
	return nil
}

func orderName(k OrderKind) string {
	switch k {
	case OrderHold:
		return "hold"
	case OrderSkip:
		return "skip"
	case OrderPause:
		return "pause"
	case OrderRelease:
		return "release"
	case OrderConverge:
		return "converge"
	case OrderLook:
		return "look at"
	}
	return "order"
}

func (f *Fleet) checkOrder(o Order) error {
	switch o.Kind {
	case OrderHold, OrderPause, OrderSkip:
	case OrderRelease, OrderConverge, OrderLook:
		return nil
	default:
		return fmt.Errorf("%w: unknown kind %d", ErrOrder, o.Kind)
	}
	at := time.Unix(0, f.plan)
	switch {
	case o.Kind != OrderPause && o.Power == policy.None:
		return fmt.Errorf("%w: say running or stopped", ErrOrder)
	case o.Kind == OrderSkip && o.Count < 1:
		return fmt.Errorf("%w: a skip needs a count of at least 1", ErrOrder)
	case !o.Until.After(at):
		return fmt.Errorf("%w: its end %s is not ahead of now", ErrOrder, o.Until.UTC().Format(time.RFC3339))
	case o.Until.Sub(at) > policy.MaxOverride:
		return fmt.Errorf("%w: it may last %d days at most", ErrOrder, int(policy.MaxOverride/(24*time.Hour)))
	}
	return nil
}

// override puts a new override into force. A hold or pause takes the place of
// the one before it.
func (f *Fleet) override(r ref, o Order) {
	kinds := map[OrderKind]policy.OverrideKind{OrderHold: policy.Hold, OrderSkip: policy.Skip, OrderPause: policy.Pause}
	before := f.decision(&f.recs[r]).Want
	if o.Kind != OrderSkip {
		f.cut(r, policy.Hold, policy.Pause)
	}
	f.lastOver++
	rec := &f.recs[r]
	from := max(f.plan, rec.floor+1, rec.rule.since+1) // not at the instant of an edge: each has its own outcome
	v := policy.Override{
		ID: f.lastOver, Deployment: o.Deployment, Kind: kinds[o.Kind], Power: o.Power, Before: before,
		From: time.Unix(0, from).UTC(), Until: o.Until.UTC(), Count: o.Count, Author: o.Author, Reason: o.Reason,
	}
	f.recs[r].overrides = append(f.recs[r].overrides, v)
	f.next.Overrides = append(f.next.Overrides, v)
}

// releaseOverrides ends whatever is in force for r.
func (f *Fleet) releaseOverrides(r ref) { f.cut(r, policy.Hold, policy.Pause, policy.Skip) }

// cut ends the overrides of r of these kinds that have not ended.
func (f *Fleet) cut(r ref, kinds ...policy.OverrideKind) {
	rec := &f.recs[r]
	for i := range rec.overrides {
		v := &rec.overrides[i]
		for _, k := range kinds {
			if v.Kind == k && v.Until.UnixNano() > f.plan {
				v.Until = time.Unix(0, f.plan).UTC()
				f.next.Overrides = append(f.next.Overrides, *v)
			}
		}
	}
}

// converge makes what is wanted due again, now.
func (f *Fleet) converge(r ref, o Order) {
	rec := &f.recs[r]
	d := f.decision(rec)
	if d.Want == policy.None || !f.goal(rec).none() {
		return
	}
	f.raiseNow(r, d.Want, rec.floor, policy.Because{Kind: policy.KindConverge, Pos: d.Because.Pos, Ref: o.Author})
}

// restoreOverrides puts back what the ledger held.
func (f *Fleet) restoreOverrides(all []policy.Override) {
	for _, v := range all {
		f.lastOver = max(f.lastOver, v.ID)
		if r, ok := f.index[v.Deployment]; ok {
			f.recs[r].overrides = append(f.recs[r].overrides, v)
			continue
		}
		f.next.Expired = append(f.next.Expired, v.ID)
		f.urgent = true
	}
}

// expire forgets overrides that are no longer an argument of any decision: they
// have ended, and an edge after their end is settled.
func (f *Fleet) expire(r ref) {
	rec := &f.recs[r]
	if len(rec.overrides) == 0 || rec.rule == nil {
		return
	}
	kept := rec.overrides[:0]
	for _, v := range rec.overrides {
		if until := v.Until.UnixNano(); until < f.plan && rec.floor > until && rec.rule.since > until && rec.floor >= rec.rule.since {
			f.next.Expired = append(f.next.Expired, v.ID)
			continue
		}
		kept = append(kept, v)
	}
	rec.overrides = kept
}

// overrideEnd is when the hold or pause in force ends, never for none.
func (f *Fleet) overrideEnd(rec *record) int64 {
	for _, v := range rec.overrides {
		if v.Kind != policy.Skip && v.From.UnixNano() <= f.plan && f.plan < v.Until.UnixNano() {
			return v.Until.UnixNano()
		}
	}
	return math.MaxInt64
}

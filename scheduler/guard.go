package scheduler

import (
	"strconv"

	"curfew/policy"
)

// A guard is what keeps calls from a deployment whatever its policy says: it is
// protected, or it does not bear the name that the file gives it.
type guard struct {
	standing policy.Standing
	reason   Reason
	text     string // for people, with the next step
}

// guards finds what keeps calls for power p from rec, by the name that its last
// look told; policy.Unclear while no look has told one that matters.
func (f *Fleet) guards(rec *record, p policy.Power) guard {
	if !rec.rule.named && f.cfg.Protect.Empty() {
		return guard{} // a boundary of a large fleet need not look at each name
	}
	name := rec.info.Name
	m := rec.rule.p.Members()[rec.rank]
	if s := m.Named(name); s != policy.Free {
		return guard{s, ReasonName, "the platform calls it " + strconv.Quote(name) + ", the file " + strconv.Quote(m.Name) +
			": it is not touched; correct the id or the name in the file"}
	}
	if p != policy.Stopped {
		return guard{} // protection is against stops
	}
	s, e := f.cfg.Protect.Of(rec.id, name)
	return guard{s, ReasonProtected, "protected by " + strconv.Quote(e.Text) + ", " + e.Pos.String()}
}

// free reports whether nothing keeps calls for power p from rec.
func (f *Fleet) free(rec *record, p policy.Power) bool {
	return f.guards(rec, p).standing == policy.Free
}

// judgeGuarded settles a goal that is kept from its deployment.
func (f *Fleet) judgeGuarded(r ref, g goal) bool {
	rec := &f.recs[r]
	guard := f.guards(rec, g.power)
	if guard.standing != policy.Barred {
		return false
	}
	f.settleGoal(r, g, Skipped, guard.reason, guard.text)
	return true
}

// named takes in the name that a look told, and says so where it is not the one
// in the file.
func (f *Fleet) named(r ref, was string) {
	rec := &f.recs[r]
	if rec.rule == nil || rec.info.Name == was {
		return
	}
	if rec.info.Name != rec.wasNamed {
		rec.wasNamed = rec.info.Name
		f.later(r)
	}
	f.checkName(rec)
}

// checkName tells where a name that is known is not the one in the file.
func (f *Fleet) checkName(rec *record) {
	if g := f.guards(rec, policy.Running); g.standing == policy.Barred {
		f.alarm(AlarmName, rec.id, g.text)
	}
}

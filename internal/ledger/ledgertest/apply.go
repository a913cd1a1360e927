package ledgertest

import (
	"cmp"
	"slices"

	"curfew/policy"
	"curfew/scheduler"
)

// Apply changes s to what a ledger must give back once b is durable. It takes
// the fields of b in their order, and b as a ledger would accept it: its claim
// numbers are above s.LastClaim.
func Apply(s *scheduler.State, b *scheduler.Batch) {
	for _, r := range b.Rows {
		s.Rows = replace(s.Rows, r, func(old *scheduler.Row) bool { return old.Deployment == r.Deployment })
	}
	for _, c := range b.Claims {
		s.Uses = append(s.Uses, scheduler.Use{Claim: c, Open: true, Unsent: !c.Made.Foreign})
		s.LastClaim = max(s.LastClaim, c.ID)
	}
	for _, e := range b.Endings {
		applyEnding(s, e)
	}
	for _, o := range b.Overrides {
		s.Overrides = replace(s.Overrides, o, func(old *policy.Override) bool { return old.ID == o.ID })
	}
	s.Overrides = slices.DeleteFunc(s.Overrides, func(o policy.Override) bool { return slices.Contains(b.Expired, o.ID) })
	for _, l := range b.Scopes {
		s.Scopes[l.Method] = l.Scope
	}
}

// applyEnding ends a claim or removes a returned one. The end of a claim that
// the ledger does not have changes nothing.
func applyEnding(s *scheduler.State, e scheduler.Ending) {
	i := find(s.Uses, func(u *scheduler.Use) bool { return u.ID == e.Claim })
	switch {
	case i < 0:
	case e.Returned:
		s.Uses = slices.Delete(s.Uses, i, i+1)
	default:
		u := &s.Uses[i]
		u.Open, u.Unsent, u.Ended, u.Known, u.Wait = false, false, e.Ended, e.Known, e.Wait
	}
}

// Mark changes s to what a ledger must give back once a claim is marked.
func Mark(s *scheduler.State, claim uint64) {
	if i := find(s.Uses, func(u *scheduler.Use) bool { return u.ID == claim }); i >= 0 {
		s.Uses[i].Unsent = false
	}
}

// Reboot changes s to what a ledger must give back under another boot of the
// host: every instant is foreign, and no mark, or the want of one, says anything.
// "None", the zero instant, stays none.
func Reboot(s *scheduler.State) {
	for i := range s.Rows {
		estrange(&s.Rows[i].Attempt.Ended)
	}
	for i := range s.Uses {
		s.Uses[i].Unsent = false
		estrange(&s.Uses[i].Made)
		estrange(&s.Uses[i].Ended)
	}
}

func estrange(i *scheduler.Instant) {
	if !i.Wall.IsZero() || i.Steady != 0 {
		i.Foreign = true
	}
}

// replace puts item in the place of the one that is the same, or at the end.
func replace[T any](list []T, item T, same func(*T) bool) []T {
	if i := find(list, same); i >= 0 {
		list[i] = item
		return list
	}
	return append(list, item)
}

// find returns the index of the first element that is the same, or -1. Records
// are large, so unlike slices.IndexFunc it does not copy them.
func find[T any](list []T, same func(*T) bool) int {
	for i := range list {
		if same(&list[i]) {
			return i
		}
	}
	return -1
}

// sorted returns s in the order in which states are compared.
func sorted(s scheduler.State) scheduler.State {
	s.Rows, s.Uses, s.Overrides = slices.Clone(s.Rows), slices.Clone(s.Uses), slices.Clone(s.Overrides)
	slices.SortFunc(s.Rows, func(a, b scheduler.Row) int { return cmp.Compare(a.Deployment, b.Deployment) })
	slices.SortFunc(s.Uses, func(a, b scheduler.Use) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Overrides, func(a, b policy.Override) int { return cmp.Compare(a.ID, b.ID) })
	return s
}

package policy

import (
	"iter"
	"time"
)

// A Need says whether an edge takes a call where nobody but curfew acts.
type Need uint8

// The needs.
const (
	NoCall        Need = iota // it does not count, or it is so already
	Call                      // the power that is wanted changes
	CallIfTouched             // the policy has edges of one power only: a call if somebody acted
)

// Calls yields the edges with from <= At < to as Edges does, each with whether
// it takes a call. What is wanted just before from is taken to be so already.
func (p *Policy) Calls(from, to time.Time) iter.Seq2[Edge, Need] {
	return func(yield func(Edge, Need) bool) {
		last := None
		if e, ok := p.Prev(from.Add(-1)); ok {
			last = e.Power
		}
		for e := range p.Edges(from, to) {
			if !yield(e, p.needs(e, last)) {
				return
			}
			if e.Cancelled == "" && e.Power != None {
				last = e.Power
			}
		}
	}
}

// needs compares an edge with the power that the one before it left behind.
func (p *Policy) needs(e Edge, last Power) Need {
	switch {
	case e.Cancelled != "" || e.Power == None:
		return NoCall
	case !p.Has(e.Power.Other()):
		return CallIfTouched
	case e.Power == last:
		return NoCall
	}
	return Call
}

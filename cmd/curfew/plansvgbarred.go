package main

import (
	"time"

	"curfew/internal/picture"
	"curfew/policy"
)

// lane is what a policy does to those of its deployments for whom a bar, or none,
// says the same. What a bar forbids is not drawn as if it were done.
func (l *planLine) lane(s span, b *bar) picture.Row {
	r := picture.Row{Group: l.heading(s.from.Location()), Bars: l.bars(s), Marks: l.marks(s, b), Days: l.daysOff(s), Location: l.policy.Location()}
	switch {
	case b == nil || b.kind == barPerhaps:
	case b.kind == barAll:
		r.Bars = []picture.Bar{{From: s.from, To: s.to, Kind: picture.Nothing, Title: "left alone: " + b.text}}
	default:
		r.Bars = l.unstopped(r.Bars, s, b)
	}
	r.Sum = runningHours(r.Bars)
	return r
}

// unstopped are the bars of a deployment that is never stopped: once the policy
// wanted it running it stays so; before that nothing is done to it.
func (l *planLine) unstopped(bars []picture.Bar, s span, b *bar) []picture.Bar {
	ran := l.ranBefore(s.from)
	for i := range bars {
		switch at := &bars[i]; {
		case at.Kind == picture.Running:
			ran = true
		case ran:
			at.Kind, at.Title = picture.Running, "left running, "+b.text
		default:
			at.Kind, at.Title = picture.Nothing, "nothing is done, "+b.text
		}
	}
	return bars
}

// ranBefore reports whether the policy wanted running not too long before an
// instant.
func (l *planLine) ranBefore(at time.Time) bool {
	const most = 1000 // edges to look back; one of minutes has as many in a day
	if !l.policy.Has(policy.Running) {
		return false
	}
	at = at.Add(-time.Nanosecond)
	oldest := at.Add(-farAhead)
	for range most {
		e, ok := l.policy.Prev(at)
		if !ok || e.At.Before(oldest) {
			return false
		}
		if e.Power == policy.Running {
			return true
		}
		at = e.At.Add(-time.Nanosecond)
	}
	return false
}

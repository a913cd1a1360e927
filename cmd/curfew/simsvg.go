package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"curfew/internal/picture"
	"curfew/internal/sim"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// svg draws what the platform saw: a lane for each deployment, with the days off
// and the cancelled times of its plan, and signs where a transition came late or
// not at all.
func (v simView) svg(w io.Writer) error {
	p := picture.Picture{
		Title: fmt.Sprintf("%s, simulated, %s to %s", plural(v.Deployments, "deployment", "deployments"), v.shown(v.From), v.shown(v.To)),
		Note:  v.note(), From: v.From, To: v.To, Location: v.file.Location, Sum: "stopped",
	}
	marks := map[policy.DeploymentID][]picture.Mark{}
	for _, m := range v.Marks {
		if mark, ok := v.mark(m); ok {
			marks[m.Deployment] = append(marks[m.Deployment], mark)
		}
	}
	lanes := v.lanes()
	for _, d := range v.Powers {
		row := lanes[d.Policy]
		row.Name, row.Note, row.Sum = cmp.Or(d.Name, string(d.Deployment)), idNote(d), share(d)
		row.Bars, row.Marks = v.bars(d), beside(marks[d.Deployment], row.Marks)
		p.Rows = append(p.Rows, row)
	}
	return p.Write(w)
}

// lanes are what the rows of each policy have in common, as in the plan's picture.
func (v simView) lanes() map[string]picture.Row {
	s := span{v.From.In(v.file.Location), v.To.In(v.file.Location)}
	lanes := make(map[string]picture.Row, len(v.lines))
	for _, l := range v.lines {
		if len(l.members) > 0 {
			lanes[l.policy.Name()] = l.lane(s, nil)
		}
	}
	return lanes
}

// beside puts what the plan cancels beside the signs of what was settled. Of one
// instant the latter tells more.
func beside(settled, planned []picture.Mark) []picture.Mark {
	for _, m := range planned {
		same := func(o picture.Mark) bool { return o.At.Equal(m.At) }
		if m.Kind == picture.MarkCancelled && !slices.ContainsFunc(settled, same) {
			settled = append(settled, m)
		}
	}
	return settled
}

// shown is an instant of the heading.
func (v simView) shown(t time.Time) string {
	return shownTime(t.In(v.file.Location), "Mon 2 Jan 2006 15:04")
}

// note is what was assumed, as the text has it.
func (v simView) note() string {
	return fmt.Sprintf("times in %s; what the platform saw; assumed: a start takes %s, a stop %s, %s",
		v.file.Location, spanText(v.StartTakes), spanText(v.StopTakes), v.mood())
}

// idNote is the id where the row is called by a name, and that it is a dry run.
func idNote(d sim.Powers) string {
	var notes []string
	if d.Name != "" {
		notes = append(notes, string(d.Deployment))
	}
	if d.DryRun {
		notes = append(notes, "dry run")
	}
	return strings.Join(notes, " · ")
}

// bars are the stretches of a deployment's history within the span. A transition
// that is narrower than a line is no bar of its own: what comes of it begins there.
func (v simView) bars(d sim.Powers) []picture.Bar {
	narrow := v.To.Sub(v.From) / 2000
	var all []picture.Bar
	var begun time.Time
	for i, c := range d.History {
		from, to := c.At, v.To
		if from.Before(v.From) {
			from = v.From
		}
		if i+1 < len(d.History) {
			to = d.History[i+1].At
		}
		kind := laneKind(c.Status)
		if kind == picture.Between && to.Sub(from) < narrow && to.Before(v.To) {
			if begun.IsZero() {
				begun = from
			}
			continue
		}
		if !begun.IsZero() {
			from, begun = begun, time.Time{}
		}
		if from.Before(to) {
			all = append(all, picture.Bar{From: from, To: to, Kind: kind, Title: v.barTitle(c.Status, from, to)})
		}
	}
	return all
}

func laneKind(s simplatform.Status) picture.Kind {
	switch s {
	case simplatform.Running:
		return picture.Running
	case simplatform.Stopped:
		return picture.Stopped
	case simplatform.Gone:
		return picture.Nothing
	}
	return picture.Between
}

func (v simView) barTitle(s simplatform.Status, from, to time.Time) string {
	return fmt.Sprintf("%s from %s to %s (%s)", cmp.Or(string(s), "gone"), v.plain(from), v.plain(to), spanText(to.Sub(from)))
}

// lateAfter is from when on a call is late, as in the daemon; the time that a
// transition takes by itself is no lateness.
const lateAfter = 5 * time.Minute

// mark is the sign of a transition, false where it went as it should.
func (v simView) mark(m sim.Mark) (picture.Mark, bool) {
	kind := picture.MarkMissed
	switch m.Kind {
	case scheduler.Done:
		usual := v.StartTakes
		if m.Power == policy.Stopped {
			usual = v.StopTakes
		}
		if m.Took < usual+lateAfter {
			return picture.Mark{}, false
		}
		kind = picture.MarkLate
	case scheduler.Skipped:
		if m.Reason == scheduler.ReasonActivation {
			return picture.Mark{}, false
		}
		kind = picture.MarkCancelled
	case scheduler.Missed, scheduler.Failed:
	default:
		return picture.Mark{}, false
	}
	return picture.Mark{At: m.At, Kind: kind, Title: v.markTitle(m)}, true
}

// plain is at with blanks of which a picture may do what it wants.
func (v simView) plain(t time.Time) string { return strings.ReplaceAll(v.at(t), unbroken, " ") }

func (v simView) markTitle(m sim.Mark) string {
	s := fmt.Sprintf("%s of %s: %s", m.Power.Action(), v.plain(m.At), m.Kind)
	if m.Reason != "" {
		s += " (" + strings.ReplaceAll(string(m.Reason), "_", " ") + ")"
	}
	if m.Kind == scheduler.Done {
		s += " after " + spanText(m.Took)
	}
	return s
}

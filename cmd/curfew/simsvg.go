package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"curfew/internal/picture"
	"curfew/internal/sim"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// svg draws what the platform saw: a lane for each deployment, and signs where a
// transition came late or not at all.
func (v simView) svg(w io.Writer) error {
	p := picture.Picture{
		Title: fmt.Sprintf("%s, simulated", plural(v.Deployments, "deployment", "deployments")),
		Note:  v.note(), From: v.From, To: v.To, Location: v.file.Location, Sum: "stopped",
	}
	marks := map[policy.DeploymentID][]picture.Mark{}
	for _, m := range v.Marks {
		if mark, ok := v.mark(m); ok {
			marks[m.Deployment] = append(marks[m.Deployment], mark)
		}
	}
	for _, d := range v.Powers {
		p.Rows = append(p.Rows, picture.Row{
			Group: d.Policy, Name: cmp.Or(d.Name, string(d.Deployment)), Note: idNote(d), Sum: share(d),
			Bars: v.bars(d), Marks: marks[d.Deployment],
		})
	}
	return p.Write(w)
}

// note is what was assumed, as the text has it.
func (v simView) note() string {
	return fmt.Sprintf("what the platform saw; assumed: a start takes %s, a stop %s, %s",
		spanText(v.StartTakes), spanText(v.StopTakes), v.mood())
}

// idNote is the id where the row is called by a name.
func idNote(d sim.Powers) string {
	if d.Name == "" {
		return ""
	}
	return string(d.Deployment)
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

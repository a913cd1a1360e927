package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"curfew/internal/config"
	"curfew/internal/web"
	"curfew/policy"
)

// examineEvery is how often a file in force is examined again: the days that
// come are others then.
const examineEvery = 24 * time.Hour

// runsOut is how far ahead a calendar of iCalendar files must reach.
const runsOut = 60 * 24 * time.Hour

// askExamination never waits.
func (d *daemon) askExamination() {
	select {
	case d.examinations <- struct{}{}:
	default:
	}
}

// examiner says what is to be expected of the file in force, each time that
// another one or another selection is, and once a day: what the quotas cannot
// carry, and calendars that end. None of that keeps it from being in force.
func (d *daemon) examiner(ctx context.Context) {
	daily := time.NewTicker(examineEvery)
	defer daily.Stop()
	var told []policy.Problem
	for {
		select {
		case <-ctx.Done():
			return
		case <-daily.C:
			told = nil // once a day is not too often
		case <-d.examinations:
		}
		problems := d.examine(ctx)
		for _, p := range problems {
			if !slices.Contains(told, p) {
				p.Warning = true // it does not keep the file from being in force
				logProblem(d.log, p)
			}
		}
		told = problems
	}
}

// examine looks at the file and the selection in force.
func (d *daemon) examine(ctx context.Context) []policy.Problem {
	d.selection.mu.Lock()
	file, set, name := d.inForce.Load().file, d.selection.set, d.selection.name()
	d.selection.mu.Unlock()
	if set == nil {
		return nil
	}
	now := d.clock.read().Wall
	found := web.Examined{Infeasible: map[string]int{}, LastDates: map[string]time.Time{}}
	for _, p := range set.Policies {
		found.Infeasible[p.Name()] = 0
	}
	x, err := infeasible(ctx, file, set, name, now)
	if err != nil {
		return nil // the daemon ends
	}
	problems, counts := x.certain()
	for name, n := range counts {
		found.Infeasible[name] = n
	}
	for i := range file.Calendars {
		c := &file.Calendars[i]
		found.LastDates[c.Name] = lastDate(c.Days)
		if p, ok := runningOut(c, now); ok {
			problems = append(problems, p)
		}
	}
	d.metrics.Examined(found)
	return problems
}

// lastDate is the midnight, in UTC, of a calendar's last date.
func lastDate(c *policy.Calendar) time.Time {
	last, ok := c.Last()
	if !ok {
		return time.Time{}
	}
	return midnight(last)
}

func midnight(d policy.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// runningOut says what is wrong with a calendar whose iCalendar files cannot be
// read, or end soon: its days off stop being off, and nothing is stopped less.
func runningOut(c *config.Calendar, now time.Time) (policy.Problem, bool) {
	p := policy.Problem{Pos: c.Pos, Warning: true, Hint: "bring a newer file, and reload"}
	switch {
	case c.Broken != "":
		p.Text = fmt.Sprintf("calendar %q has no dates from a file that cannot be read: %s", c.Name, c.Broken)
	case c.Source&config.FromICal != 0 && midnight(c.LastICal).Before(now.Add(runsOut)):
		p.Text = fmt.Sprintf("the files of calendar %q have no date later than 60 days from now: the last one is %s", c.Name, c.LastICal)
	default:
		return p, false
	}
	return p, true
}

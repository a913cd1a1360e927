package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The limits of what a policy may say. They refuse slips of the pen, such as
// minutes for hours, and leave room for whatever somebody may mean.
const (
	shortest     = time.Second
	longestLead  = 24 * time.Hour
	longestWait  = 7 * 24 * time.Hour   // confirm_within, min_span
	longestCatch = 366 * 24 * time.Hour // catch_up_within
	longestID    = 128                  // bytes of a deployment's id
)

// exprProblem places an error inside the expression or window where that stands
// on one line of the file: Cron.Pos is the place of its first character.
func exprProblem(cron Cron, err error) Problem {
	p := Problem{Pos: cron.Pos, Text: err.Error()}
	var fault *ExprError
	if errors.As(err, &fault) {
		p.Text, p.Hint = fmt.Sprintf("%s %q: %s", cmp.Or(fault.noun, "cron"), clip(cron.Expr), fault.Text), fault.Hint
		p.Pos = inside(cron, fault.Col)
	}
	return p
}

// inside returns the place of a column of an expression.
func inside(cron Cron, col int) Pos {
	at := cron.Pos
	if col > 0 && at.Col > 0 && !strings.ContainsAny(cron.Expr, "\r\n") {
		at.Col += col - 1
	}
	return at
}

// column returns where the nth field of a line begins, or 0 for a macro.
func (l *line) column(n int) int {
	words, _ := split(l.because.Ref)
	if len(words) <= n {
		return 0
	}
	return words[n].col
}

// at returns the place of the nth field of a line.
func (l *line) at(n int) Pos {
	return inside(Cron{l.because.Ref, l.because.Pos}, l.column(n))
}

func (c *compiler) checkName(s *Spec) {
	if strings.TrimSpace(s.Name) == "" {
		c.fault(s.Pos, "a policy has no name", "name: is what logs, metrics and plan call it")
		return
	}
	if first, taken := c.named[s.Name]; taken {
		c.fault(s.Pos, fmt.Sprintf("there are two policies %q, the first at %s", s.Name, first), "a name is one policy's own")
		return
	}
	c.named[s.Name] = s.Pos
}

// checkMembers judges the ids and enters them under p.
func (c *compiler) checkMembers(s *Spec, p *Policy) {
	for _, m := range s.Deployments {
		if text := idFault(m.ID); text != "" {
			c.fault(m.Pos, text, "it is the last part of the deployment's address in the console")
			continue
		}
		other, taken := c.set.of[m.ID]
		switch {
		case taken && other == p:
			c.fault(m.Pos, fmt.Sprintf("deployment %q stands twice in policy %q, first at %s", m.ID, s.Name, c.listed[m.ID]), "drop one of the two")
		case taken:
			c.fault(m.Pos, fmt.Sprintf("deployment %q stands in policy %q as well, at %s", m.ID, other.name, c.listed[m.ID]), "one deployment, one policy: drop one of the two")
		default:
			c.set.of[m.ID], c.listed[m.ID] = p, m.Pos
		}
	}
}

// idFault says what is wrong with an id, or nothing. It goes into the path of a
// URL as it is.
func idFault(id DeploymentID) string {
	switch {
	case id == "":
		return "a deployment's id is empty"
	case len(id) > longestID:
		return fmt.Sprintf("the deployment's id %q is longer than %d bytes", clip(string(id)), longestID)
	}
	for _, r := range string(id) {
		if r <= ' ' || r > '~' || r == '/' {
			return fmt.Sprintf("the deployment's id %q has a %q in it", id, r)
		}
	}
	if id == "." || id == ".." {
		return fmt.Sprintf("%q is no deployment's id", id)
	}
	return ""
}

// clip cuts text for a message.
func clip(text string) string {
	const most = 64
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}

func (c *compiler) checkOptions(s *Spec) {
	o := s.Options
	c.checkDuration(s, "start_lead", o.StartLead, longestLead)
	c.checkDuration(s, "catch_up_within", o.CatchUpWithin, longestCatch)
	c.checkDuration(s, "confirm_within", o.ConfirmWithin, longestWait)
	c.checkDuration(s, "min_span", o.MinSpan, longestWait)
	if o.StartLead%time.Second != 0 {
		c.fault(s.Pos, fmt.Sprintf("start_lead of policy %q is %s", s.Name, o.StartLead), "whole seconds only")
	}
	if o.Enforce&^EnforceBoth != 0 {
		c.fault(s.Pos, fmt.Sprintf("policy %q enforces an unknown power", s.Name), "stopped, running or both")
	}
	if o.Enforce != EnforceNone && !s.both() {
		c.fault(s.Pos, fmt.Sprintf("policy %q has enforce and not both start and stop", s.Name), "it corrects what is wanted at every time, so both ends must be known")
	}
}

func (c *compiler) checkDuration(s *Spec, key string, d, longest time.Duration) {
	switch {
	case d < 0:
		c.fault(s.Pos, fmt.Sprintf("%s of policy %q is negative: %s", key, s.Name, d), "such as 30m")
	case d > 0 && d < shortest:
		c.fault(s.Pos, fmt.Sprintf("%s of policy %q is shorter than a second: %s", key, s.Name, d), "such as 30m")
	case d > longest:
		c.fault(s.Pos, fmt.Sprintf("%s of policy %q is longer than %s: %s", key, s.Name, brief(longest), brief(d)), "")
	}
}

// brief writes a duration without its zeroes: 1h30m.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// checkTimes judges what the expressions say, alone and together.
func (c *compiler) checkTimes(s *Spec, p *Policy) {
	if s.timeless() {
		c.fault(p.pos, fmt.Sprintf("policy %q has no times", p.name), `start: or stop:, such as stop: "0 20 * * *"`)
	}
	for _, lines := range [][]line{p.starts, p.stops} {
		for i := range lines {
			c.checkLine(&lines[i])
		}
	}
	for i := range p.starts {
		for k := range p.stops {
			c.checkClash(&p.starts[i], &p.stops[k])
		}
		c.checkLead(p, &p.starts[i])
	}
}

func (c *compiler) checkLine(l *line) {
	if !l.sched.Fires() {
		c.fault(l.at(2), fmt.Sprintf("cron %q never fires", l.because.Ref), "no month that it names has a day that it names")
		return
	}
	if l.sched.names.either {
		c.warn(l.at(2), fmt.Sprintf("cron %q fires on each day that either of its two day fields names, not on those in both", l.because.Ref),
			`cron reads them so; where one of the two is meant, write "*" for the other`)
	}
}

// checkClash refuses a start and a stop for the same local time: neither could
// win.
func (c *compiler) checkClash(start, stop *line) {
	at, ok := meet(&start.sched.names, &stop.sched.names)
	if !ok {
		return
	}
	day := time.Date(at.Year, at.Month, at.Day, at.Hour, at.Minute, 0, 0, time.UTC)
	c.fault(stop.because.Pos, fmt.Sprintf("stop %q and start %q, at %s, name the same time, such as %s",
		stop.because.Ref, start.because.Ref, start.because.Pos, day.Format("15:04 on a Monday, 2 January")), "move one of the two")
}

// checkLead warns of a lead that a stop cuts short.
func (c *compiler) checkLead(p *Policy, start *line) {
	lead := p.options.StartLead
	for i := range p.stops {
		stop := &p.stops[i]
		minutes, ok := start.sched.names.closest(&stop.sched.names)
		if gap := time.Duration(minutes) * time.Minute; ok && lead > gap-leadGap*time.Second {
			c.warn(start.because.Pos, fmt.Sprintf("the lead of %s is cut short: start %q comes %s after stop %q, at %s",
				brief(lead), start.because.Ref, brief(gap), stop.because.Ref, stop.because.Pos), "the start is made one minute after that stop, at the earliest")
			return
		}
	}
}

// checkWindows judges the windows together.
func (c *compiler) checkWindows(s *Spec, p *Policy) {
	if len(s.Running) == 0 {
		return
	}
	at := s.Running[0].Pos
	if len(s.Start)+len(s.Stop) > 0 {
		c.fault(at, fmt.Sprintf("policy %q has running: and start: or stop: as well", s.Name), "windows say both; take one of the two forms")
		return
	}
	if len(p.windows) < len(s.Running) {
		return // what the others leave open is not known
	}
	gap := widestGap(p.windows)
	switch {
	case gap == 0 && !s.interrupted():
		c.fault(at, fmt.Sprintf("the windows of policy %q never end", s.Name), "leave a gap, or name days under except: on which it is off, stopped or untouched")
	case gap > 0 && gap <= p.options.StartLead:
		c.fault(at, fmt.Sprintf("the lead of %s leaves no gap between the windows of policy %q, the widest is %s", brief(p.options.StartLead), s.Name, brief(gap)),
			"start_lead is for the minutes that a start takes")
	}
}

// interrupted reports whether a calendar can end windows without a gap, whatever
// dates it has now.
func (s *Spec) interrupted() bool {
	return slices.ContainsFunc(s.Except, func(e Exception) bool { return e.Effect != EffectRunning })
}

// widestGap returns the longest time of a week without clock changes that no
// window holds.
func widestGap(windows []window) time.Duration {
	const week = 7 * secondsPerDay / 60
	held := make([]bool, week)
	for i := range windows {
		w := &windows[i]
		for day := int64(0); day < 7; day++ {
			for minute := w.begin / 60; w.week>>day&1 == 1 && minute < w.end/60; minute++ {
				held[(day*minutesPerDay+minute)%week] = true
			}
		}
	}
	widest, gap := 0, 0
	for i := range 2 * week { // twice, for a gap over the end of the week
		gap++
		if held[i%week] {
			gap = 0
		}
		widest = max(widest, min(gap, week))
	}
	return time.Duration(widest) * time.Minute
}

// checkExcept warns of days off that take nothing away, and of days that lose to
// weaker ones.
func (c *compiler) checkExcept(s *Spec) {
	onlyStops := !s.timeless() && len(s.Start)+len(s.Running) == 0
	for i, e := range s.Except {
		if onlyStops && e.Effect == EffectOff {
			c.warn(e.Pos, fmt.Sprintf("calendar %q is off in policy %q, which only stops: that does nothing", e.Calendar, s.Name),
				"days off take starts away; for days without a stop write untouched")
		}
		c.checkOrder(s.Except[:i], e)
	}
}

// checkOrder warns of a calendar that loses days to one listed before it whose
// effect is weaker: a freeze is broken by the holidays in it. There is no clock
// here, so days that are over count as well.
func (c *compiler) checkOrder(before []Exception, e Exception) {
	for i, first := range before {
		if first.Calendar == e.Calendar || strength(first.Effect) >= strength(e.Effect) {
			continue // that order says what is meant
		}
		day, ok := c.decided(before[:i], first, e)
		if !ok {
			continue
		}
		at := time.Date(day.Date.Year, day.Date.Month, day.Date.Day, 0, 0, 0, 0, time.UTC).Format("2 January")
		if day.Name != "" {
			at += " (" + clip(day.Name) + ")"
		}
		p := Problem{Pos: e.Pos, Warning: true}
		p.Text = fmt.Sprintf("calendar %q takes days from %q, such as %s: they are %s, not %s",
			first.Calendar, e.Calendar, at, first.Effect, e.Effect)
		p.Hint = fmt.Sprintf("the first listed decides: list %q before %q", e.Calendar, first.Calendar)
		if !slices.Contains(c.problems, p) { // policies may share one list of the file's defaults
			c.problems = append(c.problems, p)
		}
		return
	}
}

// decided returns the first day that first and e both have and none before them,
// as first calls it: the first calendar decides it then. One that is not there has
// no days.
func (c *compiler) decided(before []Exception, first, e Exception) (Day, bool) {
	has := func(x Exception, d Date) (Day, bool) {
		if calendar := c.env.Calendars[x.Calendar]; calendar != nil {
			return calendar.On(d)
		}
		return Day{}, false
	}
	of := c.env.Calendars[e.Calendar]
	if of == nil {
		return Day{}, false
	}
	for day := range of.Days() {
		taken, ok := has(first, day.Date)
		if ok && !slices.ContainsFunc(before, func(x Exception) bool { _, earlier := has(x, day.Date); return earlier }) {
			return taken, true
		}
	}
	return Day{}, false
}

// strength orders effects by how much they say of a day: that nothing may happen
// on it, what is wanted throughout it, or only that nothing begins.
func strength(e Effect) int {
	switch e {
	case EffectUntouched:
		return 2
	case EffectStopped, EffectRunning:
		return 1
	}
	return 0
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"curfew/scheduler"
)

// How much is logged. A small fleet has a line for everything that happens to it;
// of a large one at its boundary there is a line with counts.
const (
	burst        = 20               // lines of a kind in one window
	burstWindow  = 10 * time.Second // and what is more, becomes one line at its end
	alarmEvery   = time.Hour        // the same alarm about the same deployment
	alarmsToKeep = 10_000           // at least
)

// A noticeLog writes what happened to the log. It is called from the loop, so it
// never waits for anything but the log itself; times are the loop's.
type noticeLog struct {
	log    *slog.Logger
	window time.Duration // when the current one began
	kinds  map[string]*kindCount
	alarms map[alarmKey]*alarmCount

	tooMany int // when so many are remembered, the old ones are forgotten
}

// kindCount is how many notices of a kind the window had, and what those were
// that got no line of their own.
type kindCount struct {
	level   slog.Level
	seen    int
	counted map[string]int
}

type alarmKey struct{ kind, deployment string }

type alarmCount struct {
	last     time.Duration // when it was last written
	repeated int           // how often it was not, since then
}

func newNoticeLog(log *slog.Logger) *noticeLog {
	return &noticeLog{log: log, kinds: map[string]*kindCount{}, alarms: map[alarmKey]*alarmCount{}, tooMany: alarmsToKeep}
}

// An entry is a notice as the log has it: its kind, what it is counted as where
// there are too many, and its line.
type entry struct {
	level   slog.Level
	kind    string
	counted string
	attrs   []slog.Attr
}

// write logs the notices of one turn.
func (l *noticeLog) write(now scheduler.Now, notices []scheduler.Notice) {
	// Counted before any is written: a turn with too many of a kind has no first
	// twenty that are worth more than the others.
	entries := make([]entry, 0, len(notices))
	perKind := map[string]int{}
	for _, n := range notices {
		if e, ok := l.entry(now, n); ok {
			entries = append(entries, e)
			perKind[e.kind]++
		}
	}
	for _, e := range entries {
		k := l.kinds[e.kind]
		if k == nil {
			k = &kindCount{counted: map[string]int{}}
			l.kinds[e.kind] = k
		}
		k.seen++
		if perKind[e.kind] > burst || k.seen > burst {
			k.level = max(k.level, e.level)
			k.counted[e.counted]++
			continue
		}
		l.line(now, e.level, e.kind, e.attrs)
	}
}

// turned ends the window where it is over. Call it after every turn.
func (l *noticeLog) turned(now scheduler.Now) {
	if now.Steady-l.window >= burstWindow {
		l.flush(now)
		l.window = now.Steady
	}
}

// flush writes a line for each kind that had too many notices for lines of their
// own.
func (l *noticeLog) flush(now scheduler.Now) {
	for _, kind := range slices.Sorted(maps.Keys(l.kinds)) {
		k := l.kinds[kind]
		if len(k.counted) == 0 {
			continue
		}
		var attrs []slog.Attr
		for _, what := range slices.Sorted(maps.Keys(k.counted)) {
			attrs = append(attrs, slog.Int(what, k.counted[what]))
		}
		l.line(now, k.level, kind+" (many)", attrs)
	}
	clear(l.kinds)
}

// line writes one line with the loop's time, which in a lapse is not the
// machine's.
func (l *noticeLog) line(now scheduler.Now, level slog.Level, text string, attrs []slog.Attr) {
	ctx := context.Background()
	if !l.log.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(now.Wall, level, text, 0)
	r.AddAttrs(attrs...)
	_ = l.log.Handler().Handle(ctx, r) // where a log cannot be written, nobody can be told
}

// entry reads a notice; false where it is not worth a line.
func (l *noticeLog) entry(now scheduler.Now, n scheduler.Notice) (entry, bool) {
	switch n := n.(type) {
	case scheduler.CallEnded:
		return l.callEntry(now, n)
	case scheduler.LookEnded:
		return l.lookEntry(now, n)
	case scheduler.Inventory:
		return entry{}, false // whom it changes is told by the selection
	case scheduler.Settled:
		// What lay behind an activation puzzles people; the line of the activation
		// itself says what comes.
		return settledEntry(n), n.Reason != scheduler.ReasonActivation
	case scheduler.AttemptEnded:
		return entry{slog.LevelInfo, "attempt closed", string(n.Result), []slog.Attr{
			slog.String("deployment", string(n.Deployment)), slog.String("policy", n.Policy),
			slog.String("action", n.Power.Action()), slog.String("result", string(n.Result)),
		}}, n.Result != scheduler.ConfirmSeen // Settled says so
	case scheduler.Changed:
		return changedEntry(n), true
	case scheduler.Alarm:
		return l.alarmEntry(now, string(n.Kind), string(n.Deployment), n.Text)
	case scheduler.ClockJump:
		return entry{slog.LevelWarn, "the wall clock was stepped", "steps", []slog.Attr{
			slog.Duration("by", n.By.Round(time.Millisecond)),
		}}, true
	case scheduler.ScopeLearned:
		return entry{slog.LevelInfo, "quota scope learned", n.Method.String(), []slog.Attr{
			slog.String("method", n.Method.String()), slog.String("scope", n.Scope.String()),
		}}, true
	}
	return entry{slog.LevelWarn, "notice of an unknown kind", fmt.Sprintf("%T", n), nil}, true
}

// callEntry is a start or a stop that was tried. One that could not be sent is
// tried again each minute for as long as the network is away: that is a line an
// hour.
func (l *noticeLog) callEntry(now scheduler.Now, n scheduler.CallEnded) (entry, bool) {
	e := attemptEntry(n)
	if n.Verdict != scheduler.NotSent {
		return e, true
	}
	repeated, due := l.due(now, alarmKey{"not_sent_" + n.Transition.Power.Action(), string(n.Deployment)})
	if repeated > 0 {
		e.attrs = append(e.attrs, slog.Int("repeated", repeated))
	}
	return e, due
}

func attemptEntry(n scheduler.CallEnded) entry {
	e := entry{level: slog.LevelInfo, kind: "attempt", counted: n.Transition.Power.Action() + "_" + n.Verdict.String()}
	e.attrs = append(transitionAttrs(string(n.Deployment), n.Policy, n.Transition),
		slog.String("result", n.Verdict.String()))
	if n.Status != 0 {
		e.attrs = append(e.attrs, slog.Int("status", n.Status))
	}
	if n.Verdict != scheduler.NotSent {
		e.attrs = append(e.attrs, slog.Duration("late", n.Late), slog.String("cause", string(n.Cause)), slog.Duration("took", n.Took))
	}
	if n.Err != "" {
		e.level = slog.LevelWarn
		e.attrs = append(e.attrs, slog.String("err", n.Err))
	}
	return e
}

// settledEntry is how a transition ended.
func settledEntry(n scheduler.Settled) entry {
	e := entry{level: slog.LevelInfo, kind: "transition", counted: n.Power.Action() + "_" + n.Kind.String()}
	e.attrs = append(transitionAttrs(string(n.Deployment), n.Policy, n.Transition), slog.String("outcome", n.Kind.String()))
	if n.Reason != scheduler.ReasonNone {
		e.counted += "_" + string(n.Reason)
		e.attrs = append(e.attrs, slog.String("reason", string(n.Reason)))
	}
	if n.Kind == scheduler.Missed || n.Kind == scheduler.Failed {
		e.level = slog.LevelWarn
	}
	if n.Count > 1 {
		e.attrs = append(e.attrs, slog.Int("count", n.Count))
	}
	if n.Took > 0 {
		e.attrs = append(e.attrs, slog.Duration("took", n.Took))
	}
	if n.Note != "" {
		e.attrs = append(e.attrs, slog.String("note", n.Note))
	}
	return e
}

// changedEntry is what a new file means for a deployment.
func changedEntry(n scheduler.Changed) entry {
	e := entry{slog.LevelInfo, "deployment " + string(n.What), n.Policy, []slog.Attr{
		slog.String("deployment", string(n.Deployment)), slog.String("policy", n.Policy),
	}}
	if !n.NextAt.IsZero() {
		e.attrs = append(e.attrs, slog.String("next", n.Next.Action()), slog.Time("next_at", n.NextAt))
	}
	return e
}

// transitionAttrs say which transition it is, and which line of the file wants it.
func transitionAttrs(deployment, policyName string, t scheduler.Transition) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("deployment", deployment), slog.String("policy", policyName),
		slog.String("action", t.Power.Action()), slog.Time("at", t.At),
	}
	if because := t.Because.Pos.String(); because != "" {
		attrs = append(attrs, slog.String("because", because))
	}
	return attrs
}

// lookEntry is a look that showed nothing: worth a line now and then, since a
// platform that cannot be reached looks the same for every deployment.
func (l *noticeLog) lookEntry(now scheduler.Now, n scheduler.LookEnded) (entry, bool) {
	if n.Verdict != scheduler.NoLook && n.Verdict != scheduler.NotSent || n.Err == "" {
		return entry{}, false
	}
	return l.alarmEntry(now, "look_failed", "", n.Err)
}

// alarmEntry lets the same alarm about the same deployment through once an hour.
func (l *noticeLog) alarmEntry(now scheduler.Now, kind, deployment, text string) (entry, bool) {
	repeated, due := l.due(now, alarmKey{kind, deployment})
	if !due {
		return entry{}, false
	}
	e := entry{slog.LevelWarn, "alarm", kind, []slog.Attr{slog.String("alarm", kind)}}
	if deployment != "" {
		e.attrs = append(e.attrs, slog.String("deployment", deployment))
	}
	e.attrs = append(e.attrs, slog.String("text", text))
	if repeated > 0 {
		e.attrs = append(e.attrs, slog.Int("repeated", repeated))
	}
	return e, true
}

// due reports whether something that repeats itself is worth a line again, and how
// often it came since the last one.
func (l *noticeLog) due(now scheduler.Now, key alarmKey) (repeated int, yes bool) {
	c, known := l.alarms[key]
	if known && now.Steady-c.last < alarmEvery {
		c.repeated++
		return 0, false
	}
	if known {
		repeated = c.repeated
	} else {
		l.forgetAlarms(now)
	}
	l.alarms[key] = &alarmCount{last: now.Steady}
	return repeated, true
}

// forgetAlarms keeps the memory of alarms from growing for ever. It looks through
// all of them only when they have doubled: a large fleet in trouble raises them by
// the thousand.
func (l *noticeLog) forgetAlarms(now scheduler.Now) {
	if len(l.alarms) < l.tooMany {
		return
	}
	maps.DeleteFunc(l.alarms, func(_ alarmKey, c *alarmCount) bool { return now.Steady-c.last >= alarmEvery })
	l.tooMany = max(alarmsToKeep, 2*len(l.alarms))
}

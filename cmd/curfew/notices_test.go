package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/internal/secret"
	"curfew/policy"
	"curfew/scheduler"
)

// A logged is a notice log that writes where a test can read, without times.
type logged struct {
	*noticeLog
	out bytes.Buffer
	now scheduler.Now
}

func newLogged() *logged {
	l := &logged{now: scheduler.Now{Wall: time.Date(2026, 12, 24, 20, 0, 0, 0, time.UTC), Steady: time.Hour}}
	l.noticeLog = newNoticeLog(slog.New(slog.NewTextHandler(&l.out, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return readableSpans(groups, a)
		},
	})))
	return l
}

// turn is one turn of the loop, some time after the last.
func (l *logged) turn(after time.Duration, notices ...scheduler.Notice) string {
	l.now = shift(l.now, after)
	l.out.Reset()
	l.write(l.now, notices)
	l.turned(l.now)
	return l.out.String()
}

func stopOf() scheduler.Transition {
	return scheduler.Transition{
		Power: policy.Stopped, At: time.Date(2026, 12, 24, 20, 0, 0, 0, time.UTC),
		Because: policy.Because{Kind: policy.KindEdge, Pos: policy.Pos{File: "curfew.yaml", Line: 7, Col: 3}},
	}
}

func settled(id policy.DeploymentID, kind scheduler.OutcomeKind) scheduler.Settled {
	return scheduler.Settled{Outcome: scheduler.Outcome{
		Deployment: id, Policy: "nightly", Transition: stopOf(), Kind: kind, Count: 1,
	}, Took: 90 * time.Second}
}

// TestNoticeLines shows the line of each kind of notice.
func TestNoticeLines(t *testing.T) {
	t.Parallel()
	const of = "deployment=w1 policy=nightly action=stop"
	failed := settled("w1", scheduler.Failed)
	failed.Reason, failed.Note, failed.Count, failed.Took = scheduler.ReasonUnknown, "it says no", 3, 0
	past := settled("w1", scheduler.Skipped)
	past.Reason = scheduler.ReasonActivation
	for _, tc := range []struct {
		name string
		n    scheduler.Notice
		want string
	}{
		{"attempt", scheduler.CallEnded{
			Deployment: "w1", Policy: "nightly", Method: quota.Stop, Transition: stopOf(), Verdict: scheduler.Took,
			Status: 201, Took: 150 * time.Millisecond, Late: 2 * time.Millisecond, Cause: scheduler.CauseOnTime,
		}, "level=INFO msg=attempt " + of + " at=2026-12-24T20:00:00.000Z because=curfew.yaml:7:3 result=accepted status=201 late=2ms cause=on_time took=150ms\n"},
		{"attempt that did not leave", scheduler.CallEnded{
			Deployment: "w1", Policy: "nightly", Method: quota.Stop, Transition: stopOf(), Verdict: scheduler.NotSent, Err: "refused",
		}, "level=WARN msg=attempt " + of + " at=2026-12-24T20:00:00.000Z because=curfew.yaml:7:3 result=not_sent err=refused\n"},
		{"done", settled("w1", scheduler.Done),
			"level=INFO msg=transition " + of + " at=2026-12-24T20:00:00.000Z because=curfew.yaml:7:3 outcome=done took=1m30s\n"},
		{"failed", failed, "level=WARN msg=transition " + of +
			" at=2026-12-24T20:00:00.000Z because=curfew.yaml:7:3 outcome=failed reason=unknown count=3 note=\"it says no\"\n"},
		{"rolled back", scheduler.AttemptEnded{Deployment: "w1", Policy: "nightly", Power: policy.Stopped, Result: scheduler.ConfirmRolledBack},
			"level=INFO msg=\"attempt closed\" " + of + " result=rolled_back\n"},
		{"seen is told by its transition", scheduler.AttemptEnded{Result: scheduler.ConfirmSeen}, ""},
		{"a look", scheduler.LookEnded{Verdict: scheduler.Seen, Status: 200}, ""},
		{"a look that failed", scheduler.LookEnded{Deployment: "w1", Verdict: scheduler.NoLook, Status: 503, Err: "503"},
			"level=WARN msg=alarm alarm=look_failed text=503\n"},
		{"activated", scheduler.Changed{
			Deployment: "w1", Policy: "nightly", What: scheduler.ChangeActivated, Next: policy.Stopped, NextAt: stopOf().At,
		}, "level=INFO msg=\"deployment activated\" deployment=w1 policy=nightly next=stop next_at=2026-12-24T20:00:00.000Z\n"},
		{"activated, with nothing ahead", scheduler.Changed{Deployment: "w1", Policy: "nightly", What: scheduler.ChangeActivated},
			"level=INFO msg=\"deployment activated\" deployment=w1 policy=nightly\n"},
		{"what lay behind an activation", past, ""},
		{"alarm", scheduler.Alarm{Kind: scheduler.AlarmClock, Text: "set the clock"}, "level=WARN msg=alarm alarm=clock text=\"set the clock\"\n"},
		{"jump", scheduler.ClockJump{By: -time.Hour}, "level=WARN msg=\"the wall clock was stepped\" by=-1h0m0s\n"},
		{"scope", scheduler.ScopeLearned{Method: quota.Stop, Scope: quota.Key}, "level=INFO msg=\"quota scope learned\" method=stop scope=key\n"},
	} {
		l := newLogged()
		if diff := cmp.Diff(tc.want, l.turn(0, tc.n)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

// TestManyNotices: a boundary of a large fleet is a line with counts, in one turn
// or in many.
func TestManyNotices(t *testing.T) {
	t.Parallel()
	var all []scheduler.Notice
	for range 1000 {
		all = append(all, settled("w1", scheduler.Done))
	}
	all = append(all, settled("w2", scheduler.Missed))
	const want = "level=WARN msg=\"transition (many)\" stop_done=1000 stop_missed=1\n"

	l := newLogged()
	got := l.turn(0, all...) + l.turn(burstWindow)
	if got != want {
		t.Errorf("in one turn: %q, want %q", got, want)
	}

	l = newLogged()
	l.turn(0)
	got = ""
	for _, n := range all {
		got += l.turn(time.Millisecond, n)
	}
	got += l.turn(burstWindow)
	if n := strings.Count(got, "\n"); n != burst+1 || !strings.HasSuffix(got, "stop_done=980 stop_missed=1\n") {
		t.Errorf("in many turns: %d lines, the last %q; want %d and the rest in counts", n, got[max(0, len(got)-90):], burst+1)
	}
	if got := l.turn(time.Second, settled("w1", scheduler.Done)); strings.Count(got, "\n") != 1 {
		t.Errorf("a new window: %q, want a line of its own", got)
	}
}

// TestAlarmsOnceAnHour: the same alarm about the same deployment is a line an
// hour, which says how often there was none.
func TestAlarmsOnceAnHour(t *testing.T) {
	t.Parallel()
	l := newLogged()
	alarm := func(id policy.DeploymentID) scheduler.Notice {
		return scheduler.Alarm{Kind: scheduler.AlarmForbidden, Deployment: id, Text: "403"}
	}
	const first = "level=WARN msg=alarm alarm=forbidden deployment=w1 text=403\n"
	got := l.turn(0, alarm("w1"), alarm("w1")) + l.turn(time.Minute, alarm("w1"))
	if got != first {
		t.Errorf("within an hour: %q, want %q", got, first)
	}
	if got := l.turn(time.Minute, alarm("w2")); !strings.Contains(got, "deployment=w2") {
		t.Errorf("another deployment: %q, want a line of its own", got)
	}
	if got, want := l.turn(time.Hour, alarm("w1")), "level=WARN msg=alarm alarm=forbidden deployment=w1 text=403 repeated=2\n"; got != want {
		t.Errorf("an hour later: %q, want %q", got, want)
	}
}

func TestAlarmsAreForgotten(t *testing.T) {
	t.Parallel()
	l := newLogged()
	l.log = slog.New(slog.DiscardHandler)
	for i := range 3 * alarmsToKeep {
		l.turn(time.Second, scheduler.Alarm{Kind: scheduler.AlarmStatus, Deployment: policy.DeploymentID(rune(i + 0x100))})
	}
	if n := len(l.alarms); n > 2*alarmsToKeep {
		t.Errorf("%d alarms are remembered, want %d at most", n, 2*alarmsToKeep)
	}
}

// TestLogFormats: JSON for machines, text without colours where there is no
// terminal, and no secret in either.
func TestLogFormats(t *testing.T) {
	t.Parallel()
	c := &console{env: config.Lookup(func(string) (string, bool) { return "", false })}
	for format, want := range map[string]string{
		"auto": `"msg":"told","wait":"1.5s","key":"[redacted]","err":"no [redacted]"}`,
		"json": `"msg":"told","wait":"1.5s","key":"[redacted]","err":"no [redacted]"}`,
		"text": `INF told wait=1.5s key=[redacted] err="no [redacted]"`,
	} {
		var out bytes.Buffer
		key := secret.New("key-4711")
		log := newLogger(c, &out, &out, format)
		log.Log(context.Background(), slog.LevelInfo, "told", "wait", 1500*time.Millisecond, "key", key, "err", errors.New("no "+key.String()))
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "\x1b") {
			t.Errorf("%s: %q, want %q in it and no colours", format, got, want)
		}
	}
}

// TestNoticesOfAnOutage: a call that cannot be sent is tried again each minute, and
// is worth a line an hour, of each deployment and action; one that leaves is worth
// one each time.
func TestNoticesOfAnOutage(t *testing.T) {
	t.Parallel()
	l := newLogged()
	try := scheduler.CallEnded{
		Deployment: "w1", Policy: "nightly", Transition: stopOf(), Verdict: scheduler.NotSent, Err: "connection refused",
	}
	lines := 0
	for range 150 {
		lines += strings.Count(l.turn(time.Minute, try), "\n")
	}
	if lines != 3 {
		t.Errorf("%d lines of 150 minutes without a network, want 3", lines)
	}
	l.turn(11 * time.Minute)
	if got := l.turn(time.Hour, try); !strings.Contains(got, "repeated=29") || !strings.Contains(got, "connection refused") {
		t.Errorf("after an hour it does not say how often it was tried meanwhile: %s", got)
	}
	try.Verdict, try.Err = scheduler.Took, ""
	for range 2 {
		if got := l.turn(11*time.Minute, try); strings.Count(got, "\n") != 1 {
			t.Errorf("a call that left: %q", got)
		}
	}
}

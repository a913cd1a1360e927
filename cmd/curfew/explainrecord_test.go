package main

import (
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/ledger"
	"curfew/policy"
	"curfew/scheduler"
)

// recordFile is a file whose policy wants everything stopped at noon of Thursday,
// 24 December, since 11:00.
const recordFile = "timezone: UTC\npolicies:\n- name: p\n  deployments: [w1]\n  start: \"0 8 * * *\"\n  stop: \"0 11 * * *\"\n"

func clockAt(text string) time.Time {
	t, err := time.Parse(time.DateTime, "2026-12-"+text)
	if err != nil {
		panic(err)
	}
	return t
}

// theStop and theStart are the last ones before noon.
func theStop() scheduler.Transition {
	return scheduler.Transition{Power: policy.Stopped, At: clockAt("24 11:00:00")}
}

func theStart() scheduler.Transition {
	return scheduler.Transition{Power: policy.Running, At: clockAt("24 08:00:00")}
}

// called is a POST for a transition, a blink after its instant.
func called(id uint64, t scheduler.Transition, result scheduler.Verdict, status int) ledger.Post {
	made := t.At.Add(4 * time.Millisecond)
	return ledger.Post{
		Claim: scheduler.Claim{
			ID: id, Method: methodOf(t.Power), Transition: t, Deployment: "w1",
			Made: scheduler.Instant{Wall: made, Steady: time.Hour}, Latest: time.Hour + 20*time.Second,
		},
		Answered: true,
		Ending:   scheduler.Ending{Claim: id, Ended: scheduler.Instant{Wall: made.Add(200 * time.Millisecond)}, Known: true, Result: result.String(), Status: status},
	}
}

// settledAs is the stop's outcome, a minute after its instant.
func settledAs(kind scheduler.OutcomeKind, reason scheduler.Reason) scheduler.Outcome {
	return scheduler.Outcome{
		Deployment: "w1", Policy: "p", Transition: theStop(), Kind: kind, Reason: reason, Count: 1, Settled: clockAt("24 11:01:12"), Tries: 1,
	}
}

// recordedAt explains recordFile at a time by a record that make has filled in. It
// is noon.
func recordedAt(t *testing.T, when string, make func(*record)) *explanation {
	t.Helper()
	file := fileOf(t, recordFile)
	r := &record{
		source: "curfew.db", known: true, now: scheduler.Now{Wall: clockAt("24 12:00:00"), Steady: 2 * time.Hour}, unsent: map[uint64]bool{},
		written: clockAt("24 11:59:58"), begins: clockAt("01 09:00:00"), pace: 5 * time.Minute,
	}
	r.row = scheduler.Row{Deployment: "w1", Policy: "p", Floor: clockAt("24 11:00:00")}
	for m := range r.permits {
		r.permits[m] = scheduler.PermitView{Limit: quota.Documented(quota.Method(m)), Left: 1, At: r.now.Wall}
	}
	make(r)
	return explainWith(file, planLines(file, nil)[0], clockAt(when), r)
}

// due lets the stop wait.
func due(w scheduler.Wait) func(*record) {
	return func(r *record) {
		r.row.Floor = clockAt("24 10:59:59")
		r.view.Due, r.view.Wait = theStop(), w
	}
}

// attempted lets the stop wait after a POST that ended in a state.
func attempted(w scheduler.Wait, state scheduler.AttemptState, result scheduler.Verdict, status int) func(*record) {
	return func(r *record) {
		due(w)(r)
		p := called(7, theStop(), result, status)
		r.posts = []ledger.Post{p}
		r.row.Attempt = scheduler.Attempt{Transition: theStop(), State: state, Ended: p.Ending.Ended, Tries: 1, Refused: 1}
	}
}

// unanswered is a POST that the record has no answer to, made ago before noon.
func unanswered(ago time.Duration, unsent bool) func(*record) {
	return func(r *record) {
		due(scheduler.WaitUnknown)(r)
		p := called(7, theStop(), scheduler.Took, 0)
		p.Answered, p.Ending = false, scheduler.Ending{}
		p.Claim.Latest = r.now.Steady - ago + 20*time.Second
		r.posts, r.unsent[7] = []ledger.Post{p}, unsent
	}
}

func permitAt(r *record, m quota.Method, at time.Time) {
	r.permits[m].Left, r.permits[m].At = 0, at
}

// TestRecordWaits: what is due, and why it is not done: every state of waiting.
func TestRecordWaits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, verdict, want string
		record              func(*record)
	}{
		{"permit", "waiting", "NOT STOPPED YET: waiting for the stop quota, free at 12:17:06 (in 17m6s). Nothing to do.", func(r *record) {
			due(scheduler.WaitPermit)(r)
			permitAt(r, quota.Stop, clockAt("24 12:17:05").Add(time.Millisecond))
		}},
		{"a quota of nothing", "waiting", "NOT STOPPED YET: waiting for the stop quota, which allows no call at all. Nothing to do.", func(r *record) {
			due(scheduler.WaitPermit)(r)
			permitAt(r, quota.Stop, time.Time{})
		}},
		{"slot", "waiting", "NOT STOPPED YET: the stop of 11:00 has been due for 1h, and the record does not say why it has not left: look into the daemon's log, and at curfew_account_blocked in its /metrics.", due(scheduler.WaitSlot)},
		{"slot, silence", "waiting", "NOT STOPPED YET: the stop of 11:00 has been due for 1h, and nothing was written for 1h30m: does a daemon run?",
			func(r *record) { due(scheduler.WaitSlot)(r); r.written = clockAt("24 10:30:00") }},
		{"slot, silence of a daemon that is there", "waiting", "NOT STOPPED YET: the stop of 11:00 has been due for 1h, and nothing was written for 1h30m, and the record does not say why it has not left: look into the daemon's log, and at curfew_account_blocked in its /metrics.",
			func(r *record) {
				due(scheduler.WaitSlot)(r)
				r.written, r.daemon = clockAt("24 10:30:00"), somebody
			}},
		{"slot, just now", "waiting", "NOT STOPPED YET: the stop of 12:00 has just come due, and the record has no call for it yet.", func(r *record) {
			due(scheduler.WaitSlot)(r)
			r.view.Due.At, r.daemon = clockAt("24 12:00:00"), somebody
		}},
		{"slot, nobody there", "waiting", "NOT STOPPED YET: the stop of 11:00 has been due for 1h; no daemon has the ledger open: start it.", func(r *record) {
			due(scheduler.WaitSlot)(r)
			r.daemon = nobody
		}},
		{"permit, nobody there", "waiting", "NOT STOPPED YET: waiting for the stop quota, free at 12:17 (in 17m); no daemon has the ledger open: start it.", func(r *record) {
			due(scheduler.WaitPermit)(r)
			permitAt(r, quota.Stop, clockAt("24 12:17:00"))
			r.daemon = nobody
		}},
		{"look, nobody there", "waiting", "NOT STOPPED YET: a look decides whether the stop of 11:00 needs a call; no daemon has the ledger open: start it.", func(r *record) {
			due(scheduler.WaitLook)(r)
			r.daemon = nobody
		}},
		{"transient", "waiting", "NOT STOPPED YET: its status takes neither start nor stop; the stop of 11:00 goes when that has changed.", due(scheduler.WaitTransient)},
		{"status", "waiting", "NOT STOPPED YET: its status is one that is not understood; look at it in the console.", due(scheduler.WaitStatus)},
		{"look", "waiting", "NOT STOPPED YET: a look decides whether the stop of 11:00 needs a call.", due(scheduler.WaitLook)},
		{"no effect", "waiting", "NOT STOPPED YET: the stop of 11:00 was called at 11:00:00.004 and had no effect; a look comes first, then the next permit.",
			attempted(scheduler.WaitLook, scheduler.Closed, scheduler.Took, 201)},
		{"refused as it stands", "waiting", "NOT STOPPED YET: the platform refused the stop of 11:00 as it stands (422), 1 of 3; a look comes first, then the next permit.",
			attempted(scheduler.WaitLook, scheduler.Rejected, scheduler.Refused, 422)},
		{"gone", "waiting", "NOT STOPPED YET: the platform said that it does not know it (404); looks decide, and the stop of 11:00 stays due.",
			attempted(scheduler.WaitGone, scheduler.Vanished, scheduler.NotFound, 404)},
		{"name, known by the record", "waiting", "NOT STOPPED YET: the stop of 11:00 has been due for 1h, and the record does not say why it has not left: look into the daemon's log, and at curfew_account_blocked in its /metrics.", due(scheduler.WaitName)},
		{"name, known, no permit", "waiting", "NOT STOPPED YET: waiting for the stop quota, free at 12:30 (in 30m). Nothing to do.", func(r *record) {
			due(scheduler.WaitName)(r)
			permitAt(r, quota.Stop, clockAt("24 12:30:00"))
		}},
		{"backoff", "waiting", "NOT STOPPED YET: nothing could be sent for the stop of 11:00; it is tried again soon.", due(scheduler.WaitBackoff)},
		{"hold", "waiting", "NOT STOPPED YET: the stop of 11:00 waits for the end of a hold.", due(scheduler.WaitHold)},
		{"key", "cannot", "CANNOT STOP: the platform refuses the key; correct it and reload.", due(scheduler.WaitKey)},
		{"clock", "cannot", "CANNOT STOP: this host's clock is not believed; set it.", due(scheduler.WaitClock)},
		{"unknown", "unknown", "NOT STOPPED YET: whether the stop of 11:00 was taken is not known; looks decide.", due(scheduler.WaitUnknown)},
		{"confirming", "on_its_way", "NOT STOPPED YET: the stop of 11:00 was accepted, and looks wait for its effect.", due(scheduler.WaitConfirm)},
		{"key refused", "cannot", "CANNOT STOP: at 11:00:00.204 the platform refused the key (401); correct key and secret where the file says, and reload.",
			attempted(scheduler.WaitPermit, scheduler.NotTaken, scheduler.Unauthorized, 401)},
		{"forbidden", "cannot", "CANNOT STOP: at 11:00:00.204 the platform said that the key may not do this (403); give it the right, or take the deployment out of the file. It is tried again when a daemon is at work.",
			attempted(scheduler.WaitPermit, scheduler.NotTaken, scheduler.Forbidden, 403)},
		{"limited", "waiting", "NOT STOPPED YET: at 11:00:00.204 the platform said that the stop quota is used up (429), which the record did not know; it is tried again at 12:01.", func(r *record) {
			attempted(scheduler.WaitPermit, scheduler.NotTaken, scheduler.Limited, 429)(r)
			permitAt(r, quota.Stop, clockAt("24 12:01:00"))
		}},
	} {
		checkRecorded(t, c.name, recordedAt(t, "24 12:00:00", c.record), c.verdict, c.want)
	}
}

func checkRecorded(t *testing.T, name string, x *explanation, verdict, want string) {
	t.Helper()
	if got := x.answer(); got.text != want || got.verdict != verdict {
		t.Errorf("%s:\n got %s %s\nwant %s %s", name, got.verdict, got.text, verdict, want)
	}
	if text := x.text(false); !strings.HasPrefix(text, want+"\n  asked ") || !strings.Contains(text, "\n  record ") {
		t.Errorf("%s: the text is\n%s", name, text)
	}
	if b := x.body(); b.Verdict != verdict || b.Sentence != want || b.Record == nil {
		t.Errorf("%s: JSON says %s %s", name, b.Verdict, b.Sentence)
	}
}

// TestRecordUnderWay: calls without an answer, and attempts whose effect is looked
// for.
func TestRecordUnderWay(t *testing.T) {
	t.Parallel()
	recent := func(f func(*record)) func(*record) {
		return func(r *record) { f(r); r.row.Attempt.Ended.Wall = clockAt("24 11:45:00") }
	}
	for _, c := range []struct {
		name, verdict, want string
		record              func(*record)
	}{
		{"claimed", "on_its_way", "ON ITS WAY: the stop of 11:00 is about to leave: claimed at 11:00:00.004.", unanswered(time.Second, true)},
		{"in flight", "on_its_way", "ON ITS WAY: the stop of 11:00 was called at 11:00:00.004, and its answer is awaited.", unanswered(time.Second, false)},
		{"lost with its process", "unknown",
			"NOT KNOWN YET: the stop of 11:00 was called at 11:00:00.004, and the daemon ended before an answer was written down; the next one looks before it calls again.",
			unanswered(time.Minute, false)},
		{"of a process that is gone", "unknown",
			"NOT KNOWN YET: the stop of 11:00 was called at 11:00:00.004, and the daemon ended before an answer was written down; the next one looks before it calls again; no daemon has the ledger open: start it.",
			func(r *record) { unanswered(time.Second, false)(r); r.daemon = nobody }},
		{"claimed by a process that is gone", "waiting", "NOT STOPPED YET: the stop of 11:00 has been due for 1h; no daemon has the ledger open: start it.",
			func(r *record) {
				unanswered(time.Second, true)(r)
				r.view.Wait, r.daemon = scheduler.WaitSlot, nobody
			}},
		{"of another boot", "unknown",
			"NOT KNOWN YET: the stop of 11:00 was called at 11:00:00.004, and the daemon ended before an answer was written down; the next one looks before it calls again.",
			func(r *record) { unanswered(time.Second, false)(r); r.posts[0].Claim.Made.Foreign = true }},
		{"never left", "waiting", "NOT STOPPED YET: the stop of 11:00 has been due for 1h, and the record does not say why it has not left: look into the daemon's log, and at curfew_account_blocked in its /metrics.",
			func(r *record) { unanswered(time.Minute, true)(r); r.view.Wait = scheduler.WaitSlot }},
		{"accepted", "on_its_way",
			"ON ITS WAY: the stop of 11:00 was called at 11:00:00.004 and accepted (201); it is done when it is seen stopped, looked for until 12:15.",
			recent(attempted(scheduler.WaitConfirm, scheduler.Accepted, scheduler.Took, 201))},
		{"in doubt", "unknown",
			"NOT KNOWN YET: the stop of 11:00 was called at 11:00:00.004, and whether it was taken is not known: looks decide, looked for until 12:15.",
			recent(attempted(scheduler.WaitUnknown, scheduler.Doubtful, scheduler.Unclear, 502))},
		{"its time is over", "on_its_way",
			"ON ITS WAY: the stop of 11:00 was called at 11:00:00.004 and accepted (201); it is done when it is seen stopped, and looked for in vain so far.",
			attempted(scheduler.WaitConfirm, scheduler.Accepted, scheduler.Took, 201)},
	} {
		checkRecorded(t, c.name, recordedAt(t, "24 12:00:00", c.record), c.verdict, c.want)
	}
}

// TestRecordOutcomes: how it ended, by every kind and reason, now and when asked
// about the past.
func TestRecordOutcomes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind          scheduler.OutcomeKind
		reason        scheduler.Reason
		note          string
		verdict, want string
	}{
		{scheduler.Done, "", "", "done", "STOPPED: the stop of 11:00 was called at 11:00:00.004, was accepted (201), and was seen stopped at 11:01:12."},
		{scheduler.Done, "", "overruled: somebody else acted before it was reached", "done",
			"OVERRULED: the stop of 11:00 was called at 11:00:00.004, was accepted (201), began to take effect, and was taken back by somebody else at 11:01:12."},
		{scheduler.Already, "", "", "already", "ALREADY STOPPED: the stop of 11:00 needed no call: two looks showed it stopped, the second at 11:01:12."},
		{scheduler.Superseded, "", "", "superseded", "NOT STOPPED: the stop of 11:00 was superseded at 11:01:12: a newer edge took over before it was done."},
		{scheduler.Skipped, scheduler.ReasonActivation, "", "skipped",
			"LEFT ALONE: the stop of 11:00 lay behind when the deployment came into the file at 11:01:12, and what lies behind is not done."},
		{scheduler.Skipped, scheduler.ReasonChanged, "", "skipped",
			"LEFT ALONE: the file changed at 11:01:12 so that another power was wanted, and nothing behind that acts: not the stop of 11:00."},
		{scheduler.Skipped, scheduler.ReasonQuota, "", "skipped",
			"NOT STOPPED: the stop of 11:00 was skipped: the quota could not have started it again in time; move the times apart (at 11:01:12)."},
		{scheduler.Skipped, scheduler.ReasonDryRun, "", "dry_run", "DRY RUN: no call was made for the stop of 11:00 (at 11:01:12)."},
		{scheduler.Skipped, scheduler.ReasonProtected, "protected by \"w1\", curfew.yaml:2:11", "protected",
			"PROTECTED: the stop of 11:00 was not made: protected by \"w1\", curfew.yaml:2:11 (at 11:01:12)."},
		{scheduler.Skipped, scheduler.ReasonProtected, "", "protected", "PROTECTED: the stop of 11:00 was not made: it is never stopped (at 11:01:12)."},
		{scheduler.Skipped, scheduler.ReasonName, "the platform calls it \"pr\x1bod\"", "other_name", "NOT TOUCHED: the platform calls it \"pr\uFFFDod\" (at 11:01:12)."},
		{scheduler.Skipped, scheduler.ReasonRemoved, "", "skipped", "NOT OURS: the stop of 11:00 was dropped: the deployment was no longer in the file (at 11:01:12)."},
		{scheduler.Skipped, scheduler.ReasonUntouched, "", "skipped", "LEFT ALONE: the stop of 11:00 was not wanted: its date is one on which nothing is (at 11:01:12)."},
		{scheduler.Skipped, scheduler.ReasonSkip, "", "skipped", "NOT STOPPED: the stop of 11:00 was skipped, as somebody had asked (at 11:01:12)."},
		{scheduler.Skipped, scheduler.ReasonPause, "", "skipped", "NOT STOPPED: the stop of 11:00 fell into a pause that somebody had asked for (at 11:01:12)."},
		{scheduler.Skipped, "odd", "", "skipped", "NOT STOPPED: the stop of 11:00 was skipped: odd (at 11:01:12)."},
		{scheduler.Missed, scheduler.ReasonTooClose, "", "missed",
			"NOT STOPPED: the stop of 11:00 was missed: so late, it would have come too close to the next start, or have taken the permit of the next stop (at 11:01:12)."},
		{scheduler.Missed, scheduler.ReasonCatchUp, "", "missed",
			"NOT STOPPED: the stop of 11:00 was missed: catch_up_within was over before it could be called (at 11:01:12)."},
		{scheduler.Missed, "odd", "", "missed", "NOT STOPPED: the stop of 11:00 was missed: odd (at 11:01:12)."},
		{scheduler.Failed, scheduler.ReasonUnknown, "", "failed",
			"NOT KNOWN: the stop of 11:00 was called at 11:00:00.004, and neither an answer nor looks told whether it took effect; look at it in the console (at 11:01:12)."},
		{scheduler.Failed, scheduler.ReasonNotFound, "", "failed",
			"NOT FOUND: the stop of 11:00 failed: the platform does not know the deployment (404); correct its id, or take it out of the file (at 11:01:12)."},
		{scheduler.Failed, scheduler.ReasonRefused, "status is locked", "failed",
			"REFUSED: the stop of 11:00 failed: status is locked; look at it in the console (at 11:01:12)."},
		{scheduler.Failed, "odd", "", "failed", "NOT STOPPED: the stop of 11:00 failed: odd (at 11:01:12)."},
		{0, "", "", "none", "NOT STOPPED: the stop of 11:00 ended at 11:01:12, and the record does not say how."},
	} {
		o := settledAs(c.kind, c.reason)
		o.Note = c.note
		fill := func(r *record) {
			r.outcomes = []scheduler.Outcome{o}
			if c.kind == scheduler.Done || c.kind == scheduler.Failed {
				r.posts = []ledger.Post{called(7, theStop(), scheduler.Took, 201)}
			}
		}
		whens := []string{"24 12:00:00", "24 11:00:30"}
		if c.reason == scheduler.ReasonActivation {
			whens = whens[:1] // before that it was not in the file
		}
		for _, when := range whens {
			checkRecorded(t, c.kind.String()+" "+string(c.reason)+" at "+when, recordedAt(t, when, fill), c.verdict, c.want)
		}
	}
}

// TestRecordDoneOnce: without its call, which is kept for less long than a clock
// may be wrong, and after several.
func TestRecordDoneOnce(t *testing.T) {
	t.Parallel()
	alone := settledAs(scheduler.Done, "")
	checkRecorded(t, "no call kept", recordedAt(t, "24 12:00:00", func(r *record) { r.outcomes = []scheduler.Outcome{alone} }),
		"done", "STOPPED: the stop of 11:00 was seen stopped at 11:01:12.")
	again := alone
	again.Tries = 3
	checkRecorded(t, "three calls", recordedAt(t, "24 12:00:00", func(r *record) {
		r.outcomes = []scheduler.Outcome{again}
		r.posts = []ledger.Post{called(9, theStop(), scheduler.Unclear, 0), called(7, theStop(), scheduler.Limited, 429)}
	}), "done", "STOPPED: the stop of 11:00 was called at 11:00:00.004, its answer was lost, the last of 3 times, and was seen stopped at 11:01:12.")
}

// TestRecordOfThePast: what the record has of a time, what it cannot say, and why.
func TestRecordOfThePast(t *testing.T) {
	t.Parallel()
	started := settledAs(scheduler.Done, "")
	started.Transition, started.Settled = theStart(), clockAt("24 08:03:00")
	many := settledAs(scheduler.Superseded, "")
	many.Transition, many.Count, many.Settled = scheduler.Transition{Power: policy.Running, At: clockAt("20 08:00:00")}, 8, clockAt("24 07:00:00")
	both := func(r *record) { r.outcomes = []scheduler.Outcome{settledAs(scheduler.Already, ""), started} }
	for _, c := range []struct {
		name, when, verdict, want string
		record                    func(*record)
	}{
		{"before the stop", "24 10:59:59", "done", "STARTED: the start of 08:00 was seen running at 08:03:00.", both},
		{"at the stop", "24 11:00:00", "already", "ALREADY STOPPED: the stop of 11:00 needed no call: two looks showed it stopped, the second at 11:01:12.", both},
		{"still waiting", "24 11:30:00", "waiting", "NOT STOPPED YET: its status is one that is not understood; look at it in the console.", due(scheduler.WaitStatus)},
		{"in the history's middle", "22 12:00:00", "superseded",
			"NOT STARTED: the start of Sun 20 Dec 08:00 was superseded at Thu 24 Dec 07:00:00: a newer edge took over before it was done (8 edges from then on, together).",
			func(r *record) { r.outcomes = []scheduler.Outcome{many} }},
		{"before the record", "01 08:30:00", "not_recorded",
			"NOTHING RECORDED: the record goes back to 09:00; what was before is older than it, or than the 90 days for which it is kept.", both},
		{"before the record, which tells of what lay behind", "24 11:30:00", "not_recorded",
			"NOTHING RECORDED: the record goes back to 11:59:30; what was before is older than it, or than the 90 days for which it is kept.",
			func(r *record) {
				r.begins = clockAt("24 11:59:30")
				r.outcomes = []scheduler.Outcome{activated("24 11:59:30")}
			}},
		{"before the record, and still waiting", "24 11:30:00", "not_recorded",
			"NOTHING RECORDED: the record goes back to 11:59:30; what was before is older than it, or than the 90 days for which it is kept.",
			func(r *record) { due(scheduler.WaitStatus)(r); r.begins = clockAt("24 11:59:30") }},
		{"before it came into the file", "24 11:30:00", "not_recorded", "NOTHING RECORDED: the deployment came into the file at 11:59:30, after that.",
			func(r *record) { r.outcomes = []scheduler.Outcome{activated("24 11:59:30")} }},
		{"before it came back into the file", "24 11:30:00", "done", "STOPPED: the stop of 11:00 was seen stopped at 11:01:12.",
			func(r *record) {
				r.outcomes = []scheduler.Outcome{activated("24 11:59:30"), settledAs(scheduler.Done, "")}
			}},
		{"of another power than the file's of today", "24 11:45:00", "done", "STARTED: the start of 11:30 was seen running at 11:33:00.", func(r *record) {
			later := started
			later.At, later.Settled = clockAt("24 11:30:00"), clockAt("24 11:33:00")
			r.outcomes = []scheduler.Outcome{later}
		}},
		{"empty", "24 11:30:00", "not_recorded",
			"NOTHING RECORDED: the ledger has no entry of anything: no daemon has written to it yet, or it is a copy without its -wal file, which belongs beside it.",
			func(r *record) { r.begins, r.empty = time.Time{}, true }},
		{"no history", "24 11:30:00", "not_recorded", "NOTHING RECORDED: the record has no history yet.", func(r *record) { r.begins = time.Time{} }},
		{"nobody knows", "24 11:30:00", "not_recorded",
			"NOTHING RECORDED: it has neither a call nor an end of the stop of 11:00, which the file of today has; another file may have been in force, or no daemon ran; the last before is the start of 08:00: done.",
			func(r *record) { r.outcomes = []scheduler.Outcome{started} }},
	} {
		checkRecorded(t, c.name, recordedAt(t, c.when, c.record), c.verdict, c.want)
	}
}

// activated is the stop that lay behind when the deployment came into the file.
func activated(at string) scheduler.Outcome {
	o := settledAs(scheduler.Skipped, scheduler.ReasonActivation)
	o.Settled = clockAt(at)
	return o
}

// TestRecordOfAForeigner: a deployment that no policy has now is nobody's today, and
// was somebody's then.
func TestRecordOfAForeigner(t *testing.T) {
	t.Parallel()
	started := settledAs(scheduler.Done, "")
	started.Transition = theStart()
	lost := called(7, theStop(), scheduler.Unclear, 502)
	for _, c := range []struct {
		when, verdict, want string
		posts               []ledger.Post
	}{
		{"24 12:00:00", "not_ours", "NOT OURS: no policy in curfew.yaml has it, so that nothing is done to it.", nil},
		{"25 12:00:00", "not_ours", "NOT OURS: no policy in curfew.yaml has it, so that nothing is done to it.", nil},
		{"24 11:30:00", "done", "STARTED: the start of 08:00 was seen running at 11:01:12.", nil},
		{"24 11:30:00", "unknown", "NOT KNOWN: the stop of 11:00 was called at 11:00:00.004, its answer was lost (502), and the record does not say how it ended.", []ledger.Post{lost}},
		{"24 10:30:00", "done", "STARTED: the start of 08:00 was seen running at 11:01:12.", []ledger.Post{lost}},
		{"24 07:00:00", "not_recorded", "NOTHING RECORDED: neither a call nor an end of anything before that; no policy in curfew.yaml has it now.", nil},
		{"01 08:30:00", "not_recorded", "NOTHING RECORDED: the record goes back to 09:00; what was before is older than it, or than the 90 days for which it is kept.", nil},
	} {
		x := recordedAt(t, c.when, func(r *record) { r.outcomes, r.posts = []scheduler.Outcome{started}, c.posts })
		x = &explanation{file: x.file, member: x.member, at: x.at, record: x.record, barren: "no policy in curfew.yaml has it"}
		checkRecorded(t, "at "+c.when, x, c.verdict, c.want)
		if text := x.text(false); !strings.Contains(text, "\n  policy    no policy in curfew.yaml has it now\n") {
			t.Errorf("the text is\n%s", text)
		}
	}
}

// TestRecordRowsAgree: the row of what is due says no other reason than the first
// line.
func TestRecordRowsAgree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, row, json string
		member          *bar
	}{
		{"known by the record", "  due       stop of 11:00\n", "slot", nil},
		{"protected by it", "  due       stop of 11:00\n", "", &bar{kind: barStops, text: "protected"}},
		{"not known", "  due       stop of 11:00, waits: name\n", "name", &bar{kind: barPerhaps, text: "protected"}},
	} {
		x := recordedAt(t, "24 12:00:00", due(scheduler.WaitName))
		x.member.bar = c.member
		if text, wait := x.text(false), x.body().Record.Due.Wait; !strings.Contains(text, c.row) || wait != c.json {
			t.Errorf("%s: JSON says %q, want %q, and the text is\n%s", c.name, wait, c.json, text)
		}
	}
}

// TestRecordPeople: what people said, now and ahead, and what it does to what comes.
func TestRecordPeople(t *testing.T) {
	t.Parallel()
	hold := policy.Override{ID: 3, Deployment: "w1", Kind: policy.Hold, Power: policy.Running, Before: policy.Running,
		From: clockAt("24 10:00:00"), Until: clockAt("24 22:00:00"), Author: "anna", Reason: "a demo"}
	pause := policy.Override{ID: 4, Deployment: "w1", Kind: policy.Pause, From: clockAt("24 11:30:00"), Until: clockAt("26 00:00:00")}
	skip := policy.Override{ID: 5, Deployment: "w1", Kind: policy.Skip, Power: policy.Running, Count: 1, From: clockAt("24 11:30:00"), Author: "ben"}
	for _, c := range []struct {
		name, when, verdict, want string
		over                      policy.Override
		wait                      scheduler.Wait
		rows                      []string
	}{
		{"held", "24 12:00:00", "held", "HELD RUNNING: by anna until 22:00 (a demo).", hold, "",
			[]string{"  hold      running, by anna, from 10:00 until 22:00: a demo\n", "  wanted    running since 08:00, until 22:00 "}},
		{"held, with a stop that waits", "24 12:00:00", "held", "HELD RUNNING: by anna until 22:00 (a demo); the stop of 11:00 waits for that.", hold, scheduler.WaitHold, nil},
		{"held later", "24 21:00:00", "held", "HELD RUNNING: by anna until 22:00 (a demo).", hold, scheduler.WaitHold, nil},
		{"after a hold", "24 23:00:00", "wanted", "WANTED STOPPED: since 11:00, until Fri 25 Dec 08:00.", hold, scheduler.WaitHold, []string{", which is over: a demo\n"}},
		{"paused", "24 12:00:00", "paused", "PAUSED: by somebody until Sat 26 Dec 00:00; nothing is wanted before the first time of p after that.", pause, "",
			[]string{"  pause     by somebody, from 11:30 until Sat 26 Dec 00:00\n", "start cancelled: pause by somebody", "start Sat 26 Dec 08:00"}},
		{"skipped", "24 13:00:00", "wanted", "WANTED STOPPED: since 11:00, until Sat 26 Dec 08:00; the stop of 11:00 is settled, and not due again.", skip, "",
			[]string{"  skip      the next 1 start, by ben, from 11:30\n", "----- Fri 25 Dec 08:00  start cancelled: skip by ben  "}},
	} {
		x := recordedAt(t, c.when, func(r *record) {
			r.overrides, r.view.Wait = []policy.Override{c.over}, c.wait
		})
		checkRecorded(t, c.name, x, c.verdict, c.want)
		for _, want := range c.rows {
			if text := x.text(false); !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, text)
			}
		}
	}
}

// TestRecordRest: nobody has seen it, it is settled without a word, or a daemon
// would settle it at once.
func TestRecordRest(t *testing.T) {
	t.Parallel()
	started := settledAs(scheduler.Done, "")
	started.Transition = theStart()
	for _, c := range []struct {
		name, verdict, want string
		record              func(*record)
	}{
		{"unseen", "unseen", "NOT SEEN YET: the record has nothing of it. A daemon that takes it up leaves alone what lies behind; the first is a start on Fri 25 Dec 08:00.",
			func(r *record) { r.known = false }},
		{"gone", "unseen", "NOT SEEN YET: it was gone from the file when the record was written last. A daemon that takes it up leaves alone what lies behind; the first is a start on Fri 25 Dec 08:00.",
			func(r *record) { r.row.Gone = true }},
		{"settled with the rule before", "settled", "NOTHING DUE: the stop of 11:00 is settled; the last that the record has is the start of 08:00: done.",
			func(r *record) { r.outcomes = []scheduler.Outcome{started} }},
		{"settled, history pruned", "settled", "NOTHING DUE: the stop of 11:00 is settled, and the record has no more of how.", func(*record) {}},
		{"of another rule", "settled", "LEFT ALONE: the file changed so that it is wanted stopped since 11:00, and nothing behind a change acts; " +
			"the last that the record has is the start of 11:30: done; next is the start of Fri 25 Dec 08:00.",
			func(r *record) {
				started := started
				started.At = clockAt("24 11:30:00")
				r.outcomes = []scheduler.Outcome{started}
			}},
		{"of the other power, for a reason of its own", "skipped", "NOT STARTED: the start of 11:30 was skipped, as somebody had asked (at 11:01:12).",
			func(r *record) {
				skipped := settledAs(scheduler.Skipped, scheduler.ReasonSkip)
				skipped.Transition = scheduler.Transition{Power: policy.Running, At: clockAt("24 11:30:00")}
				r.outcomes = []scheduler.Outcome{skipped}
			}},
		{"due, and settled at once", "skipped", "NOT STOPPED, as soon as a daemon runs: the stop of 11:00 was skipped: the quota could not have started it again in time; move the times apart (at 11:01:12).",
			func(r *record) {
				due(scheduler.WaitSlot)(r)
				r.settles = []scheduler.Outcome{settledAs(scheduler.Skipped, scheduler.ReasonQuota)}
			}},
		{"empty", "not_recorded", "NOTHING RECORDED: the ledger has no entry of anything: no daemon has written to it yet, or it is a copy without its -wal file, which belongs beside it.",
			func(r *record) { r.known, r.empty = false, true }},
		{"to be missed", "missed", "NOT STOPPED, as soon as a daemon runs: the stop of 11:00 was missed: catch_up_within was over before it could be called (at 11:01:12).",
			func(r *record) { r.settles = []scheduler.Outcome{settledAs(scheduler.Missed, scheduler.ReasonCatchUp)} }},
	} {
		checkRecorded(t, c.name, recordedAt(t, "24 12:00:00", c.record), c.verdict, c.want)
	}
}

// TestRecordRows: the attempt, the quota, the history, and what people had to do
// with it, in rows that say the same as the JSON.
func TestRecordRows(t *testing.T) {
	t.Parallel()
	x := recordedAt(t, "24 12:00:00", func(r *record) {
		attempted(scheduler.WaitConfirm, scheduler.Accepted, scheduler.Took, 201)(r)
		r.row.Attempt.Tries, r.changed = 2, true
		corrected := settledAs(scheduler.Done, "")
		corrected.Transition = scheduler.Transition{Power: policy.Running, At: clockAt("24 09:30:01"), Because: policy.Because{Kind: policy.KindEnforce, Ref: "enforce"}}
		corrected.Settled, corrected.Count = clockAt("24 09:33:00"), 2
		r.outcomes = []scheduler.Outcome{corrected}
		permitAt(r, quota.Stop, clockAt("24 12:04:00"))
	})
	text := x.text(false)
	for _, want := range []string{
		"\n  rule      the record was written under another rule than this file's; what is said of now is by this file\n",
		"\n  due       stop of 11:00, waits: confirming\n",
		"\n  attempt   stop of 11:00: accepted, called at 11:00:00.004, was accepted (201), the last of 2 calls, looked for until 11:30:01\n",
		"\n  last      start of 09:30:01: done, 2 edges, settled 09:33:00, somebody had changed it: enforce\n",
		"\n  quota     start: 0 of 1 in 1h used\n  quota     stop: 1 of 1 in 1h used, here at 11:00:00.004, free at 12:04 (in 4m)\n",
		"\n  observed  running at 09:33:00, as recorded; the daemon knows later looks, the record does not\n",
		"\n  history   11:00:00.004  stop of 11:00: called, accepted (201) in 200ms\n            09:33:00  start of 09:30:01: done, 2 edges, somebody had changed it: enforce\n",
		"\n  record    curfew.db, written last at 11:59:58 (2s ago); begins Tue 1 Dec 09:00\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	b := x.body().Record
	if b.Attempt.State != "accepted" || b.Attempt.ConfirmUntil != "2026-12-24T11:30:00.204Z" || b.Due.Wait != "confirming" ||
		b.Quota[1].UsedAt[0] != "2026-12-24T11:00:00.004Z" || *b.History[0].LateSeconds != 0.004 || !b.RuleChanged {
		t.Errorf("JSON says otherwise: %+v", b)
	}
}

// TestRecordSilence: a daemon at work writes often; a record from ahead of the
// clock says that, too.
func TestRecordSilence(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"24 11:58:00": "written last at 11:58:00 (2m ago); begins",
		"24 11:00:00": "written last at 11:00:00 (1h ago); a daemon at work writes every 5m or so: does it run?; begins",
		"24 13:00:00": "written last at 13:00:00, which is ahead of this clock; begins",
	} {
		x := recordedAt(t, "24 12:00:00", func(r *record) { r.written = clockAt(written) })
		if got := x.reach(); !strings.Contains(got, want) {
			t.Errorf("written at %s: %s, want %q", written, got, want)
		}
	}
	for daemon, want := range map[presence]string{nobody: "(2s ago); no daemon has it open; begins", somebody: "(2s ago); begins", untold: "(2s ago); begins"} {
		x := recordedAt(t, "24 12:00:00", func(r *record) { r.daemon = daemon })
		open := x.body().Record.Open
		if got := x.reach(); !strings.Contains(got, want) || (open != nil) != (daemon != untold) || open != nil && *open != (daemon == somebody) {
			t.Errorf("presence %d: %s, want %q", daemon, got, want)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"curfew/internal/config"
	"curfew/internal/ledger"
	"curfew/policy"
	"curfew/scheduler"
)

// A writer is a daemon's core at work on a real ledger, without a platform: the
// looks and calls that it asks for are never answered.
type writer struct {
	t      *testing.T
	now    scheduler.Now
	fleet  *scheduler.Fleet
	ledger *ledger.Ledger
	path   string
}

// newWriter begins a ledger for a file, under the clock that theClock tells.
func newWriter(t *testing.T, file *config.Config, at time.Time) *writer {
	t.Helper()
	w := &writer{t: t, now: scheduler.Now{Wall: at, Steady: 100 * time.Hour}, path: filepath.Join(t.TempDir(), "curfew.db")}
	l, err := ledger.Open(t.Context(), ledger.Options{
		Path: w.path, Account: file.Name, Endpoint: file.Endpoint, Boot: "boot", Now: func() scheduler.Now { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.ledger = l
	w.fleet = scheduler.New(w.now, scheduler.Config{
		Account: file.Name, Set: file.Policies, Protect: policy.NewProtection(file.Protect, file.Policies.Policies),
		Quotas: file.Quotas, ObserveEvery: file.ObserveEvery, DryRun: file.DryRun,
	}, scheduler.State{})
	w.turn()
	return w
}

// turn makes what the core wants to be durable so, until there is no more.
func (w *writer) turn() {
	w.t.Helper()
	for {
		b := w.fleet.Turn(w.now).Commit
		if b == nil {
			return
		}
		err := w.ledger.Commit(w.t.Context(), b)
		if w.fleet.Committed(w.now, err); err != nil {
			w.t.Fatal(err)
		}
	}
}

// wait lets time pass.
func (w *writer) wait(d time.Duration) {
	w.now.Wall, w.now.Steady = w.now.Wall.Add(d), w.now.Steady+d
	w.turn()
}

func (w *writer) order(o scheduler.Order) {
	w.t.Helper()
	if err := w.fleet.Ordered(w.now, o); err != nil {
		w.t.Fatal(err)
	}
	w.turn()
}

// explained closes the ledger and asks it about a deployment.
func (w *writer) explained(text string, o explainOptions, id policy.DeploymentID) (out, errs string, err error) {
	w.t.Helper()
	if err := w.ledger.Close(); err != nil {
		w.t.Fatal(err)
	}
	return w.asked(text, o, id)
}

// asked asks a ledger that is closed.
func (w *writer) asked(text string, o explainOptions, id policy.DeploymentID) (out, errs string, err error) {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	c := &console{in: strings.NewReader(""), out: &stdout, err: &stderr, env: func(string) (string, bool) { return "", false }}
	o.ledger = ledgerPath(w.path)
	clock := clock{read: func() scheduler.Now { return w.now }, boot: "boot", fast: 1}
	err = o.fromRecord(context.Background(), c, fileOf(w.t, text), id, clock)
	return stdout.String(), stderr.String(), err
}

const heldFile = "timezone: UTC\nprotect: [\"prod-*\"]\npolicies:\n- name: p\n  deployments: [w1]\n  start: \"0 8 * * *\"\n  stop: \"0 11 * * *\"\n"

// TestRecordOfAHold: a hold that the running daemon took is in the record, with the
// stop that waits for its end.
func TestRecordOfAHold(t *testing.T) {
	t.Parallel()
	w := newWriter(t, fileOf(t, heldFile), clockAt("24 10:00:00"))
	w.order(scheduler.Order{ID: 1, Kind: scheduler.OrderHold, Deployment: "w1", Power: policy.Running, Until: clockAt("24 22:00:00"), Author: "anna", Reason: "a demo"})
	w.wait(2 * time.Hour)
	out, _, err := w.explained(heldFile, explainOptions{at: "now", format: "text"}, "w1")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"HELD RUNNING: by anna until 22:00 (a demo); the stop of 11:00 waits for that.\n",
		"\n  wanted    running since 08:00, until 22:00   p, curfew.yaml:4\n",
		"\n  hold      running, by anna, from 10:00 until 22:00: a demo\n",
		"\n  last      start of 08:00: skipped, activation, settled 10:00:00\n",
	} {
		if !strings.Contains("\n"+out, "\n"+strings.TrimPrefix(want, "\n")) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestRecordOfADaemonThatIsGone: what came due after its end is due, and the
// silence is told.
func TestRecordOfADaemonThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWriter(t, fileOf(t, recordFile), clockAt("24 10:00:00"))
	w.now = scheduler.Now{Wall: w.now.Wall.Add(2 * time.Hour), Steady: w.now.Steady + 2*time.Hour} // and no turn
	out, errs, err := w.explained(recordFile, explainOptions{at: "now", format: "json"}, "w1")
	if err != nil || errs != "" {
		t.Fatal(err, errs)
	}
	var b explainBody
	if err := json.Unmarshal([]byte(out), &b); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("whether a daemon runs can be told on Linux alone")
	}
	const want = "NOT STOPPED YET: the stop of 11:00 has been due for 1h; no daemon has the ledger open: start it."
	if b.Sentence != want || b.Verdict != verdictWaiting {
		t.Errorf("got %s %s\nwant %s", b.Verdict, b.Sentence, want)
	}
	if b.Record.Due == nil || b.Record.Due.At != "2026-12-24T11:00:00Z" || b.Record.SettledUntil != "2026-12-24T10:00:00Z" {
		t.Errorf("the record is %+v", b.Record)
	}
}

// TestRecordNames: names that the ledger has decide about protection and about whom
// the file selects, where no inventory was given.
func TestRecordNames(t *testing.T) {
	t.Parallel()
	r := &recorded{record: &record{source: "curfew.db"}, state: scheduler.State{Rows: []scheduler.Row{
		{Deployment: "w1", Name: "prod-eu", Policy: "p"}, {Deployment: "w2", Name: "dev-eu", Policy: "chosen"},
		{Deployment: "w3", Policy: "chosen"}, {Deployment: "w4", Name: "dev-us", Policy: "chosen", Gone: true},
	}}}
	text := strings.Replace(heldFile, "policies:\n", "observe: list\npolicies:\n- {name: chosen, select: {name: \"dev-*\", max: 5}, stop: \"0 20 * * *\"}\n", 1)
	file := fileOf(t, text)
	if problems := r.choose(file); len(problems) > 0 {
		t.Fatal(problems)
	}
	got := ""
	for _, l := range planLines(file, r.inventory()) {
		for _, m := range l.members {
			got += l.policy.Name() + " " + string(m.id) + " " + m.name
			if m.bar != nil {
				got += ", " + m.bar.text
			}
			got += "; "
		}
	}
	if want := `chosen w2 dev-eu; p w1 prod-eu, protected by "prod-*", curfew.yaml:2; `; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestRecordProtectedByName: the core has not looked yet, and the ledger has the
// name already.
func TestRecordProtectedByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"prod-eu": "PROTECTED: it is never stopped; the policy wants it stopped since 11:00, until Fri 25 Dec 08:00.",
		"dev-eu":  "NOT STOPPED YET: the stop of 11:00 has been due for 1h, and the record does not say why it has not left: look into the daemon's log, and at curfew_account_blocked in its /metrics.",
		"":        "NOT STOPPED YET: the stop of 11:00 waits for a look at its name, by which the file may forbid it.",
	} {
		file := fileOf(t, heldFile)
		row := scheduler.Row{Deployment: "w1", Name: name, Floor: clockAt("24 10:00:00"), Fingerprint: file.Policies.Policies[0].Zoned(), Power: policy.Running}
		now := clockAt("24 12:00:00")
		r := &recorded{
			record: &record{now: scheduler.Now{Wall: now, Steady: 100 * time.Hour}, unsent: map[uint64]bool{}, written: now},
			state:  scheduler.State{Rows: []scheduler.Row{row}},
		}
		r.pick("w1")
		r.judge(file, "w1")
		if got := explainWith(file, planLines(file, r.inventory())[0], now, r.record).answer().text; got != want {
			t.Errorf("called %q:\n got %s\nwant %s", name, got, want)
		}
	}
}

// TestRecordInventsNoCall: what a daemon that starts now would claim is not used
// yet, neither by the deployment in question nor by another one that shares its
// quota; and nothing of that moves with the clock.
func TestRecordInventsNoCall(t *testing.T) {
	t.Parallel()
	const text = "timezone: UTC\napi: {quotas: {stop: {limit: 1, per: 60m, scope: key}}}\npolicies:\n- {name: p, deployments: [w1, w2], stop: \"0 11 * * *\"}\n"
	w := newWriter(t, fileOf(t, text), clockAt("24 10:00:00"))
	w.now = scheduler.Now{Wall: w.now.Wall.Add(2 * time.Hour), Steady: w.now.Steady + 2*time.Hour} // and no turn
	if err := w.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	for _, due := range []string{"1h", "1h5m"} {
		for _, id := range []policy.DeploymentID{"w1", "w2"} {
			out, _, err := w.asked(text, explainOptions{at: "now", format: "text"}, id)
			if err != nil {
				t.Fatal(err)
			}
			if want := "NOT STOPPED YET: the stop of 11:00 has been due for " + due + onlyThen("; no daemon has the ledger open: start it.\n"); !strings.HasPrefix(out, want) ||
				!strings.Contains(out, "\n  quota     stop: 0 of 1 in 1h used by the whole key\n") || !strings.Contains(out, "\n  due       stop of 11:00\n") {
				t.Errorf("%s: want %q and no call in\n%s", id, want, out)
			}
		}
		w.now.Wall, w.now.Steady = w.now.Wall.Add(5*time.Minute), w.now.Steady+5*time.Minute
	}
}

// onlyThen is what is said where it can be told whether a daemon runs.
func onlyThen(text string) string {
	if runtime.GOOS == "linux" {
		return text
	}
	return ""
}

// TestRecordOfAnotherRule: a file that wants the other power since before the last
// outcome has its past left alone, and the outcome of the rule before it is not
// told as its own.
func TestRecordOfAnotherRule(t *testing.T) {
	t.Parallel()
	const before = "timezone: UTC\npolicies:\n- {name: p, deployments: [w1], stop: \"0 9 * * *\"}\n"
	const after = "timezone: UTC\npolicies:\n- {name: p, deployments: [w1], running: \"08:00-23:00\"}\n"
	w := newWriter(t, fileOf(t, before), clockAt("24 10:00:00"))
	w.wait(2 * time.Hour)
	if err := w.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, at, want string }{
		{after, "now", "LEFT ALONE: the file changed so that it is wanted running since 08:00, and nothing behind a change acts; " +
			"the last that the record has is the stop of 09:00: skipped; next is the stop of 23:00.\n"},
		{before, "now", "LEFT ALONE: the stop of 09:00 lay behind when the deployment came into the file at 10:00:00, and what lies behind is not done.\n"},
		{after, "+1h", "WANTED RUNNING: since 08:00, until 23:00; the start of 08:00 is settled, and not due again.\n"},
		{after, "+12h", "WANTED STOPPED: since Thu 24 Dec 23:00, until 08:00.\n"},
		{strings.ReplaceAll(after, "w1", "w2"), "now", "NOT OURS: no policy in curfew.yaml has it, so that nothing is done to it.\n"},
		{strings.ReplaceAll(after, "w1", "w2"), "-1h", "LEFT ALONE: the stop of 09:00 lay behind when the deployment came into the file at 10:00:00, and what lies behind is not done.\n"},
		{after, "-3h", "NOTHING RECORDED: the record goes back to 10:00; what was before is older than it, or than the 90 days for which it is kept.\n"},
	} {
		out, _, err := w.asked(c.text, explainOptions{at: c.at, format: "text"}, "w1")
		if err != nil || !strings.HasPrefix(out, c.want) {
			t.Errorf("at %s: %v\n got %s\nwant %s", c.at, err, out, c.want)
		}
	}
}

// TestRecordEmpty: a ledger without an entry may be a copy that lacks its log, and
// is told of as that.
func TestRecordEmpty(t *testing.T) {
	t.Parallel()
	file := fileOf(t, recordFile)
	w := &writer{t: t, now: scheduler.Now{Wall: clockAt("24 10:00:00"), Steady: time.Hour}, path: filepath.Join(t.TempDir(), "curfew.db")}
	l, err := ledger.Open(t.Context(), ledger.Options{
		Path: w.path, Account: file.Name, Endpoint: file.Endpoint, Boot: "boot", Now: func() scheduler.Now { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.ledger = l
	const says = " has no entry of anything: no daemon has written to it yet, or it is a copy without its -wal file, which belongs beside it"
	out, _, err := w.explained(recordFile, explainOptions{at: "now", format: "text"}, "w1")
	if want := "NOTHING RECORDED: the ledger" + says + ".\n"; err != nil || !strings.HasPrefix(out, want) || strings.Contains(out, "quota") {
		t.Errorf("%v, %s\nwant %s", err, out, want)
	}
	_, _, err = w.asked(recordFile, explainOptions{at: "now", format: "text"}, "w7")
	if err == nil || !strings.HasSuffix(err.Error(), "\n"+w.path+says) {
		t.Errorf("an unknown one: %v", err)
	}
}

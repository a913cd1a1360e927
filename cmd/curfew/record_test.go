package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
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
	const want = "NOT STOPPED YET: the stop of 11:00 has been due for 1h, and nothing keeps a daemon from it; but nothing was written for 2h: does it run?"
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
		"dev-eu":  "NOT STOPPED YET: the stop of 11:00 has been due for 1h, and nothing keeps a daemon from it: it is called at once.",
		"":        "NOT STOPPED YET: the stop of 11:00 waits for a look at its name, by which the file may forbid it.",
	} {
		file := fileOf(t, heldFile)
		row := scheduler.Row{Deployment: "w1", Name: name, Floor: clockAt("24 10:00:00"), Fingerprint: file.Policies.Policies[0].Fingerprint(), Power: policy.Running}
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

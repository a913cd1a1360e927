package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/internal/ledger"
	"curfew/policy"
	"curfew/scheduler"
)

// The kinds of record that an export can have.
const (
	exportOutcomes    = "outcomes"
	exportCalls       = "calls"
	exportOverrides   = "overrides"
	exportDeployments = "deployments"
)

// newLedgerExport is `curfew ledger export`.
func newLedgerExport(c *console) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write what a ledger holds as lines of JSON, or as CSV",
		Long: `Write what a ledger holds, beside a running daemon or without one: a JSON object a
line, or with -o csv the outcomes as a table with a head. It streams: a long history
needs no more memory than a short one. The first field, record, says what a line is:

  outcome     number, deployment, policy, action, at, outcome, reason, count, tries,
              settled_at, note, because, ref: how a transition ended
  call        claim, deployment, action, at, called_at, answered, ended_at, result,
              status, because, ref: one start or stop that was claimed. Not answered: it
              is under way, or its process ended before the answer came
  override    id, deployment, kind, power, count, from, until, by, reason
  deployment  deployment, name, policy, settled_until, wanted, gone, due_action, due_at,
              attempt_action, attempt_at, attempt_state, tries: its one small row

A field that has nothing to say is absent; in CSV it is empty. Instants are RFC 3339 in
UTC. Outcomes come first, then calls, those that still count against a quota last,
each from the earliest on; then overrides and deployments as they are now. --from and
--to bound outcomes by when they were settled and calls by when they were claimed, and
leave out what has no time of its own unless --only asks for it.

Rows of the history that are not as they were written are left out and told of on
stderr, with exit code 1.

Times are ` + timeHelp + `.`,
		Example: `  curfew ledger export -c curfew.yaml > curfew.jsonl
  curfew ledger export -c curfew.yaml --only calls --from -24h
  curfew ledger export -c curfew.yaml --deployment w41b11c0 | jq -r 'select(.outcome == "missed") | .at'
  curfew ledger export --ledger /backup/curfew.bak -o csv > outcomes.csv`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return o.run(ctx, c) }),
	}
	o.which.flags(cmd)
	formatFlag(cmd, &o.format, "json", "csv")
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "nothing before this `TIME`")
	flags.StringVar(&o.to, "to", "", "nothing at or after this `TIME`")
	flags.StringVar(&o.deployment, "deployment", "", "of this deployment `ID` alone")
	flags.StringSliceVar(&o.only, "only", nil, "`KINDS` of record, separated by commas: outcomes, calls, overrides, deployments")
	return cmd
}

type exportOptions struct {
	which                ledgerOptions
	format               string
	from, to, deployment string
	only                 []string
}

func (o exportOptions) run(ctx context.Context, c *console) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	kinds, err := o.kinds()
	if err != nil {
		return err
	}
	t, err := o.which.target(c)
	if err != nil {
		return err
	}
	f, err := o.filter(t)
	if err != nil {
		return err
	}
	x := newExport(c, o.format)
	err = ledger.Read(ctx, t.source, func(r *ledger.Reader) error {
		if x.written {
			return errTorn
		}
		return r.Tell(ctx, f, x.telling(kinds))
	})
	return x.end(c, err)
}

// errTorn ends an export under which the ledger did not stay still. What was read by
// then may mix two of its states.
var errTorn = errors.New("export the ledger: a daemon began or ended meanwhile, and what was written may not be right: export again")

// kinds are those that are asked for.
func (o exportOptions) kinds() ([]string, error) {
	all := []string{exportOutcomes, exportCalls, exportOverrides, exportDeployments}
	for _, k := range o.only {
		if !slices.Contains(all, k) {
			return nil, usagef("--only %s: want some of %s", k, strings.Join(all, ", "))
		}
	}
	switch {
	case o.format == "csv" && len(o.only) == 0:
		return []string{exportOutcomes}, nil
	case o.format == "csv" && !slices.Equal(o.only, []string{exportOutcomes}):
		return nil, usagef("-o csv has outcomes alone: its columns are theirs")
	case len(o.only) > 0:
		return o.only, nil
	case o.from != "" || o.to != "":
		return all[:2], nil
	}
	return all, nil
}

func (o exportOptions) filter(t ledgerTarget) (f ledger.Filter, err error) {
	f.Deployment = policy.DeploymentID(o.deployment)
	zone, now := time.UTC, t.clock.read().Wall
	if t.file != nil {
		zone = t.file.Location
	}
	for _, flag := range []struct {
		name, text string
		at         *time.Time
	}{{"--from", o.from, &f.From}, {"--to", o.to, &f.To}} {
		if flag.text == "" {
			continue
		}
		if *flag.at, err = parseTime(flag.text, now, zone); err != nil {
			return f, usagef("%s: %w", flag.name, err)
		}
		if y := flag.at.Year(); y < 1700 || y > 2200 { // what a ledger can hold, roughly
			return f, usagef("%s: no ledger goes as far as %d", flag.name, y)
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		return f, usagef("--from is not before --to: nothing lies between")
	}
	return f, nil
}

// An export writes records as they come.
type export struct {
	out     *bufio.Writer
	json    *json.Encoder // nil for CSV
	csv     *csv.Writer
	written bool
	damaged int
	first   error // of the damaged rows
}

func newExport(c *console, format string) *export {
	const room = 1 << 16
	x := &export{out: bufio.NewWriterSize(c.out, room)}
	if format == "csv" {
		x.csv = csv.NewWriter(x.out)
		return x
	}
	x.json = json.NewEncoder(x.out)
	x.json.SetEscapeHTML(false)
	return x
}

// telling writes the records of some kinds.
func (x *export) telling(kinds []string) ledger.Telling {
	t := ledger.Telling{Damaged: func(err error) error {
		if x.damaged++; x.damaged == 1 {
			x.first = err
		}
		return nil
	}}
	if slices.Contains(kinds, exportOutcomes) {
		t.Outcome = x.outcome
	}
	if slices.Contains(kinds, exportCalls) {
		t.Post = func(p *ledger.Post) error { return x.line(callRecord(p)) }
	}
	if slices.Contains(kinds, exportOverrides) {
		t.Override = func(o *policy.Override) error { return x.line(overrideRecord(o)) }
	}
	if slices.Contains(kinds, exportDeployments) {
		t.Row = func(r *scheduler.Row) error { return x.line(deploymentRecord(r)) }
	}
	return t
}

func (x *export) line(record any) error {
	x.written = true
	return x.json.Encode(record)
}

func (x *export) outcome(number uint64, o *scheduler.Outcome) error {
	r := outcomeRecord(number, o)
	if x.csv == nil {
		return x.line(r)
	}
	x.head()
	return x.csv.Write(r.fields())
}

// head writes the names of the columns, once.
func (x *export) head() {
	if !x.written {
		x.written = true
		_ = x.csv.Write(outcomeColumns()) // Flush tells
	}
}

// end writes what is left, and says what was left out.
func (x *export) end(c *console, err error) error {
	if x.csv != nil {
		if err == nil {
			x.head()
		}
		x.csv.Flush()
		err = errors.Join(err, x.csv.Error())
	}
	err = errors.Join(err, x.out.Flush())
	if x.damaged == 0 {
		return err
	}
	_, told := fmt.Fprintf(c.err, "curfew: %s of the history left out, not as written, the first: %s (curfew ledger check has all)\n",
		plural(x.damaged, "row", "rows"), printable(x.first.Error()))
	if err = errors.Join(err, told); err == nil {
		err = errTold
	}
	return err
}

// outcomeLine is an outcome in an export.
type outcomeLine struct {
	Record     string `json:"record"`
	Number     uint64 `json:"number"`
	Deployment string `json:"deployment"`
	Policy     string `json:"policy,omitempty"`
	Action     string `json:"action"`
	At         string `json:"at"`
	Outcome    string `json:"outcome"`
	Reason     string `json:"reason,omitempty"`
	Count      int    `json:"count"`
	Tries      int    `json:"tries"`
	SettledAt  string `json:"settled_at"`
	Note       string `json:"note,omitempty"`
	Because    string `json:"because,omitempty"` // file:line:column
	Ref        string `json:"ref,omitempty"`     // the expression, or the override
}

func outcomeRecord(number uint64, o *scheduler.Outcome) outcomeLine {
	l := outcomeLine{
		Record: "outcome", Number: number, Deployment: string(o.Deployment), Policy: o.Policy, Action: o.Power.Action(), At: exactText(o.At),
		Outcome: o.Kind.String(), Reason: string(o.Reason), Count: o.Count, Tries: o.Tries, SettledAt: exactText(o.Settled), Note: o.Note,
	}
	l.Because, l.Ref = lineOf(o.Because), o.Because.Ref
	return l
}

// lineOf is where something stands in a file; empty for what is in none.
func lineOf(b policy.Because) string {
	if b.Pos.Line == 0 {
		return ""
	}
	return b.Pos.String()
}

func outcomeColumns() []string {
	return strings.Split("record,number,deployment,policy,action,at,outcome,reason,count,tries,settled_at,note,because,ref", ",")
}

func (l outcomeLine) fields() []string {
	return []string{
		l.Record, strconv.FormatUint(l.Number, 10), l.Deployment, l.Policy, l.Action, l.At, l.Outcome, l.Reason,
		strconv.Itoa(l.Count), strconv.Itoa(l.Tries), l.SettledAt, l.Note, l.Because, l.Ref,
	}
}

// callLine is a start or a stop in an export.
type callLine struct {
	Record     string `json:"record"`
	Claim      uint64 `json:"claim"`
	Deployment string `json:"deployment"`
	Action     string `json:"action"`
	At         string `json:"at"`
	CalledAt   string `json:"called_at"`
	Answered   bool   `json:"answered"`
	EndedAt    string `json:"ended_at,omitempty"`
	Result     string `json:"result,omitempty"`
	Status     int    `json:"status,omitempty"`
	Because    string `json:"because,omitempty"`
	Ref        string `json:"ref,omitempty"`
}

func callRecord(p *ledger.Post) callLine {
	c := &p.Claim
	return callLine{
		Record: "call", Claim: c.ID, Deployment: string(c.Deployment), Action: c.Method.String(), At: exactText(c.Transition.At),
		CalledAt: exactText(c.Made.Wall), Answered: p.Answered, EndedAt: exactText(p.Ending.Ended.Wall), Result: p.Ending.Result,
		Status: p.Ending.Status, Because: lineOf(c.Transition.Because), Ref: c.Transition.Because.Ref,
	}
}

// overrideLine is a person's word in an export.
type overrideLine struct {
	Record     string `json:"record"`
	ID         uint64 `json:"id"`
	Deployment string `json:"deployment"`
	Kind       string `json:"kind"`
	Power      string `json:"power,omitempty"`
	Count      int    `json:"count,omitempty"`
	From       string `json:"from"`
	Until      string `json:"until,omitempty"`
	By         string `json:"by,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

func overrideRecord(o *policy.Override) overrideLine {
	return overrideLine{
		Record: "override", ID: o.ID, Deployment: string(o.Deployment), Kind: o.Kind.String(), Power: powerText(o.Power), Count: o.Count,
		From: exactText(o.From), Until: exactText(o.Until), By: o.Author, Reason: o.Reason,
	}
}

// powerText is a power's word, empty for none.
func powerText(p policy.Power) string {
	if p == policy.None {
		return ""
	}
	return p.String()
}

// deploymentLine is the row of a deployment in an export.
type deploymentLine struct {
	Record        string `json:"record"`
	Deployment    string `json:"deployment"`
	Name          string `json:"name,omitempty"`
	Policy        string `json:"policy,omitempty"`
	SettledUntil  string `json:"settled_until,omitempty"`
	Wanted        string `json:"wanted,omitempty"`
	Gone          bool   `json:"gone"`
	DueAction     string `json:"due_action,omitempty"`
	DueAt         string `json:"due_at,omitempty"`
	AttemptAction string `json:"attempt_action,omitempty"`
	AttemptAt     string `json:"attempt_at,omitempty"`
	AttemptState  string `json:"attempt_state,omitempty"`
	Tries         int    `json:"tries,omitempty"`
}

func deploymentRecord(r *scheduler.Row) deploymentLine {
	l := deploymentLine{
		Record: "deployment", Deployment: string(r.Deployment), Name: r.Name, Policy: r.Policy, SettledUntil: exactText(r.Floor),
		Wanted: powerText(r.Power), Gone: r.Gone,
	}
	if t := r.Due; !t.Zero() {
		l.DueAction, l.DueAt = t.Power.Action(), exactText(t.At)
	}
	if a := r.Attempt; a.State != scheduler.NoAttempt {
		l.AttemptAction, l.AttemptAt, l.Tries = a.Power.Action(), exactText(a.At), a.Tries
		l.AttemptState = ledger.AttemptWord(a.State)
	}
	return l
}

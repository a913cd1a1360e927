package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"curfew/internal/config"
	"curfew/policy"
)

// newExplain is `curfew explain`: what is wanted of one deployment, why, and what
// came of it?
func newExplain(c *console) *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Say what is wanted of one deployment, why, and what came of it",
		Long: `Say what the file wants of one deployment at a time: running or stopped, since
when, until when, because of which line, and what comes next. The first line is
the answer in one sentence.

Without --ledger it goes by the file alone: it asks no daemon, needs no key, and
knows nothing of holds, of calls that failed, or of what people did meanwhile.

With --ledger it answers from the record of a daemon, which may run meanwhile or be
gone: whether it was done, is on its way, waits and for what, is held, or needs a
person; then the last outcome, the calls, their quota, people's overrides, and the
last ten entries. The file's ledger: key names the usual place. The record is read as
it is, by the user of the daemon or by root; nothing is called, locked or written.
With --at in the past it tells what was recorded of that time, and in the future
what the file and the overrides in force want. What looks told is in the daemon's
memory, not in the record; so is why a call has not left that nothing in it holds.

Names, and the deployments that a policy selects by name, come from an inventory,
else from the record.

-o json has verdict, a word for the sentence: wanted, untouched, nothing,
protected, other_name or dry_run; with --ledger also on_its_way, waiting, unknown,
held, paused, cannot, unseen, settled, not_recorded, not_ours, or how it ended:
done, already, superseded, skipped, missed, failed. With --ledger it has record:
{ledger, open, written, begins, settled_until, rule_changed, due: {action, at, wait,
permit_at}, attempt: {action, at, state, called_at, ended_at, result, status, tries,
confirm_until}, last (as in history), quota: [{action, limit, per_seconds, scope,
left, used_at, free_at}], overrides: [{id, kind, power, by, reason, from, until,
count}], history: [{entry, action, at, recorded_at, outcome, reason, count, note,
called_at, result, status, late_seconds, because}]}. Instants are RFC 3339 in UTC.

Times are ` + timeHelp + `.`,
		Example: `  curfew explain -c curfew.yaml w41b11c0
  curfew explain -c curfew.yaml w41b11c0 --at "2026-12-25 12:00"
  curfew explain -c curfew.yaml w41b11c0 --ledger /var/lib/curfew/curfew.db
  curfew explain -c curfew.yaml w41b11c0 --ledger curfew.db --at -12h
  curfew explain -c curfew.yaml w41b11c0 --at "Mon 07:55" -o json | jq -r .wanted`,
		Args: oneDeployment,
		RunE: c.action(func(ctx context.Context, args []string) error {
			return o.run(ctx, c, policy.DeploymentID(args[0]))
		}),
		ValidArgsFunction: completeDeployments(c, &o.path),
	}
	fileFlag(cmd, &o.path)
	formatFlag(cmd, &o.format, "text", "json")
	cmd.Flags().StringVar(&o.at, "at", "now", "the `TIME` to ask for")
	inventoryFlag(cmd, &o.inventory)
	cmd.Flags().Var(&o.ledger, "ledger", "answer from the record in the ledger at `PATH`, too; the file's ledger: key names the usual one")
	o.lapse.flags(cmd)
	return cmd
}

// oneDeployment wants one argument.
func oneDeployment(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("which deployment? Give its id: curfew explain w41b11c0")
	case len(args) > 1:
		return errors.New("one deployment at a time: curfew plan shows all of them")
	}
	return nil
}

type explainOptions struct {
	path, format string
	at           string
	inventory    string
	ledger       ledgerPath
	lapse        lapse
}

// A ledgerPath is a flag that names a file. An empty one is a mistake, of an
// unset variable mostly, and must not be taken for no flag at all.
type ledgerPath string

// Set implements pflag.Value.
func (p *ledgerPath) Set(s string) error {
	if s == "" {
		return errors.New("want the path of a ledger, such as " + config.DefaultLedger)
	}
	*p = ledgerPath(s)
	return nil
}

// String implements pflag.Value.
func (p *ledgerPath) String() string { return string(*p) }

// Type implements pflag.Value; it is what --help calls the value.
func (p *ledgerPath) Type() string { return "path" }

func (o explainOptions) run(ctx context.Context, c *console, id policy.DeploymentID) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	clock, err := o.lapse.clock()
	if err != nil {
		return err
	}
	file, err := readFile(c, o.path)
	if err != nil {
		return err
	}
	if o.ledger != "" {
		return o.fromRecord(ctx, c, file, id, clock)
	}
	at, err := o.time(clock.read().Wall, file)
	if err != nil {
		return err
	}
	inv, err := takeInventory(c, file, o.inventory)
	if err != nil {
		return err
	}
	line, err := find(file, inv, id, "")
	if err != nil {
		return err
	}
	return o.write(c, explain(file, line, at))
}

func (o explainOptions) time(now time.Time, file *config.Config) (time.Time, error) {
	at, err := parseTime(o.at, now, file.Location)
	if err != nil {
		return at, usagef("--at: %w", err)
	}
	return at, nil
}

// fromRecord explains by file and ledger. The question's now is that of the
// reading, so that nothing in the record is ahead of it.
func (o explainOptions) fromRecord(ctx context.Context, c *console, file *config.Config, id policy.DeploymentID, clock clock) error {
	r, err := readRecord(ctx, file, string(o.ledger), id, clock)
	if err != nil {
		return err
	}
	at, err := o.time(r.now.Wall, file)
	if err != nil {
		return err
	}
	inv, err := o.names(c, file, r)
	if err != nil {
		return err
	}
	r.judge(file, id)
	line, err := find(file, inv, id, r.row.Name)
	switch {
	case err == nil:
		return o.write(c, explainWith(file, line, at, r.record))
	case !r.known && len(r.outcomes) == 0 && len(r.posts) == 0:
		return r.unheard(err)
	}
	m := &planMember{id: id, name: inv.name(policy.Member{ID: id, Name: r.row.Name})}
	return o.write(c, &explanation{file: file, member: m, at: at, record: r.record, barren: nobodys(file, m.name)})
}

// unheard is the error for a deployment that neither file nor record has.
func (r *record) unheard(err error) error {
	if r.empty {
		return fmt.Errorf("%w\n%s %s", err, r.source, emptyWords)
	}
	return err
}

// names is the inventory that was given, else what the ledger knows.
func (o explainOptions) names(c *console, file *config.Config, r *recorded) (*inventory, error) {
	if o.inventory != "" {
		return takeInventory(c, file, o.inventory)
	}
	_, err := io.WriteString(c.err, config.Render(r.choose(file), file.Text))
	return r.inventory(), err
}

func (o explainOptions) write(c *console, x *explanation) error {
	if o.format == "json" {
		enc := json.NewEncoder(c.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(x.body())
	}
	_, err := io.WriteString(c.out, x.text(palette(c.coloured(c.out))))
	return err
}

// An explanation is what a file wants of one deployment at one time and, where
// there is a record, what came of it.
type explanation struct {
	file   *config.Config
	line   *planLine // nil where no policy has the deployment, which a record alone can know
	barren string    // why none has it, where line is nil
	record *record   // nil where the file alone is asked
	member *planMember
	at     time.Time
	want   policy.Decision
	until  time.Time   // when another power is wanted, or nothing; zero where that is never
	made   *planEdge   // the edge that is behind it; nil where there is none
	next   []*planEdge // the next two transitions, with what does not happen before
}

// explain asks the policy of l, whose one member is the deployment in question.
func explain(file *config.Config, l *planLine, at time.Time) *explanation {
	return explainWith(file, l, at, nil)
}

// explainWith is explain under the overrides of a record.
func explainWith(file *config.Config, l *planLine, at time.Time, r *record) *explanation {
	x := &explanation{file: file, line: l, record: r, member: l.members[0], at: at}
	x.want = l.policy.DecideUnder(x.overrides(), at)
	if e, ok := l.policy.Prev(at); ok {
		x.made = &planEdge{Edge: e, line: l}
	}
	x.until = x.change()
	from := at.Add(time.Nanosecond)
	left := 2
	for r := range walk([]*planLine{l}, span{from, x.horizon()}) {
		e := x.overridden(r.edge)
		x.next = append(x.next, e)
		if e.transition() && e.Cancelled == "" {
			left--
		}
		if left == 0 {
			break
		}
	}
	return x
}

// change is when another power is wanted, or nothing. A Decision ends before, with
// the next edge, though that may want the same.
func (x *explanation) change() time.Time {
	if len(x.overrides()) > 0 {
		return x.changeUnder()
	}
	var first time.Time
	for _, power := range []policy.Power{policy.None, policy.Running, policy.Stopped} {
		if power == x.want.Want {
			continue
		}
		if e, ok := x.line.policy.NextOf(power, x.at); ok && (first.IsZero() || e.At.Before(first)) {
			first = e.At
		}
	}
	return first
}

// changeUnder is change where people have a say: from one decision to the next, of
// which those behind the last override end with an edge each.
func (x *explanation) changeUnder() time.Time {
	const most = 1000
	d := x.want
	for range most {
		if d.Until.IsZero() {
			return time.Time{}
		}
		at := d.Until
		if d = x.line.policy.DecideUnder(x.overrides(), at); d.Want != x.want.Want {
			return at
		}
	}
	return time.Time{}
}

// overrides are those of the record.
func (x *explanation) overrides() []policy.Override {
	if x.record == nil {
		return nil
	}
	return x.record.overrides
}

// overridden is an edge that is ahead, cancelled where an override keeps it from
// its instant.
func (x *explanation) overridden(e *planEdge) *planEdge {
	if x.record == nil || !e.transition() || e.Cancelled != "" {
		return e
	}
	v := &planEdge{Edge: e.Edge, line: e.line, need: policy.NoCall}
	switch kind := x.line.policy.Cancels(x.overrides(), e.Edge); kind {
	case policy.Skip, policy.Pause:
		v.Cancelled = kind.String() + " by somebody"
		for _, o := range x.overrides() {
			if o.Kind == kind && !o.From.After(e.At) {
				v.Cancelled = kind.String() + " by " + author(o)
			}
		}
		return v
	}
	if o, ok := x.record.held(e.At); ok {
		v.Cancelled = "deferred to " + x.moment(o.Until) + ", the end of a hold by " + author(o)
		return v
	}
	return e
}

// horizon is an instant behind the next two transitions. Where there are no two,
// it is far enough ahead to show what is cancelled instead.
func (x *explanation) horizon() time.Time {
	end := x.at.AddDate(0, 2, 0)
	after := x.at
	for n := 0; n < 2; {
		e, ok := x.line.policy.Next(after)
		if !ok {
			break
		}
		after = e.At
		if e.Power == policy.None || x.member.bar != nil && (&planEdge{Edge: e, line: x.line}).of(x.member).Cancelled != "" {
			if after.After(end) {
				break // every stop of a protected deployment is cancelled
			}
			continue
		}
		n++
	}
	return later(after.Add(time.Second), end)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// The verdicts: what the first line of an explanation says.
const (
	verdictWanted    = "wanted"     // a power is wanted, and seen to
	verdictUntouched = "untouched"  // a day on which nothing is wanted
	verdictNothing   = "nothing"    // no edge lies behind
	verdictProtected = "protected"  // stopped is wanted, and it is never stopped
	verdictName      = "other_name" // it is not the deployment that the file means
	verdictDryRun    = "dry_run"    // a power is wanted, and no call is made
)

// verdict is the one thing to know first.
func (x *explanation) verdict() string {
	b := x.member.bar
	switch {
	case b != nil && b.kind == barAll:
		return verdictName
	case x.want.Want == policy.None && x.want.Since.IsZero():
		return verdictNothing
	case x.want.Want == policy.None:
		return verdictUntouched
	case b != nil && b.kind == barStops && x.want.Want == policy.Stopped:
		return verdictProtected
	case x.line.dry:
		return verdictDryRun
	}
	return verdictWanted
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/policy"
	"curfew/scheduler"
)

// newCheck is `curfew check`: is the file right?
func newCheck(c *console) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say everything that is wrong with a configuration",
		Long: `Read a configuration as the daemon would, and say everything that is wrong with
it: the place, the line, and what to do. Without --online it needs no key and
makes no call.

It also tries, over the next 400 days with all their changes of clocks, whether
the quotas can carry the calls that the policies need: a stop whose deployment
could not be started again in time, and a call that would be more than 5 minutes
late, are errors. Where nobody knows yet over what a quota is counted (scope:
auto), what only a quota of the whole key could not carry is a note.

With an inventory it knows what the daemon will: that ids exist, that names are
those that the file asserts, whom policies select, and who is protected by name.
--inventory reads one that was saved, so that a pull request is checked without a
key; --online asks the platform for one.

Problems go to stderr and the verdict to stdout; "-o json" and "-o github" put
all of it on stdout. Notes never count. The exit code is 0 where the file can be
put in force, 1 where it cannot, 2 where the command line makes no sense.`,
		Example: `  curfew check -c curfew.yaml
  curfew check -c curfew.yaml --strict -o github --inventory deployments.json
  curfew check -c curfew.yaml --online               with the key`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if o.online && o.inventory != "" {
				return usagef("--online and --inventory both say who is there: give one of them")
			}
			return nil
		},
		RunE: c.action(func(ctx context.Context, _ []string) error { return o.run(ctx, c, time.Now()) }),
	}
	fileFlag(cmd, &o.path)
	formatFlag(cmd, &o.format, "text", "json", "github")
	cmd.Flags().BoolVar(&o.strict, "strict", false, "let warnings count as errors")
	cmd.Flags().BoolVar(&o.online, "online", false, "ask the platform, too: the key works, ids exist, names match (GETs only)")
	inventoryFlag(cmd, &o.inventory)
	return cmd
}

type checkOptions struct {
	path, format   string
	inventory      string
	strict, online bool
}

func (o checkOptions) run(ctx context.Context, c *console, now time.Time) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	file, problems, err := config.Load(o.path, c.env)
	if err != nil {
		return err
	}
	v := verdict{file: file, problems: problems, until: now.AddDate(0, 0, feasibleDays)}
	if file.Policies != nil {
		if err := o.prove(ctx, c, &v, now); err != nil {
			return err
		}
	}
	// A warning that is an error under --strict keeps its name: it is the caller
	// who is strict, not the file.
	v.fine = !config.Failed(v.problems) && !(o.strict && len(v.problems) > 0)
	if err := v.tellIdle(c, o.online); err != nil {
		return err
	}
	if err := v.write(c, o.format); err != nil {
		return err
	}
	if !v.fine {
		return errTold
	}
	return nil
}

// prove holds a file that can be read against who is there, as far as somebody
// says so, and against its quotas.
func (o checkOptions) prove(ctx context.Context, c *console, v *verdict, now time.Time) (err error) {
	inv, problems := (*inventory)(nil), []policy.Problem(nil)
	if o.online {
		inv, problems, v.sees, err = checkOnline(ctx, c, v.file)
	} else {
		inv, err = readInventory(c, o.inventory)
	}
	if err != nil {
		return err
	}
	if inv != nil {
		v.known = true
		problems = append(problems, inv.choose(v.file, nil)...)
		problems = append(problems, inv.holdAgainst(v.file)...)
		v.notes = inv.unprotecting(v.file)
	}
	x, err := infeasible(ctx, v.file, v.file.Policies, inv.name, now)
	if err != nil {
		return err
	}
	carried, _ := x.certain()
	v.problems = append(append(v.problems, carried...), problems...)
	v.notes = append(v.notes, x.perhaps()...)
	return nil
}

// A verdict is what check has to say of a file.
type verdict struct {
	file     *config.Config
	problems []policy.Problem
	notes    []policy.Problem // what may be a problem, or never one: see examination.perhaps, inventory.unprotecting
	until    time.Time        // to which the quotas were proved to carry the calls
	sees     string           // what was seen of the platform, in words; empty where it was not asked
	known    bool             // there was an inventory, so that those selected are among the deployments
	fine     bool
}

// write says it in the format that was asked for.
func (v verdict) write(c *console, format string) error {
	switch format {
	case "json":
		return v.json(c)
	case "github":
		return v.github(c.out)
	}
	return v.text(c)
}

// text is for people: the problems as they are shown at a start, then the verdict.
func (v verdict) text(c *console) error {
	if _, err := io.WriteString(c.err, config.Render(v.problems, v.file.Text)); err != nil {
		return err
	}
	for _, p := range v.notes {
		if _, err := fmt.Fprintf(c.err, "%s: note: %s\n", p.Pos, p.Text); err != nil {
			return err
		}
	}
	if !v.fine { // stdout has the verdict of what can be put in force, and nothing else
		_, err := fmt.Fprintf(c.err, "%s was examined: %s\n", v.file.Source, v.examined(c, "the quotas were tried until"))
		return err
	}
	_, err := fmt.Fprintf(c.out, "%s is fine: %s\n", v.file.Source, v.examined(c, "the quotas carry all calls until"))
	return err
}

// examined is what the verdict goes by. A file that cannot be read has no calls to
// try; what it says of itself was examined all the same.
func (v verdict) examined(c *console, quotas string) string {
	zones := "; tzdata " + tzdata(c.env)
	if v.file.Policies == nil {
		return "the file alone, since with errors in it there are no calls to try" + zones
	}
	policies, deployments := v.counts()
	return fmt.Sprintf("%s, %s%s; %s %s", plural(policies, "policy", "policies"),
		plural(deployments, "deployment", "deployments")+v.selected(), looks(v.file, deployments)+seen(v.sees),
		quotas, v.until.Format(time.DateOnly)+v.unproved()+zones)
}

// selected says how many deployments are there by their names alone.
func (v verdict) selected() string {
	if !v.known || !v.file.Policies.Selects() {
		return ""
	}
	n := 0
	for _, p := range v.file.Policies.Policies {
		n += len(p.Selected())
	}
	return fmt.Sprintf(" (%d of them selected by name)", n)
}

// unproved says whom the proof leaves out: those whom only an inventory tells.
func (v verdict) unproved() string {
	if v.file.Policies.Selects() && !v.known {
		return " (of those named; not of whom policies select)"
	}
	return ""
}

func seen(what string) string {
	if what == "" {
		return ""
	}
	return "; " + what
}

// lookEvery is the pace of looks at each deployment, as the quota allows it.
func lookEvery(file *config.Config, deployments int) time.Duration {
	return scheduler.LookEvery(simulated(file), file.Quotas[quota.Get].Scope, deployments)
}

// looks says how often the daemon looks at each deployment, where it cannot as
// often as the file says.
func looks(file *config.Config, deployments int) string {
	get := file.Quotas[quota.Get]
	every := lookEvery(file, deployments)
	if every <= file.ObserveEvery || deployments == 0 {
		return ""
	}
	// A fleet can be too large for the pace of all looks, whatever the quota is.
	why := "the pace of all looks"
	if every > scheduler.LookEvery(scheduler.Config{}, get.Scope, deployments) {
		why = "the GET quota"
	}
	return fmt.Sprintf("; looks every %s (the file says %s: %s)", every.Round(time.Second), file.ObserveEvery, why)
}

// counts is how much the file has; nothing where it cannot be put in force.
func (v verdict) counts() (policies, deployments int) {
	if v.file.Policies == nil {
		return 0, 0
	}
	for _, p := range v.file.Policies.Policies {
		deployments += len(p.Members())
	}
	return len(v.file.Policies.Policies), deployments
}

// tellIdle says whom it does not know, and where nothing is asked for. Whoever
// asks the platform is told by the problems why it did not list anybody.
func (v verdict) tellIdle(c *console, online bool) error {
	if v.file.Policies != nil && v.file.Policies.Selects() && !v.known {
		if online {
			return nil
		}
		return tellUnseen(c, v.file, "checked")
	}
	return tellIdle(c, v.file)
}

// tellIdle says so where a file that is right asks for nothing: an empty answer
// alone looks as if the question had been lost. A file that is wrong has its
// problems to say.
func tellIdle(c *console, file *config.Config) error {
	var err error
	policies, deployments := verdict{file: file}.counts()
	switch {
	case file.Policies == nil || deployments > 0:
	case policies == 0:
		_, err = fmt.Fprintf(c.err, "%s has no policies: nothing is scheduled\n", file.Source)
	case file.Policies.Selects():
		_, err = fmt.Fprintf(c.err, "%s names no deployments in its policies, and its selections have none: nothing is scheduled\n", file.Source)
	default:
		_, err = fmt.Fprintf(c.err, "%s has no deployments in its policies: nothing is scheduled\n", file.Source)
	}
	return err
}

// plural counts things in words.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// problemBody is a problem in JSON.
type problemBody struct {
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Severity string `json:"severity"` // "error", "warning" or "note"
	Text     string `json:"text"`
	Hint     string `json:"hint,omitempty"`
}

// json is the whole verdict as one object.
func (v verdict) json(c *console) error {
	policies, deployments := v.counts()
	body := struct {
		File        string        `json:"file"`
		Fine        bool          `json:"fine"`
		Policies    int           `json:"policies"`
		Deployments int           `json:"deployments"`
		LookEvery   string        `json:"look_every"`
		Until       string        `json:"until"` // the last day for which the quotas were tried
		Tzdata      string        `json:"tzdata"`
		Problems    []problemBody `json:"problems"`
		Notes       []problemBody `json:"notes"`
	}{v.file.Source, v.fine, policies, deployments, lookEvery(v.file, deployments).String(), v.until.Format(time.DateOnly), tzdata(c.env), []problemBody{}, []problemBody{}}
	for _, p := range v.problems {
		body.Problems = append(body.Problems, problemBody{p.Pos.File, p.Pos.Line, p.Pos.Col, severity(p), p.Text, p.Hint})
	}
	for _, p := range v.notes {
		body.Notes = append(body.Notes, problemBody{p.Pos.File, p.Pos.Line, p.Pos.Col, "note", p.Text, p.Hint})
	}
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(body)
}

func severity(p policy.Problem) string {
	if p.Warning {
		return "warning"
	}
	return "error"
}

// github writes the problems as workflow commands, which GitHub shows beside the
// lines of a change.
func (v verdict) github(w io.Writer) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	say := func(severity string, p policy.Problem) error {
		place := "file=" + property.Replace(p.Pos.File)
		if p.Pos.Line > 0 {
			place += fmt.Sprintf(",line=%d,col=%d", p.Pos.Line, max(p.Pos.Col, 1))
		}
		text := p.Text
		if p.Hint != "" {
			text += "\nhint: " + p.Hint
		}
		_, err := fmt.Fprintf(w, "::%s %s::%s\n", severity, place, data.Replace(text))
		return err
	}
	for _, p := range v.problems {
		if err := say(severity(p), p); err != nil {
			return err
		}
	}
	for _, p := range v.notes {
		if err := say("notice", p); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"curfew/apiclient/quota"
	"curfew/internal/config"
	"curfew/internal/sim"
	"curfew/policy"
	"curfew/scheduler"
)

// A simView shows a simulated span.
type simView struct {
	*sim.Report
	file   *config.Config
	lines  []*planLine // what the policies plan, for the picture
	faults sim.Faults
	seed   uint64
	saved  *savings // nil where the file has no prices
	names  map[policy.DeploymentID]string
}

// The text has lines of simWidth characters at most, where words allow that; what
// a line is about stands in its first simMargin.
const (
	simWidth  = 100
	simMargin = 13
)

// text shows the span to people.
func (v simView) text(w io.Writer) error {
	v.names = map[policy.DeploymentID]string{}
	for _, p := range v.Powers {
		v.names[p.Deployment] = p.Name
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s from %s to %s (%s)\n", plural(v.Deployments, "deployment", "deployments"),
		v.long(v.From), v.long(v.To), v.file.Location)
	field(&b, "assumed", ", ", "a start takes "+spanText(v.StartTakes), "a stop "+spanText(v.StopTakes), v.mood())
	lines(&b, "", v.unnamed())
	lines(&b, "by hand", v.byHand())
	lines(&b, "dry run", v.dryRun())
	field(&b, "went wrong", " · ", v.mishaps()...)
	b.WriteByte('\n')
	field(&b, "calls", " · ", fmt.Sprintf("%d get, %d start, %d stop", v.Calls[quota.Get], v.Calls[quota.Start], v.Calls[quota.Stop]),
		fmt.Sprintf("over quota %d", v.OverQuota), fmt.Sprintf("repeated %d", v.Repeated), fmt.Sprintf("answered 429 %d", v.Limited))
	lines(&b, "quota peak", v.peaks())
	field(&b, "transitions", " · ", v.outcomes()...)
	field(&b, "lateness", " · ", v.lateness()...)
	lines(&b, "waited", v.waits())
	lines(&b, "people", v.people())
	if v.saved != nil {
		lines(&b, "saved", []string{v.saved.String()})
	}
	lines(&b, "alarm", v.alarms())
	lines(&b, "still due", v.stillDue())
	end := v.powers()
	if v.Deployments == 0 {
		end = "nothing is scheduled"
	}
	_, err := io.WriteString(w, strings.ReplaceAll(b.String(), unbroken, " ")+"\n"+end+"\n")
	return err
}

// field writes what a line is about, and its parts with a separator between them;
// nothing where there are none.
func field(b *strings.Builder, about, sep string, parts ...string) {
	if len(parts) == 0 {
		return
	}
	line, margin := fmt.Sprintf("%-*s", simMargin, about), strings.Repeat(" ", simMargin)
	for i, p := range parts {
		if i > 0 {
			line += strings.TrimRight(sep, " ")
			if utf8.RuneCountInString(line+p)+1 > simWidth {
				b.WriteString(line + "\n")
				line = margin
			} else if sep != "" {
				line += " "
			}
		}
		line += p
	}
	b.WriteString(line + "\n")
}

// unbroken is a blank at which no line ends.
const unbroken = "\u00a0"

// lines writes lines of which only the first says what they are about.
func lines(b *strings.Builder, about string, all []string) {
	for _, l := range all {
		field(b, about, " ", strings.Split(l, " ")...)
		about = ""
	}
}

// long is an instant with its year, in the file's zone.
func (v simView) long(t time.Time) string {
	return shownTime(t.In(v.file.Location), "Mon _2 Jan 2006 15:04")
}

// at is an instant in the file's zone, with the year where there are several.
func (v simView) at(t time.Time) string {
	return strings.ReplaceAll(t.In(v.file.Location).Format(v.day()+" 15:04"), " ", unbroken)
}

// day is the layout of a date.
func (v simView) day() string {
	if v.From.In(v.file.Location).Year() != v.To.In(v.file.Location).Year() {
		return "Mon 2 Jan 2006"
	}
	return "Mon 2 Jan"
}

// name is what people call a deployment.
func (v simView) name(id policy.DeploymentID) string { return cmp.Or(v.names[id], string(id)) }

// spanText is a duration as precise as anybody cares: to the second below an
// hour, to the minute above.
func spanText(d time.Duration) string {
	if d >= time.Hour {
		return shortSpan(d.Round(time.Minute))
	}
	return shortSpan(d.Round(time.Second))
}

// mood is how much was to go wrong.
func (v simView) mood() string {
	switch v.faults {
	case sim.LightFaults:
		return fmt.Sprintf("little goes wrong (--faults light --seed %d)", v.seed)
	case sim.HeavyFaults:
		return fmt.Sprintf("up to twice that in a bad year (--faults heavy --seed %d)", v.seed)
	}
	return "nothing goes wrong (--faults none)"
}

// byHand is what was assumed of people.
func (v simView) byHand() []string {
	var all []string
	for _, g := range grouped(v.ByHand, func(h sim.Hand) sim.Hand { h.Policy = ""; return h }) {
		h, did := g[0], "stopped"
		if h.Power == policy.Stopped {
			did = "started"
		}
		clock := h.Clock
		if h.Zone != v.file.Location.String() {
			clock += " (" + h.Zone + ")"
		}
		all = append(all, fmt.Sprintf("assumed: each day at %s somebody %ss what %s has %s",
			clock, h.Power.Action(), andOthers(h.Policy, len(g)), did))
	}
	return all
}

// unnamed says what is assumed of deployments whose names would tell whether they
// are protected.
func (v simView) unnamed() []string {
	n := 0
	for _, l := range v.lines {
		for _, m := range l.members {
			if m.bar != nil && m.bar.kind == barPerhaps {
				n++
			}
		}
	}
	if n == 0 {
		return nil
	}
	return []string{plural(n, "deployment has a name", "deployments have names") + " that protect does not cover, as far as there is such a name: --inventory FILE tells"}
}

// dryRun says of whom nothing is expected.
func (v simView) dryRun() []string {
	var dry []sim.Powers
	for _, p := range v.Powers {
		if p.DryRun {
			dry = append(dry, p)
		}
	}
	if len(dry) == 0 {
		return nil
	}
	whose := ""
	if !v.file.DryRun {
		policies := grouped(dry, func(p sim.Powers) string { return p.Policy })
		whose = " of " + andOthers(policies[0][0].Policy, len(policies))
	}
	return []string{fmt.Sprintf("no calls for %s%s (dry_run): they run on, and save nothing",
		plural(len(dry), "deployment", "deployments"), whose)}
}

// mishaps is what did.
func (v simView) mishaps() []string {
	if v.faults == sim.NoFaults {
		return nil
	}
	var parts []string
	for _, m := range v.Mishaps {
		s := mishapText(m)
		if m.Total > 0 {
			s += " (" + spanText(m.Total) + " in all)"
		}
		parts = append(parts, s)
	}
	if parts == nil {
		return []string{"nothing"}
	}
	return parts
}

func mishapText(m sim.Mishap) string {
	one, many := mishapWords(m.Kind)
	return plural(m.Count, one, many)
}

func mishapWords(k sim.MishapKind) (one, many string) {
	switch k {
	case sim.MishapLostAnswer:
		return "lost answer", "lost answers"
	case sim.MishapLostRequest:
		return "lost request", "lost requests"
	case sim.MishapError:
		return "answer 5xx", "answers 5xx"
	case sim.MishapConnection:
		return "refused connection", "refused connections"
	case sim.MishapHang:
		return "answer too late", "answers too late"
	case sim.MishapLimited:
		return "429 for what others did", "429s for what others did"
	case sim.MishapRollBack:
		return "transition taken back", "transitions taken back"
	case sim.MishapSlow:
		return "slow transition", "slow transitions"
	case sim.MishapOutage:
		return "outage of the platform", "outages of the platform"
	case sim.MishapOutageCall:
		return "request into it", "requests into them"
	case sim.MishapKill:
		return "kill of the daemon", "kills of the daemon"
	case sim.MishapClock:
		return "step of the clock", "steps of the clock"
	case sim.MishapForeign:
		return "call by others with the key", "calls by others with the key"
	case sim.MishapPerson:
		return "start or stop by hand", "starts and stops by hand"
	}
	return string(k), string(k)
}

// peaks is the most that left in any window, when, and for whom.
func (v simView) peaks() []string {
	var all []string
	for m, p := range v.Peaks {
		s := fmt.Sprintf("%d of %d %s in %s", p.Deployment.Requests, p.Limit.N, quota.Method(m), shortSpan(p.Limit.Per))
		if p.Deployment.Requests > 0 {
			s += fmt.Sprintf(" (%s, %s)", v.name(p.Deployment.Deployment), v.at(p.Deployment.At))
		}
		if p.Key.Requests > p.Deployment.Requests {
			s += fmt.Sprintf(" · %d by the whole key (%s, %s)", p.Key.Requests, v.name(p.Key.Deployment), v.at(p.Key.At))
		}
		all = append(all, s)
	}
	return all
}

// outcomes is how transitions ended.
func (v simView) outcomes() []string {
	var parts []string
	for _, o := range v.Outcomes {
		s := fmt.Sprintf("%d %s", o.Count, o.Kind)
		if o.Reason != "" {
			s += " (" + string(o.Reason) + ")"
		}
		parts = append(parts, s)
	}
	if parts == nil {
		return []string{"none"}
	}
	return parts
}

// lateness is how late calls left, and where it was worst.
func (v simView) lateness() []string {
	var parts []string
	for _, l := range v.Lateness {
		s := fmt.Sprintf("%s %s, at most %s", plural(l.Calls, "call", "calls"),
			strings.ReplaceAll(string(l.Cause), "_", " "), l.Max.Round(time.Millisecond))
		if l.Max >= time.Second {
			s = fmt.Sprintf("%s %s, at most %s (%s, %s)", plural(l.Calls, "call", "calls"),
				strings.ReplaceAll(string(l.Cause), "_", " "), spanText(l.Max), v.name(l.Deployment), v.at(l.At))
		}
		parts = append(parts, s)
	}
	if parts == nil {
		return []string{"no calls"}
	}
	return parts
}

// waits is what due transitions waited for.
func (v simView) waits() []string {
	var all []string
	for _, w := range v.Waits {
		all = append(all, fmt.Sprintf("%d × for %s: %s in all, longest %s (%s of %s, %s)", w.Count, waitText(w.Wait),
			spanText(w.Total), spanText(w.Longest), w.Power.Action(), v.name(w.Deployment), v.at(w.At)))
	}
	return all
}

func waitText(w scheduler.Wait) string {
	switch w {
	case scheduler.WaitPermit:
		return "the quota"
	case scheduler.WaitTransient:
		return "a transition under way to end"
	case scheduler.WaitStatus:
		return "a status that is understood"
	case scheduler.WaitUnknown:
		return "looks to tell what became of a call"
	case scheduler.WaitConfirm:
		return "the effect, once accepted"
	case scheduler.WaitHold:
		return "the end of a hold"
	case scheduler.WaitKey:
		return "the key to be accepted"
	case scheduler.WaitClock:
		return "the clock to agree with the platform's"
	case scheduler.WaitLook:
		return "one more look"
	case scheduler.WaitGone:
		return "the platform to know it"
	case scheduler.WaitName:
		return "its name to be known"
	case scheduler.WaitBackoff:
		return "another try, as nothing was sent"
	case scheduler.WaitSlot, scheduler.WaitNone:
		return "its call to end"
	case sim.WaitDown:
		return "the daemon to run again"
	}
	return string(w)
}

func (v simView) alarms() []string {
	var all []string
	for _, a := range v.Alarms {
		all = append(all, fmt.Sprintf("%d × %s: %s", a.Count, a.Kind, a.First))
	}
	return all
}

func (v simView) stillDue() []string {
	var all []string
	for _, d := range v.Waiting {
		all = append(all, fmt.Sprintf("%s of %s since %s: waits for %s", d.Power.Action(), v.name(d.Deployment), v.at(d.At), waitText(d.Wait)))
	}
	return all
}

// powers is how long each deployment was what, as the platform has it. Those of
// one policy that fared alike share a row.
func (v simView) powers() string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"deployment", "policy", "running", "stopped", "between", "% stopped"})
	columns := []table.ColumnConfig{{Number: 1, WidthMax: 36}, {Number: 2, WidthMax: 22}}
	for n := 3; n <= 6; n++ {
		columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	for _, g := range grouped(v.Powers, powersRow) {
		row, who := powersRow(g[0]), strings.TrimSpace(string(g[0].Deployment)+" "+g[0].Name)
		t.AppendRow(table.Row{andOthers(who, len(g)), row[0], row[1], row[2], row[3], row[4]})
	}
	return blankEnds.ReplaceAllString(t.Render(), "")
}

// blankEnds are the blanks with which a table fills up its lines.
var blankEnds = regexp.MustCompile(`(?m) +$`)

// powersRow is what the table says of a deployment beside its name.
func powersRow(p sim.Powers) [5]string {
	name := p.Policy
	if p.DryRun {
		name += " (dry run)"
	}
	return [5]string{name, hours(p.Running), hours(p.Stopped), hours(p.Other), share(p)}
}

// grouped puts those with one key together, in the order of the first of each.
func grouped[T any, K comparable](all []T, key func(T) K) [][]T {
	at := map[K]int{}
	var groups [][]T
	for _, x := range all {
		k := key(x)
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], x)
	}
	return groups
}

// andOthers names the first of n.
func andOthers(name string, n int) string {
	if n > 1 {
		name += " and " + plural(n-1, "other", "others")
	}
	return name
}

func share(p sim.Powers) string {
	all := p.Running + p.Stopped + p.Other
	if all <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(p.Stopped)/float64(all))
}

func hours(d time.Duration) string { return fmt.Sprintf("%.1f h", d.Hours()) }

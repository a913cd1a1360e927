package config

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestRoundTrip writes a configuration down in one of many ways and reads it
// back: the same values, each policy at the line where it was written.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawConfig(t)
		var text bytes.Buffer
		want.write(t, &text)
		c, problems := Parse("f", text.Bytes(), Env{})
		problems = slices.DeleteFunc(problems, func(p policy.Problem) bool { // the order is as drawn
			return p.Warning && strings.HasPrefix(p.Hint, "the first listed decides")
		})
		if len(problems) > 0 {
			t.Fatalf("unexpected problems:\n%s\nin\n%s", Render(problems, text.Bytes()), text.Bytes())
		}
		if diff := cmp.Diff(want, modelOf(c), cmpopts.IgnoreUnexported(modelPolicy{})); diff != "" {
			t.Fatalf("(-written +read):\n%s\nin\n%s", diff, text.Bytes())
		}
	})
}

// model is what a configuration says, in comparable parts.
type model struct {
	Name, Listen, Zone  string
	Observe             time.Duration
	DryRun, Trust, List bool
	Quotas              [quota.Methods]quota.Limit
	Calendars           []modelCalendar
	Protect             []string
	Prices              map[string]Price // by "default", id, name or pattern
	Policies            []modelPolicy
}

// modelCalendar is a calendar of single dates.
type modelCalendar struct {
	Name string
	Line int
	Days []policy.Date
}

type modelPolicy struct {
	Name    string
	Line    int
	IDs     []string
	Names   []string // that the ids must bear
	Select  string   // with max behind it
	Rule    policy.Fingerprint
	Options policy.Options

	windows bool               // instead of start and stop
	except  []policy.Exception // the rule has them
}

func modelOf(c *Config) model {
	m := model{Name: c.Name, Listen: c.Listen, Zone: c.Timezone, Observe: c.ObserveEvery, DryRun: c.DryRun, Trust: c.TrustClock,
		List: c.ObserveList, Quotas: c.Quotas, Prices: map[string]Price{}}
	for _, cal := range c.Calendars {
		v := modelCalendar{Name: cal.Name, Line: cal.Pos.Line}
		for day := range cal.Days.Days() {
			v.Days = append(v.Days, day.Date)
		}
		m.Calendars = append(m.Calendars, v)
	}
	for _, p := range c.Protect {
		m.Protect = append(m.Protect, p.Text)
	}
	maps.Copy(m.Prices, c.Prices.exact)
	for _, e := range c.Prices.patterns {
		m.Prices[e.pattern.Text] = e.price
	}
	if c.Prices.rest != nil {
		m.Prices["default"] = *c.Prices.rest
	}
	for _, p := range c.Policies.Policies {
		v := modelPolicy{Name: p.Name(), Line: p.Pos().Line, Options: p.Options(), Rule: p.Fingerprint()}
		for _, member := range p.Members() {
			v.IDs, v.Names = append(v.IDs, string(member.ID)), append(v.Names, member.Name)
		}
		if s := p.Select(); s != nil {
			v.Select = fmt.Sprint(s.Name.Text, " ", s.Max)
		}
		m.Policies = append(m.Policies, v)
	}
	return m
}

func drawConfig(t *rapid.T) model {
	seconds := func(name string, most time.Duration) time.Duration {
		return time.Duration(rapid.IntRange(1, int(most/time.Second)).Draw(t, name)) * time.Second
	}
	m := model{
		Name:    rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}`).Draw(t, "name"),
		Listen:  fmt.Sprintf("127.0.0.1:%d", rapid.IntRange(0, 65535).Draw(t, "port")),
		Zone:    rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Asia/Kathmandu"}).Draw(t, "zone"),
		Observe: seconds("observe", day),
		DryRun:  rapid.Bool().Draw(t, "dry run"),
		Trust:   rapid.Bool().Draw(t, "trust"),
	}
	for i := range m.Quotas {
		m.Quotas[i] = quota.Limit{N: rapid.IntRange(1, 1000).Draw(t, "limit"), Per: seconds("per", 31*day), Scope: quota.Scope(rapid.IntRange(0, 2).Draw(t, "scope"))}
	}
	m.drawDays(t)
	m.drawPrices(t)
	ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[!-.0-~]{1,12}`), 0, 12, func(s string) string { return s }).
		Filter(func(ids []string) bool { return !strings.Contains("|"+strings.Join(ids, "|")+"|", "|.") }).Draw(t, "ids")
	for i := range rapid.IntRange(0, 4).Draw(t, "policies") {
		p := modelPolicy{Name: fmt.Sprintf("%s %d", rapid.StringMatching(`[a-z0-9"'#:é日{*&-]{1,10}`).Draw(t, "policy"), i)}
		p.IDs, ids = take(ids, rapid.IntRange(0, len(ids)).Draw(t, "members"))
		for range p.IDs {
			p.Names = append(p.Names, rapid.SampledFrom([]string{"", "dev", "dev: #1", "Büro *"}).Draw(t, "asserted"))
		}
		p.Select = rapid.SampledFrom([]string{"", "dev-* 20", "?est 1"}).Draw(t, "select")
		p.windows = rapid.Bool().Draw(t, "windows")
		m.List = m.List || p.Select != ""
		if i == 0 { // every calendar has somebody who names it
			for _, cal := range m.Calendars {
				p.except = append(p.except, policy.Exception{Calendar: cal.Name, Effect: policy.Effect(rapid.IntRange(0, 3).Draw(t, "effect"))})
			}
		}
		p.Options = policy.Options{
			StartLead: seconds("lead", 3*time.Hour), ConfirmWithin: seconds("confirm", 7*day), MinSpan: seconds("span", 7*day),
			CatchUpWithin: seconds("catch up", 365*day), Enforce: policy.Enforce(rapid.IntRange(0, 3).Draw(t, "enforce")),
			Converge: rapid.Bool().Draw(t, "converge"), DryRun: rapid.Bool().Draw(t, "policy's dry run"),
		}
		p.Rule = m.rule(&p)
		m.Policies = append(m.Policies, p)
	}
	if len(m.Policies) == 0 {
		m.Calendars = nil
	}
	return m
}

func (m *model) drawDays(t *rapid.T) {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9"'#:é日{*&-]{1,10}`), 0, 3, rapid.ID).Draw(t, "calendars")
	for _, name := range names {
		cal := modelCalendar{Name: name}
		first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 700), 0, 5, rapid.ID).Draw(t, "dates") {
			y, month, d := first.AddDate(0, 0, n).Date()
			cal.Days = append(cal.Days, policy.Date{Year: y, Month: month, Day: d})
		}
		slices.SortFunc(cal.Days, func(a, b policy.Date) int { return strings.Compare(a.String(), b.String()) })
		m.Calendars = append(m.Calendars, cal)
	}
	m.Protect = rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9"'#:é日{*&?-]{1,10}`), 0, 4, rapid.ID).Draw(t, "protect")
	if len(m.Protect) == 0 {
		m.Protect = nil
	}
	m.List = rapid.Bool().Draw(t, "list")
}

func (m *model) drawPrices(t *rapid.T) {
	m.Prices = map[string]Price{}
	if !rapid.Bool().Draw(t, "prices") {
		return
	}
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9"'#:é日{*&?-]{1,10}`), 0, 4, rapid.ID).Draw(t, "priced")
	currency := rapid.SampledFrom([]string{"USD", "EUR", "CNY"}).Draw(t, "currency")
	for _, name := range append(names, "default") {
		stopped := rapid.IntRange(0, 1000).Draw(t, "stopped")
		running := rapid.IntRange(stopped, 9000).Draw(t, "running")
		m.Prices[name] = Price{float64(running) / 1000, float64(stopped) / 1000, currency}
	}
}

// rule is what package policy makes of the times that write writes down.
func (m *model) rule(p *modelPolicy) policy.Fingerprint {
	loc, _ := time.LoadLocation(m.Zone)
	spec := policy.Spec{Name: "p", Zone: m.Zone, Options: p.Options, Except: p.except}
	if p.windows {
		spec.Running = []policy.Window{{Expr: "Mon-Fri 12:00-04:00"}, {Expr: "Sun 12:00-13:00"}}
	} else {
		spec.Start, spec.Stop = []policy.Cron{{Expr: "0 12 * * *"}}, []policy.Cron{{Expr: "0 4 * * *"}, {Expr: "30 4 * * 1"}}
	}
	env := policy.Env{Zones: map[string]*time.Location{m.Zone: loc}, Calendars: map[string]*policy.Calendar{}}
	for _, cal := range m.Calendars {
		var days []policy.Day
		for _, d := range cal.Days {
			days = append(days, policy.Day{Date: d})
		}
		env.Calendars[cal.Name] = policy.NewCalendar(cal.Name, days)
	}
	set, problems := policy.Compile([]policy.Spec{spec}, env)
	if set == nil {
		panic(fmt.Sprint("the test's own rule is refused: ", problems))
	}
	return set.Policies[0].Fingerprint()
}

func take(ids []string, n int) (head, tail []string) {
	if n == 0 {
		return nil, ids
	}
	return ids[:n], ids[n:]
}

// write writes m as YAML, with quotes and layout as drawn, and notes the lines.
func (m *model) write(t *rapid.T, b *bytes.Buffer) {
	end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
	line := func(format string, args ...any) { fmt.Fprintf(b, format+end, args...) }
	line("api:%s  name: %s%s  quotas:", end, quoteAs(t, m.Name), end)
	for i, q := range m.Quotas {
		line("    %s: {limit: %d, per: %s, scope: %s}", quota.Method(i), q.N, spellAs(t, q.Per), q.Scope)
	}
	line("listen: %s # a comment", quoteAs(t, m.Listen))
	line("observe_every: %s", spellAs(t, m.Observe))
	line("timezone: %s", quoteAs(t, m.Zone))
	line("dry_run: %v", m.DryRun)
	line("clock: %s", map[bool]string{true: "trust", false: "check"}[m.Trust])
	m.writeDays(t, b, line)
	if len(m.Policies) == 0 {
		line("policies: []")
		return
	}
	line("policies:")
	for i := range m.Policies {
		p := &m.Policies[i]
		p.Line = bytes.Count(b.Bytes(), []byte("\n")) + 1
		line("  - name: %s", quoteAs(t, p.Name))
		p.write(t, line)
	}
}

// writeDays writes what stands beside the policies.
func (m *model) writeDays(t *rapid.T, b *bytes.Buffer, line func(string, ...any)) {
	if m.List && rapid.Bool().Draw(t, "observe") || !m.selects() {
		line("observe: %s", map[bool]string{true: "list", false: "each"}[m.List])
	}
	if len(m.Calendars) > 0 {
		line("calendars:")
	}
	for i := range m.Calendars {
		cal := &m.Calendars[i]
		cal.Line = bytes.Count(b.Bytes(), []byte("\n")) + 1
		line("  %s: {dates: %v}", quoteAs(t, cal.Name), listAs(t, cal.Days))
	}
	if m.Protect != nil {
		line("protect: %s", listAs(t, m.Protect))
	}
	if len(m.Prices) > 0 {
		line("prices:")
	}
	for _, name := range slices.Sorted(maps.Keys(m.Prices)) {
		price := m.Prices[name]
		line("  %s: {running: %v, stopped: %v, currency: %s}", quoteAs(t, name), price.Running, price.Stopped, price.Currency)
	}
}

func (m *model) selects() bool {
	return slices.ContainsFunc(m.Policies, func(p modelPolicy) bool { return p.Select != "" })
}

// listAs writes a list on one line.
func listAs[T any](t *rapid.T, list []T) string {
	var items []string
	for _, item := range list {
		items = append(items, quoteAs(t, fmt.Sprint(item)))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func (p *modelPolicy) write(t *rapid.T, line func(string, ...any)) {
	ids := make([]string, len(p.IDs))
	for i, id := range p.IDs {
		ids[i] = quoteAs(t, id)
		if p.Names[i] != "" {
			ids[i] = "{name: " + quoteAs(t, p.Names[i]) + ", id: " + ids[i] + "}"
		} else if rapid.Bool().Draw(t, "long form") {
			ids[i] = "{id: " + ids[i] + "}"
		}
	}
	if len(ids) > 0 && rapid.Bool().Draw(t, "block") {
		line("    deployments:")
		for _, id := range ids {
			line("      - %s", id)
		}
	} else {
		line("    deployments: [%s]", strings.Join(ids, ", "))
	}
	if name, most, ok := strings.Cut(p.Select, " "); ok {
		line("    select: {max: %s, name: %s}", most, quoteAs(t, name))
	}
	if p.windows {
		line(`    running: [Mon-Fri 12:00-04:00, "Sun 12:00-13:00"]`)
	} else {
		line(`    start: "0 12 * * *"`)
		line(`    stop: ["0 4 * * *", '30 4 * * 1']`)
	}
	if len(p.except) > 0 {
		line("    except:")
	}
	for _, e := range p.except {
		line("      %s: %s", quoteAs(t, e.Calendar), e.Effect)
	}
	line("    start_lead: %s", spellAs(t, p.Options.StartLead))
	line("    catch_up_within: %s", spellAs(t, p.Options.CatchUpWithin))
	line("    confirm_within: %s", spellAs(t, p.Options.ConfirmWithin))
	line("    min_span: %s", spellAs(t, p.Options.MinSpan))
	line("    enforce: %s", []string{"none", "running", "stopped", "both"}[p.Options.Enforce])
	line("    on_change: %s", map[bool]string{true: "converge", false: "settle"}[p.Options.Converge])
	line("    dry_run: %v", p.Options.DryRun)
}

// quoteAs writes a text in one of YAML's styles; bare only what YAML takes so.
func quoteAs(t *rapid.T, s string) string {
	plain := strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_") == "" && !strings.EqualFold(s, "null")
	switch rapid.IntRange(0, 2).Draw(t, "style") {
	case 0:
		if plain {
			return s
		}
		fallthrough
	case 1:
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return strconv.Quote(s)
}

func spellAs(t *rapid.T, d time.Duration) string {
	switch rapid.IntRange(0, 2).Draw(t, "spelling") {
	case 0:
		return d.String()
	case 1:
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dd%ds", d/day, d%day/time.Second)
}

package config

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"

	"github.com/google/go-cmp/cmp"
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
		if len(problems) > 0 {
			t.Fatalf("unexpected problems:\n%s\nin\n%s", Render(problems, text.Bytes()), text.Bytes())
		}
		if diff := cmp.Diff(want, modelOf(c)); diff != "" {
			t.Fatalf("(-written +read):\n%s\nin\n%s", diff, text.Bytes())
		}
	})
}

// model is what a configuration says, in comparable parts.
type model struct {
	Name, Listen, Zone string
	Observe            time.Duration
	DryRun, Trust      bool
	Quotas             [quota.Methods]quota.Limit
	Policies           []modelPolicy
}

type modelPolicy struct {
	Name    string
	Line    int
	IDs     []string
	Options policy.Options
}

func modelOf(c *Config) model {
	m := model{Name: c.Name, Listen: c.Listen, Zone: c.Timezone, Observe: c.ObserveEvery, DryRun: c.DryRun, Trust: c.TrustClock, Quotas: c.Quotas}
	for _, p := range c.Policies.Policies {
		v := modelPolicy{Name: p.Name(), Line: p.Pos().Line, Options: p.Options()}
		for _, member := range p.Members() {
			v.IDs = append(v.IDs, string(member.ID))
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
	ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[!-.0-~]{1,12}`), 0, 12, func(s string) string { return s }).
		Filter(func(ids []string) bool { return !strings.Contains("|"+strings.Join(ids, "|")+"|", "|.") }).Draw(t, "ids")
	for i := range rapid.IntRange(0, 4).Draw(t, "policies") {
		p := modelPolicy{Name: fmt.Sprintf("%s %d", rapid.StringMatching(`[a-z0-9"'#:é日{*&-]{1,10}`).Draw(t, "policy"), i)}
		p.IDs, ids = take(ids, rapid.IntRange(0, len(ids)).Draw(t, "members"))
		p.Options = policy.Options{
			StartLead: seconds("lead", 3*time.Hour), ConfirmWithin: seconds("confirm", 7*day), MinSpan: seconds("span", 7*day),
			CatchUpWithin: seconds("catch up", 365*day), Enforce: policy.Enforce(rapid.IntRange(0, 3).Draw(t, "enforce")),
			Converge: rapid.Bool().Draw(t, "converge"), DryRun: rapid.Bool().Draw(t, "policy's dry run"),
		}
		m.Policies = append(m.Policies, p)
	}
	return m
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

func (p *modelPolicy) write(t *rapid.T, line func(string, ...any)) {
	ids := make([]string, len(p.IDs))
	for i, id := range p.IDs {
		ids[i] = quoteAs(t, id)
		if rapid.Bool().Draw(t, "long form") {
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
	line(`    start: "0 12 * * *"`)
	line(`    stop: ["0 4 * * *", '30 4 * * 1']`)
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

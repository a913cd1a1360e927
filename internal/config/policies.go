package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"curfew/policy"

	"gopkg.in/yaml.v3"
)

// The longest durations that package policy takes.
const (
	maxLead    = day
	maxWait    = 7 * day
	maxCatchUp = 366 * day
)

// noEnd is "catch_up_within: none" for a policy with one power. Zero, which
// means the same where there are both, is that policy's default of 4 hours; and
// in a year its next edge has long taken over.
const noEnd = maxCatchUp

// defaults returns what holds for every policy that does not say otherwise.
// Times and deployments are each policy's own and have no default.
func (r *reader) defaults(n *node, c *Config) policy.Spec {
	spec := policy.Spec{Zone: c.Timezone, ZonePos: r.timezone}
	if n == nil {
		return spec
	}
	r.in("defaults", func() {
		r.mapping(n, "defaults", append(r.terms(&spec, c.Calendars),
			field{name: "timezone", refuse: "the time zone of all policies is a key of the file itself, not of defaults"})...)
	})
	return spec
}

// terms are the fields that a policy and defaults: both have.
func (r *reader) terms(spec *policy.Spec, calendars []Calendar) []field {
	o := &spec.Options
	return []field{
		{name: "start_lead", read: r.durationOr("none", 0, &o.StartLead, 0, maxLead)},
		{name: "enforce", read: r.enforce(&o.Enforce)},
		{name: "catch_up_within", read: r.durationOr("none", noEnd, &o.CatchUpWithin, time.Second, maxCatchUp)},
		{name: "confirm_within", read: r.duration(&o.ConfirmWithin, time.Second, maxWait)},
		{name: "min_span", read: r.duration(&o.MinSpan, time.Second, maxWait)},
		{name: "on_change", read: r.choice([]string{"settle", "converge"}, func(i int) { o.Converge = i == 1 })},
		{name: "dry_run", read: r.boolean(&o.DryRun)},
		{name: "except", read: r.except(&spec.Except, calendars)},
	}
}

// enforce reads which powers are corrected; false is another word for none.
func (r *reader) enforce(dst *policy.Enforce) func(*node) {
	words := []string{"none", "running", "stopped", "both"}
	values := []policy.Enforce{policy.EnforceNone, policy.EnforceRunning, policy.EnforceStopped, policy.EnforceBoth}
	read := r.choice(words, func(i int) { *dst = values[i] })
	return func(n *node) {
		switch {
		case n.Kind != yaml.ScalarNode || !bare(n) || n.Tag != "!!bool":
			read(n)
		case !r.plain(n):
		case n.Value == "false":
			*dst = policy.EnforceNone
		default:
			r.fail(n, "say what is corrected: running, stopped or both", "want one of %s, got %s", strings.Join(words, ", "), describe(n))
		}
	}
}

const noPolicies = `write "policies: []" if there are none`

// policies reads the list of policies, which a file must have: one that lost
// it, or all of its lines, would release every deployment without a word.
func (r *reader) policies(n *node, c *Config, defaults policy.Spec) []policy.Spec {
	if n == nil {
		return nil
	}
	var specs []policy.Spec
	r.in("policies", func() {
		if isNull(n) {
			r.fail(n, noPolicies, "want a list, got nothing")
			return
		}
		r.list(n, "- name: … for each policy, one below the other", func(n *node) {
			specs = append(specs, r.policy(n, len(specs)+1, c.Calendars, defaults))
		})
	})
	return specs
}

// policy reads one policy, the i-th of the file.
func (r *reader) policy(n *node, i int, calendars []Calendar, spec policy.Spec) policy.Spec {
	before := len(r.problems)
	spec.Pos = r.pos(n)
	if isNull(n) || n.Kind != yaml.MappingNode {
		if r.plain(n) {
			r.fail(n, "write it as keys with values: name, deployments, running or start and stop", "want a policy, got %s", describe(n))
		}
		return r.stand(spec, i)
	}
	fields := append(r.terms(&spec, calendars),
		field{name: "name", read: r.policyName(&spec)},
		field{name: "deployments", read: func(n *node) { r.deployments(n, &spec) }},
		field{name: "select", read: r.selects(&spec.Select)},
		field{name: "start", read: r.crons(&spec.Start)},
		field{name: "stop", read: r.crons(&spec.Stop)},
		field{name: "running", read: r.windows(&spec.Running)},
		field{name: "timezone", read: func(n *node) { spec.Zone, _ = r.zone(n); spec.ZonePos = r.inner(n) }},
	)
	r.mapping(n, "a policy", fields...)
	r.missing(n, "name", "a policy needs a name", "add name: …, which logs and metrics will show")
	if spec.Select == nil {
		r.missing(n, "deployments", "a policy needs deployments", `list their ids; write "deployments: []" if there are none yet`)
	}
	if spec.Options.CatchUpWithin == noEnd && bothPowers(&spec) {
		spec.Options.CatchUpWithin = 0
	}
	if !has(n, "except") && len(spec.Start)+len(spec.Running) == 0 {
		spec.Except = withoutOff(spec.Except)
	}
	if Failed(r.problems[before:]) {
		return r.stand(spec, i)
	}
	return spec
}

// bothPowers reports whether a policy says when to start and when to stop.
func bothPowers(s *policy.Spec) bool {
	return len(s.Running) > 0 || len(s.Start) > 0 && len(s.Stop) > 0
}

// withoutOff drops the days off of defaults: for a policy that only stops. They
// would do nothing there; of a policy's own that would be a mistake.
func withoutOff(except []policy.Exception) []policy.Exception {
	return slices.DeleteFunc(slices.Clone(except), func(e policy.Exception) bool { return e.Effect == policy.EffectOff })
}

// missing reports that a mapping lacks a key.
func (r *reader) missing(n *node, key, text, hint string) {
	if n.Kind == yaml.MappingNode && !has(n, key) { // for any other kind it was said already
		r.fail(n, hint, "%s", text)
	}
}

func has(n *node, key string) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// stand fills the gaps of a policy that has problems, so that the rest of it
// can still be judged and nothing that is said follows from what was said
// before. No such policy is ever put in force.
func (r *reader) stand(spec policy.Spec, i int) policy.Spec {
	if spec.Name == "" {
		spec.Name = fmt.Sprintf("policy %d", i)
	}
	if len(spec.Start)+len(spec.Stop)+len(spec.Running) == 0 {
		spec.Stop = []policy.Cron{{Expr: "0 0 * * *", Pos: spec.Pos}}
		spec.Zone, _ = r.utc()
	}
	if !bothPowers(&spec) {
		spec.Options.Enforce = policy.EnforceNone
	}
	return spec
}

// nameHint says what nameable asks for.
const nameHint = "1 to 63 characters that can be seen, no blank at either end"

// nameable reports whether s can be the name of something in the file.
func nameable(s string) bool {
	return s != "" && s == strings.TrimSpace(s) && utf8.RuneCountInString(s) <= 63 && visibleOnly(s)
}

func visibleOnly(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
}

func (r *reader) policyName(spec *policy.Spec) func(*node) {
	return func(n *node) {
		s, ok := r.text(n, "a name")
		switch {
		case !ok:
		case !nameable(s):
			r.fail(n, nameHint, "%s cannot be a policy's name", quote(s))
		default:
			spec.Name, spec.Pos = s, r.inner(n)
		}
	}
}

// crons reads one expression, or a list of them.
func (r *reader) crons(dst *[]policy.Cron) func(*node) {
	one := func(n *node) {
		if s, ok := r.text(n, "a cron expression"); ok {
			*dst = append(*dst, policy.Cron{Expr: s, Pos: r.inner(n)})
		}
	}
	return func(n *node) { r.some(n, "cron expression", one) }
}

// windows reads one window, or a list of them.
func (r *reader) windows(dst *[]policy.Window) func(*node) {
	one := func(n *node) {
		if s, ok := r.text(n, `a window such as "Mon-Fri 08:00-20:00"`); ok {
			*dst = append(*dst, policy.Window{Expr: s, Pos: r.inner(n)})
		}
	}
	return func(n *node) { r.some(n, "window", one) }
}

// compile has the policies judged, all of them, whatever else is wrong.
func (r *reader) compile(specs []policy.Spec, calendars []Calendar) *policy.Set {
	zones := make(map[string]*time.Location, len(r.zones))
	for name, loc := range r.zones {
		if loc != nil {
			zones[name] = loc
		}
	}
	set, problems := policy.Compile(specs, policy.Env{Zones: zones, Calendars: r.byName(calendars)})
	r.problems = append(r.problems, problems...)
	return set
}

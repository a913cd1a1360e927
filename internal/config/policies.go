package config

import (
	"fmt"
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

// defaults reads what holds for every policy that does not say otherwise.
func (r *reader) defaults(n *node, o *policy.Options) {
	r.mapping(n, "defaults", append(r.terms(o),
		field{name: "timezone", refuse: "the time zone of all policies is a key of the file itself, not of defaults"})...)
}

// terms are the fields that a policy and defaults: both have.
func (r *reader) terms(o *policy.Options) []field {
	return []field{
		{name: "start_lead", read: r.durationOr("none", 0, &o.StartLead, 0, maxLead)},
		{name: "enforce", read: r.enforce(&o.Enforce)},
		{name: "catch_up_within", read: r.durationOr("none", noEnd, &o.CatchUpWithin, time.Second, maxCatchUp)},
		{name: "confirm_within", read: r.duration(&o.ConfirmWithin, time.Second, maxWait)},
		{name: "min_span", read: r.duration(&o.MinSpan, time.Second, maxWait)},
		{name: "on_change", read: r.choice([]string{"settle", "converge"}, func(i int) { o.Converge = i == 1 })},
		{name: "dry_run", read: r.boolean(&o.DryRun)},
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
func (r *reader) policies(n *node, c *Config, defaults policy.Options) []policy.Spec {
	if n == nil {
		return nil
	}
	var specs []policy.Spec
	r.within = append(r.within, "policies")
	defer func() { r.within = r.within[:len(r.within)-1] }()
	if isNull(n) {
		r.fail(n, noPolicies, "want a list, got nothing")
		return nil
	}
	r.list(n, "- name: … for each policy, one below the other", func(n *node) {
		specs = append(specs, r.policy(n, len(specs)+1, c, defaults))
	})
	return specs
}

// policy reads one policy, the i-th of the file.
func (r *reader) policy(n *node, i int, c *Config, defaults policy.Options) policy.Spec {
	before := len(r.problems)
	spec := policy.Spec{Pos: r.pos(n), Zone: c.Timezone, ZonePos: r.timezone, Options: defaults}
	if isNull(n) || n.Kind != yaml.MappingNode {
		if r.plain(n) {
			r.fail(n, "write it as keys with values: name, deployments, start, stop", "want a policy, got %s", describe(n))
		}
		return r.stand(spec, i)
	}
	fields := append(r.terms(&spec.Options),
		field{name: "name", read: r.policyName(&spec)},
		field{name: "deployments", read: func(n *node) { r.deployments(n, &spec) }},
		field{name: "start", read: r.crons(&spec.Start)},
		field{name: "stop", read: r.crons(&spec.Stop)},
		field{name: "timezone", read: func(n *node) { spec.Zone, _ = r.zone(n); spec.ZonePos = r.inner(n) }},
		field{name: "running", refuse: "this version does not support windows: write start and stop"},
		field{name: "except", refuse: notYet},
		field{name: "select", refuse: "this version does not support it: list the ids under deployments"},
	)
	r.mapping(n, "a policy", fields...)
	r.missing(n, "name", "a policy needs a name", "add name: …, which logs and metrics will show")
	r.missing(n, "deployments", "a policy needs deployments", `list their ids; write "deployments: []" if there are none yet`)
	if spec.Options.CatchUpWithin == noEnd && len(spec.Start) > 0 && len(spec.Stop) > 0 {
		spec.Options.CatchUpWithin = 0
	}
	if len(r.problems) > before {
		return r.stand(spec, i)
	}
	return spec
}

// missing reports that a mapping lacks a key.
func (r *reader) missing(n *node, key, text, hint string) {
	if n.Kind != yaml.MappingNode {
		return // which was said already
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return
		}
	}
	r.fail(n, hint, "%s", text)
}

// stand fills the gaps of a policy that has problems, so that the rest of it
// can still be judged and nothing that is said follows from what was said
// before. No such policy is ever put in force.
func (r *reader) stand(spec policy.Spec, i int) policy.Spec {
	if spec.Name == "" {
		spec.Name = fmt.Sprintf("policy %d", i)
	}
	if len(spec.Start)+len(spec.Stop) == 0 {
		spec.Stop = []policy.Cron{{Expr: "0 0 * * *", Pos: spec.Pos}}
		spec.Zone, _ = r.utc()
	}
	if len(spec.Start) == 0 || len(spec.Stop) == 0 {
		spec.Options.Enforce = policy.EnforceNone
	}
	return spec
}

func (r *reader) policyName(spec *policy.Spec) func(*node) {
	return func(n *node) {
		s, ok := r.text(n, "a name")
		switch {
		case !ok:
		case s == "" || s != strings.TrimSpace(s) || utf8.RuneCountInString(s) > 63 ||
			strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }):
			r.fail(n, "1 to 63 characters that can be seen, no blank at either end", "%s cannot be a policy's name", quote(s))
		default:
			spec.Name, spec.Pos = s, r.inner(n)
		}
	}
}

// deployments reads ids, each alone or as {id: …}.
func (r *reader) deployments(n *node, spec *policy.Spec) {
	if n.Kind == yaml.SequenceNode {
		spec.Deployments = make([]policy.Member, 0, len(n.Content))
	}
	r.list(n, "[w41b11c0, b1f77113], or one id a line behind dashes", func(n *node) {
		id := n
		if n.Kind == yaml.MappingNode {
			id = nil
			r.mapping(n, "a deployment",
				field{name: "id", read: func(n *node) { id = n }},
				field{name: "name", refuse: "this version does not compare names: write the id alone"})
			r.missing(n, "id", "a deployment needs an id", "write {id: w41b11c0}, or the id alone")
			if id == nil {
				return
			}
		}
		if s, ok := r.text(id, "a deployment's id"); ok {
			spec.Deployments = append(spec.Deployments, policy.Member{ID: policy.DeploymentID(s), Pos: r.inner(id)})
		}
	})
}

// crons reads one expression, or a list of them.
func (r *reader) crons(dst *[]policy.Cron) func(*node) {
	one := func(n *node) {
		if s, ok := r.text(n, "a cron expression"); ok {
			*dst = append(*dst, policy.Cron{Expr: s, Pos: r.inner(n)})
		}
	}
	return func(n *node) {
		switch {
		case n.Kind != yaml.SequenceNode:
			one(n)
		case len(n.Content) == 0:
			r.fail(n, "leave the key out if there is none", "want at least one cron expression, got an empty list")
		default:
			r.list(n, "", one)
		}
	}
}

// compile has the policies judged, all of them, whatever else is wrong.
func (r *reader) compile(specs []policy.Spec) *policy.Set {
	zones := make(map[string]*time.Location, len(r.zones))
	for name, loc := range r.zones {
		if loc != nil {
			zones[name] = loc
		}
	}
	set, problems := policy.Compile(specs, policy.Env{Zones: zones})
	r.problems = append(r.problems, problems...)
	return set
}

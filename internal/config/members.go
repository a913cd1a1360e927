package config

import (
	"strings"

	"curfew/policy"

	"gopkg.in/yaml.v3"
)

// mostSelected is the largest max: of a select.
const mostSelected = 10_000

// deployments reads ids, each alone or as {id: …, name: …}.
func (r *reader) deployments(n *node, spec *policy.Spec) {
	if n.Kind == yaml.SequenceNode {
		spec.Deployments = make([]policy.Member, 0, len(n.Content))
	}
	r.list(n, "[w41b11c0, b1f77113], or one id a line behind dashes", func(n *node) {
		id, name := n, ""
		if n.Kind == yaml.MappingNode {
			id, name = r.longForm(n)
		}
		if id == nil {
			return
		}
		if s, ok := r.text(id, "a deployment's id"); ok {
			spec.Deployments = append(spec.Deployments, policy.Member{ID: policy.DeploymentID(s), Pos: r.inner(id), Name: name})
		}
	})
}

// longForm reads an entry that is a mapping; without an id it returns nil.
func (r *reader) longForm(n *node) (id *node, name string) {
	r.mapping(n, "a deployment",
		field{name: "id", read: func(n *node) { id = n }},
		field{name: "name", read: r.apiName(&name, nil)})
	r.missing(n, "id", "a deployment needs an id", "write {id: w41b11c0}, or the id alone")
	return id, name
}

// apiName reads a deployment's name as the platform reports it, or a pattern of
// such names. What no name can be would match nothing, ever.
func (r *reader) apiName(dst *string, at *policy.Pos) func(*node) {
	return func(n *node) {
		s, ok := r.text(n, "a deployment's name")
		switch {
		case !ok:
		case strings.TrimSpace(s) == "" || !visibleOnly(s):
			r.fail(n, "write it as the console shows it", "%s cannot be a deployment's name", quote(s))
		default:
			*dst = s
			if at != nil {
				*at = r.inner(n)
			}
		}
	}
}

func (r *reader) pattern(dst *policy.Pattern) func(*node) {
	return r.apiName(&dst.Text, &dst.Pos)
}

// selects reads which deployments a policy takes by their names.
func (r *reader) selects(dst **policy.Select) func(*node) {
	return func(n *node) {
		s := &policy.Select{Pos: r.pos(n)}
		if !r.short(n, "select", `{name: "dev-*", max: 20}`,
			field{name: "name", read: func(n *node) { r.pattern(&s.Name)(n); r.wide(n, s.Name.Text) }},
			field{name: "max", read: r.integer(&s.Max, 1, mostSelected)}) {
			return
		}
		*dst = s
		r.missing(n, "name", "select needs a name", `add name: "dev-*", the names of the deployments that it takes`)
		r.missing(n, "max", "select needs max", "add max: 20, the most that it may take: more are a mistake, and change nothing")
	}
}

// wide tells of a pattern that leaves nothing out: it is a warning where it is
// the one that says so, and an error where it looks like another.
func (r *reader) wide(n *node, pattern string) {
	switch {
	case pattern == "" || strings.Trim(pattern, "*?") != "":
	case pattern == "*":
		r.warn(n, `protect: keeps some of them running; "dev-*" would take fewer`, `"*" takes every deployment that the key can see, new ones too`)
	default:
		r.fail(n, `write a part of the names, such as "dev-*"; "*" is every deployment`, "%s says nothing of the names", quote(pattern))
	}
}

// protect reads ids and names of deployments that are never stopped.
func (r *reader) protect(dst *[]policy.Pattern) func(*node) {
	return func(n *node) {
		first := map[string]int{}
		r.list(n, `[b7d0c1e2, "prod-*"], or one a line behind dashes`, func(n *node) {
			var p policy.Pattern
			r.pattern(&p)(n)
			line, twice := first[p.Text]
			switch {
			case p.Text == "":
			case twice:
				r.fail(n, "drop one of the two", "%s stands here twice, first in line %d", quote(p.Text), line)
			default:
				first[p.Text] = n.Line
				*dst = append(*dst, p)
			}
		})
	}
}

package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"curfew/internal/config"
	"curfew/policy"
)

// find returns the policy that has a deployment, with it as its one member. An
// inventory knows what it is called, else it is called name.
func find(file *config.Config, inv *inventory, id policy.DeploymentID, name string) (*planLine, error) {
	all := planLines(file, inv)
	line, ok := only(all, id)
	if !ok {
		return nil, astray(file, inv, all, policy.Named{ID: id, Name: inv.name(policy.Member{ID: id, Name: name})})
	}
	return line, nil
}

// astray is the error for a deployment that no policy has: why, with those that
// were probably meant, and what there is.
func astray(file *config.Config, inv *inventory, lines []*planLine, n policy.Named) error {
	var s strings.Builder
	fmt.Fprintf(&s, "find deployment %q: %s", n.ID, nobodys(file, n.Name))
	if len(selecting(file, n.Name)) > 0 {
		s.WriteString("\nmake the pattern narrower, or name the deployment by its id")
		return errors.New(s.String())
	}
	if like := nearestTo(lines, string(n.ID)); len(like) > 0 {
		s.WriteString("\ndid you mean " + strings.Join(like, ", ") + "?")
	}
	if len(lines) > 0 {
		s.WriteString("\npolicies: " + strings.Join(policyCounts(lines), ", "))
	}
	switch {
	case !file.Policies.Selects():
	case n.Name != "":
		fmt.Fprintf(&s, "\nit is called %q, which no policy selects", printable(n.Name))
	case inv != nil:
		fmt.Fprintf(&s, "\nwhom a policy selects by name, an inventory tells: %s has no such id%s", inv.source, inv.bearing(string(n.ID)))
	default:
		s.WriteString("\nwhom a policy selects by name, an inventory tells: --inventory FILE")
	}
	return errors.New(s.String())
}

// nobodys says why no policy has a deployment of this name, which is empty where
// nobody knows it.
func nobodys(file *config.Config, name string) string {
	var who []string
	for _, p := range selecting(file, name) {
		who = append(who, fmt.Sprintf("%s (%s)", p.Name(), place(p.Select().Pos)))
	}
	switch len(who) {
	case 0:
		return "no policy in " + file.Source + " has it"
	case 1:
		return fmt.Sprintf("policy %s selects it, called %q, with more others than its max allows, and has not taken it", who[0], printable(name))
	}
	return fmt.Sprintf("it is called %q, which policies %s select: it is under neither", printable(name), strings.Join(who, " and "))
}

// selecting are the policies whose pattern fits a name.
func selecting(file *config.Config, name string) (all []*policy.Policy) {
	for _, p := range file.Policies.Policies {
		if s := p.Select(); s != nil && name != "" && s.Name.Matches(name) {
			all = append(all, p)
		}
	}
	return all
}

// policyCounts names the policies with how many deployments they have.
func policyCounts(lines []*planLine) []string {
	const most = 8
	var all []string
	for i, l := range lines {
		if i == most {
			return append(all, fmt.Sprintf("and %d more", len(lines)-most))
		}
		n := plural(len(l.members), "deployment", "deployments")
		if l.policy.Select() != nil {
			n += " and a select"
		}
		all = append(all, fmt.Sprintf("%s (%s)", l.policy.Name(), n))
	}
	return all
}

// nearestTo finds up to three deployments with an id, or a name, like text: the
// nearest first.
func nearestTo(lines []*planLine, text string) []string {
	const longest, most = 64, 3
	if len(text) > longest {
		return nil
	}
	type near struct {
		edits int
		id    policy.DeploymentID
		text  string
	}
	var all []near
	for _, l := range lines {
		for _, m := range l.members {
			n := min(distance(text, string(m.id)), distance(text, m.name))
			if n > max(2, len(text)/3) {
				continue
			}
			what := string(m.id)
			if m.name != "" {
				what += " " + printable(m.name)
			}
			all = append(all, near{n, m.id, what + " (" + l.policy.Name() + ")"})
		}
	}
	slices.SortFunc(all, func(a, b near) int { return cmp.Or(cmp.Compare(a.edits, b.edits), cmp.Compare(a.id, b.id)) })
	var out []string
	for _, n := range all[:min(most, len(all))] {
		out = append(out, n.text)
	}
	return out
}

// distance is how far a text that was typed is from a word: 1 where it is its
// begin, else the number of characters to insert, remove or replace.
func distance(typed, word string) int {
	typed, word = strings.ToLower(typed), strings.ToLower(word)
	const apart, least = 1 << 16, 3
	switch {
	case word == "" || typed == "":
		return apart
	case typed == word:
		return 0
	case len(typed) >= least && strings.HasPrefix(word, typed):
		return 1
	case max(len(typed)-len(word), len(word)-len(typed)) > max(2, len(typed)/3):
		return apart // that many edits at least
	}
	row := make([]int, len(word)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(typed) {
		before := row[0]
		row[0] = i + 1
		for j := range len(word) {
			cost := 1
			if typed[i] == word[j] {
				cost = 0
			}
			before, row[j+1] = row[j+1], min(before+cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(word)]
}

// completeDeployments completes ids from the configuration that the command line
// names, where that can be read.
func completeDeployments(c *console, path *string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		file, _, err := config.Load(*path, c.env)
		if err != nil || file.Policies == nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var ids []cobra.Completion
		for _, p := range file.Policies.Policies {
			for _, m := range p.Members() {
				if strings.HasPrefix(string(m.ID), typed) {
					ids = append(ids, cobra.CompletionWithDesc(string(m.ID), strings.TrimSpace(m.Name+" "+p.Name())))
				}
			}
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}

package main

import (
	"encoding/json"
	"io"
	"time"

	"curfew/policy"
)

// A diffBody is a difference in JSON: a group of calls, what is done when the new
// file is loaded, a setting, or a policy's new name. Which it is, change tells.
type diffBody struct {
	Change      string     `json:"change"` // "moved", "added", "removed", "loaded", "setting" or "renamed"
	OldPolicy   string     `json:"old_policy,omitempty"`
	NewPolicy   string     `json:"new_policy,omitempty"`
	Deployments []string   `json:"deployments,omitempty"`
	Select      []string   `json:"select,omitempty"` // patterns: whoever is called so
	Action      string     `json:"action,omitempty"` // "start" or "stop"
	Days        string     `json:"days,omitempty"`   // in words
	Times       string     `json:"times,omitempty"`  // local
	Timezone    string     `json:"timezone,omitempty"`
	Count       int        `json:"count,omitempty"` // of calls, for each deployment
	OldDryRun   bool       `json:"old_dry_run,omitempty"`
	NewDryRun   bool       `json:"new_dry_run,omitempty"`
	Calls       []callBody `json:"calls,omitempty"`
	Setting     string     `json:"setting,omitempty"`
	Old         string     `json:"old,omitempty"` // of a setting
	New         string     `json:"new,omitempty"`
	Text        string     `json:"text,omitempty"` // in words: what is done, or the new name
}

// A callBody is one call of a group. Old is absent where it is added, New where
// it is removed.
type callBody struct {
	Old      string `json:"old,omitempty"` // RFC 3339, UTC
	New      string `json:"new,omitempty"`
	OldPlace string `json:"old_place,omitempty"` // file:line
	NewPlace string `json:"new_place,omitempty"`
	Because  string `json:"because,omitempty"` // the days of the new file by which it is removed
}

// writeDiffJSON writes one array, in the order of the text.
func writeDiffJSON(w io.Writer, c *comparison) error {
	all := []diffBody{}
	for _, s := range c.settings {
		all = append(all, settingBody(diffBody{}, s))
	}
	for _, p := range c.pairs {
		all = append(all, p.bodies()...)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(all)
}

// bodies are all differences of a pair.
func (p *policyPair) bodies() []diffBody {
	var all []diffBody
	base := p.body()
	for i := range p.groups {
		all = append(all, groupBody(base, &p.groups[i]))
	}
	if p.loaded != "" {
		b := base
		b.Change, b.Text = "loaded", p.loaded
		all = append(all, b)
	}
	for _, s := range p.settings {
		all = append(all, settingBody(base, s))
	}
	if p.renamed() && !p.differs() {
		b := base
		b.Change, b.Text = "renamed", "no call differs"
		all = append(all, b)
	}
	return all
}

// body is what all differences of a pair have in common. It repeats the
// deployments, so that each object can be understood without its neighbours.
func (p *policyPair) body() diffBody {
	b := diffBody{Timezone: p.latest().policy.Zone()}
	if p.before != nil {
		b.OldPolicy, b.OldDryRun = p.before.policy.Name(), p.before.dry
	}
	if p.after != nil {
		b.NewPolicy, b.NewDryRun = p.after.policy.Name(), p.after.dry
	}
	for _, s := range p.subjects {
		if s.id == "" {
			b.Select = append(b.Select, s.pattern)
		} else {
			b.Deployments = append(b.Deployments, string(s.id))
		}
	}
	return b
}

func groupBody(b diffBody, g *callGroup) diffBody {
	b.Change, b.Action, b.Days, b.Times, b.Count = g.kind.String(), g.power.Action(), g.days(), g.times, len(g.changes)
	for _, c := range g.changes {
		b.Calls = append(b.Calls, callBody{
			Old: instant(c.old.at), OldPlace: placeOf(c.old.because),
			New: instant(c.new.at), NewPlace: placeOf(c.new.because), Because: c.by.Ref,
		})
	}
	return b
}

func settingBody(b diffBody, s setting) diffBody {
	b.Change, b.Setting, b.Old, b.New = "setting", s.key, s.old, s.new
	b.Timezone = ""
	return b
}

// instant is a time for programs, nothing for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func placeOf(b policy.Because) string { return place(b.Pos) }

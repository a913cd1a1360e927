package config

import (
	"fmt"
	"slices"
	"strings"

	"curfew/policy"

	"gopkg.in/yaml.v3"
)

// except reads the calendars of a policy: a name, a list of names, whose dates
// are off, or names with their effects.
func (r *reader) except(dst *[]policy.Exception, calendars []Calendar) func(*node) {
	return func(n *node) {
		*dst = nil // a policy's own takes the place of the default, it adds nothing to it
		add := func(name *node, effect policy.Effect) {
			if len(*dst) == maxExcept {
				r.fail(name, "join calendars that have the same effect", "a policy names at most %d calendars", maxExcept)
			}
			r.named[name.Value] = true
			r.knownCalendar(name, calendars)
			*dst = append(*dst, policy.Exception{Calendar: name.Value, Effect: effect, Pos: r.inner(name)})
		}
		if n.Kind == yaml.MappingNode {
			r.entries(n, "except", "", func(key, value *node) { add(key, r.effect(value)) })
			return
		}
		r.items(n, func(n *node) {
			if n.Kind == yaml.MappingNode {
				r.fail(n, "write all of them as keys: except: {freeze: untouched, holidays: off}", "want a calendar's name, got a mapping")
			} else if _, ok := r.text(n, "a calendar's name"); ok {
				add(n, policy.EffectOff)
			}
		})
	}
}

// effect reads what the dates of a calendar do; off where that cannot be told.
func (r *reader) effect(n *node) (effect policy.Effect) {
	var words []string
	for e := policy.EffectOff; e <= policy.EffectUntouched; e++ {
		words = append(words, e.String())
	}
	r.choice(words, func(i int) { effect = policy.Effect(i) })(n)
	return effect
}

// knownCalendar reports a name that is no calendar's. Package policy would, too;
// but it does not know what was meant, nor the defaults that no policy uses.
func (r *reader) knownCalendar(n *node, calendars []Calendar) {
	var names []string
	for _, cal := range calendars {
		names = append(names, cal.Name)
	}
	if r.someLost || slices.Contains(names, n.Value) {
		return
	}
	hint := "there are none: write it under calendars:"
	if near := nearest(n.Value, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(names) > 0 {
		hint = "there are: " + strings.Join(names, ", ")
	}
	r.fail(n, hint, "there is no calendar %s", quote(n.Value))
}

// fold refuses policies that name more dates than can be folded in good time: the
// first that is too many is told, and it and those behind it then name none.
func (r *reader) fold(specs []policy.Spec, calendars []Calendar) {
	lengths := map[string]int{}
	for _, cal := range calendars {
		lengths[cal.Name] = cal.Days.Len()
	}
	fits, dates := map[string]bool{}, 0
	for i := range specs {
		except := specs[i].Except
		key := fmt.Sprint(namesOf(except))
		if _, known := fits[key]; !known && len(except) > 0 {
			before := dates
			for _, e := range except {
				dates += lengths[e.Calendar]
			}
			fits[key] = dates <= maxFolded
			if !fits[key] && before <= maxFolded {
				r.tooManyDates(except[0].Pos)
			}
		}
		if len(except) > 0 && !fits[key] {
			r.named[""] = true // has no dates, see byName
			specs[i].Except = []policy.Exception{{Effect: policy.EffectUntouched, Pos: except[0].Pos}}
		}
	}
}

// namesOf are calendars and effects: what package policy folds once.
func namesOf(except []policy.Exception) []string {
	var names []string
	for _, e := range except {
		names = append(names, fmt.Sprintf("%q %s", e.Calendar, e.Effect))
	}
	return names
}

func (r *reader) tooManyDates(at policy.Pos) {
	r.problems = append(r.problems, policy.Problem{
		Pos:  at,
		Text: fmt.Sprintf("the calendars of all policies up to here have more than %d dates together", maxFolded),
		Hint: "does one of them have every day of every year? Policies with the same except: count once",
	})
}

// byName returns the calendars for package policy. What an except: names and is
// not there was said already, and has no dates.
func (r *reader) byName(calendars []Calendar) map[string]*policy.Calendar {
	all := map[string]*policy.Calendar{}
	for name := range r.named {
		all[name] = policy.NewCalendar(name, nil)
	}
	for _, cal := range calendars {
		all[cal.Name] = cal.Days
	}
	return all
}

// unused warns of calendars that change nothing, which mostly is a forgotten
// except:.
func (r *reader) unused(c *Config, policies *node) {
	if policies == nil || policies.Kind != yaml.SequenceNode {
		return // whom they would be for is not known
	}
	for _, cal := range c.Calendars {
		if !r.named[cal.Name] {
			r.problems = append(r.problems, policy.Problem{
				Pos: cal.Pos, Warning: true,
				Text: fmt.Sprintf("no policy names the calendar %s", quote(cal.Name)),
				Hint: "name it under except: of a policy, or leave it out",
			})
		}
	}
}

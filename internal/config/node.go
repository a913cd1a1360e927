package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"curfew/policy"

	"gopkg.in/yaml.v3"
)

// notYet is the hint for what the design has and this version has not.
const notYet = "this version does not support it: leave it out"

// A reader walks one document and collects what is wrong with it.
type reader struct {
	name     string // of the file, in positions
	env      Env
	problems []policy.Problem
	within   []string                  // the keys on the way to the value being read
	zones    map[string]*time.Location // by name; nil for one that cannot be used

	timezone    policy.Pos // of the file's own, if it has one
	ownEndpoint bool       // the file names one, be it good or bad
	observe     *node      // what observe: says, if it is there

	icals    map[string]*icalFile       // by path
	holidays map[[2]string][]policy.Day // by country and region
	named    map[string]bool            // the calendars that an except: names
	someLost bool                       // a calendar was refused with its name
}

func newReader(name string, env Env) *reader {
	return &reader{
		name: name, env: env, zones: map[string]*time.Location{},
		icals: map[string]*icalFile{}, holidays: map[[2]string][]policy.Day{}, named: map[string]bool{},
	}
}

// A field is a key that a mapping may have, and what reads its value. One with
// refuse has a hint in the place of a meaning.
type field struct {
	name   string
	read   func(*node)
	refuse string
}

func (r *reader) pos(n *node) policy.Pos {
	return policy.Pos{File: r.name, Line: n.Line, Col: n.Column}
}

// inner is the place of a scalar's first character, behind its quote.
func (r *reader) inner(n *node) policy.Pos {
	p := r.pos(n)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		p.Col++
	}
	return p
}

// fail reports an error at n. Its text begins with the key that is being read,
// so that it can be understood without the line.
func (r *reader) fail(n *node, hint, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if len(r.within) > 0 {
		text = strings.Join(r.within, ".") + ": " + text
	}
	r.problem(n.Line, n.Column, text, hint)
}

// warn is fail for what does not keep the file from being used.
func (r *reader) warn(n *node, hint, format string, args ...any) {
	r.fail(n, hint, format, args...)
	r.problems[len(r.problems)-1].Warning = true
}

// in has read run with key added to what its problems begin with.
func (r *reader) in(key string, read func()) {
	r.within = append(r.within, key)
	read()
	r.within = r.within[:len(r.within)-1]
}

// mapping reads the fields of n and refuses every other key. A mapping without
// any value is one whose keys are all commented out: it says nothing.
func (r *reader) mapping(n *node, what string, fields ...field) {
	if !r.plain(n) || isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "write keys with values, one a line: "+names(fields), "want a mapping, got %s", describe(n))
		return
	}
	r.pairs(n, what, func(key, value *node) { r.field(key, value, what, fields) })
}

// entries reads a mapping whose keys are names that the file gives itself.
// example is what one would look like.
func (r *reader) entries(n *node, what, example string, each func(key, value *node)) {
	if !r.plain(n) || isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "write "+example, "want a mapping, got %s", describe(n))
		return
	}
	r.pairs(n, what, func(key, value *node) {
		name := key.Value
		if !accountName.MatchString(name) {
			name = quote(name)
		}
		r.in(name, func() { each(key, value) })
	})
}

// short is mapping for one that is mostly written on one line: example is what
// that looks like. It reports whether there was anything to read.
func (r *reader) short(n *node, what, example string, fields ...field) bool {
	switch {
	case isNull(n):
		return false
	case n.Kind == yaml.MappingNode:
		r.mapping(n, what, fields...)
	case r.plain(n):
		r.fail(n, "write "+example, "want a mapping, got %s", describe(n))
	}
	return true
}

// pairs calls each for every key of a mapping that can be one.
func (r *reader) pairs(n *node, what string, each func(key, value *node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if r.key(n.Content[i], what, seen) {
			each(n.Content[i], n.Content[i+1])
		}
	}
}

// key reports whether n can be a key and was not in the same mapping before.
func (r *reader) key(n *node, what string, seen map[string]int) bool {
	if isMerge(n) {
		r.problem(n.Line, n.Column, "merge keys are not supported", "write the keys out; what policies share belongs under defaults:")
		return false
	}
	if !r.plain(n) {
		return false
	}
	if n.Kind != yaml.ScalarNode {
		r.problem(n.Line, n.Column, "want a key, got "+describe(n), "a key is a word; quote what begins with [ or {")
		return false
	}
	if line, twice := seen[n.Value]; twice {
		r.problem(n.Line, n.Column, fmt.Sprintf("key %s is in %s twice, first in line %d", quote(n.Value), what, line), "keep one of the two")
		return false
	}
	seen[n.Value] = n.Line
	return true
}

// field reads one value, or says why there is no such key.
func (r *reader) field(key, value *node, what string, fields []field) {
	unknown := fmt.Sprintf("unknown key %s in %s", quote(key.Value), what)
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == key.Value })
	switch {
	case i < 0:
		r.problem(key.Line, key.Column, unknown, suggest(key.Value, fields))
	case fields[i].read == nil:
		r.problem(key.Line, key.Column, unknown, fields[i].refuse)
	default:
		r.in(key.Value, func() { fields[i].read(value) })
	}
}

// suggest is the hint for an unknown key.
func suggest(key string, fields []field) string {
	var known []string
	for _, f := range fields {
		known = append(known, f.name)
	}
	if near := nearest(key, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known here: " + names(fields)
}

// names lists the fields that can be used.
func names(fields []field) string {
	var list []string
	for _, f := range fields {
		if f.read != nil {
			list = append(list, f.name)
		}
	}
	return strings.Join(list, ", ")
}

// plain refuses what would give one value two places in the file, or a type
// that the file does not have: aliases, anchors and tags. So nothing can
// explode, and every decision can name its one line.
func (r *reader) plain(n *node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		r.fail(n, "write the value out; what policies share belongs under defaults:", "aliases are not supported")
	case n.Anchor != "":
		r.fail(n, "take the anchor out; if the value itself begins with &, quote it", "anchors are not supported")
	case n.Style&yaml.TaggedStyle != 0:
		r.fail(n, "take the tag out; if the value itself begins with !, quote it", "tags are not supported")
	default:
		return true
	}
	return false
}

// list calls each for every item of n, or refuses n. example is what a list
// would look like.
func (r *reader) list(n *node, example string, each func(*node)) {
	if !r.plain(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "write "+example, "want a list, got %s", describe(n))
		return
	}
	for _, item := range n.Content {
		each(item)
	}
}

// items calls each for every item of a list, or for the one value that stands in
// its place.
func (r *reader) items(n *node, each func(*node)) {
	if n.Kind != yaml.SequenceNode {
		each(n)
		return
	}
	r.list(n, "", each)
}

// some is items where there must be one.
func (r *reader) some(n *node, what string, each func(*node)) {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.fail(n, "leave the key out if there is none", "want at least one %s, got an empty list", what)
		return
	}
	r.items(n, each)
}

// text returns the characters of a scalar as they stand in the file: a number
// is not read as one, so that 1e5, 007 and 0x1f stay what they are.
func (r *reader) text(n *node, want string) (string, bool) {
	switch {
	case !r.plain(n):
	case isNull(n):
		r.fail(n, `write a value, or leave the key out; if it is the word "null", quote it`, "want %s, got nothing", want)
	case n.Kind != yaml.ScalarNode:
		r.fail(n, "write one value; one that begins with [ or { must be quoted", "want %s, got %s", want, describe(n))
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.ContainsAny(n.Value, "\r\n"):
		r.fail(n, "write it on the line of its key", "want %s on one line", want)
	default:
		return n.Value, true
	}
	return "", false
}

// isNull reports whether there is no value: nothing, ~ or null.
func isNull(n *node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Style&yaml.TaggedStyle == 0
}

// isMerge reports whether n is the key by which YAML 1.1 merges mappings.
func isMerge(n *node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!merge"
}

// bare reports whether a scalar stands without quotes, as words of a fixed
// meaning and numbers do.
func bare(n *node) bool {
	return n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0
}

// describe says what stands where something else should.
func describe(n *node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case isNull(n):
		return "nothing"
	}
	return quote(n.Value)
}

// quote shows a text of the file, cut where it is long.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q…", string([]rune(s)[:most]))
}

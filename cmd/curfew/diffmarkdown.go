package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// writeDiffMarkdown writes a comparison for a pull request's comment, in GitHub's
// flavour (https://github.github.com/gfm/). What others have written stands in
// spans of code, where no name is a mention, a link or half a table.
func writeDiffMarkdown(w io.Writer, c *comparison) error {
	b := &comment{Writer: bufio.NewWriter(w)} // it keeps the first error
	fmt.Fprintf(b, "### curfew: %s → %s\n\n", code(c.before.Source), code(c.after.Source))
	fmt.Fprintf(b, "**%s**\n\nThese are %s.\n", c.sum(), c.when())
	markdownCalls(b, c)
	markdownList(b, "When it is loaded", c.atLoads())
	markdownList(b, "Settings", c.allSettings())
	markdownList(b, "Names", c.renames(code))
	return b.Flush()
}

// maxComment is how many bytes of lines a comment gets before the rest is only
// counted: GitHub refuses one of more than 65,536 characters, and nobody would
// read it.
const maxComment = 60_000

// A comment is a page whose lists and tables end before it gets too long.
type comment struct {
	*bufio.Writer
	size, cut int // bytes of lines so far; lines left out of the list at hand
}

// line writes a line of a list or a table, if there is still room for it.
func (c *comment) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if c.size += len(text); c.size > maxComment {
		c.cut++
		return
	}
	_, _ = c.WriteString(text) // it keeps the first error
}

// end says how many lines were left out.
func (c *comment) end() {
	if c.cut > 0 {
		fmt.Fprintf(c, "\n%s here; `curfew diff` shows all.\n", plural(c.cut, "line is not", "lines are not"))
	}
	c.cut = 0
}

// markdownCalls is the table of the groups. Each row names its policy: a table
// has no headings in between, and readers sort what they copy out of it.
func markdownCalls(w *comment, c *comparison) {
	head := "\n| policy | deployments | change | call | when | times | line |\n|---|---|---|---|---|---:|---|\n"
	for _, p := range c.pairs {
		for i := range p.groups {
			g := &p.groups[i]
			w.line("%s| %s<br>%s | %s | %s | %s | %s | %d | %s |\n", head, p.title(code), p.zones(),
				p.whom(60, code), g.kind, g.power.Action(), g.sentence(), len(g.changes), g.markdownLine())
			head = ""
		}
	}
	w.end()
}

// sentence is the days and times of a group.
func (g *callGroup) sentence() string {
	switch {
	case g.listed():
		return "**" + g.times + "** on " + g.days()
	case g.week == 0:
		return "**" + g.times + "** " + g.days() + ", " + g.reach()
	}
	return g.days() + " **" + g.times + "**, " + g.reach()
}

// markdownLine is the line that makes the calls, or the days that take them.
func (g *callGroup) markdownLine() string {
	if g.by != "" {
		return g.line() + ", " + code(g.by)
	}
	return g.line()
}

// atLoads are what is done at the moment of the change, a line for each pair.
func (c *comparison) atLoads() []string {
	var all []string
	for _, p := range c.pairs {
		if p.loaded != "" {
			all = append(all, p.title(code)+", "+p.whom(60, code)+": "+p.loaded)
		}
	}
	return all
}

// allSettings are those of the file, then those of the policies.
func (c *comparison) allSettings() []string {
	var all []string
	for _, s := range c.settings {
		all = append(all, code(s.String()))
	}
	for _, p := range c.pairs {
		for _, s := range p.settings {
			all = append(all, p.title(code)+", "+p.whom(60, code)+": "+code(s.String()))
		}
	}
	return all
}

func markdownList(w *comment, heading string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(w, "\n#### %s\n\n", heading)
	for _, s := range items {
		w.line("- %s\n", s)
	}
	w.end()
}

// code makes a span of code of any text: in ticks that it does not have itself,
// in one line, its bars escaped, since a table takes them before code does.
func code(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, s)
	ticks := "`"
	for strings.Contains(s, ticks) {
		ticks += "`"
	}
	pad := ""
	if s == "" || s[0] == '`' || s[len(s)-1] == '`' || s[0] == ' ' && s[len(s)-1] == ' ' {
		pad = " "
	}
	return ticks + pad + strings.ReplaceAll(s, "|", `\|`) + pad + ticks
}

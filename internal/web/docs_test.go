package web

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"curfew/internal/needtool"
	"curfew/scheduler"
)

// entry is a metric as docs/metrics.md has it, or as it is exported.
type entry struct {
	Type   string
	Labels []string // sorted
}

// section is a metric's part of the page.
type section struct {
	entry
	meaning, query string
}

// documented reads docs/metrics.md: its text, and its sections by metric.
func documented(t *testing.T) (string, map[string]section) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]section{}
	shape := regexp.MustCompile("(?s)^`([a-z_]+)`\n\nType: ([a-z]+) · Unit: [^\n]+ · Labels: ([^\n]+)\n\n(.+?)\n\n```promql\n(.+?)\n```")
	for _, part := range strings.Split(string(page), "\n### ")[1:] {
		m := shape.FindStringSubmatch(part)
		if m == nil {
			title, _, _ := strings.Cut(part, "\n")
			t.Fatalf("docs/metrics.md: section %s has no type, unit, labels, meaning and query, in this order", title)
		}
		if _, twice := sections[m[1]]; twice {
			t.Errorf("docs/metrics.md: %s has two sections", m[1])
		}
		labels := strings.Split(strings.ReplaceAll(m[3], "`", ""), ", ")
		slices.Sort(labels)
		sections[m[1]] = section{entry{m[2], labels}, m[4], m[5]}
	}
	return string(page), sections
}

// exported is what a scrape of everything shows.
func exported(t *testing.T) map[string]entry {
	t.Helper()
	d := newDaemon(t, always(fleet()), PerDeploymentAll, "office-hours")
	d.metrics.Examined(examined())
	families, err := d.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]entry{}
	for _, f := range families {
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		slices.Sort(labels)
		all[f.GetName()] = entry{strings.ToLower(f.GetType().String()), labels}
	}
	return all
}

// TestDocumented: the page lists what is exported, with its type and labels, no
// more and no less.
func TestDocumented(t *testing.T) {
	t.Parallel()
	_, sections := documented(t)
	entries := map[string]entry{}
	for name, s := range sections {
		entries[name] = s.entry
		if !strings.Contains(s.query, name) {
			t.Errorf("docs/metrics.md: the query of %s does not use it: %s", name, s.query)
		}
	}
	if diff := cmp.Diff(entries, exported(t)); diff != "" {
		t.Errorf("docs/metrics.md (-) and what is exported (+) differ:\n%s", diff)
	}
}

// TestDocumentedValues: the page names every value of every closed label.
func TestDocumentedValues(t *testing.T) {
	t.Parallel()
	page, _ := documented(t)
	values := append(codes(), scheduler.StatusNone.String())
	values = append(values, texts(confirmResults())...)
	values = append(values, texts(lateCauses())...)
	values = append(values, texts(blockReasons())...)
	for _, e := range endings() {
		values = append(values, e.kind.String(), string(e.reason))
	}
	values = append(values, words(postVerdicts())...)
	values = append(values, words(statusKinds())...)
	values = append(values, words(methods())...)
	values = append(values, words(scopes())...)
	values = append(values, words(powers())...)
	for _, v := range values {
		if v != "" && !strings.Contains(page, "`"+v+"`") {
			t.Errorf("docs/metrics.md does not name the label value %q", v)
		}
	}
}

// words returns the label of each value of a list.
func words[S fmt.Stringer](list []S) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.String())
	}
	return out
}

// TestDocumentedQueries: Prometheus takes every query of the page.
func TestDocumentedQueries(t *testing.T) {
	t.Parallel()
	promtool := needtool.Path(t, "promtool", "prometheus")
	_, sections := documented(t)
	var rules strings.Builder
	rules.WriteString("groups:\n- name: docs\n  rules:\n")
	for name, s := range sections {
		fmt.Fprintf(&rules, "  - record: %q\n    expr: %q\n", "docs:"+name, s.query)
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(promtool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool check rules: %v\n%s\n%s", err, out, rules.String())
	}
}

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"curfew/internal/config"
)

// root is the top of the repository, seen from here.
const root = "../.."

// read returns a file of the repository, named from its top.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages returns the names of all Markdown files at the top and in docs.
func pages(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no page (%v)", pattern, err)
		}
		for _, f := range found {
			name, err := filepath.Rel(root, f)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
	}
	return names
}

// A fence is a block of code on a page.
type fence struct {
	language string
	line     int // of its first line, from 1
	text     string
}

// fences returns the blocks of code of a page, and the page with nothing in
// their place, so that what looks like a link or a heading in code is none. A
// block inside a list is indented, and loses that.
func fences(page string) (all []fence, prose string) {
	var rest strings.Builder
	inside, indent := false, ""
	for i, line := range strings.Split(page, "\n") {
		bare := strings.TrimLeft(line, " ")
		language, mark := strings.CutPrefix(bare, "```")
		switch {
		case mark && !inside:
			all = append(all, fence{language: language, line: i + 2})
			indent = line[:len(line)-len(bare)]
		case !mark && inside:
			all[len(all)-1].text += strings.TrimPrefix(line, indent) + "\n"
		case !mark:
			rest.WriteString(line)
		}
		if mark {
			inside = !inside
		}
		rest.WriteString("\n")
	}
	return all, rest.String()
}

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code     = regexp.MustCompile("`[^`\n]*`")
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)
)

// anchors returns the targets that the headings of a page make, as GitHub does:
// in small letters, without punctuation, with a hyphen for each blank.
func anchors(page string) map[string]bool {
	_, prose := fences(page)
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(prose, -1) {
		bare := noAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		all[strings.ReplaceAll(bare, " ", "-")] = true
	}
	return all
}

// TestLinks: every link that stays in the repository leads to a file, and its
// fragment to a heading there.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, name := range pages(t) {
		_, prose := fences(read(t, name))
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(prose, ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, fragment, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = filepath.Join(filepath.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: link %s leads nowhere: %v", name, m[1], err)
				continue
			}
			if fragment != "" && !anchors(read(t, target))[fragment] {
				t.Errorf("%s: link %s: %s has no such heading", name, m[1], target)
			}
		}
	}
}

// TestConfigurations: every complete configuration on a page is taken without a
// word. One that shows a mistake is marked as text, not as YAML.
func TestConfigurations(t *testing.T) {
	t.Parallel()
	n := 0
	for _, name := range pages(t) {
		all, _ := fences(read(t, name))
		for _, f := range all {
			if f.language != "yaml" || !strings.Contains(f.text, "policies:") {
				continue
			}
			n++
			text := []byte(f.text)
			if _, problems := config.Parse("curfew.yaml", text, config.Env{Dir: "/etc/curfew"}); len(problems) > 0 {
				t.Errorf("%s:%d: this configuration is not taken:\n%s", name, f.line, config.Render(problems, text))
			}
		}
	}
	if n == 0 {
		t.Error("no page has a complete configuration")
	}
}

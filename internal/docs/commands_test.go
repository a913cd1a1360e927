package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A command is a line that a page tells people to type.
type command struct {
	page string
	line string // what follows "curfew "
}

var (
	inline   = regexp.MustCompile("`curfew ([^`\n]+)`")
	typed    = regexp.MustCompile(`(?m)^(?:\$ )?(?:\./|go run \./cmd/)?curfew (.+)$`)
	flagged  = regexp.MustCompile(`(?:^| )(--?[a-z][a-z-]*)`)
	literals = regexp.MustCompile(`"[^"]*"|'[^']*'|[#|].*$`)
)

// commands finds all of them, in text and in blocks of code that are no data.
func commands(t *testing.T) []command {
	t.Helper()
	var all []command
	for _, page := range pages(t) {
		blocks, prose := fences(read(t, page))
		for _, m := range inline.FindAllStringSubmatch(prose, -1) {
			all = append(all, command{page, m[1]})
		}
		for _, b := range blocks {
			if b.language != "" && b.language != "sh" && b.language != "console" {
				continue
			}
			for _, m := range typed.FindAllStringSubmatch(b.text, -1) {
				all = append(all, command{page, m[1]})
			}
		}
	}
	return all
}

// TestCommands: each command on a page exists, and so do its flags.
func TestCommands(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "curfew")
	if out, err := exec.Command("go", "build", "-o", program, "curfew/cmd/curfew").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	help := map[string]string{}
	for _, c := range commands(t) {
		name := strings.TrimRight(strings.Fields(c.line)[0], ",.")
		if strings.HasPrefix(name, "-") {
			continue // a flag of curfew itself
		}
		if help[name] == "" {
			out, err := exec.Command(program, name, "--help").CombinedOutput()
			if err != nil || !strings.Contains(string(out), "curfew "+name) {
				t.Errorf("%s: there is no `curfew %s` (%v)", c.page, name, err)
				continue
			}
			help[name] = string(out)
		}
		known := flagged.FindAllString(help[name], -1)
		for _, m := range flagged.FindAllStringSubmatch(literals.ReplaceAllString(c.line, ""), -1) {
			if !slices.ContainsFunc(known, func(k string) bool { return strings.TrimSpace(k) == m[1] }) {
				t.Errorf("%s: `curfew %s`: there is no flag %s", c.page, c.line, m[1])
			}
		}
	}
}

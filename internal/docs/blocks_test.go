package docs

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// update has what is generated written instead of compared.
var update = flag.Bool("update", false, "write the generated blocks of the pages, and the pictures")

// hold compares a file of the repository with what it must be, or writes it.
func hold(t *testing.T, name, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join(root, name), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(read(t, name), want); diff != "" {
		t.Errorf("%s (-) is not what the code says (+); go test ./internal/docs -update writes it\n%s", name, diff)
	}
}

// replace returns page with text in the block of that name.
func replace(t *testing.T, page, name, text string) string {
	t.Helper()
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, ok := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("the page has no block %q: it begins with %q and ends with %q", name, begin, end)
	}
	return before + begin + text + end + after
}

// TestBlocks: what the pages quote of the program's answers is what it answers.
func TestBlocks(t *testing.T) {
	for name, blocks := range map[string]map[string]func(*testing.T) string{
		"docs/windows-and-cron.md": {
			"windows": windowTable, "refused windows": refusedWindows,
			"spring": springNight().table, "autumn": autumnNight().table, "gap": gapTable, "lead": leadTable,
			"dialect": dialectTable, "refused": refusedTable,
		},
		"docs/configuration.md": {"mistakes": mistakes, "later": laterTable},
		"docs/architecture.md":  {"arrows": arrowTable, "libraries": libraryTable},
	} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			page := read(t, name)
			for block, text := range blocks {
				page = replace(t, page, block, text(t))
			}
			if strings.Count(page, "<!-- begin ") != len(blocks) {
				t.Errorf("%s has a block that no test makes", name)
			}
			hold(t, name, page)
		})
	}
}

// TestPictures: the pictures show what package policy answers.
func TestPictures(t *testing.T) {
	for _, n := range []night{springNight(), autumnNight()} {
		hold(t, "docs/img/"+n.name+".svg", n.picture(t))
	}
}

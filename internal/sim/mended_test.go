package sim

import (
	"os"
	"strings"
	"testing"
)

// TestMended runs the scripts that found a bug once.
func TestMended(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/mended.txt")
	if err != nil {
		t.Fatal(err)
	}
	var why []string
	n := 0
	for line := range strings.Lines(string(b)) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "# "):
			why = append(why, line[2:])
		case line == "":
			why = nil
		default:
			n++
			runMended(t, line, strings.Join(why, " "))
		}
	}
	if n == 0 {
		t.Error("there are none")
	}
}

func runMended(t *testing.T, line, why string) {
	s, err := readScript([]byte(line))
	if err != nil {
		t.Fatalf("%s: %v", why, err)
	}
	k, err := s.run(never)
	if k == nil {
		t.Fatalf("%s: %v", why, err)
	}
	if wrong := k.end(err, true); len(wrong) > 0 {
		t.Errorf("%s: it is back\n%s\n%s\n%s", why, strings.Join(wrong, "\n"), s, k.timeline(60))
	}
}

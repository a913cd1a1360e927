package config

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"start", "stop", "start_lead", "name", "deployments"}
	for got, want := range map[string]string{
		"stopp": "stop", "Stop": "stop", "sotp": "stop", "strat": "start", "startlead": "start_lead", "start-lead": "start_lead",
		"deployment": "deployments", "names": "name", "x": "", "schedule": "", "": "",
	} {
		if near := nearest(got, words); near != want {
			t.Errorf("nearest(%q) = %q, want %q", got, near, want)
		}
	}
}

// TestEdits holds the distance to what makes it one, and to a slow definition.
func TestEdits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[abc]{0,6}`)
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		got := edits(a, b)
		if got != edits(b, a) || (got == 0) != (a == b) {
			t.Fatalf("edits(%q, %q) = %d, the other way %d", a, b, got, edits(b, a))
		}
		if want := slowEdits(a, b); got != want {
			t.Fatalf("edits(%q, %q) = %d, want %d", a, b, got, want)
		}
	})
}

// slowEdits is the definition, from the end of both words.
func slowEdits(a, b string) int {
	if a == "" || b == "" {
		return len(a) + len(b)
	}
	i, j := len(a)-1, len(b)-1
	cost := 1
	if a[i] == b[j] {
		cost = 0
	}
	d := min(slowEdits(a[:i], b)+1, slowEdits(a, b[:j])+1, slowEdits(a[:i], b[:j])+cost)
	if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
		d = min(d, slowEdits(a[:i-1], b[:j-1])+1)
	}
	return d
}

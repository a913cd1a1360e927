package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const text = "hunter2-do-not-print"

// TestNothingPrintsIt tries every way in which a value ends up in a log, an
// error or a dump, a struct with an unexported field among them.
func TestNothingPrintsIt(t *testing.T) {
	t.Parallel()
	s := New(text)
	type outer struct{ hidden String }
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "outer", outer{s})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "outer", outer{s})
	dump, err := json.Marshal(map[string]any{"s": s, "p": &s})
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	for _, got := range []string{
		fmt.Sprint(s), fmt.Sprintf("%s %v %+v %#v %q %x %d", s, s, s, s, s, s, s), fmt.Sprint(&s),
		fmt.Sprintf("%v %+v %#v", outer{s}, outer{s}, outer{s}), fmt.Errorf("failed: %v", s).Error(), string(dump), log.String(),
	} {
		if strings.Contains(got, text) || strings.Contains(got, fmt.Sprintf("%x", text)) {
			t.Errorf("the secret shows in %q", got)
		}
	}
	if s.Reveal() != text || s.Empty() {
		t.Error("the secret is not what it was made of")
	}
	if !(String{}).Empty() || (String{}).Reveal() != "" || !New("").Empty() {
		t.Error("an empty secret is not empty")
	}
}

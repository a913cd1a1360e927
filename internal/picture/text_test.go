package picture

import (
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want, why string }{
		{"dev-eu Müller 東京 🚀", "dev-eu Müller 東京 🚀", "letters of any script stay"},
		{"می\u200cخواهم 👩\u200d💻", "می\u200cخواهم 👩\u200d💻", "joiners are letters there"},
		{"a\u202etxt.exe", "a\ufffdtxt.exe", "text that is turned around"},
		{"a\u2066b\u200e", "a\ufffdb\ufffd", "isolates and marks of direction"},
		{"a\x1b[31m\x00\u0085", "a\ufffd[31m\ufffd\ufffd", "control characters"},
		{"a\nb\u2028c", "a\ufffdb\ufffdc", "line breaks"},
		{"\ufeffa\u00ad", "\ufffda\ufffd", "what nobody sees"},
		{"a\xffb", "a\ufffdb", "no UTF-8"},
		{"\uffff\ufffe", "\ufffd\ufffd", "not in XML"},
	} {
		if got := plain(c.in, false); got != c.want {
			t.Errorf("%s: %q became %q, want %q", c.why, c.in, got, c.want)
		}
	}
	if got := plain("a\nb\r", true); got != "a\nb\ufffd" {
		t.Errorf("lines of a tooltip: %q", got)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", ""}, {"dev-eu", "dev-eu"}, {"0123456789", "0123456789"}, {"01234567890", "01234567…"}, {"東京東京東京東", "東京東京…"},
	} {
		if got := cut(c.in, 58.01, 10); got != c.want {
			t.Errorf("%q is cut to %q, want %q", c.in, got, c.want)
		}
	}
	if got := cut(strings.Repeat("a\u0301", 10), 58.01, 10); got != strings.Repeat("a\u0301", 10) {
		t.Errorf("marks above a letter take no room: %q", got)
	}
}

package demo

import (
	"bytes"
	"strings"
	"testing"

	"curfew/internal/simplatform"
)

// TestCronAndCurl tells what the loop that curfew is held against does on each
// tape: the demonstration must not make it look worse, nor better, than it is.
func TestCronAndCurl(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tape tape
		want score
		why  string
	}{
		{evening(), score{posts: 4}, "curl takes a dead connection for final, and here it is right"},
		{nights()[0], score{posts: 4, over: 3, missed: 1}, "curl repeats a 429 within seconds, and gives up"},
		{nights()[1], score{missed: 1}, "02:30 does not exist in the spring night"},
		{nights()[2], score{posts: 2, over: 0, repeated: 1}, "02:30 exists twice in the autumn night"},
	} {
		f, err := c.tape.read()
		if err != nil {
			t.Fatalf("%s: %v", c.tape.name, err)
		}
		w, err := f.world()
		if err != nil {
			t.Fatalf("%s: %v", c.tape.name, err)
		}
		cronAndCurl(w, f.conf.Policies, f.from, f.length)
		if got := scoreOf(w, f.conf.Policies, f.end()); got != c.want {
			t.Errorf("%s (%s)\n got  %+v\n want %+v\n%s", c.tape.name, c.why, got, c.want, logOf(w))
		}
	}
}

func logOf(w *simplatform.World) string {
	var b strings.Builder
	for _, e := range w.Log() {
		b.WriteString(e.At.Format("15:04:05 ") + e.Method.String() + " " + e.ID + "\n")
	}
	return b.String()
}

// TestNights plays the nights with the real core: what the demonstration prints
// of them is what came of it.
func TestNights(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := &show{Options: Options{Out: &out}}
	if err := s.playNights(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.ours.over+s.ours.repeated+s.ours.missed != 0 || s.ours.posts != 4 {
		t.Errorf("score %+v, want four POSTs, nothing over, repeated or missed", s.ours)
	}
	for _, want := range []string{
		"foreign 429   stop 20:00:00  done after 2 POSTs, because curfew.yaml:6 says \"0 20 * * *\"\n",
		"spring night  stop 03:00:00  done after 1 POST, because curfew.yaml:5 says \"30 2 * * *\"\n",
		"autumn night  stop 02:30:00  done after 1 POST, because curfew.yaml:5 says \"30 2 * * *\"\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}

// TestFirstFile holds the file that people are told to begin with to the parser.
func TestFirstFile(t *testing.T) {
	t.Parallel()
	if _, err := (tape{name: "curfew", file: FirstFile}).read(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(FirstFile, "\n"); n != 6 {
		t.Errorf("the six-line file has %d lines", n)
	}
}

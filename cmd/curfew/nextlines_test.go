package main

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func answers(t testing.TB, in io.Reader) string {
	t.Helper()
	var out bytes.Buffer
	if err := answerLines(in, &out); err != nil {
		t.Fatalf("answerLines: %v", err)
	}
	return out.String()
}

func TestAnswerLines(t *testing.T) {
	t.Parallel()
	const answer = "2026-01-02T00:00:00Z\n"
	question := "UTC|0 0 * * *|2026-01-01T00:00:00Z|1"
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"no end of line", question, answer},
		{"end of line", question + "\n", answer},
		{"Windows", question + "\r\n" + question + "\r\n", answer + answer},
		{"blank", "\n", "ERR want zone|cron|from|count\n"},
		{"offset", "UTC|0 0 * * *|2026-01-01T01:00:00+02:00|1", "2026-01-01T00:00:00Z\n"},
		{"strictly after", "UTC|0 0 * * *|2026-01-02T00:00:00Z|1", "2026-01-03T00:00:00Z\n"},
		{"control characters", "UTC|\x1b[31m|2026-01-01T00:00:00Z|1", ""},
		{"a cron of two lines", "UTC|0 0\u2028* * *|2026-01-01T00:00:00Z|1", ""},
		{"too long", strings.Repeat("x", 3*maxQuestion) + "\n" + question, "ERR the line is longer than 65535 bytes\n" + answer},
		{"just not too long", strings.Repeat("x", maxQuestion-1) + "\n" + question, "ERR want zone|cron|from|count\n" + answer},
		{"too long and the last", strings.Repeat("x", 2*maxQuestion), "ERR the line is longer than 65535 bytes\n"},
	} {
		got := answers(t, strings.NewReader(tc.in))
		if tc.want == "" && tc.in != "" {
			if strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "ERR ") || strings.Contains(got, "\x1b") {
				t.Errorf("%s: %q, want one harmless line of ERR", tc.name, got)
			}
			continue
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestAnswersAreNotHeldBack asks like a program that waits for each answer
// before the next question.
func TestAnswersAreNotHeldBack(t *testing.T) {
	t.Parallel()
	questions, in := io.Pipe()
	out, answering := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := answerLines(questions, answering)
		answering.Close()
		ended <- err
	}()
	lines := bufio.NewReader(out)
	for range 3 {
		if _, err := io.WriteString(in, "UTC|@daily|2026-01-01T00:00:00Z|1\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := lines.ReadString('\n'); err != nil || line != "2026-01-02T00:00:00Z\n" {
			t.Fatalf("answer %q, %v", line, err)
		}
	}
	in.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// FuzzAnswerLines: every line has one answer, of instants that rise, or of why
// there are none.
func FuzzAnswerLines(f *testing.F) {
	f.Add("Europe/Berlin|30 2 * * *|2027-03-27T11:00:00Z|3\n")
	f.Add("UTC|0 0 31 2 *|2026-01-01T00:00:00Z|5")
	f.Add("|\r\n\n|||\nUTC|@reboot|x|1")
	f.Add("UTC|*/7 1-5 * JAN sun|2026-01-01T00:00:00Z|9")
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) > 4<<10 || strings.Count(in, "00000") > 0 {
			return // a million instants take their time
		}
		got := answers(t, strings.NewReader(in))
		want := strings.Count(in, "\n")
		if in != "" && !strings.HasSuffix(in, "\n") {
			want++
		}
		if n := strings.Count(got, "\n"); n != want {
			t.Fatalf("%d questions in %q, %d answers: %q", want, in, n, got)
		}
		for line := range strings.Lines(got) {
			checkAnswer(t, strings.TrimSuffix(line, "\n"))
		}
	})
}

func checkAnswer(t *testing.T, line string) {
	t.Helper()
	if reason, refused := strings.CutPrefix(line, "ERR "); refused {
		if strings.TrimSpace(reason) == "" || strings.ContainsFunc(reason, unprintable) {
			t.Fatalf("no reason that can be shown: %q", line)
		}
		return
	}
	var last time.Time
	words := strings.Split(line, " ")
	for i, w := range words {
		if w == "END" && i == len(words)-1 {
			return
		}
		at, err := time.Parse(time.RFC3339, w)
		if err != nil || !strings.HasSuffix(w, "Z") || !at.After(last) && i > 0 {
			t.Fatalf("%q in %q is no later instant in UTC: %v", w, line, err)
		}
		last = at
	}
}

// BenchmarkNextLines answers one question after the other, as a program asks.
func BenchmarkNextLines(b *testing.B) {
	question := "Europe/Berlin|30 2 * * MON-FRI|2027-03-27T11:00:00Z|12\n"
	in := strings.NewReader(strings.Repeat(question, b.N))
	b.ResetTimer()
	if err := answerLines(in, io.Discard); err != nil {
		b.Fatal(err)
	}
}

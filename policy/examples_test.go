package policy

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

// TestCronExamples puts the 616 questions on which three independent engines
// agree.
func TestCronExamples(t *testing.T) {
	queries, answers := exampleLines(t, "queries.txt"), exampleLines(t, "answers.txt")
	if len(queries) != 616 || len(answers) != len(queries) {
		t.Fatalf("%d queries and %d answers, want 616 of each", len(queries), len(answers))
	}
	for i, query := range queries {
		if got := answerExample(t, query); got != answers[i] {
			t.Errorf("line %d: %s\n got %s\nwant %s", i+1, query, got, answers[i])
		}
	}
}

// TestCronExamplesBackwards asks Prev the same: from each answer but the first
// it must lead to the one before.
func TestCronExamplesBackwards(t *testing.T) {
	answers := exampleLines(t, "answers.txt")
	for i, query := range exampleLines(t, "queries.txt") {
		s, _, _ := exampleQuery(t, query)
		var before time.Time
		for _, word := range strings.Fields(strings.TrimSuffix(answers[i], "END")) {
			at := must(time.Parse(time.RFC3339, word))
			if got, ok := s.Prev(at); !ok || !got.Equal(at) {
				t.Errorf("line %d: %s\nPrev(%s) = %v, %t, want the same instant", i+1, query, word, got.UTC(), ok)
			}
			got, ok := s.Prev(at.Add(-1))
			if !before.IsZero() && (!ok || !got.Equal(before)) {
				t.Errorf("line %d: %s\nPrev before %s = %v, %t, want %v", i+1, query, word, got.UTC(), ok, before)
			}
			before = at
		}
	}
}

func answerExample(t *testing.T, query string) string {
	t.Helper()
	s, at, count := exampleQuery(t, query)
	var words []string
	for range count {
		next, ok := s.Next(at)
		if !ok {
			words = append(words, "END")
			break
		}
		words = append(words, next.UTC().Format(time.RFC3339))
		at = next
	}
	return strings.Join(words, " ")
}

func exampleQuery(t *testing.T, query string) (s *Schedule, from time.Time, count int) {
	t.Helper()
	part := strings.Split(query, "|")
	if len(part) != 4 {
		t.Fatalf("%q is not zone|cron|from|count", query)
	}
	s, err := ParseSchedule(part[1], must(time.LoadLocation(part[0])))
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s, must(time.Parse(time.RFC3339, part[2])), must(strconv.Atoi(part[3]))
}

func exampleLines(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "cron-examples", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	for in := bufio.NewScanner(f); in.Scan(); {
		lines = append(lines, in.Text())
	}
	return lines
}

// must returns v of a call that cannot fail on what the tests give it.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
)

// TestLogQueueNeverBlocks: nobody reads, and every write returns; when somebody
// does, the first lines are there and the rest is counted.
func TestLogQueueNeverBlocks(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	q := newLogQueue(w, tellDropped(&console{err: w}, "text"))
	for i := range logLines + 100 {
		fmt.Fprintf(q, "line %d\n", i)
	}
	text := readLate(q, r, w)
	if !strings.HasPrefix(text, "line 0\n") && !strings.Contains(text, "\nline 0\n") {
		t.Errorf("the first line is missing: %.60q", text)
	}
	if !regexp.MustCompile(`(?m)^curfew: \d+ log lines were dropped: nobody read them in time$`).MatchString(text) {
		t.Error("nothing tells that lines were dropped")
	}
	fmt.Fprintln(q, "after the end") // must not panic
}

// readLate begins to read when the queue ends, and returns all that it wrote.
func readLate(q *logQueue, r io.Reader, w io.Closer) string {
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(r)
		read <- string(text)
	}()
	q.close()
	w.Close()
	return <-read
}

// TestLogQueueInJSON: where the log is JSON, the line about those that were
// dropped is, too; and no line is neither there nor counted.
func TestLogQueueInJSON(t *testing.T) {
	t.Parallel()
	const written = logLines + 100
	for _, format := range []string{"json", "auto"} { // auto is JSON where there is no terminal
		r, w := io.Pipe()
		c := &console{err: w}
		q := newLogQueue(w, tellDropped(c, format))
		log := newLogger(c, w, q, format)
		for i := range written {
			log.Info("a line", "n", i)
		}
		lines, err := jsonLines(readLate(q, r, w))
		if err != nil {
			t.Fatalf("--log-format %s: %v", format, err)
		}
		there, dropped := 0, 0
		for _, l := range lines {
			switch l["msg"] {
			case "a line":
				there++
			case "log lines were dropped: nobody read them in time":
				dropped += int(l["count"].(float64))
			}
		}
		if dropped == 0 || there+dropped != written {
			t.Errorf("--log-format %s: %d lines are there and %d are said to be dropped, want %d together", format, there, dropped, written)
		}
	}
}

// TestLogQueueEnds: a reader that never reads holds the end up for a moment only.
func TestLogQueueEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		q := newLogQueue(w, func(int) {})
		fmt.Fprintln(q, "nobody reads this")
		q.close()
		r.Close() // lets the goroutine go
	})
	var out bytes.Buffer
	q := newLogQueue(&out, func(n int) { t.Errorf("%d lines were dropped", n) })
	fmt.Fprintln(q, "one")
	q.close()
	if out.String() != "one\n" {
		t.Errorf("wrote %q", out.String())
	}
}

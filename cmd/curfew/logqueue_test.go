package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

// TestLogQueueNeverBlocks: nobody reads, and every write returns; when somebody
// does, the first lines are there and the rest is counted.
func TestLogQueueNeverBlocks(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	q := newLogQueue(w)
	for i := range logLines + 100 {
		fmt.Fprintf(q, "line %d\n", i)
	}
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(r)
		read <- string(text)
	}()
	q.close()
	w.Close()
	text := <-read
	if !strings.HasPrefix(text, "line 0\n") && !strings.Contains(text, "\nline 0\n") {
		t.Errorf("the first line is missing: %.60q", text)
	}
	if !strings.Contains(text, "log lines were dropped") {
		t.Error("nothing tells that lines were dropped")
	}
	fmt.Fprintln(q, "after the end") // must not panic
}

// TestLogQueueEnds: a reader that never reads holds the end up for a moment only.
func TestLogQueueEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		q := newLogQueue(w)
		fmt.Fprintln(q, "nobody reads this")
		q.close()
		r.Close() // lets the goroutine go
	})
	var out bytes.Buffer
	q := newLogQueue(&out)
	fmt.Fprintln(q, "one")
	q.close()
	if out.String() != "one\n" {
		t.Errorf("wrote %q", out.String())
	}
}

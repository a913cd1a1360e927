package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"curfew/policy"
	"curfew/scheduler"
)

// telling writes a line for each record.
func telling(lines *[]string) Telling {
	add := func(format string, args ...any) error {
		*lines = append(*lines, fmt.Sprintf(format, args...))
		return nil
	}
	return Telling{
		Outcome:  func(n uint64, o *scheduler.Outcome) error { return add("outcome %d %+v", n, *o) },
		Post:     func(p *Post) error { return add("post %+v", *p) },
		Override: func(o *policy.Override) error { return add("override %+v", *o) },
		Row:      func(r *scheduler.Row) error { return add("row %+v", *r) },
		Damaged:  func(err error) error { return add("damaged %v", err) },
	}
}

// tell is all that f asks of a ledger.
func tell(t rapid.TB, s Source, f Filter) (lines []string) {
	t.Helper()
	must(t, Read(context.Background(), s, func(r *Reader) error {
		lines = nil
		return r.Tell(context.Background(), f, telling(&lines))
	}))
	return lines
}

func told(t rapid.TB, s Source) string { return strings.Join(tell(t, s, Filter{}), "\n") }

// count is how many lines begin with a word.
func count(lines []string) map[string]int {
	n := map[string]int{}
	for _, l := range lines {
		word, _, _ := strings.Cut(l, " ")
		n[word]++
	}
	return n
}

// TestTell: everything once, and what Outcomes and Posts say, from the earliest on.
func TestTell(t *testing.T) {
	t.Parallel()
	path := storied(t)
	lines := tell(t, sourceAt(path), Filter{})
	if diff := cmp.Diff(map[string]int{"outcome": 10, "post": 62, "override": 30, "row": 60}, count(lines)); diff != "" {
		t.Errorf("records (- written, + told):\n%s", diff)
	}
	ctx := context.Background()
	var want []string
	must(t, Read(ctx, sourceAt(path), func(r *Reader) error {
		ends, err := r.Outcomes(ctx, Filter{})
		must(t, err)
		slices.Reverse(ends)
		for i := range ends {
			want = append(want, fmt.Sprintf("outcome %d %+v", i+1, ends[i]))
		}
		return nil
	}))
	if diff := cmp.Diff(want, lines[:10]); diff != "" {
		t.Errorf("outcomes (- Outcomes, + Tell):\n%s", diff)
	}
}

// TestTellFilters: instants bound the history, a deployment all of it.
func TestTellFilters(t *testing.T) {
	t.Parallel()
	path := storied(t)
	f := Filter{From: noon().Add(3 * time.Minute), To: noon().Add(5 * time.Minute)}
	if got := count(tell(t, sourceAt(path), f))["outcome"]; got != 2 {
		t.Errorf("between minute 3 and 5 there are %d outcomes, want 2", got)
	}
	got := count(tell(t, sourceAt(path), Filter{Deployment: "d0000007"}))
	if diff := cmp.Diff(map[string]int{"post": 1, "override": 1, "row": 1}, got); diff != "" {
		t.Errorf("of one deployment (- written, + told):\n%s", diff)
	}
}

// TestTellLeavesDamageOut: of the history; elsewhere nothing is to be believed.
func TestTellLeavesDamageOut(t *testing.T) {
	t.Parallel()
	path := storied(t)
	query(t, path, "UPDATE outcomes SET tries = 9 WHERE outcome = 4")
	query(t, path, "UPDATE attempts SET status = 9 WHERE claim = 100")
	got := count(tell(t, sourceAt(path), Filter{}))
	if got["outcome"] != 9 || got["post"] != 61 || got["damaged"] != 2 {
		t.Errorf("with a damaged outcome and a damaged call there is %v", got)
	}
	query(t, path, "UPDATE overrides SET author = 'bert' WHERE override = 3")
	var lines []string
	err := Read(context.Background(), sourceAt(path), func(r *Reader) error {
		return r.Tell(context.Background(), Filter{}, telling(&lines))
	})
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged override: %v, want %v", err, ErrDamaged)
	}
}

// TestTellStops: with the error of whoever is told.
func TestTellStops(t *testing.T) {
	t.Parallel()
	full, n := errors.New("the pipe is closed"), 0
	err := Read(context.Background(), sourceAt(storied(t)), func(r *Reader) error {
		return r.Tell(context.Background(), Filter{}, Telling{Outcome: func(uint64, *scheduler.Outcome) error {
			n++
			return full
		}})
	})
	if !errors.Is(err, full) || n != 1 {
		t.Errorf("after %d records it says %v, want 1 and %v", n, err, full)
	}
}

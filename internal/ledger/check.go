package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Findings are what Examine found in a ledger, and what is wrong with it.
type Findings struct {
	Path     string
	Account  string // whose it says it is; empty where that cannot be read
	Endpoint string
	Schema   int       // version of its schema; 0 where it is no ledger
	Bytes    int64     // of the file and its -wal
	Holder   string    // who has it open, for people; empty where nobody has
	Since    time.Time // wall clock: the oldest instant of a call or an outcome; zero where there is none
	Written  time.Time // the latest one
	Last     uint64    // the highest number of a claim ever given
	Tables   []TableFindings

	// Refused is why a daemon would not start with it, nil where it would.
	Refused *Refusal
	// Problems are pages that SQLite does not understand, and records that
	// contradict each other.
	Problems []string
}

// TableFindings are what a table holds.
type TableFindings struct {
	Name    string
	Needed  bool // a daemon must read it to start; the others are history
	Rows    int64
	Damaged []Span // rows that are not as they were written, in the order in which they lie
}

// A Span is a row that is not as it was written, or several in a row.
type Span struct {
	First, Last   int64 // their numbers as they are there now; of a history only
	Rows          int64
	After, Before time.Time // wall instants of the rows around them; zero: none has one
	Cause         error     // of the first
}

// Whole reports whether nothing is wrong.
func (f *Findings) Whole() bool {
	return f.Refused == nil && len(f.Problems) == 0 && f.DamagedRows() == 0
}

// Sound reports whether a daemon may work with it: nothing is wrong but rows of
// the history, which decide nothing.
func (f *Findings) Sound() bool { return f.Refused == nil && len(f.Problems) == 0 }

// DamagedRows is how many rows are not as they were written.
func (f *Findings) DamagedRows() int64 {
	n := int64(0)
	for _, t := range f.Tables {
		for _, s := range t.Damaged {
			n += s.Rows
		}
	}
	return n
}

// Examine reads all of the ledger at s.Path, beside a running daemon as Read does:
// every page, the checksum of every row in every table, and what must hold between
// them. What is wrong with it is in the Findings; an error says that it could not
// be examined.
func Examine(ctx context.Context, s Source) (*Findings, error) {
	f := &Findings{Path: s.Path}
	err := read(ctx, s, func(r *Reader) error { return r.identify(ctx) }, func(r *Reader) (err error) {
		f, err = r.examine(ctx, s)
		return err
	})
	return f.refused(err)
}

// refused takes an error that is the ledger's fault in.
func (f *Findings) refused(err error) (*Findings, error) {
	var r *Refusal
	if errors.As(err, &r) {
		f.Refused, err = r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("examine ledger %s: %w", f.Path, err)
	}
	return f, nil
}

func (r *Reader) examine(ctx context.Context, s Source) (*Findings, error) {
	f := &Findings{Path: r.path, Schema: r.schema, Bytes: sizes(r.path), Holder: r.held}
	err := f.pages(ctx, r.picture)
	if err != nil {
		return f, err
	}
	if f.Account, f.Endpoint, err = owner(ctx, r.picture); err != nil && reasonOf(err) != ErrDamaged {
		return f, err
	}
	v := survey{Findings: f, boots: map[int64]bool{foreignBoot: true}, live: map[uint64]bool{}}
	for _, t := range tables() {
		if err := v.table(ctx, r.picture, t); err != nil {
			return f, err
		}
	}
	v.contradictions()
	// Whether a daemon would start is for the code to say by which it starts.
	if err = r.judge(ctx, s); err == nil {
		_, err = r.picture.load(ctx)
	}
	if err != nil {
		err = unreadable(r.path, err)
	}
	return f.refused(err)
}

// sizes is how long a ledger and its log are.
func sizes(path string) int64 {
	n := int64(0)
	for _, end := range [...]string{"", "-wal"} {
		if info, err := os.Stat(path + end); err == nil {
			n += info.Size()
		}
	}
	return n
}

// pages has SQLite look at all pages, the indexes' too.
func (f *Findings) pages(ctx context.Context, q querier) error {
	const most = 20
	rows, err := q.QueryContext(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", most))
	if err == nil {
		defer rows.Close()
		for rows.Next() {
			var found string
			if err := rows.Scan(&found); err != nil {
				return err
			}
			if found != "ok" {
				f.problem("pages: %s", strings.ReplaceAll(found, "\n", "; "))
			}
		}
		err = rows.Err()
	}
	if reasonOf(err) == ErrDamaged {
		f.problem("pages: %v", err)
		return nil
	}
	return err
}

func (f *Findings) problem(format string, args ...any) {
	f.Problems = append(f.Problems, fmt.Sprintf(format, args...))
}

// tables are all of them: first what a daemon loads, then the history.
func tables() []table { return append(loaded(), attempts(), outcomes()) }

// decoders read a row of a table and forget it; what is wrong with it stays with
// the row.
func decoders() map[string]func(*row) {
	return map[string]func(*row){
		"accounts":    func(r *row) { _, _, _ = r.text(), r.text(), r.number() },
		"boots":       func(r *row) { _, _, _ = r.text(), r.number(), r.text() },
		"deployments": func(r *row) { decodeRow(r) },
		"claims":      func(r *row) { decodeClaim(r) },
		"endings":     func(r *row) { decodeEnding(r) },
		"overrides":   func(r *row) { decodeOverride(r) },
		"scopes":      func(r *row) { decodeScope(r) },
		"attempts":    func(r *row) { decodePost(r) },
		"outcomes":    func(r *row) { decodeOutcome(r) },
	}
}

// A survey goes through all rows once, and keeps what they say of each other.
type survey struct {
	*Findings
	boots    map[int64]bool
	live     map[uint64]bool // claims that still count
	highest  uint64          // of all claims, and endings
	accounts int

	endless, both, unborn broken
}

// broken counts the rows that contradict others.
type broken struct {
	n     int
	first int64
}

func (b *broken) add(number int64) {
	if b.n++; b.n == 1 {
		b.first = number
	}
}

// table reads one. Where SQLite cannot get to its end, the rest of it is lost.
func (v *survey) table(ctx context.Context, q querier, t table) error {
	columns := strings.Split(t.columns, ", ")
	found := TableFindings{Name: t.name, Needed: slices.Contains(loaded(), t)}
	decode := decoders()[t.name]
	var last time.Time
	whole := true // the row before
	err := scan(ctx, q, foreignBoot, t, "", nil, func(r *row) error {
		found.Rows++
		decode(r)
		if err := r.problem(); err != nil {
			found.damage(r, err, last, whole)
			whole = false
			return nil
		}
		v.relate(t.name, r)
		at := v.instants(columns, r)
		if !whole {
			found.Damaged[len(found.Damaged)-1].Before = at
		}
		last, whole = at, true
		return nil
	})
	v.Tables = append(v.Tables, found)
	if reasonOf(err) == ErrDamaged {
		v.problem("table %s cannot be read to its end: %v", t.name, err)
		return nil
	}
	return err
}

// damage adds a row that is not as it was written, to the span before it where
// that has not ended.
func (t *TableFindings) damage(r *row, cause error, after time.Time, begins bool) {
	if begins {
		t.Damaged = append(t.Damaged, Span{After: after, Cause: cause})
	}
	s := &t.Damaged[len(t.Damaged)-1]
	number, _ := r.values[1].(int64)
	if s.Rows++; s.Rows == 1 {
		s.First = number
	}
	s.Last = number
}

// instants takes in when a row was written, and under which boots, and returns the
// first of its instants.
func (v *survey) instants(columns []string, r *row) (first time.Time) {
	for i, name := range columns {
		n, ok := r.values[i].(int64)
		switch {
		case !ok:
		case strings.HasSuffix(name, "boot") && !v.boots[n]:
			number, _ := r.values[1].(int64)
			v.unborn.add(number)
		case name == "wall" || name == "ended_wall" || name == "settled":
			at := time.Unix(0, n).UTC()
			if first.IsZero() {
				first = at
			}
			if v.Since.IsZero() || at.Before(v.Since) {
				v.Since = at
			}
			if at.After(v.Written) {
				v.Written = at
			}
		}
	}
	return first
}

// relate keeps what other rows refer to, and compares what refers to them. The
// tables come in the order that this needs.
func (v *survey) relate(name string, r *row) {
	number, _ := r.values[1].(int64)
	claim := uint64(number)
	switch name {
	case "accounts":
		v.accounts++
		last, _ := r.values[2].(int64)
		v.Last = uint64(last)
		return
	case "boots":
		v.boots[number] = true
		return
	case "claims":
		v.live[claim] = true
	case "endings":
		if !v.live[claim] {
			v.endless.add(number)
		}
	case "attempts":
		if v.live[claim] {
			v.both.add(number)
		}
	default:
		return
	}
	v.highest = max(v.highest, claim)
}

// contradictions says which rows cannot all be true.
func (v *survey) contradictions() {
	for _, c := range []struct {
		broken
		text string
	}{
		{v.endless, "%d endings are of claims that are not there, the first of claim %d"},
		{v.both, "%d calls count still and are in the history too, the first by claim %d"},
		{v.unborn, "%d instants are of boots that are not there, the first in row %d"},
	} {
		if c.n > 0 {
			v.problem(c.text, c.n, c.first)
		}
	}
	if v.accounts == 1 && v.highest > v.Last {
		v.problem("claim %d is there, and %d is said to be the highest", v.highest, v.Last)
	}
}

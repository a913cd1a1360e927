package ledger

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// foreignBoot is the number of a boot that was foreign when it was written; a
// host's own boots count from 1.
const foreignBoot = 0

// unknownBoot is that of a boot under which nothing was written.
const unknownBoot = -1

// errDamage marks what no release of this program has written.
var errDamage = errors.New("not as it was written")

// A row gives the columns of one row back, in the order in which a record took
// them. The first column that is not what a record would have written is kept
// in err; after it, zero values come.
type row struct {
	table  string
	boot   int64 // instants of any other one are foreign
	values []any
	next   int
	buf    []byte // scratch of the checksum
	err    error
}

// begin starts with the row that is in values, and checks its sum.
func (r *row) begin() {
	r.next, r.err = 0, nil
	last := len(r.values) - 1
	var sum int64
	sum, r.buf = checksum(r.table, r.values[:last], r.buf)
	if r.values[last] != sum {
		r.fail(errors.New("its checksum does not fit"))
	}
}

// problem returns what is wrong with the row, named by its key.
func (r *row) problem() error {
	if r.err == nil {
		return nil
	}
	return fmt.Errorf("row %v of %s: %w: %w", r.values[:2], r.table, errDamage, r.err)
}

// fail keeps the first error: what follows from it would only hide it.
func (r *row) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// take returns the next column, where it is a T or NULL.
func take[T any](r *row) (v T, ok bool) {
	got := r.values[r.next]
	r.next++
	if got == nil {
		return v, false
	}
	v, ok = got.(T)
	if !ok {
		r.fail(fmt.Errorf("column %d holds a %T", r.next, got))
	}
	return v, ok
}

func (r *row) text() string {
	s, _ := take[string](r)
	return s
}

func (r *row) number() int64 {
	n, _ := take[int64](r)
	return n
}

func (r *row) id() uint64 { return uint64(r.number()) }

func (r *row) flag() bool { return r.number() != 0 }

func (r *row) time() time.Time {
	ns, ok := take[int64](r)
	if !ok {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// instant reads wall, steady and boot. An instant that is "none" has no boot, and
// stays none under every other.
func (r *row) instant() scheduler.Instant {
	i := scheduler.Instant{Wall: r.time(), Steady: time.Duration(r.number())}
	boot, ok := take[int64](r)
	i.Foreign = ok && boot != r.boot
	return i
}

func (r *row) transition() scheduler.Transition {
	return scheduler.Transition{Power: enumerated[policy.Power](r), At: r.time(), Because: r.because()}
}

// fingerprint reads 16 bytes. A shorter one would compare as another rule, and a
// changed rule has what is due dropped.
func (r *row) fingerprint() (f policy.Fingerprint) {
	b, _ := take[[]byte](r)
	if copy(f[:], b) != len(f) || len(b) != len(f) {
		r.fail(fmt.Errorf("a fingerprint has %d bytes", len(b)))
	}
	return f
}

// because reads a reason; NULL is none.
func (r *row) because() policy.Because {
	s, ok := take[string](r)
	if !ok {
		return policy.Because{}
	}
	b, err := parseBecause(s)
	if err != nil {
		r.fail(fmt.Errorf("read reason %q: %w", s, err))
	}
	return b
}

// parseBecause reads what record.because wrote.
func parseBecause(s string) (b policy.Because, err error) {
	kind, rest, _ := strings.Cut(s, " ")
	k, ok := parseWord[kindWord](kind)
	place, rest, _ := strings.Cut(rest, " ")
	line, col, _ := strings.Cut(place, ":")
	if !ok {
		return b, errors.New("no such kind")
	}
	b.Kind = policy.Kind(k)
	if b.Pos.Line, err = strconv.Atoi(line); err != nil {
		return b, err
	}
	if b.Pos.Col, err = strconv.Atoi(col); err != nil {
		return b, err
	}
	file, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return b, err
	}
	if b.Ref, err = strconv.Unquote(strings.TrimPrefix(rest[len(file):], " ")); err != nil {
		return b, err
	}
	b.Pos.File, err = strconv.Unquote(file)
	return b, err
}

// enumerated reads what word wrote.
func enumerated[T enum](r *row) T {
	s, ok := take[string](r)
	if !ok {
		return 0
	}
	v, ok := parseWord[T](s)
	if !ok {
		r.fail(fmt.Errorf("no such word: %q", s))
	}
	return v
}

// parseWord finds the value of a closed list by its word. It asks each value in
// turn: the lists are short, and a table beside them could disagree with them.
func parseWord[T enum](s string) (T, bool) {
	for v := range T(math.MaxUint8) {
		if v.String() == s {
			return v, true
		}
	}
	return 0, false
}

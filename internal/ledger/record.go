package ledger

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"strings"
	"time"

	"curfew/policy"
	"curfew/scheduler"
)

// A record collects the columns of one or more rows as a statement's arguments.
// Its methods each add one column (instant three, transition three) in the
// order of the table's columns. The first value that the ledger cannot hold is
// kept in err.
type record struct {
	boot  int64 // the boot under which the batch's own instants were read
	args  []any
	start int    // where the row that is being written begins
	buf   []byte // scratch of the checksum
	err   error
}

// reset empties the record and keeps its memory.
func (r *record) reset() { r.args, r.start = r.args[:0], 0 }

// end closes a row with its checksum. name is its table's.
func (r *record) end(name string) {
	var sum int64
	sum, r.buf = checksum(name, r.args[r.start:], r.buf)
	r.args = append(r.args, sum)
	r.start = len(r.args)
}

// add adds a column as it is: a text, a number, bytes or nil.
func (r *record) add(v any) { r.args = append(r.args, v) }

// text adds a text. PostgreSQL takes neither zero bytes nor invalid UTF-8, which
// a message from the platform may hold; both become U+FFFD here.
func (r *record) text(s string) {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	r.add(s)
}

func (r *record) number(n int64) { r.add(n) }

// id adds a number that counts from 1 and never reaches the sign bit.
func (r *record) id(n uint64) {
	if n == 0 || n > math.MaxInt64 {
		r.fail(fmt.Errorf("number %d is outside of what a ledger can hold", n))
	}
	r.add(int64(n))
}

// flag adds 0 or 1. Not every driver gives a boolean back as one.
func (r *record) flag(set bool) {
	if set {
		r.add(int64(1))
		return
	}
	r.add(int64(0))
}

// time adds an instant of the wall clock; the zero one is NULL.
func (r *record) time(t time.Time) {
	if t.IsZero() {
		r.add(nil)
		return
	}
	// UnixNano is undefined outside of its range, so the way back decides.
	ns := t.UnixNano()
	if !time.Unix(0, ns).Equal(t) {
		r.fail(fmt.Errorf("instant %s is outside of what a ledger can hold, 1678 to 2262", t.UTC().Format(time.RFC3339)))
	}
	r.add(ns)
}

// instant adds wall, steady and boot; the zero instant is three NULLs.
func (r *record) instant(i scheduler.Instant) {
	if i.Wall.IsZero() && i.Steady == 0 && !i.Foreign {
		r.args = append(r.args, nil, nil, nil)
		return
	}
	boot := r.boot
	if i.Foreign {
		boot = foreignBoot
	}
	r.time(i.Wall)
	r.number(int64(i.Steady))
	r.number(boot)
}

// transition adds power, instant and reason.
func (r *record) transition(t scheduler.Transition) {
	word(r, t.Power)
	r.time(t.At)
	r.because(t.Because)
}

// because adds a reason as one readable text: kind, line:column, file, ref.
func (r *record) because(b policy.Because) {
	if b == (policy.Because{}) {
		r.add(nil)
		return
	}
	s := make([]byte, 0, 64)
	s = append(s, kindWord(b.Kind).String()...)
	s = strconv.AppendInt(append(s, ' '), int64(b.Pos.Line), 10)
	s = strconv.AppendInt(append(s, ':'), int64(b.Pos.Col), 10)
	s = strconv.AppendQuote(append(s, ' '), b.Pos.File)
	s = strconv.AppendQuote(append(s, ' '), b.Ref)
	r.add(string(s))
}

// fail keeps the first error: what follows from it would only hide it.
func (r *record) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// An enum is one of the closed lists, whose zero value stands for "none".
type enum interface {
	~uint8
	String() string
}

// word adds the word of v; none is NULL.
func word[T enum](r *record, v T) {
	if v == 0 {
		r.add(nil)
		return
	}
	r.add(v.String())
}

// kindWord gives policy.Kind its words.
type kindWord policy.Kind

// String returns the word of the ledger.
func (k kindWord) String() string {
	words := [...]string{"none", "edge", "override", "calendar", "enforce", "returned", "converge"}
	if int(k) < len(words) {
		return words[k]
	}
	return "kind" + strconv.Itoa(int(k))
}

// attemptWord gives scheduler.AttemptState its words.
type attemptWord scheduler.AttemptState

// String returns the word of the ledger.
func (a attemptWord) String() string {
	words := [...]string{"none", "accepted", "doubtful", "closed", "not_taken", "rejected", "vanished"}
	if int(a) < len(words) {
		return words[a]
	}
	return "state" + strconv.Itoa(int(a))
}

// checksum is a CRC-32C over a table's name and a row's values, each with its
// type and length. It finds what a disk did to a row, not what a person did.
// buf is scratch, returned for the next call.
func checksum(name string, values []any, buf []byte) (int64, []byte) {
	buf = append(buf[:0], name...)
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			buf = append(buf, 'n')
		case int64:
			buf = binary.BigEndian.AppendUint64(append(buf, 'i'), uint64(v))
		case string:
			buf = append(binary.BigEndian.AppendUint64(append(buf, 't'), uint64(len(v))), v...)
		case []byte:
			buf = append(binary.BigEndian.AppendUint64(append(buf, 'b'), uint64(len(v))), v...)
		}
	}
	return int64(crc32.Checksum(buf, crc32.MakeTable(crc32.Castagnoli))), buf
}

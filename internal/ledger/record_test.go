package ledger

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"curfew/policy"
	"curfew/scheduler"
)

// TestWords: every value of a closed list has a word of its own, by which it is
// found again. A value that is new in another package needs one here.
func TestWords(t *testing.T) {
	t.Parallel()
	checkWords(t, attemptWord(scheduler.Vanished))
	checkWords(t, kindWord(policy.KindConverge))
	checkWords(t, scheduler.Failed)
	checkWords(t, policy.Stopped)
	checkWords(t, policy.Pause)
	if v, ok := parseWord[policy.Power]("on"); ok {
		t.Errorf(`"on" is read as %v`, v)
	}
}

func checkWords[T enum](t *testing.T, last T) {
	t.Helper()
	for v := range last + 1 {
		got, ok := parseWord[T](v.String())
		if !ok || got != v {
			t.Errorf("%T %d is written %q and read as %d, %v", v, v, v, got, ok)
		}
		if strings.ContainsAny(v.String(), "0123456789 ") {
			t.Errorf("%T %d has no word: %q", v, v, v)
		}
	}
}

func TestBecauseIsReadable(t *testing.T) {
	t.Parallel()
	var r record
	r.because(stop().Because)
	if want := `edge 12:11 "curfew.yaml" "0 20 * * *"`; r.args[0] != want {
		t.Errorf("%v, want %s", r.args[0], want)
	}
}

func TestBecauseComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := policy.Because{
			Kind: policy.Kind(rapid.Uint8Max(254).Draw(t, "kind")),
			Pos:  policy.Pos{File: rapid.String().Draw(t, "file"), Line: rapid.Int().Draw(t, "line"), Col: rapid.Int().Draw(t, "col")},
			Ref:  string(rapid.SliceOf(rapid.Byte()).Draw(t, "ref")),
		}
		var r record
		r.because(want)
		back := row{values: r.args}
		if got := back.because(); got != want || back.err != nil {
			t.Errorf("%#v\nis written %v\nand read %#v, %v", want, r.args[0], got, back.err)
		}
	})
}

// FuzzBecause: what reads a text either understands it or says so, and what it
// understood it would write in a way that reads the same.
func FuzzBecause(f *testing.F) {
	f.Add(`edge 12:11 "curfew.yaml" "0 20 * * *"`)
	f.Add(`override 0:0 "" "7 anna"`)
	f.Add(`edge 1:2 "a\"b" "\xff"`)
	f.Add(`edge 1:2 "`)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := parseBecause(text)
		if err != nil {
			return
		}
		var r record
		r.because(b)
		again := row{values: r.args}
		if got := again.because(); got != b || again.err != nil {
			t.Errorf("%q is read as %#v, written as %v and read as %#v, %v", text, b, r.args[0], got, again.err)
		}
	})
}

// TestChecksum: no two rows that differ in where one value ends, in a type or
// in a table have one sum.
func TestChecksum(t *testing.T) {
	t.Parallel()
	seen := map[int64][]any{}
	for _, values := range [][]any{
		{"a", "bc"}, {"ab", "c"}, {"abc", ""}, {"abc"}, {[]byte("abc")}, {nil, "abc"}, {"abc", nil},
		{int64(1)}, {int64(256)}, {"1"}, {nil}, {},
	} {
		for _, table := range []string{"claims", "endings"} {
			sum, _ := checksum(table, values, nil)
			if other, ok := seen[sum]; ok {
				t.Errorf("%q and %q of %s have one sum", other, values, table)
			}
			seen[sum] = values
		}
	}
}

func TestRowsAt(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 300; n++ {
		took := rowsAt(n)
		if took < 1 || took > min(n, statementRows) || took&(took-1) != 0 || 2*took <= min(n, statementRows) {
			t.Errorf("of %d rows, a statement takes %d", n, took)
		}
	}
}

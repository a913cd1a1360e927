package main

import (
	"errors"
	"strings"
	"testing"

	"curfew/internal/ledger"
)

// TestLedgerVerdicts: each says what is wrong, what a daemon makes of it, and what to do.
func TestLedgerVerdicts(t *testing.T) {
	t.Parallel()
	span := []ledger.Span{{Rows: 2, First: 4, Last: 5, Cause: errors.New("its checksum does not fit")}}
	for _, c := range []struct {
		found      ledger.Findings
		word, line string
	}{
		{ledger.Findings{}, "whole", "WHOLE: every page"},
		{ledger.Findings{Tables: []ledger.TableFindings{{Name: "outcomes", Rows: 9, Damaged: span}}}, "history_damaged",
			"HISTORY DAMAGED: 2 rows of the history not as written (look into the kernel's log"},
		{ledger.Findings{Problems: []string{"1 endings are of claims that are not there, the first of claim 3"}}, "damaged",
			"DAMAGED: 1 endings are of claims that are not there, the first of claim 3 (restore a backup"},
		{ledger.Findings{Refused: &ledger.Refusal{Reason: ledger.ErrDamaged, Cause: errors.New("row 3")}}, "damaged",
			"DAMAGED: row 3 (restore a backup"},
		{ledger.Findings{Refused: &ledger.Refusal{Reason: ledger.ErrForeign, Cause: errors.New("account a at b")}}, "refused",
			"REFUSED: it belongs to another account: account a at b (set api.endpoint and api.name back"},
	} {
		v := ledgerVerdict{&c.found}
		if v.word() != c.word || !strings.HasPrefix(v.line(), c.line) {
			t.Errorf("%s: %q\nwant %s: %q…", v.word(), v.line(), c.word, c.line)
		}
	}
	if got, want := spanWords(span[0]), "2 rows not as written, number 4 to 5: its checksum does not fit"; got != want {
		t.Errorf("a span is %q, want %q", got, want)
	}
}

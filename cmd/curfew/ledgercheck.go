package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"curfew/internal/ledger"
)

// newLedgerCheck is `curfew ledger check`.
func newLedgerCheck(c *console) *cobra.Command {
	var o ledgerOptions
	var format string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read all of a ledger, and say whether it is whole",
		Long: `Read all of a ledger, beside a running daemon or without one: every page, the
checksum of every row in every table, and what must hold between them. The first line
is the verdict:

  WHOLE            a daemon starts with it
  HISTORY DAMAGED  rows of the history are not as they were written; nothing is decided
                   by them, and a daemon starts with it all the same
  DAMAGED          a daemon must not work with it; the line says what to do
  REFUSED          it is not what it should be: another account's, a newer release's,
                   no ledger at all; the line says what to do

-o json has verdict (whole, history_damaged, damaged, refused), reason, next_step,
ledger, account, endpoint, schema, bytes, held_by, since, written, highest_claim,
tables: [{table, needed, rows, damaged, spans: [{rows, first, last, after, before,
cause}]}] and problems. Instants are RFC 3339 in UTC.

Exit codes: 0 whole, 1 anything else, 2 the command line makes no sense.`,
		Example: `  curfew ledger check -c curfew.yaml
  curfew ledger check --ledger /backup/curfew.bak -o json | jq -r .verdict`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return checkLedger(ctx, c, o, format) }),
	}
	o.flags(cmd)
	formatFlag(cmd, &format, "text", "json")
	return cmd
}

func checkLedger(ctx context.Context, c *console, o ledgerOptions, format string) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	t, err := o.target(c)
	if err != nil {
		return err
	}
	found, err := ledger.Examine(ctx, t.source)
	if err != nil {
		return err
	}
	v := ledgerVerdict{found}
	if format == "json" {
		err = v.json(c)
	} else {
		err = v.text(c, t.clock.read().Wall)
	}
	if err == nil && !found.Whole() {
		return errTold
	}
	return err
}

// A ledgerVerdict is what is said of a ledger.
type ledgerVerdict struct{ *ledger.Findings }

// word is the verdict in JSON.
func (v ledgerVerdict) word() string {
	switch r := v.Refused; {
	case r != nil && r.Reason != ledger.ErrDamaged:
		return "refused"
	case !v.Sound():
		return "damaged"
	case !v.Whole():
		return "history_damaged"
	}
	return "whole"
}

// reason is what is wrong, in a sentence; empty where nothing is.
func (v ledgerVerdict) reason() string {
	switch r := v.Refused; {
	case r != nil && r.Cause != nil && r.Reason == ledger.ErrDamaged:
		return r.Cause.Error() // the verdict says the rest
	case r != nil && r.Cause != nil:
		return r.Reason.Error() + ": " + r.Cause.Error()
	case r != nil:
		return r.Reason.Error()
	case !v.Sound():
		return v.Problems[0]
	case !v.Whole():
		return plural(int(v.DamagedRows()), "row", "rows") + " of the history not as written"
	}
	return ""
}

// next is what to do about it.
func (v ledgerVerdict) next() string {
	switch {
	case v.Refused != nil:
		return v.Refused.Next()
	case !v.Sound():
		return (&ledger.Refusal{Reason: ledger.ErrDamaged}).Next()
	case !v.Whole():
		return "look into the kernel's log for what the disk says; export leaves these rows out"
	}
	return ""
}

// line is the verdict for people.
func (v ledgerVerdict) line() string {
	word := strings.ToUpper(strings.ReplaceAll(v.word(), "_", " "))
	if v.Whole() {
		return word + ": every page, every row's checksum, and what must hold between them"
	}
	return fmt.Sprintf("%s: %s (%s)", word, printable(v.reason()), v.next())
}

func (v ledgerVerdict) text(c *console, now time.Time) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, v.line())
	row := func(head, format string, args ...any) { fmt.Fprintf(w, "  "+head+"\t"+format+"\n", args...) }
	row("ledger", "%s", v.Path)
	if v.Schema > 0 {
		row("account", "%s at %s", printable(v.Account), printable(v.Endpoint))
		row("schema", "%d, %s", v.Schema, ledgerSize(v.Bytes))
		row("record", "%s", v.span(now))
		row("held by", "%s", orNobody(v.Holder))
	}
	for _, t := range v.Tables {
		row(t.Name, "%s", tableWords(t))
		for _, s := range t.Damaged {
			row("", "%s", spanWords(s))
		}
	}
	for _, p := range v.Problems {
		row("problem", "%s", printable(p))
	}
	return w.Flush()
}

// span is how far the record goes.
func (v ledgerVerdict) span(now time.Time) string {
	s := ledgerAge(v.Findings, now)
	if !v.Since.IsZero() {
		s += "; begins " + ledgerMoment(v.Since)
	}
	return s
}

func orNobody(holder string) string {
	if holder == "" {
		return "nobody"
	}
	return printable(holder)
}

func ledgerSize(bytes int64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%d kB", (bytes+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

func tableWords(t ledger.TableFindings) string {
	s := plural(int(t.Rows), "row", "rows")
	if !t.Needed {
		s += ", history"
	}
	return s
}

// spanWords say where damage lies, and what of the time around it is known.
func spanWords(s ledger.Span) string {
	text := plural(int(s.Rows), "row", "rows") + " not as written"
	if s.First != 0 {
		text += fmt.Sprintf(", number %d", s.First)
		if s.Last != s.First {
			text += fmt.Sprintf(" to %d", s.Last)
		}
	}
	if !s.After.IsZero() {
		text += ", after " + ledgerMoment(s.After)
	}
	if !s.Before.IsZero() {
		text += ", before " + ledgerMoment(s.Before)
	}
	return text + ": " + printable(s.Cause.Error())
}

// ledgerBody is a verdict in JSON.
type ledgerBody struct {
	Verdict      string      `json:"verdict"`
	Reason       string      `json:"reason,omitempty"`
	NextStep     string      `json:"next_step,omitempty"`
	Ledger       string      `json:"ledger"`
	Account      string      `json:"account,omitempty"`
	Endpoint     string      `json:"endpoint,omitempty"`
	Schema       int         `json:"schema,omitempty"`
	Bytes        int64       `json:"bytes,omitempty"`
	HeldBy       string      `json:"held_by,omitempty"`
	Since        string      `json:"since,omitempty"`
	Written      string      `json:"written,omitempty"`
	HighestClaim uint64      `json:"highest_claim"`
	Tables       []tableBody `json:"tables"`
	Problems     []string    `json:"problems"`
}

type tableBody struct {
	Table   string     `json:"table"`
	Needed  bool       `json:"needed"`
	Rows    int64      `json:"rows"`
	Damaged int64      `json:"damaged"`
	Spans   []spanBody `json:"spans,omitempty"`
}

type spanBody struct {
	Rows   int64  `json:"rows"`
	First  int64  `json:"first"`
	Last   int64  `json:"last"`
	After  string `json:"after,omitempty"`
	Before string `json:"before,omitempty"`
	Cause  string `json:"cause"`
}

func (v ledgerVerdict) json(c *console) error {
	b := ledgerBody{
		Verdict: v.word(), Reason: v.reason(), NextStep: v.next(), Ledger: v.Path, Account: v.Account, Endpoint: v.Endpoint,
		Schema: v.Schema, Bytes: v.Bytes, HeldBy: v.Holder, Since: exactText(v.Since), Written: exactText(v.Written),
		HighestClaim: v.Last, Tables: []tableBody{}, Problems: append([]string{}, v.Problems...),
	}
	for _, t := range v.Tables {
		body := tableBody{Table: t.Name, Needed: t.Needed, Rows: t.Rows}
		for _, s := range t.Damaged {
			body.Damaged += s.Rows
			body.Spans = append(body.Spans, spanBody{s.Rows, s.First, s.Last, exactText(s.After), exactText(s.Before), s.Cause.Error()})
		}
		b.Tables = append(b.Tables, body)
	}
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(b)
}

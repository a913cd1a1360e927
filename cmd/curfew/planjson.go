package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
	"unicode/utf8"

	"curfew/policy"
)

// planBody is a transition in JSON, but for the deployment, which comes first and
// is all that differs between the members of a policy. Its words are those of
// docs/schema/plan.schema.json.
type planBody struct {
	Action         string `json:"action"` // "start" or "stop"
	At             string `json:"at"`     // RFC 3339, UTC
	Policy         string `json:"policy"`
	Because        string `json:"because"`
	Cancelled      string `json:"cancelled,omitempty"` // why it will not happen
	Unless         string `json:"unless,omitempty"`    // what would keep it from happening, and is not known
	Call           bool   `json:"call"`                // expected where nobody interferes
	CallIfTouched  bool   `json:"call_if_touched,omitempty"`
	DryRun         bool   `json:"dry_run,omitempty"`
	Nominal        string `json:"nominal"`                // the local time that the line names
	PutOffFrom     string `json:"put_off_from,omitempty"` // the local time before a day off moved it
	Timezone       string `json:"timezone"`               // of nominal
	Place          string `json:"place"`                  // file:line
	CancelledPlace string `json:"cancelled_place,omitempty"`
}

// body is what JSON and CSV say of an edge.
func (e *planEdge) body() planBody {
	p := e.line.policy
	b := planBody{
		Action: e.Power.Action(), At: e.At.UTC().Format(time.RFC3339), Policy: p.Name(),
		Because: e.because(p.Location()), Cancelled: e.Cancelled,
		Call: e.need == policy.Call, CallIfTouched: e.need == policy.CallIfTouched, DryRun: e.line.dry,
		Nominal: e.Nominal.String(), Timezone: p.Zone(), Place: place(e.Because.Pos),
	}
	if e.PutOff != (policy.Civil{}) {
		b.PutOffFrom = e.PutOff.String()
	}
	if e.bar != nil && e.bar.kind == barPerhaps && e.Power == policy.Stopped {
		b.Unless = e.bar.text
	}
	switch {
	case e.Cancelled == "":
	case e.bar != nil:
		b.CancelledPlace = place(e.bar.pos)
	case e.CancelledBy.Pos.Line > 0:
		b.CancelledPlace = place(e.CancelledBy.Pos)
	}
	return b
}

// transitions leaves out the begins of days on which nothing is wanted. Whoever
// reads a plan by a program looks for calls; the edges that such days cancel say
// so themselves.
func transitions(rows iter.Seq[planRow]) iter.Seq[planRow] {
	return func(yield func(planRow) bool) {
		for r := range rows {
			if r.edge.transition() && !yield(r) {
				return
			}
		}
	}
}

// writePlanJSON writes one array, an object a line.
func writePlanJSON(w io.Writer, rows iter.Seq[planRow]) error {
	var row []byte
	sep := "[\n"
	for r := range transitions(rows) {
		if r.edge.shown[0] == "" {
			rest, err := json.Marshal(r.edge.body())
			if err != nil {
				return err
			}
			r.edge.shown[0] = string(rest[1:])
		}
		who, err := r.member.json()
		if err != nil {
			return err
		}
		row = append(append(row[:0], sep...), who...)
		row = append(row, r.edge.shown[0]...)
		if _, err := w.Write(row); err != nil {
			return err
		}
		sep = ",\n"
	}
	end := "\n]\n"
	if row == nil {
		end = "[]\n"
	}
	_, err := io.WriteString(w, end)
	return err
}

// escapedControls writes the control characters of C1 in a JSON text as escapes, as
// package json does with those of C0: a terminal obeys both.
func escapedControls(text []byte) []byte {
	if !bytes.ContainsFunc(text, isC1) {
		return text
	}
	var out []byte
	for _, r := range string(text) {
		if isC1(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

func isC1(r rune) bool { return r >= 0x7f && r < 0xa0 } // DEL with them

// json is the begin of an object: the deployment, and its name where that is
// known.
func (m *planMember) json() ([]byte, error) {
	if m.quoted != nil {
		return m.quoted, nil
	}
	body := struct {
		Deployment policy.DeploymentID `json:"deployment"`
		Name       string              `json:"name,omitempty"`
	}{m.id, m.name}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	text[len(text)-1] = ','
	m.quoted = escapedControls(text)
	return m.quoted, nil
}

// writePlanCSV writes a header and a record for each transition, by RFC 4180.
func writePlanCSV(w io.Writer, rows iter.Seq[planRow]) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write([]string{
		"at", "deployment", "name", "action", "policy", "because", "cancelled", "unless", "call", "nominal", "timezone", "place",
	}); err != nil {
		return err
	}
	var last *planEdge
	var record []string
	for r := range transitions(rows) {
		if r.edge != last {
			b := r.edge.body()
			record = []string{
				b.At, "", "", b.Action, b.Policy, b.Because, b.Cancelled, b.Unless, strconv.FormatBool(b.Call), b.Nominal, b.Timezone, b.Place,
			}
			last = r.edge
		}
		record[1], record[2] = string(r.member.id), printable(r.member.name)
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

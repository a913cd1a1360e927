package main

import (
	"encoding/json"
	"io"
	"iter"
	"time"
)

// planBody is a transition in JSON, but for the deployment, which comes first and
// is all that differs between the members of a policy.
type planBody struct {
	Action    string `json:"action"` // "start" or "stop"
	At        string `json:"at"`     // RFC 3339, UTC
	Policy    string `json:"policy"`
	Because   string `json:"because"`
	Cancelled string `json:"cancelled,omitempty"` // why it will not happen
	Call      bool   `json:"call"`                // expected where nobody interferes
	Nominal   string `json:"nominal"`             // the local time that the line names
	Timezone  string `json:"timezone"`            // of nominal
	Place     string `json:"place"`               // file:line
}

// writePlanJSON writes one array, an object a line.
func writePlanJSON(w io.Writer, rows iter.Seq[planRow]) error {
	var edge *planEdge
	var rest, row []byte
	var err error
	sep := "[\n"
	for r := range rows {
		if r.edge != edge {
			edge = r.edge
			if rest, err = json.Marshal(edge.body()); err != nil {
				return err
			}
		}
		id, err := json.Marshal(string(r.id))
		if err != nil {
			return err
		}
		row = append(append(row[:0], sep...), `{"deployment":`...)
		row = append(append(append(row, id...), ','), rest[1:]...)
		if _, err := w.Write(row); err != nil {
			return err
		}
		sep = ",\n"
	}
	end := "\n]\n"
	if edge == nil {
		end = "[]\n"
	}
	_, err = io.WriteString(w, end)
	return err
}

func (e *planEdge) body() planBody {
	p := e.line.policy
	return planBody{
		Action: e.Power.Action(), At: e.At.UTC().Format(time.RFC3339), Policy: p.Name(),
		Because: e.because(p.Location()), Cancelled: e.Cancelled, Call: e.call == callExpected,
		Nominal: e.Nominal.String(), Timezone: p.Zone(), Place: place(e.Because.Pos),
	}
}

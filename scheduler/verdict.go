package scheduler

import "curfew/apiclient/quota"

// Verdict is what an answer means: the table of DESIGN section 3.
type Verdict uint8

// The verdicts.
const (
	NotSent      Verdict = iota // certainly nothing was written: the permit comes back
	Took                        // POST: 2xx
	Seen                        // GET: 200 that could be read
	Absent                      // GET: 404, a look that says gone
	Unauthorized                // 401
	Forbidden                   // POST: 403
	NotFound                    // POST: 404
	Refused                     // POST: 422
	Limited                     // 429
	Unclear                     // POST: nobody knows whether it took effect
	NoLook                      // GET: anything else
	verdicts     int     = iota
)

// Verdicts is how many there are; they count from 0.
const Verdicts = verdicts

// String returns the label of the metrics and the word of the ledger.
func (v Verdict) String() string {
	return [...]string{"not_sent", "accepted", "seen", "absent", "unauthorized", "forbidden", "not_found",
		"refused", "limited", "unknown", "no_look"}[v]
}

// Known reports whether the answer tells that the platform had counted the
// request by the time that it was in.
func (v Verdict) Known() bool { return v != NotSent && v != Unclear && v != NoLook }

// means reads an answer to a call of method m.
func (a Answer) means(m quota.Method) Verdict {
	if !a.Sent {
		return NotSent
	}
	switch a.Status {
	case 401:
		return Unauthorized
	case 429:
		return Limited
	}
	if m == quota.Get {
		return a.meansLook()
	}
	return a.meansPost()
}

func (a Answer) meansLook() Verdict {
	switch {
	case a.Status == 200 && a.Sane:
		return Seen
	case a.Status == 404:
		return Absent
	}
	return NoLook
}

func (a Answer) meansPost() Verdict {
	switch {
	case a.Status >= 200 && a.Status < 300 && a.Sane:
		return Took
	case a.Status == 403:
		return Forbidden
	case a.Status == 404:
		return NotFound
	case a.Status == 422:
		return Refused
	}
	return Unclear
}

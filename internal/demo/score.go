package demo

import (
	"slices"
	"time"

	"curfew/internal/simplatform"
	"curfew/policy"
)

// A score is what a platform's own log says of whoever called it.
type score struct {
	posts, gets int
	over        int // more than the quota
	repeated    int // asked again for what was on its way
	missed      int // wanted, and not reached at the end of the tape
}

func (s score) plus(o score) score {
	return score{s.posts + o.posts, s.gets + o.gets, s.over + o.over, s.repeated + o.repeated, s.missed + o.missed}
}

// scoreOf reads the score of a world at the end of its tape.
func scoreOf(w *simplatform.World, set *policy.Set, end time.Time) score {
	s := w.Score()
	out := score{
		posts: s.Calls[simplatform.Start] + s.Calls[simplatform.Stop], gets: s.Calls[simplatform.Get],
		over: s.OverQuota, repeated: s.Repeated,
	}
	for _, p := range set.Policies {
		want := p.Decide(end).Want
		for _, m := range p.Members() {
			if want != policy.None && string(w.StatusAt(string(m.ID), end)) != want.String() {
				out.missed++
			}
		}
	}
	return out
}

// cronAndCurl lives through a tape as many do without curfew: once a minute a
// loop compares the local time with each line, and calls curl --retry 3. curl
// takes a time-out, a 408, a 429 and some 5xx for passing and tries again after
// one, two and four seconds; a connection that dies without an answer it takes
// for final (curl's manual, --retry).
func cronAndCurl(w *simplatform.World, set *policy.Set, from time.Time, length time.Duration) {
	end := from.Add(length)
	for at := from.Truncate(time.Minute); at.Before(end); at = at.Add(time.Minute) {
		if at.Before(from) {
			continue
		}
		for _, p := range set.Policies {
			for _, action := range matches(p, at) {
				for _, m := range p.Members() {
					curl(w, at, simplatform.Request{Method: action, ID: string(m.ID)})
				}
			}
		}
	}
}

// matches lists what the local minute of at asks for.
func matches(p *policy.Policy, at time.Time) []simplatform.Method {
	local := at.In(p.Location())
	minute := policy.Civil{
		Year: local.Year(), Month: local.Month(), Day: local.Day(), Hour: local.Hour(), Minute: local.Minute(),
	}
	var out []simplatform.Method
	for e := range p.Edges(at.Add(-3*time.Hour), at.Add(3*time.Hour)) {
		if e.Nominal != minute {
			continue
		}
		if e.Power == policy.Running {
			out = append(out, simplatform.Start)
		} else {
			out = append(out, simplatform.Stop)
		}
	}
	return out
}

func curl(w *simplatform.World, at time.Time, q simplatform.Request) {
	for _, pause := range []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second} {
		at = at.Add(pause)
		r := w.Do(at, q)
		if !slices.Contains([]int{408, 429, 500, 502, 503, 504}, r.Status) {
			return
		}
	}
}

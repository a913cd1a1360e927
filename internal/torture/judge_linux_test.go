package torture

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"curfew/internal/ledger"
	"curfew/internal/raced"
	"curfew/policy"
	"curfew/scheduler"
)

// An entry is one request in the platform's log.
type entry struct {
	Seq       uint64    `json:"seq"`
	At        time.Time `json:"at"`
	Method    string    `json:"method"`
	ID        string    `json:"id"`
	By        string    `json:"by"`
	Status    int       `json:"status"`
	Applied   bool      `json:"applied"`
	OverQuota bool      `json:"overQuota"`
	Repeated  bool      `json:"repeated"`
	Fault     string    `json:"fault"`
}

func (e entry) String() string {
	return fmt.Sprintf("%s %s %s: %d %s applied=%v over=%v repeated=%v", e.At.Format("15:04:05.000"), e.Method, e.ID, e.Status, e.Fault, e.Applied, e.OverQuota, e.Repeated)
}

// How late a POST may arrive after the moment at which it was right to send it,
// in the lapse: the client's patience is 20 s, and the wire holds nothing longer.
// And how early, which is but how well two processes agree on the time.
const (
	onTheWay = time.Minute
	together = 100 * time.Millisecond
	bigStep  = 2 * time.Minute
)

// A verdict is what is wrong with a run, a sentence each.
type verdict []string

func (v *verdict) add(format string, args ...any) { *v = append(*v, fmt.Sprintf(format, args...)) }

// judge holds a run that has ended against the law.
func (s *site) judge(log []entry, outcomes []scheduler.Outcome) verdict {
	var v verdict
	posts := 0
	for _, e := range log {
		if e.By == "client" && e.OverQuota {
			v.add("over quota: %v", e)
		}
		if e.By == "client" && (e.Method == start || e.Method == stop) {
			posts++
		}
	}
	if posts < len(s.law.ids()) {
		v.add("idle: the platform saw %d POSTs: that was no run", posts)
	}
	for i := range s.law.rules {
		r := &s.law.rules[i]
		edges := s.law.edges(r)
		for _, id := range r.ids {
			v = append(v, s.judgeTimes(edges, id, log)...)
			v = append(v, s.judgeOutcomes(edges, id, outcomes)...)
		}
	}
	return append(v, s.judgeLives()...)
}

// judgeTimes finds POSTs that came before their instant, or after that of another
// power, or twice for one.
func (s *site) judgeTimes(edges []edge, id string, log []entry) (v verdict) {
	applied := map[string]int{} // by method: the edge that the last POST with an effect was for
	for _, e := range log {
		if e.ID != id || e.By != "client" || e.Method != start && e.Method != stop {
			continue
		}
		if !s.right(edges, e) {
			v.add("early or stale: %v; the edges around it: %v", e, around(edges, e.At))
		}
		// The platform's own count also has what is asked for again by another edge,
		// where the one in between came to nothing: whoever has just started does not
		// know what there is, and the POST goes at its instant.
		now := latest(edges, e.At)
		if before, ok := applied[e.Method]; ok && e.Repeated && before == now && !s.doubtful(e.At) {
			v.add("repeated: %v; the edges around it: %v", e, around(edges, e.At))
		}
		if e.Applied {
			applied[e.Method] = now
		}
	}
	return v
}

// right reports whether a POST arrived when it should. A process that was stopped
// may write what it had decided once it goes on. One whose clock is off by less
// than it can notice lives by that clock; so does one that was just set back, or
// that was started with a wrong clock, until a look told.
func (s *site) right(edges []edge, e entry) bool {
	from, to := e.At.Add(-onTheWay), e.At.Add(together)
	for _, p := range s.during(kindFreeze, s.real(from), s.real(to)) {
		from = earlier(from, s.lapse(p.from).Add(-onTheWay))
	}
	if wanted(edges, e.Method, from, to) {
		return true
	}
	for _, p := range s.during(kindStep, s.real(from), s.real(to)) {
		if p.off > bigStep && !s.startedIn(p) {
			continue
		}
		begin, end := later(from, s.lapse(p.from)), to
		if !p.over.IsZero() {
			end = earlier(end, s.lapse(p.over).Add(together))
		}
		if wanted(edges, e.Method, begin.Add(p.off), end.Add(p.off)) {
			return true
		}
	}
	return false
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// startedIn reports whether a daemon was started while the clock was off.
func (s *site) startedIn(p span) bool {
	for _, k := range s.daemons {
		for _, l := range k.ended() {
			if l.began.After(p.from) && (p.over.IsZero() || l.began.Before(p.over)) {
				return true
			}
		}
	}
	return false
}

func around(edges []edge, at time.Time) string {
	i := latest(edges, at)
	var b strings.Builder
	for _, e := range edges[max(0, i-1):min(len(edges), i+2)] {
		fmt.Fprintf(&b, " %s %s", e.at.Format("15:04:05"), e.power)
	}
	return b.String()
}

// judgeOutcomes counts how often each edge since the beginning was settled: once,
// unless the clock was set so far back that it lay ahead again. The beginning is
// the edge that activated the deployment; one whose lead alone had begun by then
// was still to be made.
func (s *site) judgeOutcomes(edges []edge, id string, outcomes []scheduler.Outcome) (v verdict) {
	begin, settled := -1, make([][]string, len(edges))
	for _, o := range outcomes {
		if o.Deployment != policy.DeploymentID(id) {
			continue
		}
		what := strings.TrimSpace(o.Kind.String() + " " + string(o.Reason))
		first, found := slices.BinarySearchFunc(edges, o.At, func(e edge, t time.Time) int { return e.at.Compare(t) })
		activated := begin < 0 && o.Reason == scheduler.ReasonActivation
		if begin < 0 {
			begin = first
		}
		if !found || o.Kind == scheduler.Skipped && !activated {
			v.add("outcome: %s was %s for %v at %v, which is no edge of it or no way for one to end", id, what, o.Power, o.At)
			continue
		}
		for n := first; n < min(len(edges), first+o.Count); n++ {
			settled[n] = append(settled[n], what)
		}
	}
	if begin < latest(edges, s.origin) || begin > latest(edges, s.opened)+1 {
		v.add("outcome: the first of %s is that of its edge %d, and it was activated between %d and %d", id, begin, latest(edges, s.origin), latest(edges, s.opened)+1)
		return v
	}
	for n := begin; n < len(edges); n++ {
		if len(settled[n]) != 1 && (len(settled[n]) == 0 || !s.doubtful(edges[n].at)) {
			v.add("outcome: the %s of %s at %s ended %d times: %q", edges[n].power, id, edges[n].at.Format("15:04:05"), len(settled[n]), settled[n])
		}
	}
	if last := settled[len(edges)-1]; len(last) == 0 || last[len(last)-1] != "done" && last[len(last)-1] != "already" {
		v.add("outcome: the last edge of %s, in fair weather, ended as %q", id, last)
	}
	return v
}

// doubtful reports whether an edge lay ahead again after a large step back.
func (s *site) doubtful(at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.spans {
		if p.kind != kindStep || p.off.Abs() <= bigStep {
			continue
		}
		from, to := s.lapse(p.from), s.lapse(p.over)
		if at.After(from.Add(min(0, p.off)-bigStep)) && at.Before(to.Add(max(0, p.off)+bigStep)) {
			return true
		}
	}
	return false
}

// judgeLives asks of each process that ended whether it had a reason.
func (s *site) judgeLives() (v verdict) {
	for _, k := range s.daemons {
		for _, l := range k.ended() {
			if !s.excused(l) {
				v.add("ended: %s, process %d: %s after %v, and nobody made it", k.name, l.pid, l.how, l.over.Sub(l.began))
			}
		}
		for line := range strings.Lines(k.text()) {
			if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") || strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "goroutine ") {
				v.add("broken: %s says %s", k.name, line)
			}
		}
	}
	return v
}

// excused says whether a process had a reason to end as it did. Exit 1 takes a
// disk or descriptors that failed it, or a file that was bad when it started. A
// signal that came before it could be taken ends a process, too.
func (s *site) excused(l life) bool {
	young := l.over.Sub(l.began) < 10*time.Second
	switch l.how {
	case "signal: killed":
		return l.sent[syscall.SIGKILL]
	case "exit status 0":
		return l.sent[syscall.SIGTERM]
	case "signal: terminated":
		return l.sent[syscall.SIGTERM] && young
	case "signal: hangup":
		return l.sent[syscall.SIGHUP] && young
	case "exit status 1":
		return len(s.during(kindDisk, l.began, l.over)) > 0 || len(s.during(kindFiles, l.began, l.over)) > 0 ||
			young && len(s.during(kindReload, l.began, l.over)) > 0
	}
	return false
}

// judgeGauges holds what a daemon uses against bounds that no load of a run
// explains.
func (s *site) judgeGauges() (v verdict) {
	memory := 256e6
	if raced.Detector {
		memory *= 8
	}
	bounds := map[string]float64{"go_goroutines": 250, "process_open_fds": 200, "process_resident_memory_bytes": memory}
	for name, most := range bounds {
		if got := s.highest[name]; got <= 0 || got > most {
			v.add("bounds: %s reached %.0f, want up to %.0f, and some", name, got, most)
		}
	}
	return v
}

// judgeSecrets looks for key and secret in all that was written.
func (s *site) judgeSecrets(more map[string]string) (v verdict) {
	for _, k := range append(slices.Clone(s.daemons), s.platform) {
		more[k.name] = k.text()
	}
	for _, path := range []string{s.ledger(), s.ledger() + "-wal"} {
		b, _ := os.ReadFile(path) // the log is gone where the end was in good order
		more[path] = string(b)
	}
	for where, text := range more {
		if strings.Contains(text, someKey) || strings.Contains(text, someSecret) {
			v.add("secret: %s shows the key or the secret", where)
		}
	}
	return v
}

// outcomes reads how transitions ended, the first first.
func (s *site) outcomes(ctx context.Context) (all []scheduler.Outcome, err error) {
	err = ledger.Read(ctx, s.source(), func(r *ledger.Reader) error {
		all, err = r.Outcomes(ctx, ledger.Filter{})
		return err
	})
	slices.Reverse(all)
	return all, err
}

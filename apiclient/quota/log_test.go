package quota

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const hour = time.Hour

// TestReady tells the story of one quota: what is claimed, how it ended, and
// when the next request may start.
func TestReady(t *testing.T) {
	t.Parallel()
	one, three := Limit{N: 1, Per: hour}, Limit{N: 3, Per: hour}
	for _, test := range []struct {
		name string
		uses []Use
		lim  Limit
		keep int
		now  time.Duration
		want time.Duration
	}{
		{name: "nothing used", lim: one, now: 5, want: 5},
		{name: "answered: an hour and 3.6 s from its end", lim: one, now: 20 * time.Second,
			uses: []Use{{1, 12 * time.Second, Ended}}, want: 12*time.Second + hour + 3600*time.Millisecond},
		{name: "unknown: an hour and 2 min from its end", lim: one, now: 20 * time.Second,
			uses: []Use{{1, 12 * time.Second, Unknown}}, want: 12*time.Second + hour + 2*time.Minute},
		{name: "open: as unknown, from its latest end", lim: one, now: 20 * time.Second,
			uses: []Use{{1, time.Minute, Open}}, want: time.Minute + hour + 2*time.Minute},
		{name: "over at that very instant", lim: one, now: hour + 3600*time.Millisecond,
			uses: []Use{{1, 0, Ended}}, want: hour + 3600*time.Millisecond},
		{name: "one of three is free", lim: three, now: 1,
			uses: []Use{{1, 0, Ended}, {2, 0, Ended}}, want: 1},
		{name: "the oldest of three frees first, in any order", lim: three, now: 3,
			uses: []Use{{3, 2, Ended}, {1, 0, Ended}, {2, 1, Ended}}, want: hour + 3600*time.Millisecond},
		{name: "two held back: the youngest must free too", lim: three, keep: 2, now: 3,
			uses: []Use{{1, 0, Ended}, {2, 1, Ended}}, want: 1 + hour + 3600*time.Millisecond},
		{name: "all held back: one is left", lim: three, keep: 99, now: 3, want: 3},
		{name: "more than the limit, after it was lowered", lim: one, now: 3,
			uses: []Use{{1, 0, Ended}, {2, 2, Ended}}, want: 2 + hour + 3600*time.Millisecond},
		{name: "a limit of none", lim: Limit{Per: hour}, now: 3, want: Never},
		{name: "an end that never comes", lim: one, now: 3, uses: []Use{{1, Never, Open}}, want: Never},
		{name: "a window that never ends", lim: Limit{N: 1, Per: Never}, now: 3, uses: []Use{{1, 2, Ended}}, want: Never},
	} {
		log := Log{uses: slices.Clone(test.uses)}
		if got := log.Ready(test.lim, test.keep, test.now); got != test.want {
			t.Errorf("%s: ready at %v, want %v", test.name, got, test.want)
		}
	}
}

func TestClaimEndReturn(t *testing.T) {
	t.Parallel()
	var log Log
	lim := Limit{N: 2, Per: hour}
	if _, ok := log.Claim(0, Stop, lim, 0, 1, 2); ok {
		t.Error("claim number 0 gives a permit, as a zero Permit would look")
	}
	p, ok := log.Claim(7, Stop, lim, 0, time.Second, 30*time.Second)
	if !ok || p.ID() != 7 || p.NotAfter() != time.Second || !p.Allows(Stop) || p.Allows(Start) || p.Allows(Get) {
		t.Errorf("got %+v, %t; want a permit for one stop", p, ok)
	}
	if (Permit{}).Allows(Get) {
		t.Error("the zero Permit allows a get")
	}
	log.Claim(8, Stop, lim, 0, time.Second, 30*time.Second)
	if _, ok := log.Claim(9, Stop, lim, 0, time.Second, 30*time.Second); ok || log.Left(lim, 0) != 0 {
		t.Errorf("a third claim: %t, %d left; want a refusal and none", ok, log.Left(lim, 0))
	}
	log.End(7, 5*time.Second, true)
	log.End(99, 5*time.Second, true) // nobody's
	log.Return(8)
	want := []Use{{ID: 7, End: 5 * time.Second, State: Ended}}
	if diff := cmp.Diff(want, log.uses); diff != "" {
		t.Errorf("uses after an end and a return (-want +got):\n%s", diff)
	}
	if left := log.Left(lim, 6*time.Second); left != 1 {
		t.Errorf("%d left, want 1", left)
	}
}

// A log that is only noted in must not grow with the years.
func TestLogsStayBounded(t *testing.T) {
	t.Parallel()
	lim := Limit{N: 60, Per: hour}
	var claimed, noted Log
	for i := range 10_000 {
		now := time.Duration(i) * 65 * time.Second
		p, ok := claimed.Claim(uint64(i+1), Get, lim, now, now, now)
		if !ok {
			t.Fatalf("look %d is refused at %v, ready at %v", i, now, claimed.Ready(lim, 0, now))
		}
		noted.Note(p)
		claimed.End(p.ID(), now, true)
		noted.End(p.ID(), now, true)
		if len(claimed.uses) > 2*lim.N || len(noted.uses) > 2*lim.N {
			t.Fatalf("after %d looks the logs hold %d and %d uses, want at most %d",
				i+1, len(claimed.uses), len(noted.uses), 2*lim.N)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	got := fmt.Sprintln(Get, Start, Stop, Auto, Deployment, Key)
	if want := "get start stop auto deployment key\n"; got != want {
		t.Errorf("the words are %q, want %q", got, want)
	}
	if Documented(Get) != (Limit{N: 60, Per: hour}) || Documented(Stop) != (Limit{N: 1, Per: hour}) {
		t.Errorf("documented: %v, %v; want 60 and 1 an hour", Documented(Get), Documented(Stop))
	}
}

// A receiver counts requests by when they arrive, and shares nothing with Log:
// it keeps every arrival and looks at every window, closed at both ends.
type receiver struct{ arrivals []time.Duration }

// worst is the largest number of arrivals in any window of length per, whether
// it slides or is fixed to any phase (a fixed window is one of them).
func (r receiver) worst(per time.Duration) (n int, from time.Duration) {
	at := slices.Sorted(slices.Values(r.arrivals))
	for i, first := range at {
		in := 0
		for _, a := range at[i:] {
			if a-first <= per {
				in++
			}
		}
		if in > n {
			n, from = in, first
		}
	}
	return n, from
}

// fixed is the same for windows that begin at phase and every per after it.
func (r receiver) fixed(per, phase time.Duration) int {
	count := map[int64]int{}
	for _, a := range r.arrivals {
		count[int64(math.Floor(float64(a-phase)/float64(per)))]++
	}
	worst := 0
	for _, n := range count {
		worst = max(worst, n)
	}
	return worst
}

// A request is one claim as the world sees it.
type request struct {
	id            uint64
	start, latest time.Duration
	end           time.Duration // when the client knows how it ended
	arrival       time.Duration
	arrives       bool // false: lost on the way
	known         bool // the answer tells that it arrived by end
	over          bool // the log was told
}

// A world is a client with its log, what of it is durable, and the receiver.
type world struct {
	t       *rapid.T
	lim     Limit
	log     Log
	now     time.Duration
	last    uint64
	durable []Use // as the ledger has it: a claim without its end is open
	flying  []*request
	server  receiver
}

// draw returns an instant from lo to hi, the ends more often than not.
func (w *world) draw(lo, hi time.Duration, what string) time.Duration {
	if hi <= lo {
		return lo
	}
	switch rapid.IntRange(0, 3).Draw(w.t, what+" at") {
	case 0:
		return lo
	case 1:
		return hi
	}
	return time.Duration(rapid.Int64Range(int64(lo), int64(hi)).Draw(w.t, what))
}

// pass lets time go by, and what ends meanwhile end.
func (w *world) pass() {
	to := w.draw(w.now, w.now+w.lim.Per/2, "pass to")
	if ready := w.log.Ready(w.lim, 0, w.now); ready > w.now && rapid.Bool().Draw(w.t, "to ready") {
		to = ready
	}
	w.advance(to)
}

func (w *world) advance(to time.Duration) {
	for _, r := range w.flying {
		if !r.over && r.end <= to {
			w.log.End(r.id, r.end, r.known)
			w.record(Use{ID: r.id, End: r.end, State: map[bool]State{true: Ended, false: Unknown}[r.known]})
			w.arrive(r)
		}
	}
	w.flying = slices.DeleteFunc(w.flying, func(r *request) bool { return r.over })
	w.now = to
}

// arrive books what the server counts of r, for good.
func (w *world) arrive(r *request) {
	r.over = true
	if r.arrives {
		w.server.arrivals = append(w.server.arrivals, r.arrival)
	}
}

// record makes u durable, unless it is lost in a crash that comes first: then
// the ledger keeps the open claim.
func (w *world) record(u Use) {
	if rapid.IntRange(0, 4).Draw(w.t, "end is lost") == 0 {
		return
	}
	for i := range w.durable {
		if w.durable[i].ID == u.ID {
			w.durable[i] = u
		}
	}
}

// claim tries to make one request now. How it will end is drawn beforehand.
func (w *world) claim() {
	notAfter := w.draw(w.now, w.now+w.lim.Per/10, "not after")
	latest := notAfter + w.lim.Per/20
	w.last++
	p, ok := w.log.Claim(w.last, Stop, w.lim, w.now, notAfter, latest)
	w.checkAgreed(ok)
	if !ok {
		return
	}
	w.durable = append(w.durable, Use{ID: p.ID(), End: latest, State: Open})
	r := &request{id: p.ID(), latest: latest}
	r.start = w.draw(w.now, p.NotAfter(), "start")
	r.end = w.draw(r.start, latest, "end")
	r.known = rapid.Bool().Draw(w.t, "known")
	r.arrives = r.known || rapid.IntRange(0, 3).Draw(w.t, "arrives") > 0
	by := r.end
	if !r.known {
		by += w.heldBack()
	}
	r.arrival = w.draw(r.start, by, "arrival")
	w.flying = append(w.flying, r)
}

// heldBack is how long a proxy may sit on a request after its connection closed:
// less than a thirtieth of the window.
func (w *world) heldBack() time.Duration { return w.lim.Per/30 - 1 }

// checkAgreed holds a claim's answer against what Ready and Left say.
func (w *world) checkAgreed(ok bool) {
	if ready := w.log.Ready(w.lim, 0, w.now); !ok && ready <= w.now {
		w.t.Fatalf("refused at %v, but ready at %v", w.now, ready)
	}
}

// giveBack returns a permit of which nothing was sent.
func (w *world) giveBack() {
	i := slices.IndexFunc(w.flying, func(r *request) bool { return r.start > w.now })
	if i < 0 {
		return
	}
	id := w.flying[i].id
	w.flying = slices.Delete(w.flying, i, i+1)
	w.log.Return(id)
	w.durable = slices.DeleteFunc(w.durable, func(u Use) bool { return u.ID == id })
}

// crash loses the log and every connection. The new log has what was durable; a
// claim without an answer ended at its latest end, and at the latest now.
func (w *world) crash() {
	for _, r := range w.flying {
		if r.start > w.now {
			r.arrives = false
		}
		r.arrival = min(r.arrival, w.now+w.heldBack())
		w.arrive(r)
	}
	w.flying = nil
	w.log = Log{}
	for i, u := range w.durable {
		if u.State == Open {
			u = Use{ID: u.ID, End: min(u.End, w.now), State: Unknown}
			w.durable[i] = u
		}
		w.log.Restore(u)
	}
}

// ends is what the client knows of the requests that still count, by its own
// arithmetic: their ends, and when each of them frees.
func (w *world) ends() (ends, frees []time.Duration) {
	for _, u := range w.log.uses {
		free := u.End + w.lim.Per + w.lim.Per/30
		if u.State == Ended {
			free = u.End + w.lim.Per + w.lim.Per/1000
		}
		if free > w.now {
			ends, frees = append(ends, u.End), append(frees, free)
		}
	}
	return ends, frees
}

// check holds at every instant: never one over, and never later than need be.
func (w *world) check() {
	r := receiver{slices.Clone(w.server.arrivals)}
	for _, f := range w.flying {
		if f.arrives {
			r.arrivals = append(r.arrivals, f.arrival)
		}
	}
	if n, from := r.worst(w.lim.Per); n > w.lim.N {
		w.t.Fatalf("the server counts %d in %v from %v, limit %d; arrivals %v", n, w.lim.Per, from, w.lim.N, r.arrivals)
	}
	phase := time.Duration(rapid.Int64Range(0, int64(w.lim.Per)).Draw(w.t, "phase"))
	if n := r.fixed(w.lim.Per, phase); n > w.lim.N {
		w.t.Fatalf("the server counts %d in a fixed window of phase %v, limit %d", n, phase, w.lim.N)
	}
	w.checkLive()
}

// checkLive holds Ready to its word: a claim at that instant succeeds, one
// before it does not, and it is no later than the oldest end allows.
func (w *world) checkLive() {
	ready := w.log.Ready(w.lim, 0, w.now)
	if ready < w.now || (ready == w.now) != (w.log.Left(w.lim, w.now) > 0) {
		w.t.Fatalf("at %v: ready at %v, %d left", w.now, ready, w.log.Left(w.lim, w.now))
	}
	if !w.wouldClaim(ready) {
		w.t.Fatalf("ready at %v, but a claim there is refused: %+v", ready, w.log.uses)
	}
	if ready == w.now {
		return
	}
	if w.wouldClaim(ready - 1) {
		w.t.Fatalf("ready at %v, but a claim just before succeeds: %+v", ready, w.log.uses)
	}
	ends, frees := w.ends()
	if len(ends) > w.lim.N {
		return // ends that were lost in a crash count from later than they were: more than one must free
	}
	if bound := slices.Min(ends) + w.lim.Per + w.lim.Per/30; ready > bound || ready != slices.Min(frees) {
		w.t.Fatalf("ready at %v; oldest end %v allows %v, the first frees at %v", ready, slices.Min(ends), bound, slices.Min(frees))
	}
}

// wouldClaim tries a claim on a copy of the log.
func (w *world) wouldClaim(at time.Duration) bool {
	twin := w.log
	twin.uses = slices.Clone(w.log.uses)
	_, ok := twin.Claim(math.MaxUint64, Stop, w.lim, at, at, at)
	return ok
}

// TestNeverOneOver plays random days of one quota against a server that counts
// for itself. Instants are of the steady clock, so a step of the wall clock
// cannot even be said here.
func TestNeverOneOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, lim: Limit{
			N:   rapid.SampledFrom([]int{1, 1, 2, 3, 10, 60}).Draw(t, "N"),
			Per: rapid.SampledFrom([]time.Duration{hour, time.Minute, time.Second, 7001}).Draw(t, "per"),
		}}
		t.Repeat(map[string]func(*rapid.T){
			"pass":   func(*rapid.T) { w.pass() },
			"claim":  func(*rapid.T) { w.claim() },
			"claims": func(*rapid.T) { w.claim(); w.claim(); w.claim() },
			"return": func(*rapid.T) { w.giveBack() },
			"crash":  func(*rapid.T) { w.crash() },
			"":       func(*rapid.T) { w.check() },
		})
	})
}

// TestKeepHoldsBack: what is held back only makes a caller wait longer, and the
// requests that matter more find it.
func TestKeepHoldsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lim := Limit{N: rapid.IntRange(1, 60).Draw(t, "N"), Per: hour}
		keep := rapid.IntRange(0, 70).Draw(t, "keep")
		now := time.Duration(rapid.Int64Range(0, int64(2*hour)).Draw(t, "now"))
		var log Log
		for i, end := range rapid.SliceOfN(rapid.Int64Range(0, int64(now)), 0, 60).Draw(t, "ends") {
			log.Restore(Use{ID: uint64(i + 1), End: time.Duration(end), State: Ended})
		}
		less, more := log.Ready(lim, 0, now), log.Ready(lim, keep, now)
		if more < less {
			t.Fatalf("keeping %d of %d is ready at %v, keeping none at %v", keep, lim.N, more, less)
		}
		if left := log.Left(lim, more); left < min(keep+1, lim.N) {
			t.Fatalf("keeping %d of %d is ready at %v with %d left", keep, lim.N, more, left)
		}
	})
}

// TestALongerWindowRemembers: a new limit may have a window that reaches back to
// requests which had stopped counting.
func TestALongerWindowRemembers(t *testing.T) {
	t.Parallel()
	long := Limit{N: 1, Per: 6 * hour}
	for _, test := range []struct {
		name  string
		known bool
		want  time.Duration // when the next request is allowed under the long window
	}{
		{"answered", true, 2*hour + long.Per + long.Margin()},
		{"not answered", false, 2*hour + long.Per + long.UnknownMargin()},
	} {
		var log, other Log
		short := Limit{N: 1, Per: hour}
		for i, at := range []time.Duration{0, 2 * hour, 4 * hour} {
			p, ok := log.Claim(uint64(i+1), Stop, short, at, at, at)
			if !ok {
				t.Fatalf("%s: request %d is refused at %v", test.name, i+1, at)
			}
			log.End(p.ID(), at, test.known)
			if at == 4*hour {
				log.Return(p.ID()) // it never left: what came before decides
			}
		}
		other.Add(&log)
		for name, l := range map[string]*Log{"the log": &log, "one that took it over": &other} {
			if got := l.Ready(short, 0, 4*hour); got != 4*hour {
				t.Errorf("%s, %s: under the limit in force ready at %v, want now", test.name, name, got)
			}
			if got := l.Ready(long, 0, 4*hour); got != test.want {
				t.Errorf("%s, %s: under the longer window ready at %v, want %v", test.name, name, got, test.want)
			}
			if got := l.Left(long, 4*hour); got != 0 {
				t.Errorf("%s, %s: %d left under the longer window, want 0", test.name, name, got)
			}
		}
	}
}

package simplatform

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answers has, for every kind of fault, what a stop of a running deployment gets.
func answers() map[string]Response {
	ok := Response{
		Status: 201, Deployment: Deployment{ID: example().ID, Name: example().Name},
		Operation: "stopping", Applied: true,
	}
	with := func(change func(r *Response)) Response {
		r := ok
		change(&r)
		return r
	}
	return map[string]Response{
		"lost-answer":            with(func(r *Response) { r.Status, r.Delivery = 0, Closed }),
		"dropped":                {Delivery: Closed},
		"refused":                {Delivery: NotReached},
		"reset-mid-body":         with(func(r *Response) { r.Delivery = Reset }),
		"slow for=3s":            with(func(r *Response) { r.Delivery, r.Delay = Trickled, 3*time.Second }),
		"hang":                   with(func(r *Response) { r.Delay = 30 * time.Second }),
		"hang-dropped for=1h":    {Delivery: Closed, Delay: time.Hour},
		"late for=2m":            {Status: 504, Delay: 2 * time.Minute},
		"error":                  {Status: 500},
		"error code=503":         {Status: 503},
		"error-applied code=502": with(func(r *Response) { r.Status = 502 }),
		"limited":                {Status: 429},
		"limited retry=90s":      {Status: 429, Retry: Retry{RetrySeconds, 90 * time.Second}},
		"limited retry=date:-1h": {Status: 429, Retry: Retry{RetryDate, -time.Hour}},
		"limited retry=garbage":  {Status: 429, Retry: Retry{Style: RetryGarbage}},
		"unauthorized":           {Status: 401},
		"forbidden":              {Status: 403},
		"not-found":              {Status: 404},
		"refusal":                {Status: 422},
		"redirect":               {Status: 307},
		"error-body":             {Status: 201, Delivery: Misleading},
		"garbage":                with(func(r *Response) { r.Delivery = Garbled }),
		"truncated":              with(func(r *Response) { r.Delivery = Cut }),
		"duplicate":              {Status: 429, Retry: Retry{After: time.Hour}, Applied: true},
		"stuck":                  ok,
		"roll-back":              ok,
		"fails":                  ok,
	}
}

// TestFaults: the answer, and whether the deployment stops all the same.
func TestFaults(t *testing.T) {
	t.Parallel()
	for text, want := range answers() {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			w := worldOf(t, Config{}, example())
			addFault(t, w, "stop * "+text)
			kind, _, _ := strings.Cut(text, " ")
			want.Fault, _ = parseKind(kind)
			if diff := cmp.Diff(want, do(w, 0, Stop, example().ID)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			status := map[bool]Status{true: Stopping, false: Running}[want.Applied]
			if s := w.StatusAt(example().ID, epoch()); s != status {
				t.Errorf("it is %s afterwards, want %s", s, status)
			}
			if n := len(w.Log()); (n == 0) != (kind == "refused") {
				t.Errorf("%d entries in the log", n)
			}
		})
	}
}

// TestEveryKind has a word of its own, and a row in the tables of what it does,
// here and on the wire.
func TestEveryKind(t *testing.T) {
	t.Parallel()
	rows := map[string]int{}
	for text := range answers() {
		kind, _, _ := strings.Cut(text, " ")
		rows[kind] |= 1
	}
	for text := range wires() {
		kind, _, _ := strings.Cut(text, " ")
		rows[kind] |= 2
	}
	for _, k := range Kinds() {
		word := k.String()
		if got, err := parseKind(word); err != nil || got != k {
			t.Errorf("kind %d is called %q, which reads as kind %d, %v", k, word, got, err)
		}
		if rows[word] != 3 {
			t.Errorf("%s has no row in answers (%t) or wires (%t)", word, rows[word]&1 == 0, rows[word]&2 == 0)
		}
	}
}

// TestErrorsPassSpoilers: where the platform rejects, a fault with effect has
// none to show, and an answer without a body cannot be spoilt.
func TestErrorsPassSpoilers(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"error-applied", "garbage", "truncated"} {
		w := worldOf(t, Config{}, stopped(example()))
		addFault(t, w, "stop * "+kind)
		if r := do(w, 0, Stop, example().ID); r.Status != 422 || r.Delivery != Whole {
			t.Errorf("%s over a 422: status %d, delivery %d; want the 422, whole", kind, r.Status, r.Delivery)
		}
	}
}

// TestDuplicateKeepsBlame: a client that is over its quota is so however often
// its request is delivered.
func TestDuplicateKeepsBlame(t *testing.T) {
	t.Parallel()
	w := worldOf(t, Config{}, example())
	do(w, 0, Stop, example().ID)
	addFault(t, w, "stop * duplicate")
	if r := do(w, time.Minute, Stop, example().ID); !r.OverQuota || r.Applied {
		t.Errorf("second stop of an hour, delivered twice: over quota %t, applied %t; want true, false", r.OverQuota, r.Applied)
	}
}

// TestRules: which of five stops, a minute apart, a rule fires at.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rules, want string }{
		{"stop * error", "EEEEE"},
		{"any * error", "EEEEE"},
		{"post * error", "EEEEE"},
		{"start,stop * error", "EEEEE"},
		{"get,list * error", "....."},
		{"start * error", "....."},
		{"stop w41b11c0 error", "EEEEE"},
		{"stop deployment-w41b11c0 error", "EEEEE"},
		{"stop other error", "....."},
		{"stop * error x2", "EE..."},
		{"stop * error nth=3", "..EEE"},
		{"stop * error nth=2 x1", ".E..."},
		{"stop * error from=+2m", "..EEE"},
		{"stop * error to=+2m", "EE..."},
		{"stop * error from=+1m to=2026-12-21T08:03:00Z", ".EE.."},
		{"stop * error p=1", "EEEEE"},
		{"stop * error x1; stop * limited x2", "ELL.."},
		{"stop * limited nth=2; stop * error", "ELLLL"},
	} {
		w := worldOf(t, unlimited(), example())
		for text := range strings.SplitSeq(c.rules, "; ") {
			addFault(t, w, text)
		}
		got := ""
		for i := range 5 {
			switch do(w, time.Duration(i)*time.Minute, Stop, example().ID).Fault {
			case Error:
				got += "E"
			case Limited:
				got += "L"
			default:
				got += "."
			}
		}
		if got != c.want {
			t.Errorf("%s: fired %s, want %s", c.rules, got, c.want)
		}
	}
}

// TestProbability: the share of requests that a rule fires at is near p, for any
// seed; twenty standard deviations off is broken dice.
func TestProbability(t *testing.T) {
	t.Parallel()
	const n = 10_000
	for seed := range uint64(5) {
		c := unlimited()
		c.Seed = seed
		w := worldOf(t, c, example())
		addFault(t, w, "get * error p=0.2")
		for range n {
			do(w, 0, Get, example().ID)
		}
		hits := w.Faults()[0].Hits
		if off := math.Abs(float64(hits) - 0.2*n); off > 20*math.Sqrt(n*0.2*0.8) {
			t.Errorf("seed %d: p=0.2 fired at %d of %d", seed, hits, n)
		}
	}
}

func TestClearFaults(t *testing.T) {
	t.Parallel()
	w := worldOf(t, unlimited(), example())
	addFault(t, w, "stop * stuck")
	do(w, 0, Stop, example().ID)
	w.ClearFaults()
	if r := do(w, time.Hour, Get, example().ID); r.Fault != NoFault || r.Deployment.Status != Stopping {
		t.Errorf("after clearing: fault %s, status %s; want none, and stuck as it was", r.Fault, r.Deployment.Status)
	}
}

// TestAddFaultRefuses what ParseFault cannot even say.
func TestAddFaultRefuses(t *testing.T) {
	t.Parallel()
	fine := Fault{Methods: Posts, Kind: Error}
	for name, change := range map[string]func(f *Fault){
		"no kind":         func(f *Fault) { f.Kind = NoFault },
		"unknown kind":    func(f *Fault) { f.Kind = 200 },
		"no method":       func(f *Fault) { f.Methods = 0 },
		"unknown method":  func(f *Fault) { f.Methods = 0xf0 },
		"blank in target": func(f *Fault) { f.Target = "a b" },
		"negative count":  func(f *Fault) { f.Count = -1 },
		"negative nth":    func(f *Fault) { f.Nth = -1 },
		"p is NaN":        func(f *Fault) { f.P = math.NaN() },
		"negative for":    func(f *Fault) { f.Kind, f.For = Hang, -1 },
		"code of a 4xx":   func(f *Fault) { f.Code = 404 },
	} {
		f := fine
		change(&f)
		if err := New(Config{}).AddFault(f); err == nil {
			t.Errorf("%s: %+v was taken", name, f)
		}
	}
	if err := New(Config{}).AddFault(fine); err != nil {
		t.Errorf("the rule that all of these are made of: %v", err)
	}
}

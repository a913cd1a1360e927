package simplatform

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// epoch is when the worlds of these tests begin.
func epoch() time.Time { return time.Date(2026, 12, 21, 8, 0, 0, 0, time.UTC) }

// example is the deployment of the API page.
func example() Deployment {
	return Deployment{
		ID: "w41b11c0", Name: "deployment-w41b11c0", Type: "dedicated", Platform: "AWS",
		Region: "N. Virginia (us-east-1)", Connections: 1000, CreateAt: "2024-07-22 05:32", Status: Running,
		ProjectName: "dev", Version: "5.8.1", TPS: 500,
	}
}

// worldOf returns a World with deployments that boot in 4 and halt in 2 minutes.
func worldOf(t testing.TB, c Config, all ...Deployment) *World {
	t.Helper()
	w := New(c)
	for _, d := range all {
		if err := w.Add(epoch(), d, Timing{}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// unlimited is a Config whose quotas are in nobody's way.
func unlimited() Config {
	var c Config
	for i := range c.Quotas {
		c.Quotas[i].N = -1
	}
	return c
}

func addFault(t testing.TB, w *World, text string) {
	t.Helper()
	f, err := ParseFault(text, epoch())
	if err == nil {
		err = w.AddFault(f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// do asks at so long after the epoch.
func do(w *World, after time.Duration, m Method, id string) Response {
	return w.Do(epoch().Add(after), Request{Method: m, ID: id})
}

func stopped(d Deployment) Deployment {
	d.Status = Stopped
	return d
}

// TestDocumentedAnswers has a row for every answer that the API page names.
func TestDocumentedAnswers(t *testing.T) {
	t.Parallel()
	get := example()
	named := Deployment{ID: get.ID, Name: get.Name}
	for _, c := range []struct {
		name   string
		setUp  func(w *World)
		ask    Request
		is     Deployment
		answer Response
	}{
		{"get 200", nil, Request{Method: Get}, get, Response{Status: 200, Deployment: get}},
		{"list 200", nil, Request{Method: List}, get, Response{Status: 200, List: []Deployment{get}}},
		{"stop 201", nil, Request{Method: Stop}, get,
			Response{Status: 201, Deployment: named, Operation: "stopping", Applied: true}},
		{"start 201", nil, Request{Method: Start}, stopped(get),
			Response{Status: 201, Deployment: named, Operation: "starting", Applied: true}},
		{"wrong secret 401", nil, Request{Method: Get, Unverified: true}, get, Response{Status: 401}},
		{"revoked key 401", func(w *World) { w.SetAccess("", Revoked) }, Request{Method: Stop}, get, Response{Status: 401}},
		{"key out of scope 403", func(w *World) { w.SetAccess("", Outside) }, Request{Method: Stop}, get, Response{Status: 403}},
		{"another key's scope", func(w *World) { w.SetAccess("other", Outside) }, Request{Method: Get}, get,
			Response{Status: 200, Deployment: get}},
		{"never there 404", nil, Request{Method: Get, ID: "nobody"}, get, Response{Status: 404}},
		{"start never there 404", nil, Request{Method: Start, ID: "nobody"}, get, Response{Status: 404}},
		{"deleted 404", func(w *World) { _ = w.Act(epoch(), Act{ID: get.ID, Do: Delete}) }, Request{Method: Stop}, get,
			Response{Status: 404}},
		{"deleted is not listed", func(w *World) { _ = w.Act(epoch(), Act{ID: get.ID, Do: Delete}) }, Request{Method: List}, get,
			Response{Status: 200, List: []Deployment{}}},
		{"start of a running one 422", nil, Request{Method: Start}, get, Response{Status: 422}},
		{"stop of a stopped one 422", nil, Request{Method: Stop}, stopped(get), Response{Status: 422}},
		{"used quota 429", func(w *World) { w.Foreign(epoch(), Request{Method: Stop, ID: get.ID}) }, Request{Method: Stop}, get,
			Response{Status: 429, Retry: Retry{After: time.Hour}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := worldOf(t, Config{}, c.is)
			if c.setUp != nil {
				c.setUp(w)
			}
			if c.ask.ID == "" {
				c.ask.ID = get.ID
			}
			if diff := cmp.Diff(c.answer, w.Do(epoch(), c.ask)); diff != "" {
				t.Errorf("answer to %s of a %s deployment (-want +got):\n%s", c.ask.Method, c.is.Status, diff)
			}
		})
	}
}

// TestTransientTakesNeither: while it starts, stops or is pending, a deployment
// refuses both POSTs, and a failed one refuses none.
func TestTransientTakesNeither(t *testing.T) {
	t.Parallel()
	for status, want := range map[Status]int{Starting: 422, Stopping: 422, Pending: 422, Failed: 201, "upgrading": 201} {
		for _, m := range []Method{Start, Stop} {
			d := example()
			d.Status = status
			w := worldOf(t, Config{}, d)
			if r := do(w, 0, m, d.ID); r.Status != want || r.Applied != (want == 201) {
				t.Errorf("%s of a %s deployment: status %d, applied %t; want %d", m, status, r.Status, r.Applied, want)
			}
		}
	}
}

func TestAcceptSame(t *testing.T) {
	t.Parallel()
	w := worldOf(t, Config{AcceptSame: true}, example())
	r := do(w, 0, Start, example().ID)
	if r.Status != 201 || r.Operation != "starting" || r.Applied {
		t.Errorf("start of a running one under AcceptSame: %+v, want 201 that is not applied", r)
	}
	if s := w.StatusAt(example().ID, epoch()); s != Running {
		t.Errorf("it is %q afterwards, want running", s)
	}
}

// seen asks for the status at some instants, in minutes after the epoch.
func seen(w *World, id string, minutes ...float64) map[float64]Status {
	got := map[float64]Status{}
	for _, m := range minutes {
		got[m] = do(w, time.Duration(m*float64(time.Minute)), Get, id).Deployment.Status
	}
	return got
}

// TestTransitions follows one POST, made one minute after the epoch, by GETs.
func TestTransitions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		from   Status
		post   Method
		timing Timing
		fault  string
		want   map[float64]Status
	}{
		{"stop", Running, Stop, Timing{Halt: 2 * time.Minute}, "",
			map[float64]Status{0.9: Running, 1: Stopping, 2.99: Stopping, 3: Stopped, 600: Stopped}},
		{"start", Stopped, Start, Timing{Boot: 90 * time.Second}, "",
			map[float64]Status{0.9: Stopped, 1: Starting, 2.49: Starting, 2.5: Running}},
		{"defaults", Stopped, Start, Timing{}, "", map[float64]Status{1: Starting, 4.99: Starting, 5: Running}},
		{"pending first", Stopped, Start, Timing{Pending: time.Minute, Boot: time.Minute}, "",
			map[float64]Status{1: Pending, 2: Starting, 3: Running}},
		{"slow", Running, Stop, Timing{Halt: 90 * time.Minute}, "", map[float64]Status{90: Stopping, 91: Stopped}},
		{"never", Running, Stop, Timing{Halt: Never}, "", map[float64]Status{1: Stopping, 1e5: Stopping}},
		{"pending for ever", Running, Stop, Timing{Pending: Never}, "", map[float64]Status{1: Pending, 1e5: Pending}},
		{"lag", Running, Stop, Timing{Halt: 2 * time.Minute, Lag: 30 * time.Second}, "",
			map[float64]Status{1: Running, 1.49: Running, 1.5: Stopping, 3.49: Stopping, 3.5: Stopped}},
		{"stuck", Running, Stop, Timing{}, "stop * stuck", map[float64]Status{1: Stopping, 1e5: Stopping}},
		{"stop rolled back", Running, Stop, Timing{}, "stop * roll-back", map[float64]Status{1: Stopping, 3: Running}},
		{"start rolled back", Stopped, Start, Timing{}, "start * roll-back", map[float64]Status{1: Starting, 5: Stopped}},
		{"fails", Stopped, Start, Timing{}, "start * fails", map[float64]Status{1: Starting, 5: Failed}},
		{"late", Running, Stop, Timing{}, "stop * late for=10m",
			map[float64]Status{1: Running, 10.99: Running, 11: Stopping, 13: Stopped}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := New(unlimited())
			d := example()
			d.Status = c.from
			if err := w.Add(epoch(), d, c.timing); err != nil {
				t.Fatal(err)
			}
			if c.fault != "" {
				addFault(t, w, c.fault)
			}
			got := seen(w, d.ID, before(c.want, 1)...)
			do(w, time.Minute, c.post, d.ID)
			for m, s := range seen(w, d.ID, from(c.want, 1)...) {
				got[m] = s
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("status by minute (-want +got):\n%s", diff)
			}
		})
	}
}

// before and from return the minutes of want on either side, ascending.
func before(want map[float64]Status, m float64) []float64 {
	return minutes(want, func(x float64) bool { return x < m })
}

func from(want map[float64]Status, m float64) []float64 {
	return minutes(want, func(x float64) bool { return x >= m })
}

func minutes(want map[float64]Status, keep func(float64) bool) []float64 {
	var some []float64
	for m := range want {
		if keep(m) {
			some = append(some, m)
		}
	}
	slices.Sort(some)
	return some
}

// TestLateEffect: the entry of a late request is marked when its effect comes,
// and a deployment that changed meanwhile is left alone.
func TestLateEffect(t *testing.T) {
	t.Parallel()
	w := worldOf(t, unlimited(), example())
	addFault(t, w, "stop * late for=10m x1")
	r := do(w, 0, Stop, example().ID)
	if r.Status != 504 || r.Applied || r.Delay != 10*time.Minute || !r.Usable() || r.Accepted() {
		t.Fatalf("late stop: %+v, want a 504 after 10m that is not applied yet", r)
	}
	do(w, 9*time.Minute, Get, example().ID)
	if e := w.Log()[0]; e.Applied || w.Score().Applied != 0 {
		t.Errorf("after 9m: %+v, want not applied", e)
	}
	do(w, 10*time.Minute, Get, example().ID)
	if e := w.Log()[0]; !e.Applied || w.Score().Applied != 1 {
		t.Errorf("after 10m: %+v, want applied", e)
	}

	w = worldOf(t, unlimited(), example())
	addFault(t, w, "stop * late for=10m x1")
	do(w, 0, Stop, example().ID)
	do(w, time.Minute, Stop, example().ID)
	do(w, 10*time.Minute, Get, example().ID)
	if log := w.Log(); log[0].Applied || !log[1].Applied {
		t.Errorf("a late stop of what another one had stopped: applied %t, and the other %t; want false, true",
			log[0].Applied, log[1].Applied)
	}
}

// TestLateRejections: what the quota forbids has no late effect, nor has what a
// key may not do any more; and a late request counts even where rejected ones
// are free.
func TestLateRejections(t *testing.T) {
	t.Parallel()
	w := worldOf(t, Config{}, example())
	w.Foreign(epoch(), Request{Method: Stop, ID: example().ID})
	addFault(t, w, "stop * late for=1m")
	do(w, 0, Stop, example().ID)
	if s := do(w, time.Hour, Get, example().ID).Deployment.Status; s != Running {
		t.Errorf("status an hour after a late stop over quota: %s, want running", s)
	}

	w = worldOf(t, Config{}, example())
	addFault(t, w, "stop * late for=1m")
	do(w, 0, Stop, example().ID)
	w.SetAccess("", Outside)
	if s := w.Deployments(epoch().Add(time.Hour))[0].Status; s != Running {
		t.Errorf("status an hour after a late stop with a key that was taken away: %s, want running", s)
	}

	w = worldOf(t, Config{Quotas: [Methods]Quota{Stop: {FreeRejected: true}}}, example())
	addFault(t, w, "stop * late for=1m x1")
	do(w, 0, Stop, example().ID)
	if r := do(w, 30*time.Second, Stop, example().ID); r.Status != 429 {
		t.Errorf("stop behind one that is on its way: %d, want 429", r.Status)
	}
}

// TestPeople: what can be done by hand, and what it does to a transition.
func TestPeople(t *testing.T) {
	t.Parallel()
	id := example().ID
	for _, c := range []struct {
		name string
		from Status
		act  Act
		err  error
		want Status
	}{
		{"start", Stopped, Act{id, PersonStart, ""}, nil, Starting},
		{"stop", Running, Act{id, PersonStop, ""}, nil, Stopping},
		{"start of a running one", Running, Act{id, PersonStart, ""}, ErrStatus, Running},
		{"stop of a stopped one", Stopped, Act{id, PersonStop, ""}, ErrStatus, Stopped},
		{"stop while starting", Starting, Act{id, PersonStop, ""}, ErrStatus, Starting},
		{"status", Running, Act{id, SetStatus, "upgrading"}, nil, "upgrading"},
		{"no status", Running, Act{id, SetStatus, ""}, ErrStatus, Running},
		{"delete", Running, Act{id, Delete, ""}, nil, Gone},
		{"recreate what is there", Running, Act{id, Recreate, ""}, ErrExists, Running},
		{"nobody's", Running, Act{"nobody", PersonStop, ""}, ErrUnknown, Running},
		{"nothing", Running, Act{ID: id}, ErrAct, Running},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := example()
			d.Status = c.from
			w := worldOf(t, Config{}, d)
			if err := w.Act(epoch(), c.act); !errors.Is(err, c.err) {
				t.Errorf("Act(%+v) on a %s one: %v, want %v", c.act, c.from, err, c.err)
			}
			if s := w.StatusAt(id, epoch()); s != c.want {
				t.Errorf("it is %q afterwards, want %q", s, c.want)
			}
		})
	}
}

// TestDeleteAndRecreate: an id that is gone answers 404, forgets its transition,
// and comes back with its quota still used.
func TestDeleteAndRecreate(t *testing.T) {
	t.Parallel()
	w, id := worldOf(t, Config{}, example()), example().ID
	do(w, 0, Stop, id)
	if err := w.Act(epoch().Add(time.Minute), Act{ID: id, Do: Delete}); err != nil {
		t.Fatal(err)
	}
	if r := do(w, 5*time.Minute, Get, id); r.Status != 404 {
		t.Errorf("get of a deleted one: %d, want 404", r.Status)
	}
	w.Plan(epoch().Add(10*time.Minute), Act{ID: id, Do: Recreate})
	if r := do(w, 10*time.Minute, Get, id); r.Status != 200 || r.Deployment.Status != Running {
		t.Errorf("get of a recreated one: %d %q, want 200 running", r.Status, r.Deployment.Status)
	}
	if r := do(w, 11*time.Minute, Stop, id); r.Status != 429 {
		t.Errorf("second stop in an hour, deleted and recreated between: %d, want 429", r.Status)
	}
	if err := w.Act(epoch().Add(12*time.Minute), Act{ID: id, Do: Delete}); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(epoch().Add(13*time.Minute), stopped(example()), Timing{}); err != nil {
		t.Errorf("add a deleted id again: %v", err)
	}
	if n := len(w.Deployments(epoch().Add(13 * time.Minute))); n != 1 {
		t.Errorf("%d deployments after the same id was added twice, want 1", n)
	}
	if err := w.Add(epoch().Add(13*time.Minute), example(), Timing{}); !errors.Is(err, ErrExists) {
		t.Errorf("add an id that is there: %v, want ErrExists", err)
	}
	want := []Change{
		{epoch(), Running, ByPerson}, {epoch(), Stopping, ByClient},
		{epoch().Add(time.Minute), Gone, ByPerson}, {epoch().Add(10 * time.Minute), Running, ByPerson},
		{epoch().Add(12 * time.Minute), Gone, ByPerson}, {epoch().Add(13 * time.Minute), Stopped, ByPerson},
	}
	if diff := cmp.Diff(want, w.History(epoch().Add(time.Hour), id)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// TestPlan: planned acts happen in the order of their instants, at their
// instants, however late the World is asked.
func TestPlan(t *testing.T) {
	t.Parallel()
	w, id := worldOf(t, Config{}, example()), example().ID
	w.Plan(epoch().Add(2*time.Hour), Act{ID: id, Do: PersonStart})
	w.Plan(epoch().Add(time.Hour), Act{ID: id, Do: PersonStop})
	w.Plan(epoch().Add(time.Hour), Act{ID: id, Do: PersonStart}) // it is stopping by then
	got := w.Spent(id, epoch(), w.History(epoch().Add(24*time.Hour), id)[0].At.Add(3*time.Hour))
	want := Spent{Running: time.Hour + 56*time.Minute, Stopped: 58 * time.Minute, Other: 6 * time.Minute}
	if got != want {
		t.Errorf("first three hours: %+v, want %+v", got, want)
	}
}

// TestPlanKeepsOrder of what happens at one instant, and of what is planned when
// its instant is over.
func TestPlanKeepsOrder(t *testing.T) {
	t.Parallel()
	w, id := worldOf(t, Config{}, example()), example().ID
	at := epoch().Add(time.Hour)
	for _, s := range []Status{"one", "two", "three"} {
		w.Plan(at, Act{ID: id, Do: SetStatus, Status: s})
	}
	if got := do(w, time.Hour, Get, id).Deployment.Status; got != "three" {
		t.Errorf("one, two and three were planned for one instant: it is %s", got)
	}
	w.Plan(epoch(), Act{ID: id, Do: SetStatus, Status: "four"})
	do(w, 2*time.Hour, Get, id)
	want := Change{at, "four", ByPerson}
	if all := w.History(at.Add(time.Hour), id); all[len(all)-1] != want {
		t.Errorf("what is planned for the past happens at %+v, want %+v", all[len(all)-1], want)
	}
}

// TestListNamesNoDeployment, whatever the request says, in log and quota.
func TestListNamesNoDeployment(t *testing.T) {
	t.Parallel()
	w := worldOf(t, Config{Quotas: [Methods]Quota{List: {N: 1}}}, example())
	first, second := do(w, 0, List, "a"), do(w, 0, List, "b")
	if first.Status != 200 || second.Status != 429 || w.Log()[0].ID != "" {
		t.Errorf("two lists with a limit of one: %d, %d, logged for %q; want 200, 429, nothing",
			first.Status, second.Status, w.Log()[0].ID)
	}
}

// TestServerTimeStands: an earlier now is the latest one, so that arrivals are
// never out of order.
func TestServerTimeStands(t *testing.T) {
	t.Parallel()
	w := worldOf(t, unlimited(), example())
	do(w, time.Hour, Stop, example().ID)
	do(w, 0, Get, example().ID)
	if at := w.Log()[1].At; !at.Equal(epoch().Add(time.Hour)) {
		t.Errorf("a request from before the latest one is logged at %s, want %s", at, epoch().Add(time.Hour))
	}
}

// TestScore: who repeats, who is over quota, and whom it is not blamed on.
func TestScore(t *testing.T) {
	t.Parallel()
	id := example().ID
	type ask struct {
		after time.Duration
		do    func(w *World, now time.Time)
	}
	post := func(after time.Duration, m Method) ask {
		return ask{after, func(w *World, now time.Time) { w.Do(now, Request{Method: m, ID: id}) }}
	}
	person := func(after time.Duration, a Action) ask {
		return ask{after, func(w *World, now time.Time) { _ = w.Act(now, Act{ID: id, Do: a}) }}
	}
	pending := unlimited()
	pending.Timing.Pending = time.Hour
	add := ask{2 * time.Minute, func(w *World, now time.Time) { _ = w.Add(now, stopped(example()), Timing{}) }}
	foreign := ask{0, func(w *World, now time.Time) { w.Foreign(now, Request{Method: Stop, ID: id}) }}
	for _, c := range []struct {
		name   string
		config Config
		fault  string
		asks   []ask
		want   Score
	}{
		{"one stop", Config{}, "", []ask{post(0, Stop)}, Score{Calls: [4]int{2: 1}, Applied: 1}},
		{"again while stopping", unlimited(), "", []ask{post(0, Stop), post(time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 1, Repeated: 1}},
		{"again when stopped", Config{}, "", []ask{post(0, Stop), post(61*time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 1, Repeated: 1}},
		{"the next day", Config{}, "", []ask{post(0, Stop), post(24*time.Hour, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 1}},
		{"after a lost answer", Config{}, "stop * lost-answer x1", []ask{post(0, Stop), post(62*time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 1, Repeated: 1}},
		{"after a dropped request", Config{}, "stop * dropped x1", []ask{post(0, Stop), post(62*time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 1}},
		{"after a roll-back", Config{}, "stop * roll-back x1", []ask{post(0, Stop), post(61*time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 2}},
		{"after a person started it", Config{}, "",
			[]ask{post(0, Stop), person(30*time.Minute, PersonStart), post(61*time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 2}},
		{"a person had stopped it", Config{}, "", []ask{person(0, PersonStop), post(time.Minute, Stop)},
			Score{Calls: [4]int{2: 1}}},
		{"over quota", Config{}, "", []ask{post(0, Stop), post(59*time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 1, Repeated: 1, OverQuota: 1, Limited: 1}},
		{"others' quota", Config{}, "", []ask{foreign, post(time.Minute, Stop)},
			Score{Calls: [4]int{2: 1}, Limited: 1}},
		{"a proxy's second delivery", Config{}, "stop * duplicate", []ask{post(0, Stop)},
			Score{Calls: [4]int{2: 1}, Applied: 1}},
		{"one over quota, delivered twice", Config{}, "stop * duplicate nth=2", []ask{post(0, Stop), post(time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 1, Repeated: 1, OverQuota: 1, Limited: 1}},
		{"again while pending", pending, "", []ask{post(0, Stop), post(time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 1, Repeated: 1}},
		{"recreated after it", unlimited(), "",
			[]ask{post(0, Stop), person(time.Minute, Delete), add, post(3*time.Minute, Stop)},
			Score{Calls: [4]int{2: 2}, Applied: 1}},
		{"refused", Config{}, "stop * refused", []ask{post(0, Stop)}, Score{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := worldOf(t, c.config, example())
			if c.fault != "" {
				addFault(t, w, c.fault)
			}
			for _, a := range c.asks {
				a.do(w, epoch().Add(a.after))
			}
			if diff := cmp.Diff(c.want, w.Score()); diff != "" {
				t.Errorf("score (-want +got):\n%s\nlog: %+v", diff, w.Log())
			}
			if n := w.Score().Total(); n != c.want.Calls[Stop] {
				t.Errorf("Total() = %d, want %d", n, c.want.Calls[Stop])
			}
		})
	}
}

func TestSpent(t *testing.T) {
	t.Parallel()
	w, id := worldOf(t, Config{}, example()), example().ID
	do(w, time.Hour, Stop, id)                               // stopping for 2 min
	do(w, 3*time.Hour, Start, id)                            // starting for 4 min
	_ = w.Act(epoch().Add(5*time.Hour), Act{id, Delete, ""}) // gone from then on
	at := func(d time.Duration) time.Time { return epoch().Add(d) }
	for _, c := range []struct {
		name     string
		from, to time.Time
		want     Spent
	}{
		{"all", at(-time.Hour), at(10 * time.Hour),
			Spent{Running: time.Hour + 116*time.Minute, Stopped: 118 * time.Minute, Other: 6 * time.Minute}},
		{"inside one change", at(2 * time.Hour), at(2*time.Hour + time.Minute), Spent{Stopped: time.Minute}},
		{"across one", at(time.Hour - time.Minute), at(time.Hour + time.Minute), Spent{Running: time.Minute, Other: time.Minute}},
		{"before it was there", at(-2 * time.Hour), at(-time.Hour), Spent{}},
		{"empty", at(time.Hour), at(time.Hour), Spent{}},
		{"backwards", at(2 * time.Hour), at(time.Hour), Spent{}},
	} {
		if got := w.Spent(id, c.from, c.to); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := w.Spent("nobody", at(0), at(time.Hour)); got != (Spent{}) {
		t.Errorf("nobody's: %+v, want nothing", got)
	}
}

// TestLogLimits: what is left out of the log is in the score, and Since finds
// its place in a log whose beginning is gone.
func TestLogLimits(t *testing.T) {
	t.Parallel()
	c := unlimited()
	c.LogLimit, c.SkipGetLog = 3, true
	w := worldOf(t, c, example())
	for i := range 20 {
		do(w, time.Duration(i)*time.Minute, Get, example().ID)
		do(w, time.Duration(i)*time.Minute, Start, example().ID)
	}
	var got []uint64
	for _, e := range w.Log() {
		got = append(got, e.Seq)
	}
	if diff := cmp.Diff([]uint64{18, 19, 20}, got); diff != "" {
		t.Errorf("numbers of the last three of 20 posts (-want +got):\n%s", diff)
	}
	for since, want := range map[uint64]int{0: 3, 17: 3, 18: 2, 20: 0, 99: 0} {
		if n := len(w.Since(since)); n != want {
			t.Errorf("Since(%d): %d entries, want %d", since, n, want)
		}
	}
	if want := [Methods]int{Get: 20, Start: 20}; w.Score().Calls != want {
		t.Errorf("calls %v, want %v", w.Score().Calls, want)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	w := worldOf(t, Config{}, Deployment{ID: "a", Name: "b"}, Deployment{ID: "b", Name: "c"}, Deployment{ID: "d", Name: "c"})
	do(w, 0, Get, "ghost")
	for text, want := range map[string]string{"a": "a", "b": "b", "c": "b", "d": "d", "ghost": "", "": ""} {
		if id, ok := w.Find(text); id != want || ok != (want != "") {
			t.Errorf("Find(%q) = %q, %t; want %q", text, id, ok, want)
		}
	}
}

// live runs a random hour of everything and returns the log.
func live(seed, tape uint64) []Entry {
	dice := rand.New(rand.NewPCG(tape, 0))
	w := New(Config{Seed: seed})
	for i := range 5 {
		_ = w.Add(epoch(), Deployment{ID: fmt.Sprint(i)}, Timing{Lag: time.Duration(i) * time.Second})
	}
	for _, k := range Kinds() {
		_ = w.AddFault(Fault{Methods: Posts, Kind: k, P: 0.05}.withDefaults())
		_ = w.AddFault(Fault{Methods: AnyMethod, Kind: k, P: 0.02}.withDefaults())
	}
	for i := range 500 {
		now := epoch().Add(time.Duration(i) * 5 * time.Minute)
		id := fmt.Sprint(dice.IntN(6))
		switch n := dice.IntN(10); {
		case n == 0:
			_ = w.Act(now, Act{ID: id, Do: Action(1 + dice.IntN(5))})
		case n == 1:
			w.Foreign(now, Request{Method: Method(dice.IntN(Methods)), ID: id})
		default:
			w.Do(now, Request{Method: Method(dice.IntN(Methods)), ID: id})
		}
	}
	return w.Log()
}

// TestDeterminism: the same seed and calls give the same log; another seed
// another one, so that the comparison is not one of two empty things.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	faults := map[Kind]bool{}
	for tape := range uint64(20) {
		one, two := live(1, tape), live(1, tape)
		if diff := cmp.Diff(one, two); diff != "" {
			t.Fatalf("tape %d differs in its second run (-first +second):\n%s", tape, diff)
		}
		if cmp.Equal(one, live(2, tape)) {
			t.Errorf("tape %d: seeds 1 and 2 give the same log", tape)
		}
		for _, e := range one {
			faults[e.Fault] = true
		}
	}
	for _, k := range Kinds() {
		if !faults[k] && k != Refused {
			t.Errorf("no tape had the fault %s: the test has lost its reach", k)
		}
	}
}

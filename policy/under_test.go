package policy

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestDecideUnder tells what overrides do to a day from eight to eight in UTC:
// at each instant what is wanted, since when, until when, and by whose word.
func TestDecideUnder(t *testing.T) {
	t.Parallel()
	hold := func(power, before Power, from, until string) Override {
		return Override{ID: 7, Kind: Hold, Power: power, Before: before, From: on(from), Until: on(until), Author: "anna"}
	}
	pause := func(from, until string) Override {
		return Override{ID: 8, Kind: Pause, From: on(from), Until: on(until)}
	}
	skip := func(power Power, n int, from, until string) Override {
		o := Override{ID: 9, Kind: Skip, Power: power, Count: n, From: on(from)}
		if until != "" {
			o.Until = on(until)
		}
		return o
	}
	for _, c := range []struct {
		what string
		over []Override
		want map[string]string
	}{
		{"a hold against the policy begins and ends by transitions of its own", []Override{hold(Running, Stopped, "1 22:00", "1 23:00")}, map[string]string{
			"1 21:59": "stopped 1 20:00 to 1 22:00, edge",
			"1 22:00": "running 1 22:00 to 1 23:00, hold #7 by anna",
			"1 23:00": "stopped 1 23:00 to 2 08:00, hold #7 by anna",
			"2 08:00": "running 2 08:00 to 2 20:00, edge",
		}},
		{"a stop inside a hold is put off and keeps its instant", []Override{hold(Running, Running, "1 19:00", "1 22:00")}, map[string]string{
			"1 19:30": "running 1 08:00 to 1 22:00, hold #7 by anna",
			"1 21:00": "running 1 08:00 to 1 22:00, hold #7 by anna",
			"1 22:00": "stopped 1 20:00 to 2 08:00, edge",
		}},
		{"a hold that changes nothing makes no transition", []Override{hold(Stopped, Stopped, "1 22:00", "1 23:00")}, map[string]string{
			"1 22:00": "stopped 1 20:00 to 1 23:00, hold #7 by anna",
			"1 23:00": "stopped 1 20:00 to 2 08:00, edge",
		}},
		{"an edge at a hold's begin comes before it", []Override{hold(Running, Stopped, "1 20:00", "2 07:00")}, map[string]string{
			"1 20:00": "running 1 20:00 to 2 07:00, hold #7 by anna",
			"2 07:00": "stopped 2 07:00 to 2 08:00, hold #7 by anna",
		}},
		{"which changes nothing where the hold is for the same", []Override{hold(Stopped, Stopped, "1 20:00", "2 07:00")}, map[string]string{
			"1 20:00": "stopped 1 20:00 to 2 07:00, hold #7 by anna",
		}},
		{"an edge at a hold's end lies outside", []Override{hold(Running, Running, "1 19:00", "2 08:00")}, map[string]string{
			"2 08:00": "running 2 08:00 to 2 20:00, edge",
		}},
		{"a hold over a night puts off the last edge inside it only", []Override{hold(Stopped, Running, "1 12:00", "2 21:00")}, map[string]string{
			"2 12:00": "stopped 1 12:00 to 2 21:00, hold #7 by anna",
			"2 21:00": "stopped 2 20:00 to 3 08:00, edge",
		}},
		{"a released hold ends where it was cut", []Override{hold(Stopped, Running, "1 12:00", "1 12:30")}, map[string]string{
			"1 12:30": "running 1 12:30 to 1 20:00, hold #7 by anna",
			"1 20:00": "stopped 1 20:00 to 2 08:00, edge",
		}},
		{"one hold after another: the end of the first is none where the second goes on", []Override{
			hold(Running, Stopped, "1 21:00", "1 22:00"),
			{ID: 10, Kind: Hold, Power: Running, Before: Running, From: on("1 22:00"), Until: on("1 23:00")},
		}, map[string]string{
			"1 21:30": "running 1 21:00 to 1 22:00, hold #7 by anna",
			"1 22:30": "running 1 21:00 to 1 23:00, hold #10",
			"1 23:00": "stopped 1 23:00 to 2 08:00, hold #10",
		}},
		{"a hold in the place of one that held a stop off: what was wanted before both", []Override{
			hold(Running, Running, "1 19:00", "1 22:00"),
			{ID: 10, Kind: Hold, Power: Running, Before: Running, From: on("1 22:00"), Until: on("1 23:00")},
		}, map[string]string{
			"1 22:30": "running 1 08:00 to 1 23:00, hold #10",
			"1 23:00": "stopped 1 23:00 to 2 08:00, hold #10",
		}},
		{"a hold that takes the first one back", []Override{
			hold(Running, Stopped, "1 21:00", "1 22:00"),
			{ID: 10, Kind: Hold, Power: Stopped, Before: Running, From: on("1 22:00"), Until: on("1 23:00")},
		}, map[string]string{
			"1 22:30": "stopped 1 22:00 to 1 23:00, hold #10",
			"1 23:30": "stopped 1 22:00 to 2 08:00, hold #7 by anna",
		}},
		{"a hold that was cut at its begin never was", []Override{hold(Running, Stopped, "1 22:00", "1 22:00")}, map[string]string{
			"1 22:00": "stopped 1 20:00 to 2 08:00, edge",
		}},
		{"a pause wants nothing until the first edge after it", []Override{pause("1 12:00", "1 22:00")}, map[string]string{
			"1 12:00": "none 1 12:00 to 2 08:00, pause #8",
			"1 20:00": "none 1 12:00 to 2 08:00, pause #8",
			"1 22:00": "none 1 12:00 to 2 08:00, pause #8",
			"2 08:00": "running 2 08:00 to 2 20:00, edge",
		}},
		{"an edge at a pause's end counts", []Override{pause("1 12:00", "1 20:00")}, map[string]string{
			"1 19:59": "none 1 12:00 to 1 20:00, pause #8",
			"1 20:00": "stopped 1 20:00 to 2 08:00, edge",
		}},
		{"a hold after a pause leads back to nothing", []Override{
			pause("1 12:00", "1 21:00"),
			{ID: 10, Kind: Hold, Power: Running, Before: None, From: on("1 22:00"), Until: on("1 23:00")},
		}, map[string]string{
			"1 22:00": "running 1 22:00 to 1 23:00, hold #10",
			"1 23:00": "none 1 23:00 to 2 08:00, hold #10",
			"2 08:00": "running 2 08:00 to 2 20:00, edge",
		}},
		{"a skip leaves what was wanted", []Override{skip(Stopped, 1, "1 12:00", "")}, map[string]string{
			"1 12:00": "running 1 08:00 to 2 08:00, edge",
			"1 23:00": "running 1 08:00 to 2 08:00, edge",
			"2 20:00": "stopped 2 20:00 to 3 08:00, edge",
		}},
		{"a skip of two", []Override{skip(Stopped, 2, "1 12:00", "9 00:00")}, map[string]string{
			"2 23:00": "running 2 08:00 to 3 08:00, edge",
			"3 20:00": "stopped 3 20:00 to 4 08:00, edge",
		}},
		{"a released skip cancels what came before its release", []Override{skip(Stopped, 3, "1 12:00", "2 09:00")}, map[string]string{
			"1 23:00": "running 1 08:00 to 2 08:00, edge",
			"2 12:00": "running 2 08:00 to 2 20:00, edge",
		}},
		{"a skip counts from after its instant", []Override{skip(Stopped, 1, "1 20:00", "")}, map[string]string{
			"1 20:00": "stopped 1 20:00 to 2 08:00, edge",
			"2 21:00": "running 2 08:00 to 3 08:00, edge",
		}},
		{"a stop that is skipped is not put off by a hold", []Override{skip(Stopped, 1, "1 12:00", ""), hold(Running, Running, "1 19:00", "1 22:00")}, map[string]string{
			"1 21:00": "running 1 08:00 to 1 22:00, hold #7 by anna",
			"1 23:00": "running 1 08:00 to 2 08:00, edge",
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			p := policyOf(t, "UTC", 0, []string{"0 8 * * *"}, []string{"0 20 * * *"})
			for at, want := range c.want {
				if got := tellDecision(p.DecideUnder(c.over, on(at))); got != want {
					t.Errorf("at %s: %s\n want %s", at, got, want)
				}
			}
		})
	}
}

// on is a day of June 2026 and a time: "1 20:00".
func on(at string) time.Time {
	return must(time.Parse("2006-01 2 15:04", "2026-06 "+at))
}

func tellDecision(d Decision) string {
	why := d.Because.Ref
	if d.Because.Kind == KindEdge {
		why = "edge"
	}
	return fmt.Sprintf("%s %s to %s, %s", d.Want, d.Since.Format("2 15:04"), d.Until.Format("2 15:04"), why)
}

func TestCancels(t *testing.T) {
	t.Parallel()
	p := policyOf(t, "UTC", 0, []string{"0 8 * * *"}, []string{"0 20 * * *"})
	skip := func(power Power, n int, from, until string) Override {
		return Override{Kind: Skip, Power: power, Count: n, From: on(from), Until: on(until)}
	}
	for _, c := range []struct {
		what string
		over []Override
		edge string
		want OverrideKind
	}{
		{"the next stop", []Override{skip(Stopped, 1, "1 12:00", "9 00:00")}, "1 20:00", Skip},
		{"not the one after it", []Override{skip(Stopped, 1, "1 12:00", "9 00:00")}, "2 20:00", 0},
		{"the one after it as well", []Override{skip(Stopped, 2, "1 12:00", "9 00:00")}, "2 20:00", Skip},
		{"not the one before", []Override{skip(Stopped, 2, "1 21:00", "9 00:00")}, "1 20:00", 0},
		{"not the other power", []Override{skip(Running, 9, "1 12:00", "9 00:00")}, "1 20:00", 0},
		{"two skips do not add up", []Override{skip(Stopped, 1, "1 12:00", "9 00:00"), skip(Stopped, 1, "1 13:00", "9 00:00")}, "2 20:00", 0},
		{"not what comes at its release", []Override{skip(Stopped, 9, "1 12:00", "2 20:00")}, "2 20:00", 0},
		{"but what came before", []Override{skip(Stopped, 9, "1 12:00", "2 20:00")}, "1 20:00", Skip},
		{"none at all", []Override{skip(Stopped, 0, "1 12:00", "9 00:00")}, "1 20:00", 0},
		{"a pause takes what lies in it", []Override{{Kind: Pause, From: on("1 20:00"), Until: on("2 08:00")}}, "1 20:00", Pause},
		{"and not what lies at its end", []Override{{Kind: Pause, From: on("1 20:00"), Until: on("2 08:00")}}, "2 08:00", 0},
		{"a hold cancels nothing", []Override{{Kind: Hold, Power: Running, From: on("1 19:00"), Until: on("2 08:00")}}, "1 20:00", 0},
	} {
		e, ok := p.Prev(on(c.edge))
		if !ok || !e.At.Equal(on(c.edge)) {
			t.Fatalf("%s: there is no edge at %s", c.what, c.edge)
		}
		if got := p.Cancels(c.over, e); got != c.want {
			t.Errorf("%s: %d (%s), want %d", c.what, got, got, c.want)
		}
	}
}

// TestUnderAlone asks without a policy, where an edge inside a hold hides what
// was wanted before it: nothing may be due by it.
func TestUnderAlone(t *testing.T) {
	t.Parallel()
	over := []Override{{ID: 1, Kind: Hold, Power: Running, Before: Running, From: on("1 19:00"), Until: on("1 22:00")}}
	d := Decision{Want: Stopped, Since: on("1 20:00"), Until: on("2 08:00")}
	if got := d.Under(over, on("1 21:00")); got.Want != Running || !got.Since.IsZero() || !got.Until.Equal(on("1 22:00")) {
		t.Errorf("%+v is wanted under a hold, want running, since nothing, until 22:00", got)
	}
	if got := d.Under(nil, on("1 21:00")); got != d {
		t.Errorf("%+v is wanted under no override, want %+v", got, d)
	}
}

// A story runs the same overrides forwards, event by event, as a person would
// keep a book of them. It knows nothing of the functions under test but the
// policy's edges.
type story struct {
	now     wish
	ended   wish      // what was wanted until the last hold or pause ended
	held    *Override // the hold in force
	beneath wish      // what was wanted without it when it began
	putOff  *Edge     // the last edge inside it
	paused  *Override // the pause in force
	over    []Override
	follows map[uint64]bool // which of them take the place of the one before
}

type wish struct {
	power Power
	since time.Time
}

// event is an override's end, an edge, or an override's begin; at one instant
// in this order.
type event struct {
	at    time.Time
	order int
	over  int // index of the override
	edge  Edge
}

func (s *story) events(edges []Edge, until time.Time) []event {
	var all []event
	for i, o := range s.over {
		if o.Kind != Skip {
			all = append(all, event{at: o.Until, order: 0, over: i}, event{at: o.From, order: 2, over: i})
		}
	}
	for _, e := range edges {
		all = append(all, event{at: e.At, order: 1, edge: e})
	}
	all = slices.DeleteFunc(all, func(e event) bool { return e.at.After(until) })
	slices.SortFunc(all, func(a, b event) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
	return all
}

// tell plays all events up to an instant. It sets Before of the holds as they
// begin, as the one who gives them does.
func (s *story) tell(edges []Edge, until time.Time) {
	skipped := map[int]int{}
	for _, e := range s.events(edges, until) {
		switch e.order {
		case 0:
			s.end(&s.over[e.over])
		case 1:
			if !s.skip(e.edge, skipped) {
				s.pass(e.edge)
			}
		case 2:
			s.begin(&s.over[e.over])
		}
	}
}

func (s *story) begin(o *Override) {
	without := s.now
	if s.follows[o.ID] && (s.ended.power != o.Power || without.power != o.Power) {
		s.now = s.ended // but an edge for the same that was put off need wait no longer
	}
	if o.Kind == Pause {
		s.paused, s.now = o, wish{None, o.From}
		return
	}
	o.Before = s.now.power
	s.held, s.putOff, s.beneath = o, nil, without
	if o.Power != s.now.power {
		s.now = wish{o.Power, o.From}
	}
}

func (s *story) end(o *Override) {
	s.ended = s.now
	if o.Kind == Pause {
		s.paused = nil
		return
	}
	s.now = s.beneath
	switch {
	case s.putOff != nil:
		s.now = wish{s.putOff.Power, s.putOff.At}
	case s.beneath.power != o.Power:
		s.now.since = o.Until
	}
	s.held = nil
}

func (s *story) pass(e Edge) {
	switch {
	case s.paused != nil:
	case s.held != nil:
		s.putOff = &e
	default:
		s.now = wish{e.Power, e.At}
	}
}

func (s *story) skip(e Edge, seen map[int]int) bool {
	cancelled := false
	for i, o := range s.over {
		if o.Kind == Skip && o.Power == e.Power && e.At.After(o.From) {
			seen[i]++
			if seen[i] <= o.Count && e.At.Before(o.Until) {
				cancelled = true
			}
		}
	}
	return cancelled
}

// drawOverrides draws holds and pauses one after the other, some in the place of
// the one before, and skips anywhere.
func drawOverrides(t *rapid.T, from time.Time, edges []Edge) (over []Override, follows map[uint64]bool) {
	follows = map[uint64]bool{}
	at := from
	instant := func(least time.Duration) time.Time {
		if len(edges) > 0 && rapid.IntRange(0, 3).Draw(t, "at an edge") == 0 {
			if e := rapid.SampledFrom(edges).Draw(t, "edge"); !e.At.Before(at.Add(least)) {
				return e.At
			}
		}
		return at.Add(least + time.Duration(rapid.IntRange(0, 30*60).Draw(t, "minutes"))*time.Minute)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "holds and pauses") {
		o := Override{ID: uint64(i + 1), Kind: rapid.SampledFrom([]OverrideKind{Hold, Hold, Pause}).Draw(t, "kind")}
		if o.Kind == Hold {
			o.Power = rapid.SampledFrom([]Power{Running, Stopped}).Draw(t, "power")
		}
		o.From = at
		if rapid.Bool().Draw(t, "apart") {
			o.From = instant(0)
		}
		atEdge := slices.ContainsFunc(edges, func(e Edge) bool { return e.At.Equal(o.From) })
		follows[o.ID] = i > 0 && o.From.Equal(at) && !atEdge && rapid.Bool().Draw(t, "follows")
		at = o.From
		o.Until = instant(time.Minute)
		at = o.Until
		over = append(over, o)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "skips") {
		begin := from.Add(time.Duration(rapid.IntRange(0, 96).Draw(t, "hours")) * time.Hour)
		over = append(over, Override{
			ID: uint64(i + 100), Kind: Skip, Power: rapid.SampledFrom([]Power{Running, Stopped}).Draw(t, "skipped"), From: begin,
			Count: rapid.IntRange(1, 4).Draw(t, "count"), Until: begin.Add(time.Duration(rapid.IntRange(1, 96).Draw(t, "for")) * time.Hour),
		})
	}
	return over, follows
}

// TestDecideUnderAgainstStory compares the function with the book, at every
// instant at which something happens and between.
func TestDecideUnderAgainstStory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		j := drawJump(t)
		p := drawRule(t, civil(j.at.In(j.loc))).compile(t, j.zone)
		from, to := j.at.Add(-48*time.Hour), j.at.Add(6*24*time.Hour)
		first, ok := p.Prev(from)
		edges := countingEdges(p, from, to)
		if !ok || len(edges) > 400 {
			t.Skip("every minute")
		}
		over, follows := drawOverrides(t, from.Add(time.Minute), edges)
		begin := story{now: wish{first.Power, first.At}, over: over, follows: follows}
		whole := begin
		whole.tell(edges, to) // sets Before
		for _, at := range instantsToAsk(over, edges, from, to) {
			s := begin
			s.tell(edges, at)
			d := p.DecideUnder(over, at)
			if d.Want != s.now.power || !d.Since.Equal(s.now.since) {
				t.Fatalf("%s, at %v\n got %s since %v\nwant %s since %v\nedges\n%soverrides %+v", j, at.UTC(), d.Want, d.Since.UTC(), s.now.power, s.now.since.UTC(), tellAll(edges), over)
			}
			checkConstant(t, p, over, at, d)
		}
	})
}

func countingEdges(p *Policy, from, to time.Time) []Edge {
	var edges []Edge
	for e := range p.Edges(from.Add(1), to) {
		if e.Cancelled == "" {
			edges = append(edges, e)
		}
	}
	return edges
}

func instantsToAsk(over []Override, edges []Edge, from, to time.Time) []time.Time {
	var at []time.Time
	for _, o := range over {
		at = append(at, o.From, o.Until)
	}
	for _, e := range edges[:min(len(edges), 40)] {
		at = append(at, e.At)
	}
	for _, t := range slices.Clone(at) {
		at = append(at, t.Add(-1), t.Add(7*time.Minute))
	}
	return slices.DeleteFunc(at, func(t time.Time) bool { return t.Before(from) || !t.Before(to) })
}

// checkConstant holds a decision to its span: forwards the whole of it stays
// until Until, backwards what is wanted was so since Since, where no override
// began or ended between.
func checkConstant(t *rapid.T, p *Policy, over []Override, at time.Time, d Decision) {
	t.Helper()
	until := d.Until
	if until.IsZero() { // windows without a gap, behind the last day that ends them
		until = at.AddDate(1, 0, 0)
	}
	if !until.After(at) || d.Since.After(at) {
		t.Fatalf("at %v %+v is wanted: that is not its span", at.UTC(), d)
	}
	for _, later := range []time.Time{at.Add(until.Sub(at) / 2), until.Add(-1)} {
		if got := p.DecideUnder(over, later); got != d {
			t.Fatalf("at %v %+v\nat %v, inside its span, %+v\noverrides %+v", at.UTC(), d, later.UTC(), got, over)
		}
	}
	since := d.Since
	for _, o := range over {
		for _, edge := range []time.Time{o.From, o.Until} {
			if o.Kind != Skip && !edge.After(at) && edge.After(since) {
				since = edge
			}
		}
	}
	if got := p.DecideUnder(over, since); got.Want != d.Want {
		t.Fatalf("at %v %+v\nat %v, the begin of its span, %+v\noverrides %+v", at.UTC(), d, since.UTC(), got, over)
	}
}

package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	cmpdiff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The oracle for windows and days walks the minutes of some days one by one. It
// takes a rule apart from its text (see rule), so that it shares neither parser
// nor search nor zone arithmetic with the package.

// A rule is what a test draws: a policy in the words of the design, and its
// text.
type rule struct {
	start, stop []string // cron
	windows     []drawnWindow
	lead        time.Duration
	calendars   []drawnCalendar // in the order of the file
}

type drawnWindow struct {
	text   string
	week   [7]bool
	begin  time.Duration // after the midnight with which the date begins
	end    time.Duration
	closes bool // written 24:00
}

type drawnCalendar struct {
	name   string
	effect Effect
	dates  map[time.Time]string // local midnights, written in UTC; the days' names
}

func (r *rule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "start %q, stop %q, lead %s", r.start, r.stop, r.lead)
	for _, w := range r.windows {
		fmt.Fprintf(&b, ", %q", w.text)
	}
	for _, c := range r.calendars {
		fmt.Fprintf(&b, "\n  %s: %s", c.name, c.effect)
		for _, d := range slices.SortedFunc(maps.Keys(c.dates), time.Time.Compare) {
			fmt.Fprintf(&b, " %s %q", d.Format(time.DateOnly), c.dates[d])
		}
	}
	return b.String()
}

// spec writes a rule as a file would.
func (r *rule) spec(zone string) (Spec, Env) {
	s := Spec{Name: "p", Zone: zone, Options: Options{StartLead: r.lead}}
	env := zones(zone)
	env.Calendars = map[string]*Calendar{}
	for i, expr := range r.start {
		s.Start = append(s.Start, Cron{expr, Pos{Line: 1, Col: i + 1}})
	}
	for i, expr := range r.stop {
		s.Stop = append(s.Stop, Cron{expr, Pos{Line: 2, Col: i + 1}})
	}
	for i, w := range r.windows {
		s.Running = append(s.Running, Window{w.text, Pos{Line: 3, Col: i + 1}})
	}
	for i, c := range r.calendars {
		var days []Day
		for at, name := range c.dates {
			days = append(days, Day{Date{at.Year(), at.Month(), at.Day()}, name})
		}
		env.Calendars[c.name] = NewCalendar(c.name, days)
		s.Except = append(s.Except, Exception{c.name, c.effect, Pos{Line: 4, Col: i + 1}})
	}
	return s, env
}

// on returns the first calendar that has a date, nil where none does.
func (r *rule) on(date time.Time) *drawnCalendar {
	for i := range r.calendars {
		if _, ok := r.calendars[i].dates[date]; ok {
			return &r.calendars[i]
		}
	}
	return nil
}

func (r *rule) off(date time.Time) bool {
	c := r.on(date)
	return c != nil && c.effect == EffectOff
}

// whole returns the calendar that decides about the whole of a date, nil where
// none does.
func (r *rule) whole(date time.Time) *drawnCalendar {
	if c := r.on(date); c != nil && c.effect != EffectOff {
		return c
	}
	return nil
}

func (r *rule) because(c *drawnCalendar, date time.Time) Because {
	ref := c.name
	if name := c.dates[date]; name != "" {
		ref += " \"" + name + "\""
	}
	i := slices.IndexFunc(r.calendars, func(other drawnCalendar) bool { return other.name == c.name })
	return Because{KindCalendar, Pos{Line: 4, Col: i + 1}, ref}
}

func midnight(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }

const oneDay = 24 * time.Hour

// base is an edge of a rule's own times.
type base struct {
	Edge
	date     time.Time // whose effect decides
	original time.Time // of one that was put off
}

// A book is what the oracle finds out.
type book struct {
	*rule
	tape
	edges []base // of the rule's own times that are neither superseded nor off
	out   []Edge
	held  []bool // by the stays of windows: a truth for each reading
}

// read makes the oracle's answer: all edges, in order.
func (r *rule) read(tp tape) *book {
	b := &book{rule: r, tape: tp}
	if len(r.windows) > 0 {
		b.readWindows()
	} else {
		b.readCron()
	}
	b.walk()
	order := map[Cancellation]int{CancelledSuperseded: 0, CancelledUntouched: 1, CancelledDay: 1, CancelledOff: 2, NotCancelled: 3}
	slices.SortStableFunc(b.out, func(x, y Edge) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(order[x.Cancellation], order[y.Cancellation]))
	})
	return b
}

// nextOn returns the first date after one that is not off.
func (r *rule) nextOn(date time.Time) time.Time {
	for date = date.Add(oneDay); r.off(date); {
		date = date.Add(oneDay)
	}
	return date
}

// named is a time that an expression names, with its instant.
type named struct{ nominal, at time.Time }

// named lists what expressions name: fixed times once, real ones as shown.
func (tp tape) named(exprs []string) []named {
	var out []named
	for _, expr := range exprs {
		o := readOracle(expr)
		if f := strings.Fields(expr); strings.ContainsAny(f[0][:1]+f[1][:1], "*?") {
			for _, r := range tp.readings {
				if o.match(r.shown) {
					out = append(out, named{r.shown, r.at})
				}
			}
			continue
		}
		for shown, at := range tp.first {
			if o.match(shown) {
				out = append(out, named{shown, at})
			}
		}
	}
	return out
}

// readCron makes the edges of start and stop.
func (b *book) readCron() {
	stops := map[time.Time]base{}
	for _, n := range b.named(b.stop) {
		if known, ok := stops[n.at]; !ok || known.date.Before(n.nominal) {
			stops[n.at] = base{Edge: Edge{At: n.at, NominalAt: n.at, Nominal: civilOf(n.nominal), Power: Stopped}, date: n.nominal}
		}
	}
	running, absent := b.readStarts(slices.SortedFunc(maps.Keys(stops), time.Time.Compare))
	for at, start := range running {
		stop, tied := stops[at]
		if !tied {
			continue
		}
		loser, of := start, running
		if start.date.After(stop.date) {
			loser, of = stop, stops
		}
		delete(of, at)
		loser.Cancelled, loser.Cancellation = Superseded, CancelledSuperseded
		b.out = append(b.out, loser.Edge)
	}
	for _, stop := range stops {
		b.edges = append(b.edges, stop)
	}
	b.lead(running, slices.SortedFunc(maps.Keys(stops), time.Time.Compare))
	n := len(b.edges)
	b.lead(absent, slices.SortedFunc(maps.Keys(stops), time.Time.Compare))
	for _, e := range b.edges[n:] {
		b.cancel(e.Edge, CancelledOff, midnight(e.date))
	}
	b.edges = b.edges[:n]
}

// readStarts returns the starts with those that are put off, and those that are
// missing, by instant.
func (b *book) readStarts(stops []time.Time) (running, absent map[time.Time]base) {
	running, absent = map[time.Time]base{}, map[time.Time]base{}
	var moved []base
	for _, n := range b.named(b.start) {
		e := base{Edge: Edge{At: n.at, NominalAt: n.at, Nominal: civilOf(n.nominal), Power: Running}, date: n.nominal}
		if !b.off(midnight(n.nominal)) {
			enter(running, e)
			continue
		}
		enter(absent, e)
		e.PutOff, e.original = e.Nominal, n.nominal
		e.date = b.nextOn(midnight(n.nominal)).Add(n.nominal.Sub(midnight(n.nominal)))
		e.Nominal, e.At = civilOf(e.date), b.first[e.date]
		e.NominalAt = e.At
		if i, _ := slices.BinarySearchFunc(stops, n.at.Add(1), time.Time.Compare); e.At.IsZero() || i < len(stops) && !stops[i].After(e.At) {
			continue
		}
		moved = append(moved, e)
	}
	deferred := map[time.Time]base{}
	for _, e := range moved {
		if _, ok := running[e.At]; !ok {
			enter(deferred, e)
		}
	}
	maps.Copy(running, deferred)
	return running, absent
}

// enter keeps, of several edges at one instant, the one with the latest local
// time, then the one with the latest original.
func enter(of map[time.Time]base, e base) {
	if known, ok := of[e.At]; !ok || cmp.Or(e.date.Compare(known.date), e.original.Compare(known.original)) > 0 {
		of[e.At] = e
	}
}

// lead makes starts earlier; those that a stop holds back at one instant count
// once, as the last.
func (b *book) lead(starts map[time.Time]base, stops []time.Time) {
	led := map[time.Time]base{}
	for at, e := range starts {
		e.At = at.Add(-b.rule.lead)
		if i, _ := slices.BinarySearchFunc(stops, at, time.Time.Compare); i > 0 {
			if after := stops[i-1].Add(time.Minute); e.At.Before(after) {
				e.At = after
			}
		}
		if e.At.After(at) {
			e.At = at
		}
		if known, ok := led[e.At]; !ok || known.NominalAt.Before(at) {
			led[e.At] = e
		}
	}
	for _, e := range led {
		b.edges = append(b.edges, e)
	}
}

// drawnStay is one run of a window.
type drawnStay struct {
	of            int
	begin, end    time.Time // instants, without the lead
	opens, shuts  time.Time // local times
	originalBegin time.Time
	original      time.Time
}

// readWindows makes the edges of windows.
func (b *book) readWindows() {
	var all, kept []drawnStay
	for i, w := range b.windows {
		for date := midnight(b.readings[0].shown).Add(2 * oneDay); date.Before(b.readings[len(b.readings)-1].shown.Add(-9 * oneDay)); date = date.Add(oneDay) {
			s := drawnStay{of: i, opens: date.Add(w.begin), shuts: date.Add(w.end)}
			s.begin, s.end, s.original = b.first[s.opens], b.first[s.shuts], s.opens
			s.originalBegin = s.begin
			if !w.week[date.Weekday()] || !s.begin.Before(s.end) {
				continue
			}
			if b.off(date) {
				s.opens = b.nextOn(date).Add(w.begin)
				s.begin = b.first[s.opens]
			}
			all = append(all, s)
			if !s.begin.IsZero() && s.begin.Before(s.end) {
				kept = append(kept, s)
			}
		}
	}
	b.held = make([]bool, len(b.readings))
	for _, s := range kept {
		for i := b.index(s.begin.Add(-b.rule.lead)); i < b.index(s.end); i++ {
			b.held[i] = true
		}
	}
	b.openAndShut(all, kept)
	b.missing(all)
}

// index returns which of the readings an instant is.
func (b *book) index(at time.Time) int { return int(at.Sub(b.readings[0].at) / time.Minute) }

func (b *book) openAndShut(all, kept []drawnStay) {
	ends, begins := map[time.Time]drawnStay{}, map[time.Time]drawnStay{}
	for _, s := range all {
		known, ok := ends[s.end]
		if !ok || s.shuts.After(known.shuts) || s.shuts.Equal(known.shuts) && b.windows[s.of].closes && !b.windows[known.of].closes {
			ends[s.end] = s
		}
	}
	for _, s := range kept {
		led := s.begin.Add(-b.rule.lead)
		known, ok := begins[led]
		if s.rank(known) > 0 || !ok {
			begins[led] = s
		}
	}
	for at, s := range ends {
		if !b.held[b.index(at)] {
			b.edges = append(b.edges, b.shut(s))
		}
	}
	for at, s := range begins {
		if !b.held[b.index(at)-1] {
			b.edges = append(b.edges, b.open(s))
		}
	}
}

// rank compares two stays that begin at one instant: on time before put off,
// then by local time, then by place in the file.
func (s drawnStay) rank(t drawnStay) int {
	onTime := func(s drawnStay) int {
		if s.original.Equal(s.opens) {
			return 1
		}
		return 0
	}
	return cmp.Or(onTime(s)-onTime(t), s.opens.Compare(t.opens), cmp.Compare(t.of, s.of))
}

func (b *book) open(s drawnStay) base {
	e := base{Edge: Edge{At: s.begin.Add(-b.rule.lead), Nominal: civilOf(s.opens), NominalAt: s.begin, Power: Running}, date: s.opens}
	if !s.original.Equal(s.opens) {
		e.PutOff = civilOf(s.original)
	}
	return e
}

func (b *book) shut(s drawnStay) base {
	e := base{Edge: Edge{At: s.end, Nominal: civilOf(s.shuts), NominalAt: s.end, Power: Stopped}, date: s.shuts}
	if b.windows[s.of].closes {
		e.date = s.shuts.Add(-time.Minute)
		e.Nominal = civilOf(e.date)
		e.Nominal.Hour, e.Nominal.Minute = 24, 0
	}
	return e
}

// missing lists begins that are off, where nothing else runs and no other of
// them reaches to it.
func (b *book) missing(all []drawnStay) {
	at := map[time.Time]drawnStay{}
	for _, s := range all {
		if !b.off(midnight(s.original)) || b.held[b.index(s.originalBegin)] || slices.ContainsFunc(all, func(t drawnStay) bool {
			return b.off(midnight(t.original)) && t.originalBegin.Before(s.originalBegin) && !t.end.Before(s.originalBegin)
		}) {
			continue
		}
		s.begin, s.opens = s.originalBegin, s.original
		if known, ok := at[s.begin]; !ok || s.rank(known) > 0 {
			at[s.begin] = s
		}
	}
	for _, s := range at {
		e := b.open(s)
		b.cancel(e.Edge, CancelledOff, midnight(e.date))
	}
}

// cancel lists an edge that the calendar of a date keeps from counting.
func (b *book) cancel(e Edge, why Cancellation, date time.Time) {
	c := b.on(date)
	e.Cancellation, e.CancelledBy = why, b.because(c, date)
	e.Cancelled = e.CancelledBy.Ref
	if why != CancelledOff {
		e.Cancelled += ": " + c.effect.String()
	}
	b.out = append(b.out, e)
}

// A dateSpan is the first and the last date of a stretch of whole days; zero
// where there is none.
type dateSpan struct{ first, last time.Time }

// spans tells for each reading in which stretch it is.
func (b *book) spans() []dateSpan {
	in := make([]dateSpan, len(b.readings))
	last := b.readings[len(b.readings)-1].shown.Add(-oneDay)
	for date := midnight(b.readings[0].shown).Add(oneDay); date.Before(last); date = date.Add(oneDay) {
		c := b.whole(date)
		if c == nil {
			continue
		}
		s := dateSpan{date, date}
		same := func(d time.Time) bool { o := b.whole(d); return o != nil && o.effect == c.effect }
		for same(s.first.Add(-oneDay)) {
			s.first = s.first.Add(-oneDay)
		}
		for same(s.last.Add(oneDay)) {
			s.last = s.last.Add(oneDay)
		}
		for i := b.index(b.first[date]); i < b.index(b.first[date.Add(oneDay)]); i++ {
			in[i] = s
		}
	}
	return in
}

func (c *drawnCalendar) power() Power {
	return map[Effect]Power{EffectRunning: Running, EffectStopped: Stopped}[c.effect]
}

// walk goes through the minutes, with days laid over the edges.
func (b *book) walk() {
	at := make([]*base, len(b.readings))
	for i := range b.edges {
		if k := b.index(b.edges[i].At); k >= 0 { // a lead may reach out of the tape
			at[k] = &b.edges[i]
		}
	}
	spans := b.spans()
	var now, own Power // wanted, and by the rule's own times
	later := 0         // the reading at which nothing is wanted, a minute late
	for i := 1; i < len(b.readings); i++ {
		was, span := spans[i-1], spans[i]
		begins := span != was && span != dateSpan{}
		if at[i] != nil {
			own = at[i].Power
			if b.counts(at[i], span, begins) {
				b.out = append(b.out, at[i].Edge)
				now = own
				if begins && !at[i].date.After(span.first) && b.whole(span.first).effect == EffectUntouched {
					later = i + 1
				}
				continue
			}
		}
		skipped := b.skippedDay(i)
		switch {
		case begins || i == later:
			now = b.day(i, now, b.whole(span.first).power(), span.first, span.first)
		case !skipped.IsZero():
			now = b.day(i, now, own, skipped, skipped.Add(oneDay))
		case span != was:
			now = b.day(i, now, own, was.last, was.last.Add(oneDay))
		}
	}
}

// skippedDay returns the last date that the clock skipped at a reading and that
// is the last of a stretch of whole days; zero where there is none.
func (b *book) skippedDay(i int) time.Time {
	var last time.Time
	if b.readings[i].shown.Sub(b.readings[i-1].shown) < oneDay {
		return last
	}
	from, to := midnight(b.readings[i-1].shown).Add(oneDay), midnight(b.readings[i].shown)
	for date := from; date.Before(to); date = date.Add(oneDay) {
		c, next := b.whole(date), b.whole(date.Add(oneDay))
		if c != nil && b.first[date].Equal(b.readings[i].at) && (next == nil || next.effect != c.effect) {
			last = date
		}
	}
	return last
}

// day lists the edge of a stretch where what is wanted differs.
func (b *book) day(i int, now, then Power, date, nominal time.Time) Power {
	if t := b.readings[i].at; now != then {
		b.out = append(b.out, Edge{At: t, NominalAt: t, Nominal: civilOf(nominal), Power: then, Because: b.because(b.whole(date), date)})
	}
	return then
}

// counts reports whether days leave e, and lists it where they do not.
func (b *book) counts(e *base, span dateSpan, begins bool) bool {
	date := midnight(e.date)
	c := b.whole(date)
	if c == nil && begins && !e.date.After(span.first) {
		if by := b.whole(span.first); by.power() == e.Power.Other() {
			c, date = by, span.first
		}
	}
	if c == nil {
		return true
	}
	why := CancelledDay
	if c.effect == EffectUntouched {
		why = CancelledUntouched
	}
	b.cancel(e.Edge, why, date)
	return false
}

// drawWindow draws a window that is likely to begin or end in a night of a
// change, or at midnight.
func drawWindow(t *rapid.T) drawnWindow {
	minute := rapid.SampledFrom([]int{0, 0, 15, 30, 59, 60, 90, 120, 135, 150, 165, 180, 210, 480, 720, 1200, 1320, 1410, 1439})
	begin := minute.Draw(t, "begin")
	end := rapid.SampledFrom([]int{0, 1, 30, 60, 105, 120, 150, 165, 180, 240, 720, 1080, 1200, 1440, 1440}).Draw(t, "end")
	if begin == end {
		end = begin + 1
	}
	names := strings.Fields("Sun Mon Tue Wed Thu Fri Sat")
	clock := func(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
	w := drawnWindow{begin: time.Duration(begin) * time.Minute, closes: end == 1440}
	first := rapid.IntRange(0, 6).Draw(t, "first")
	last := rapid.IntRange(0, 6).Draw(t, "last")
	apart := 0
	switch rapid.SampledFrom([]string{"daily", "daily", "days", "days", "list", "span", "span"}).Draw(t, "form") {
	case "daily":
		w.week = [7]bool{true, true, true, true, true, true, true}
		w.text = clock(begin) + "-" + clock(end)
	case "days":
		for day := first; ; day = (day + 1) % 7 {
			w.week[day] = true
			if day == last {
				break
			}
		}
		w.text = fmt.Sprintf("%s-%s %s-%s", names[first], names[last], clock(begin), clock(end))
	case "list":
		w.week[first], w.week[last] = true, true
		w.text = fmt.Sprintf("%s, %s %s-%s", names[first], names[last], clock(begin), clock(end))
	case "span":
		w.week[first] = true
		w.text = fmt.Sprintf("%s %s-%s %s", names[first], clock(begin), names[last], clock(end))
		apart = (last - first + 7) % 7
		if apart == 0 && end < begin {
			apart = 7
		}
		w.end = time.Duration(apart*1440+end) * time.Minute
		return w
	}
	if end < begin {
		apart = 1
	}
	w.end = time.Duration(apart*1440+end) * time.Minute
	return w
}

// drawRule draws a rule with calendars whose dates lie around mid.
func drawRule(t *rapid.T, mid time.Time) *rule {
	r := &rule{lead: rapid.SampledFrom([]time.Duration{0, 0, time.Minute, 10 * time.Minute, time.Hour, 3 * time.Hour, 24 * time.Hour}).Draw(t, "lead")}
	if rapid.Bool().Draw(t, "windows") {
		for range rapid.IntRange(1, 3).Draw(t, "number of windows") {
			r.windows = append(r.windows, drawWindow(t))
		}
	} else {
		_, r.start, r.stop = drawCrons(t)
	}
	effects := rapid.SampledFrom([]Effect{EffectOff, EffectOff, EffectOff, EffectStopped, EffectRunning, EffectUntouched, EffectUntouched})
	for i := range rapid.IntRange(0, 3).Draw(t, "calendars") {
		c := drawnCalendar{name: []string{"holidays", "freeze", "summer"}[i], effect: effects.Draw(t, "effect"), dates: map[time.Time]string{}}
		for range rapid.IntRange(0, 4).Draw(t, "ranges") {
			first := midnight(mid).Add(time.Duration(rapid.IntRange(-6, 4).Draw(t, "date")) * oneDay)
			for n := range rapid.SampledFrom([]int{1, 1, 1, 2, 3, 5}).Draw(t, "days") {
				c.dates[first.Add(time.Duration(n)*oneDay)] = rapid.SampledFrom([]string{"", "Karfreitag", "1. Mai"}).Draw(t, "name")
			}
		}
		r.calendars = append(r.calendars, c)
	}
	return r
}

// drawCrons draws starts on even minutes and stops on odd ones, so that no time
// is both.
func drawCrons(t *rapid.T) (lead time.Duration, start, stop []string) {
	starts := rapid.SampledFrom(strings.Fields("0 0 2 30 58 0,30 */2 */20 2-58/2 ?/30"))
	stops := rapid.SampledFrom(strings.Fields("1 1 15 31 59 15,45 1-59/2 45 5/10"))
	for range rapid.IntRange(0, 3).Draw(t, "starts") {
		start = append(start, drawWith(t, starts))
	}
	for range rapid.IntRange(0, 3).Draw(t, "stops") {
		stop = append(stop, drawWith(t, stops))
	}
	if len(start)+len(stop) == 0 {
		stop = []string{"1 2 * * *"}
	}
	lead = rapid.SampledFrom([]time.Duration{0, 0, time.Second, time.Minute, 10 * time.Minute, 90 * time.Second, time.Hour, 3 * time.Hour, 24 * time.Hour}).Draw(t, "lead")
	return lead, start, stop
}

// compile makes a policy of a rule, and gives up where it is one that is rightly refused.
func (r *rule) compile(t *rapid.T, zone string) *Policy {
	s, env := r.spec(zone)
	set, problems := Compile([]Spec{s}, env)
	if set != nil {
		return set.Policies[0]
	}
	for _, p := range problems {
		if !p.Warning && !strings.Contains(p.Text, "never") && !strings.Contains(p.Text, "leaves no gap") {
			t.Fatalf("%s: %v", r, p)
		}
	}
	t.Skip("refused")
	return nil
}

// TestDaysAgainstEveryMinute compares all edges around a jump with the oracle,
// and every other way of asking with the edges.
func TestDaysAgainstEveryMinute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		j := drawJump(t)
		r := drawRule(t, civil(j.at.In(j.loc)))
		p := r.compile(t, j.zone)
		from, to := j.at.Add(-2*oneDay), j.at.Add(4*oneDay)
		b := r.read(clockTape(j.loc, j.at, 15*oneDay))
		all := b.out
		known := slices.IndexFunc(all, func(e Edge) bool { return e.Cancelled == "" && e.Power != None && e.Because.Kind != KindCalendar })
		if known < 0 || !all[known].At.Before(from) {
			t.Skip("nothing is known of the time before")
		}
		want := slices.DeleteFunc(all, func(e Edge) bool { return e.At.Before(from) || !e.At.Before(to) })
		got := slices.Collect(p.Edges(from, to))
		if diff := cmpdiff.Diff(tellWhole(want), tellWhole(got)); diff != "" {
			t.Fatalf("%s: %s\nedges (-want +got):\n%s", j, r, diff)
		}
		checkAsking(t, p, from, to, slices.DeleteFunc(got, func(e Edge) bool { return e.Cancelled != "" }))
		if len(r.windows) > 0 && len(p.whole) == 0 {
			b.checkHeld(t, p, from, to)
		}
	})
}

// checkHeld asks at any instant whether windows are a set of times: running is
// wanted where there is a stay, and nowhere else.
func (b *book) checkHeld(t *rapid.T, p *Policy, from, to time.Time) {
	t.Helper()
	for range 20 {
		at := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from))-1).Draw(t, "at")))
		if got, want := p.Decide(at).Want == Running, b.held[b.index(at)]; got != want {
			t.Fatalf("%s: at %v running is wanted: %t, want %t", b.rule, at.UTC(), got, want)
		}
	}
}

// TestDaysAgree asks policies with calendars at any instant of two centuries:
// what is next and what was last lead to each other, and a decision holds
// between them.
func TestDaysAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(jumpZones()).Draw(t, "zone")
		at := time.Unix(rapid.Int64Range(-1<<31, 1<<32).Draw(t, "at"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns"))
		r := drawRule(t, civil(at.In(must(time.LoadLocation(zone)))))
		p := r.compile(t, zone)
		at = at.Add(time.Duration(rapid.Int64Range(-int64(20*oneDay), int64(20*oneDay)).Draw(t, "later")))
		next, ok := p.Next(at)
		prev, found := p.Prev(at)
		if !ok || !found {
			if !p.gapless {
				t.Fatalf("%s\nat %v there is a next edge: %t, a last: %t", r, at.UTC(), ok, found)
			}
			t.Skip("windows without a gap")
		}
		for what, got := range map[string]Edge{"Prev(next)": edgeOnly(p.Prev(next.At)), "Next before it": edgeOnly(p.Next(next.At.Add(-1))), "Next(prev)": edgeOnly(p.Next(prev.At)), "the earliest NextOf": earliest(p, at)} {
			if got != next {
				t.Fatalf("%s\nat %v %s is %s %v, want %s %v", r, at.UTC(), what, got.Power, got.At.UTC(), next.Power, next.At.UTC())
			}
		}
		for what, got := range map[string]Edge{"Prev before the next": edgeOnly(p.Prev(next.At.Add(-1))), "Prev(prev)": edgeOnly(p.Prev(prev.At)), "Next before it": edgeOnly(p.Next(prev.At.Add(-1)))} {
			if got != prev {
				t.Fatalf("%s\nat %v %s is %s %v, want %s %v", r, at.UTC(), what, got.Power, got.At.UTC(), prev.Power, prev.At.UTC())
			}
		}
		if d, want := p.Decide(at), (Decision{prev.Power, prev.At, next.At, prev.Because}); d != want {
			t.Fatalf("%s\nat %v %+v is wanted, want %+v", r, at.UTC(), d, want)
		}
	})
}

// edgeOnly drops the word of whether there is an edge: the zero one is none.
func edgeOnly(e Edge, _ bool) Edge { return e }

// earliest returns the first of the next edges of each power.
func earliest(p *Policy, at time.Time) Edge {
	var first Edge
	for _, power := range []Power{None, Running, Stopped} {
		if e, ok := p.NextOf(power, at); ok && (first.At.IsZero() || e.At.Before(first.At)) {
			first = e
		}
	}
	return first
}

// tellWhole is tellAll with what days add.
func tellWhole(edges []Edge) []string {
	var lines []string
	for _, e := range edges {
		line := strings.TrimSuffix(tellAll([]Edge{e}), "\n")
		if e.PutOff != (Civil{}) {
			line += " put off from " + e.PutOff.String()
		}
		if e.Because.Kind == KindCalendar {
			line += fmt.Sprintf(" by %s %s", e.Because.Pos, e.Because.Ref)
		}
		if e.Cancellation != NotCancelled {
			line += fmt.Sprintf(" (%s: %s %s)", e.Cancellation, e.CancelledBy.Pos, e.CancelledBy.Ref)
		}
		lines = append(lines, line)
	}
	return lines
}

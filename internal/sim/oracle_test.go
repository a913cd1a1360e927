package sim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"curfew/policy"
)

// The oracle knows when a file says start or stop. It shares nothing with
// package policy: it reads the local clock minute by minute, as a person would,
// asks each line whether this is its time, and lays the days of the calendars
// over what it found.

// A due is an edge as the oracle has it. One without a power is the begin of days
// on which nothing is wanted. One that such days keep from counting is untouched:
// it is no edge, but it has an outcome.
type due struct {
	at        time.Time
	nominal   time.Time // at, without the lead
	power     policy.Power
	untouched bool
}

// A reader works one policy out on a tape.
type reader struct {
	*tape
	lead  int
	days  map[int64]policy.Effect // the effect of each date that a calendar has
	own   []base                  // by the policy's own times
	edges []due
}

// A base is an edge of a policy's own times.
type base struct {
	i, nominal int // minutes; nominal without the lead
	local      int64
	original   int64 // the local time from which it was put off; local where it was not
	power      policy.Power
	closes     bool
}

// edgesOf returns what a policy asks for on [from, to), oldest first.
func edgesOf(s policy.Spec, calendars map[string]*policy.Calendar, t *tape, from, to time.Time) []due {
	r := &reader{tape: t, lead: int(s.Options.StartLead / time.Minute), days: effects(s.Except, calendars)}
	if len(s.Running) > 0 {
		r.readWindows(s.Running)
	} else {
		r.readCron(s)
	}
	slices.SortFunc(r.own, func(a, b base) int { return cmp.Compare(a.i, b.i) })
	r.layDays()
	return slices.DeleteFunc(r.edges, func(d due) bool { return d.at.Before(from) || !d.at.Before(to) })
}

// effects tells what the dates of calendars do: of those that have a date, the
// first decides.
func effects(except []policy.Exception, calendars map[string]*policy.Calendar) map[int64]policy.Effect {
	days := map[int64]policy.Effect{}
	for _, e := range except {
		for day := range calendars[e.Calendar].Days() {
			date := time.Date(day.Date.Year, day.Date.Month, day.Date.Day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 3600)
			if _, decided := days[date]; !decided {
				days[date] = e.Effect
			}
		}
	}
	return days
}

func (r *reader) off(date int64) bool {
	e, ok := r.days[date]
	return ok && e == policy.EffectOff
}

// nextOn is the first date after one that is not off.
func (r *reader) nextOn(date int64) int64 {
	for date++; r.off(date); date++ {
	}
	return date
}

// whole is the effect that a date has from its begin to its end, if any.
func (r *reader) whole(date int64) (policy.Effect, bool) {
	e, ok := r.days[date]
	return e, ok && e != policy.EffectOff
}

// readCron works out lines of cron. Where a gap of the local clock moves a start
// and a stop to one instant, the later local time wins.
func (r *reader) readCron(s policy.Spec) {
	stops := map[int]base{}
	for _, c := range s.Stop {
		for _, n := range readLine(c.Expr).times(r.tape) {
			keep(stops, base{i: n.i, nominal: n.i, local: n.local, original: n.local, power: policy.Stopped})
		}
	}
	starts := r.starts(s.Start, slices.Sorted(maps.Keys(stops)))
	for i, start := range starts {
		if stop, tied := stops[i]; tied && start.local > stop.local {
			delete(stops, i)
		} else if tied {
			delete(starts, i)
		}
	}
	r.leadIn(starts, slices.Sorted(maps.Keys(stops)))
	r.own = slices.AppendSeq(r.own, maps.Values(stops))
}

// keep keeps, of the edges of one minute, the one with the latest local time.
func keep(of map[int]base, b base) {
	if known, ok := of[b.i]; !ok || b.local > known.local || b.local == known.local && b.original > known.original {
		of[b.i] = b
	}
}

// starts returns the starts, those of dates that are off put off to the first
// later date, unless a stop ends their run before that.
func (r *reader) starts(crons []policy.Cron, stops []int) map[int]base {
	onTime, putOff := map[int]base{}, map[int]base{}
	for _, c := range crons {
		for _, n := range readLine(c.Expr).times(r.tape) {
			b := base{i: n.i, nominal: n.i, local: n.local, original: n.local, power: policy.Running}
			if !r.off(dateOf(n.local)) {
				keep(onTime, b)
				continue
			}
			b.local = r.nextOn(dateOf(n.local))*dayMinutes + floorMod(n.local, dayMinutes)
			i, ok := r.first(b.local)
			if after, _ := slices.BinarySearch(stops, n.i+1); !ok || after < len(stops) && stops[after] <= i {
				continue
			}
			b.i, b.nominal = i, i
			keep(putOff, b)
		}
	}
	maps.Copy(putOff, onTime)
	return putOff
}

// leadIn makes starts earlier, but no earlier than a minute after a stop.
func (r *reader) leadIn(starts map[int]base, stops []int) {
	led := map[int]base{}
	for _, b := range starts {
		before, _ := slices.BinarySearch(stops, b.nominal)
		b.i = b.nominal - r.lead
		if before > 0 {
			b.i = min(b.nominal, max(b.i, stops[before-1]+1))
		}
		if known, ok := led[b.i]; !ok || known.nominal < b.nominal {
			led[b.i] = b
		}
	}
	r.own = slices.AppendSeq(r.own, maps.Values(led))
}

// A visit is one run of a window.
type visit struct {
	begin, end base
	dropped    bool // its begin was put off until it was over
}

// readWindows works windows out: a set of times, of which the edges are those of
// the union.
func (r *reader) readWindows(windows []policy.Window) {
	var visits []visit
	for _, w := range windows {
		visits = append(visits, r.visits(readWindow(w.Expr))...)
	}
	held := make([]bool, len(r.shows)+1)
	for _, v := range visits {
		for i := max(0, v.begin.i); i < v.end.i && !v.dropped; i++ {
			held[i] = true
		}
	}
	begins, ends := map[int]base{}, map[int]base{}
	for _, v := range visits {
		if known, ok := ends[v.end.i]; !held[v.end.i] && (!ok || v.end.local > known.local || v.end.local == known.local && v.end.closes) {
			ends[v.end.i] = v.end
		}
		if i := v.begin.i; !v.dropped && i > 0 && !held[i-1] {
			if known, ok := begins[i]; !ok || v.begin.leads(&known) {
				begins[i] = v.begin
			}
		}
	}
	r.own = slices.AppendSeq(slices.AppendSeq(r.own, maps.Values(begins)), maps.Values(ends))
}

// leads reports whether of two begins at one minute b is the one that counts:
// one on its own date, then the later local time.
func (b *base) leads(o *base) bool {
	if mine, its := b.local == b.original, o.local == o.original; mine != its {
		return mine
	}
	return b.local > o.local
}

// visits are the runs of one window on the tape; one that a gap swallows is none.
func (r *reader) visits(w windowLine) []visit {
	var out []visit
	for date := dateOf(r.base) + 1; ; date++ {
		opens, shuts := date*dayMinutes+w.begin, date*dayMinutes+w.end
		begin, ok := r.first(opens)
		end, reached := r.first(shuts)
		if !reached {
			return out
		}
		if !ok || !w.week[weekdayOf(date)] || begin >= end {
			continue
		}
		v := visit{
			begin: base{nominal: begin, local: opens, original: opens, power: policy.Running},
			end:   base{i: end, nominal: end, local: shuts, original: shuts, power: policy.Stopped, closes: w.closes},
		}
		if r.off(date) {
			v.begin.local = r.nextOn(date)*dayMinutes + w.begin
			v.begin.nominal, ok = r.first(v.begin.local)
			v.dropped = !ok || v.begin.nominal >= end
		}
		v.begin.i = v.begin.nominal - r.lead
		out = append(out, v)
	}
}

// date is the date whose calendars decide about an edge; an end that is written
// 24:00 belongs to the date that it closes.
func (b *base) date() int64 {
	if b.closes {
		return dateOf(b.local - 1)
	}
	return dateOf(b.local)
}

// A stretch is a longest row of dates with one effect, each the whole day.
type stretch struct {
	first, last int64
	effect      policy.Effect
	begin, end  int // minutes
}

// stretches lists those that the tape has the begin and the end of.
func (r *reader) stretches() []stretch {
	var out []stretch
	for _, date := range slices.Sorted(maps.Keys(r.days)) {
		effect, ok := r.whole(date)
		if !ok {
			continue
		}
		begin, began := r.first(date * dayMinutes)
		end, ended := r.first((date + 1) * dayMinutes)
		if !began || !ended {
			continue
		}
		if n := len(out) - 1; n >= 0 && out[n].last == date-1 && out[n].effect == effect {
			out[n].last, out[n].end = date, end
			continue
		}
		out = append(out, stretch{date, date, effect, begin, end})
	}
	return out
}

func (s *stretch) power() policy.Power {
	switch s.effect {
	case policy.EffectRunning:
		return policy.Running
	case policy.EffectStopped:
		return policy.Stopped
	}
	return policy.None
}

// layDays goes through the edges and the begins and ends of whole days in order.
func (r *reader) layDays() {
	days := r.stretches()
	turns := map[int]bool{}
	for _, s := range days {
		turns[s.begin], turns[s.end] = true, true
	}
	own := map[int]*base{}
	for k := range r.own {
		own[r.own[k].i] = &r.own[k]
		turns[r.own[k].i] = true
	}
	var wanted, plain policy.Power // and by the policy's own times
	late := -1                     // the minute at which days begin to be felt, one late
	for minutes := slices.Sorted(maps.Keys(turns)); len(minutes) > 0; {
		i := minutes[0]
		if minutes = minutes[1:]; late >= 0 && late <= i {
			if late < i {
				minutes = slices.Insert(minutes, 0, i)
			}
			i = late
		}
		wanted, plain, late = r.turn(i, days, own[i], wanted, plain, late)
	}
}

// turn is one minute at which something may change.
func (r *reader) turn(i int, days []stretch, b *base, wanted, plain policy.Power, late int) (policy.Power, policy.Power, int) {
	in, over := stretchAt(days, i)
	begins := in != nil && in.begin == i
	if b != nil {
		plain = b.power
		if r.counts(b, in, begins) {
			r.edges = append(r.edges, due{r.at(b.i), r.at(b.nominal), b.power, false})
			if begins && b.local <= in.first*dayMinutes && in.effect == policy.EffectUntouched {
				return b.power, plain, i + 1
			}
			return b.power, plain, -1
		}
	}
	then := wanted
	switch {
	case begins, i == late:
		then = in.power()
	case over != nil && over.end == i && in == nil:
		then = plain
	}
	if then != wanted {
		r.edges = append(r.edges, due{r.at(i), r.at(i), then, false})
	}
	return then, plain, -1
}

// stretchAt is the stretch that a minute lies in, and the one that ends there.
func stretchAt(days []stretch, i int) (in, over *stretch) {
	for k := range days {
		if days[k].begin <= i && i < days[k].end {
			in = &days[k]
		}
		if days[k].end == i {
			over = &days[k]
		}
	}
	return in, over
}

// counts reports whether whole days leave an edge. Those that begin at its
// minute, the later local time, take one of the other power out.
func (r *reader) counts(b *base, in *stretch, begins bool) bool {
	effect, on := r.whole(b.date())
	if !on && begins && b.local <= in.first*dayMinutes && in.power() == b.power.Other() {
		return false
	}
	if on && effect == policy.EffectUntouched {
		r.edges = append(r.edges, due{r.at(b.i), r.at(b.nominal), b.power, true})
	}
	return !on
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// A night is a question to the oracle whose answer was worked out by hand, from
// the words of the design.
type night struct {
	name, zone, start, stop, running, lead, except, day, want string
}

func nightsByHand() []night {
	const berlin = "Europe/Berlin"
	return []night{
		{"a plain day", berlin, "0 8 * * *", "0 20 * * *", "", "0s", "", "2026-06-10", "06:00 running, 18:00 stopped"},
		{"the skipped hour comes after the gap", berlin, "30 2 * * *", "", "", "0s", "", "2026-03-29", "01:00 running"},
		{"two in a gap: the later local time wins", berlin, "10 2 * * *", "40 2 * * *", "", "0s", "", "2026-03-29", "01:00 stopped"},
		{"the repeated hour counts once", berlin, "30 2 * * *", "", "", "0s", "", "2026-10-25", "00:30 running"},
		{"a star goes on in real time", berlin, "*/30 2 * * *", "", "", "0s", "", "2026-10-25", "00:00 running, 00:30 running, 01:00 running, 01:30 running"},
		{"days of the week", berlin, "0 8 * * 1-5", "0 20 * * 0,6", "", "0s", "", "2026-06-13", "18:00 stopped"},
		{"a lead", berlin, "0 8 * * *", "0 20 * * *", "", "10m", "", "2026-06-10", "05:50 running, 18:00 stopped"},
		{"a lead never reaches the stop before it", berlin, "0 13 * * *", "55 12 * * *", "", "10m", "", "2026-06-10", "10:55 stopped, 10:56 running"},
		{"a window", berlin, "", "", "Mon-Fri 08:00-20:00", "0s", "", "2026-06-10", "06:00 running, 18:00 stopped"},
		{"an overnight window belongs to the day of its begin", berlin, "", "", "Tue 22:00-02:00", "0s", "", "2026-06-10", "00:00 stopped"},
		{"windows that touch are joined", berlin, "", "", "08:00-12:00; 12:00-20:00", "0s", "", "2026-06-10", "06:00 running, 18:00 stopped"},
		{"a lead joins windows", berlin, "", "", "08:00-12:00; 12:10-20:00", "10m", "", "2026-06-10", "05:50 running, 18:00 stopped"},
		{"a span of days", berlin, "", "", "Mon 06:00-Fri 20:00", "0s", "", "2026-06-12", "18:00 stopped"},
		{"no start on a holiday, the stop stays", berlin, "0 8 * * *", "0 20 * * *", "", "0s", "off 2026-06-10", "2026-06-10", "18:00 stopped"},
		{"a week with a holiday Monday begins on Tuesday", berlin, "", "", "Mon 06:00-Fri 20:00", "0s", "off 2026-06-08", "2026-06-09", "04:00 running"},
		{"a start is put off where no stop comes before", berlin, "0 6 * * 1", "0 20 * * 5", "", "0s", "off 2026-06-08", "2026-06-09", "04:00 running"},
		{"a day that is stopped", berlin, "0 8 * * *", "0 20 * * *", "", "0s", "stopped 2026-06-10", "2026-06-10", ""},
		{"a day that is running, and its end", berlin, "0 8 * * *", "0 20 * * *", "", "0s", "running 2026-06-09", "2026-06-09", "22:00 stopped"},
		{"an untouched day, and its end", berlin, "0 8 * * *", "0 20 * * *", "", "0s", "untouched 2026-06-10", "2026-06-10",
			"06:00 running untouched, 18:00 stopped untouched, 22:00 stopped"},
		{"an untouched day begins", berlin, "0 8 * * *", "0 20 * * *", "", "0s", "untouched 2026-06-10", "2026-06-09", "06:00 running, 18:00 stopped, 22:00 none"},
		{"two hours are skipped", "Antarctica/Troll", "", "", "02:30-04:00", "0s", "", "2026-03-29", "01:00 running, 02:00 stopped"},
	}
}

// spec is the policy of a question.
func (n *night) spec(t *testing.T) (policy.Spec, map[string]*policy.Calendar) {
	lead, err := time.ParseDuration(n.lead)
	if err != nil {
		t.Fatal(err)
	}
	s := policy.Spec{Options: policy.Options{StartLead: lead}}
	for text := range strings.SplitSeq(n.running, "; ") {
		if text != "" {
			s.Running = append(s.Running, policy.Window{Expr: text})
		}
	}
	if n.start != "" {
		s.Start = []policy.Cron{{Expr: n.start}}
	}
	if n.stop != "" {
		s.Stop = []policy.Cron{{Expr: n.stop}}
	}
	if n.except == "" {
		return s, nil
	}
	word, day, _ := strings.Cut(n.except, " ")
	effect, ok := policy.ParseEffect(word)
	if !ok {
		t.Fatalf("no effect %q", word)
	}
	s.Except = []policy.Exception{{Calendar: "c", Effect: effect}}
	return s, map[string]*policy.Calendar{"c": calendarOf("c", []string{day})}
}

// TestOracle holds the oracle to nights that were worked out by hand.
func TestOracle(t *testing.T) {
	t.Parallel()
	for _, c := range nightsByHand() {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.ParseInLocation(time.DateOnly, c.day, loc)
		if err != nil {
			t.Fatal(err)
		}
		s, calendars := c.spec(t)
		end := day.AddDate(0, 0, 1).Add(time.Minute)
		var got []string
		for _, e := range edgesOf(s, calendars, newTape(loc, day.AddDate(0, 0, -15), day.AddDate(0, 0, 15)), day.Add(time.Minute), end) {
			line := fmt.Sprintf("%s %s", e.at.UTC().Format("15:04"), e.power)
			if e.untouched {
				line += " untouched"
			}
			got = append(got, line)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}

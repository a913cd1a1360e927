package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The oracle here answers by looking at every minute of a few days and at a
// plain reading of the expression's text. It shares no search, no bit set and
// no zone arithmetic with the package.

// reading is one real minute and what the local clock shows then.
type reading struct {
	at    time.Time
	shown time.Time // the local date and time, written in UTC
}

// tape is a stretch of readings, and for each local time the minute at which it
// was shown first or, where it was skipped, the one after the jump over it.
type tape struct {
	readings []reading
	first    map[time.Time]time.Time
}

// clockTape reads the clock of a zone at every minute of the days around mid.
func clockTape(loc *time.Location, mid time.Time, around time.Duration) tape {
	tp := tape{first: make(map[time.Time]time.Time, 2*int(around/time.Minute))}
	end := mid.Add(around)
	for at := mid.Add(-around).UTC().Truncate(time.Minute); !at.After(end); at = at.Add(time.Minute) {
		r := reading{at, civil(at.In(loc))}
		tp.readings = append(tp.readings, r)
		if _, seen := tp.first[r.shown]; !seen {
			tp.first[r.shown] = at
		}
	}
	tp.fillGaps()
	return tp
}

func (tp tape) fillGaps() {
	for i := 1; i < len(tp.readings); i++ {
		skipped := tp.readings[i-1].shown.Add(time.Minute)
		for ; skipped.Before(tp.readings[i].shown); skipped = skipped.Add(time.Minute) {
			if _, seen := tp.first[skipped]; !seen {
				tp.first[skipped] = tp.readings[i].at
			}
		}
	}
}

// civil forgets the zone of t.
func civil(t time.Time) time.Time {
	_, off := t.Zone()
	return t.Add(time.Duration(off) * time.Second).UTC()
}

// runs returns the instants of an expression on the tape, with the latest local
// time behind each.
func (tp tape) runs(expr string) map[time.Time]time.Time {
	o, runs := readOracle(expr), map[time.Time]time.Time{}
	if f := strings.Fields(expr); strings.ContainsAny(f[0][:1]+f[1][:1], "*?") {
		for _, r := range tp.readings {
			if o.match(r.shown) {
				runs[r.at] = r.shown
			}
		}
		return runs
	}
	for shown, at := range tp.first {
		if o.match(shown) && shown.After(runs[at]) {
			runs[at] = shown
		}
	}
	return runs
}

// oracle is a plain reading of an expression: one truth for each value.
type oracle struct {
	minute, hour, dom, month, dow [60]bool
	both                          bool // a day has to be in both day fields
}

func readOracle(expr string) *oracle {
	f := strings.Fields(strings.ToUpper(expr))
	o := &oracle{both: star(f[2]) || star(f[4])}
	for v := range 60 {
		o.minute[v] = oracleField(f[0], v, 0, 59)
		o.hour[v] = oracleField(f[1], v, 0, 23)
		o.dom[v] = oracleField(f[2], v, 1, 31)
		o.month[v] = oracleField(f[3], v, 1, 12)
		o.dow[v] = oracleField(f[4], v, 0, 6)
	}
	if !strings.ContainsAny(f[4], "*?") {
		o.dow[0] = o.dow[0] || oracleField(f[4], 7, 0, 7)
	}
	return o
}

func (o *oracle) match(t time.Time) bool {
	return o.minute[t.Minute()] && o.hour[t.Hour()] && o.matchDay(dayOf(t))
}

func (o *oracle) matchDay(d oracleDay) bool {
	if o.both {
		return o.month[d.month] && o.dom[d.dom] && o.dow[d.dow]
	}
	return o.month[d.month] && (o.dom[d.dom] || o.dow[d.dow])
}

type oracleDay struct{ month, dom, dow int }

func dayOf(t time.Time) oracleDay {
	_, month, day := t.Date()
	return oracleDay{int(month), day, int(t.Weekday())}
}

// everyDay is the calendar's 400 years, day by day.
var everyDay = sync.OnceValue(func() []oracleDay {
	var days []oracleDay
	for at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2400; at = at.AddDate(0, 0, 1) {
		days = append(days, dayOf(at))
	}
	return days
})

func star(field string) bool {
	return slices.ContainsFunc(strings.Split(field, ","), func(item string) bool {
		return item == "*" || item == "?" || item == "*/1" || item == "?/1"
	})
}

func oracleField(field string, value, low, high int) bool {
	return slices.ContainsFunc(strings.Split(field, ","), func(item string) bool {
		base, stepText, stepped := strings.Cut(item, "/")
		from, to, step := low, high, 1
		if stepped {
			step = must(strconv.Atoi(stepText))
		}
		if base != "*" && base != "?" {
			a, b, ranged := strings.Cut(base, "-")
			from = oracleValue(a)
			switch {
			case ranged && b == "SUN" && from > 0:
				to = 7
			case ranged:
				to = oracleValue(b)
			case !stepped:
				to = from
			}
		}
		return from <= value && value <= to && (value-from)%step == 0
	})
}

func oracleValue(text string) int {
	const names = "SUN MON TUE WED THU FRI SAT"
	if i := strings.Index(names, text); len(text) == 3 && i >= 0 {
		return i / 4
	}
	return must(strconv.Atoi(text))
}

// A jump is one change of a zone's clock.
type jump struct {
	zone   string
	loc    *time.Location
	at     time.Time
	change time.Duration
}

func (j jump) String() string {
	return fmt.Sprintf("%s %s by %s", j.zone, j.at.UTC().Format(time.RFC3339), j.change)
}

// jumpZones are the zones of the examples and those with the odd jumps: a day
// skipped (Apia, Kwajalein), half an hour (Lord_Howe, Caracas, Pyongyang), two
// hours (Troll), at midnight (Sao_Paulo, Beirut, Asuncion, Havana, Azores),
// winter time that is the exception (Dublin, Casablanca, El_Aaiun), over midnight
// into the day before (Scoresbysund, St_Johns), and zones whose last listed
// change is not one of their rule (Ciudad_Juarez, Metlakatla).
func jumpZones() []string {
	return strings.Fields(`
		Africa/Cairo Africa/Casablanca America/Asuncion America/Havana America/Los_Angeles America/New_York
		America/Santiago America/Sao_Paulo America/St_Johns Antarctica/Troll Asia/Amman Asia/Beirut Asia/Kolkata
		Asia/Tehran Atlantic/Azores Australia/Lord_Howe Australia/Sydney Europe/Berlin Europe/Dublin Europe/London
		Pacific/Chatham
		Africa/El_Aaiun America/Caracas America/Ciudad_Juarez America/Godthab America/Metlakatla America/Scoresbysund Antarctica/Casey
		Asia/Gaza Asia/Pyongyang Europe/Istanbul Europe/Moscow Pacific/Apia Pacific/Fakaofo Pacific/Kwajalein`)
}

// allJumps lists the changes from 1975 to 2045, which it finds by looking at
// the clock every six hours and halving.
var allJumps = sync.OnceValue(func() []jump {
	var jumps []jump
	for _, zone := range jumpZones() {
		loc := must(time.LoadLocation(zone))
		end := time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC)
		for at := time.Date(1975, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); at = at.Add(6 * time.Hour) {
			if before, after := offset(loc, at), offset(loc, at.Add(6*time.Hour)); before != after {
				jumps = append(jumps, jump{zone, loc, halve(loc, at, at.Add(6*time.Hour)), after - before})
			}
		}
	}
	return jumps
})

func offset(loc *time.Location, at time.Time) time.Duration {
	_, off := at.In(loc).Zone()
	return time.Duration(off) * time.Second
}

// halve returns the first minute after low with the offset of high.
func halve(loc *time.Location, low, high time.Time) time.Time {
	for high.Sub(low) > time.Minute {
		mid := low.Add(high.Sub(low) / 2).Truncate(time.Minute)
		if offset(loc, mid) == offset(loc, high) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

func drawJump(t *rapid.T) jump {
	zone := rapid.SampledFrom(jumpZones()).Draw(t, "zone")
	var of []jump
	for _, j := range allJumps() {
		if j.zone == zone {
			of = append(of, j)
		}
	}
	if len(of) == 0 {
		return jump{zone, must(time.LoadLocation(zone)), time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC), 0}
	}
	return rapid.SampledFrom(of).Draw(t, "jump")
}

// drawExpr draws an expression that is likely to run in a night of a change.
func drawExpr(t *rapid.T) string {
	minute := rapid.SampledFrom(strings.Fields("0 0 1 15 30 30 45 59 0,30 0,15,45 */15 */7 * ? 10-50/20 5/25 0-59/15 5,*"))
	return drawWith(t, minute)
}

func drawWith(t *rapid.T, minute *rapid.Generator[string]) string {
	hour := rapid.SampledFrom(strings.Fields("0 0 1 2 2 3 3 4 8 20 23 1,2,3 0-3 2-3 */2 * ? 22,23,0 0-23/3 0-23"))
	dom := rapid.SampledFrom(strings.Fields("* * * * * * ? */2 1 28-31 30 1-7 31 */1"))
	mon := rapid.SampledFrom(strings.Fields("* * * * * 3-4,10-11 */2 1,12 2-11"))
	dow := rapid.SampledFrom(strings.Fields("* * * * * SUN 7 0 FRI-SUN sat-sun 1-5 5-7 0-7 */2 6,7 MON-7/2 6-7/1"))
	return strings.Join([]string{minute.Draw(t, "minute"), hour.Draw(t, "hour"), dom.Draw(t, "dom"), mon.Draw(t, "month"), dow.Draw(t, "dow")}, " ")
}

func TestScheduleAgainstEveryMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := drawJump(t)
		expr := drawExpr(t)
		s := must(ParseSchedule(expr, j.loc))
		from, to := j.at.Add(-36*time.Hour), j.at.Add(36*time.Hour)
		runs := clockTape(j.loc, j.at, 3*24*time.Hour).runs(expr)
		want := instantsIn(runs, from, to)
		if got := forwards(s, from, to); !slices.Equal(got, want) {
			t.Fatalf("%q, %s\nNext: %v\nwant: %v", expr, j, got, want)
		}
		if got := backwards(s, from, to); !slices.Equal(got, want) {
			t.Fatalf("%q, %s\nPrev: %v\nwant: %v", expr, j, got, want)
		}
		for at, nominal := range runs {
			r, ok := s.prev(at.Unix())
			if in := !at.Before(from) && at.Before(to); in && (!ok || r.nominal != nominal.Unix()) {
				t.Fatalf("%q, %s\nat %s the local time is %s, want %s", expr, j, at, time.Unix(r.nominal, 0).UTC(), nominal)
			}
		}
	})
}

func instantsIn(runs map[time.Time]time.Time, from, to time.Time) []int64 {
	var out []int64
	for at := range runs {
		if !at.Before(from) && at.Before(to) {
			out = append(out, at.Unix())
		}
	}
	slices.Sort(out)
	return out
}

func forwards(s *Schedule, from, to time.Time) []int64 {
	var out []int64
	for at, ok := s.Next(from.Add(-1)); ok && at.Before(to); at, ok = s.Next(at) {
		out = append(out, at.Unix())
	}
	return out
}

func backwards(s *Schedule, from, to time.Time) []int64 {
	var out []int64
	for at, ok := s.Prev(to.Add(-1)); ok && !at.Before(from); at, ok = s.Prev(at.Add(-1)) {
		out = append(out, at.Unix())
	}
	slices.Reverse(out)
	return out
}

// TestJumpsAreAllThere keeps the properties honest: the list of jumps holds
// every kind that they are said to cover.
func TestJumpsAreAllThere(t *testing.T) {
	kinds := map[time.Duration]int{}
	midnight := 0
	for _, j := range allJumps() {
		kinds[j.change]++
		if shown := j.at.In(j.loc); j.change == time.Hour && shown.Hour() == 1 && shown.Minute() == 0 {
			midnight++
		}
	}
	for _, change := range []string{"1h", "-1h", "30m", "-30m", "2h", "-2h", "24h"} {
		if kinds[must(time.ParseDuration(change))] == 0 {
			t.Errorf("no zone jumps by %s; there are %v", change, kinds)
		}
	}
	if midnight < 10 {
		t.Errorf("%d gaps from midnight to one o'clock, want ten and more", midnight)
	}
}

package policy

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestClockChanges tells the rule on both sides of every kind of jump.
func TestClockChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, zone, expr, from, want string }{
		{"a skipped time runs when the gap is over", "Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z"},
		{"several skipped times and the one at its end run once", "Europe/Berlin", "15,45 2,3 * * *", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z 2026-03-29T01:15:00Z 2026-03-29T01:45:00Z"},
		{"a repeated time runs on the first pass", "Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"},
		{"asked in the second pass, it is over", "Europe/Berlin", "30 2 * * *", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z"},
		{"real time runs on both passes", "Europe/Berlin", "*/30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z 2026-10-25T00:30:00Z 2026-10-25T01:00:00Z 2026-10-25T01:30:00Z 2026-10-26T01:00:00Z"},
		{"real time leaves a skipped hour out", "Europe/Berlin", "*/30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z 2026-03-30T00:30:00Z"},
		{"the same bits without a star are fixed times", "Europe/Berlin", "0-59/30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z 2026-10-25T00:30:00Z 2026-10-26T01:00:00Z"},
		{"a star in the hour is enough", "Europe/Berlin", "0 * * * *", "2026-10-24T23:30:00Z", "2026-10-25T00:00:00Z 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z"},
		{"a question mark is a star", "Europe/Berlin", "0 ? * * *", "2026-10-24T23:30:00Z", "2026-10-25T00:00:00Z 2026-10-25T01:00:00Z"},
		{"so is one at the head of a list", "Europe/Berlin", "*,5 2 25 10 *", "2026-10-25T00:58:00Z", "2026-10-25T00:59:00Z 2026-10-25T01:00:00Z"},
		{"but not one further on", "Europe/Berlin", "5,* 2 25 10 *", "2026-10-25T00:58:00Z", "2026-10-25T00:59:00Z 2027-10-25T00:00:00Z"},
		{"@hourly follows real time", "Europe/Berlin", "@hourly", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z 2026-03-29T02:00:00Z"},
		{"@daily is a fixed time: midnight is skipped here", "America/Sao_Paulo", "@daily", "2018-11-03T12:00:00Z", "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z"},
		{"half an hour is skipped", "Australia/Lord_Howe", "15 2 * * *", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z 2026-10-04T15:15:00Z"},
		{"half an hour is repeated", "Australia/Lord_Howe", "*/15 1 5 4 *", "2026-04-04T14:00:00Z", "2026-04-04T14:15:00Z 2026-04-04T14:30:00Z 2026-04-04T14:45:00Z 2026-04-04T15:00:00Z 2026-04-04T15:15:00Z"},
		{"two hours are skipped", "Antarctica/Troll", "30 1,2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-29T23:30:00Z"},
		{"a whole day is skipped", "Pacific/Apia", "0 8 * * *", "2011-12-29T12:00:00Z", "2011-12-29T18:00:00Z 2011-12-30T10:00:00Z 2011-12-30T18:00:00Z"},
		{"a whole day is skipped in real time", "Pacific/Apia", "* * 30 12 *", "2011-12-29T12:00:00Z", "2012-12-29T10:00:00Z"},
		{"summer time that is the rule, winter the exception", "Europe/Dublin", "30 1 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z"},
		{"clocks set back for Ramadan", "Africa/Casablanca", "30 2 * * *", "2026-02-14T12:00:00Z", "2026-02-15T01:30:00Z 2026-02-16T02:30:00Z"},
		{"an offset with seconds", "Africa/Monrovia", "0 12 * * *", "1972-01-05T00:00:00Z", "1972-01-05T12:44:30Z 1972-01-06T12:44:30Z 1972-01-07T12:00:00Z"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			s := must(ParseSchedule(c.expr, must(time.LoadLocation(c.zone))))
			at := must(time.Parse(time.RFC3339, c.from))
			var got []string
			for range strings.Fields(c.want) {
				at, _ = s.Next(at)
				got = append(got, at.UTC().Format(time.RFC3339))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s in %s after %s\n got %s\nwant %s", c.expr, c.zone, c.from, strings.Join(got, " "), c.want)
			}
		})
	}
}

// TestRareDates crosses what the calendar has in wide gaps.
func TestRareDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, expr, from, next, prev string }{
		{"eight years without a 29 February", "0 0 29 2 *", "2100-01-01T00:00:00Z", "2104-02-29T00:00:00Z", "2096-02-29T00:00:00Z"},
		{"in real time", "* 0 29 2 *", "2100-01-01T00:00:00Z", "2104-02-29T00:00:00Z", "2096-02-29T00:59:00Z"},
		{"both day fields: either counts", "0 0 29 2 MON", "2100-02-01T12:00:00Z", "2100-02-08T00:00:00Z", "2100-02-01T00:00:00Z"},
		{"a star with a step is given as well", "0 0 29 2 */7", "2100-02-01T12:00:00Z", "2100-02-07T00:00:00Z", "2099-02-22T00:00:00Z"},
		{"a star with step 1 is none", "0 0 29 2 */1", "2100-02-01T12:00:00Z", "2104-02-29T00:00:00Z", "2096-02-29T00:00:00Z"},
		{"the days before 1970", "0 0 29 2 *", "1970-01-01T00:00:00Z", "1972-02-29T00:00:00Z", "1968-02-29T00:00:00Z"},
	} {
		s := must(ParseSchedule(c.expr, time.UTC))
		at := must(time.Parse(time.RFC3339, c.from))
		next, _ := s.Next(at)
		prev, _ := s.Prev(at)
		if got := next.Format(time.RFC3339); got != c.next {
			t.Errorf("%s: Next of %q after %s is %s, want %s", c.what, c.expr, c.from, got, c.next)
		}
		if got := prev.Format(time.RFC3339); got != c.prev {
			t.Errorf("%s: Prev of %q from %s is %s, want %s", c.what, c.expr, c.from, got, c.prev)
		}
	}
}

// TestFires compares with the whole of the calendar's 400 years, day by day.
func TestFires(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dom := rapid.SampledFrom(strings.Fields("31 30 29 30,31 29-31 31 28 * */2 ?")).Draw(t, "dom")
		mon := rapid.SampledFrom(strings.Fields("2 4 2,4 4,6,9,11 FEB 2-2 1 * */2")).Draw(t, "month")
		dow := rapid.SampledFrom(strings.Fields("* * ? MON 7 */7 */1")).Draw(t, "dow")
		expr := strings.Join([]string{"0 0", dom, mon, dow}, " ")
		want := slices.ContainsFunc(everyDay(), readOracle(strings.Replace(expr, "FEB", "2", 1)).matchDay)
		s := must(ParseSchedule(expr, time.UTC))
		if s.Fires() != want {
			t.Fatalf("%q: Fires() = %t, and 400 years of days say %t", expr, s.Fires(), want)
		}
		if _, ok := s.Next(time.Time{}); ok != want {
			t.Fatalf("%q: Next has an answer: %t, want %t", expr, ok, want)
		}
	})
}

// TestNextAndPrevAgree asks at any instant of two centuries.
func TestNextAndPrevAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(jumpZones()).Draw(t, "zone")
		s := must(ParseSchedule(drawExpr(t), must(time.LoadLocation(zone))))
		if !s.Fires() {
			return
		}
		from, to := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2110, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		at := time.Unix(rapid.Int64Range(from, to).Draw(t, "at"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns"))
		next, _ := s.Next(at)
		prev, _ := s.Prev(at)
		if !next.After(at) || prev.After(at) {
			t.Fatalf("%s in %s at %v: Prev is %v, Next is %v", s.Expr(), zone, at.UTC(), prev.UTC(), next.UTC())
		}
		for what, got := range map[string]time.Time{
			"Prev(next)":       only(s.Prev(next)),
			"Next(before it)":  only(s.Next(next.Add(-1))),
			"Next(prev)":       only(s.Next(prev)),
			"Next(prev + 1ns)": only(s.Next(prev.Add(1))),
		} {
			if !got.Equal(next) {
				t.Fatalf("%s in %s at %v: %s is %v, want %v", s.Expr(), zone, at.UTC(), what, got.UTC(), next.UTC())
			}
		}
		for what, got := range map[string]time.Time{"Prev(before next)": only(s.Prev(next.Add(-1))), "Prev(prev)": only(s.Prev(prev))} {
			if !got.Equal(prev) {
				t.Fatalf("%s in %s at %v: %s is %v, want %v", s.Expr(), zone, at.UTC(), what, got.UTC(), prev.UTC())
			}
		}
	})
}

// TestDatesOfASchedule compares a search that is held to some dates with one that
// is not, run by run, in real time: fixed times of two dates can fall together.
func TestDatesOfASchedule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		j := drawJump(t)
		expr := drawWith(t, rapid.SampledFrom(strings.Fields("* */15 */20 ? *,5")))
		s := must(ParseSchedule(expr, j.loc))
		first := floorDiv(civil(j.at.In(j.loc)).Unix(), secondsPerDay) + rapid.Int64Range(-1, 1).Draw(t, "first")
		on := &dates{off: []stretch{{first: first, last: first + rapid.Int64Range(0, 1).Draw(t, "days")}}, in: rapid.Bool().Draw(t, "in")}
		one := func(r run) bool { return (holding(on.off, floorDiv(r.nominal, secondsPerDay)) != nil) == on.in }
		at := j.at.Unix() + rapid.Int64Range(-2*3600, 2*3600).Draw(t, "at")
		next, more := s.next(at)
		for end := at + 8*secondsPerDay; more && !one(next) && next.at < end; {
			next, more = s.next(next.at)
		}
		if got, ok := s.nextOn(on, at); more && one(next) && (!ok || got != next) {
			t.Fatalf("%q, %s, dates %+v: after %d comes %+v, %t, want %+v", expr, j, on, at, got, ok, next)
		}
		prev, more := s.prev(at)
		for end := at - 8*secondsPerDay; more && !one(prev) && prev.at > end; {
			prev, more = s.prev(prev.at - 1)
		}
		if got, ok := s.prevOn(on, at); more && one(prev) && (!ok || got != prev) {
			t.Fatalf("%q, %s, dates %+v: up to %d the last is %+v, %t, want %+v", expr, j, on, at, got, ok, prev)
		}
	})
}

// TestDatesOverMidnight is a clock that is set back from 00:01 to 23:01: behind
// the last date, and before the first, there is a minute or an hour more of it.
func TestDatesOverMidnight(t *testing.T) {
	t.Parallel()
	s := must(ParseSchedule("* * * * *", must(time.LoadLocation("America/St_Johns"))))
	day := Date{2008, time.November, 1}.number()
	on := func(day int64) *dates { return &dates{off: []stretch{{first: day, last: day}}, in: true} }
	firstPass, secondPass := time.Date(2008, 11, 2, 2, 29, 0, 0, time.UTC).Unix(), time.Date(2008, 11, 2, 2, 31, 0, 0, time.UTC).Unix()
	if got, ok := s.nextOn(on(day), firstPass); !ok || got.at != secondPass {
		t.Errorf("after 23:59 on 1 November comes %+v, %t, want 23:01 of the same day, at %d", got, ok, secondPass)
	}
	if got, ok := s.prevOn(on(day+1), secondPass); !ok || got.at != firstPass+60 {
		t.Errorf("before 23:01 of the second pass is %+v, %t, want 00:00 on 2 November, at %d", got, ok, firstPass+60)
	}
}

// only drops the word of whether there is an answer: the zero time is none.
func only(t time.Time, _ bool) time.Time { return t }

func TestEndsOfTime(t *testing.T) {
	t.Parallel()
	s := must(ParseSchedule("0 0 * * *", must(time.LoadLocation("Europe/Berlin"))))
	for _, at := range []time.Time{time.Unix(math.MaxInt64, 0), time.Unix(1<<55, 0), time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got, ok := s.Next(at); ok {
			t.Errorf("Next(%v) = %v, want none", at, got)
		}
		if got, ok := s.Prev(at); !ok || got.Year() != 9999 {
			t.Errorf("Prev(%v) = %v, %t, want one in 9999", at, got, ok)
		}
	}
	for _, at := range []time.Time{time.Unix(math.MinInt64, 0), time.Unix(-1<<55, 0), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got, ok := s.Prev(at); ok {
			t.Errorf("Prev(%v) = %v, want none", at, got)
		}
		if got, ok := s.Next(at); !ok || got.Year() != 1 {
			t.Errorf("Next(%v) = %v, %t, want one in year 1", at, got, ok)
		}
	}
}

func TestAnswersAllocateNothing(t *testing.T) {
	for what, spec := range map[string]Spec{
		"cron":               officeSpec(Options{StartLead: 10 * time.Minute}),
		"windows":            officeWindows(Options{StartLead: 10 * time.Minute}),
		"cron, calendars":    with(officeSpec(Options{StartLead: 10 * time.Minute}), threeCalendars),
		"windows, calendars": with(officeWindows(Options{StartLead: 10 * time.Minute}), threeCalendars),
	} {
		p := compiled(t, spec)
		for _, at := range []string{"2026-03-29T00:30:00Z", "2026-08-05T12:00:00Z", "2026-12-31T23:30:00Z", "2027-01-01T12:00:00Z"} {
			at := must(time.Parse(time.RFC3339, at))
			for how, ask := range map[string]func(){
				"Next":   func() { p.Next(at) },
				"Prev":   func() { p.Prev(at) },
				"NextOf": func() { p.NextOf(Running, at) },
				"Decide": func() { p.Decide(at) },
			} {
				if n := testing.AllocsPerRun(100, ask); n != 0 {
					t.Errorf("%s: %s at %v allocates %v times, want 0", what, how, at, n)
				}
			}
		}
		if len(p.starts) == 0 {
			continue
		}
		s, at := p.starts[0].sched, time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)
		if n := testing.AllocsPerRun(100, func() { s.Next(at); s.Prev(at) }); n != 0 {
			t.Errorf("%s: a schedule's Next and Prev allocate %v times, want 0", what, n)
		}
	}
}

// TestSpans holds the repair of what time.Location says of the years beyond a
// zone's last listed change against its offset alone.
func TestSpans(t *testing.T) {
	t.Parallel()
	zones := append(jumpZones(), "America/Indiana/Winamac", "UTC", "Asia/Tokyo")
	for _, zone := range zones {
		loc := must(time.LoadLocation(zone))
		end := time.Date(2105, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		for at := time.Date(1975, 1, 1, 5, 0, 0, 0, time.UTC).Unix(); at < end; at += 9*secondsPerDay + 7 {
			checkSpan(t, zone, loc, at)
		}
		for year := 1996; year < 2105; year += 4 {
			checkSpan(t, zone, loc, time.Date(year, 12, 31, 12, 0, 0, 0, time.UTC).Unix())
		}
	}
}

func checkSpan(t *testing.T, zone string, loc *time.Location, at int64) {
	t.Helper()
	s := spanAt(loc, at)
	if at < s.from || s.to <= at {
		t.Errorf("%s: the span of %v is %v to %v", zone, time.Unix(at, 0).UTC(), time.Unix(s.from, 0).UTC(), time.Unix(s.to, 0).UTC())
	}
	for _, in := range []int64{max(s.from, at-1000*secondsPerDay), at, min(s.to-1, at+1000*secondsPerDay)} {
		if off := offset(loc, time.Unix(in, 0)); off != time.Duration(s.off)*time.Second {
			t.Errorf("%s: the span of %v has offset %d s, and at %v inside it the offset is %s", zone, time.Unix(at, 0).UTC(), s.off, time.Unix(in, 0).UTC(), off)
		}
	}
}

// TestPlaceNeverFalls is what makes one search do for both directions.
func TestPlaceNeverFalls(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		j := drawJump(t)
		local := j.at.Unix() + rapid.Int64Range(-3*secondsPerDay, 3*secondsPerDay).Draw(t, "local")
		later := local + rapid.Int64Range(0, 2*secondsPerDay).Draw(t, "later")
		guess := spanAt(j.loc, local+rapid.Int64Range(-400*secondsPerDay, 400*secondsPerDay).Draw(t, "guess"))
		at, off := place(j.loc, local, guess)
		if then, _ := place(j.loc, later, guess); then < at {
			t.Fatalf("%s: local %d is at %d, and the later %d at %d", j, local, at, later, then)
		}
		if at+off < local {
			t.Fatalf("%s: the clock shows %d at %d, before %d", j, at+off, at, local)
		}
		if before := spanAt(j.loc, at-1); before.reached(j.loc, at-1) >= local {
			t.Fatalf("%s: local %d was shown before %d", j, local, at)
		}
		if slow, _ := place(j.loc, local, span{}); slow != at {
			t.Fatalf("%s: local %d is at %d by the guess %v, at %d without", j, local, at, guess, slow)
		}
	})
}

func TestFollowsRealTime(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]bool{
		"* * * * *": true, "*/5 3 * * *": true, "0 */2 * * *": true, "?  3 * * *": true, "*,5 3 * * *": true, "@hourly": true,
		"5,* 3 * * *": false, "0-59 0-23 * * *": false, "0 3 * * *": false, "@daily": false, "@WEEKLY": false,
	} {
		if got := must(ParseSchedule(expr, time.UTC)).FollowsRealTime(); got != want {
			t.Errorf("%q follows real time: %t, want %t", expr, got, want)
		}
	}
}

func TestZonesOfAnswers(t *testing.T) {
	t.Parallel()
	berlin := must(time.LoadLocation("Europe/Berlin"))
	for _, loc := range []*time.Location{berlin, nil} {
		s := must(ParseSchedule("0 8 * * *", loc))
		got, _ := s.Next(time.Unix(0, 0))
		want := time.UTC
		if loc != nil {
			want = loc
		}
		if got.Location() != want || s.Location() != want || got.Hour() != 8 {
			t.Errorf("in %v: %v, in %v", loc, got, got.Location())
		}
	}
}

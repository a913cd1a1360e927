package calendar

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"
)

// A plain rule is an RRULE as the oracle reads it.
type plainRule struct {
	freq                             string
	interval, count                  int
	until                            day
	months, doms, positions, weekNos []int
	weekdays                         []plainWeekday
}

type plainWeekday struct {
	n    int // 0: every one
	name time.Weekday
}

func (w plainWeekday) String() string {
	name := strings.ToUpper(w.name.String()[:2])
	if w.n == 0 {
		return name
	}
	return fmt.Sprintf("%d%s", w.n, name)
}

// text writes r as it would stand in a file.
func (r plainRule) text() string {
	parts := []string{"FREQ=" + r.freq, fmt.Sprintf("INTERVAL=%d", r.interval)}
	add := func(key string, values any, n int) {
		if n > 0 {
			parts = append(parts, key+"="+strings.ReplaceAll(strings.Trim(fmt.Sprint(values), "[]"), " ", ","))
		}
	}
	add("BYMONTH", r.months, len(r.months))
	add("BYMONTHDAY", r.doms, len(r.doms))
	add("BYDAY", r.weekdays, len(r.weekdays))
	add("BYSETPOS", r.positions, len(r.positions))
	add("BYWEEKNO", r.weekNos, len(r.weekNos))
	add("COUNT", r.count, r.count)
	if r.until > 0 {
		parts = append(parts, "UNTIL="+r.until.midnight().Format("20060102"))
	}
	return strings.Join(parts, ";")
}

// days goes through all days from the beginning of start's year on and asks each
// whether r names it: slow, and nothing like what the library does.
func (r plainRule) days(start day) []day {
	periods := map[int][]day{}
	var order []int
	for d := dayOf(start.midnight().Year(), time.January, 1) - 7; d <= lastDay; d++ {
		p := r.period(d) - r.period(start)
		if p < 0 || p%r.interval != 0 || !r.names(d, start) {
			continue
		}
		if periods[p] == nil {
			order = append(order, p)
		}
		periods[p] = append(periods[p], d)
	}
	days := []day{start} // DTSTART counts
	for _, p := range order {
		for _, d := range r.picked(periods[p]) {
			if d > start && (r.until == 0 || d <= r.until) && (r.count == 0 || len(days) < r.count) {
				days = append(days, d)
			}
		}
	}
	return days
}

func (r plainRule) period(d day) int {
	year, month, _ := d.midnight().Date()
	switch r.freq {
	case "YEARLY":
		return year
	case "MONTHLY":
		return year*12 + int(month)
	case "WEEKLY":
		return int(d+3+7*10000) / 7 // 1970-01-01 was a Thursday, and weeks begin on Monday
	}
	return int(d)
}

func (r plainRule) names(d, start day) bool {
	_, month, dom := d.midnight().Date()
	months, doms, weekdays := r.months, r.doms, r.weekdays
	_, startMonth, startDom := start.midnight().Date()
	if len(doms)+len(weekdays)+len(r.weekNos) == 0 {
		switch r.freq {
		case "YEARLY":
			doms = []int{startDom}
			if len(months) == 0 {
				months = []int{int(startMonth)}
			}
		case "MONTHLY":
			doms = []int{startDom}
		case "WEEKLY":
			weekdays = []plainWeekday{{0, start.midnight().Weekday()}}
		}
	}
	length := dayOf(d.midnight().Year(), month+1, 0).midnight().Day()
	_, week := d.midnight().ISOWeek()
	return (len(months) == 0 || slices.Contains(months, int(month))) &&
		(len(doms) == 0 || slices.Contains(doms, dom) || slices.Contains(doms, dom-length-1)) &&
		(len(r.weekNos) == 0 || slices.Contains(r.weekNos, week)) &&
		(len(weekdays) == 0 || slices.ContainsFunc(weekdays, func(w plainWeekday) bool { return r.isWeekday(w, d) }))
}

// isWeekday reports whether d is the nth such day of its month or year.
func (r plainRule) isWeekday(w plainWeekday, d day) bool {
	year, month, _ := d.midnight().Date()
	first, last := dayOf(year, month, 1), dayOf(year, month+1, 0)
	if r.freq == "YEARLY" && len(r.months) == 0 {
		first, last = dayOf(year, time.January, 1), dayOf(year, time.December, 31)
	}
	return d.midnight().Weekday() == w.name &&
		(w.n == 0 || w.n == int(d-first)/7+1 || -w.n == int(last-d)/7+1)
}

func (r plainRule) picked(set []day) []day {
	if len(r.positions) == 0 {
		return set
	}
	var some []day
	for i, d := range set {
		if slices.Contains(r.positions, i+1) || slices.Contains(r.positions, i-len(set)) {
			some = append(some, d)
		}
	}
	return some
}

// TestRules compares with the oracle, over rules such as people have.
func TestRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, start := aRule(t)
		got, err := expanded(r.text(), start)
		if err != nil {
			t.Fatalf("%s from %s: %v", r.text(), start, err)
		}
		if want := r.days(start); !slices.Equal(got, want) {
			t.Fatalf("%s from %s:\ngot  %v\nwant %v", r.text(), start, head(got), head(want))
		}
	})
}

func head(days []day) []day { return days[:min(len(days), 20)] }

func aRule(t *rapid.T) (plainRule, day) {
	start := day(rapid.IntRange(int(lastDay)-12000, int(lastDay)).Draw(t, "start")) // the oracle is slow
	r := plainRule{
		freq:     rapid.SampledFrom([]string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}).Draw(t, "freq"),
		interval: rapid.IntRange(1, 6).Draw(t, "interval"),
		months:   some(t, "months", 1, 12),
		doms:     some(t, "doms", -31, 31),
	}
	ordinals := r.freq <= "MONTHLY" == (r.freq != "DAILY") && rapid.Bool().Draw(t, "ordinals")
	for _, n := range some(t, "weekdays", 0, 6) {
		w := plainWeekday{name: time.Weekday(n)}
		if ordinals {
			w.n = rapid.SampledFrom([]int{-5, -2, -1, 1, 2, 5}).Draw(t, "nth")
		}
		r.weekdays = append(r.weekdays, w)
	}
	if r.freq == "MONTHLY" || r.freq == "YEARLY" {
		r.positions = some(t, "positions", -6, 6)
	}
	switch rapid.IntRange(0, 2).Draw(t, "end") {
	case 1:
		r.count = rapid.IntRange(1, 40).Draw(t, "count")
	case 2:
		r.until = min(start+day(rapid.IntRange(0, 4000).Draw(t, "until")), lastDay)
	}
	return r, start
}

// some draws up to three numbers without 0, or 0 where that is the least.
func some(t *rapid.T, label string, least, most int) []int {
	if !rapid.Bool().Draw(t, label+"?") {
		return nil
	}
	numbers := rapid.SliceOfNDistinct(rapid.IntRange(least, most), 1, 3, rapid.ID).Draw(t, label)
	return slices.DeleteFunc(numbers, func(n int) bool { return n == 0 && least < 0 })
}

// expanded returns the days of an RRULE.
func expanded(text string, start day) ([]day, error) {
	r, err := parseRule(property{value: text}, &event{record: &record{}, start: start, dateOnly: true}, &notes{})
	if err != nil {
		return nil, err
	}
	var s search
	days, _, err := s.days(r, start)
	return days, err
}

// TestWeekNumbers compares BYWEEKNO with ISO 8601, over all years. The library
// counts the 53rd week of 2011 into January and forgets that of 2015 there.
func TestWeekNumbers(t *testing.T) {
	t.Parallel()
	for week := 1; week <= 51; week++ {
		r := plainRule{freq: "YEARLY", interval: 1, weekNos: []int{week}}
		got, err := expanded(r.text(), firstDay)
		if want := r.days(firstDay); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v\ngot  %v\nwant %v", r.text(), err, head(got), head(want))
		}
	}
}

// TestShift asks the library about the same rule where it stands and nineteen
// times 400 years later: what search relies on.
func TestShift(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, start := aRule(t)
		r.weekNos = some(t, "weeks", 1, 51)
		parsed, err := parseRule(property{value: r.text()}, &event{record: &record{}, dateOnly: true}, &notes{})
		if err != nil {
			t.Skip("refused") // a BYDAY with a number of a week
		}
		option := parsed.option
		option.Dtstart, option.Until = start.midnight(), parsed.until.midnight()
		here, err := rrule.NewRRule(option)
		if err != nil {
			t.Fatal(err)
		}
		var want []day
		for _, at := range here.All() {
			want = append(want, dayAt(at))
		}
		parsed.count = 0 // what it counts is ours
		got, named, err := new(search).days(parsed, start)
		if err == nil && !named {
			got = got[1:]
		}
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s from %s: %v\ngot  %v\nwant %v", r.text(), start, err, head(got), head(want))
		}
	})
}

// TestRuleRefuses says why.
func TestRuleRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                                        "wrong format",
		"FREQ=FORTNIGHTLY":                                        "undefined frequency",
		"FREQ=MINUTELY":                                           "repeats within a day",
		"FREQ=SECONDLY;COUNT=1":                                   "repeats within a day",
		"INTERVAL=2":                                              "FREQ is required",
		"FREQ=DAILY;INTERVAL=0":                                   "has INTERVAL=0",
		"FREQ=DAILY;INTERVAL=-1":                                  "negative",
		"FREQ=DAILY;INTERVAL=":                                    "has INTERVAL=",
		"FREQ=DAILY;COUNT=-3":                                     "negative",
		"FREQ=DAILY;COUNT=99999999999999999999":                   "out of range",
		"FREQ=YEARLY;BYDAY=54MO":                                  "between 1 and 53",
		"FREQ=MONTHLY;BYDAY=-6SU":                                 "-6SU of a month",
		"FREQ=YEARLY;BYMONTH=5;BYDAY=6SU":                         "+6SU of a month",
		"FREQ=MONTHLY;BYDAY=MO,2TU":                               "weekdays with a number and others without",
		"FREQ=MONTHLY;BYDAY=XX":                                   "undefined weekday",
		"FREQ=YEARLY;BYWEEKNO=53":                                 "BYWEEKNO=53",
		"FREQ=YEARLY;BYWEEKNO=-1":                                 "BYWEEKNO=-1",
		"FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=2":                      "BYSETPOS in a week",
		"FREQ=YEARLY;BYMONTHDAY=0":                                "bymonthday must be",
		"FREQ=YEARLY;BYSETPOS=0":                                  "bysetpos must be",
		"FREQ=YEARLY;BYEASTER=0":                                  `not supported: "BYEASTER"`,
		"FREQ=YEARLY;RSCALE=CHINESE":                              `not supported: "RSCALE"`,
		"FREQ=YEARLY;DTSTART=20260101":                            `not supported: "DTSTART"`,
		"FREQ=YEARLY;UNTIL=20261332":                              `has an UNTIL that cannot be read: "20261332"`,
		"FREQ=YEARLY;BYYEARDAY=1" + strings.Repeat(",1", 366):     "too many values",
		"FREQ=DAILY;BYSETPOS=1" + strings.Repeat(",1", 24):        "too many values",
		"FREQ=YEARLY;BYYEARDAY=1" + strings.Repeat(",1", maxRule): "longer than 4000 bytes",
	} {
		days, err := expanded(text, firstDay)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %d days, %v, want %q", text, len(days), err, want)
		}
	}
}

// TestEndless asks for rules on which a search could go on for ever, or as long
// as the library likes. What must be true is that it ends, and at what cost: no
// more than one rule may take of the work for all.
func TestEndless(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1",
		"FREQ=WEEKLY;BYDAY=MO;BYYEARDAY=366;BYMONTH=1",
		"FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4",
		"FREQ=YEARLY;BYSETPOS=366;BYMONTH=1",
		"FREQ=YEARLY;BYSETPOS=-366;BYMONTHDAY=31;COUNT=2",
		"FREQ=YEARLY;BYWEEKNO=30;BYMONTH=1",
		"FREQ=YEARLY;INTERVAL=400;BYMONTH=2;BYMONTHDAY=29",
		"FREQ=DAILY;INTERVAL=9223372036854775807",
		"FREQ=WEEKLY;INTERVAL=9223372036854775807",
		"FREQ=MONTHLY;INTERVAL=9223372036854775807",
		"FREQ=YEARLY;INTERVAL=9223372036854775807",
		"FREQ=YEARLY;INTERVAL=4611686018427387904;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=DAILY;COUNT=9223372036854775807",
		"FREQ=DAILY;UNTIL=99991231",
		"FREQ=DAILY;BYSETPOS=2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25",
	} {
		for _, start := range []day{-135140, firstDay, lastDay} { // 1600-01-01 is the earliest that is read
			r, err := parseRule(property{value: text}, &event{record: &record{}, dateOnly: true}, &notes{})
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			var s search
			days, _, err := s.days(r, start)
			if err != nil || len(days) == 0 || days[0] != start || days[len(days)-1] > lastDay {
				t.Errorf("%s from %s: got %d days, %v", text, start, len(days), err)
			}
			if s.work > maxWork {
				t.Errorf("%s from %s: work of %d, of %d for all rules of a file", text, start, s.work, maxWork)
			}
		}
	}
}

// TestBirthdays holds maxWork to what it promises.
func TestBirthdays(t *testing.T) {
	t.Parallel()
	r, err := parseRule(property{value: "FREQ=YEARLY"}, &event{record: &record{}, dateOnly: true}, &notes{})
	if err != nil {
		t.Fatal(err)
	}
	var s search
	if days, _, err := s.days(r, dayOf(1604, time.January, 1)); err != nil || s.work > maxWork/1000 {
		t.Errorf("%d days, %v, for a work of %d", len(days), err, s.work)
	}
}

// TestLibraryPanics does not reach the caller, and what was done till then is
// counted.
func TestLibraryPanics(t *testing.T) {
	t.Parallel()
	r, err := parseRule(property{value: "FREQ=DAILY"}, &event{record: &record{}, dateOnly: true}, &notes{})
	if err != nil {
		t.Fatal(err)
	}
	r.option.Bymonth = []int{13} // past the parser's checks
	if days, _, err := new(search).days(r, firstDay); err == nil {
		t.Errorf("got %d days", len(days))
	}
	var s search
	func() {
		defer guard(&err)
		_, _, err = s.walk(func() (time.Time, bool) { panic("out of its tables") }, r, firstDay, 0)
	}()
	if err == nil || !strings.Contains(err.Error(), "out of its tables") || s.work == 0 {
		t.Errorf("got %v after work of %d", err, s.work)
	}
}

package sim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A tape is what the clock of a place shows, minute by minute. Local times on it
// are minutes since 1970 as a clock without a zone counts them.
type tape struct {
	begin   time.Time // the instant of the first minute
	shows   []int64   // the local time that each minute shows
	base    int64     // the local time with which reached begins
	reached []int32   // the first minute that shows each local time, or more
}

const (
	dayMinutes = 24 * 60
	weekday0   = 4 // of 1970-01-01: a Thursday
)

// newTape reads the clock of a zone from an instant to another.
func newTape(loc *time.Location, from, to time.Time) *tape {
	t := &tape{begin: from.Truncate(time.Minute)}
	n := int(to.Sub(t.begin) / time.Minute)
	t.shows, t.reached = make([]int64, 0, n), make([]int32, 0, n+dayMinutes)
	for i := range n {
		_, off := t.at(i).In(loc).Zone()
		shown := (t.at(i).Unix() + int64(off)) / 60
		if i == 0 {
			t.base = shown
		}
		for t.base+int64(len(t.reached)) <= shown {
			t.reached = append(t.reached, int32(i))
		}
		t.shows = append(t.shows, shown)
	}
	return t
}

// at is the instant of a minute.
func (t *tape) at(i int) time.Time { return t.begin.Add(time.Duration(i) * time.Minute) }

// first is the minute at which a local time, or more, is shown first: the one
// after the gap where it is skipped. False where the tape does not have it.
func (t *tape) first(local int64) (int, bool) {
	i := local - t.base
	if i <= 0 || i >= int64(len(t.reached)) {
		return 0, false
	}
	return int(t.reached[i]), true
}

// dateOf is the day on which a local time lies, counted from 1970-01-01.
func dateOf(local int64) int64 { return floor(local, dayMinutes) }

func weekdayOf(date int64) int { return int(floorMod(date+weekday0, 7)) }

func floor(a, b int64) int64 { return (a - floorMod(a, b)) / b }

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }

// A cronLine is a line of the few forms that the scripts use: minute, hour and
// day of the week, as numbers, lists, ranges and steps; any day of any month.
type cronLine struct {
	minute, hour, weekday string
}

func readLine(expr string) cronLine {
	f := strings.Fields(expr)
	if len(f) != 5 || f[2] != "*" || f[3] != "*" {
		panic("the oracle does not read " + expr)
	}
	return cronLine{f[0], f[1], f[4]}
}

// floating reports whether the line follows real time: it says when within an
// hour or a day, not what the clock on the wall shows.
func (c cronLine) floating() bool { return c.minute[0] == '*' || c.hour[0] == '*' }

// A named is a local time that a line names, and the minute at which it comes.
type named struct {
	local int64
	i     int
}

// times lists what a line names on a tape. A fixed local time comes when the
// clock first shows it or more; one that follows real time whenever it is shown.
func (c cronLine) times(t *tape) []named {
	var week [7]bool
	for day := range week {
		week[day] = fieldHas(c.weekday, day)
	}
	var out []named
	for _, at := range c.minutes() {
		if c.floating() {
			continue
		}
		for date := dateOf(t.base); date <= dateOf(t.base+int64(len(t.reached))); date++ {
			local := date*dayMinutes + int64(at)
			if i, ok := t.first(local); ok && week[weekdayOf(date)] {
				out = append(out, named{local, i})
			}
		}
	}
	if c.floating() {
		out = c.shown(t, &week)
	}
	return out
}

// minutes are the minutes of a day that the line names.
func (c cronLine) minutes() []int {
	var out []int
	for hour := range 24 {
		for minute := 0; minute < 60 && fieldHas(c.hour, hour); minute++ {
			if fieldHas(c.minute, minute) {
				out = append(out, hour*60+minute)
			}
		}
	}
	return out
}

func (c cronLine) shown(t *tape, week *[7]bool) []named {
	var day [dayMinutes]bool
	for _, m := range c.minutes() {
		day[m] = true
	}
	var out []named
	for i, local := range t.shows {
		if day[floorMod(local, dayMinutes)] && week[weekdayOf(dateOf(local))] {
			out = append(out, named{local, i})
		}
	}
	return out
}

func fieldHas(field string, n int) bool {
	for part := range strings.SplitSeq(field, ",") {
		span, step, stepped := strings.Cut(part, "/")
		every := 1
		if stepped {
			every = number(step)
		}
		from, to := 0, 59
		if span != "*" {
			a, b, ranged := strings.Cut(span, "-")
			from = number(a)
			if to = from; ranged {
				to = number(b)
			}
		}
		if from <= n && n <= to && (n-from)%every == 0 {
			return true
		}
	}
	return false
}

// A windowLine is a text such as "Mon-Fri 08:00-20:00", taken apart.
type windowLine struct {
	week       [7]bool
	begin, end int64 // minutes after the midnight with which its date begins
	closes     bool  // its end is written 24:00
}

// readWindow reads the forms that the scripts use: days or none, two times, and
// perhaps a day of the end.
func readWindow(text string) windowLine {
	var w windowLine
	f := strings.Fields(text)
	switch len(f) {
	case 1: // 08:00-20:00
		f = []string{"Sun-Sat", f[0]}
	case 3: // Mon 06:00-Fri 20:00
		from, endDay, _ := strings.Cut(f[1], "-")
		first := dayNamed(f[0])
		w.week[first] = true
		w.begin, w.end = clockMinutes(from), clockMinutes(f[2])
		w.closes = f[2] == "24:00"
		apart := floorMod(int64(dayNamed(endDay)-first), 7)
		if apart == 0 && w.end <= w.begin {
			apart = 7
		}
		w.end += apart * dayMinutes
		return w
	}
	for part := range strings.SplitSeq(f[0], ",") {
		a, b, ranged := strings.Cut(part, "-")
		first := dayNamed(a)
		last := first
		if ranged {
			last = dayNamed(b)
		}
		for day := first; ; day = (day + 1) % 7 {
			w.week[day] = true
			if day == last {
				break
			}
		}
	}
	from, to, _ := strings.Cut(f[1], "-")
	w.begin, w.end, w.closes = clockMinutes(from), clockMinutes(to), to == "24:00"
	if w.end <= w.begin {
		w.end += dayMinutes
	}
	return w
}

func dayNamed(name string) int {
	day := slices.Index([]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}, name)
	if day < 0 {
		panic("the oracle knows no day " + name)
	}
	return day
}

func clockMinutes(text string) int64 {
	hour, minute, _ := strings.Cut(text, ":")
	return int64(number(hour)*60 + number(minute))
}

// TestTape holds the tape to clocks that were looked up by hand.
func TestTape(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, day, local, at string }{
		{"Europe/Berlin", "2026-03-29", "02:30", "01:00"}, // the first minute after the gap
		{"Europe/Berlin", "2026-10-25", "02:30", "00:30"}, // the first pass
		{"Antarctica/Troll", "2026-03-29", "02:15", "01:00"},
		{"Australia/Lord_Howe", "2026-10-04", "02:10", "15:30"},
		{"Asia/Kolkata", "2026-12-31", "00:00", "18:30"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		tp := newTape(loc, day.Add(-24*time.Hour), day.Add(36*time.Hour))
		i, ok := tp.first(day.Unix()/60 + clockMinutes(c.local))
		if got := tp.at(i).UTC().Format("15:04"); !ok || got != c.at {
			t.Errorf("%s shows %s first at %s UTC, %v, want %s", c.zone, c.local, got, ok, c.at)
		}
	}
}

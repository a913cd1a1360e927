package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"curfew/policy"
)

// The oracle knows when a file says start or stop. It shares nothing with
// package policy: it walks through time minute by minute, reads the local clock
// as a person would, and asks each line whether this is its time.

// A due is an edge as the oracle has it.
type due struct {
	at    time.Time
	power policy.Power
}

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

func (c cronLine) matches(local time.Time) bool {
	return fieldHas(c.minute, local.Minute()) && fieldHas(c.hour, local.Hour()) && fieldHas(c.weekday, int(local.Weekday()))
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

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// edgesOf returns what a policy asks for on [from, to), oldest first. Where a
// gap of the local clock moves a start and a stop to one instant, the later
// local time wins.
func edgesOf(s policy.Spec, loc *time.Location, from, to time.Time) []due {
	lead := s.Options.StartLead
	var all []due
	begin := from.Add(-48 * time.Hour).Truncate(time.Minute)
	shown := naive(begin.Add(-time.Minute).In(loc)) // the latest minute that the local clock has shown
	for t := begin; t.Before(to.Add(lead)); t = t.Add(time.Minute) {
		local := t.In(loc)
		power := latestOf(s, local, shown)
		if n := naive(local); n.After(shown) {
			shown = n
		}
		at := t
		if power == policy.Running {
			at = at.Add(-lead)
		}
		if power != policy.None && !at.Before(from) && at.Before(to) {
			all = append(all, due{at, power})
		}
	}
	slices.SortStableFunc(all, func(a, b due) int { return a.at.Compare(b.at) })
	return all
}

// naive is what a clock without a zone shows.
func naive(local time.Time) time.Time {
	y, m, d := local.Date()
	return time.Date(y, m, d, local.Hour(), local.Minute(), 0, 0, time.UTC)
}

// latestOf is the power of the line that has its time when the local clock moves
// on to local, after it had shown all up to shown.
func latestOf(s policy.Spec, local, shown time.Time) policy.Power {
	var power policy.Power
	var nominal time.Time
	try := func(crons []policy.Cron, p policy.Power) {
		for _, c := range crons {
			if n, ok := readLine(c.Expr).reached(local, shown); ok && n.After(nominal) {
				power, nominal = p, n
			}
		}
	}
	try(s.Stop, policy.Stopped)
	try(s.Start, policy.Running)
	return power
}

// reached returns the latest local time of the line that is reached now. A
// local time that was jumped over counts at the first minute after the jump; one
// that was shown before does not count again.
func (c cronLine) reached(local, shown time.Time) (time.Time, bool) {
	now := naive(local)
	if c.floating() {
		return now, c.matches(local)
	}
	for n := now; n.After(shown); n = n.Add(-time.Minute) {
		if c.matches(n) {
			return n, true
		}
	}
	return time.Time{}, false
}

// TestOracle holds the oracle to nights that were worked out by hand.
func TestOracle(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, start, stop, day, want string }{
		{"a plain day", "0 8 * * *", "0 20 * * *", "2026-06-10", "06:00 running, 18:00 stopped"},
		{"the skipped hour comes after the gap", "30 2 * * *", "", "2026-03-29", "01:00 running"},
		{"two in a gap: the later local time wins", "10 2 * * *", "40 2 * * *", "2026-03-29", "01:00 stopped"},
		{"the repeated hour counts once", "30 2 * * *", "", "2026-10-25", "00:30 running"},
		{"a star goes on in real time", "*/30 2 * * *", "", "2026-10-25", "00:00 running, 00:30 running, 01:00 running, 01:30 running"},
		{"days of the week", "0 8 * * 1-5", "0 20 * * 0,6", "2026-06-13", "18:00 stopped"},
	} {
		s := policy.Spec{}
		if c.start != "" {
			s.Start = []policy.Cron{{Expr: c.start}}
		}
		if c.stop != "" {
			s.Stop = []policy.Cron{{Expr: c.stop}}
		}
		day, err := time.ParseInLocation("2006-01-02", c.day, berlin)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range edgesOf(s, berlin, day, day.AddDate(0, 0, 1)) {
			got = append(got, fmt.Sprintf("%s %s", e.at.UTC().Format("15:04"), e.power))
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/internal/config"
)

// reasonsOf is what a plan of one deployment says, an edge a line.
func reasonsOf(t *testing.T, text, from string, days int) []string {
	t.Helper()
	file, problems := config.Parse("curfew.yaml", []byte(text), config.Env{ICal: goneCalendar})
	if config.Failed(problems) {
		t.Fatalf("%s", config.Render(problems, []byte(text)))
	}
	at, err := parseTime(from, time.Time{}, file.Location)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for r := range walk(planLines(file, nil), span{at, at.AddDate(0, 0, days)}) {
		out = append(out, r.edge.At.In(file.Location).Format("02 15:04 ")+r.edge.Power.Action()+": "+r.edge.because(file.Location))
	}
	return out
}

// goneCalendar is an iCalendar file with one day that has a name.
func goneCalendar(string) ([]byte, error) {
	return []byte(strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//curfew//test//EN",
		"BEGIN:VEVENT", "UID:gone-1", "DTSTAMP:20260101T000000Z", "DTSTART;VALUE=DATE:20261221", "SUMMARY:Hitzefrei", "END:VEVENT",
		"END:VCALENDAR", "",
	}, "\r\n")), nil
}

// TestReasons: every kind of edge in words.
func TestReasons(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy string
		from   string
		days   int
		want   []string
	}{
		"a window by its days": {`running: Mon-Wed,Fri 08:00-20:00`, "2026-12-21", 1, []string{
			"21 08:00 start: begin of Mon-Wed,Fri window", "21 20:00 stop: end of Mon-Wed,Fri window"}},
		"one without days by its text": {`running: 08:00-20:00`, "2026-12-21", 1, []string{
			"21 08:00 start: begin of 08:00-20:00", "21 20:00 stop: end of 08:00-20:00"}},
		"a span of days by its text": {`running: Mon 06:00-Tue 20:00`, "2026-12-21", 2, []string{
			"21 06:00 start: begin of Mon 06:00-Tue 20:00", "22 20:00 stop: end of Mon 06:00-Tue 20:00"}},
		"24:00 is the next day's 00:00": {`running: Mon 08:00-24:00`, "2026-12-21", 2, []string{
			"21 08:00 start: begin of Mon window", "22 00:00 stop: end of Mon window"}},
		"a lead, over midnight too": {"running: Tue 00:05-24:00\n  start_lead: 10m", "2026-12-21", 2, []string{
			"21 23:55 start: for 2026-12-22 00:05, lead 10m"}},
		"a start put off": {"running: Mon 06:00-Fri 20:00\n  except: gone", "2026-12-21", 3, []string{
			`21 06:00 start: start cancelled: gone "Hitzefrei"`, `22 06:00 start: begin of Mon 06:00-Fri 20:00, put off from Mon 06:00: gone "Hitzefrei"`}},
		"a start put off, by cron": {"start: \"0 6 * * MON\"\n  stop: \"0 20 * * FRI\"\n  except: gone", "2026-12-21", 3, []string{
			`21 06:00 start: start cancelled: gone "Hitzefrei"`, `22 06:00 start: 0 6 * * MON, put off from Mon 06:00: gone "Hitzefrei"`}},
		"a day of one power": {"running: Mon-Fri 08:00-20:00\n  except: {gone: running}", "2026-12-20", 3, []string{
			`21 00:00 start: begin of gone "Hitzefrei"`,
			`21 08:00 start: start cancelled: gone "Hitzefrei": running`, `21 20:00 stop: stop cancelled: gone "Hitzefrei": running`,
			`22 00:00 stop: end of gone "Hitzefrei"`,
			"22 08:00 start: begin of Mon-Fri window", "22 20:00 stop: end of Mon-Fri window"}},
		"days on which nothing is wanted": {"running: Mon-Fri 08:00-20:00\n  except: {gone: untouched}", "2026-12-20", 2, []string{
			`21 00:00 none: begin of gone "Hitzefrei": nothing wanted`,
			`21 08:00 start: start cancelled: gone "Hitzefrei": untouched`, `21 20:00 stop: stop cancelled: gone "Hitzefrei": untouched`}},
		// The 27th is odd before it is of the freeze, which so has two parts. Where
		// stopped is wanted anyway, they have no edges.
		"days that another exception parts": {"running: 08:00-20:00\n  except: {odd: off, freeze: stopped}", "2026-12-26", 4, []string{
			"26 08:00 start: start cancelled: freeze: stopped", "26 20:00 stop: stop cancelled: freeze: stopped",
			"27 08:00 start: start cancelled: odd", "27 20:00 stop: end of 08:00-20:00, no call expected",
			"28 08:00 start: start cancelled: freeze: stopped", "28 20:00 stop: stop cancelled: freeze: stopped",
			"29 08:00 start: begin of 08:00-20:00", "29 20:00 stop: end of 08:00-20:00"}},
		"and the same where nothing is wanted": {"running: 08:00-20:00\n  except: {odd: off, freeze: untouched}", "2026-12-27", 2, []string{
			"27 00:00 stop: end of freeze",
			"27 08:00 start: start cancelled: odd", "27 20:00 stop: end of 08:00-20:00, no call expected",
			"28 00:00 none: begin of freeze: nothing wanted",
			"28 08:00 start: start cancelled: freeze: untouched", "28 20:00 stop: stop cancelled: freeze: untouched"}},
		"one power only": {`stop: "0 22 * * *"`, "2026-12-21", 1, []string{"21 22:00 stop: 0 22 * * *, only if running"}},
		"another zone":   {"stop: \"0 22 * * *\"\n  timezone: UTC\n  dry_run: true", "2026-12-21", 1, []string{"21 23:00 stop: 0 22 * * *, for 22:00 UTC, dry run, no call"}},
		"a time that the clocks skip": {"start: \"15 2 * * *\"\n  stop: \"45 2 * * *\"", "2027-03-28", 1, []string{
			"28 03:00 start: start for 02:15 cancelled: superseded, the clocks skip both", "28 03:00 stop: 45 2 * * *, for 02:45, no call expected"}},
	} {
		text := "timezone: Europe/Berlin\ncalendars:\n  gone: {ical: gone.ics}\n  odd: {dates: [2026-12-27]}\n" +
			"  freeze: {dates: [2026-12-26..2026-12-28]}\npolicies:\n- name: p\n  deployments: [w1]\n  " + c.policy
		if got := reasonsOf(t, text, c.from, c.days); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

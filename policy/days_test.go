package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	cmpdiff "github.com/google/go-cmp/cmp"
)

// A daysCase is a rule, what its calendars say, and all edges of some days. Times
// are local.
type daysCase struct {
	what        string
	zone        string // Europe/Berlin where none is given
	start, stop string // as running
	running     string // parted by semicolons
	lead        time.Duration
	except      []string // "holidays off 2026-05-01=Tag der Arbeit 2026-12-25..2026-12-26"
	from, to    string
	want        string
}

// TestDays tells the cases that usually go wrong.
func TestDays(t *testing.T) {
	t.Parallel()
	const may, easter = "holidays off 2026-05-01=Tag der Arbeit", "holidays off 2027-03-26=Karfreitag 2027-03-29=Ostermontag"
	const freeze = "freeze untouched 2026-12-24..2027-01-01"
	for _, c := range []daysCase{
		{
			what: "office hours with a Friday holiday: no start, and no other day instead; the stop stays", running: "Mon-Fri 08:00-20:00", lead: 10 * time.Minute,
			except: []string{may}, from: "2026-04-30 00:00", to: "2026-05-05 00:00",
			want: `
Thu 30 Apr 07:50 start for 30 08:00
Thu 30 Apr 20:00 stop for 30 20:00
Fri 01 May 07:50 start for 01 08:00; cancelled: holidays "Tag der Arbeit"
Fri 01 May 20:00 stop for 01 20:00
Mon 04 May 07:50 start for 04 08:00
Mon 04 May 20:00 stop for 04 20:00`,
		},
		{
			what: "the same as a cron pair", start: "0 8 * * MON-FRI", stop: "0 20 * * MON-FRI", lead: 10 * time.Minute,
			except: []string{may}, from: "2026-05-01 00:00", to: "2026-05-05 00:00",
			want: `
Fri 01 May 07:50 start for 01 08:00; cancelled: holidays "Tag der Arbeit"
Fri 01 May 20:00 stop for 01 20:00
Mon 04 May 07:50 start for 04 08:00
Mon 04 May 20:00 stop for 04 20:00`,
		},
		{
			what: "a week around the clock: Good Friday still stops, Easter Monday is begun on Tuesday", running: "Mon 06:00-Fri 20:00", lead: 10 * time.Minute,
			except: []string{easter}, from: "2027-03-22 00:00", to: "2027-04-05 00:00",
			want: `
Mon 22 Mar 05:50 start for 22 06:00
Fri 26 Mar 20:00 stop for 26 20:00
Mon 29 Mar 05:50 start for 29 06:00; cancelled: holidays "Ostermontag"
Tue 30 Mar 05:50 start for 30 06:00, put off from 29 06:00
Fri 02 Apr 20:00 stop for 02 20:00`,
		},
		{
			what: "the same as a cron pair", start: "0 6 * * MON", stop: "0 20 * * FRI", lead: 10 * time.Minute,
			except: []string{easter}, from: "2027-03-22 00:00", to: "2027-04-05 00:00",
			want: `
Mon 22 Mar 05:50 start for 22 06:00
Fri 26 Mar 20:00 stop for 26 20:00
Mon 29 Mar 05:50 start for 29 06:00; cancelled: holidays "Ostermontag"
Tue 30 Mar 05:50 start for 30 06:00, put off from 29 06:00
Fri 02 Apr 20:00 stop for 02 20:00`,
		},
		{
			what: "overnight into a holiday: it belongs to Tuesday", running: "Tue 22:00-02:00",
			except: []string{"holidays off 2026-05-06"}, from: "2026-05-05 00:00", to: "2026-05-12 00:00",
			want: `
Tue 05 May 22:00 start for 05 22:00
Wed 06 May 02:00 stop for 06 02:00`,
		},
		{
			what: "overnight from a holiday: over before it could begin", running: "Tue 22:00-02:00",
			except: []string{"holidays off 2026-05-05"}, from: "2026-05-05 00:00", to: "2026-05-12 00:00",
			want: `
Tue 05 May 22:00 start for 05 22:00; cancelled: holidays
Wed 06 May 02:00 stop for 06 02:00`,
		},
		{
			what: "stops at midnight of the days after: those of a holiday stay", start: "0 8 * * MON-FRI", stop: "0 0 * * TUE-SAT",
			except: []string{may}, from: "2026-04-30 12:00", to: "2026-05-05 00:00",
			want: `
Fri 01 May 00:00 stop for 01 00:00
Fri 01 May 08:00 start for 01 08:00; cancelled: holidays "Tag der Arbeit"
Sat 02 May 00:00 stop for 02 00:00
Mon 04 May 08:00 start for 04 08:00`,
		},
		{
			what: "a lead over midnight: the nominal date decides on both sides of a holiday", start: "5 0 * * *", stop: "0 20 * * *", lead: 10 * time.Minute,
			except: []string{may}, from: "2026-04-30 12:00", to: "2026-05-02 12:00",
			want: `
Thu 30 Apr 20:00 stop for 30 20:00
Thu 30 Apr 23:55 start for 01 00:05; cancelled: holidays "Tag der Arbeit"
Fri 01 May 20:00 stop for 01 20:00
Fri 01 May 23:55 start for 02 00:05`,
		},
		{
			what: "stops alone: a day off takes nothing", stop: "0 20 * * *",
			except: []string{may}, from: "2026-05-01 00:00", to: "2026-05-02 00:00",
			want: `
Fri 01 May 20:00 stop for 01 20:00`,
		},
		{
			what: "starts alone: put off and never dropped", start: "0 8 * * FRI",
			except: []string{"holidays off 2026-05-01..2026-05-03"}, from: "2026-05-01 00:00", to: "2026-05-08 12:00",
			want: `
Fri 01 May 08:00 start for 01 08:00; cancelled: holidays
Mon 04 May 08:00 start for 04 08:00, put off from 01 08:00
Fri 08 May 08:00 start for 08 08:00`,
		},
		{
			what: "two starts put off to a third one's time are that one", start: "0 8 * * *",
			except: []string{"holidays off 2026-05-01..2026-05-02"}, from: "2026-05-01 00:00", to: "2026-05-04 00:00",
			want: `
Fri 01 May 08:00 start for 01 08:00; cancelled: holidays
Sat 02 May 08:00 start for 02 08:00; cancelled: holidays
Sun 03 May 08:00 start for 03 08:00`,
		},
		{
			what: "two starts put off to one time are the later one", start: "0 8 * * SAT; 0 8 * * SUN",
			except: []string{"holidays off 2026-05-02..2026-05-03"}, from: "2026-05-02 00:00", to: "2026-05-06 00:00",
			want: `
Sat 02 May 08:00 start for 02 08:00; cancelled: holidays
Sun 03 May 08:00 start for 03 08:00; cancelled: holidays
Mon 04 May 08:00 start for 04 08:00, put off from 03 08:00`,
		},
		{
			what: "a stop in between drops the first of two and not the second", start: "0 22 * * SAT,SUN", stop: "0 12 * * SUN,TUE",
			except: []string{"holidays off 2026-05-02..2026-05-03"}, from: "2026-05-02 00:00", to: "2026-05-06 00:00",
			want: `
Sat 02 May 22:00 start for 02 22:00; cancelled: holidays
Sun 03 May 12:00 stop for 03 12:00
Sun 03 May 22:00 start for 03 22:00; cancelled: holidays
Mon 04 May 22:00 start for 04 22:00, put off from 03 22:00
Tue 05 May 12:00 stop for 05 12:00`,
		},
		{
			what: "a stop in between drops the later of two", start: "0 8,22 * * SAT", stop: "0 12 * * SUN",
			except: []string{"holidays off 2026-05-02"}, from: "2026-05-02 00:00", to: "2026-05-05 00:00",
			want: `
Sat 02 May 08:00 start for 02 08:00; cancelled: holidays
Sat 02 May 22:00 start for 02 22:00; cancelled: holidays
Sun 03 May 08:00 start for 03 08:00, put off from 02 08:00
Sun 03 May 12:00 stop for 03 12:00`,
		},
		{
			what: "a start that is put off into a day of its own effect does not count there", start: "0 6 * * MON", stop: "0 20 * * FRI",
			except: []string{"holidays off 2027-03-29", "audit stopped 2027-03-30"}, from: "2027-03-29 00:00", to: "2027-04-02 12:00",
			want: `
Mon 29 Mar 06:00 start for 29 06:00; cancelled: holidays
Tue 30 Mar 06:00 start for 30 06:00, put off from 29 06:00; cancelled: audit: stopped
Wed 31 Mar 00:00 start for 31 00:00, by audit`,
		},
		{
			what: "days around the clock: a holiday shows where it would have joined", running: "00:00-24:00",
			except: []string{"holidays off 2026-05-01..2026-05-02"}, from: "2026-04-29 00:00", to: "2026-05-08 00:00",
			want: `
Fri 01 May 00:00 start for 01 00:00; cancelled: holidays
Fri 01 May 00:00 stop for 30 24:00
Sat 02 May 00:00 stop for 01 24:00
Sun 03 May 00:00 start for 03 00:00`,
		},
		{
			what: "windows that touch have no edge between, and on a holiday one start less", running: "08:00-12:00; 12:00-20:00",
			except: []string{may}, from: "2026-04-30 00:00", to: "2026-05-02 00:00",
			want: `
Thu 30 Apr 08:00 start for 30 08:00
Thu 30 Apr 20:00 stop for 30 20:00
Fri 01 May 08:00 start for 01 08:00; cancelled: holidays "Tag der Arbeit"
Fri 01 May 12:00 stop for 01 12:00
Fri 01 May 20:00 stop for 01 20:00`,
		},
		{
			what: "an end that another window covers is none", running: "Thu 08:00-10:00; Fri 09:00-18:00; Thu 16:00-Fri 12:00",
			except: []string{may}, from: "2026-04-30 00:00", to: "2026-05-02 00:00",
			want: `
Thu 30 Apr 08:00 start for 30 08:00
Thu 30 Apr 10:00 stop for 30 10:00
Thu 30 Apr 16:00 start for 30 16:00
Fri 01 May 12:00 stop for 01 12:00
Fri 01 May 18:00 stop for 01 18:00`,
		},
		{
			what: "a Christmas freeze: nothing by this policy, and at its end what it wants then", running: "Mon-Fri 08:00-20:00",
			except: []string{freeze}, from: "2026-12-23 00:00", to: "2027-01-04 12:00",
			want: `
Wed 23 Dec 08:00 start for 23 08:00
Wed 23 Dec 20:00 stop for 23 20:00
Thu 24 Dec 00:00 none for 24 00:00, by freeze
Thu 24 Dec 08:00 start for 24 08:00; cancelled: freeze: untouched
Thu 24 Dec 20:00 stop for 24 20:00; cancelled: freeze: untouched
Fri 25 Dec 08:00 start for 25 08:00; cancelled: freeze: untouched
Fri 25 Dec 20:00 stop for 25 20:00; cancelled: freeze: untouched
Mon 28 Dec 08:00 start for 28 08:00; cancelled: freeze: untouched
Mon 28 Dec 20:00 stop for 28 20:00; cancelled: freeze: untouched
Tue 29 Dec 08:00 start for 29 08:00; cancelled: freeze: untouched
Tue 29 Dec 20:00 stop for 29 20:00; cancelled: freeze: untouched
Wed 30 Dec 08:00 start for 30 08:00; cancelled: freeze: untouched
Wed 30 Dec 20:00 stop for 30 20:00; cancelled: freeze: untouched
Thu 31 Dec 08:00 start for 31 08:00; cancelled: freeze: untouched
Thu 31 Dec 20:00 stop for 31 20:00; cancelled: freeze: untouched
Fri 01 Jan 08:00 start for 01 08:00; cancelled: freeze: untouched
Fri 01 Jan 20:00 stop for 01 20:00; cancelled: freeze: untouched
Sat 02 Jan 00:00 stop for 02 00:00, by freeze
Mon 04 Jan 08:00 start for 04 08:00`,
		},
		{
			what: "a freeze of stops alone: the stop that it put off comes at its end", stop: "0 20 * * *",
			except: []string{"freeze untouched 2026-12-24..2026-12-25"}, from: "2026-12-23 12:00", to: "2026-12-26 12:00",
			want: `
Wed 23 Dec 20:00 stop for 23 20:00
Thu 24 Dec 00:00 none for 24 00:00, by freeze
Thu 24 Dec 20:00 stop for 24 20:00; cancelled: freeze: untouched
Fri 25 Dec 20:00 stop for 25 20:00; cancelled: freeze: untouched
Sat 26 Dec 00:00 stop for 26 00:00, by freeze`,
		},
		{
			what: "the end at 24:00 of the day before a freeze counts, and is given a minute", running: "08:00-24:00",
			except: []string{"freeze untouched 2026-12-24"}, from: "2026-12-23 12:00", to: "2026-12-25 12:00",
			want: `
Thu 24 Dec 00:00 stop for 23 24:00
Thu 24 Dec 00:01 none for 24 00:00, by freeze
Thu 24 Dec 08:00 start for 24 08:00; cancelled: freeze: untouched
Fri 25 Dec 00:00 stop for 24 24:00; cancelled: freeze: untouched
Fri 25 Dec 00:00 stop for 25 00:00, by freeze
Fri 25 Dec 08:00 start for 25 08:00`,
		},
		{
			what: "the same time written as 00:00 lies in the freeze", running: "08:00-00:00",
			except: []string{"freeze untouched 2026-12-24"}, from: "2026-12-23 12:00", to: "2026-12-25 12:00",
			want: `
Thu 24 Dec 00:00 stop for 24 00:00; cancelled: freeze: untouched
Thu 24 Dec 00:00 none for 24 00:00, by freeze
Thu 24 Dec 08:00 start for 24 08:00; cancelled: freeze: untouched
Fri 25 Dec 00:00 stop for 25 00:00
Fri 25 Dec 08:00 start for 25 08:00`,
		},
		{
			what: "the end at 24:00 before a day that stops is that stop", running: "08:00-24:00",
			except: []string{"audit stopped 2026-12-24"}, from: "2026-12-23 12:00", to: "2026-12-25 12:00",
			want: `
Thu 24 Dec 00:00 stop for 23 24:00
Thu 24 Dec 08:00 start for 24 08:00; cancelled: audit: stopped
Fri 25 Dec 00:00 stop for 24 24:00; cancelled: audit: stopped
Fri 25 Dec 08:00 start for 25 08:00`,
		},
		{
			what: "the end at 24:00 before a day that runs does not interrupt", running: "08:00-24:00",
			except: []string{"launch running 2026-12-24=Launch"}, from: "2026-12-23 12:00", to: "2026-12-25 12:00",
			want: `
Thu 24 Dec 00:00 stop for 23 24:00; cancelled: launch "Launch": running
Thu 24 Dec 08:00 start for 24 08:00; cancelled: launch "Launch": running
Fri 25 Dec 00:00 stop for 24 24:00; cancelled: launch "Launch": running
Fri 25 Dec 00:00 stop for 25 00:00, by launch "Launch"
Fri 25 Dec 08:00 start for 25 08:00`,
		},
		{
			what: "a Saturday that runs", running: "Mon-Fri 08:00-20:00",
			except: []string{"launch running 2026-05-02"}, from: "2026-05-01 12:00", to: "2026-05-04 12:00",
			want: `
Fri 01 May 20:00 stop for 01 20:00
Sat 02 May 00:00 start for 02 00:00, by launch
Sun 03 May 00:00 stop for 03 00:00, by launch
Mon 04 May 08:00 start for 04 08:00`,
		},
		{
			what: "a day inside a week around the clock that stops", running: "Mon 06:00-Fri 20:00",
			except: []string{"audit stopped 2026-05-06"}, from: "2026-05-04 00:00", to: "2026-05-09 00:00",
			want: `
Mon 04 May 06:00 start for 04 06:00
Wed 06 May 00:00 stop for 06 00:00, by audit
Thu 07 May 00:00 start for 07 00:00, by audit
Fri 08 May 20:00 stop for 08 20:00`,
		},
		{
			what: "a start after a stopped day may come on it, and is enough", start: "5 0 * * *", stop: "0 20 * * *", lead: 10 * time.Minute,
			except: []string{"audit stopped 2026-05-06"}, from: "2026-05-05 12:00", to: "2026-05-07 12:00",
			want: `
Tue 05 May 20:00 stop for 05 20:00
Tue 05 May 23:55 start for 06 00:05; cancelled: audit: stopped
Wed 06 May 20:00 stop for 06 20:00; cancelled: audit: stopped
Wed 06 May 23:55 start for 07 00:05`,
		},
		{
			what: "a stop that falls on such a day is put off, not dropped", running: "Tue 22:00-02:00",
			except: []string{"freeze untouched 2026-05-06"}, from: "2026-05-05 12:00", to: "2026-05-08 00:00",
			want: `
Tue 05 May 22:00 start for 05 22:00
Wed 06 May 00:00 none for 06 00:00, by freeze
Wed 06 May 02:00 stop for 06 02:00; cancelled: freeze: untouched
Thu 07 May 00:00 stop for 07 00:00, by freeze`,
		},
		{
			what: "of two calendars with one date the first in the file decides; where effects meet there is one edge", running: "Mon-Fri 08:00-20:00",
			except: []string{"launch running 2026-05-02..2026-05-03", "audit stopped 2026-05-03..2026-05-04"}, from: "2026-05-01 12:00", to: "2026-05-05 12:00",
			want: `
Fri 01 May 20:00 stop for 01 20:00
Sat 02 May 00:00 start for 02 00:00, by launch
Mon 04 May 00:00 stop for 04 00:00, by audit
Mon 04 May 08:00 start for 04 08:00; cancelled: audit: stopped
Mon 04 May 20:00 stop for 04 20:00; cancelled: audit: stopped
Tue 05 May 08:00 start for 05 08:00`,
		},
		{
			what: "first listed: a holiday in the freeze is off", running: "Mon-Fri 08:00-20:00",
			except: []string{may, "freeze untouched 2026-05-01"}, from: "2026-05-01 00:00", to: "2026-05-02 00:00",
			want: `
Fri 01 May 08:00 start for 01 08:00; cancelled: holidays "Tag der Arbeit"
Fri 01 May 20:00 stop for 01 20:00`,
		},
		{
			what: "a day that wants what is wanted makes no edge", running: "Mon-Fri 08:00-20:00",
			except: []string{"audit stopped 2026-05-02..2026-05-03"}, from: "2026-05-01 12:00", to: "2026-05-04 12:00",
			want: `
Fri 01 May 20:00 stop for 01 20:00
Mon 04 May 08:00 start for 04 08:00`,
		},
		{
			what: "windows of one policy overlap", running: "Mon-Fri 08:00-20:00; Wed 18:00-22:00",
			from: "2026-05-05 00:00", to: "2026-05-07 00:00",
			want: `
Tue 05 May 08:00 start for 05 08:00
Tue 05 May 20:00 stop for 05 20:00
Wed 06 May 08:00 start for 06 08:00
Wed 06 May 22:00 stop for 06 22:00`,
		},
		{
			what: "a lead joins what lies closer than it", running: "08:00-12:00; 12:10-20:00; 20:11-21:00", lead: 10 * time.Minute,
			from: "2026-05-05 00:00", to: "2026-05-06 00:00",
			want: `
Tue 05 May 07:50 start for 05 08:00
Tue 05 May 20:00 stop for 05 20:00
Tue 05 May 20:01 start for 05 20:11
Tue 05 May 21:00 stop for 05 21:00`,
		},
		{
			what: "in the night when the clocks skip 02:00 to 03:00", running: "02:15-02:45; 02:30-04:00; 01:00-02:20",
			from: "2027-03-28 00:00", to: "2027-03-29 00:00",
			want: `
Sun 28 Mar 01:00 start for 28 01:00
Sun 28 Mar 04:00 stop for 28 04:00`,
		},
		{
			what: "two begins at the end of the gap are the later one", running: "02:15-04:00; 02:30-05:00; 02:20-03:30",
			from: "2027-03-28 00:00", to: "2027-03-29 00:00",
			want: `
Sun 28 Mar 03:00 start for 28 02:30
Sun 28 Mar 05:00 stop for 28 05:00`,
		},
		{
			what: "a window that the gap swallows", running: "02:15-02:45",
			from: "2027-03-27 12:00", to: "2027-03-30 00:00",
			want: `
Mon 29 Mar 02:15 start for 29 02:15
Mon 29 Mar 02:45 stop for 29 02:45`,
		},
		{
			what: "in the night when 02:00 to 03:00 comes twice: from the first pass, to the first instant of the end", running: "02:15-02:45; 02:50-03:10",
			from: "2026-10-25 00:00", to: "2026-10-26 00:00",
			want: `
Sun 25 Oct 02:15 start for 25 02:15
Sun 25 Oct 02:45 stop for 25 02:45
Sun 25 Oct 02:50 start for 25 02:50
Sun 25 Oct 03:10 stop for 25 03:10`,
		},
		{
			what: "of two runs of a window that are off the second may last", running: "Mon 06:00-Sun 20:00",
			except: []string{"holidays off 2027-03-29..2027-04-05"}, from: "2027-03-29 00:00", to: "2027-04-12 00:00",
			want: `
Mon 29 Mar 06:00 start for 29 06:00; cancelled: holidays
Sun 04 Apr 20:00 stop for 04 20:00
Mon 05 Apr 06:00 start for 05 06:00; cancelled: holidays
Tue 06 Apr 06:00 start for 06 06:00, put off from 05 06:00
Sun 11 Apr 20:00 stop for 11 20:00`,
		},
		{
			what: "a clock that is set back over midnight shows the day before once more: real time counts there", zone: "America/St_Johns", stop: "*/20 23,0 * * *",
			except: []string{"freeze untouched 2008-11-02"}, from: "2008-11-01 23:15", to: "2008-11-02 22:30",
			want: `
Sat 01 Nov 23:20 stop for 01 23:20
Sat 01 Nov 23:40 stop for 01 23:40
Sun 02 Nov 00:00 stop for 02 00:00; cancelled: freeze: untouched
Sun 02 Nov 00:00 none for 02 00:00, by freeze
Sat 01 Nov 23:20 stop for 01 23:20
Sat 01 Nov 23:40 stop for 01 23:40
Sun 02 Nov 00:00 stop for 02 00:00; cancelled: freeze: untouched
Sun 02 Nov 00:20 stop for 02 00:20; cancelled: freeze: untouched
Sun 02 Nov 00:40 stop for 02 00:40; cancelled: freeze: untouched`,
		},
		{
			what: "also where the day makes no edge", zone: "America/St_Johns", stop: "*/20 23,0 * * *",
			except: []string{"audit stopped 2008-11-02"}, from: "2008-11-01 23:35", to: "2008-11-02 00:10",
			want: `
Sat 01 Nov 23:40 stop for 01 23:40
Sun 02 Nov 00:00 stop for 02 00:00; cancelled: audit: stopped
Sat 01 Nov 23:20 stop for 01 23:20
Sat 01 Nov 23:40 stop for 01 23:40
Sun 02 Nov 00:00 stop for 02 00:00; cancelled: audit: stopped`,
		},
		{
			what: "and does not where that day is the one", zone: "America/St_Johns", stop: "*/20 23,0 * * *",
			except: []string{"freeze untouched 2008-11-01"}, from: "2008-11-01 23:15", to: "2008-11-02 00:30",
			want: `
Sat 01 Nov 23:20 stop for 01 23:20; cancelled: freeze: untouched
Sat 01 Nov 23:40 stop for 01 23:40; cancelled: freeze: untouched
Sun 02 Nov 00:00 stop for 02 00:00
Sat 01 Nov 23:20 stop for 01 23:20; cancelled: freeze: untouched
Sat 01 Nov 23:40 stop for 01 23:40; cancelled: freeze: untouched
Sun 02 Nov 00:00 stop for 02 00:00
Sun 02 Nov 00:20 stop for 02 00:20`,
		},
		{
			what: "starts in real time that are off on the second of the two dates", zone: "America/St_Johns", start: "*/20 23,0 1,2 11 *", stop: "5 1 * * *",
			except: []string{"holidays off 2008-11-02"}, from: "2008-11-01 23:15", to: "2008-11-03 02:00",
			want: `
Sat 01 Nov 23:20 start for 01 23:20
Sat 01 Nov 23:40 start for 01 23:40
Sun 02 Nov 00:00 start for 02 00:00; cancelled: holidays
Sat 01 Nov 23:20 start for 01 23:20
Sat 01 Nov 23:40 start for 01 23:40
Sun 02 Nov 00:00 start for 02 00:00; cancelled: holidays
Sun 02 Nov 00:20 start for 02 00:20; cancelled: holidays
Sun 02 Nov 00:40 start for 02 00:40; cancelled: holidays
Sun 02 Nov 01:05 stop for 02 01:05
Sun 02 Nov 23:00 start for 02 23:00; cancelled: holidays
Sun 02 Nov 23:20 start for 02 23:20; cancelled: holidays
Sun 02 Nov 23:40 start for 02 23:40; cancelled: holidays
Mon 03 Nov 01:05 stop for 03 01:05`,
		},
		{
			what: "and on the first", zone: "America/St_Johns", start: "*/20 23,0 1,2 11 *", stop: "5 1 * * *",
			except: []string{"holidays off 2008-11-01"}, from: "2008-11-01 23:35", to: "2008-11-02 00:30",
			want: `
Sat 01 Nov 23:40 start for 01 23:40; cancelled: holidays
Sun 02 Nov 00:00 start for 02 00:00
Sat 01 Nov 23:20 start for 01 23:20; cancelled: holidays
Sat 01 Nov 23:40 start for 01 23:40; cancelled: holidays
Sun 02 Nov 00:00 start for 02 00:00
Sun 02 Nov 00:20 start for 02 00:20`,
		},
		{
			what: "a start in real time that is off comes twice: a stop between drops neither", start: "*/30 2 25 10 *", stop: "45 2 25 10 *",
			except: []string{"holidays off 2026-10-25"}, from: "2026-10-25 00:00", to: "2026-10-27 00:00",
			want: `
Sun 25 Oct 02:00 start for 25 02:00; cancelled: holidays
Sun 25 Oct 02:30 start for 25 02:30; cancelled: holidays
Sun 25 Oct 02:45 stop for 25 02:45
Sun 25 Oct 02:00 start for 25 02:00; cancelled: holidays
Sun 25 Oct 02:30 start for 25 02:30; cancelled: holidays
Mon 26 Oct 02:00 start for 26 02:00, put off from 25 02:00
Mon 26 Oct 02:30 start for 26 02:30, put off from 25 02:30`,
		},
		{
			what: "a date that the clock skips is no day off by the one after it", zone: "Pacific/Apia", start: "0 0,8 * * *", stop: "0 20 28 12 *",
			except: []string{"holidays off 2011-12-31"}, from: "2011-12-29 12:00", to: "2012-01-01 12:00",
			want: `
Sat 31 Dec 00:00 start for 31 00:00; cancelled: holidays
Sat 31 Dec 00:00 start for 30 08:00
Sat 31 Dec 08:00 start for 31 08:00; cancelled: holidays
Sun 01 Jan 00:00 start for 01 00:00
Sun 01 Jan 08:00 start for 01 08:00`,
		},
		{
			what: "a lead may reach the very begin of a day that stops", zone: "America/Sao_Paulo", start: "30 0 * * *", lead: 24 * time.Hour,
			except: []string{"audit stopped 2018-11-03"}, from: "2018-11-02 12:00", to: "2018-11-04 12:00",
			want: `
Sat 03 Nov 00:00 start for 04 00:30
Sat 03 Nov 23:30 start for 05 00:30`,
		},
		{
			what: "a put-off start into the night of a gap", start: "15,45 2 27 3 *", stop: "0 20 * * *",
			except: []string{"holidays off 2027-03-27"}, from: "2027-03-27 00:00", to: "2027-03-29 00:00",
			want: `
Sat 27 Mar 02:15 start for 27 02:15; cancelled: holidays
Sat 27 Mar 02:45 start for 27 02:45; cancelled: holidays
Sat 27 Mar 20:00 stop for 27 20:00
Sun 28 Mar 20:00 stop for 28 20:00`,
		},
		{
			what: "a put-off start into the night of a gap, with no stop between", start: "15,45 2 27 3 *",
			except: []string{"holidays off 2027-03-27"}, from: "2027-03-27 00:00", to: "2027-03-29 00:00",
			want: `
Sat 27 Mar 02:15 start for 27 02:15; cancelled: holidays
Sat 27 Mar 02:45 start for 27 02:45; cancelled: holidays
Sun 28 Mar 03:00 start for 28 02:45, put off from 27 02:45`,
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			var got []string
			p := c.policy(t)
			var counting []Edge
			for e := range p.Edges(in(p.loc, c.from), in(p.loc, c.to)) {
				got = append(got, tellDay(e))
				if e.Cancelled == "" {
					counting = append(counting, e)
				}
			}
			if d := cmpdiff.Diff(strings.Split(strings.TrimSpace(c.want), "\n"), got); d != "" {
				t.Errorf("edges (-want +got):\n%s", d)
			}
			checkBothWays(t, p, counting, in(p.loc, c.from), in(p.loc, c.to))
		})
	}
}

// policy compiles a case.
func (c *daysCase) policy(t *testing.T) *Policy {
	t.Helper()
	s := Spec{Name: "p", Zone: cmp.Or(c.zone, "Europe/Berlin"), Options: Options{StartLead: c.lead}}
	for _, expr := range parted(c.start) {
		s.Start = append(s.Start, Cron{Expr: expr})
	}
	for _, expr := range parted(c.stop) {
		s.Stop = append(s.Stop, Cron{Expr: expr})
	}
	for _, expr := range parted(c.running) {
		s.Running = append(s.Running, Window{Expr: expr})
	}
	var calendars []*Calendar
	for _, text := range c.except {
		name, effect, days := readExcept(t, text)
		calendars = append(calendars, NewCalendar(name, days))
		s.Except = append(s.Except, Exception{Calendar: name, Effect: effect})
	}
	return compiledWith(t, s, calendars...)
}

func parted(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "; "), func(s string) bool { return s == "" })
}

// checkBothWays asks for each edge that counts, forwards and backwards.
func checkBothWays(t *testing.T, p *Policy, edges []Edge, from, to time.Time) {
	t.Helper()
	after := from.Add(-1)
	for i, e := range edges {
		if got, ok := p.Next(after); !ok || got != e {
			t.Errorf("the edge after %v is %s, want %s", after, tellDay(got), tellDay(e))
		}
		before := to
		if i+1 < len(edges) {
			before = edges[i+1].At
		}
		for _, upTo := range []time.Time{e.At, before.Add(-1)} {
			if got, ok := p.Prev(upTo); !ok || got != e {
				t.Errorf("the last edge up to %v is %s, want %s", upTo, tellDay(got), tellDay(e))
			}
		}
		after = e.At
	}
	if got, ok := p.Next(after); ok && got.At.Before(to) {
		t.Errorf("the edge after %v is %s, want none before %v", after, tellDay(got), to)
	}
}

// readExcept reads "holidays off 2026-05-01=Tag der Arbeit 2026-12-25..2026-12-26".
func readExcept(t *testing.T, text string) (name string, effect Effect, days []Day) {
	t.Helper()
	words := strings.Fields(text)
	effect, ok := ParseEffect(words[1])
	if !ok {
		t.Fatalf("%q: %s is no effect", text, words[1])
	}
	for _, word := range words[2:] {
		span, called, _ := strings.Cut(word, "=")
		if !strings.ContainsAny(span[:1], "0123456789") { // a name with blanks
			days[len(days)-1].Name += " " + word
			continue
		}
		first, last, ranged := strings.Cut(span, "..")
		if !ranged {
			last = first
		}
		end := must(time.Parse(time.DateOnly, last))
		for at := must(time.Parse(time.DateOnly, first)); !at.After(end); at = at.AddDate(0, 0, 1) {
			days = append(days, Day{Date{at.Year(), at.Month(), at.Day()}, called})
		}
	}
	return words[0], effect, days
}

func in(loc *time.Location, at string) time.Time {
	return must(time.ParseInLocation("2006-01-02 15:04", at, loc))
}

// tellDay writes an edge as the table does.
func tellDay(e Edge) string {
	day := func(c Civil) string { return fmt.Sprintf("%02d %02d:%02d", c.Day, c.Hour, c.Minute) }
	s := fmt.Sprintf("%s %s for %s", e.At.Format("Mon 02 Jan 15:04"), e.Power.Action(), day(e.Nominal))
	if e.PutOff != (Civil{}) {
		s += ", put off from " + day(e.PutOff)
	}
	if e.Because.Kind == KindCalendar {
		s += ", by " + e.Because.Ref
	}
	if e.Cancelled != "" {
		s += "; cancelled: " + e.Cancelled
	}
	return s
}

// TestDecideOnDays tells what is wanted around days, since when and by whose
// word.
func TestDecideOnDays(t *testing.T) {
	t.Parallel()
	office := daysCase{running: "Mon-Fri 08:00-20:00", except: []string{"freeze untouched 2026-12-24..2026-12-26=Weihnachten", "launch running 2026-12-27"}}
	around := daysCase{running: "00:00-24:00", except: []string{"audit stopped 2026-05-06"}}
	start := daysCase{start: "0 8 1 6 *", except: []string{"freeze untouched 2026-05-06"}}
	for _, c := range []struct {
		what string
		of   daysCase
		want map[string]string
	}{
		{"nothing in a freeze, and running after it for one day", office, map[string]string{
			"2026-12-23 23:59": "stopped since 23 20:00 until 24 00:00, Mon-Fri 08:00-20:00",
			"2026-12-24 00:00": "none since 24 00:00 until 27 00:00, freeze \"Weihnachten\"",
			"2026-12-25 12:00": "none since 24 00:00 until 27 00:00, freeze \"Weihnachten\"",
			"2026-12-27 00:00": "running since 27 00:00 until 28 00:00, launch",
			"2026-12-28 00:00": "stopped since 28 00:00 until 28 08:00, launch",
		}},
		{"windows without a gap run before the first day that ends them, and since nothing that is known", around, map[string]string{
			"2026-05-05 23:59": "running since never until 06 00:00, 00:00-24:00",
			"2026-05-06 00:00": "stopped since 06 00:00 until 07 00:00, audit",
			"2026-05-07 00:00": "running since 07 00:00 until never, audit",
			"9990-05-07 00:00": "running since 07 00:00 until never, audit",
		}},
		{"after a freeze with no edge of last year's behind it", start, map[string]string{
			"2026-05-05 23:59": "running since 01 08:00 until 06 00:00, 0 8 1 6 *",
			"2026-05-06 12:00": "none since 06 00:00 until 07 00:00, freeze",
			"2026-05-07 00:00": "running since 07 00:00 until 01 08:00, freeze",
		}},
	} {
		p := c.of.policy(t)
		for at, want := range c.want {
			d := p.Decide(in(p.loc, at))
			clock := func(t time.Time) string {
				if t.IsZero() {
					return "never"
				}
				return t.Format("02 15:04")
			}
			if got := fmt.Sprintf("%s since %s until %s, %s", d.Want, clock(d.Since), clock(d.Until), d.Because.Ref); got != want {
				t.Errorf("%s: at %s\n got %s\nwant %s", c.what, at, got, want)
			}
		}
	}
}

// TestNothingBehindDays is a start that never came before the freeze: its end
// wants nothing again, and there is no edge at all.
func TestNothingBehindDays(t *testing.T) {
	t.Parallel()
	s := Spec{Name: "p", Zone: "UTC", Stop: []Cron{{Expr: "0 20 29 2 *"}}, Except: []Exception{{Calendar: "freeze", Effect: EffectUntouched}, {Calendar: "launch", Effect: EffectRunning}}}
	p := compiledWith(t, s, NewCalendar("freeze", []Day{{Date: Date{1, time.July, 1}}}), NewCalendar("launch", []Day{{Date: Date{3, time.July, 1}}}))
	e, ok := p.Next(time.Time{})
	if want := time.Date(3, 7, 1, 0, 0, 0, 0, time.UTC); !ok || !e.At.Equal(want) || e.Power != Running {
		t.Errorf("the first edge of all is %s at %v, want the launch", e.Power, e.At)
	}
	e, _ = p.Next(e.At)
	if want := time.Date(3, 7, 2, 0, 0, 0, 0, time.UTC); !e.At.Equal(want) || e.Power != None || e.Because.Ref != "launch" {
		t.Errorf("then comes %s at %v by %q, want none by the launch", e.Power, e.At, e.Because.Ref)
	}
	if e, ok := p.NextOf(None, time.Time{}); !ok || e.At.Year() != 3 {
		t.Errorf("the first edge of none is at %v, %t", e.At, ok)
	}
}

func TestHasOnDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of               daysCase
		running, stopped bool
	}{
		{daysCase{running: "Mon 08:00-20:00"}, true, true},
		{daysCase{stop: "0 20 * * *"}, false, true},
		{daysCase{stop: "0 20 * * *", except: []string{"launch running 2026-05-01"}}, true, true},
		{daysCase{stop: "0 20 * * *", except: []string{"launch running"}}, false, true},
		{daysCase{start: "0 8 * * *", except: []string{"audit stopped 2026-05-01"}}, true, true},
		{daysCase{start: "0 8 * * *", except: []string{"freeze untouched 2026-05-01"}}, true, false},
	} {
		p := c.of.policy(t)
		if p.Has(Running) != c.running || p.Has(Stopped) != c.stopped || p.Has(None) {
			t.Errorf("%+v: running %t, stopped %t, none %t", c.of, p.Has(Running), p.Has(Stopped), p.Has(None))
		}
	}
}

// TestCalendar is the set of dates itself.
func TestCalendar(t *testing.T) {
	t.Parallel()
	given := []Day{
		{Date{2026, time.December, 26}, "2. Weihnachtstag"},
		{Date{2026, time.February, 29}, "no date"},
		{Date{2026, time.December, 25}, "1. Weihnachtstag"},
		{Date{2026, time.December, 26}, "Stephanstag"},
		{Date{0, time.December, 26}, "before all"},
		{Date{10000, time.January, 1}, "after all"},
		{Date{2026, 13, 1}, "no month"},
		{Date{2026, time.May, 0}, "no day"},
		{Date{2024, time.February, 29}, ""},
	}
	c := NewCalendar("holidays", given)
	given[2].Name = "changed by its owner"
	want := []Day{{Date{2024, time.February, 29}, ""}, {Date{2026, time.December, 25}, "1. Weihnachtstag"}, {Date{2026, time.December, 26}, "2. Weihnachtstag"}}
	if d := cmpdiff.Diff(want, slices.Collect(c.Days())); d != "" {
		t.Errorf("days (-want +got):\n%s", d)
	}
	if d, ok := c.On(Date{2026, time.December, 26}); !ok || d != want[2] {
		t.Errorf("on 26 December: %v, %t", d, ok)
	}
	if d, ok := c.On(Date{2026, time.December, 24}); ok {
		t.Errorf("on 24 December: %v, want none", d)
	}
	if last, ok := c.Last(); !ok || last.String() != "2026-12-26" || c.Len() != 3 || c.Name() != "holidays" {
		t.Errorf("%s has %d dates, the last %s, %t", c.Name(), c.Len(), last, ok)
	}
	empty := NewCalendar("none", nil)
	if last, ok := empty.Last(); ok || empty.Len() != 0 {
		t.Errorf("an empty calendar ends on %s, %t", last, ok)
	}
}

func TestEffects(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]Effect{"off": EffectOff, "stopped": EffectStopped, "running": EffectRunning, "untouched": EffectUntouched} {
		if got, ok := ParseEffect(word); !ok || got != want || got.String() != word {
			t.Errorf("%q reads as %s, %t", word, got, ok)
		}
	}
	for _, word := range []string{"", "Off", "on", "unknown", "stop"} {
		if got, ok := ParseEffect(word); ok {
			t.Errorf("%q reads as %s, want nothing", word, got)
		}
	}
}

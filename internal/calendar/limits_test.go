package calendar

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// filled repeats what unit writes, in a calendar, up to the largest file.
func filled(unit func(i int) string) []byte {
	const begin, end = "BEGIN:VCALENDAR\n", "END:VCALENDAR\n"
	b := bytes.NewBufferString(begin)
	for i := 0; ; i++ {
		u := unit(i)
		if b.Len()+len(u)+len(end) > MaxSize {
			b.WriteString(end)
			return b.Bytes()
		}
		b.WriteString(u)
	}
}

func anEvent(uid, body string) string {
	return "BEGIN:VEVENT\nUID:" + uid + "\n" + body + "\nEND:VEVENT\n"
}

// each writes a file of events that differ in nothing but their UID.
func each(body string) []byte {
	return filled(func(i int) string { return anEvent(fmt.Sprint(i), body) })
}

// TestHostile reads files that ask for more than they should get, each as large
// as a file may be. That they end is the half of it; the other half is that they
// say what was cut.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		text []byte
		days int
		want string // in a notice
	}{
		{"events", each("DTSTART:20260101"), 1, "more than 10000 events"},
		{"long events", each("DTSTART:20260101\nDTEND:99991231"), 400, "is cut after 400"},
		{"days", each("DTSTART:20260101\nDURATION:P400D"), 400, "more than 100000 days"},
		{"daily rules", each("DTSTART:20000101\nRRULE:FREQ=DAILY"), 36525, "more than 100000 days"},
		{"rules that never happen", each("DTSTART:16000101\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), 0, "one rule too many"},
		{"rules of one event", filled(func(i int) string {
			if i == 0 {
				return "BEGIN:VEVENT\nDTSTART:16000101\n"
			}
			return "RRULE:FREQ=DAILY;UNTIL=19980101\n"
		}), 0, "no END:VEVENT"},
		{"changes of one series", filled(func(i int) string {
			if i%2 == 0 {
				return anEvent("a", "DTSTART:20200101\nRRULE:FREQ=DAILY;COUNT=1000")
			}
			return anEvent("a", "DTSTART:20200101\nRECURRENCE-ID;RANGE=THISANDFUTURE:"+(day(18262+i/2%1000)).midnight().Format("20060102"))
		}), 1, "one rule too many"},
		{"exceptions", filled(func(i int) string {
			if i == 0 {
				return "BEGIN:VEVENT\nDTSTART:20260101\n"
			}
			return "EXDATE:20260102T000000Z,20260103T000000Z,20260104T000000Z\n"
		}), 0, "no END:VEVENT"},
		{"parameters", filled(func(int) string { return anEvent("a", "DTSTART"+strings.Repeat(";A=1", 16000)+":20260101") }), 0, "more than 1024 bytes of parameters"},
		{"long values", filled(func(int) string {
			return anEvent("a", "DTSTART"+strings.Repeat(";A=1", 250)+":"+strings.Repeat("1", 60000))
		}), 0, "is no date"},
		{"a folded line", filled(func(i int) string {
			if i == 0 {
				return "BEGIN:VEVENT\nDTSTART:2026\n"
			}
			return " 1\n"
		}), 0, "no END:VEVENT"},
		{"a long line", []byte("BEGIN:VCALENDAR\n" + anEvent("a", "DTSTART:20260101"+strings.Repeat("\n x", maxLine)) + "END:VCALENDAR\n"), 0, "longer than 64 KiB"},
		{"nesting", filled(func(int) string { return "BEGIN:A\n" }), 0, "more than 16 deep"},
		{"nothing but beginnings", filled(func(int) string { return "BEGIN:VEVENT\n" }), 0, "no END:VEVENT"},
		{"nothing but ends", filled(func(int) string { return "END:VEVENT\n" }), 0, "ends nothing"},
		{"junk", filled(func(int) string { return "x\n" }), 0, "no event in the file"},
		{"zones", filled(func(i int) string { return fmt.Sprintf("BEGIN:VTIMEZONE\nTZID:%d\nEND:VTIMEZONE\n", i) }), 0, "no event in the file"},
		{"a different mistake in each event", filled(func(i int) string {
			return anEvent(fmt.Sprint(i), fmt.Sprintf("DTSTART:20260101\nRRULE:FREQ=%d", i))
		}), 0, "other things are left out as well"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			days, notices, err := ParseICal("x.ics", c.text)
			if err != nil || len(days) != c.days {
				t.Errorf("got %d days, %v, want %d", len(days), err, c.days)
			}
			if len(notices) > maxKinds+1 || !strings.Contains(told(notices), c.want) {
				t.Errorf("want %q in the notices, got %d:\n%.2000s", c.want, len(notices), told(notices))
			}
		})
	}
}

// TestWithinLimits reads what is just small enough: nothing is cut.
func TestWithinLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		days int
	}{
		"400 days":               {anEvent("a", "DTSTART:20260101\nDURATION:P400D"), 400},
		"a thousand exceptions":  {anEvent("a", "DTSTART:20260101\nRRULE:FREQ=DAILY;COUNT=1002\nEXDATE:"+strings.Repeat("20260102,", 999)+"20260103"), 1000},
		"a long line elsewhere":  {anEvent("a", "DTSTART:20260101\nDESCRIPTION:"+strings.Repeat("x", 2*maxLine)), 1},
		"a long summary":         {anEvent("a", "DTSTART:20260101\nSUMMARY:"+strings.Repeat("x", maxLine-len("SUMMARY:"))), 1},
		"an endless summary":     {anEvent("a", "DTSTART:20260101\nSUMMARY:"+strings.Repeat("x", 2*maxLine)), 1},
		"every day of the years": {anEvent("a", "DTSTART:19990101\nRRULE:FREQ=DAILY"), 36525},
	} {
		days, notices, err := ParseICal("x.ics", []byte("BEGIN:VCALENDAR\n"+c.body+"END:VCALENDAR\n"))
		if err != nil || len(notices) > 0 || len(days) != c.days {
			t.Errorf("%s: got %d days, %v, %v, want %d", name, len(days), notices, err, c.days)
		}
	}
}

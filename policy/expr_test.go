package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSpellings lists what people write and its plain form.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for written, plain := range map[string]string{
		"0 20 * * 7":                           "0 20 * * 0",
		"0 20 * * 5-7":                         "0 20 * * 5,6,0",
		"0 20 * * FRI-SUN":                     "0 20 * * 5,6,0",
		"0 20 * * fri-Sun":                     "0 20 * * 5,6,0",
		"0 20 * * SAT-SUN":                     "0 20 * * 6,0",
		"0 20 * * 5-0":                         "0 20 * * 5,6,0",
		"0 20 * * 6-7/1":                       "0 20 * * 6,0",
		"0 20 * * 1-7/2":                       "0 20 * * 1,3,5,0",
		"0 20 * * 1-7/3":                       "0 20 * * 1,4,0",
		"0 20 * * 0-7":                         "0 20 * * 0-6",
		"0 20 * * sun-7":                       "0 20 * * 0-6",
		"0 20 * * 0-7/2":                       "0 20 * * 0,2,4,6",
		"0 20 * * 7-7":                         "0 20 * * 0",
		"0 20 * * 7-SUN":                       "0 20 * * 0",
		"0 20 * * SUN-SUN":                     "0 20 * * 0",
		"0 20 * * SUN-TUE":                     "0 20 * * 0,1,2",
		"0 20 * * 1,7,MON":                     "0 20 * * 0,1",
		"0 20 * * 1,07":                        "0 20 * * 0,1",
		"0 20 * * SUN/2":                       "0 20 * * 0,2,4,6",
		"0 20 * jan-MAR *":                     "0 20 * 1-3 *",
		"0 20 * Dec *":                         "0 20 * 12 *",
		" 0\t20  * *\n* ":                      "0 20 * * *",
		"00 020 * * *":                         "0 20 * * *",
		"@daily":                               "0 0 * * *",
		"@Midnight":                            "0 0 * * *",
		"  @hourly ":                           "0 * * * *",
		"@weekly":                              "0 0 * * 0",
		"@MONTHLY":                             "0 0 1 * *",
		"@yearly":                              "0 0 1 1 *",
		"@annually":                            "0 0 1 1 *",
		"*/2 */3 */4 */5 */6":                  "*/2 0,3,6,9,12,15,18,21 1,5,9,13,17,21,25,29 1,6,11 0,6",
		"*/90 * * * *":                         "*/60 * * * *",
		"5/99999999999999999999999999 3 * * *": "5 3 * * *",
		"? ? ? ? ?":                            "* * * * *",
		"10/20 0 * * *":                        "10,30,50 0 * * *",
		"0 20 */1 * MON":                       "0 20 * * 1",
		"0 20 *,1 * MON":                       "0 20 * * 1",
		"0 20 1 * *,MON":                       "0 20 1 * *",
	} {
		got, err := ParseSchedule(written, time.UTC)
		if err != nil {
			t.Errorf("%q: %v, want what %q is", written, err, plain)
			continue
		}
		if want := must(ParseSchedule(plain, time.UTC)); got.rule() != want.rule() {
			t.Errorf("%q is %s, want %q, which is %s", written, got.rule(), plain, want.rule())
		}
	}
}

// TestRefusals lists what is refused: where in it the mistake is, a piece of
// what is said, and a piece of the hint.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expr       string
		col        int
		text, hint string
	}{
		{"", 0, "empty", "five fields"},
		{" \t\n", 0, "empty", "five fields"},
		{"0 20 * *", 0, "has only 4 fields", "five fields"},
		{"daily", 0, "has only 1 field", "five fields"},
		{"0 0 20 * * *", 0, "has six fields", "no seconds"},
		{"0 0 20 * * * 2026", 12, "has 7 fields", "five fields"},
		{"TZ=UTC", 1, "time zone has no place", "timezone: UTC"},
		{"TZ=Asia/Tokyo 0 20 * * *", 1, "time zone has no place", "timezone: Asia/Tokyo"},
		{" CRON_TZ= 0 20 * * *", 2, "time zone has no place", "timezone: Europe/Berlin"},
		{"cron_tz=UTC 0 20 * * *", 1, "time zone has no place", "timezone: UTC"},
		{"@every 1h", 1, "@every", "*/15"},
		{"@EVERY 5m", 1, "@every", "*/15"},
		{"@reboot", 1, "@reboot", "caught up"},
		{"@fortnightly", 1, "there is no @fortnightly", "@weekly"},
		{"@", 1, "there is no @", "@daily"},
		{"@daily 5", 8, "nothing may follow @daily", ""},
		{", * * * *", 1, "empty item", "comma"},
		{"0,,5 * * * *", 3, "empty item", "comma"},
		{"0 20, * * *", 6, "empty item", "comma"},
		{"*-garbage * * * *", 1, `only a step may follow "*"`, "*/2"},
		{"*-5 * * * *", 1, "only a step may follow", "*/2"},
		{"0 ?5 * * *", 3, `only a step may follow "?"`, "*/2"},
		{"60 * * * *", 1, "minute 60 is not between 0 and 59", ""},
		{"0 24 * * *", 3, "hour 24 is not between 0 and 23", ""},
		{"0 20 0 * *", 6, "day of the month 0 is not between 1 and 31", ""},
		{"0 20 32 * *", 6, "32 is not between", ""},
		{"0 20 * 13 *", 8, "month 13", ""},
		{"0 20 * * 8", 10, "day of the week 8 is not between 0 and 7", ""},
		{"0 20 * * 1,2,9", 14, "9 is not between", ""},
		{"0 99999999999999999999999 * * *", 3, "is not between", ""},
		{"+5 * * * *", 1, `"+5" is no minute`, "0 to 59"},
		{"-5 * * * *", 1, "a minute is missing", ""},
		{"5- * * * *", 3, "a minute is missing", ""},
		{"1-2-3 * * * *", 3, `"2-3" is no minute`, ""},
		{"1.5 * * * *", 1, "is no minute", ""},
		{"0 MON * * *", 3, `"MON" is no hour`, "0 to 23"},
		{"0 20 * * Monday", 10, `"Monday" is no day of the week`, "write MON"},
		{"0 20 * * MON-Friday", 14, `"Friday" is no day of the week`, "write FRI"},
		{"0 20 * August *", 8, "is no month", "write AUG"},
		{"0 20 * * XYZ", 10, "is no day of the week", "SUN to SAT"},
		{"0 20 L * *", 6, "is no day of the month", "no part of standard cron"},
		{"0 20 15W * *", 6, "is no day of the month", "no part of standard cron"},
		{"0 20 * * MON#1", 10, "is no day of the week", "no part of standard cron"},
		{"0 20 * * 5-1", 10, "runs backwards", "5-6,0-1"},
		{"0 20 * * FRI-MON", 10, "runs backwards", "5-6,0-1"},
		{"0 20 * * 7-3", 10, "runs backwards", "0-6,0-3"},
		{"0 22-6 * * *", 3, "runs backwards", "22-23,0-6"},
		{"0 20 * NOV-FEB *", 8, "runs backwards", "11-12,1-2"},
		{"0 20 * * 7/2", 10, "past the end of the week", "*/2"},
		{"*/0 * * * *", 3, "the step is 0", "1 or more"},
		{"*/ * * * *", 3, `the step "" is no number`, "*/2"},
		{"*/x * * * *", 3, `the step "x" is no number`, "*/2"},
		{"*/-5 * * * *", 3, "is no number", "*/2"},
		{"*/5/5 * * * *", 3, `the step "5/5" is no number`, ""},
		{"/5 * * * *", 1, "a minute is missing", ""},
		{"0 20 * * МON", 10, "has no place", "plain letters"},
		{"0 20\u00a0* * *", 5, "has no place", "plain letters"},
		{"0 20 * * *\x00", 11, "has no place", "plain letters"},
		{strings.Repeat("0,", 600) + "0 * * * *", 0, "bytes long", ""},
	} {
		_, err := ParseSchedule(c.expr, time.UTC)
		var fault *ExprError
		if !errors.As(err, &fault) {
			t.Errorf("%q: %v, want an ExprError", c.expr, err)
			continue
		}
		if fault.Col != c.col || fault.Expr != c.expr || !strings.Contains(fault.Text, c.text) || !strings.Contains(fault.Hint, c.hint) {
			t.Errorf("%q\n got column %d: %s (%s)\nwant column %d: …%s… (…%s…)", c.expr, fault.Col, fault.Text, fault.Hint, c.col, c.text, c.hint)
		}
	}
}

func TestExprErrorReads(t *testing.T) {
	t.Parallel()
	_, err := ParseSchedule("0 25 * * *", time.UTC)
	if got, want := fmt.Sprint(err), `parse cron "0 25 * * *": column 3: hour 25 is not between 0 and 23`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, err = ParseSchedule("@reboot"+strings.Repeat(" ", 100), time.UTC)
	if got := fmt.Sprint(err); len(got) > 200 || !strings.Contains(got, "…") {
		t.Errorf("a long expression is not cut: %s", got)
	}
}

// FuzzParseSchedule reads anything, in a zone of any jump: it never panics,
// and what is taken answers within its bounds and reads the same again.
func FuzzParseSchedule(f *testing.F) {
	for _, seed := range []string{
		"0 20 * * MON-FRI", "*/15 8-18 * * *", "@daily", "@every 1h", "TZ=UTC", "CRON_TZ=", ", * * * *", "*-garbage * * * *",
		"0 0 31 2 *", "0 0 29 2 MON", "5-7 5-7 5-7 5-7 5-7", "0 0 * * FRI-SUN", "0 0 * * 7/2", "0 0 0 0 0", "?/1 ? ? ? ?", "0 0 1 1 /", "5/99999999999999999999 * * * *",
	} {
		f.Add(seed, int64(1774746000), uint8(0))
	}
	f.Fuzz(func(t *testing.T, expr string, at int64, zone uint8) {
		zones := jumpZones()
		s, err := ParseSchedule(expr, must(time.LoadLocation(zones[int(zone)%len(zones)])))
		if err != nil {
			var fault *ExprError
			if !errors.As(err, &fault) || fault.Text == "" || fault.Col < 0 || fault.Col > len(expr)+1 { // one past the end: something is missing there
				t.Fatalf("%q: %#v", expr, err)
			}
			return
		}
		if again := must(ParseSchedule(expr, s.Location())); again.rule() != s.rule() || again.Expr() != expr {
			t.Fatalf("%q reads as %s, then as %s", expr, s.rule(), again.rule())
		}
		from := time.Unix(at%(200*365*secondsPerDay), 0)
		next, ok := s.Next(from)
		prev, found := s.Prev(from)
		if ok != s.Fires() || found != s.Fires() {
			t.Fatalf("%q fires: %t, has a next: %t, a previous: %t", expr, s.Fires(), ok, found)
		}
		if ok && (!next.After(from) || prev.After(from) || next.Sub(prev) > 9*366*24*time.Hour) {
			t.Fatalf("%q at %v: previous %v, next %v", expr, from.UTC(), prev.UTC(), next.UTC())
		}
	})
}

package policy

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestOrderOfExceptions: whoever lists a freeze behind the holidays in it is told
// that it loses them; every order in which nothing is lost is silent.
func TestOrderOfExceptions(t *testing.T) {
	t.Parallel()
	days := func(name string, first, last int) *Calendar {
		var all []Day
		for day := first; day <= last; day++ {
			all = append(all, Day{Date: Date{Year: 2026, Month: time.December, Day: day}})
		}
		return NewCalendar(name, all)
	}
	env := Env{Zones: map[string]*time.Location{"UTC": time.UTC}, Calendars: map[string]*Calendar{
		"holidays": NewCalendar("holidays", []Day{{Date{2026, 12, 25}, "Weihnachtstag"}, {Date{2026, 5, 1}, ""}}),
		"year-end": days("year-end", 24, 31), "autumn": days("autumn", 1, 6), "fair": days("fair", 24, 24), "december": days("december", 20, 31),
	}}
	type list []Exception
	for _, c := range []struct {
		name   string
		except list
		want   []string
	}{
		{"the freeze loses", list{{Calendar: "holidays"}, {Calendar: "year-end", Effect: EffectUntouched}}, []string{
			`f:2:9: calendar "holidays" takes days from "year-end", such as 25 December (Weihnachtstag): they are off, not untouched (the first listed decides: list "year-end" before "holidays")`,
		}},
		{"the freeze comes first", list{{Calendar: "year-end", Effect: EffectUntouched}, {Calendar: "holidays"}}, nil},
		{"no day in common", list{{Calendar: "holidays"}, {Calendar: "autumn", Effect: EffectUntouched}}, nil},
		{"one effect", list{{Calendar: "holidays"}, {Calendar: "year-end"}}, nil},
		{"a day of another power loses", list{{Calendar: "holidays"}, {Calendar: "year-end", Effect: EffectStopped}}, []string{
			`f:2:9: calendar "holidays" takes days from "year-end", such as 25 December (Weihnachtstag): they are off, not stopped (the first listed decides: list "year-end" before "holidays")`,
		}},
		{"a freeze behind a fair", list{{Calendar: "fair", Effect: EffectRunning}, {Calendar: "year-end", Effect: EffectUntouched}}, []string{
			`f:2:9: calendar "fair" takes days from "year-end", such as 24 December: they are running, not untouched (the first listed decides: list "year-end" before "fair")`,
		}},
		{"a fair behind a freeze is lost knowingly", list{{Calendar: "year-end", Effect: EffectUntouched}, {Calendar: "fair", Effect: EffectRunning}}, nil},
		{"of two powers either may be first", list{{Calendar: "fair", Effect: EffectRunning}, {Calendar: "year-end", Effect: EffectStopped}}, nil},
		{"what a freeze has already is nobody's loss", list{{Calendar: "year-end", Effect: EffectUntouched}, {Calendar: "holidays"}, {Calendar: "december", Effect: EffectStopped}}, nil},
		{"but what it has not is", list{{Calendar: "fair", Effect: EffectUntouched}, {Calendar: "holidays"}, {Calendar: "december", Effect: EffectStopped}}, []string{
			`f:2:10: calendar "holidays" takes days from "december", such as 25 December (Weihnachtstag): they are off, not stopped (the first listed decides: list "december" before "holidays")`,
		}},
		{"each that loses is told of once", list{{Calendar: "holidays"}, {Calendar: "fair"}, {Calendar: "year-end", Effect: EffectUntouched}}, []string{
			`f:2:10: calendar "holidays" takes days from "year-end", such as 25 December (Weihnachtstag): they are off, not untouched (the first listed decides: list "year-end" before "holidays")`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for i := range c.except {
				c.except[i].Pos = Pos{File: "f", Line: 2, Col: 8 + i}
			}
			spec := func(name string) Spec {
				return Spec{Name: name, Zone: "UTC", Running: []Window{{Expr: "08:00-20:00"}}, Except: c.except}
			}
			// Two policies with the exceptions of the file's defaults.
			set, problems := Compile([]Spec{spec("a"), spec("b")}, env)
			if set == nil {
				t.Fatal("a warning keeps nobody from running: ", problems)
			}
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s: %s (%s)", p.Pos, p.Text, p.Hint))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

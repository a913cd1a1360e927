package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// spec builds a Spec as it stands in a file of one line a thing: the policy on
// line at, its id on the next, its start on the one after, then its stop.
func spec(name string, at int, id DeploymentID, start, stop string) Spec {
	pos := func(line, col int) Pos { return Pos{"f", at + line, col} }
	s := Spec{Name: name, Pos: pos(0, 5), Zone: "Europe/Berlin", ZonePos: pos(4, 15)}
	if id != "" {
		s.Deployments = []Member{{ID: id, Pos: pos(1, 20)}}
	}
	if start != "" {
		s.Start = []Cron{{start, pos(2, 13)}}
	}
	if stop != "" {
		s.Stop = []Cron{{stop, pos(3, 12)}}
	}
	return s
}

func with(s Spec, changes ...func(*Spec)) Spec {
	for _, change := range changes {
		change(&s)
	}
	return s
}

func timeless(s *Spec) { s.Start, s.Stop = nil, nil }

// windows gives a policy windows, one a line from where its start stands.
func windows(exprs ...string) func(*Spec) {
	return func(s *Spec) {
		for i, expr := range exprs {
			s.Running = append(s.Running, Window{expr, Pos{"f", s.Pos.Line + 2 + i, 13}})
		}
	}
}

// except names a calendar, one a line from that of the zone.
func except(calendar string, effect Effect) func(*Spec) {
	return func(s *Spec) {
		s.Except = append(slices.Clone(s.Except), Exception{calendar, effect, Pos{"f", s.Pos.Line + 4 + len(s.Except), 17}})
	}
}

func zones(names ...string) Env {
	env := Env{Zones: map[string]*time.Location{}}
	for _, name := range names {
		env.Zones[name] = must(time.LoadLocation(name))
	}
	return env
}

// TestProblems lists what Compile finds: the place, the words, the hint; "warn"
// where the file can be used.
func TestProblems(t *testing.T) {
	t.Parallel()
	office := spec("office", 10, "a", "0 8 * * MON-FRI", "0 20 * * MON-FRI")
	for _, c := range []struct {
		what  string
		specs []Spec
		want  []string
	}{
		{"no policies", nil, nil},
		{"nothing wrong", []Spec{office}, nil},
		{"no deployments are legal", []Spec{spec("office", 10, "", "", "0 20 * * *")}, nil},
		{"a name taken", []Spec{office, with(office, func(s *Spec) { s.Pos.Line, s.Deployments = 20, nil })}, []string{
			`f:20:5: there are two policies "office", the first at f:10:5 (a name is one policy's own)`,
		}},
		{"no name", []Spec{with(office, func(s *Spec) { s.Name = " " })}, []string{
			"f:10:5: a policy has no name (name: is what logs, metrics and plan call it)",
		}},
		{"no times", []Spec{spec("office", 10, "a", "", "")}, []string{
			`f:10:5: policy "office" has no times (start: or stop:, such as stop: "0 20 * * *")`,
		}},
		{"no zone anywhere", []Spec{with(office, func(s *Spec) { s.Zone, s.ZonePos = "", Pos{} })}, []string{
			`f:10:5: policy "office" has times and no time zone anywhere (set timezone: in the policy or at the top, such as Europe/Berlin)`,
		}},
		{"Local", []Spec{with(office, func(s *Spec) { s.Zone = "Local" })}, []string{
			`f:14:15: the time zone "Local" is another one on every machine (write its name, such as Europe/Berlin)`,
		}},
		{"Local by another name", []Spec{with(office, func(s *Spec) { s.Zone = "here" })}, []string{
			`f:14:15: the time zone "here" is another one on every machine (write its name, such as Europe/Berlin)`,
		}},
		{"an unknown zone hides nothing", []Spec{with(office, func(s *Spec) { s.Zone, s.Stop = "Europe/Berlim", []Cron{{"0 24 * * *", s.Stop[0].Pos}} })}, []string{
			`f:13:14: cron "0 24 * * *": hour 24 is not between 0 and 23`,
			`f:14:15: there is no time zone "Europe/Berlim" (a name of the tz database, such as Europe/Berlin)`,
		}},
		{"every expression", []Spec{spec("office", 10, "a", "0 25 * * *", "@reboot")}, []string{
			`f:12:15: cron "0 25 * * *": hour 25 is not between 0 and 23`,
			`f:13:12: cron "@reboot": @reboot is no time (a policy names times; what was missed is caught up anyway)`,
		}},
		{"an expression over several lines has one place", []Spec{spec("office", 10, "a", "0\n 25 * * *", "")}, []string{
			`f:12:13: cron "0\n 25 * * *": hour 25 is not between 0 and 23`,
		}},
		{"never", []Spec{spec("office", 10, "a", "", "0 20 30,31 2 *")}, []string{
			`f:13:17: cron "0 20 30,31 2 *" never fires (no month that it names has a day that it names)`,
		}},
		{"an id twice in one", []Spec{with(office, func(s *Spec) { s.Deployments = append(s.Deployments, Member{ID: "a", Pos: Pos{"f", 11, 23}}) })}, []string{
			`f:11:23: deployment "a" stands twice in policy "office", first at f:11:20 (drop one of the two)`,
		}},
		{"an id in two", []Spec{office, spec("night", 30, "a", "", "0 1 * * *")}, []string{
			`f:31:20: deployment "a" stands in policy "office" as well, at f:11:20 (one deployment, one policy: drop one of the two)`,
		}},
		{"ids that no URL takes", []Spec{with(office, func(s *Spec) {
			s.Deployments = []Member{{ID: "", Pos: Pos{"f", 1, 1}}, {ID: "a b", Pos: Pos{"f", 1, 2}}, {ID: "a/b", Pos: Pos{"f", 1, 3}}, {ID: "ä", Pos: Pos{"f", 1, 4}}, {ID: "a\x7f", Pos: Pos{"f", 1, 5}}, {ID: "..", Pos: Pos{"f", 1, 6}}, {ID: DeploymentID(strings.Repeat("x", 129)), Pos: Pos{"f", 1, 7}}, {ID: DeploymentID(strings.Repeat("x", 128)), Pos: Pos{"f", 1, 8}}}
		})}, []string{
			`f:1:1: a deployment's id is empty (it is the last part of the deployment's address in the console)`,
			`f:1:2: the deployment's id "a b" has a ' ' in it (it is the last part of the deployment's address in the console)`,
			`f:1:3: the deployment's id "a/b" has a '/' in it (it is the last part of the deployment's address in the console)`,
			`f:1:4: the deployment's id "ä" has a 'ä' in it (it is the last part of the deployment's address in the console)`,
			`f:1:5: the deployment's id "a\x7f" has a '\x7f' in it (it is the last part of the deployment's address in the console)`,
			`f:1:6: ".." is no deployment's id (it is the last part of the deployment's address in the console)`,
			`f:1:7: the deployment's id "` + strings.Repeat("x", 64) + `…" is longer than 128 bytes (it is the last part of the deployment's address in the console)`,
		}},
		{"one time for both", []Spec{spec("office", 10, "a", "0,30 8 * * *", "*/15 6-10/2 1 1 *")}, []string{
			`f:13:12: stop "*/15 6-10/2 1 1 *" and start "0,30 8 * * *", at f:12:13, name the same time, such as 08:00 on a Monday, 1 January (move one of the two)`,
		}},
		{"one time for both, in a leap year only", []Spec{spec("office", 10, "a", "0 8 29 2 *", "0 8 * 2 MON")}, []string{
			`f:13:12: stop "0 8 * 2 MON" and start "0 8 29 2 *", at f:12:13, name the same time, such as 08:00 on a Monday, 29 February (move one of the two)`,
		}},
		{"no time for both", []Spec{spec("office", 10, "a", "0 8 30 * *", "0 8 * 2 MON")}, nil},
		{"both day fields", []Spec{spec("office", 10, "a", "", "0 20 1-7 * MON")}, []string{
			`warn f:13:17: cron "0 20 1-7 * MON" fires on each day that either of its two day fields names, not on those in both (cron reads them so; where one of the two is meant, write "*" for the other)`,
		}},
		{"a step of one is a star", []Spec{spec("office", 10, "a", "", "0 20 */1 * MON")}, nil},
		{"a lead over a stop", []Spec{with(spec("office", 10, "a", "0 8 * * *", "30 7 * * *"), lead(30*time.Minute))}, []string{
			`warn f:12:13: the lead of 30m is cut short: start "0 8 * * *" comes 30m after stop "30 7 * * *", at f:13:12 (the start is made one minute after that stop, at the earliest)`,
		}},
		{"a lead that just fits", []Spec{with(spec("office", 10, "a", "0 8 * * *", "30 7 * * *"), lead(29*time.Minute))}, nil},
		{"a lead over midnight", []Spec{with(spec("office", 10, "a", "15 0 1 * *", "45 23 31 * *"), lead(time.Hour))}, []string{
			`warn f:12:13: the lead of 1h is cut short: start "15 0 1 * *" comes 30m after stop "45 23 31 * *", at f:13:12 (the start is made one minute after that stop, at the earliest)`,
		}},
		{"a lead over midnight on other days", []Spec{with(spec("office", 10, "a", "15 0 2 * *", "45 23 31 * *"), lead(time.Hour))}, nil},
		{"enforce with one power", []Spec{with(spec("office", 10, "a", "", "0 20 * * *"), func(s *Spec) { s.Options.Enforce = EnforceStopped })}, []string{
			`f:10:5: policy "office" has enforce and not both start and stop (it corrects what is wanted at every time, so both ends must be known)`,
		}},
		{"enforce of nothing known", []Spec{with(office, func(s *Spec) { s.Options.Enforce = 8 })}, []string{
			`f:10:5: policy "office" enforces an unknown power (stopped, running or both)`,
		}},
		{"durations", []Spec{with(office, func(s *Spec) {
			s.Options = Options{StartLead: 25 * time.Hour, CatchUpWithin: -time.Second, ConfirmWithin: time.Millisecond, MinSpan: 8 * 24 * time.Hour}
		})}, []string{
			`f:10:5: start_lead of policy "office" is longer than 24h: 25h`,
			`f:10:5: catch_up_within of policy "office" is negative: -1s (such as 30m)`,
			`f:10:5: confirm_within of policy "office" is shorter than a second: 1ms (such as 30m)`,
			`f:10:5: min_span of policy "office" is longer than 168h: 192h`,
			`warn f:12:13: the lead of 25h is cut short: start "0 8 * * MON-FRI" comes 12h after stop "0 20 * * MON-FRI", at f:13:12 (the start is made one minute after that stop, at the earliest)`,
		}},
		{"windows beside cron", []Spec{with(office, windows("08:00-20:00"))}, []string{
			`f:12:13: policy "office" has running: and start: or stop: as well (windows say both; take one of the two forms)`,
		}},
		{"windows alone", []Spec{with(office, timeless, windows("Mon-Fri 08:00-20:00", "Wed 18:00-22:00"), lead(time.Minute), func(s *Spec) { s.Options.Enforce = EnforceBoth })}, nil},
		{"windows without a zone", []Spec{with(office, timeless, windows("08:00-20:00"), func(s *Spec) { s.Zone, s.ZonePos = "", Pos{} })}, []string{
			`f:10:5: policy "office" has times and no time zone anywhere (set timezone: in the policy or at the top, such as Europe/Berlin)`,
		}},
		{"every window", []Spec{with(office, timeless, windows("08:00-25:00", "Mon,,Tue 08:00-09:00", "08:00-20:00"))}, []string{
			`f:12:19: window "08:00-25:00": hour 25 is not between 0 and 24 (24:00 ends the day)`,
			`f:13:17: window "Mon,,Tue 08:00-09:00": a day is missing (days are a list, as in "Mon-Wed,Fri")`,
		}},
		{"windows that never end", []Spec{with(office, timeless, windows("22:00-08:00", "08:00-22:00"))}, []string{
			`f:12:13: the windows of policy "office" never end (leave a gap, or name days under except: on which it is off, stopped or untouched)`,
		}},
		{"nor does a week of spans", []Spec{with(office, timeless, windows("Mon 06:00-Fri 20:00", "Fri 19:00-Mon 06:00"), except("holidays", EffectRunning))}, []string{
			`f:12:13: the windows of policy "office" never end (leave a gap, or name days under except: on which it is off, stopped or untouched)`,
		}},
		{"but days can end them", []Spec{with(office, timeless, windows("00:00-24:00"), except("holidays", EffectOff))}, nil},
		{"also a calendar that has no dates now", []Spec{with(office, timeless, windows("00:00-24:00"), except("empty", EffectStopped))}, nil},
		{"windows with a minute between", []Spec{with(office, timeless, windows("Mon 00:00-Sun 23:59"))}, nil},
		{"a lead that fills the gaps", []Spec{with(office, timeless, windows("08:00-20:00"), lead(12*time.Hour), except("holidays", EffectOff))}, []string{
			`f:12:13: the lead of 12h leaves no gap between the windows of policy "office", the widest is 12h (start_lead is for the minutes that a start takes)`,
		}},
		{"a lead that leaves one gap", []Spec{with(office, timeless, windows("Mon-Fri 08:00-20:00"), lead(12*time.Hour))}, nil},
		{"an unknown calendar", []Spec{with(office, except("holiday", EffectOff))}, []string{
			`f:14:17: there is no calendar "holiday" (there are: empty, freeze, holidays)`,
		}},
		{"a calendar twice", []Spec{with(office, except("holidays", EffectOff), except("freeze", EffectStopped), except("holidays", EffectStopped))}, []string{
			`f:16:17: policy "office" names calendar "holidays" twice, first at f:14:17 (one calendar has one effect)`,
		}},
		{"an effect that is none", []Spec{with(office, except("holidays", 7))}, []string{
			`f:14:17: calendar "holidays" has an unknown effect in policy "office" (off, stopped, running or untouched)`,
		}},
		{"off where nothing starts", []Spec{with(spec("office", 10, "a", "", "0 20 * * *"), except("holidays", EffectOff), except("freeze", EffectUntouched))}, []string{
			`warn f:14:17: calendar "holidays" is off in policy "office", which only stops: that does nothing (days off take starts away; for days without a stop write untouched)`,
		}},
		{"days alone", []Spec{with(office, timeless, except("holidays", EffectStopped), except("freeze", EffectRunning))}, []string{
			`f:10:5: policy "office" has no times (start: or stop:, such as stop: "0 20 * * *")`,
		}},
		{"a lead finer than the clock", []Spec{with(office, lead(90500*time.Millisecond))}, []string{
			`f:10:5: start_lead of policy "office" is 1m30.5s (whole seconds only)`,
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			env := zones("Europe/Berlin")
			env.Zones["here"] = time.Local
			env.Calendars = map[string]*Calendar{"freeze": NewCalendar("freeze", nil), "empty": NewCalendar("empty", nil),
				"holidays": NewCalendar("holidays", []Day{{Date: Date{2026, time.May, 1}}})}
			set, problems := Compile(c.specs, env)
			var got []string
			usable := true
			for _, p := range problems {
				line := p.Error()
				if p.Warning {
					line = "warn " + line
				}
				usable = usable && p.Warning
				got = append(got, line)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if (set != nil) != usable {
				t.Errorf("there is a set: %t, want %t", set != nil, usable)
			}
		})
	}
}

func lead(d time.Duration) func(*Spec) {
	return func(s *Spec) { s.Options.StartLead = d }
}

func TestSet(t *testing.T) {
	t.Parallel()
	set, problems := Compile([]Spec{
		spec("office", 10, "a", "0 8 * * *", "0 20 * * *"),
		spec("night", 20, "b", "", "0 20 * * *"),
		spec("morning", 30, "", "0 8 * * *", ""),
	}, zones("Europe/Berlin"))
	if set == nil || len(set.Policies) != 3 {
		t.Fatalf("%v", problems)
	}
	office, night, morning := set.Policies[0], set.Policies[1], set.Policies[2]
	for id, want := range map[DeploymentID]*Policy{"a": office, "b": night, "c": nil} {
		if got, ok := set.Of(id); got != want || ok != (want != nil) {
			t.Errorf("%q stands under %v, want %v", id, got, want)
		}
	}
	if office.stops[0].sched != night.stops[0].sched || office.starts[0].sched != morning.starts[0].sched {
		t.Error("equal expressions in one zone have a schedule each")
	}
	if !office.Has(Running) || !office.Has(Stopped) || night.Has(Running) || morning.Has(Stopped) || office.Has(None) {
		t.Error("which powers a policy has is wrong")
	}
	if night.Name() != "night" || night.Pos() != (Pos{"f", 20, 5}) || night.Zone() != "Europe/Berlin" || night.Location().String() != night.Zone() {
		t.Errorf("%q at %s in %q, %v", night.Name(), night.Pos(), night.Zone(), night.Location())
	}
	if diff := cmp.Diff([]Member{{ID: "a", Pos: Pos{"f", 11, 20}}}, office.Members()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	empty, problems := Compile(nil, Env{})
	if empty == nil || len(problems) > 0 || len(empty.Policies) > 0 {
		t.Errorf("no specs: %v, %v", empty, problems)
	}
	if _, ok := empty.Of("a"); ok {
		t.Error("an empty set has a policy")
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	both := spec("p", 10, "", "0 8 * * *", "0 20 * * *")
	one := spec("p", 10, "", "", "0 20 * * *")
	given := Options{StartLead: time.Minute, CatchUpWithin: time.Hour, ConfirmWithin: 2 * time.Hour, MinSpan: 3 * time.Hour, Enforce: EnforceBoth, Converge: true, DryRun: true}
	for _, c := range []struct {
		what string
		spec Spec
		want Options
	}{
		{"both powers are caught up without end", both, Options{ConfirmWithin: 30 * time.Minute, MinSpan: 30 * time.Minute}},
		{"so are windows", with(one, timeless, windows("08:00-20:00")), Options{ConfirmWithin: 30 * time.Minute, MinSpan: 30 * time.Minute}},
		{"one power within four hours", one, Options{CatchUpWithin: 4 * time.Hour, ConfirmWithin: 30 * time.Minute, MinSpan: 30 * time.Minute}},
		{"what is given stays", with(both, func(s *Spec) { s.Options = given }), given},
	} {
		if diff := cmp.Diff(c.want, compiled(t, c.spec).Options()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

// TestFingerprint tells what is a changed rule and what is not.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	base := spec("p", 10, "a", "0 8 * * MON-FRI", "0 20 * * *")
	print := func(s Spec) Fingerprint { return compiled(t, s).Fingerprint() }
	for what, same := range map[string]Spec{
		"renamed":        with(base, func(s *Spec) { s.Name = "q" }),
		"moved":          spec("p", 90, "b", "0 8 * * MON-FRI", "0 20 * * *"),
		"spelled apart":  spec("p", 10, "a", "00 8 * * 1-5", "0 20 * * ?"),
		"said twice":     with(base, func(s *Spec) { s.Stop = append(slices.Clone(s.Stop), s.Stop[0]) }),
		"other settings": with(base, func(s *Spec) { s.Options = Options{MinSpan: time.Hour, Enforce: EnforceBoth, DryRun: true} }),
		"no members":     with(base, func(s *Spec) { s.Deployments = nil }),
	} {
		if print(same) != print(base) {
			t.Errorf("%s: the fingerprint changed", what)
		}
	}
	seen := map[Fingerprint]string{print(base): "the rule itself"}
	for what, other := range map[string]Spec{
		"another start":   with(base, func(s *Spec) { s.Start = []Cron{{Expr: "0 9 * * MON-FRI"}} }),
		"another stop":    with(base, func(s *Spec) { s.Stop = []Cron{{Expr: "0 21 * * *"}} }),
		"one more stop":   with(base, func(s *Spec) { s.Stop = append(slices.Clone(s.Stop), Cron{Expr: "0 22 * * *"}) }),
		"the other way":   spec("p", 10, "a", "0 20 * * *", "0 8 * * MON-FRI"),
		"another zone":    with(base, func(s *Spec) { s.Zone = "Europe/Paris" }),
		"a lead":          with(base, lead(time.Minute)),
		"no start":        with(base, func(s *Spec) { s.Start = nil }),
		"real time":       with(base, func(s *Spec) { s.Stop = []Cron{{Expr: "0 20-20 * * *"}, {Expr: "0 */20 * * *"}} }),
		"days of a month": with(base, func(s *Spec) { s.Stop = []Cron{{Expr: "0 20 1-31 * MON"}} }),
	} {
		f := print(other)
		if was, taken := seen[f]; taken {
			t.Errorf("%s has the fingerprint of %s", what, was)
		}
		seen[f] = what
	}
	stopOnly := with(base, func(s *Spec) { s.Start = nil })
	if print(stopOnly) != print(with(stopOnly, lead(time.Minute))) {
		t.Error("a lead without starts changes the fingerprint")
	}
}

// TestFingerprintStays pins the fingerprints that ledgers hold: a policy without
// windows and days keeps its own, whatever is added to the law. Changing one
// makes every row of every ledger a changed rule.
func TestFingerprintStays(t *testing.T) {
	t.Parallel()
	both, stopOnly := spec("p", 10, "a", "0 8 * * MON-FRI", "0 20 * * *"), spec("p", 10, "a", "", "*/15 20-22 1 * *")
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{both, "1be1d598cefdc6a1c482a0f7c8b32ab6"},
		{with(both, lead(10*time.Minute)), "6394e4095947dc3b4c7a5b908e261b70"},
		{stopOnly, "d43e91f55c673c67cde591672d3a3dc4"},
		{with(stopOnly, except("holidays", EffectOff)), "d43e91f55c673c67cde591672d3a3dc4"},
		{with(both, except("nothing", EffectStopped)), "1be1d598cefdc6a1c482a0f7c8b32ab6"},
	} {
		p := compiledWith(t, c.spec, NewCalendar("nothing", nil), NewCalendar("holidays", []Day{{Date: Date{2026, time.May, 1}}}))
		if got := fmt.Sprintf("%x", p.Fingerprint()); got != c.want {
			t.Errorf("%+v: %s, want %s", c.spec, got, c.want)
		}
	}
}

// TestZoned: the data of a zone is part of the rule that a ledger remembers, its
// name alone of the fingerprint.
func TestZoned(t *testing.T) {
	t.Parallel()
	of := func(data string) *Policy {
		s := spec("p", 10, "a", "0 8 * * *", "0 20 * * *")
		s.Zone = "America/Vancouver"
		set, problems := Compile([]Spec{s}, Env{Zones: map[string]*time.Location{s.Zone: must(time.LoadLocation(data))}})
		if set == nil {
			t.Fatal(problems)
		}
		return set.Policies[0]
	}
	before, same, after := of("America/Vancouver"), of("America/Vancouver"), of("America/Phoenix") // -7 for good
	if before.Zoned() != same.Zoned() {
		t.Error("the same data gives another rule")
	}
	if before.Zoned() == after.Zoned() {
		t.Error("clocks that are not set back any more are the same rule")
	}
	if before.Fingerprint() != after.Fingerprint() {
		t.Error("the data of a zone changes the fingerprint that ledgers hold")
	}
}

// TestFingerprintOfDays tells what of windows and calendars is a changed rule.
func TestFingerprintOfDays(t *testing.T) {
	t.Parallel()
	type rule struct {
		spec      Spec
		calendars []*Calendar
	}
	print := func(r rule) Fingerprint { return compiledWith(t, r.spec, r.calendars...).Fingerprint() }
	day := func(month time.Month, day int) Day { return Day{Date: Date{2026, month, day}} }
	calendar := NewCalendar
	base := with(spec("p", 10, "a", "", ""), windows("Mon-Fri 08:00-20:00", "Wed 18:00-22:00"))
	may, june := calendar("may", []Day{day(5, 1), day(5, 2)}), calendar("june", []Day{day(5, 2), day(6, 1)})
	twice := with(base, except("may", EffectOff), except("june", EffectStopped))
	named := Day{Date{2026, time.May, 1}, "Tag der Arbeit"}
	for what, same := range map[string][2]rule{
		"order and spelling": {{base, nil}, {with(spec("q", 90, "b", "", ""), windows("wednesday 18:00 - 22:00", "Mon 8:00-20:00", "Tue-Fri 8:00-20:00")), nil}},
		"calendars that are renamed, with other names of days": {
			{twice, []*Calendar{may, june}},
			{with(base, except("m", EffectOff), except("j", EffectStopped)), []*Calendar{calendar("m", []Day{day(5, 2), named}), calendar("j", []Day{day(6, 1)})}},
		},
		"one calendar for two of the same effect": {
			{with(base, except("may", EffectOff), except("june", EffectOff)), []*Calendar{may, june}},
			{with(base, except("all", EffectOff)), []*Calendar{calendar("all", []Day{day(5, 1), day(5, 2), day(6, 1)})}},
		},
		"the order of calendars that have no date in common": {
			{with(base, except("a", EffectOff), except("b", EffectStopped)), []*Calendar{calendar("a", []Day{day(5, 1)}), calendar("b", []Day{day(6, 1)})}},
			{with(base, except("b", EffectStopped), except("a", EffectOff)), []*Calendar{calendar("a", []Day{day(5, 1)}), calendar("b", []Day{day(6, 1)})}},
		},
	} {
		if print(same[0]) != print(same[1]) {
			t.Errorf("%s: the fingerprint changed", what)
		}
	}
	seen := map[Fingerprint]string{}
	for _, other := range []struct {
		what string
		rule
	}{
		{"the rule itself", rule{base, nil}},
		{"cron for windows", rule{spec("p", 10, "a", "0 8 * * MON-FRI", "0 20 * * MON-FRI"), nil}},
		{"another end", rule{with(base, windows("Thu 18:00-22:00")), nil}},
		{"a lead", rule{with(base, lead(time.Minute)), nil}},
		{"an end that closes its day", rule{with(spec("p", 10, "a", "", ""), windows("08:00-24:00")), nil}},
		{"the same end of the next day", rule{with(spec("p", 10, "a", "", ""), windows("08:00-00:00")), nil}},
		{"two calendars", rule{twice, []*Calendar{may, june}}},
		{"the other first, where they overlap", rule{with(base, except("june", EffectStopped), except("may", EffectOff)), []*Calendar{may, june}}},
		{"the other way round", rule{with(base, except("may", EffectStopped), except("june", EffectOff)), []*Calendar{may, june}}},
		{"another effect", rule{with(base, except("may", EffectUntouched), except("june", EffectStopped)), []*Calendar{may, june}}},
		{"one date more", rule{twice, []*Calendar{may, calendar("june", []Day{day(6, 1), day(6, 2)})}}},
		{"off alone", rule{with(base, except("may", EffectOff)), []*Calendar{may}}},
	} {
		f := print(other.rule)
		if was, taken := seen[f]; taken {
			t.Errorf("%s has the fingerprint of %s", other.what, was)
		}
		seen[f] = other.what
	}
}

// TestClashIsExact compares with every day of 400 years.
func TestClashIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		day := func(what string) string {
			dom := rapid.SampledFrom(strings.Fields("* 1 28 29 31 30,31 1-7 */7")).Draw(t, what+" dom")
			mon := rapid.SampledFrom(strings.Fields("* 2 2 4 1-3 */6 12")).Draw(t, what+" month")
			dow := rapid.SampledFrom(strings.Fields("* * 0 7 1 1-5 6,7 */3")).Draw(t, what+" dow")
			return dom + " " + mon + " " + dow
		}
		start, stop := "0,10 8,9 "+day("start"), "10,20 9 "+day("stop")
		x, y := readOracle(start), readOracle(stop)
		want := slices.ContainsFunc(everyDay(), func(d oracleDay) bool { return x.matchDay(d) && y.matchDay(d) })
		a, b := must(ParseSchedule(start, time.UTC)), must(ParseSchedule(stop, time.UTC))
		at, got := meet(&a.names, &b.names)
		if got != want {
			t.Fatalf("start %q and stop %q meet: %t, and 400 years of days say %t", start, stop, got, want)
		}
		if day := time.Date(at.Year, at.Month, at.Day, at.Hour, at.Minute, 0, 0, time.UTC); got && (!x.match(day) || !y.match(day)) {
			t.Fatalf("start %q and stop %q are said to meet at %s", start, stop, at)
		}
	})
}

// TestLeadWarningIsExact compares the warning with what the edges of 28 years
// show, in a zone without clock changes.
func TestLeadWarningIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SampledFrom([]string{"* * *", "1 * *", "31 * *", "* * MON", "* * 7", "28,29 2 *", "1 3 *", "1 1 *", "31 12 *", "1 * MON"})
		start := rapid.SampledFrom([]string{"0 0 ", "4 8 ", "0 0,12 ", "30 23 "}).Draw(t, "start") + days.Draw(t, "start days")
		stop := rapid.SampledFrom([]string{"59 23 ", "3 8 ", "31 7 ", "1 0 ", "59 1,13 "}).Draw(t, "stop") + days.Draw(t, "stop days")
		s := Spec{Name: "p", Zone: "UTC", Start: []Cron{{Expr: start}}, Stop: []Cron{{Expr: stop}}}
		s.Options.StartLead = rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 31 * time.Minute, time.Hour, 11 * time.Hour, 23 * time.Hour}).Draw(t, "lead")
		set, problems := Compile([]Spec{s}, zones("UTC"))
		if set == nil {
			t.Fatalf("%v", problems)
		}
		warned := slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, "is cut short") })
		cut := ""
		from := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
		for e, ok := set.Policies[0].NextOf(Running, from); ok && e.At.Year() < 2029 && cut == ""; e, ok = set.Policies[0].NextOf(Running, e.At) {
			if e.NominalAt.Sub(e.At) < s.Options.StartLead {
				cut = fmt.Sprintf("the start for %s is made at %s", e.Nominal, e.At)
			}
		}
		if warned != (cut != "") {
			t.Fatalf("start %q, stop %q, lead %s: warned %t; %s", start, stop, s.Options.StartLead, warned, cut)
		}
	})
}

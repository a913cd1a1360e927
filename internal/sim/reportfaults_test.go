package sim

import (
	"testing"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/scheduler"
)

// TestMoods: what a level says goes wrong does so, counted by the platform; and
// through all of it the quota is kept.
func TestMoods(t *testing.T) {
	t.Parallel()
	for level, kinds := range map[Faults][]MishapKind{
		NoFaults:    nil,
		LightFaults: {MishapLostAnswer, MishapError, MishapConnection, MishapHang, MishapLimited, MishapSlow},
		HeavyFaults: MishapKinds(),
	} {
		o := office(t)
		o.Days, o.Faults, o.Seed = 365, level, 1
		r, err := Simulate(t.Context(), o)
		if err != nil {
			t.Fatalf("%s: %v", level, err)
		}
		got := map[MishapKind]int{}
		for _, m := range r.Mishaps {
			got[m.Kind] = m.Count
		}
		for _, k := range kinds {
			if got[k] == 0 {
				t.Errorf("%s: a year has no %s: %v", level, k, got)
			}
		}
		if len(got) != len(kinds) {
			t.Errorf("%s: a year has %v, want only %v", level, got, kinds)
		}
		if r.OverQuota > 0 || level != HeavyFaults && r.Repeated > 0 {
			t.Errorf("%s: over quota %d, repeated %d", level, r.OverQuota, r.Repeated)
		}
		if r.Limited < got[MishapLimited] {
			t.Errorf("%s: the platform dealt out %d foreign 429s and answered %d", level, got[MishapLimited], r.Limited)
		}
		if gone := len(r.Waiting); gone > 0 {
			t.Errorf("%s: %d transitions still wait after a calm end: %v", level, gone, r.Waiting)
		}
	}
}

// TestHeavySeeds: bad years of other seeds end without an error, too, and within
// the quota.
func TestHeavySeeds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		o := office(t)
		o.Days, o.Faults, o.Seed = 60, HeavyFaults, 100+seed
		r, err := Simulate(t.Context(), o)
		if err != nil || r.OverQuota > 0 {
			t.Errorf("seed %d: error %v, over quota %+v", o.Seed, err, r)
		}
	}
}

// TestSlow: a transition that a fault slows down ends all the same, two to four
// times as late.
func TestSlow(t *testing.T) {
	t.Parallel()
	o := office(t)
	o.Days, o.Faults, o.Seed, o.StartTakes = 365, LightFaults, 5, 3*time.Minute
	r, err := Simulate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	slow := 0
	for _, p := range r.Powers {
		for i, c := range p.History {
			if c.Status != simplatform.Starting || i+1 == len(p.History) {
				continue
			}
			next := p.History[i+1]
			switch took := next.At.Sub(c.At); {
			case took == 3*time.Minute:
			case next.Status == simplatform.Running && took >= 6*time.Minute && took <= 12*time.Minute:
				slow++
			default:
				t.Errorf("%s: a start at %s takes %s and ends %s", p.Deployment, c.At, took, next.Status)
			}
		}
	}
	if slow == 0 {
		t.Error("no start of a year is slow")
	}
}

// TestWaits: an accepted call waits for its effect just as long as that takes; a
// quota of the whole key makes the second deployment wait an hour and its margin.
func TestWaits(t *testing.T) {
	t.Parallel()
	o := office(t)
	o.Config.Quotas[quota.Stop].Scope, o.Config.Quotas[quota.Start].Scope = quota.Key, quota.Key
	r, err := Simulate(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	got := map[scheduler.Wait]Waits{}
	for _, w := range r.Waits {
		got[w.Wait] = w
	}
	done := 0
	for _, out := range r.Outcomes {
		if out.Kind == scheduler.Done {
			done += out.Count
		}
	}
	if w := got[scheduler.WaitConfirm]; w.Count != done || w.Longest < DefaultStartTakes || w.Longest > DefaultStartTakes+30*time.Second {
		t.Errorf("%d of %d waited for the effect, the longest %s; want all, and %s and a look", w.Count, done, w.Longest, DefaultStartTakes)
	}
	if w := got[scheduler.WaitPermit]; w.Count == 0 || w.Longest < time.Hour || w.Longest > 62*time.Minute {
		t.Errorf("%d waited for the quota, the longest %s; want some, and an hour with its margin: %+v", w.Count, w.Longest, r.Waits)
	}
}

// TestDownIsAWait: what came due while no daemon ran waited for that.
func TestDownIsAWait(t *testing.T) {
	t.Parallel()
	o := office(t)
	tally := newTally(&o)
	m := newMachine(o.From, o.world(), o.Config, tally)
	w := newWeather(m, &o)
	tally.watch(m, w)
	if err := o.populate(m.world, w); err != nil {
		t.Fatal(err)
	}
	m.at(7*time.Hour, func() error { // 19:00; back at 21:00
		w.waits.died()
		m.restart(2 * time.Hour)
		return m.kill(false)
	})
	m.disk.unread = false
	if err := m.start(); err != nil {
		t.Fatal(err)
	}
	if err := m.run(24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, got := range tally.report().Waits {
		if got.Wait == WaitDown && got.Count == 2 && got.Longest == time.Hour && got.Total == 2*time.Hour {
			return
		}
	}
	t.Errorf("waits %+v, want two of an hour for %s", tally.report().Waits, WaitDown)
}

// TestPeaks: the fullest window is the one that ends with the second stop of
// 20:00, and it says when that was.
func TestPeaks(t *testing.T) {
	t.Parallel()
	r, err := Simulate(t.Context(), office(t))
	if err != nil {
		t.Fatal(err)
	}
	p, evening := r.Peaks[quota.Stop], time.Date(2026, 11, 23, 19, 0, 0, 0, time.UTC)
	if p.Deployment.Requests != 1 || !p.Deployment.At.Equal(evening) || p.Deployment.Deployment == "" {
		t.Errorf("the peak of a deployment is %+v, want one stop at %s", p.Deployment, evening)
	}
	if late := p.Key.At.Sub(evening); p.Key.Requests != 2 || late < 0 || late > time.Second || p.Key.Deployment == p.Deployment.Deployment {
		t.Errorf("the peak of the key is %+v, want two stops by %s", p.Key, evening)
	}
}

// TestFaultsWords: a level is read as it is written, and nothing else is.
func TestFaultsWords(t *testing.T) {
	t.Parallel()
	for f := NoFaults; f <= HeavyFaults; f++ {
		var got Faults
		if err := got.UnmarshalText([]byte(f.String())); err != nil || got != f {
			t.Errorf("%q is read as %s, error %v", f, got, err)
		}
	}
	for _, word := range []string{"", "heavier", "Light", "faults(3)"} {
		if err := new(Faults).UnmarshalText([]byte(word)); err == nil {
			t.Errorf("%q is a level", word)
		}
	}
}

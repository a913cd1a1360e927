package main

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMachineClock(t *testing.T) {
	t.Parallel()
	c := machineClock()
	a, b := c.read(), c.read()
	if b.Steady < a.Steady || a.Steady <= 0 {
		t.Errorf("the steady clock goes from %s to %s", a.Steady, b.Steady)
	}
	if off := time.Since(a.Wall).Abs(); off > time.Minute {
		t.Errorf("the wall clock is %s off", off)
	}
	if a.Wall != a.Wall.Round(0) {
		t.Error("the wall clock carries Go's monotonic reading, which stands still in a suspend")
	}
	if c.boot == "" || c.boot != machineClock().boot && !strings.HasPrefix(c.boot, "process ") {
		t.Errorf("boot id %q is not that of the host", c.boot)
	}
	if a.Wall.Before(released()) {
		t.Errorf("this machine's clock, %s, is before the release", a.Wall)
	}
}

// TestReadingServes says when the steady clock need not be asked.
func TestReadingServes(t *testing.T) {
	t.Parallel()
	at := time.Now()
	r := reading{at: at, steady: time.Hour}
	if steady, ok := r.serves(at.Add(300 * time.Millisecond)); !ok || steady != time.Hour+300*time.Millisecond {
		t.Errorf("0.3s later: %s, %v", steady, ok)
	}
	if _, ok := r.serves(at.Add(afresh)); ok {
		t.Error("an old reading serves")
	}
	// Without a monotonic reading in one of them, Sub goes by the wall clock; so a
	// step is played by moving the reading's own wall clock.
	stepped := reading{at: at.Round(0).Add(-time.Hour), steady: time.Hour}
	if _, ok := stepped.serves(at); ok {
		t.Error("a reading from before a long sleep serves")
	}
}

// TestClockGoesOn reads from many goroutines: none sees the steady clock go back.
func TestClockGoesOn(t *testing.T) {
	t.Parallel()
	c := machineClock()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := c.read().Steady
			for range 20000 {
				now := c.read().Steady
				if now < last {
					t.Errorf("the steady clock went back by %s", last-now)
					return
				}
				last = now
			}
		})
	}
	wg.Wait()
}

// TestLapse: whoever has the same three values has the same time.
func TestLapse(t *testing.T) {
	t.Parallel()
	machine := machineClock()
	origin := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	anchor := machine.read().Steady - time.Second
	l := lapse{factor: 60, origin: origin.Format(time.RFC3339Nano), anchor: int64(anchor)}
	one, err := l.clock()
	if err != nil {
		t.Fatal(err)
	}
	two, _ := l.clock()
	before := machine.read().Steady - anchor
	a, b := one.read(), two.read()
	after := machine.read().Steady - anchor
	if a.Steady < before*60 || b.Steady < a.Steady || b.Steady > after*60 {
		t.Errorf("read %s and %s between %s and %s", a.Steady, b.Steady, before*60, after*60)
	}
	if got := a.Wall.Sub(origin); got != a.Steady {
		t.Errorf("wall %s after the origin, steady %s", got, a.Steady)
	}
	if one.real(time.Minute) != time.Second || one.virtual(time.Second) != time.Minute {
		t.Errorf("a minute takes %s, a second is %s", one.real(time.Minute), one.virtual(time.Second))
	}
	if one.boot != two.boot || one.boot == machine.boot {
		t.Errorf("boot ids %q and %q, machine's %q", one.boot, two.boot, machine.boot)
	}
}

func TestLapseRefuses(t *testing.T) {
	t.Parallel()
	good := lapse{factor: 60, origin: "2026-12-24T18:00:00Z", anchor: 1}
	for name, spoil := range map[string]func(*lapse){
		"no origin":  func(l *lapse) { l.origin = "" },
		"no anchor":  func(l *lapse) { l.anchor = 0 },
		"backwards":  func(l *lapse) { l.factor = -1 },
		"too slow":   func(l *lapse) { l.factor = 0.5 },
		"not at all": func(l *lapse) { l.factor = math.NaN() },
		"no time":    func(l *lapse) { l.origin = "soon" },
	} {
		l := good
		spoil(&l)
		if _, err := l.clock(); err == nil {
			t.Errorf("%s: %+v is accepted", name, l)
		}
	}
	if c, err := new(lapse).clock(); err != nil || c.fast != 1 {
		t.Errorf("no lapse: %v, %v", c.fast, err)
	}
}

func TestOverLoopback(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]bool{
		"http://127.0.0.1:1/public_api/v1": true, "http://localhost/public_api/v1": true, "http://[::1]:80/x": true,
		"https://127.0.0.1/public_api/v1": false, "https://cloud-intl.emqx.com/public_api/v1": false, "http://10.0.0.1/": false, "": false,
	} {
		if got := overLoopback(endpoint); got != want {
			t.Errorf("overLoopback(%q) = %t, want %t", endpoint, got, want)
		}
	}
}

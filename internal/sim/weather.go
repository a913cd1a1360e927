package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// Faults is how much goes wrong in a simulated span.
type Faults uint8

// The levels. What a Seed deals out under one of them is the same in every run.
const (
	// NoFaults is a span in which nothing goes wrong.
	NoFaults Faults = iota
	// LightFaults is what an ordinary month has: now and then a lost answer, a
	// 5xx, a slow transition, a 429 for what others with the key did.
	LightFaults
	// HeavyFaults is a bad year: also outages of hours, a daemon that is killed
	// and started again, a clock that is stepped, others who use the key and
	// people who start and stop by hand; all transitions take longer.
	HeavyFaults
)

// String returns "none", "light" or "heavy".
func (f Faults) String() string {
	switch f {
	case NoFaults:
		return "none"
	case LightFaults:
		return "light"
	case HeavyFaults:
		return "heavy"
	}
	return fmt.Sprintf("faults(%d)", uint8(f))
}

// UnmarshalText reads a word of String; any other is an error.
func (f *Faults) UnmarshalText(text []byte) error {
	for x := NoFaults; x <= HeavyFaults; x++ {
		if x.String() == string(text) {
			*f = x
			return nil
		}
	}
	return errors.New("want none, light or heavy")
}

// How long transitions take on the simulated platform, where Options do not say.
// Nobody documents it; EMQX speaks of some minutes.
const (
	DefaultStartTakes = 4 * time.Minute
	DefaultStopTakes  = 2 * time.Minute
)

// weather is what goes wrong, and its count: of requests and people by the
// platform that they befell, of the host by the machine that did it.
type weather struct {
	*rand.Rand
	*Options
	m     *machine
	ids   []policy.DeploymentID
	base  []simplatform.Fault
	count map[MishapKind]*Mishap
	waits *waits // is told what befalls the host

	outage  bool // one is on
	stepped bool // the host's clock is wrong
}

func newWeather(m *machine, o *Options) *weather {
	w := &weather{Rand: dice(o.Seed, "weather"), Options: o, m: m, count: map[MishapKind]*Mishap{}}
	for _, p := range o.Config.Set.Policies {
		for _, d := range p.Members() {
			w.ids = append(w.ids, d.ID)
		}
	}
	return w
}

// begin gives the machine its network, the platform its faults, and the span its
// happenings.
func (w *weather) begin(span time.Duration) error {
	if w.Faults == NoFaults {
		return nil
	}
	w.m.network.dice = dice(w.Seed, "network")
	w.base = lightFaults()
	if w.Faults == HeavyFaults {
		w.base = heavyFaults()
		w.m.disk.unread = false // another process will read it
		w.happenings(span)
	}
	return w.platform()
}

// lightFaults are those of an ordinary month: a deployment has some forty POSTs
// in it, and some nine thousand looks.
func lightFaults() []simplatform.Fault {
	return []simplatform.Fault{
		{Methods: simplatform.Posts, Kind: simplatform.LostAnswer, P: 0.01},
		{Methods: simplatform.Posts, Kind: simplatform.Error, Code: 503, P: 0.01},
		{Methods: simplatform.Posts, Kind: simplatform.Stuck, P: 0.02}, // until slow ends it
		{Methods: simplatform.Posts, Kind: simplatform.Limited, P: 0.005},
		{Methods: simplatform.AnyMethod, Kind: simplatform.Refused, P: 0.0005},
		{Methods: simplatform.AnyMethod, Kind: simplatform.Error, Code: 502, P: 0.0005},
		{Methods: simplatform.AnyMethod, Kind: simplatform.Hang, For: time.Minute, P: 0.0002},
	}
}

func heavyFaults() []simplatform.Fault {
	return []simplatform.Fault{
		{Methods: simplatform.Posts, Kind: simplatform.LostAnswer, P: 0.02},
		{Methods: simplatform.Posts, Kind: simplatform.Dropped, P: 0.01},
		{Methods: simplatform.Posts, Kind: simplatform.Error, Code: 503, P: 0.02},
		{Methods: simplatform.Posts, Kind: simplatform.Stuck, P: 0.05},
		{Methods: simplatform.Posts, Kind: simplatform.RollBack, P: 0.01},
		{Methods: simplatform.Posts, Kind: simplatform.Limited, P: 0.005},
		{Methods: simplatform.AnyMethod, Kind: simplatform.Refused, P: 0.002},
		{Methods: simplatform.AnyMethod, Kind: simplatform.Error, Code: 502, P: 0.002},
		{Methods: simplatform.AnyMethod, Kind: simplatform.Hang, For: time.Minute, P: 0.001},
	}
}

// timing is how long a deployment's transitions take: what the options say, and
// up to twice that in a bad year.
func (w *weather) timing(id policy.DeploymentID) simplatform.Timing {
	t := simplatform.Timing{Boot: w.StartTakes, Halt: w.StopTakes}
	if t.Boot == 0 {
		t.Boot = DefaultStartTakes
	}
	if t.Halt == 0 {
		t.Halt = DefaultStopTakes
	}
	if w.Faults == HeavyFaults {
		longer := 1 + dice(w.Seed, "timing of "+string(id)).Float64()
		t.Boot = time.Duration(float64(t.Boot) * longer)
		t.Halt = time.Duration(float64(t.Halt) * longer)
	}
	return t
}

// platform puts the faults into force: the usual ones and, while there is one,
// an outage.
func (w *weather) platform(outage ...simplatform.Fault) error {
	w.m.world.ClearFaults()
	for _, f := range append(slices.Clip(w.base), outage...) {
		if err := w.m.world.AddFault(f); err != nil {
			return err
		}
	}
	return nil
}

// befell counts what the platform did to a request, and ends a transition that it
// has slowed down: after two to four times as long as it takes otherwise.
func (w *weather) befell(c scheduler.Call, r *simplatform.Response) {
	switch k := mishapOf(r.Fault); {
	case w.outage && (k == MishapError || k == MishapConnection):
		w.add(MishapOutageCall, 1, 0)
	case (k == MishapSlow || k == MishapRollBack) && !r.Applied: // there was nothing to spoil
	case k == MishapSlow:
		w.add(k, 1, 0)
		w.slow(c)
	default:
		w.add(k, 1, 0)
	}
}

func (w *weather) slow(c scheduler.Call) {
	t := w.timing(c.Deployment)
	takes, status := t.Boot, simplatform.Running
	if c.Method == quota.Stop {
		takes, status = t.Halt, simplatform.Stopped
	}
	takes = time.Duration(float64(takes) * (2 + 2*w.Float64()))
	w.m.world.Plan(w.m.server().Add(takes), simplatform.Act{ID: string(c.Deployment), Do: simplatform.SetStatus, Status: status})
}

// calm is how long before the end of a span nothing new befalls host, platform
// and key, so that most of it comes to its end within the span.
const calm = 9 * time.Hour

// happenings makes up a bad year, kind by kind, each so often.
func (w *weather) happenings(span time.Duration) {
	const day = 24 * time.Hour
	fleet := time.Duration(min(max(1, len(w.ids)/5), 50)) // more deployments, more people
	for _, h := range []struct {
		every time.Duration
		do    func() error
	}{
		{12 * day, w.goDown}, {5 * day, w.killDaemon}, {12 * day, w.stepClock},
		{2 * day / fleet, w.foreignCall}, {4 * day / fleet, w.personActs},
	} {
		for at := w.about(h.every); at < span-calm; at += w.about(h.every) {
			w.m.at(at, h.do)
		}
	}
}

// about is a time of d on the average, and at least a minute.
func (w *weather) about(d time.Duration) time.Duration {
	return max(time.Minute, time.Duration(2*w.Float64()*float64(d)))
}

// upTo is a time from a minute to d.
func (w *weather) upTo(d time.Duration) time.Duration {
	return time.Minute + time.Duration(w.Int64N(int64(d-time.Minute)))
}

// goDown takes the platform down for up to some hours: it answers 503, or
// nothing at all.
func (w *weather) goDown() error {
	if w.outage {
		return nil
	}
	lasts := w.upTo(4 * time.Hour)
	f := simplatform.Fault{Methods: simplatform.AnyMethod, Kind: simplatform.Error, Code: 503}
	if w.IntN(2) == 0 {
		f = simplatform.Fault{Methods: simplatform.AnyMethod, Kind: simplatform.Refused}
	}
	w.outage = true
	w.add(MishapOutage, 1, lasts)
	w.m.at(w.m.real+lasts, func() error {
		w.outage = false
		return w.platform()
	})
	return w.platform(f)
}

// killDaemon kills the process; mostly it is back in seconds, sometimes in hours.
func (w *weather) killDaemon() error {
	down := restartAfter
	if w.IntN(4) == 0 {
		down = w.upTo(8 * time.Hour)
	}
	reached := w.IntN(2) == 0
	if w.m.fleet == nil {
		return nil
	}
	w.add(MishapKill, 1, down)
	w.waits.died()
	w.m.restart(down)
	return w.m.kill(reached)
}

// stepClock steps the host's clock by up to twenty minutes, and somebody sets it
// right within the hour.
func (w *weather) stepClock() error {
	by := w.upTo(20 * time.Minute)
	if w.IntN(2) == 0 {
		by = -by
	}
	after := w.upTo(time.Hour)
	if w.stepped {
		return nil
	}
	w.stepped = true
	w.add(MishapClock, 1, 0)
	w.waits.stepped()
	w.m.clock.offset += by
	w.m.at(w.m.real+after, func() error {
		w.m.clock.offset -= by
		w.stepped = false
		w.waits.righted()
		return nil
	})
	return nil
}

// foreignCall lets somebody else with the key use up a permit of a deployment.
func (w *weather) foreignCall() error {
	if len(w.ids) == 0 {
		return nil
	}
	q := simplatform.Request{Method: simplatform.Start, ID: string(w.someone())}
	if w.IntN(2) == 0 {
		q.Method = simplatform.Stop
	}
	w.m.world.Foreign(w.m.server(), q)
	w.add(MishapForeign, 1, 0)
	return nil
}

// personActs lets somebody start or stop a deployment by hand. What its status
// does not allow does not happen, and counts for nothing.
func (w *weather) personActs() error {
	if len(w.ids) == 0 {
		return nil
	}
	a := simplatform.Act{ID: string(w.someone()), Do: simplatform.PersonStart}
	if w.m.world.StatusAt(a.ID, w.m.server()) == simplatform.Running {
		a.Do = simplatform.PersonStop
	}
	if err := w.m.world.Act(w.m.server(), a); err == nil {
		w.add(MishapPerson, 1, 0)
	}
	return nil
}

func (w *weather) someone() policy.DeploymentID { return w.ids[w.IntN(len(w.ids))] }

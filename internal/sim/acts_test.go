package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// An act is something that happens to the run at a real instant, as data. Which
// of its fields mean something its kind says.
type act struct {
	At    span                `json:"at"`
	Kind  string              `json:"kind"`
	ID    policy.DeploymentID `json:"id,omitempty"`
	For   span                `json:"for,omitempty"` // how long it lasts, or until the process is back
	By    span                `json:"by,omitempty"`  // of a clock
	Every span                `json:"every,omitempty"`
	Count int                 `json:"count,omitempty"`
	Do    string              `json:"do,omitempty"`
	Word  string              `json:"word,omitempty"` // a status, a name
	Power policy.Power        `json:"power,omitempty"`
	File  *text               `json:"file,omitempty"`
}

// String is what the timeline says of an act.
func (a *act) String() string {
	parts := []string{a.Kind}
	for _, word := range []string{a.Do, string(a.ID), a.Word} {
		if word != "" {
			parts = append(parts, word)
		}
	}
	if a.Power != policy.None {
		parts = append(parts, a.Power.String())
	}
	for _, s := range []struct {
		word string
		d    span
	}{{"by", a.By}, {"for", a.For}, {"every", a.Every}} {
		if s.d != 0 {
			parts = append(parts, s.word, time.Duration(s.d).String())
		}
	}
	if a.Count > 0 {
		parts = append(parts, fmt.Sprintf("×%d", a.Count))
	}
	return strings.Join(parts, " ")
}

// deeds are the kinds of act, and what each does.
func deeds() map[string]func(*checker, *act, *file) error {
	return map[string]func(*checker, *act, *file) error{
		"kill": (*checker).crash, "crashloop": (*checker).crashLoop, "term": (*checker).term, "diskfull": (*checker).diskFull,
		"reboot": (*checker).reboot, "suspend": (*checker).suspend, "freeze": (*checker).suspend,
		"step": (*checker).stepped, "skew": (*checker).skew,
		"reload": (*checker).reloaded, "order": (*checker).override, "person": (*checker).person, "rename": (*checker).rename,
		"foreign": (*checker).foreign, "key": (*checker).key, "outage": (*checker).outage,
	}
}

// act does what the script says.
func (k *checker) act(a *act, f *file) error {
	do, ok := deeds()[a.Kind]
	if !ok {
		return fmt.Errorf("the script asks for an unknown act %q", a.Kind)
	}
	k.say("— %s", a)
	k.met[fmt.Sprintf("act %s %s", a.Kind, k.host())]++
	return do(k, a, f)
}

// host is what state the daemon's host is in.
func (k *checker) host() string {
	switch {
	case k.upAt > k.m.real, k.m.fleet == nil:
		return "down"
	case k.m.asleep > k.m.real:
		return "asleep"
	}
	return "up"
}

// crash is kill -9. Word says whether what was on its way to the disk is there.
func (k *checker) crash(a *act, _ *file) error {
	if k.m.fleet == nil {
		return nil
	}
	k.m.restart(time.Duration(a.For))
	return k.m.kill(a.Word == "reached")
}

// crashLoop kills each process a moment after it has started, for a while.
func (k *checker) crashLoop(a *act, _ *file) error {
	end := k.m.real + time.Duration(a.For)
	var again func() error
	again = func() error {
		if k.m.real >= end || k.calmed {
			return nil
		}
		lives := time.Duration(k.dice.Int64N(int64(a.Every))) + 1
		k.m.at(k.m.real+lives, again)
		if k.m.fleet == nil || k.upAt > k.m.real {
			return nil
		}
		k.m.restart(lives / 4)
		return k.m.kill(k.dice.IntN(2) == 0)
	}
	return again()
}

// term asks the process to end, as systemctl stop does; another starts later.
func (k *checker) term(a *act, f *file) error {
	switch {
	case k.m.fleet == nil || k.draining > 0:
		return nil
	case k.m.asleep > k.m.real:
		k.m.at(k.m.asleep, func() error { return k.term(a, f) })
		return nil
	}
	k.draining, k.drainedAt = k.m.real, k.m.now().Steady
	k.m.drained = func() error { return k.exited(time.Duration(a.For)) }
	return k.m.drain()
}

// diskFull has the disk take nothing for a while.
func (k *checker) diskFull(a *act, _ *file) error {
	k.m.full = max(k.m.full, k.m.real+time.Duration(a.For))
	return nil
}

// outage keeps names from resolving for a while.
func (k *checker) outage(a *act, _ *file) error {
	k.m.offline = max(k.m.offline, k.m.real+time.Duration(a.For))
	return nil
}

// reboot restarts the host. Its clock may have moved meanwhile, or have lost its
// battery: then it begins with 1970.
func (k *checker) reboot(a *act, _ *file) error {
	if k.upAt > k.m.real {
		return nil
	}
	if err := k.m.kill(false); err != nil {
		return err
	}
	down, drift := time.Duration(a.For), time.Duration(a.By)
	k.upAt = k.m.real + down
	k.m.at(k.upAt, func() error {
		if a.Word == "1970" {
			drift = time.Unix(0, 0).Sub(k.m.server()) - k.m.clock.offset
		}
		k.m.clock.reboot(k.m.real)
		k.m.clock.offset += drift
		k.back = k.back || drift != 0
		return nil
	})
	k.m.life++ // a restart that was planned before is off
	k.m.restart(down + time.Second)
	if drift != 0 || a.Word == "1970" {
		k.repairClock(down + 40*time.Minute)
	}
	return nil
}

// repairClock sets the host's clock right after a while: somebody saw the alarm.
func (k *checker) repairClock(after time.Duration) {
	k.m.at(k.m.real+after, func() error { k.step(-k.m.clock.offset); return nil })
}

// suspend lets nothing of the daemon run for a while: the host sleeps, or the
// process is frozen. The steady clock goes on in both.
func (k *checker) suspend(a *act, _ *file) error {
	k.m.asleep = max(k.m.asleep, k.m.real+time.Duration(a.For))
	return nil
}

func (k *checker) stepped(a *act, _ *file) error {
	k.step(time.Duration(a.By))
	k.repairClock(time.Duration(a.For))
	return nil
}

// step steps the host's clock.
func (k *checker) step(by time.Duration) {
	if by == 0 {
		return
	}
	k.wall()
	k.m.clock.offset += by
	if w := k.m.now().Wall; k.plan.Sub(w) > 2*time.Minute {
		k.plan = w
		k.back = true
	}
	k.say("the clock is stepped by %s", by)
}

func (k *checker) skew(a *act, _ *file) error {
	k.m.network.skew = time.Duration(a.By)
	return nil
}

// reloaded puts a file into force, or on the disk only where no process runs or
// it is about to end.
func (k *checker) reloaded(_ *act, f *file) error {
	for id, r := range k.file.rules { // each by itself: in whatever order
		if now, ok := f.rules[id]; !ok || !sameRule(now, r) {
			k.changed[id] = true
		}
	}
	for id := range f.rules {
		if _, ok := k.file.rules[id]; !ok {
			k.changed[id] = true
		}
	}
	k.guarded = k.guarded || !slices.Equal(f.protect, k.file.protect) || f.dry != k.file.dry
	old := k.file
	k.file = f
	f.into(&k.m.config)
	if k.m.fleet == nil {
		return nil
	}
	k.adopted(old, f, k.wall())
	k.inForce, k.tookAt = f, k.m.now().Steady
	k.m.configure()
	return nil
}

// adopted notes what a running daemon must not do any more: of a rule that wants
// another power now than the one before it, nothing behind now acts; nor of one
// that is new here.
func (k *checker) adopted(old, now *file, at time.Time) {
	for id, r := range now.rules { // each by itself: in whatever order
		was, known := old.rules[id]
		switch {
		case known && (sameEdges(was, r) || was.wants(at) == r.wants(at) || r.options.Converge):
		default:
			k.past[id] = at
		}
	}
}

func sameRule(a, b *ruleOf) bool { return sameEdges(a, b) && a.options == b.options }

func sameEdges(a, b *ruleOf) bool { return slices.Equal(a.edges, b.edges) }

// override gives a person's word to the daemon.
func (k *checker) override(a *act, _ *file) error {
	if k.m.fleet == nil || k.m.asleep > k.m.real {
		return nil
	}
	o := scheduler.Order{
		Kind: orderKinds()[a.Do], Deployment: a.ID, Power: a.Power, Count: a.Count, Author: "anna", Reason: "a demonstration",
		Until: k.m.now().Wall.Add(time.Duration(a.For)),
	}
	k.orders++
	o.ID = k.orders
	err := k.m.fleet.Ordered(k.m.now(), o)
	switch {
	case errors.Is(err, scheduler.ErrNoDeployment):
		return nil
	case err != nil && k.back: // planning time may wait, or have been cut
		return nil
	case err != nil:
		return err
	}
	k.pending = append(k.pending, pendingOrder{o, k.wall()})
	return nil
}

// orderKinds are the words for what people order.
func orderKinds() map[string]scheduler.OrderKind {
	return map[string]scheduler.OrderKind{
		"hold": scheduler.OrderHold, "skip": scheduler.OrderSkip, "pause": scheduler.OrderPause,
		"release": scheduler.OrderRelease, "converge": scheduler.OrderConverge,
	}
}

// A pendingOrder is one that the person has not been told to be in force.
type pendingOrder struct {
	scheduler.Order
	at time.Time
}

// acked takes in that orders are durable.
func (k *checker) acked(ids []uint64) {
	for _, p := range k.pending {
		if slices.Contains(ids, p.ID) {
			k.ordered(p.Order, p.at)
		}
	}
	k.pending = slices.DeleteFunc(k.pending, func(p pendingOrder) bool { return slices.Contains(ids, p.ID) })
}

// ordered keeps what a person asked for, as a person understands it.
func (k *checker) ordered(o scheduler.Order, now time.Time) {
	all := k.over[o.Deployment]
	for i := range all {
		if live := all[i].Until.After(now); live && (o.Kind == scheduler.OrderRelease || o.Kind != scheduler.OrderSkip && all[i].Kind != policy.Skip) && o.Kind != scheduler.OrderConverge {
			all[i].Until = now
		}
	}
	kind := map[scheduler.OrderKind]policy.OverrideKind{
		scheduler.OrderHold: policy.Hold, scheduler.OrderSkip: policy.Skip, scheduler.OrderPause: policy.Pause,
	}[o.Kind]
	k.over[o.Deployment] = append(all, policy.Override{Kind: kind, Power: o.Power, From: now, Until: o.Until, Count: o.Count})
}

// person has somebody act at the platform by hand. What is deleted, or in a
// strange status, is well again after a while.
func (k *checker) person(a *act, _ *file) error {
	do := simplatform.Act{ID: string(a.ID), Status: simplatform.Status(a.Word)}
	if err := do.Do.UnmarshalText([]byte(a.Do)); err != nil {
		return err
	}
	k.acted(k.m.world.Act(k.m.server(), do), a.ID)
	if a.For > 0 {
		k.m.at(k.m.real+time.Duration(a.For), func() error { k.healed(a.ID, do.Do); return nil })
	}
	return nil
}

// acted notes that somebody else changed a deployment.
func (k *checker) acted(err error, id policy.DeploymentID) {
	if err == nil {
		k.people[id] = k.m.real
	}
	k.say("  %v", errors.Unwrap(err))
}

// healed brings a deployment back that was deleted or in a strange status.
func (k *checker) healed(id policy.DeploymentID, what simplatform.Action) {
	a := simplatform.Act{ID: string(id), Do: simplatform.Recreate}
	if what == simplatform.SetStatus {
		a.Do, a.Status = simplatform.SetStatus, simplatform.Running
	}
	k.say("— a person: %s is well again", id)
	k.acted(k.m.world.Act(k.m.server(), a), id)
}

// rename gives a deployment another name at the platform.
func (k *checker) rename(a *act, _ *file) error {
	if k.m.names == nil {
		k.m.names = map[string]string{}
	}
	k.m.names[string(a.ID)] = a.Word
	return nil
}

// foreign has somebody else with the key use the quota, now and then for a while.
func (k *checker) foreign(a *act, _ *file) error {
	q := simplatform.Request{ID: string(a.ID)}
	if err := q.Method.UnmarshalText([]byte(a.Do)); err != nil {
		return err
	}
	var again func(n int) error
	again = func(n int) error {
		k.m.world.Foreign(k.m.server(), q)
		if n > 0 && !k.calmed {
			k.m.at(k.m.real+time.Duration(a.Every), func() error { return again(n - 1) })
		}
		return nil
	}
	return again(a.Count)
}

// key takes the key's rights away for a while.
func (k *checker) key(a *act, _ *file) error {
	access := simplatform.Revoked
	if a.Do == "outside" {
		access = simplatform.Outside
	}
	k.m.world.SetAccess("", access)
	k.m.at(k.m.real+time.Duration(a.For), func() error { k.m.world.SetAccess("", simplatform.Full); return nil })
	return nil
}

// calm ends all that goes wrong: from here on everything must come to its end.
func (k *checker) calm() error {
	k.say("— from here on nothing goes wrong")
	k.calmed = true
	k.m.world.ClearFaults()
	k.m.world.SetAccess("", simplatform.Full)
	k.m.network.pause, k.m.network.skew = 0, 0
	k.m.full, k.m.offline = 0, 0
	k.m.asleep = min(k.m.asleep, k.m.real)
	k.step(-k.m.clock.offset)
	if k.m.fleet == nil {
		k.m.restart(max(0, k.upAt-k.m.real) + time.Second)
	}
	return nil
}

package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// happenings makes up what befalls the host, the file, the key and the
// deployments, and what people do.
func (s *script) happenings() {
	type kind struct {
		name string
		make func() (string, func(*checker) error)
	}
	kinds := []kind{
		{"kill", s.crash}, {"kill", s.crash}, {"reboot", s.reboot}, {"suspend", s.suspend}, {"step", s.step},
		{"reload", s.reload}, {"reload", s.reload}, {"order", s.override}, {"order", s.override},
		{"person", s.person}, {"person", s.person}, {"foreign", s.foreign}, {"key", s.key}, {"skew", s.skew},
	}
	// A seed has some of the kinds, not all: what goes wrong together is rare.
	s.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	kinds = kinds[:s.IntN(6)]
	if len(kinds) == 0 {
		return
	}
	for range s.IntN(14) {
		chosen := kinds[s.IntN(len(kinds))]
		name, do := chosen.make()
		s.acts = append(s.acts, act{s.instant(), chosen.name, name, do})
	}
	slices.SortStableFunc(s.acts, func(a, b act) int { return int(min(1, max(-1, a.at-b.at))) })
}

// instant is some time of the run; mostly one near an edge, where it hurts.
func (s *script) instant() time.Duration {
	span := s.end() - quiet
	if s.chance(0.4) {
		return s.upTo(span)
	}
	rule := s.file.rules[s.ids[s.IntN(len(s.ids))]]
	var near []time.Duration
	for _, e := range rule.edges {
		if at := e.at.Sub(s.from); at > time.Minute && at < span-time.Minute {
			near = append(near, at)
		}
	}
	if len(near) == 0 {
		return s.upTo(span)
	}
	at := near[s.IntN(len(near))]
	switch s.IntN(5) {
	case 0:
		return at + s.upTo(2*time.Second)
	case 4: // while claims are on their way to the disk
		return at + s.upTo(8*time.Millisecond)
	case 1:
		return at - s.upTo(20*time.Second)
	}
	return at + s.upTo(15*time.Minute)
}

func (s *script) id() policy.DeploymentID { return s.ids[s.IntN(len(s.ids))] }

func (s *script) crash() (string, func(*checker) error) {
	down := time.Second + s.upTo(10*time.Second)
	if s.chance(0.3) {
		down = s.upTo(8 * time.Hour)
	}
	reached := s.chance(0.5)
	return fmt.Sprintf("kill -9, back after %s", down), func(k *checker) error {
		if k.m.fleet == nil {
			return nil
		}
		k.m.restart(down)
		return k.m.kill(reached)
	}
}

func (s *script) reboot() (string, func(*checker) error) {
	down := 10*time.Second + s.upTo(30*time.Minute)
	drift := time.Duration(0)
	if s.chance(0.4) {
		drift = s.upTo(4*time.Hour) - 2*time.Hour
	}
	return fmt.Sprintf("the host restarts in %s, its clock moved by %s", down, drift), func(k *checker) error {
		if k.upAt > k.m.real {
			return nil
		}
		if err := k.m.kill(false); err != nil {
			return err
		}
		k.upAt = k.m.real + down
		k.m.at(k.upAt, func() error {
			k.m.clock.reboot(k.m.real)
			k.m.clock.offset += drift
			k.back = k.back || drift != 0
			return nil
		})
		k.m.life++ // a restart that was planned before is off
		k.m.restart(down + time.Second)
		if drift != 0 {
			k.repairClock(down + 40*time.Minute)
		}
		return nil
	}
}

// repairClock sets the host's clock right after a while: somebody saw the alarm.
func (k *checker) repairClock(after time.Duration) {
	k.m.at(k.m.real+after, func() error { k.step(-k.m.clock.offset); return nil })
}

func (s *script) suspend() (string, func(*checker) error) {
	d := s.upTo(3 * time.Hour)
	return fmt.Sprintf("the host sleeps for %s", d), func(k *checker) error {
		k.m.asleep = max(k.m.asleep, k.m.real+d)
		return nil
	}
}

func (s *script) step() (string, func(*checker) error) {
	by := []time.Duration{
		time.Second, 90 * time.Second, 10 * time.Minute, 59 * time.Minute, 61 * time.Minute,
		2*time.Hour + 59*time.Minute, 26 * time.Hour,
	}[s.IntN(7)]
	if s.chance(0.5) {
		by = -by
	}
	repair := 5*time.Minute + s.upTo(time.Hour)
	return fmt.Sprintf("the clock is stepped by %s", by), func(k *checker) error {
		k.step(by)
		k.repairClock(repair)
		return nil
	}
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

func (s *script) skew() (string, func(*checker) error) {
	d := s.upTo(10*time.Minute) - 5*time.Minute
	return fmt.Sprintf("the platform's Date is off by %s", d), func(k *checker) error {
		k.m.network.skew = d
		return nil
	}
}

// reload changes the file.
func (s *script) reload() (string, func(*checker) error) {
	kind := s.IntN(5)
	return "reload: " + [...]string{"another time", "another name", "one is gone", "it is as it was", "another zone"}[kind], func(k *checker) error {
		specs := cloneSpecs(s.file.specs)
		p := &specs[k.script.IntN(len(specs))]
		switch kind {
		case 0:
			s.shift(k, p)
		case 1:
			p.Name = "renamed " + p.Name
		case 2:
			p.Deployments = p.Deployments[1:]
			if len(p.Deployments) == 0 {
				specs = slices.DeleteFunc(specs, func(o policy.Spec) bool { return len(o.Deployments) == 0 })
			}
		case 4:
			p.Zone = "Asia/Tokyo"
		}
		return k.reload(s.newFile(specs...))
	}
}

// shift moves all times of a policy by some hours.
func (s *script) shift(k *checker, p *policy.Spec) {
	by := 1 + k.script.IntN(23)
	for _, lines := range [][]policy.Cron{p.Start, p.Stop} {
		for i := range lines {
			var minute, hour int
			if n, _ := fmt.Sscanf(lines[i].Expr, "%d %d * * *", &minute, &hour); n == 2 {
				lines[i].Expr = fmt.Sprintf("%d %d * * *", minute, (hour+by)%24)
			}
		}
	}
}

func cloneSpecs(specs []policy.Spec) []policy.Spec {
	all := slices.Clone(specs)
	for i := range all {
		all[i].Start, all[i].Stop = slices.Clone(all[i].Start), slices.Clone(all[i].Stop)
		all[i].Deployments = slices.Clone(all[i].Deployments)
	}
	return all
}

// reload puts a file into force, or on the disk only where no process runs.
func (k *checker) reload(f *file) error {
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
	k.file = f
	k.m.config.Set = f.set
	if k.m.fleet != nil {
		k.m.fleet.Configured(k.m.now(), k.m.config)
	}
	return nil
}

func sameRule(a, b *ruleOf) bool { return slices.Equal(a.edges, b.edges) && a.options == b.options }

func (s *script) override() (string, func(*checker) error) {
	o := scheduler.Order{
		Kind: scheduler.OrderKind(1 + s.IntN(5)), Deployment: s.id(), Power: policy.Power(1 + s.IntN(2)),
		Count: 1 + s.IntN(2), Author: "anna", Reason: "a demonstration",
	}
	d := time.Minute + s.upTo(9*time.Hour).Truncate(time.Second)
	name := fmt.Sprintf("anna: order %d of %s %s for %s", o.Kind, o.Deployment, o.Power, d)
	return name, func(k *checker) error {
		if k.m.fleet == nil || k.m.asleep > k.m.real {
			return nil
		}
		o.Until = k.m.now().Wall.Add(d)
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

func (s *script) person() (string, func(*checker) error) {
	id := s.id()
	a := simplatform.Act{ID: string(id), Do: simplatform.PersonStart + simplatform.Action(s.IntN(2))}
	again := time.Duration(0)
	switch s.IntN(8) {
	case 0:
		a.Do, again = simplatform.Delete, s.upTo(2*time.Hour)
	case 1:
		a.Do, a.Status, again = simplatform.SetStatus, []simplatform.Status{"upgrading", simplatform.Failed, simplatform.Pending}[s.IntN(3)], s.upTo(2*time.Hour)
	}
	return fmt.Sprintf("a person: %s %s %s", a.Do, id, a.Status), func(k *checker) error {
		k.acted(k.m.world.Act(k.m.server(), a), id)
		if again > 0 {
			k.m.at(k.m.real+again, func() error { k.healed(id, a.Do); return nil })
		}
		return nil
	}
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

func (s *script) foreign() (string, func(*checker) error) {
	q := simplatform.Request{ID: string(s.id()), Method: methodOf(quota.Method(s.IntN(quota.Methods)))}
	return fmt.Sprintf("somebody else: %s %s", q.Method, q.ID), func(k *checker) error {
		k.m.world.Foreign(k.m.server(), q)
		return nil
	}
}

// key takes the key's rights away for a while.
func (s *script) key() (string, func(*checker) error) {
	access := simplatform.Revoked
	if s.chance(0.3) {
		access = simplatform.Outside
	}
	d := s.upTo(2 * time.Hour)
	return fmt.Sprintf("the key's access is %d for %s", access, d), func(k *checker) error {
		k.m.world.SetAccess("", access)
		k.m.at(k.m.real+d, func() error { k.m.world.SetAccess("", simplatform.Full); return nil })
		return nil
	}
}

// calm ends all that goes wrong: from here on everything must come to its end.
func (k *checker) calm() error {
	k.say("— from here on nothing goes wrong")
	k.m.world.ClearFaults()
	k.m.world.SetAccess("", simplatform.Full)
	k.m.network.pause, k.m.network.skew = 0, 0
	k.m.asleep = min(k.m.asleep, k.m.real)
	k.step(-k.m.clock.offset)
	if k.m.fleet == nil {
		k.m.restart(max(0, k.upAt-k.m.real) + time.Second)
	}
	return nil
}

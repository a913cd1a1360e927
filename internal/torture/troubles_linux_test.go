package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The kinds of trouble of which the judge must know.
const (
	kindFreeze = "freeze"
	kindDisk   = "disk full"
	kindFiles  = "no descriptors"
	kindStep   = "clock stepped"
	kindReload = "reload storm"
)

// A kind is one way to make a run hard: what it does, and for how long at most.
type kind struct {
	name  string
	least time.Duration // how long it lasts, in real time
	most  time.Duration
	do    func(s *site, last time.Duration, dice *rand.Rand) error
}

// kinds are all there are. Those without a span act at one moment.
func kinds() []kind {
	const ms = time.Millisecond
	return []kind{
		{"kill", 0, 0, killAny},
		{"kill in a call", 0, 0, killInCall},
		{"kill both", 0, 0, killBoth},
		{"end in a call", 0, 0, endInCall},
		{kindFreeze, 300 * ms, 2500 * ms, freeze},
		{"platform away", 300 * ms, 2500 * ms, away},
		{"bad wire", 800 * ms, 3000 * ms, badWire},
		{"bad answers", 800 * ms, 2500 * ms, badAnswers},
		{kindDisk, 300 * ms, 1500 * ms, fillDisk},
		{kindFiles, 500 * ms, 2000 * ms, noFiles},
		{kindStep, 500 * ms, 2000 * ms, stepClock},
		{kindReload, 500 * ms, 1500 * ms, reloadStorm},
	}
}

// A trouble is a kind with its time.
type trouble struct {
	kind
	at, last time.Duration // at counts from the begin of the troubles
	seed     uint64
}

// deal deals out troubles over span: every kind at least once, in an order of the
// seed's, and each again when all have come. A kind may fall into another's span.
func deal(dice *rand.Rand, span time.Duration, disk bool) []trouble {
	const each = 1700 * time.Millisecond // from one to the next, about
	deck := kinds()
	if !disk {
		deck = slices.DeleteFunc(deck, func(k kind) bool { return k.name == kindDisk })
	}
	n := max(len(deck), int(span/each))
	n -= n % len(deck)
	gap := span / time.Duration(n)
	var all []trouble
	for i := range n {
		if i%len(deck) == 0 {
			dice.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		k := deck[i%len(deck)]
		t := trouble{kind: k, at: time.Duration((float64(i) + dice.Float64()) * float64(gap)), seed: dice.Uint64()}
		t.last = k.least + time.Duration(dice.Float64()*float64(k.most-k.least))
		t.last = max(0, min(t.last, span-t.at)) // fair weather is fair
		all = append(all, t)
	}
	return all
}

// suffer lets all troubles happen at their times and returns when the last is over.
func (s *site) suffer(all []trouble) error {
	began := time.Now()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, t := range all {
		wg.Go(func() {
			pause(time.Until(began.Add(t.at)))
			one := s.serial[t.name]
			one.Lock()
			defer one.Unlock()
			if err := t.do(s, t.last, rand.New(rand.NewPCG(t.seed, 0))); err != nil {
				errs[i] = fmt.Errorf("%s: %w", t.name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// calm takes back whatever may still lie in wait.
func (s *site) calm() error {
	for at := beforePassed; at <= afterAnswered; at++ {
		s.wire.strike(at, nil)
	}
	s.wire.set(weather{})
	return errors.Join(s.sim("DELETE", "/_sim/faults", nil, nil), s.wire.up())
}

// pause is how long a trouble lasts. Nothing is hoped to have come by its end.
func pause(d time.Duration) { time.Sleep(d) }

// killed kills a daemon and says so.
func (s *site) kill(k *keeper, why string) {
	s.tell("kill -9 %s, process %d: %s", k.name, k.signal(syscall.SIGKILL), why)
}

func killAny(s *site, _ time.Duration, dice *rand.Rand) error {
	if dice.IntN(3) == 0 { // any: the one that waits may die, too
		s.kill(s.daemons[dice.IntN(len(s.daemons))], "any of them")
		return nil
	}
	s.kill(s.holder(dice), "it has the ledger")
	return nil
}

func killBoth(s *site, _ time.Duration, _ *rand.Rand) error {
	for _, k := range s.daemons {
		s.kill(k, "all of them")
	}
	return nil
}

// killInCall kills the one that makes the next POST, in the middle of it.
func killInCall(s *site, _ time.Duration, dice *rand.Rand) error {
	at := place(dice.IntN(int(afterAnswered) + 1))
	s.tell("the next POST kills its sender, %s", at)
	s.wire.strike(at, func() { s.kill(s.holder(dice), "in a POST, "+at.String()) })
	return nil
}

// endInCall asks the one that makes the next POST to end.
func endInCall(s *site, _ time.Duration, dice *rand.Rand) error {
	s.tell("the next POST brings its sender a SIGTERM")
	s.wire.strike(afterPassed, func() {
		k := s.holder(dice)
		s.tell("SIGTERM to %s, process %d, in a POST", k.name, k.signal(syscall.SIGTERM))
	})
	return nil
}

func (p place) String() string {
	return [...]string{"before it was passed on", "after it was passed on", "after it was answered"}[p]
}

// freeze stops the one that has the ledger and lets it go on, unless somebody
// killed it meanwhile.
func freeze(s *site, last time.Duration, dice *rand.Rand) error {
	k := s.holder(dice)
	defer s.begin(kindFreeze, 0)()
	s.tell("SIGSTOP to %s, process %d, for %v", k.name, k.signal(syscall.SIGSTOP), last)
	pause(last)
	s.tell("SIGCONT to %s, process %d", k.name, k.signal(syscall.SIGCONT))
	return nil
}

// away lets the platform be gone: connections are reset, and refused.
func away(s *site, last time.Duration, _ *rand.Rand) error {
	s.tell("the platform is away for %v", last)
	s.wire.down()
	pause(last)
	s.tell("the platform is back")
	return s.wire.up()
}

// badWire makes rough weather between the two.
func badWire(s *site, last time.Duration, dice *rand.Rand) error {
	var w weather
	for range 3 {
		w[1+dice.IntN(mishaps-1)] += 0.05 + 0.2*dice.Float64()
	}
	s.tell("bad wire for %v: reset %.2f, lost %.2f, cut %.2f, torn %.2f, slow %.2f, late %.2f, mute %.2f",
		last, w[reset], w[lost], w[cut], w[torn], w[slow], w[late], w[mute])
	s.wire.set(w)
	pause(last)
	s.wire.set(weather{})
	s.tell("the wire is fair")
	return nil
}

// badAnswers lets the platform itself fail.
func badAnswers(s *site, last time.Duration, dice *rand.Rand) error {
	rules := []string{
		"post * error code=503 p=0.4", "post * error-applied code=500 p=0.4", "post * garbage p=0.3", "get * error p=0.3",
		"post * dropped p=0.4", "post * roll-back p=0.3", "any * truncated p=0.3", "post * limited retry=20s p=0.3",
		"get * limited retry=5s p=0.1", "post * redirect p=0.3", "post * forbidden p=0.3",
	}
	for _, i := range dice.Perm(len(rules))[:2] {
		s.tell("the platform fails for %v: %s", last, rules[i])
		if err := s.sim("POST", "/_sim/faults", map[string]string{"fault": rules[i]}, nil); err != nil {
			return err
		}
	}
	pause(last)
	s.tell("the platform is well again")
	return s.sim("DELETE", "/_sim/faults", nil, nil)
}

// fillDisk fills the ledger's file system to the last byte.
func fillDisk(s *site, last time.Duration, _ *rand.Rand) error {
	defer s.begin(kindDisk, 0)()
	path := filepath.Join(s.disk, "ballast")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	n := 0
	for piece := make([]byte, 64<<10); len(piece) > 0; {
		written, err := f.Write(piece)
		if n += written; errors.Is(err, syscall.ENOSPC) {
			piece = piece[:len(piece)/2]
		} else if err != nil {
			return errors.Join(err, f.Close(), os.Remove(path))
		}
	}
	s.tell("the disk is full for %v: %d KB of ballast", last, n>>10)
	pause(last)
	s.tell("the disk has space again")
	return errors.Join(f.Close(), os.Remove(path))
}

// noFiles takes from the one that has the ledger the right to open anything more.
func noFiles(s *site, last time.Duration, dice *rand.Rand) error {
	k := s.holder(dice)
	pid := k.pid()
	defer s.begin(kindFiles, 0)()
	var old unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		return ignoreGone(err)
	}
	few := unix.Rlimit{Cur: 4, Max: old.Max}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &few, nil); err != nil {
		return ignoreGone(err)
	}
	s.tell("%s, process %d, can open nothing for %v", k.name, pid, last)
	pause(last)
	s.tell("%s, process %d, can open files again", k.name, pid)
	if k.pid() != pid {
		return nil
	}
	return ignoreGone(unix.Prlimit(pid, unix.RLIMIT_NOFILE, &old, nil))
}

// ignoreGone takes a process that ended meanwhile for no error.
func ignoreGone(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// stepClock sets the daemons' wall clock wrong, and right again.
func stepClock(s *site, last time.Duration, dice *rand.Rand) error {
	const sec, min = time.Second, time.Minute
	offs := []time.Duration{40 * sec, -40 * sec, 90 * sec, -90 * sec, 10 * min, -10 * min, 26 * 60 * min, -3 * 60 * min}
	off := offs[dice.IntN(len(offs))]
	end := s.begin(kindStep, off)
	defer end()
	s.tell("the clock is %v off for %v", off, last)
	if err := replace(s.steps(), off.String()); err != nil {
		return err
	}
	pause(last)
	s.tell("the clock is right again")
	return replace(s.steps(), "0s")
}

// reloadStorm writes files that say the same in other words, and broken ones, as
// fast as they come, and leaves a good one.
func reloadStorm(s *site, last time.Duration, dice *rand.Rand) error {
	defer s.begin(kindReload, 0)()
	until, n := time.Now().Add(last), 0
	s.tell("reloads for %v", last)
	for ; time.Now().Before(until) || n < 4; n++ {
		good := s.law.text(draft{
			suffix: []string{"", "-renamed"}[dice.IntN(2)], turned: dice.IntN(2) == 0, visitor: dice.IntN(2) == 0,
			comment: fmt.Sprintf("reload %d", n),
		})
		if err := s.scribble(good, dice); err != nil {
			return err
		}
		s.hangUp()
		pause(time.Duration(dice.IntN(120)) * time.Millisecond)
	}
	err := s.write(s.law.text(draft{}))
	s.hangUp()
	s.tell("%d reloads, the last one of the file as it was", n+1)
	return err
}

// scribble puts a file in its place: whole, broken, or half of it first. What is
// broken stays so in every part of it: a file that ends early is a good one.
func (s *site) scribble(good string, dice *rand.Rand) error {
	broken := "\t{" + good[:dice.IntN(len(good))]
	switch dice.IntN(4) {
	case 0:
		return s.write(broken)
	case 1:
		return os.WriteFile(s.file(), []byte(broken), 0o600) // in its place: the reader may see nothing, or a part
	case 2:
		if err := os.WriteFile(s.file(), nil, 0o600); err != nil {
			return err
		}
		s.hangUp()
	}
	return s.write(good)
}

// hangUp asks for a reload, as whoever waits for a daemon to be up does: a signal
// ends a process that is not yet able to take it.
func (s *site) hangUp() {
	for _, k := range s.daemons {
		if k.age() > time.Second {
			k.signal(syscall.SIGHUP)
		}
	}
}

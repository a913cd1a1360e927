package sim

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"curfew/apiclient/quota"
	"curfew/internal/simplatform"
	"curfew/policy"
	"curfew/scheduler"
)

// A checker is the witness of the tests. It holds what it sees against the
// invariants, with code of its own: from the calls, their claims, the
// platform's answers and the oracle's edges, never from what the Fleet says of
// itself. The numbers are those of the reliability page.
type checker struct {
	m    *machine
	file *file
	over map[policy.DeploymentID][]policy.Override // what people asked for
	plan time.Time                                 // the latest wall clock, small steps back left out

	claims  map[uint64]scheduler.Claim // durable, not returned
	learned [quota.Methods]bool        // durable
	probed  [quota.Methods]uint64      // the last claim by which a scope was to be learned, once it arrived
	flying  map[policy.DeploymentID]scheduler.Claim
	open    map[policy.DeploymentID]*openPOST
	applied map[occurrence]int // and the daemon was not told that it was refused
	refused map[refusal]refused
	wasted  map[occurrence]int                          // claims that were given back
	spoken  map[policy.DeploymentID][]scheduler.Outcome // durable, in order
	active  map[policy.DeploymentID]time.Time           // durably under a policy since
	alarms  map[policy.DeploymentID]bool
	status  map[policy.DeploymentID]string
	looks   map[policy.DeploymentID][2]sight      // the last, and the one before it
	ended   map[policy.DeploymentID]time.Duration // real: when the last POST did
	trace   []string
	sum     uint64 // of everything that happened, looks included
	sent    [quota.Methods]int
	met     map[string]int // what happened, by a name for it

	script  *script
	dice    *rand.Rand                            // of acts that go on by themselves
	changed map[policy.DeploymentID]bool          // its rule changed, or went
	people  map[policy.DeploymentID]time.Duration // real: when somebody else acted last
	back    bool                                  // the clock was stepped back by more than two minutes
	orders  uint64
	pending []pendingOrder
	givenTo map[uint64]policy.DeploymentID // overrides, by their number
	upAt    time.Duration                  // real: when the host is up again

	bornAt    time.Duration                     // steady: when this process began
	drainedAt time.Duration                     // steady: when it was asked to
	draining  time.Duration                     // real: since when the process is to end; 0 where it is not
	calmed    bool                              // nothing goes wrong any more
	guarded   bool                              // protect or dry_run of the file was changed
	inForce   *file                             // of the last process
	durable   *file                             // the same, as the ledger knows of it
	tookAt    time.Duration                     // steady: when inForce came into force
	pastKept  map[policy.DeploymentID]time.Time // past, as the ledger knows of it
	past      map[policy.DeploymentID]time.Time // edges up to it must not act: the file changed what is wanted
	rows      map[policy.DeploymentID]scheduler.Row
	named     map[policy.DeploymentID]string // by looks of this process
	rowsLast  map[policy.DeploymentID]string // the row of the answer to its last start or stop
	tries     map[occurrence]int
	lastSent  map[refusal]time.Duration // real
	notices   int
}

// An occurrence is the identity of a transition.
type occurrence struct {
	id    policy.DeploymentID
	power policy.Power
	at    int64
}

func occurrenceOf(id policy.DeploymentID, t scheduler.Transition) occurrence {
	return occurrence{id, t.Power, t.At.UnixNano()}
}

// A sight is a look that could be read.
type sight struct {
	text  string
	asked time.Duration // real
	plan  time.Time     // the daemon's clock by then
}

// An openPOST is one whose effect may still come.
type openPOST struct {
	method   quota.Method
	ended    time.Duration // real
	accepted bool
	ours     bool // its transient status was seen
}

type refusal struct {
	id policy.DeploymentID
	m  quota.Method
}

// refused is a 429: until when nothing may follow it. Another process knows of
// the window for the same transition alone, and not of the Retry-After.
type refused struct {
	window, wish time.Duration // real
	life         int
	of           occurrence
}

func newChecker(f *file) *checker {
	return &checker{
		file: f, over: map[policy.DeploymentID][]policy.Override{},
		claims: map[uint64]scheduler.Claim{}, flying: map[policy.DeploymentID]scheduler.Claim{},
		open: map[policy.DeploymentID]*openPOST{}, applied: map[occurrence]int{}, refused: map[refusal]refused{}, met: map[string]int{}, wasted: map[occurrence]int{},
		spoken: map[policy.DeploymentID][]scheduler.Outcome{}, alarms: map[policy.DeploymentID]bool{}, active: map[policy.DeploymentID]time.Time{},
		changed: map[policy.DeploymentID]bool{}, people: map[policy.DeploymentID]time.Duration{},
		status: map[policy.DeploymentID]string{}, looks: map[policy.DeploymentID][2]sight{},
		ended: map[policy.DeploymentID]time.Duration{}, givenTo: map[uint64]policy.DeploymentID{}, inForce: f, durable: f, past: map[policy.DeploymentID]time.Time{},
		rows: map[policy.DeploymentID]scheduler.Row{}, named: map[policy.DeploymentID]string{},
		rowsLast: map[policy.DeploymentID]string{}, tries: map[occurrence]int{}, lastSent: map[refusal]time.Duration{},
	}
}

// say adds a line to the timeline: the platform's time, the host's where it is
// another, and what happened.
func (k *checker) say(format string, args ...any) {
	at := k.m.server().UTC()
	line := at.Format("Mon 15:04:05.000 ")
	if off := k.m.clock.offset; off != 0 {
		line += fmt.Sprintf("(clock %+v) ", off)
	}
	line += fmt.Sprintf(format, args...)
	k.trace = append(k.trace, line)
	k.mix(line)
}

func (k *checker) mix(s string) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%x %s", k.sum, s)
	k.sum = h.Sum64()
}

// wall takes the host's clock in and returns the time by which the daemon plans.
func (k *checker) wall() time.Time {
	if w := k.m.now().Wall; w.After(k.plan) {
		k.plan = w
	}
	return k.plan
}

func (k *checker) began(life int, now scheduler.Now, s scheduler.State) {
	k.plan = now.Wall
	k.bornAt = now.Steady
	k.say("process %d starts at %s", life, now.Wall.UTC().Format("2 Jan 15:04:05"))
	for id, c := range k.flying { // each by itself: in whatever order
		k.open[id] = &openPOST{method: c.Method, ended: k.m.real}
	}
	for id, o := range k.open {
		if k.closed(id, o) {
			delete(k.open, id)
			continue
		}
		o.ended, o.ours = k.m.real, false // nobody looked meanwhile
	}
	clear(k.flying)
	k.pending = nil
	clear(k.looks) // a process believes what it saw itself
	clear(k.named)
	k.draining = 0
	k.past = maps.Clone(k.pastKept)
	if k.past == nil {
		k.past = map[policy.DeploymentID]time.Time{}
	}
	k.tookAt = now.Steady
	k.restarted(now.Wall)
	if life > 1 {
		k.met["process died"]++
		for _, id := range sortedKeys(k.rowsLast) {
			k.follows(id, "the process died")
		}
	}
}

func (k *checker) committed(b *scheduler.Batch) error {
	if b.Written.Steady >= k.tookAt { // put together since the file came into force
		k.durable, k.pastKept = k.inForce, maps.Clone(k.past)
	}
	for _, c := range b.Claims {
		k.claims[c.ID] = c
		if k.draining > 0 && c.Made.Steady > k.drainedAt {
			return fmt.Errorf("I6: %s %s is claimed by a process that is to end", c.Method, c.Deployment)
		}
	}
	for _, e := range b.Endings {
		if !e.Returned {
			continue
		}
		key := occurrenceOf(k.claims[e.Claim].Deployment, k.claims[e.Claim].Transition)
		since := k.wall().Sub(time.Unix(0, key.at))
		if k.wasted[key]++; key.power != policy.None && k.wasted[key] > 100+int(since/(30*time.Second)) && !k.back {
			return fmt.Errorf("I19: %s is claimed and given back %d times", k.claims[e.Claim].Deployment, k.wasted[key])
		}
		delete(k.claims, e.Claim)
	}
	for _, r := range b.Rows {
		k.rows[r.Deployment] = r
		if _, ok := k.active[r.Deployment]; !ok {
			k.active[r.Deployment] = b.Written.Wall
		}
		if r.Gone {
			delete(k.active, r.Deployment)
		}
	}
	for _, o := range b.Overrides {
		k.givenTo[o.ID] = o.Deployment
	}
	for _, id := range b.Expired {
		k.expired(k.givenTo[id])
	}
	k.acked(b.Orders)
	for _, l := range b.Scopes {
		k.learned[l.Method] = true
		k.met["scope learned"]++
		k.say("durable: scope of %s is %s", l.Method, l.Scope)
	}
	for _, o := range b.Outcomes {
		k.say("durable: %s %s of %s ×%d: %s %s", o.Deployment, o.Power.Action(), o.At.UTC().Format("Mon 15:04:05.999999999"), o.Count, o.Kind, o.Reason)
		k.spoken[o.Deployment] = append(k.spoken[o.Deployment], o)
		k.met[fmt.Sprintf("outcome %s %s", o.Kind, o.Reason)] += o.Count
		k.follows(o.Deployment, strings.TrimSpace(fmt.Sprintf("%s %s", o.Kind, o.Reason)))
	}
	return nil
}

// wasSeen holds what is called done, or was so already, against the looks: done
// takes one that was asked for after the last POST ended, already takes two
// equal ones, the second of them not before the instant.
func (k *checker) wasSeen(o scheduler.Outcome) error {
	last, before := k.looks[o.Deployment][0], k.looks[o.Deployment][1]
	switch {
	case o.Kind != scheduler.Done && o.Kind != scheduler.Already:
	case last.asked < k.ended[o.Deployment]:
		return fmt.Errorf("I13: %s of %s is %s, and nobody looked since the last POST ended", when(o.Transition), o.Deployment, o.Kind)
	case o.Note == "" && last.text != o.Power.String():
		return fmt.Errorf("I13: %s of %s is %s, and the last look showed %q", when(o.Transition), o.Deployment, o.Kind, last.text)
	case o.Kind == scheduler.Already && (before.text != last.text || last.plan.Before(o.At) && !k.back):
		return fmt.Errorf("I13: %s of %s was so already, after looks that showed %q and %q", when(o.Transition), o.Deployment, before.text, last.text)
	}
	return nil
}

func (k *checker) called(c scheduler.Call) error {
	k.sent[c.Method]++
	claim, ok := k.claims[c.Claim]
	switch {
	case !ok:
		return fmt.Errorf("I6: %s %s is sent and its claim %d is not durable", c.Method, c.Deployment, c.Claim)
	case claim.Deployment != c.Deployment || claim.Method != c.Method:
		return fmt.Errorf("I6: %s %s is sent on a claim for %s %s", c.Method, c.Deployment, claim.Method, claim.Deployment)
	case c.Permit.NotAfter() > claim.Latest-scheduler.CallTimeout:
		return fmt.Errorf("I6: %s %s may end after %s, the latest end that its claim says", c.Method, c.Deployment, claim.Latest)
	}
	if c.Method == quota.Get {
		k.mix(fmt.Sprintf("%d get %s", k.m.real, c.Deployment))
		return nil
	}
	k.say("%s %s for %s (claim %d)", c.Method, c.Deployment, claim.Transition.At.UTC().Format("Mon 15:04:05"), c.Claim)
	for _, check := range []func(scheduler.Call, scheduler.Claim) error{k.notEarly, k.notKept, k.notPast, k.notStale, k.notContrary, k.notLimited} {
		if err := check(c, claim); err != nil {
			return err
		}
	}
	k.flying[c.Deployment] = claim
	k.follows(c.Deployment, "again")
	return k.notLate(c, claim)
}

// notEarly is I1.
func (k *checker) notEarly(c scheduler.Call, claim scheduler.Claim) error {
	if at := k.wall(); at.Before(claim.Transition.At) {
		return fmt.Errorf("I1: %s %s leaves %s early", c.Method, c.Deployment, claim.Transition.At.Sub(at))
	}
	return nil
}

// notStale is I4.
func (k *checker) notStale(c scheduler.Call, claim scheduler.Claim) error {
	rule, ok := k.file.rules[c.Deployment]
	if !ok {
		return fmt.Errorf("I4: %s %s leaves, and no policy has it", c.Method, c.Deployment)
	}
	now, t := k.wall(), claim.Transition
	for _, o := range k.over[c.Deployment] {
		if in := !now.Before(o.From) && now.Before(o.Until); in && (o.Kind == policy.Pause || o.Kind == policy.Hold && o.Power != t.Power) {
			return fmt.Errorf("I4: %s %s leaves under %s %s", c.Method, c.Deployment, o.Kind, o.Power)
		}
	}
	since := t.At
	for _, o := range k.over[c.Deployment] {
		if o.Kind == policy.Hold && o.From.Before(t.At) && t.At.Before(o.Until) && since.Before(o.Until) {
			since = o.Until // what fell inside a hold is deferred, and late from its end on
		}
	}
	late := now.Sub(since)
	if w := rule.options.CatchUpWithin; w > 0 && late > w {
		return fmt.Errorf("I4: %s %s leaves %s late, and is caught up for %s", c.Method, c.Deployment, late, w)
	}
	if next, ok := rule.next(now, t.Power.Other()); ok && late > 5*time.Minute && next.Sub(now) < rule.options.MinSpan {
		return fmt.Errorf("I4: %s %s leaves %s late, and %s before the next edge", c.Method, c.Deployment, late, next.Sub(now))
	}
	if t.Because.Kind != policy.KindEdge && t.Because.Kind != policy.KindCalendar || len(k.over[c.Deployment]) > 0 {
		return nil
	}
	if k.m.clock.offset.Abs() > 70*time.Hour {
		return nil // the oracle did not work those years out
	}
	if last, ok := rule.last(now); !ok || last.power != t.Power || !last.at.Equal(t.At) && !k.changed[c.Deployment] {
		return fmt.Errorf("I4: %s %s leaves for %s, and the latest edge is %s at %s", c.Method, c.Deployment,
			t.At.UTC().Format("Mon 15:04:05"), last.power.Action(), last.at.UTC().Format("Mon 15:04:05"))
	}
	return nil
}

// notLate is I15, and I16 where another deployment's calls hang: with clock and
// platform healthy, no trouble of its own and its permit free, a call leaves at
// its instant.
func (k *checker) notLate(c scheduler.Call, claim scheduler.Claim) error {
	key := occurrenceOf(c.Deployment, claim.Transition)
	k.tries[key]++
	t := claim.Transition
	if k.script == nil || !k.script.Calm || k.tries[key] > 1 || k.troubled(c.Deployment) ||
		t.Because.Kind != policy.KindEdge && t.Because.Kind != policy.KindCalendar {
		return nil
	}
	per := k.m.config.Quotas[c.Method].Per
	before, sent := k.lastSent[refusal{c.Deployment, c.Method}]
	k.lastSent[refusal{c.Deployment, c.Method}] = k.m.real
	at := t.At.Sub(k.m.epoch)
	if at < 10*time.Minute || sent && before+per+per/30+time.Minute > at || k.m.world.StatusAt(string(c.Deployment), t.At.Add(-6*time.Minute)) != k.m.world.StatusAt(string(c.Deployment), t.At) {
		return nil
	}
	if late := k.wall().Sub(t.At); late > time.Second {
		return fmt.Errorf("I15: %s %s leaves %s late, and nothing was in its way", c.Method, c.Deployment, late)
	}
	k.met["punctual call"]++
	return nil
}

// troubled reports whether a fault is meant for a deployment.
func (k *checker) troubled(id policy.DeploymentID) bool {
	return slices.ContainsFunc(k.script.Faults, func(f fault) bool { return f.Target == id })
}

// notKept holds what keeps calls from a deployment whatever its times say: a dry
// run, protection, a name that is not the one in the file. Where the file gives
// one, a look of this process has told it first.
func (k *checker) notKept(c scheduler.Call, _ scheduler.Claim) error {
	rule, ok := k.file.rules[c.Deployment]
	if !ok {
		return nil
	}
	want, asserted := rule.asserts[c.Deployment]
	switch {
	case k.file.dry || rule.options.DryRun:
		return fmt.Errorf("I4: %s %s leaves in a dry run", c.Method, c.Deployment)
	case c.Method == quota.Stop && slices.Contains(k.file.protect, string(c.Deployment)):
		return fmt.Errorf("I4: %s %s leaves, and it is protected", c.Method, c.Deployment)
	case asserted && k.named[c.Deployment] != want:
		return fmt.Errorf("I4: %s %s leaves, which the file calls %q and the last look %q", c.Method, c.Deployment, want, k.named[c.Deployment])
	}
	return nil
}

// notPast is I10: nothing that a file says acts on the past.
func (k *checker) notPast(c scheduler.Call, claim scheduler.Claim) error {
	rule, ok := k.file.rules[c.Deployment]
	past, changed := k.past[c.Deployment]
	t := claim.Transition
	if !ok || !changed || k.back || t.Because.Kind != policy.KindEdge && t.Because.Kind != policy.KindCalendar {
		return nil
	}
	nominal := t.At
	for _, e := range rule.edges {
		if e.at.Equal(t.At) && e.power == t.Power && !e.untouched {
			nominal = e.nominal
		}
	}
	if !nominal.After(past) && len(k.over[c.Deployment]) == 0 {
		return fmt.Errorf("I10: %s %s leaves for %s, and the file that says so came at %s", c.Method, c.Deployment,
			t.At.UTC().Format("Mon 15:04:05"), past.UTC().Format("Mon 15:04:05"))
	}
	return nil
}

// restarted notes what a process must not do that finds another file than the one
// before it: what came while no process ran does not act. What was due, or being
// tried, when the last one ended stays so.
func (k *checker) restarted(at time.Time) {
	old, now := k.durable, k.file
	k.inForce = now
	if old == now {
		return
	}
	for id, r := range now.rules { // each by itself: in whatever order
		was, known := old.rules[id]
		row := k.rows[id]
		switch {
		case known && (sameEdges(was, r) || r.options.Converge):
		case known && (!row.Due.Zero() || row.Attempt.State != scheduler.NoAttempt || row.Power == policy.None):
		case known && k.active[id].IsZero():
		default:
			k.past[id] = at
		}
	}
}

// expired ends what a person asked of a deployment that has left the file: one
// that comes back begins anew. What is over by itself stays as it was.
func (k *checker) expired(id policy.DeploymentID) {
	if _, ok := k.rows[id]; !ok || !k.rows[id].Gone {
		return
	}
	for i := range k.over[id] {
		if o := &k.over[id][i]; o.Until.After(k.wall()) {
			o.Until = k.wall()
		}
	}
}

// exited is the end of a process that was asked to end: quickly, and with every
// start and stop that it sent accounted for.
func (k *checker) exited(back time.Duration) error {
	k.say("the process has ended as it was asked to")
	if took := k.m.real - k.draining; took > drainTime && k.m.asleep < k.draining {
		return fmt.Errorf("I14: the process needs %s to end", took)
	}
	k.draining = 0
	k.met["drained"]++
	if k.calmed {
		back = time.Second
	}
	k.m.restart(back)
	for _, u := range k.m.disk.state.Uses {
		if u.Open && u.Method != quota.Get && u.Made.Steady >= k.bornAt {
			return fmt.Errorf("I6: the process has ended, and its claim %d (%s %s) has no end", u.ID, u.Method, u.Deployment)
		}
	}
	return nil
}

// drainTime is how long a process may need to end: a slow connection, a slow
// answer, and two slow commits.
const drainTime = 25*time.Second + scheduler.CallTimeout + 2*30*time.Second + 10*time.Second

// notContrary is I5.
func (k *checker) notContrary(c scheduler.Call, _ scheduler.Claim) error {
	if other, ok := k.flying[c.Deployment]; ok {
		return fmt.Errorf("I5: %s %s leaves while its %s is in the air", c.Method, c.Deployment, other.Method)
	}
	o := k.open[c.Deployment]
	if o == nil {
		return nil
	}
	if !k.closed(c.Deployment, o) {
		return fmt.Errorf("I5: %s %s leaves %s after a %s whose effect may still come", c.Method, c.Deployment, k.m.real-o.ended, o.method)
	}
	delete(k.open, c.Deployment)
	return nil
}

// closed reports whether the time is over in which a POST's effect may come. An
// answer that was lost may be given up earlier, where looks say so.
func (k *checker) closed(id policy.DeploymentID, o *openPOST) bool {
	confirm := policy.DefaultConfirmWithin
	if r, ok := k.file.rules[id]; ok {
		confirm = r.options.ConfirmWithin
	}
	if !o.accepted {
		confirm /= 3
	}
	since := k.m.real - o.ended
	return since+since/drift >= confirm
}

// notLimited is I12.
func (k *checker) notLimited(c scheduler.Call, claim scheduler.Claim) error {
	r, ok := k.refused[refusal{c.Deployment, c.Method}]
	until := r.window
	switch {
	case r.life == k.m.life:
		until = max(until, r.wish)
	case r.of != occurrenceOf(c.Deployment, claim.Transition):
		return nil
	}
	if ok && k.m.real < until-2*k.m.config.Quotas[c.Method].Per/drift {
		return fmt.Errorf("I12: %s %s leaves %s before a 429 allows it", c.Method, c.Deployment, until-k.m.real)
	}
	return nil
}

// arrived is I2 and I3, from the platform's own log.
func (k *checker) arrived(c scheduler.Call, r simplatform.Response) error {
	if r.Fault != simplatform.NoFault {
		k.befell(c, r.Fault)
	}
	if c.Method == quota.Get {
		return k.overQuota(c, r, k.claims[c.Claim])
	}
	if r.Delivery == simplatform.NotReached {
		return nil
	}
	claim, e := k.claims[c.Claim], k.logged()
	k.say("  server: %s %s → %d%s%s%s %s", c.Method, c.Deployment, e.Status, word(r.Applied, " applied"),
		word(r.OverQuota, " over quota"), word(e.Repeated, " repeated"), r.Fault)
	key := occurrenceOf(c.Deployment, claim.Transition)
	if e.Repeated && k.applied[key] > 0 && !k.back && !k.convergent(c.Deployment) {
		return fmt.Errorf("I2: %s %s for %s is made twice", c.Method, c.Deployment, claim.Transition.At.UTC().Format("Mon 15:04:05"))
	}
	if r.Applied || r.Fault == simplatform.Late {
		k.applied[key]++
	}
	return k.overQuota(c, r, claim)
}

// overQuota is I3. Over the quota is only the call by which a scope is learned,
// and one that left before that and was overtaken by it.
func (k *checker) overQuota(c scheduler.Call, r simplatform.Response, claim scheduler.Claim) error {
	if r.OverQuota && (!claim.Probe || k.learned[c.Method]) && c.Claim > k.probed[c.Method] {
		return fmt.Errorf("I3: %s %s is over the quota", c.Method, c.Deployment)
	}
	if claim.Probe {
		k.probed[c.Method] = c.Claim
	}
	return nil
}

// convergent reports whether a change of the file may have made the past act
// again on a deployment, as the file asks for.
func (k *checker) convergent(id policy.DeploymentID) bool {
	r, ok := k.file.rules[id]
	return k.changed[id] && ok && r.options.Converge
}

// logged is the server's entry for the client's latest request.
func (k *checker) logged() simplatform.Entry {
	log := k.m.world.Log()
	for log[len(log)-1].By != simplatform.ByClient {
		log = log[:len(log)-1]
	}
	return log[len(log)-1]
}

func word(yes bool, w string) string {
	if yes {
		return w
	}
	return ""
}

func (k *checker) answered(c scheduler.Call, a scheduler.Answer) {
	if c.Method == quota.Get {
		k.lookedAt(c, a)
		for _, l := range a.List { // a list is a look at each
			c.Deployment, a.Look = l.ID, l.Look
			k.lookedAt(c, a)
		}
		return
	}
	k.say("  answer: %s %s: sent %v status %d sane %v retry %s %s", c.Method, c.Deployment, a.Sent, a.Status, a.Sane, a.RetryAfter, a.Err)
	delete(k.flying, c.Deployment)
	k.rowsLast[c.Deployment] = rowOf(a)
	if a.Sent {
		k.ended[c.Deployment] = k.m.real
	}
	if a.Status == 422 || a.Status == 429 { // a proxy that delivers twice may hand on the second answer
		k.applied[occurrenceOf(c.Deployment, k.claims[c.Claim].Transition)] = 0
	}
	switch {
	case !a.Sent, a.Status == 401, a.Status == 403, a.Status == 404, a.Status == 422:
	case a.Status == 429:
		per := k.m.config.Quotas[c.Method].Per
		r := refused{window: k.m.real + per, life: k.m.life, of: occurrenceOf(c.Deployment, k.claims[c.Claim].Transition)}
		if a.RetryAfter <= 2*per {
			r.wish = k.m.real + a.RetryAfter
		}
		k.refused[refusal{c.Deployment, c.Method}] = r
	default:
		k.open[c.Deployment] = &openPOST{method: c.Method, ended: k.m.real, accepted: a.Status/100 == 2 && a.Sane}
	}
}

// lookedAt reads a look as a person would who waits for a POST's effect.
func (k *checker) lookedAt(c scheduler.Call, a scheduler.Answer) {
	text := a.Look.Status
	if a.Status != 200 || !a.Sane {
		text = fmt.Sprintf("(%d)", a.Status)
	}
	if k.status[c.Deployment] != text {
		k.status[c.Deployment] = text
		k.say("look: %s is %s", c.Deployment, text)
	}
	k.mix(fmt.Sprintf("%d %s %s", k.m.real, c.Deployment, text))
	asked := k.m.real - k.m.clock.span(a.Ended.Steady-a.Began.Steady)
	if a.Status == 200 && a.Sane {
		k.named[c.Deployment] = a.Look.Name
	}
	if a.Status == 404 || a.Status == 200 && a.Sane {
		_, flying := k.flying[c.Deployment]
		if !flying && asked >= k.ended[c.Deployment] && asked >= k.looks[c.Deployment][0].asked {
			k.looks[c.Deployment] = [2]sight{{text, asked, k.wall()}, k.looks[c.Deployment][0]}
		}
	}
	o := k.open[c.Deployment]
	if o == nil || asked < o.ended || a.Status != 200 || !a.Sane {
		return
	}
	target, ours, theirs := "stopped", "stopping", "starting"
	if o.method == quota.Start {
		target, ours, theirs = "running", "starting", "stopping"
	}
	switch {
	case text == ours:
		o.ours, o.accepted = true, true
	case text == target, text == theirs && o.ours, (text == "running" || text == "stopped") && o.ours:
		delete(k.open, c.Deployment)
	}
}

func (k *checker) noticed(_ scheduler.Now, all []scheduler.Notice) error {
	k.wall()
	k.notices += len(all)
	for _, n := range all {
		switch n := n.(type) {
		case scheduler.Settled:
			if err := k.wasSeen(n.Outcome); err != nil {
				return err
			}
		case scheduler.Alarm:
			k.alarms[n.Deployment] = true
			k.say("alarm %s %s: %s", n.Kind, n.Deployment, n.Text)
		case scheduler.AttemptEnded:
			k.say("attempt to %s %s: %s", n.Power.Action(), n.Deployment, n.Result)
		case scheduler.ClockJump:
			k.say("clock jump of %s noticed", n.By)
		case scheduler.Changed:
			k.say("%s under %s: %s", n.Deployment, n.Policy, n.What)
		case scheduler.ScopeLearned:
			k.say("learned: %s is counted over each %s", n.Method, n.Scope)
		}
	}
	return nil
}

// timeline is the end of the trace.
func (k *checker) timeline(lines int) string {
	return strings.Join(k.trace[max(0, len(k.trace)-lines):], "\n")
}

// drift is the part of a span by which a host's steady clock may be wrong.
const drift = 1000

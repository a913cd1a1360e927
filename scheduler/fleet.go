package scheduler

import (
	"math"
	"time"

	"curfew/apiclient/quota"
	"curfew/policy"
)

// never is the wall instant (Unix nanoseconds) that does not come, and
// longAgo the steady one before everything.
const (
	never   = int64(math.MaxInt64)
	longAgo = time.Duration(math.MinInt64 / 2)

	longAgoWall = int64(math.MinInt64)
)

// ref is a deployment's place in Fleet.recs.
type ref int32

// A record holds the facts of one deployment; plan derives the rest from them.
// Wall instants are Unix nanoseconds, steady ones durations since boot.
type record struct {
	// What every touch reads comes first, so that a boundary of a large fleet
	// walks through few cache lines.
	rule      *rule // nil: no longer in the file, kept while an attempt is open
	floor     int64 // edges up to it are settled
	raised    goal  // a transition that is no edge; see raisedWhy
	dueAt     int64 // the goal that its row in the ledger tells of
	warned    int64 // the goal for which a status that holds a POST back was told of
	look      looks
	postClaim uint64                       // the POST that is claimed or in flight
	getClaim  uint64                       // the GET
	postEnded time.Duration                // of the last POST
	notBefore [quota.Methods]time.Duration // no call of the method before: back-off, 429
	wake      time.Duration                // when to look at it again
	rank      int32                        // its place among its policy's members
	hash      uint32
	getClass  getClass     // the queue in which a GET waits, noGet for none
	unsent    uint8        // POSTs in a row that were not sent
	inPost    quota.Method // the queue in which a POST waits; Get for none
	dirty     bool         // its row has to be written
	armed     bool
	buried    bool // not in the file, nothing open: only its quota use counts
	asked     bool // a person wants a look
	attempt   Attempt
	overrides []policy.Override
	logs      [quota.Methods]quota.Log

	id         policy.DeploymentID
	fp         policy.Fingerprint
	power      policy.Power // what the rule wanted when the row was last written
	dropped    Reason       // why attempt's transition does not count any more, if so
	raisedWhy  policy.Because
	last       OutcomeKind
	lastReason Reason
	lastPower  policy.Power
	lastAt     int64
	info       Look
	wasNamed   string // in its row; the Fleet decides nothing by it
	seconds    StatusSeconds
}

// looks is what observations told about one deployment.
type looks struct {
	kind  StatusKind
	asked time.Duration // when the last one was asked for
	wall  int64         // the same by the wall clock
	tried time.Duration // when the last GET was claimed, whatever came of it
	since time.Duration // when the first of the current run of equal ones was asked for
	run   int           // how many equal ones in a row, all after the last POST

	gone time.Duration // since when looks say 404; 0 where they do not
	attemptLooks
}

// attemptLooks is what looks told about the open attempt.
type attemptLooks struct {
	ours      bool          // our transient status was seen
	unchanged int           // looks in the first third that showed no change
	changed   bool          // one of them showed something else
	lateOne   bool          // one of them was in the last quarter of the third
	over      time.Duration // when confirm_within was over without a look at its end
}

// A rule is a policy at work: its decision now, computed once for all members.
type rule struct {
	p         *policy.Policy
	members   []ref
	named     bool // one of the members asserts a name
	dec       policy.Decision
	edge      policy.Edge // the latest effective edge
	hasEdge   bool
	since     int64 // of dec
	until     int64 // of dec; never where nothing lies ahead
	prev      int64 // the effective edge before edge
	prevPower policy.Power
	next      [2]int64             // the next start and the next stop
	after     [2]int64             // the ones after those
	passed    map[[2]int64]passing // edges between two instants, counted once for all members
}

// A passing is what lies between two instants.
type passing struct {
	counts map[Reason]int
	first  map[Reason]policy.Edge
}

// Fleet is the state machine of one account: facts in, Ready out. It reads no
// clock, starts no goroutine, logs nothing and touches no file. It is not safe
// for concurrent use; Loop is the goroutine that owns it.
type Fleet struct {
	cfg   Config
	now   Now
	plan  int64 // planning time: the wall clock, but it waits where that steps back a little
	rules []*rule
	recs  []record
	index map[policy.DeploymentID]ref
	live  int   // deployments in the file
	empty []ref // records that another deployment may have

	wakes  wakeHeap
	posts  [quota.Methods]queue
	gets   [getClasses]queue
	pacer  pacer
	permit permits

	flights   map[uint64]*flight
	waiting   [2][]uint64 // durable claims that wait for a slot: POSTs, GETs
	spare     []*flight   // ended, to be used again
	young     []uint64    // in flight and not older than SlotTime when last seen, oldest first
	inFlight  int
	youngNow  int
	lastClaim uint64
	lastOver  uint64

	clock     clockState
	blocked   keyBlock
	newKey    bool          // nobody has tried it yet: one look tells
	keys      int           // how many keys there were: an answer to an earlier one says nothing of this
	looking   int           // looks in flight that are not older than SlotTime
	probeAt   time.Duration // while either blocks: when the next probe is due
	probeNext int

	next     Batch  // what the next commit will hold
	out      *Batch // the commit that is out
	used     Batch  // lists of earlier ones, to be used again
	calls    []Call // the same of Ready
	outAt    time.Duration
	dirty    []ref
	urgent   bool          // next or dirty hold what must not wait
	lazyAt   time.Duration // when facts that can wait are written at the latest
	held     time.Duration // since when a storm keeps them from the disk
	acked    []uint64
	notices  []Notice
	commits  average // how long a commit takes
	answers  average // how long a call takes
	settled  bool    // the first turn's commit is durable
	draining bool
	epoch    uint64
}

// New returns a Fleet that goes on from what the ledger held. What the file
// says is compared with what it said when the rows were written.
func New(now Now, c Config, s State) *Fleet {
	f := &Fleet{
		now: now, plan: now.Wall.UnixNano(), lazyAt: quota.Never, held: quota.Never,
		index: map[policy.DeploymentID]ref{}, flights: map[uint64]*flight{}, lastClaim: s.LastClaim,
	}
	f.permit.learned = s.Scopes
	f.clock.start(now)
	rows := make(map[policy.DeploymentID]*Row, len(s.Rows))
	for i := range s.Rows {
		if r := &s.Rows[i]; !r.Gone {
			rows[r.Deployment] = r
		}
	}
	f.cfg = c
	f.believeWall()
	f.adopt(rows, orphansOf(s.Uses))
	f.restoreUses(s.Uses)
	f.restoreOverrides(s.Overrides)
	f.refreshAll()
	return f
}

// Configured takes a new configuration: a reload, a new zone file, a new key.
// Claims that were not sent are judged again when their turn comes.
func (f *Fleet) Configured(now Now, c Config) {
	f.tick(now)
	if c.KeyID != f.cfg.KeyID {
		f.blocked, f.newKey = keyBlock{}, true
		f.keys++
	}
	f.crossBoundaries()
	f.cfg = c
	f.epoch++
	f.adopt(nil, nil)
	f.refreshAll()
}

// refreshAll brings every rule and every deployment up to date.
func (f *Fleet) refreshAll() {
	for _, r := range f.rules {
		r.refresh(f.plan)
	}
	f.permit.configure(f)
	for i := range f.recs {
		f.touch(ref(i))
	}
}

// refresh computes what the rule wants at plan.
func (r *rule) refresh(plan int64) {
	t := time.Unix(0, plan)
	r.dec = r.p.Decide(t)
	r.edge, r.hasEdge = r.p.Prev(t)
	r.since, r.until, r.prev, r.prevPower = math.MinInt64, never, math.MinInt64, policy.Stopped
	if r.hasEdge {
		r.since = r.edge.At.UnixNano()
		if e, ok := r.p.Prev(r.edge.At.Add(-1)); ok {
			r.prev, r.prevPower = e.At.UnixNano(), e.Power
		}
	}
	if !r.dec.Until.IsZero() {
		r.until = r.dec.Until.UnixNano()
	}
	for i, p := range [2]policy.Power{policy.Running, policy.Stopped} {
		r.next[i], r.after[i] = never, never
		if e, ok := r.p.NextOf(p, t); ok {
			r.next[i] = e.At.UnixNano()
			if e, ok = r.p.NextOf(p, e.At); ok {
				r.after[i] = e.At.UnixNano()
			}
		}
	}
	clear(r.passed)
}

// acts reports whether the latest edge wants a power: the begin of days on which
// nothing is wanted does not.
func (r *rule) acts() bool { return r.hasEdge && r.edge.Power != policy.None }

// nextOf returns the next edge of power p as a wall instant.
func (r *rule) nextOf(p policy.Power) int64 {
	switch p {
	case policy.Running:
		return r.next[0]
	case policy.Stopped:
		return r.next[1]
	}
	return never
}

// upcoming is the first edge after floor that is not behind: the latest one
// while its nominal time is ahead, else the next.
func (r *rule) upcoming(floor int64) (policy.Power, time.Time) {
	start, stop := r.next[0], r.next[1]
	switch {
	case r.acts() && r.since > floor:
		return r.edge.Power, r.edge.At.UTC()
	case start == never && stop == never:
		return policy.None, time.Time{}
	case start < stop:
		return policy.Running, time.Unix(0, start).UTC()
	}
	return policy.Stopped, time.Unix(0, stop).UTC()
}

// steadyAt turns a wall instant into the steady one at which it comes, if
// nobody steps the clock.
func (f *Fleet) steadyAt(wall int64) time.Duration {
	if wall == never {
		return quota.Never
	}
	return f.now.Steady + time.Duration(wall-f.now.Wall.UnixNano())
}

// wallOf is an instant as Unix nanoseconds, never for none.
func wallOf(t time.Time) int64 {
	if t.IsZero() {
		return never
	}
	return t.UnixNano()
}

// methodOf returns the method that leads to p.
func methodOf(p policy.Power) quota.Method {
	if p == policy.Running {
		return quota.Start
	}
	return quota.Stop
}

// hashOf mixes a deployment's name, for orders and jitter that are spread and
// yet the same in every run (FNV-1a).
func hashOf(id policy.DeploymentID) uint32 {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return h
}

// notify queues a notice for the next Ready.
func (f *Fleet) notify(n Notice) { f.notices = append(f.notices, n) }

// alarm queues an alarm.
func (f *Fleet) alarm(k AlarmKind, id policy.DeploymentID, text string) {
	f.notify(Alarm{Kind: k, Deployment: id, Text: text})
}

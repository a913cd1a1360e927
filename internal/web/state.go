package web

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"curfew/policy"
	"curfew/scheduler"
)

// snapshotWithin is how long a scrape or a page waits for the loop: half of
// Prometheus' default scrape_timeout, so that the counters still arrive.
const snapshotWithin = 5 * time.Second

// state is the collector of all that is read from one snapshot. It keeps nothing
// from one scrape to the next: a deployment that has left the snapshot has left
// the metrics, with no list of series to delete.
type state struct {
	snapshot Snapshots
	per      atomic.Pointer[PerDeployment]
	examined atomic.Pointer[Examined]
	all      []*prometheus.Desc

	// of the scrape and the account
	available, withheld, dryRun, blocked *prometheus.Desc
	quotaLeft, quotaScope                *prometheus.Desc
	// of the policies
	members, counts, infeasible *prometheus.Desc
	// of the calendars
	lastDate *prometheus.Desc
	// of one deployment each
	info, status, statusSeen, statusSeconds *prometheus.Desc
	wanted, next, override                  *prometheus.Desc
	dueSince, permitAt                      *prometheus.Desc
}

func newState(labels prometheus.Labels, snapshot Snapshots) *state {
	b := &descBuilder{labels: labels}
	s := &state{snapshot: snapshot}
	s.describeAccount(b)
	s.describeDeployment(b)
	s.all = b.all
	return s
}

// describeAccount makes the descriptions of what exists once, or once a policy.
func (s *state) describeAccount(b *descBuilder) {
	s.available = b.desc("state_available",
		"Whether this scrape shows state (1), or the loop gave no snapshot in time and it holds counters only (0).")
	s.withheld = b.desc("deployments_without_series",
		"Deployments that have no series of their own in this scrape, as metrics.per_deployment says.")
	s.dryRun = b.desc("dry_run", "Whether the whole account runs dry: decides, looks, says, never POSTs.")
	s.blocked = b.desc("account_blocked", "Whether no POST leaves for any deployment (1), and why.", "reason")
	s.quotaLeft = b.desc("quota_remaining",
		"Requests allowed now: of the key, or of the deployment that has the fewest left.", "operation")
	s.quotaScope = b.desc("quota_scope",
		"Over what the platform counts a quota (1 for the scope in force; auto while that is not known).",
		"operation", "scope")
	s.members = b.desc("policy_deployments", "Deployments under a policy of the file in force.", "policy")
	s.infeasible = b.desc("policy_infeasible_transitions",
		"Starts and stops of a policy, in the 400 days from the last examination, that the quotas cannot carry.", "policy")
	s.lastDate = b.desc("calendar_last_date_timestamp_seconds",
		"The last date of a calendar of the file in force, its midnight in UTC; 0 where it has none.", "calendar")
	s.counts = b.desc("deployments",
		"Deployments by policy, wanted power and the status of their last look.", "policy", "wanted", "status")
}

// describeDeployment makes the descriptions of what per_deployment can switch off.
func (s *state) describeDeployment(b *descBuilder) {
	s.info = b.desc("deployment_info", "What the platform reports of a deployment, and its policy; always 1.",
		"deployment", "name", "type", "platform", "region", "policy")
	s.status = b.desc("deployment_status", "The status of the last look (1); all 0 before the first.",
		"deployment", "status")
	s.statusSeen = b.desc("deployment_status_seen_timestamp_seconds", "When the status was last looked at.",
		"deployment")
	s.statusSeconds = b.desc("deployment_status_seconds_total",
		"Time for which a deployment was observed in a status since the daemon started.", "deployment", "status")
	s.wanted = b.desc("deployment_wanted", "The power that is wanted now (1); all 0 where nothing is.",
		"deployment", "power")
	s.next = b.desc("next_transition_timestamp_seconds", "When the next start and the next stop are due.",
		"deployment", "action")
	s.override = b.desc("override_expires_timestamp_seconds", "When the hold or pause in force ends.", "deployment")
	s.dueSince = b.desc("transition_due_since_timestamp_seconds",
		"The instant of the transition that is due; only while one is.", "deployment", "action")
	s.permitAt = b.desc("permit_available_timestamp_seconds",
		"When the quota frees the permit that a due transition waits for; only while it waits for one.",
		"deployment", "action")
}

// Describe implements prometheus.Collector.
func (s *state) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s.all {
		ch <- d
	}
}

// Collect implements prometheus.Collector. It waits for the loop for
// snapshotWithin and then goes without.
func (s *state) Collect(ch chan<- prometheus.Metric) {
	e := emitter{ch}
	ctx, cancel := context.WithTimeout(context.Background(), snapshotWithin)
	defer cancel()
	snap, err := s.snapshot(ctx)
	e.flag(s.available, err == nil)
	if err != nil {
		return
	}
	s.account(e, snap)
	s.policies(e, snap)
	s.examination(e)
	detailed := s.per.Load().detailed(snap.Deployments)
	e.gauge(s.withheld, float64(len(snap.Deployments)-len(detailed)))
	for _, v := range detailed {
		s.deployment(e, v)
	}
}

// account sends flags for every value of a closed list, not for the one in force
// alone: an alert on "== 1" then has a 0 to resolve with.
func (s *state) account(e emitter, snap *scheduler.Snapshot) {
	e.flag(s.dryRun, snap.DryRun)
	for _, reason := range blockReasons() {
		e.flag(s.blocked, slices.Contains(snap.Blocked, reason), string(reason))
	}
	for _, m := range methods() {
		q := snap.Quotas[m]
		e.gauge(s.quotaLeft, float64(q.Left), m.String())
		for _, scope := range scopes() {
			e.flag(s.quotaScope, q.Scope == scope, m.String(), scope.String())
		}
	}
}

// tally counts a policy's deployments by wanted power and status.
type tally [3][scheduler.StatusKinds]int

// policies sends the aggregates: for each policy every combination, so that a
// line on a graph falls to 0 instead of ending. Deployments that are in no
// policy any more have an empty one, while there are such.
func (s *state) policies(e emitter, snap *scheduler.Snapshot) {
	tallies := make(map[string]*tally, len(snap.Policies))
	for _, p := range snap.Policies {
		tallies[p.Name] = new(tally)
		e.gauge(s.members, float64(p.Members), label(p.Name))
	}
	for i := range snap.Deployments {
		v := &snap.Deployments[i]
		t := tallies[v.Policy]
		if t == nil {
			t = new(tally)
			tallies[v.Policy] = t
		}
		t[v.Want][statusOf(v)]++
	}
	for name, t := range tallies {
		s.tally(e, label(name), t)
	}
}

// Examined is what an examination of the file in force found.
type Examined struct {
	Infeasible map[string]int       // transitions that the quotas cannot carry, by policy; 0 for those that are fine
	LastDates  map[string]time.Time // by calendar; zero where it has no dates
}

// examination sends what the last one found; nothing before the first.
func (s *state) examination(e emitter) {
	x := s.examined.Load()
	if x == nil {
		return
	}
	for name, n := range x.Infeasible {
		e.gauge(s.infeasible, float64(n), label(name))
	}
	for name, last := range x.LastDates {
		seconds := 0.0
		if !last.IsZero() {
			seconds = float64(last.Unix())
		}
		e.gauge(s.lastDate, seconds, label(name))
	}
}

// tally sends one policy's counts.
func (s *state) tally(e emitter, name string, t *tally) {
	for want := range t {
		for status, n := range t[want] {
			e.gauge(s.counts, float64(n), name, policy.Power(want).String(), scheduler.StatusKind(status).String())
		}
	}
}

// deployment sends the series of one deployment. The transition that is due and
// its permit have series only while they exist: their age is the alert.
func (s *state) deployment(e emitter, v *scheduler.View) {
	id := label(string(v.Deployment))
	e.gauge(s.info, 1, id, label(v.Look.Name), label(v.Look.Type), label(v.Look.Platform),
		label(v.Look.Region), label(v.Policy))
	current := statusOf(v)
	for _, k := range statusKinds() {
		e.flag(s.status, k == current, id, k.String())
		e.send(s.statusSeconds, prometheus.CounterValue, v.Seconds[k], id, k.String())
	}
	e.instant(s.statusSeen, v.SeenAt, id)
	for i, p := range powers() {
		e.flag(s.wanted, v.Want == p, id, p.String())
		e.instant(s.next, v.Next[i], id, p.Action())
	}
	e.instant(s.override, v.Override, id)
	if v.Due.Zero() {
		return
	}
	e.instant(s.dueSince, v.Due.At, id, v.Due.Power.Action())
	e.instant(s.permitAt, v.PermitAt, id, v.Due.Power.Action())
}

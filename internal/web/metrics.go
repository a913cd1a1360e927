package web

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"

	"curfew/apiclient/quota"
	"curfew/scheduler"
)

// namespace is the prefix of every metric of ours.
const namespace = "curfew"

// MetricsOptions are what Metrics needs from its daemon.
type MetricsOptions struct {
	Account       string        // the label on every series; "default" unless api.name says otherwise
	Version       string        // of build_info: the one that `curfew version` and the page show
	Policies      []string      // the policies of the file in force: their counters begin at 0
	PerDeployment PerDeployment // metrics.per_deployment of the file in force
	Snapshot      Snapshots     // where state comes from, once a scrape
	Health        *Health       // where the loop, the ledger and the configuration stand
}

// Metrics are the metrics of one account. Its methods are safe for concurrent
// use, with scrapes too.
type Metrics struct {
	transitions   *prometheus.CounterVec   // policy, action, outcome, reason
	attempts      *prometheus.CounterVec   // action, result
	confirmations *prometheus.CounterVec   // action, result
	lateness      *prometheus.HistogramVec // action, cause
	duration      *prometheus.HistogramVec // action
	requests      *prometheus.CounterVec   // operation, code
	requestTime   *prometheus.HistogramVec // operation
	ledgerErrors  prometheus.Counter
	clockJumps    prometheus.Counter
	state         *state
}

// NewMetrics registers an account's metrics with r. Several accounts can share
// one r. It fails where r has metrics of the same account already. Whatever is
// registered is complete: a scrape may come before NewMetrics returns.
func NewMetrics(r prometheus.Registerer, o MetricsOptions) (*Metrics, error) {
	labels := prometheus.Labels{"account": label(o.Account)}
	m := newEvents(labels)
	m.state = newState(labels, o.Snapshot)
	m.zeros()
	m.Configured(o.Policies, o.PerDeployment)
	build := prometheus.WrapCollectorWith(labels, version.NewCollector(namespace,
		version.WithExtraConstLabels(prometheus.Labels{"version": label(o.Version)}))) // go install sets none in prometheus/common
	all := append(m.events(), m.state, newHealthCollector(labels, o.Health), build)
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of account %q: %w", o.Account, err)
		}
	}
	return m, nil
}

// RegisterRuntime registers what the Go runtime and the kernel say of the
// process, once however many accounts it serves.
func RegisterRuntime(r prometheus.Registerer) error {
	process := collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})
	for _, c := range []prometheus.Collector{collectors.NewGoCollector(), process} {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("register runtime metrics: %w", err)
		}
	}
	return nil
}

// newEvents makes everything that is counted. The account is a constant label, so
// that no place which counts can forget it.
func newEvents(labels prometheus.Labels) *Metrics {
	b := eventBuilder{labels}
	return &Metrics{
		transitions: b.counters("transitions_total",
			"Transitions that ended, by how and why; edges that were passed over count one by one.",
			"policy", "action", "outcome", "reason"),
		attempts: b.counters("attempts_total",
			"POSTs made for transitions, by what the answer meant.", "action", "result"),
		confirmations: b.counters("confirmations_total",
			"Accepted or doubtful attempts that closed, by what looks then showed.", "action", "result"),
		lateness: b.histograms("transition_lateness_seconds",
			"From a transition's instant to the first byte of a POST for it.", latenessBuckets(), "action", "cause"),
		duration: b.histograms("transition_duration_seconds",
			"From a transition's instant to the look that showed it done.", durationBuckets(), "action"),
		requests: b.counters("api_requests_total",
			"Requests to the platform that ended, by the status that answered.", "operation", "code"),
		requestTime: b.histograms("api_request_duration_seconds",
			"From the first byte of a request to the end of its answer, or to giving up.", requestBuckets(), "operation"),
		ledgerErrors: b.counter("ledger_errors_total",
			"Pruning or history reads of the ledger that failed; a failed commit ends the process instead."),
		clockJumps: b.counter("clock_jumps_total",
			"Steps of the wall clock against the steady one."),
	}
}

// latenessBuckets reach from the target of one call to a day's outage.
func latenessBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600}
}

// durationBuckets reach from the quickest start known to a day's outage.
// confirm_within's default, 30 minutes, is one of them.
func durationBuckets() []float64 {
	return []float64{1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 6 * 3600, 24 * 3600}
}

// requestBuckets end with scheduler.CallTimeout.
func requestBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, scheduler.CallTimeout.Seconds()}
}

// eventBuilder makes counters and histograms that carry the account's labels.
type eventBuilder struct{ labels prometheus.Labels }

func (b eventBuilder) counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: name, Help: help, ConstLabels: b.labels,
	})
}

func (b eventBuilder) counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: name, Help: help, ConstLabels: b.labels,
	}, labels)
}

func (b eventBuilder) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, ConstLabels: b.labels, Buckets: buckets,
	}, labels)
}

// events are the collectors of what is counted.
func (m *Metrics) events() []prometheus.Collector {
	return []prometheus.Collector{
		m.transitions, m.attempts, m.confirmations, m.lateness, m.duration,
		m.requests, m.requestTime, m.ledgerErrors, m.clockJumps,
	}
}

// zeros makes the series that do not depend on the file.
func (m *Metrics) zeros() {
	for _, method := range methods() {
		m.requestTime.WithLabelValues(method.String())
		for _, code := range codes() {
			m.requests.WithLabelValues(method.String(), code)
		}
	}
	for _, p := range powers() {
		m.duration.WithLabelValues(p.Action())
		for _, v := range postVerdicts() {
			m.attempts.WithLabelValues(p.Action(), v.String())
		}
		for _, r := range confirmResults() {
			m.confirmations.WithLabelValues(p.Action(), string(r))
		}
		for _, c := range lateCauses() {
			m.lateness.WithLabelValues(p.Action(), string(c))
		}
	}
}

// Configured says that a file with these policies and this
// metrics.per_deployment is in force. New policies get their counters at 0;
// those of policies that are gone stay as they are.
func (m *Metrics) Configured(policies []string, per PerDeployment) {
	m.state.per.Store(&per) // the next scrape takes it; one under way ends as it began
	for _, name := range policies {
		for _, p := range powers() {
			for _, e := range endings() {
				m.transitions.WithLabelValues(label(name), p.Action(), e.kind.String(), string(e.reason))
			}
		}
	}
}

// Observe counts what happened. It does not block and takes well under a
// microsecond a notice, so that the loop can call it between two turns.
func (m *Metrics) Observe(notices []scheduler.Notice) {
	for _, n := range notices {
		switch n := n.(type) {
		case scheduler.CallEnded:
			m.callEnded(n)
		case scheduler.LookEnded:
			m.request(quota.Get.String(), n.Verdict, n.Status, n.Took)
		case scheduler.Settled:
			m.settled(n)
		case scheduler.AttemptEnded:
			m.confirmations.WithLabelValues(n.Power.Action(), string(n.Result)).Inc()
		case scheduler.ClockJump:
			m.clockJumps.Inc()
		}
	}
}

// Examined takes in what an examination of the file in force found. The maps are
// the Metrics' own from then on.
func (m *Metrics) Examined(x Examined) { m.state.examined.Store(&x) }

// LedgerError counts a read or a pruning of the ledger that failed and did no
// harm beyond that.
func (m *Metrics) LedgerError() { m.ledgerErrors.Inc() }

// callEnded counts a POST. One that never left has no lateness; its next try
// has.
func (m *Metrics) callEnded(n scheduler.CallEnded) {
	op := n.Method.String()
	m.request(op, n.Verdict, n.Status, n.Took)
	m.attempts.WithLabelValues(op, n.Verdict.String()).Inc()
	if n.Verdict != scheduler.NotSent {
		m.lateness.WithLabelValues(op, string(n.Cause)).Observe(n.Late.Seconds())
	}
}

// request counts a request. One that never left has no duration.
func (m *Metrics) request(op string, v scheduler.Verdict, status int, took time.Duration) {
	m.requests.WithLabelValues(op, codeOf(v, status)).Inc()
	if v != scheduler.NotSent {
		m.requestTime.WithLabelValues(op).Observe(took.Seconds())
	}
}

// settled counts how a transition ended. Only what was done has a duration: that
// of "already" would say how long ago somebody else did it.
func (m *Metrics) settled(n scheduler.Settled) {
	action := n.Power.Action()
	m.transitions.WithLabelValues(label(n.Policy), action, n.Kind.String(), string(n.Reason)).Add(float64(n.Count))
	if n.Kind == scheduler.Done {
		m.duration.WithLabelValues(action).Observe(n.Took.Seconds())
	}
}

package web

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// healthCollector turns Health into metrics. Timestamps that do not exist yet
// have no series: an alert on their age would fire at 1970.
type healthCollector struct {
	health                                   *Health
	leader, lastTurn, reloadOK, lastReloaded *prometheus.Desc
}

func newHealthCollector(labels prometheus.Labels, h *Health) *healthCollector {
	b := descBuilder{labels: labels}
	return &healthCollector{
		health: h,
		leader: b.desc("leader", "Whether this process holds the ledger and may act (1) or waits for it (0)."),
		lastTurn: b.desc("loop_last_turn_timestamp_seconds",
			"When the loop last turned, by its wall clock."),
		reloadOK: b.desc("config_last_reload_successful",
			"Whether the configuration that was read last is in force (1) or was refused (0)."),
		lastReloaded: b.desc("config_last_reload_success_timestamp_seconds",
			"When a configuration last came into force."),
	}
}

// Describe implements prometheus.Collector.
func (c *healthCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.leader, c.lastTurn, c.reloadOK, c.lastReloaded} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *healthCollector) Collect(ch chan<- prometheus.Metric) {
	e := emitter{ch}
	e.flag(c.leader, LedgerState(c.health.ledger.Load()) == LedgerOpen)
	e.flag(c.reloadOK, c.health.reloadOK.Load())
	if at := c.health.reloaded.Load(); at != nil {
		e.instant(c.lastReloaded, *at)
	}
	if at := c.health.turned.Load(); at != nil {
		e.instant(c.lastTurn, *at)
	}
}

// descBuilder makes descriptions that carry the account's labels, and keeps
// them for Describe.
type descBuilder struct {
	labels prometheus.Labels
	all    []*prometheus.Desc
}

func (b *descBuilder) desc(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, b.labels)
	b.all = append(b.all, d)
	return d
}

// emitter sends constant metrics to a scrape. A metric that cannot be made
// spoils itself alone: the scrape reports it and goes on.
type emitter struct{ ch chan<- prometheus.Metric }

func (e emitter) send(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
	m, err := prometheus.NewConstMetric(d, t, v, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(d, err)
	}
	e.ch <- m
}

func (e emitter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	e.send(d, prometheus.GaugeValue, v, labels...)
}

// flag sends 1 or 0.
func (e emitter) flag(d *prometheus.Desc, on bool, labels ...string) {
	v := 0.0
	if on {
		v = 1
	}
	e.gauge(d, v, labels...)
}

// instant sends t in Unix seconds, and nothing where there is no t.
func (e emitter) instant(d *prometheus.Desc, t time.Time, labels ...string) {
	if !t.IsZero() {
		e.gauge(d, float64(t.UnixMicro())/1e6, labels...)
	}
}

package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tollgate/keys/ring"
)

// keysCollector shows the key ring, and how the fetching of others' keys goes.
type keysCollector struct {
	app *app

	keys, age, next, confirmed, fetches, usable *prometheus.Desc
}

func newKeysCollector(a *app) *keysCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("tollgate_"+name, help, labels, nil)
	}
	return &keysCollector{
		app:       a,
		keys:      desc("keys", "Keys of the ring, by state and algorithm.", "state", "alg"),
		age:       desc("key_age_seconds", "Time since a key of the ring was made.", "kid", "state"),
		next:      desc("key_next_rotation_timestamp_seconds", "When the key that signs is to be followed by the next; absent where keys are rotated by hand.", "alg"),
		confirmed: desc("key_ring_age_seconds", "Time since the ring was last confirmed against its store; nothing is signed with one older than 5 s."),
		fetches:   desc("jwks_fetch_total", "Fetches of a trusted issuer's keys since the configuration was read, by result.", "issuer", "result"),
		usable:    desc("jwks_keys", "Keys of a trusted issuer that can be used now; with none, every token of it is refused.", "issuer"),
	}
}

// Describe implements prometheus.Collector.
func (c *keysCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.keys, c.age, c.next, c.confirmed, c.fetches, c.usable} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *keysCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if r := c.app.ring; r != nil {
		c.ring(r, gauge)
		gauge(c.confirmed, r.Age().Seconds())
	}
	if c.app.reloader == nil {
		return
	}
	for _, s := range c.app.reloader.status() {
		gauge(c.usable, float64(s.Keys), s.Issuer)
		out <- prometheus.MustNewConstMetric(c.fetches, prometheus.CounterValue, float64(s.Fetches-s.Failures), s.Issuer, "success")
		out <- prometheus.MustNewConstMetric(c.fetches, prometheus.CounterValue, float64(s.Failures), s.Issuer, "failure")
	}
}

// ring shows each state of each algorithm that signs, the empty ones too: an alert on
// a pending key that is missing needs a number.
func (c *keysCollector) ring(m *ring.Manager, gauge func(*prometheus.Desc, float64, ...string)) {
	now := m.Now()
	settings := c.app.config.ringConfig(nil).Settings
	count := map[[2]string]int{}
	for _, alg := range settings.Algorithms {
		for _, s := range []ring.State{ring.Pending, ring.Active, ring.Retired, ring.Revoked} {
			count[[2]string{string(s), string(alg)}] = 0
		}
	}
	for _, l := range m.Ring().Timeline(now, settings) {
		count[[2]string{string(l.State), string(l.Algorithm)}]++
		if l.State == ring.Pending || l.State == ring.Active {
			gauge(c.age, max(now.Sub(l.Created), 0).Seconds(), l.ID, string(l.State))
		}
		if due := l.SignsUntil; l.State == ring.Active && !due.IsZero() {
			gauge(c.next, float64(due.UnixMilli())/float64(time.Second/time.Millisecond), string(l.Algorithm))
		}
	}
	for k, n := range count {
		gauge(c.keys, float64(n), k[0], k[1])
	}
}

package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"tollgate/internal/server"
)

// tlsCollector shows the handshakes of the public listener, where it speaks TLS.
type tlsCollector struct {
	handshakes func() server.Handshakes

	underWay, most, waits, failures *prometheus.Desc
}

func newTLSCollector(handshakes func() server.Handshakes) *tlsCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("tollgate_tls_handshake"+name, help, nil, nil)
	}
	return &tlsCollector{
		handshakes: handshakes,
		underWay:   desc("s_inflight", "TLS handshakes under way on the public listener; absent without TLS."),
		most:       desc("s_limit", "How many may be."),
		waits:      desc("_waits_total", "Times that a connection waited since so many were; none is refused."),
		failures:   desc("_failures_total", "Handshakes that failed or took too long."),
	}
}

// Describe implements prometheus.Collector.
func (c *tlsCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.underWay, c.most, c.waits, c.failures} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *tlsCollector) Collect(out chan<- prometheus.Metric) {
	h := c.handshakes()
	if h.Most == 0 {
		return
	}
	out <- prometheus.MustNewConstMetric(c.underWay, prometheus.GaugeValue, float64(h.UnderWay))
	out <- prometheus.MustNewConstMetric(c.most, prometheus.GaugeValue, float64(h.Most))
	out <- prometheus.MustNewConstMetric(c.waits, prometheus.CounterValue, float64(h.Waits))
	out <- prometheus.MustNewConstMetric(c.failures, prometheus.CounterValue, float64(h.Failures))
}

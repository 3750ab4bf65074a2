package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector shows what is asked for rather than counted: open streams, the age of
// foreign keys, the health of upstreams. Its labels are names of the
// configuration.
type collector struct {
	app     *app
	streams *prometheus.Desc
	jwksAge *prometheus.Desc
	healthy *prometheus.Desc
	busy    *prometheus.Desc
	expiry  *prometheus.Desc
	known   *prometheus.Desc
	bytes   *prometheus.Desc
	asked   *prometheus.Desc
}

func newCollector(a *app) *collector {
	target := []string{"upstream", "target"}
	return &collector{
		app:     a,
		streams: prometheus.NewDesc("tollgate_streams_open", "WebSockets, event streams and gRPC calls with a token that are open.", nil, nil),
		jwksAge: prometheus.NewDesc("tollgate_jwks_age_seconds", "Age of the key set held of a trusted issuer; absent while there is none.", []string{"issuer"}, nil),
		healthy: prometheus.NewDesc("tollgate_upstream_healthy", "1 when the target takes requests: healthy and not ejected.", target, nil),
		expiry:  prometheus.NewDesc("tollgate_tls_certificate_not_after_timestamp_seconds", "When the public listener's certificate ends; absent without TLS.", nil, nil),
		known:   prometheus.NewDesc("tollgate_token_memory_entries", "Tokens whose checked signature is remembered.", nil, nil),
		bytes:   prometheus.NewDesc("tollgate_token_memory_bytes", "What the remembered tokens count for; TOLLGATE_TOKEN_MEMORY bounds it.", nil, nil),
		asked:   prometheus.NewDesc("tollgate_token_memory_lookups_total", "Tokens looked up among the remembered ones, by result.", []string{"result"}, nil),
		busy:    prometheus.NewDesc("tollgate_upstream_inflight", "Requests that the target is serving.", target, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.streams, c.jwksAge, c.healthy, c.busy, c.expiry, c.known, c.bytes, c.asked} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	tokens, bytes, hits, misses := c.app.verifier.Remembered()
	out <- prometheus.MustNewConstMetric(c.known, prometheus.GaugeValue, float64(tokens))
	out <- prometheus.MustNewConstMetric(c.bytes, prometheus.GaugeValue, float64(bytes))
	out <- prometheus.MustNewConstMetric(c.asked, prometheus.CounterValue, float64(hits), "hit")
	out <- prometheus.MustNewConstMetric(c.asked, prometheus.CounterValue, float64(misses), "miss")
	if g := c.app.gateway; g != nil {
		out <- prometheus.MustNewConstMetric(c.streams, prometheus.GaugeValue, float64(g.OpenStreams()))
		for _, u := range g.Table().Upstreams() {
			for _, t := range u.Status() {
				fit := 0.0
				if t.Healthy && t.Ejected.Before(time.Now()) {
					fit = 1
				}
				out <- prometheus.MustNewConstMetric(c.healthy, prometheus.GaugeValue, fit, u.Name(), t.URL)
				out <- prometheus.MustNewConstMetric(c.busy, prometheus.GaugeValue, float64(t.InFlight), u.Name(), t.URL)
			}
		}
	}
	if cert := c.app.server.Certificate(publicListener); cert != nil {
		out <- prometheus.MustNewConstMetric(c.expiry, prometheus.GaugeValue, float64(cert.Info().NotAfter.Unix()))
	}
	if r := c.app.reloader; r != nil {
		for _, s := range r.status() {
			if s.Keys > 0 {
				out <- prometheus.MustNewConstMetric(c.jwksAge, prometheus.GaugeValue, s.Age.Seconds(), s.Issuer)
			}
		}
	}
}

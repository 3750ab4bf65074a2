package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"tollgate/revocation"
)

// mirrorCollector shows what the mirror says of itself.
type mirrorCollector struct {
	status func() revocation.MirrorStatus

	entries, bytes, stale, position, level, complete, takes, losses, merged, propagation *prometheus.Desc
}

func newMirrorCollector(status func() revocation.MirrorStatus) *mirrorCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("tollgate_revocation_"+name, help, nil, nil)
	}
	return &mirrorCollector{
		status:      status,
		entries:     desc("entries", "Revocations held in memory."),
		bytes:       desc("bytes", "Memory of the revocations held."),
		stale:       desc("feed_lag_seconds", "Age of what is known of the revocations: since the last answered read of the feed was sent."),
		position:    desc("feed_position", "Sequence of the last record of the feed that was applied."),
		level:       desc("feed_connected", "1 when the feed was read to its end."),
		complete:    desc("store_complete", "1 when the store vouches for tokens from before its epoch; 0 after a loss that is not mended."),
		takes:       desc("store_takes", "1 when the store takes revocations; 0 after a loss until a process has read what is left of them."),
		losses:      desc("store_losses_total", "Losses of the store that this process has noticed or heard of."),
		merged:      desc("store_restored_total", "Revocations that this process has put back after a loss."),
		propagation: desc("propagation_seconds", "From the writing of a revocation to its application here, by the clocks of both."),
	}
}

// Describe implements prometheus.Collector.
func (c *mirrorCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.entries, c.bytes, c.stale, c.position, c.level, c.complete, c.takes, c.losses, c.merged, c.propagation} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *mirrorCollector) Collect(out chan<- prometheus.Metric) {
	s := c.status()
	gauge := func(d *prometheus.Desc, v float64) { out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	gauge(c.entries, float64(s.Entries))
	gauge(c.bytes, float64(s.Bytes))
	gauge(c.stale, s.Stale.Seconds())
	gauge(c.position, float64(s.N))
	gauge(c.level, oneIf(s.Level))
	gauge(c.complete, oneIf(s.Epoch.ID != "" && !s.Doubt && s.Epoch.Lost == 0))
	gauge(c.takes, oneIf(s.Epoch.ID != "" && !s.Epoch.Shut))
	out <- prometheus.MustNewConstMetric(c.losses, prometheus.CounterValue, float64(s.Losses))
	out <- prometheus.MustNewConstMetric(c.merged, prometheus.CounterValue, float64(s.Merged))
	buckets, sum := map[float64]uint64{}, uint64(0)
	for i, bound := range revocation.PropagationBounds() {
		sum += s.Propagation.Buckets[i]
		buckets[bound.Seconds()] = sum
	}
	out <- prometheus.MustNewConstHistogram(c.propagation, s.Propagation.Count, s.Propagation.Sum.Seconds(), buckets)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// redisCollector shows the connections of both clients.
type redisCollector struct {
	clients *redisClients

	hits, misses, timeouts, idle, total *prometheus.Desc
}

func newRedisCollector(clients *redisClients) *redisCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("tollgate_redis_pool_"+name, help, []string{"client"}, nil)
	}
	return &redisCollector{
		clients:  clients,
		hits:     desc("hits", "Commands for which a connection was at hand."),
		misses:   desc("misses", "Commands for which none was."),
		timeouts: desc("timeouts", "Commands that got no connection in time."),
		idle:     desc("idle", "Connections that wait for a command."),
		total:    desc("total", "Connections."),
	}
}

// Describe implements prometheus.Collector.
func (c *redisCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.hits, c.misses, c.timeouts, c.idle, c.total} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *redisCollector) Collect(out chan<- prometheus.Metric) {
	show := func(name string, client redis.UniversalClient) {
		s := client.PoolStats()
		count := func(d *prometheus.Desc, n uint32) {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), name)
		}
		count(c.hits, s.Hits)
		count(c.misses, s.Misses)
		count(c.timeouts, s.Timeouts)
		out <- prometheus.MustNewConstMetric(c.idle, prometheus.GaugeValue, float64(s.IdleConns), name)
		out <- prometheus.MustNewConstMetric(c.total, prometheus.GaugeValue, float64(s.TotalConns), name)
	}
	show("hot", c.clients.Hot)
	show("slow", c.clients.Slow)
}

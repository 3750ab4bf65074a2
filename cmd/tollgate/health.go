package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tollgate/internal/telemetry"
)

const (
	healthEvery  = 10 * time.Second
	failingEvery = 2 * time.Second // while a check fails: that it passes again is to be seen soon
	healthWithin = 2 * time.Second
	// redisEvery is how often the doctor's questions about Redis are asked.
	redisEvery  = 5 * time.Minute
	redisWithin = 10 * time.Second
)

// health asks the checks of readiness, and now and then what the doctor asks of Redis,
// and shows the answers as metrics. A scrape shows what was answered last: it must not
// wait for a Redis that hangs.
type health struct {
	checks   []telemetry.Check
	draining func() bool
	examine  func(context.Context) []finding // nil: there is nothing to examine

	failing  atomic.Pointer[map[string]error] // nil until the first answers
	findings atomic.Pointer[[]finding]

	ready, check, finding *prometheus.Desc
}

func newHealth(checks []telemetry.Check, draining func() bool, examine func(context.Context) []finding) *health {
	return &health{
		checks: checks, draining: draining, examine: examine,
		ready:   prometheus.NewDesc("tollgate_ready", "1 when requests may be sent here: every check of /readyz passes, and the process does not drain.", nil, nil),
		check:   prometheus.NewDesc("tollgate_ready_check", "1 when a check of /readyz passed at the last look, at most 10 s ago.", []string{"check"}, nil),
		finding: prometheus.NewDesc("tollgate_redis_findings", "What tollgate doctor finds about Redis, looked at every five minutes.", []string{"check", "level"}, nil),
	}
}

// Run asks until ctx ends.
func (h *health) Run(ctx context.Context) error {
	redis := time.NewTicker(redisEvery)
	defer redis.Stop()
	next := time.NewTimer(h.look(ctx))
	defer next.Stop()
	h.lookAtRedis(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			next.Reset(h.look(ctx))
		case <-redis.C:
			h.lookAtRedis(ctx)
		}
	}
}

// look asks the checks, and returns when to ask again.
func (h *health) look(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	failing := telemetry.Failing(ctx, h.checks)
	h.failing.Store(&failing)
	if len(failing) > 0 {
		return failingEvery
	}
	return healthEvery
}

// lookAtRedis keeps the findings of before where Redis cannot be reached: that it
// cannot is told by the checks.
func (h *health) lookAtRedis(ctx context.Context) {
	if h.examine == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, redisWithin)
	defer cancel()
	found := h.examine(ctx)
	if ctx.Err() == nil {
		h.findings.Store(&found)
	}
}

// Describe implements prometheus.Collector.
func (h *health) Describe(out chan<- *prometheus.Desc) {
	out <- h.ready
	out <- h.check
	out <- h.finding
}

// Collect implements prometheus.Collector.
func (h *health) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if failing := h.failing.Load(); failing != nil {
		gauge(h.ready, oneIf(len(*failing) == 0 && !h.draining()))
		for _, c := range h.checks {
			gauge(h.check, oneIf((*failing)[c.Name] == nil), c.Name)
		}
	}
	if found := h.findings.Load(); found != nil {
		count := map[[2]string]int{}
		for _, f := range *found {
			if f.Level != levelInfo {
				count[[2]string{f.Check, string(f.Level)}]++
			}
		}
		for k, n := range count {
			gauge(h.finding, float64(n), k[0], k[1])
		}
	}
}

// examineRedis asks what the doctor asks; nil for a Redis that is this process's own.
func (a *app) examineRedis() func(context.Context) []finding {
	if a.redis.Embedded {
		return nil
	}
	return func(ctx context.Context) []finding {
		return newRedisDoctor(a.config, a.redis, time.Now).examine(ctx)
	}
}

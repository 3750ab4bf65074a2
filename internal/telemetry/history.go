package telemetry

import (
	"context"
	"strings"
	"sync"
	"time"
)

// Sampling of a History: the last hour, in steps of ten seconds.
const (
	SampleEvery = 10 * time.Second
	maxSamples  = 360
)

// Sample is what was counted from the sample before up to At.
type Sample struct {
	At       time.Time         `json:"at"`
	Requests uint64            `json:"requests"`
	Denied   map[string]uint64 `json:"denied,omitempty"` // by reason
}

// History keeps what passed the public listener in the last hour. It is for a look
// at one process; what is to be kept and added up is Prometheus's.
type History struct {
	metrics *Metrics
	// skip says which routes do not count, by their names.
	skip func(route string) bool

	mu      sync.Mutex
	samples []Sample // guarded by mu, oldest first
	last    totals   // guarded by mu
}

type totals struct {
	requests uint64
	denied   map[string]uint64
}

// NewHistory returns a history of what m counts, without the requests to the admin
// listener.
func NewHistory(m *Metrics) *History {
	h := &History{metrics: m, skip: func(route string) bool {
		return strings.HasPrefix(route, "admin:") || strings.HasPrefix(route, "console")
	}}
	h.last = h.totals()
	return h
}

// Run takes samples until ctx ends.
func (h *History) Run(ctx context.Context) error {
	tick := time.NewTicker(SampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			h.Take(now)
		}
	}
}

// Take adds one sample.
func (h *History) Take(now time.Time) {
	t := h.totals()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.samples = append(h.samples, h.since(t, now))
	if len(h.samples) > maxSamples {
		h.samples = append(h.samples[:0:0], h.samples[1:]...)
	}
	h.last = t
}

// Samples returns the samples and, as the last of them, what was counted since.
func (h *History) Samples(now time.Time) []Sample {
	t := h.totals()
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]Sample, len(h.samples), len(h.samples)+1)
	copy(out, h.samples)
	return append(out, h.since(t, now))
}

// since is what lies between the last sample and t. The lock is held.
func (h *History) since(t totals, now time.Time) Sample {
	s := Sample{At: now.UTC(), Requests: t.requests - h.last.requests}
	for reason, n := range t.denied {
		if n -= h.last.denied[reason]; n > 0 {
			if s.Denied == nil {
				s.Denied = map[string]uint64{}
			}
			s.Denied[reason] = n
		}
	}
	return s
}

// totals reads the counters by way of the registry: the library shows a counter's
// value to nobody else.
func (h *History) totals() totals {
	out := totals{denied: map[string]uint64{}}
	if h.metrics == nil {
		return out
	}
	families, err := h.metrics.registry.Gather()
	if err != nil && len(families) == 0 {
		return out
	}
	for _, f := range families {
		name := f.GetName()
		if name != "tollgate_requests_total" && name != "tollgate_auth_denied_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			route, reason := "", ""
			for _, l := range m.GetLabel() {
				switch l.GetName() {
				case "route":
					route = l.GetValue()
				case "reason":
					reason = l.GetValue()
				}
			}
			n := uint64(m.GetCounter().GetValue())
			switch {
			case h.skip(route):
			case reason != "":
				out.denied[reason] += n
			default:
				out.requests += n
			}
		}
	}
	return out
}

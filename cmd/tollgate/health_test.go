package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"tollgate/internal/telemetry"
)

// gathered returns what a collector shows, as "name{label=value} number".
func gathered(t *testing.T, c prometheus.Collector) []string {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range families {
		for _, m := range f.Metric {
			out = append(out, f.GetName()+shownLabels(m))
		}
	}
	return out
}

func shownLabels(m *dto.Metric) string {
	var labels []string
	for _, l := range m.Label {
		labels = append(labels, l.GetName()+"="+l.GetValue())
	}
	number := " 0"
	if m.GetGauge().GetValue() == 1 {
		number = " 1"
	}
	return "{" + strings.Join(labels, ",") + "}" + number
}

func TestHealthShowsTheLastAnswers(t *testing.T) {
	var down, draining atomic.Bool
	h := newHealth([]telemetry.Check{
		{Name: "redis", Probe: func(context.Context) error {
			if down.Load() {
				return errors.New("away")
			}
			return nil
		}},
		{Name: "keys", Probe: func(context.Context) error { return nil }},
	}, draining.Load, func(ctx context.Context) []finding {
		return []finding{{Level: levelWarning, Check: "redis.tls"}, {Level: levelInfo, Check: "redis.fsync"}}
	})
	if got := gathered(t, h); len(got) != 0 {
		t.Errorf("before the first look: %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.lookAtRedis(ctx) // cut off: nothing is known
	if h.findings.Load() != nil {
		t.Error("findings of a look that was cut off")
	}
	if again := h.look(t.Context()); again != healthEvery {
		t.Errorf("all is well: again in %s", again)
	}
	h.lookAtRedis(t.Context())
	want := []string{"tollgate_ready{} 1", "tollgate_ready_check{check=keys} 1", "tollgate_ready_check{check=redis} 1", "tollgate_redis_findings{check=redis.tls,level=warning} 1"}
	if got := gathered(t, h); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	draining.Store(true)
	if got := gathered(t, h); got[0] != "tollgate_ready{} 0" {
		t.Errorf("draining: %q", got)
	}
	draining.Store(false)
	down.Store(true)
	if again := h.look(t.Context()); again != failingEvery {
		t.Errorf("one fails: again in %s", again)
	}
	if got := gathered(t, h); got[0] != "tollgate_ready{} 0" || got[2] != "tollgate_ready_check{check=redis} 0" {
		t.Errorf("without Redis: %q", got)
	}
}

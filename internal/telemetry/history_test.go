package telemetry

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestHistory: steps between samples, the admin listener left out, an hour kept.
func TestHistory(t *testing.T) {
	m := NewMetrics(Build{})
	count := func(route, decision, reason string) {
		m.request(&Record{Route: route, Decision: decision, Reason: reason}, "GET", 200, time.Millisecond)
	}
	count("shop", Allow, "") // before the history began
	h, at := NewHistory(m), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	count("shop", Allow, "")
	count("shop", Deny, "expired")
	count("admin:/admin/v1/keys", Deny, "missing")
	count("console:/keys", Allow, "")
	h.Take(at)
	count("none", Deny, "expired")
	count("shop", Deny, "revoked")
	want := []Sample{
		{At: at, Requests: 2, Denied: map[string]uint64{"expired": 1}},
		{At: at.Add(time.Second), Requests: 2, Denied: map[string]uint64{"expired": 1, "revoked": 1}},
	}
	if diff := cmp.Diff(want, h.Samples(at.Add(time.Second))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i := range maxSamples + 5 {
		h.Take(at.Add(time.Duration(i) * SampleEvery))
	}
	got := h.Samples(at)
	if len(got) != maxSamples+1 || got[0].Requests != 0 {
		t.Errorf("%d samples, the first %v", len(got), got[0])
	}
}

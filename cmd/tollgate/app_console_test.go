package main

import (
	"testing"
	"time"

	"tollgate/revocation"
)

// TestWithin: the bound of the bucket in which the record of that rank is.
func TestWithin(t *testing.T) {
	for name, c := range map[string]struct {
		buckets  [12]uint64
		p50, p99 string
	}{
		"all at once":   {[12]uint64{100}, "≤ 1ms", "≤ 1ms"},
		"one of many":   {[12]uint64{99, 0, 1}, "≤ 1ms", "≤ 1ms"},
		"two of many":   {[12]uint64{98, 0, 2}, "≤ 1ms", "≤ 5ms"},
		"half":          {[12]uint64{50, 50}, "≤ 1ms", "≤ 2ms"},
		"past all ends": {[12]uint64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}, "> 5s", "> 5s"},
	} {
		var p revocation.Propagation
		p.Buckets = c.buckets
		for _, n := range c.buckets {
			p.Count += n
		}
		if a, b := within(p, 50), within(p, 99); a != c.p50 || b != c.p99 {
			t.Errorf("%s: %s and %s, want %s and %s", name, a, b, c.p50, c.p99)
		}
	}
	got := mirrorOf(revocation.MirrorStatus{Level: true, N: 4, Stale: 1234567 * time.Nanosecond})
	if got.Stale != "1ms" || got.P99 != "" || !got.Level || got.N != 4 {
		t.Errorf("%+v", got)
	}
}

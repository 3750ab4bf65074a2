package revocation

import (
	"testing"
	"time"
)

// Each step is a scan that reached the end, sent a second after the one before; vouched is
// the scan that is vouched for after it, counted from 1.
func TestPulse(t *testing.T) {
	type step struct {
		epoch           string
		beat, confirmed uint64
		vouched         int
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"nobody beats", []step{{"e", 0, 0, 0}, {"e", 0, 0, 0}}},
		{"each beat is confirmed at once", []step{{"e", 5, 5, 0}, {"e", 6, 6, 1}, {"e", 7, 7, 2}}},
		{"the read that saw the beat is not vouched for by it", []step{{"e", 5, 5, 0}, {"e", 6, 5, 0}, {"e", 6, 6, 1}, {"e", 6, 6, 1}, {"e", 7, 7, 4}}},
		{"the latest of the reads that saw a beat counts", []step{{"e", 5, 5, 0}, {"e", 5, 5, 0}, {"e", 5, 5, 0}, {"e", 6, 6, 3}}},
		{"slow confirmation", []step{{"e", 5, 4, 0}, {"e", 6, 4, 0}, {"e", 7, 5, 0}, {"e", 8, 6, 1}, {"e", 9, 8, 3}}},
		{"a deposed primary", []step{{"e", 5, 5, 0}, {"e", 6, 6, 1}, {"e", 7, 6, 1}, {"e", 8, 6, 1}, {"e", 9, 6, 1}}},
		{"from a deposed primary to the new one", []step{{"e", 5, 5, 0}, {"e", 6, 6, 1}, {"e", 90, 6, 1}, {"e", 7, 7, 1}, {"e", 8, 8, 4}}},
		{"a server that came back with less", []step{{"e", 50, 50, 0}, {"e", 51, 51, 1}, {"e", 51, 20, 1}, {"e", 51, 21, 1}, {"e", 52, 52, 4}}},
		{"another epoch proves itself anew", []step{{"e", 5, 5, 0}, {"e", 6, 6, 1}, {"f", 7, 7, 0}, {"f", 8, 8, 3}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p pulse
			base := time.Unix(1, 0)
			for i, s := range tt.steps {
				p.take(feedHead{Epoch: Epoch{ID: s.epoch}, beat: s.beat, confirmed: s.confirmed}, base.Add(time.Duration(i+1)*time.Second))
				want := time.Time{}
				if s.vouched > 0 {
					want = base.Add(time.Duration(s.vouched) * time.Second)
				}
				if !p.vouched.Equal(want) {
					t.Fatalf("after scan %d: vouched %v, want scan %d", i+1, p.vouched, s.vouched)
				}
			}
		})
	}
}

// A scan that was overtaken says nothing, and reads that wait for a confirmation do
// not pile up.
func TestPulseBounds(t *testing.T) {
	var p pulse
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	head := func(beat, confirmed uint64) feedHead {
		return feedHead{Epoch: Epoch{ID: "e"}, beat: beat, confirmed: confirmed}
	}
	p.take(head(1, 1), at(10))
	p.take(head(9, 9), at(5))
	if !p.vouched.IsZero() {
		t.Errorf("an overtaken scan vouched for %v", p.vouched)
	}
	for i := range 100 {
		p.take(head(uint64(2+i), 1), at(20+i))
	}
	if len(p.reads) != maxPulseReads {
		t.Errorf("%d reads are kept", len(p.reads))
	}
	p.take(head(200, 200), at(200))
	if p.vouched.Before(at(10)) || !p.vouched.Before(at(200)) {
		t.Errorf("vouched %v", p.vouched)
	}
}

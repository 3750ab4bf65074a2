package statuslist

import (
	"encoding/binary"
	"testing"
	"time"

	"tollgate/revocation"
)

func record(n uint64, thing uint64, cut, exp int64) revocation.Record {
	var d revocation.Digest
	binary.BigEndian.PutUint64(d[:8], thing)
	return revocation.Record{N: n, Digest: d, Kind: revocation.KindSession, Cut: cut, ExpiresAt: exp, At: int64(n)}
}

func TestEventLogResumes(t *testing.T) {
	var l eventLog
	if _, _, ok := l.after(1, 10); ok {
		t.Error("an empty log knows of record 1")
	}
	for n := uint64(101); n <= 110; n++ {
		l.add(record(n, n, 1, 0))
	}
	l.add(record(105, 105, 1, 0)) // told again
	for after, want := range map[uint64]struct {
		events int
		more   bool
		ok     bool
	}{
		0: {4, true, true}, 100: {4, true, true}, 105: {4, true, true}, 106: {4, false, true}, 109: {1, false, true}, 110: {0, false, true},
		99: {0, false, false}, 1: {0, false, false}, 111: {0, false, false},
	} {
		events, more, ok := l.after(after, 4)
		if len(events) != want.events || more != want.more || ok != want.ok || len(events) > 0 && events[0].n != max(after, 100)+1 {
			t.Errorf("after %d: %d events, %t, %t", after, len(events), more, ok)
		}
	}
}

// TestCompactionLosesNothing: a reader from the beginning learns all that is in
// force, a reader near the end is not told to start over, and the log is bounded.
func TestCompactionLosesNothing(t *testing.T) {
	l := NewLedger(nil)
	l.Epoch(revocation.Epoch{ID: "epoch-of-the-test"})
	const rounds = 12 * keepAll
	gone := time.Now().Add(-time.Hour).Unix()
	n := uint64(0)
	tell := func(thing uint64, cut, exp int64) uint64 {
		n++
		l.Apply([]revocation.Record{record(n, thing, cut, exp)})
		return n
	}
	first := tell(1, 7, 0)          // stays in force for ever
	undone := tell(2, 7, 0)         // is undone
	last := tell(2, 0, 0)           // here
	for i := range uint64(rounds) { // one thing again and again, and things that are over
		if i%2 == 0 {
			tell(3, 7, 0)
		} else {
			tell(1000+i, 7, gone)
		}
	}
	if len(l.log.events) > 4*keepAll || len(l.marks) > 4*keepAll {
		t.Errorf("%d events, %d marks", len(l.log.events), len(l.marks))
	}
	events, more, ok := l.log.after(0, len(l.log.events))
	if !ok || more || events[0].n != first || events[1].n != last || events[1].cut != 0 {
		t.Errorf("the beginning: %+v, %t, %t", events[:2], more, ok)
	}
	for after, want := range map[uint64]bool{undone: false, n - keepAll: true, n: true} {
		if _, _, ok := l.log.after(after, 1); ok != want {
			t.Errorf("after %d of %d: %t", after, n, ok)
		}
	}
}

// TestLaterChangeCounts: whatever the order in which a merge tells of them.
func TestLaterChangeCounts(t *testing.T) {
	at := func(cut, at int64) revocation.Record {
		r := record(0, 1, cut, 0)
		r.At = at
		return r
	}
	for name, tt := range map[string]struct {
		first, second revocation.Record
		cut           int64
	}{
		"undone later":               {at(5, 5), at(0, 9), 0},
		"an undo is told first":      {at(0, 9), at(5, 5), 0},
		"revoked again":              {at(0, 9), at(12, 12), 12},
		"at the same moment, refuse": {at(9, 9), at(0, 9), 9},
		"and the other way round":    {at(0, 9), at(9, 9), 9},
	} {
		l := NewLedger(nil)
		tt.first.N, tt.second.N = 1, 2
		l.Apply([]revocation.Record{tt.first})
		l.Gap("for the test")
		l.Apply([]revocation.Record{tt.second})
		if got := l.marks[tt.first.Digest].cut; got != tt.cut {
			t.Errorf("%s: cut %d, want %d", name, got, tt.cut)
		}
	}
}

// TestFreshness: by whichever clock more time has passed.
func TestFreshness(t *testing.T) {
	now := time.Now()
	l := NewLedger(func() time.Time { return now })
	if l.fresh(time.Hour) || l.ready() {
		t.Error("fresh before it has read anything")
	}
	sent := now
	l.Level(true, sent)
	for name, tt := range map[string]struct {
		now  time.Time
		want bool
	}{
		"at once":                           {sent, true},
		"in time":                           {sent.Add(2 * time.Second), true},
		"too late":                          {sent.Add(2*time.Second + 1), false},
		"the wall alone went on (suspend)":  {sent.Round(0).Add(3 * time.Second), false},
		"the wall was set back, time is up": {sent.Add(3 * time.Second), false},
	} {
		if now = tt.now; l.fresh(2*time.Second) != tt.want {
			t.Errorf("%s: %t", name, !tt.want)
		}
	}
	now = sent
	if l.Level(false, sent); l.fresh(time.Hour) || !l.ready() {
		t.Error("fresh while it is behind")
	}
}

package revocation

import (
	"testing"
	"time"

	"tollgate/revocation/table"
)

// TestSurvivors: only what the feed tells of in this epoch, as it is held, need not be
// put back.
func TestSurvivors(t *testing.T) {
	const end = 2_000_000_000
	named, cut := Digest{1}, Digest{2}
	for name, tt := range map[string]struct {
		held    Record   // before the loss
		told    []Record // by the epoch that came of it
		evicted string
		want    bool
	}{
		"told as it is held": {
			held: Record{Digest: named, Kind: KindJTI, Cut: 5, At: 5, ExpiresAt: end},
			told: []Record{{Digest: named, Kind: KindJTI, Cut: 5, At: 5, ExpiresAt: end}}, want: true,
		},
		"told with a later end": {
			held: Record{Digest: named, Kind: KindJTI, Cut: 5, At: 5, ExpiresAt: end},
			told: []Record{{Digest: named, Kind: KindJTI, Cut: 5, At: 5, ExpiresAt: end + 60}}, want: true,
		},
		"told without an end": {
			held: Record{Digest: named, Kind: KindKey, Cut: 5, At: 5, ExpiresAt: end},
			told: []Record{{Digest: named, Kind: KindKey, Cut: 5, At: 5}}, want: true,
		},
		"not told": {held: Record{Digest: named, Kind: KindJTI, Cut: 5, At: 5, ExpiresAt: end}},
		"told with an earlier end": {
			held: Record{Digest: named, Kind: KindJTI, Cut: 5, At: 5, ExpiresAt: end + 60},
			told: []Record{{Digest: named, Kind: KindJTI, Cut: 5, At: 5, ExpiresAt: end}},
		},
		"held without an end": {
			held: Record{Digest: named, Kind: KindKey, Cut: 5, At: 5},
			told: []Record{{Digest: named, Kind: KindKey, Cut: 5, At: 5, ExpiresAt: end}},
		},
		"the same cut-off": {
			held: Record{Digest: cut, Kind: KindSubject, Cut: 9, At: 9, ExpiresAt: end},
			told: []Record{{Digest: cut, Kind: KindSubject, Cut: 9, At: 9, ExpiresAt: end}}, want: true,
		},
		"an earlier cut-off": {
			held: Record{Digest: cut, Kind: KindSubject, Cut: 9, At: 9, ExpiresAt: end},
			told: []Record{{Digest: cut, Kind: KindSubject, Cut: 8, At: 8, ExpiresAt: end}},
		},
		"revoked again after an undo": {
			held: Record{Digest: named, Kind: KindSession, Cut: 9, At: 9, ExpiresAt: end, Undone: 7},
			told: []Record{{Digest: named, Kind: KindSession, Cut: 9, At: 9, ExpiresAt: end, Undone: 7}},
		},
		"a cut-off with another under it": {
			held: Record{Digest: cut, Kind: KindSubject, Cut: 9, At: 9, ExpiresAt: end, Below: "7"},
			told: []Record{{Digest: cut, Kind: KindSubject, Cut: 9, At: 9, ExpiresAt: end}},
		},
		"told by a store that evicts": {
			held: Record{Digest: named, Kind: KindJTI, Cut: 5, At: 5, ExpiresAt: end},
			told: []Record{{Digest: named, Kind: KindJTI, Cut: 5, At: 5, ExpiresAt: end}}, evicted: "run 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := lonely(t)
			m.apply(tt.held)
			s := (&survivors{}).under(Epoch{ID: "e2", Evicted: tt.evicted})
			m.loss.survived = s
			for i := range tt.told {
				m.apply(tt.told[i])
				m.survives(&tt.told[i])
			}
			lacking := 0
			m.eachLacking("e2", func(held) bool { lacking++; return true })
			if got := lacking == 0; got != tt.want {
				t.Errorf("survived: %t, want %t", got, tt.want)
			}
			if m.eachLacking("e3", func(held) bool { lacking = -1; return true }); lacking != -1 {
				t.Error("it counts in another epoch, too")
			}
		})
	}
}

// TestSurvivorsOfAnEpoch: what was noted counts in its epoch alone, and is kept only
// while something is to be put back.
func TestSurvivorsOfAnEpoch(t *testing.T) {
	if (*survivors)(nil).under(Epoch{ID: "e"}) != nil {
		t.Error("noted without a gap")
	}
	first := (&survivors{}).under(Epoch{ID: "e"})
	first.note(Digest{1}, 1, table.Forever)
	if again := first.under(Epoch{ID: "e"}); again != first || !again.has(held{digest: Digest{1}, cut: 1}) {
		t.Error("forgotten in the same epoch")
	}
	if other := first.under(Epoch{ID: "f"}); other.has(held{digest: Digest{1}, cut: 1}) {
		t.Error("kept from one epoch to the next")
	}

	m, at := lonely(t), time.Now()
	m.loss.pending, m.loss.survived, m.loss.putBack = Epoch{ID: "f"}, first, true
	if m.survivorsRead(at); !first.read.IsZero() || m.readAgain("e", time.Time{}) {
		t.Error("whole at the end of another epoch's feed")
	}
	m.loss.pending = Epoch{ID: "e"}
	if m.survivorsRead(at); !m.readAgain("e", time.Time{}) || m.readAgain("f", time.Time{}) || m.readAgain("e", at.Add(1)) {
		t.Error("not whole at the end of the feed")
	}
	m.loss.putBack = false
	if m.survivorsRead(at); m.loss.survived != nil {
		t.Error("kept for nothing")
	}
}

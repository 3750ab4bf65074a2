package revocation

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// fickle is a journal that may take nothing.
type fickle struct {
	full    bool
	records map[Digest]bool
	at      Position
}

func (f *fickle) Append(_ context.Context, records []Kept) error {
	if f.full {
		return errors.New("no room")
	}
	for _, k := range records {
		f.records[k.Digest] = true
	}
	return nil
}

func (f *fickle) Mark(p Position)               { f.at = p }
func (f *fickle) Records(func(Kept) bool) error { return nil }

// TestUnkeptIsNotMarked: a journal that took nothing for so long that records were
// dropped is not told that it has all up to somewhere, until it was given all again.
func TestUnkeptIsNotMarked(t *testing.T) {
	m, j := levelled(t), &fickle{records: map[Digest]bool{}}
	m.cfg.Journal = j
	m.unkeptMost = 10
	var n uint64
	tell := func(count int) { // what the feed does with as many records
		at := feedPosition{epoch: "e", n: n, level: true}
		var page []Record
		for range count {
			at.n++
			page = append(page, Record{N: at.n, Kind: KindJTI, Digest: DigestOf("o", KindJTI, fmt.Sprint(at.n)), Cut: 1, At: 1})
		}
		n = at.n
		m.feed.mu.Lock()
		defer m.feed.mu.Unlock()
		m.feed.moveTo(at)
		if count > 0 {
			m.heard(page)
		}
	}
	step := func(what string, full bool, count int, position uint64) {
		t.Helper()
		j.full = full
		tell(count)
		m.keepOnce(t.Context())
		if j.at.N != position {
			t.Errorf("%s: marked as far as %d, want %d", what, j.at.N, position)
		}
		for i := uint64(1); i <= j.at.N; i++ {
			if d := DigestOf("o", KindJTI, fmt.Sprint(i)); !j.records[d] {
				t.Fatalf("%s: record %d is not in the journal, which says %+v", what, i, j.at)
			}
		}
	}
	step("as ever", false, 3, 3)
	step("no room", true, 5, 3)
	step("room again", false, 1, 9)
	step("no room", true, 10, 9)
	step("no room, and no patience", true, 10, 0)
	step("room again, and some are missing", false, 3, 0)
	step("nothing new", false, 0, 0)
	gap := func() {
		m.feed.mu.Lock()
		defer m.feed.mu.Unlock()
		m.gap(gapChain)
	}
	gap() // in the middle of reading: that goes on
	step("a hole", false, 2, 0)
	m.feed.mu.Lock()
	m.feed.moveTo(feedPosition{})
	m.feed.mu.Unlock()
	gap() // the feed is read from its beginning
	n = 0
	step("all was told again", false, 40, 40)
}

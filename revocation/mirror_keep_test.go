package revocation

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
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

// TestJournalTellsOfWhatTheFeedDoesNot: a process dies right after a write, and the store
// comes back without it, under the same epoch. Nobody has read it. Its next life puts it
// back, also when the store has gone on meanwhile.
func TestJournalTellsOfWhatTheFeedDoesNot(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]bool{"not read": false, "read on": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 6)
			w.settle()
			p := w.procs[0]
			p.keepOnce(t.Context())
			was := w.copyOf()
			w.say(p, KindSession, 0)
			w.mini.FlushAll()
			if _, err := w.client.TxPipelined(t.Context(), was); err != nil {
				t.Fatal(err)
			}
			w.say(w.store, KindSubject, time.Second) // takes the sequence of what was lost
			if read {                                // by a wait, which judges nothing
				if err := p.reader.wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				p.keepOnce(t.Context())
			}
			if err := p.journal.Close(); err != nil {
				t.Fatal(err)
			}
			p.journal = w.openJournal()
			w.begin(p)
			w.settle()
			w.forward(10 * time.Second)
			w.settle()
			w.wantAll("put back", w.tokens[0], Revoked)
		})
	}
}

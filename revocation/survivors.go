package revocation

import (
	"hash/maphash"
	"time"
)

// survivors is what a store has kept over a loss: the entries of which its feed tells,
// in the epoch that came of the loss, as this process holds them. They need not be put
// back. Most losses are of the last second, and most of what a process holds survives
// them.
//
// An entry is noted by a hash of 64 bits, with a key that nobody can know: the digests
// of ten million would need three times the memory, in a moment that all processes have
// in common. Of a million entries that were lost and a million that were not, one is
// taken for a survivor in one loss of twenty million; those who hold it refuse it still.
type survivors struct {
	epoch   string    // in which the feed was read
	evicted bool      // what the feed tells of need not be there
	read    time.Time // when the last read was sent that found the feed's end; zero: none has
	seed    maphash.Seed
	noted   map[uint64]struct{}
}

// survivor is what is hashed of an entry.
type survivor struct {
	digest  Digest
	cut     int64
	expires int64
}

// under returns what has survived up to now in the epoch e: nothing when the feed was read in
// another. It may be called with nil, and then returns nil.
func (s *survivors) under(e Epoch) *survivors {
	if s == nil || e.ID == "" || s.epoch == e.ID {
		return s
	}
	return &survivors{epoch: e.ID, evicted: e.Evicted != "", seed: maphash.MakeSeed(), noted: map[uint64]struct{}{}}
}

func (s *survivors) note(d Digest, cut int64, expires uint32) {
	s.noted[maphash.Comparable(s.seed, survivor{d, cut, expSecond(expires)})] = struct{}{}
}

// has says whether h is there as it is held. Of what was ever undone, and of a cut-off
// with others under it, nobody knows.
func (s *survivors) has(h held) bool {
	if s == nil || s.evicted || h.undone != 0 || h.at != 0 || h.cut == 0 || h.below != "" {
		return false
	}
	_, ok := s.noted[maphash.Comparable(s.seed, survivor{h.digest, h.cut, h.exp})]
	return ok
}

// survives notes that the feed tells of what is held, if it tells of all of it. The
// caller holds mu, and has applied r.
func (m *Mirror) survives(r *Record) {
	s := m.loss.survived
	if s == nil || s.epoch == "" || s.evicted || !m.holds(r.Kind) {
		return
	}
	cut, expires := m.lookUp(&probe{r.Kind, r.Digest})
	if cut == 0 || r.Cut < cut || expiryOf(*r) < expires {
		return
	}
	s.note(r.Digest, cut, expires)
}

// survivorsRead notes that the feed was read to its end by a read that was sent then.
// Where nothing is to be put back, nobody will ask. The caller holds mu.
func (m *Mirror) survivorsRead(sent time.Time) {
	l := &m.loss
	switch s := l.survived; {
	case s == nil:
	case !l.putBack && l.found == nil:
		l.survived = nil
	case s.epoch == l.pending.ID && s.read.Before(sent):
		if s.read.IsZero() || !l.put.IsZero() || !l.giving.last.IsZero() {
			m.wakeUp()
		}
		s.read = sent
	}
}

// readAgain says whether the feed of that epoch was read to its end, by a read that was
// sent at that moment or later.
func (m *Mirror) readAgain(epoch string, from time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.loss.survived
	return s != nil && s.epoch == epoch && !s.read.IsZero() && !s.read.Before(from)
}

// eachLacking yields what is held and the store, in that epoch, may lack.
func (m *Mirror) eachLacking(epoch string, yield func(held) bool) {
	m.everyHeld(func(h held) bool {
		m.mu.Lock()
		s := m.loss.survived
		there := s != nil && s.epoch == epoch && s.has(h)
		m.mu.Unlock()
		return there || yield(h)
	})
}

package revocation

import "iter"

// Position is where a mirror is in the feed of one epoch, for a journal to keep: all
// records up to it are then in the journal.
type Position struct {
	Epoch string // empty: nowhere yet
	N     uint64 // sequence of the last record
	Nonce string // of that record
	ID    int64  // store time (µs) at which it was written
}

// Position returns where the mirror is. Records up to there have been applied.
func (m *Mirror) Position() Position {
	at := m.feed.position()
	if !at.level || at.absent {
		return Position{}
	}
	return Position{Epoch: at.epoch, N: at.n, Nonce: at.nonce, ID: at.id}
}

// Resume gives a mirror, before it runs, what a journal has kept: it refuses that from
// now on, and reads the feed from there. A store that is not the one that was left, or
// is behind it, has lost something: then it is told so, and the records are put back.
// What happened while the process was away it cannot know, so it does not vouch for
// having known all. Without a position the records are held and the feed is read from
// its beginning.
func (m *Mirror) Resume(from Position, records iter.Seq[Record]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for r := range records {
		m.apply(r)
	}
	if from.Epoch == "" {
		return
	}
	m.loss.followed = Epoch{ID: from.Epoch}
	m.feed.resume(from)
}

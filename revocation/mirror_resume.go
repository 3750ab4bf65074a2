package revocation

import "iter"

// Position returns where the mirror is. Records up to there have been applied.
func (m *Mirror) Position() Position {
	at := m.feed.position()
	if !at.level || at.absent {
		return Position{}
	}
	return Position{Epoch: at.epoch, N: at.n, Nonce: at.nonce, ID: at.id, Level: true}
}

// Resume gives a mirror, before it runs, what a journal has kept: it refuses that from
// now on, and reads the feed from there. A store that is not the one that was left, or
// is behind it, has lost something: then it is told so, and the records are put back. So
// has one that does not tell of records from after that position.
// What happened while the process was away it cannot know, so it does not vouch for
// having known all. Without a position the records are held and the feed is read from
// its beginning.
func (m *Mirror) Resume(from Position, records iter.Seq[Record]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.cfg.Now()
	for r := range records {
		m.apply(r)
		if from.Epoch != "" && r.At > from.ID { // the feed has yet to tell of it, or has lost it
			m.own[r.Digest] = ownWrite{record: r, done: now, untold: true}
		}
	}
	if from.Epoch == "" {
		return
	}
	m.loss.followed, m.loss.noticed = Epoch{ID: from.Epoch}, m.cfg.Now()
	m.loss.pending = m.loss.followed // as if it had been read up to there
	m.heardN = from.N
	m.feed.resume(from)
}

// Load is Resume from a journal of this process's last life.
func (m *Mirror) Load(j *Journal) error {
	var failed error
	m.Resume(j.Position(), func(yield func(Record) bool) {
		failed = j.Records(func(k Kept) bool { return yield(k.record()) })
	})
	return failed
}

// kept is what a journal keeps of r.
func (r Record) kept(d *Detail) Kept {
	return Kept{Digest: r.Digest, Kind: r.Kind, Cut: r.Cut, At: r.At, ExpiresAt: r.ExpiresAt, Undone: r.Undone, Below: r.Below, Detail: d}
}

func (k Kept) record() Record {
	return Record{Digest: k.Digest, Kind: k.Kind, Cut: k.Cut, At: k.At, ExpiresAt: k.ExpiresAt, Undone: k.Undone, Below: k.Below}
}

package revocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/revocation/table"
)

const (
	mendEvery  = 250 * time.Millisecond
	mendWithin = 2 * time.Second // for each script
	mergeBatch = 64
	mergeTries = 3
	// mergePause is the longest pause between batches. Each is followed by one as
	// long as it took: others get at least half of Redis's time.
	mergePause = 20 * time.Millisecond
	// loseEvery keeps a store that is found wanting all the time from a new epoch at
	// every look.
	loseEvery = time.Second
	warnEvery = 5 * time.Second
	// readPatience is how long the feed may take to say what has survived; after that
	// everything is put back.
	readPatience = 5 * time.Second
)

// errOtherEpoch says that another epoch has begun while something was put back.
var errOtherEpoch = errors.New("another epoch has begun")

// mend tells the store of losses, puts back what is held, and sees to it that the
// epoch vouches for all again when everybody has.
func (m *Mirror) mend(ctx context.Context) {
	tick := time.NewTicker(mendEvery)
	defer tick.Stop()
	var looked, lost, warned time.Time
	var evicted evictions
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		case <-tick.C:
		}
		if time.Since(looked) >= evictionsEvery {
			looked = time.Now()
			m.watchEvictions(ctx, &evicted)
		}
		var err error
		if time.Since(lost) >= loseEvery {
			var began bool
			if began, err = m.tellLoss(ctx); began {
				lost = time.Now()
			}
		}
		if err == nil {
			err = m.putBack(ctx)
		}
		if err != nil && ctx.Err() == nil && time.Since(warned) > warnEvery {
			warned = time.Now()
			m.cfg.Log.Warn("a loss of revocations could not be mended yet", "error", err)
		}
	}
}

// tellLoss tells the store of what was found. It returns true when an epoch began
// that was not there before.
func (m *Mirror) tellLoss(ctx context.Context) (began bool, err error) {
	m.mu.Lock()
	found, followed := m.loss.found, m.loss.followed
	m.mu.Unlock()
	if found == nil {
		return false, nil
	}
	f := *found
	if followed.ID == "" { // no epoch was ever seen: nothing can be missed
		followed = Epoch{ID: f.seen}
	}
	for range mergeTries {
		ctx, cancel := context.WithTimeout(ctx, mendWithin)
		e, err := m.cfg.Store.lose(ctx, f, followed, m.name)
		cancel()
		if err != nil {
			return false, fmt.Errorf("%s: %w", f.reason, err)
		}
		if e.ID == followed.ID && f.seen != e.ID { // it is back, and nobody knows any more how far it was read
			f.seen = e.ID
			continue
		}
		m.mu.Lock()
		if m.loss.found == found && (e.ID == followed.ID || cameFrom(e, followed.ID)) {
			m.loss.found = nil
		}
		done := m.adopt(e)
		m.mu.Unlock()
		if done {
			return e.ID != f.seen && e.ID != followed.ID, nil
		}
		f.seen = e.ID // yet another, or one that had gone and is back: wanting, too
	}
	return false, nil
}

// putBack merges what is held into the followed epoch if that is due, and otherwise
// asks whether the mending is over.
func (m *Mirror) putBack(ctx context.Context) error {
	m.mu.Lock()
	due, e, claims := m.loss.putBack, m.loss.followed, append([]claim(nil), m.loss.claims...)
	noticed := m.loss.noticed
	m.mu.Unlock()
	if e.Lost == 0 && !due {
		return nil
	}
	process, from := "", m.cfg.Now()
	if due {
		if done, err := m.mergeAll(ctx, e.ID, m.cfg.Now().Sub(noticed)); err != nil || !done {
			return err
		}
		process = m.name
	}
	ctx, cancel := context.WithTimeout(ctx, mendWithin)
	defer cancel()
	now, err := m.cfg.Store.merged(ctx, e.ID, process, m.cfg.Now().Sub(noticed), claims)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.ID == e.ID && m.loss.followed.ID == e.ID {
		m.loss.putBack, m.loss.survived = false, nil
		if due {
			m.ownPutBack(from)
			m.wantWords()
		}
		m.loss.followed = now // pending and view take it from a scan, when all is read
	}
	return nil
}

// mergeAll puts back, in batches, what is held and has not survived. Done is false as
// long as the feed has not been read again, or another process has the turn: after it
// there is less to do, and nobody stops waiting for this one meanwhile.
func (m *Mirror) mergeAll(ctx context.Context, id string, noticed time.Duration) (done bool, err error) {
	if busy, err := m.mergeSome(ctx, id, false, nil); err != nil || busy { // from now on the others wait
		return false, err
	}
	if !m.readAgain(id) && noticed < readPatience {
		return false, nil
	}
	many := 0
	m.eachLacking(id, func(held) bool { many++; return many <= mergeBatch })
	if many > mergeBatch {
		if busy, err := m.mergeSome(ctx, id, true, nil); err != nil || busy {
			return false, err
		}
	}
	batch := make([]held, 0, mergeBatch)
	flush := func() bool {
		_, err = m.mergeSome(ctx, id, false, batch)
		batch = batch[:0]
		return err == nil
	}
	m.eachLacking(id, func(h held) bool {
		batch = append(batch, h)
		return len(batch) < mergeBatch || flush()
	})
	if err == nil && len(batch) > 0 {
		flush()
	}
	return err == nil, err
}

// mergeSome puts back a batch, and then waits for about as long as it took. turn asks
// for the turn to put back more than one.
func (m *Mirror) mergeSome(ctx context.Context, id string, turn bool, batch []held) (busy bool, err error) {
	for try := range mergeTries {
		if try > 0 && !pause(ctx, mergePause) {
			return false, ctx.Err()
		}
		began := time.Now()
		once, cancel := context.WithTimeout(ctx, mendWithin)
		out, failed := m.cfg.Store.merge(once, id, m.name, turn, batch)
		cancel()
		if err = failed; err != nil {
			continue
		}
		m.mu.Lock()
		m.stats.merged += out.changed
		m.mu.Unlock()
		if out.epoch.ID != id {
			return false, errOtherEpoch
		}
		pause(ctx, min(time.Since(began), mergePause))
		return out.busy, ctx.Err()
	}
	return false, err
}

// pause waits; false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// everyHeld yields what is held, the undone that is remembered included.
func (m *Mirror) everyHeld(yield func(held) bool) {
	more := true
	for _, k := range Kinds() {
		if !more {
			return
		}
		if k.CutOff() {
			m.cuts(k).All(func(d table.Digest, c table.Cut) bool {
				more = yield(m.heldOf(Digest(d), k, c.Cut, c.Expires))
				return more
			})
		} else {
			// When it was revoked is not known: before every undo that there is.
			m.named(k).All(func(d table.Digest, expires uint32) bool {
				more = yield(m.heldOf(Digest(d), k, 1, expires))
				return more
			})
		}
	}
	m.mu.Lock()
	var undone []held
	for d, e := range m.dated {
		if e.cut == 0 {
			undone = append(undone, held{digest: d, kind: e.kind, at: e.at, undone: e.undone, exp: expSecond(e.expires)})
		}
	}
	m.mu.Unlock()
	for _, h := range undone {
		if !more {
			return
		}
		more = yield(h)
	}
}

// heldOf adds to an entry of a table what is remembered of its undos.
func (m *Mirror) heldOf(d Digest, k Kind, cut int64, expires uint32) held {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := held{digest: d, kind: k, cut: cut, exp: expSecond(expires), below: belowText(m.below[d])}
	if e, ok := m.dated[d]; ok && e.cut != 0 {
		h.cut, h.at, h.undone = e.cut, e.at, e.undone
	}
	return h
}

// expSecond is the reverse of expiryOf.
func expSecond(expires uint32) int64 {
	if expires == table.Forever {
		return 0
	}
	return int64(expires)
}

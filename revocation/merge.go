package revocation

import (
	"context"
	"fmt"
	"time"

	"tollgate/revocation/table"
)

const (
	mendEvery  = 250 * time.Millisecond
	mendWithin = 2 * time.Second // for each script
	mergeTries = 3
	// loseEvery keeps a store that is found wanting all the time from a new epoch at
	// every look.
	loseEvery = time.Second
	warnEvery = 5 * time.Second
)

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
		if e.ID == followed.ID && f.seen != e.ID && (f.forgot || f.seen == "") {
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

// putFirst are the kinds in the order in which they are put back: first what ends tokens that
// are made later, too, and the few before the many.
var putFirst = [...]Kind{KindKey, KindAll, KindSubject, KindSession, KindSigned, KindJTI}

// everyHeld yields what is held, the undone that is remembered included.
func (m *Mirror) everyHeld(yield func(held) bool) {
	more := true
	for _, k := range putFirst {
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

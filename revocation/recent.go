package revocation

import (
	"context"
	"time"
)

const (
	// freshFor is how long before it noticed a loss a process may have heard last, to know all
	// but what is recent with others.
	freshFor = 30 * time.Second
	// recentFor is how long what was heard counts as recent: as long as that, and the window in
	// which others notice the loss.
	recentFor  = freshFor + mergeWindow + 2*time.Second
	recentMost = 8192
)

// heardOf names an entry that the feed told of.
type heardOf struct {
	digest Digest
	kind   Kind
	at     time.Time
}

// recent is what a mirror has heard of lately: after a loss perhaps nobody else has.
type recent struct {
	list    []heardOf // oldest first
	dropped time.Time // when something was left out last that was recent then; zero: never
}

// add notes what was heard now.
func (r *recent) add(d Digest, k Kind, now time.Time) {
	old := 0
	for old < len(r.list) && now.Sub(r.list[old].at) > recentFor {
		old++
	}
	if len(r.list)-old >= recentMost {
		old, r.dropped = old+recentMost/2, now // not one by one: the rest moves
	}
	if old > recentMost/4 || old == len(r.list) {
		r.list = append(r.list[:0], r.list[old:]...)
	}
	r.list = append(r.list, heardOf{d, k, now})
}

// whole says whether all that is recent is there.
func (r *recent) whole(now time.Time) bool {
	return r.dropped.IsZero() || now.Sub(r.dropped) > recentFor
}

// giveRecent puts back what perhaps nobody else has: what was heard lately, and what this
// process has written itself. Who knew the rest need not wait for this process any more.
func (m *Mirror) giveRecent(ctx context.Context, id string) error {
	m.mu.Lock()
	due := m.loss.early && !m.loss.given && m.loss.followed.ID == id
	names := make(map[Digest]Kind)
	if due {
		for _, h := range m.recent.list {
			names[h.digest] = h.kind
		}
		for d, w := range m.own {
			names[d] = w.record.Kind
		}
	}
	m.mu.Unlock()
	if !due {
		return nil
	}
	batch := make([]held, 0, mergeBatch)
	for d, k := range names {
		if h, ok := m.heldNow(d, k); ok {
			batch = append(batch, h)
		}
		if len(batch) == mergeBatch {
			if _, err := m.mergeSome(ctx, id, false, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if len(batch) > 0 {
		if _, err := m.mergeSome(ctx, id, false, batch); err != nil {
			return err
		}
	}
	m.mu.Lock()
	if m.loss.followed.ID == id {
		m.loss.given = true
	}
	m.mu.Unlock()
	m.wakeOpener()
	return nil
}

// heldNow returns what is held of an entry, or what is remembered of its undoing.
func (m *Mirror) heldNow(d Digest, k Kind) (held, bool) {
	if cut, expires := m.lookUp(&probe{k, d}); cut != 0 {
		return m.heldOf(d, k, cut, expires), true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.dated[d]
	return held{digest: d, kind: k, at: e.at, undone: e.undone, exp: expSecond(e.expires)}, ok && e.cut == 0
}

// share tells the others whether this process has yet to put back what perhaps nobody else has.
func (m *Mirror) share(ctx context.Context) error {
	m.mu.Lock()
	l := &m.loss
	e, noticed, due := l.followed, l.noticed, l.followed.Lost != 0 && l.found == nil
	yet := l.putBack && !l.given
	m.mu.Unlock()
	if !due {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	_, err := m.cfg.Store.share(ctx, e.ID, m.name, yet, m.cfg.Now().Sub(noticed))
	return err
}

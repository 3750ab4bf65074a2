package revocation

import (
	"context"
	"slices"
	"time"

	"tollgate/revocation/table"
)

const (
	// freshFor is how long before it noticed a loss a process may have heard last, to know all
	// but what is recent with others.
	freshFor = 30 * time.Second
	// recentFor is how long what was heard counts as recent: as long as that, and the window in
	// which others notice the loss.
	recentFor  = freshFor + mergeWindow + 2*time.Second
	recentMost = 8192
	// unseenFor is how long a server that came back with less may go unnoticed by those
	// who knew more: what it told in that time says nothing of what it had told before.
	unseenFor = 10 * time.Second
)

// reads are when two of the reads were sent that found the feed's end, the latest not longer ago
// than need be. Of the last unseenFor none counts.
type reads struct{ older, newer time.Time }

func (r *reads) note(sent time.Time) {
	if sent.Sub(r.newer) >= unseenFor {
		r.older, r.newer = r.newer, sent
	}
}

// before returns when a read was sent that counts; zero: none does.
func (r *reads) before(now time.Time) time.Time {
	if now.Sub(r.newer) >= unseenFor {
		return r.newer
	}
	return r.older
}

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

// sortRecent says, when another epoch takes the place of the followed one, what is recent of that,
// and whether what it knew all of is fresh. An epoch that was not read to its end was followed
// for a moment, if it is untouched: then that is as it was. The caller holds mu.
func (m *Mirror) sortRecent() {
	l, now := &m.loss, m.cfg.Now()
	l.early = l.early && l.wasLevel && m.recent.whole(now)
	l.fresh = l.wasLevel && (reading{l.upTo}).since(now) <= freshFor || !l.wasLevel && l.untouched && l.fresh
	l.giving = giving{}
	if l.early {
		l.giving.heard = slices.Clone(m.recent.list)
	}
}

// giving is how far a process is with putting back what is recent.
type giving struct {
	heard  []heardOf // that is to be put back, beside what the process has written itself
	last   time.Time // when something of it was missing; zero: it was not looked at
	passes int
	given  bool
	asked  int // how often it had to begin again
}

// again has what is recent put back once more: there is more of it.
func (g *giving) again() { g.last, g.passes, g.given, g.asked = time.Time{}, 0, false, g.asked+1 }

// giveRecent puts back what perhaps nobody else has: what was heard lately, and what this
// process has written itself. Who knew the rest need not wait for this process any more,
// once the feed was read to its end after that and nothing is missing: if the store loses it
// again, this process notices. Done is true, too, for one that cannot tell what is recent.
func (m *Mirror) giveRecent(ctx context.Context, id string) (done bool, err error) {
	m.mu.Lock()
	l, now := &m.loss, m.cfg.Now()
	g, due := l.giving, l.early && !l.giving.given && l.followed.ID == id
	read := g.last.IsZero() || l.level && l.levelSent.After(g.last)
	names := m.recentNames(due)
	m.mu.Unlock()
	if !due {
		return true, nil
	}
	late := !read && now.Sub(g.last) >= readPatience
	if !read && !late {
		return false, nil
	}
	var changed uint64
	if read {
		if changed, err = m.giveNames(ctx, id, names); err != nil {
			return false, err
		}
	}
	m.mu.Lock()
	if l.followed.ID == id && l.giving.asked == g.asked {
		l.giving.last, l.giving.passes = m.cfg.Now(), g.passes+1
		if done = changed == 0 || g.passes+1 == mergePasses; done {
			l.giving = giving{given: true, asked: g.asked}
		}
	}
	m.mu.Unlock()
	m.feed.scanNext()
	m.wakeOpener()
	return done, nil
}

// recentNames returns what giveRecent is to put back. The caller holds mu.
func (m *Mirror) recentNames(due bool) map[Digest]Kind {
	if !due {
		return nil
	}
	names := make(map[Digest]Kind)
	m.keys.All(func(d table.Digest, _ uint32) bool { // few, and they end tokens that are made from now on
		names[Digest(d)] = KindKey
		return len(names) < recentMost
	})
	for _, h := range m.loss.giving.heard {
		names[h.digest] = h.kind
	}
	for d, w := range m.own {
		names[d] = w.record.Kind
	}
	return names
}

// giveNames puts back what is held of these. It returns how much of it was missing.
func (m *Mirror) giveNames(ctx context.Context, id string, names map[Digest]Kind) (changed uint64, err error) {
	batch := make([]held, 0, mergeBatch)
	flush := func() error {
		out, err := m.mergeSome(ctx, id, false, batch)
		changed += out.changed
		batch = batch[:0]
		return err
	}
	for d, k := range names {
		if h, ok := m.heldNow(d, k); ok {
			batch = append(batch, h)
		}
		if len(batch) == mergeBatch {
			if err := flush(); err != nil {
				return changed, err
			}
		}
	}
	if len(batch) > 0 {
		err = flush()
	}
	return changed, err
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
	yet := l.putBack && !l.giving.given
	m.mu.Unlock()
	if !due {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	_, err := m.cfg.Store.share(ctx, e.ID, m.name, yet, m.cfg.Now().Sub(noticed))
	return err
}

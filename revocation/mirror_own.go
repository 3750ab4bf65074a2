package revocation

import (
	"context"
	"time"
)

// ownWrite is a write of this process that the feed may not have told of yet.
type ownWrite struct {
	record Record
	done   time.Time
	epoch  string // in which a record of its own was told; empty: not known
	// untold: the feed has yet to tell of it. A store that does not has lost it, and
	// this process may be the only one that could know: under the epoch and at the
	// sequence that everybody had read before, nobody else sees anything missing.
	untold bool
}

// wrote takes what a write of this process has left of an entry, and the words of it.
// epoch is the one in which it was made.
func (m *Mirror) wrote(ctx context.Context, epoch string, r Record, d *Detail) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &m.loss
	// What was read already is held, unless it was read from another server.
	held, _ := m.lookUp(&probe{r.Kind, r.Digest})
	untold := r.N > m.heardN || r.Cut != 0 && held == 0
	m.apply(r)
	if caller, ok := ctx.Value(writing{}).(*Kept); ok {
		*caller = r.kept(d)
		caller.Below = belowText(m.below[r.Digest])
	}
	was, ok := m.own[r.Digest]
	if ok && was.record.At > r.At {
		return
	}
	if ok && was.record.At == r.At {
		untold = untold || was.untold
	}
	if untold && l.putBack && epoch != l.followed.ID { // the answer was late: what is recent was gathered before
		l.giving.again()
		m.wakeOpener()
	}
	if epoch != l.pending.ID || r.N <= l.pending.N {
		epoch = ""
	}
	m.own[r.Digest] = ownWrite{record: r, done: m.cfg.Now(), epoch: epoch, untold: untold}
}

// toldOwn notes that the feed tells of a write of this process, or of a later one of
// the same thing, in a store that knew it: ends never come nearer. One that ends before the
// write does was made where that was lost. The caller holds mu.
func (m *Mirror) toldOwn(r *Record) {
	own, ok := m.own[r.Digest]
	if ok && own.untold && r.At >= own.record.At && expiryOf(*r) >= expiryOf(own.record) {
		own.untold = false
		m.own[r.Digest] = own
	}
}

// untoldBefore says whether there is a write of this process that the feed has not told of,
// though it has told of what was written then and later. The caller holds mu.
func (m *Mirror) untoldBefore(at int64) bool {
	for _, own := range m.own {
		if own.untold && own.record.At <= at {
			return true
		}
	}
	return false
}

// forgetOwn drops what a read of the feed's end that was sent after it must have
// shown. False: something of it was not shown, and is not over; that is kept, to be put back.
// While a loss is being mended it only drops what was shown, but for what was
// written into the epoch that came of it. The caller holds mu.
func (m *Mirror) forgetOwn(sent time.Time) (all bool) {
	all = true
	l := &m.loss
	now := m.cfg.Now()
	for d, w := range m.own {
		switch lost := w.untold && !over(expiryOf(w.record), now); {
		case !w.done.Before(sent):
		case !lost:
			delete(m.own, d)
		case l.found == nil && (!l.putBack || w.epoch == l.followed.ID):
			all = false
		}
	}
	return all
}

// ownPutBack notes that all was put back that this process had written by then. The
// caller holds mu.
func (m *Mirror) ownPutBack(by time.Time) {
	for d, w := range m.own {
		if w.untold && w.done.Before(by) {
			w.untold = false
			m.own[d] = w
		}
	}
}

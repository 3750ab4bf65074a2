package revocation

import "tollgate/revocation/table"

// dated is what is remembered of an entry in whose life there was an undo: only then
// can a record be older than what is held. All else only grows.
type dated struct {
	cut, at, undone int64
	expires         uint32
	kind            Kind
}

// expiryOf returns the expiry of a record for tables.
func expiryOf(r Record) uint32 {
	if r.ExpiresAt <= 0 || r.ExpiresAt >= int64(table.Forever) {
		return table.Forever
	}
	return uint32(r.ExpiresAt)
}

// heard takes records of the feed.
func (m *Mirror) heard(records []Record) {
	m.mu.Lock()
	now := m.cfg.Now()
	m.reserve(records)
	for i := range records {
		if m.applyNew(records[i]) {
			m.recent.add(records[i].Digest, records[i].Kind, now)
		}
		m.survives(&records[i])
		m.toldOwn(&records[i])
	}
	m.heardN, m.heardAt = records[len(records)-1].N, m.feed.at // whose mu is held here
	m.stats.applied(records, now, m.view.Load().level && m.loss.level)
	if m.cfg.Journal != nil {
		for _, r := range records {
			k := r.kept(nil)
			k.Below = belowText(m.below[r.Digest])
			m.told = append(m.told, k)
		}
	}
	m.mu.Unlock()
	if m.cfg.Heard != nil {
		m.cfg.Heard(records)
	}
}

// applyNew is apply for a record of the feed. It says whether that is recent: all is while the
// mirror is level; what is read again after a gap, if it changes anything. The caller holds mu.
func (m *Mirror) applyNew(r Record) bool {
	again := !m.loss.level && m.loss.early && m.loss.found != nil
	if !m.holds(r.Kind) || !m.loss.level && !again {
		m.apply(r)
		return false
	}
	var cut int64
	var expires uint32
	if again {
		cut, expires = m.lookUp(&probe{r.Kind, r.Digest})
	}
	m.apply(r)
	if again {
		nowCut, nowExpires := m.lookUp(&probe{r.Kind, r.Digest})
		return nowCut != cut || nowExpires != expires
	}
	return true
}

// apply takes one record, unless something newer is known of its digest. The caller
// holds mu.
func (m *Mirror) apply(r Record) {
	if !m.holds(r.Kind) {
		return // of a later version
	}
	expires := expiryOf(r)
	was, isDated := m.dated[r.Digest]
	if isDated && r.At < was.at && r.Cut != 0 && r.Undone == 0 && laterLife(expires, was.expires) {
		delete(m.dated, r.Digest) // put back, and so without its date
		was, isDated = dated{}, false
	}
	if isDated && (r.At < was.at || r.At == was.at && r.Cut < was.cut) {
		return
	}
	if own, ok := m.own[r.Digest]; ok && r.At < own.record.At {
		return
	}
	if !isDated && r.Undone != 0 && m.undoneBefore(r, expires) {
		return
	}
	if undone := max(r.Undone, was.undone); undone != 0 {
		m.dated[r.Digest] = dated{cut: r.Cut, at: r.At, undone: undone, expires: max(expires, was.expires), kind: r.Kind}
	}
	var before int64
	var until uint32 // no end comes nearer, unless the store has lost something
	if r.Kind.CutOff() {
		before, until, _ = m.cuts(r.Kind).Lookup(r.Digest)
	}
	switch {
	case r.Kind.CutOff() && r.Cut == 0:
		m.cuts(r.Kind).Delete(r.Digest)
	case r.Kind.CutOff() && (r.Undone != 0 || isDated): // an undo may have lowered it
		m.cuts(r.Kind).Set(r.Digest, r.Cut, max(expires, until))
	case r.Kind.CutOff():
		m.cuts(r.Kind).Put(r.Digest, r.Cut, expires)
	case r.Cut == 0:
		m.named(r.Kind).Delete(r.Digest)
	default:
		m.named(r.Kind).Put(r.Digest, expires)
	}
	if r.Cut != 0 {
		m.changes.note(&r.Digest)
	}
	if r.Kind.CutOff() {
		m.keepBelow(&r, before)
	}
}

// laterLife says whether what ends then is of a later life of an entry than what ends at the
// other second: an entry's end never comes nearer, so within one life what ends later was
// also said later. Two seconds are left for rounding.
func laterLife(expires, other uint32) bool {
	return other < table.Forever-2 && expires > other+2
}

// undoneBefore says whether r speaks of an earlier life of an entry that is held
// without a date.
func (m *Mirror) undoneBefore(r Record, expires uint32) bool {
	cut, held := m.lookUp(&probe{r.Kind, r.Digest})
	if cut == 0 || expires == table.Forever {
		return false
	}
	if r.Kind.CutOff() && cut > r.At {
		return true
	}
	return laterLife(held, expires)
}

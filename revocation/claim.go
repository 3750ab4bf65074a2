package revocation

import (
	"slices"
	"strings"
	"time"
)

// silence is how long Redis may give no sign of life, beyond the deadline of a read,
// before a mirror cannot say any more that it knew all up to a loss.
const silence = 2 * time.Second

// claim names an epoch that a mirror knew completely up to its end: every revocation
// about tokens that are not older than born and since.
type claim struct {
	id          string
	born, since int64
	fresh       bool // up to at most freshFor before its end was noticed
}

// wasSilent says whether Redis gave no sign of life for too long at some time since the feed was
// read to its end. The caller holds mu.
func (m *Mirror) wasSilent() bool {
	l := &m.loss
	return l.silent || m.sinceSign() > m.feed.cfg.Deadline+silence
}

// sinceSign is how long ago Redis gave a sign of life. The caller holds mu.
func (m *Mirror) sinceSign() time.Duration { return (reading{m.loss.sign}).since(m.cfg.Now()) }

// knew says whether the mirror knew all of those epochs to their end, and fresh whether it did
// shortly before. Of none it knows nothing that the new epoch does not say itself.
func (l *lossState) knew(ids string) (knew, fresh bool) {
	knew, fresh = ids != "", true
	for id := range strings.FieldsSeq(ids) {
		i := slices.IndexFunc(l.claims, func(c claim) bool { return c.id == id })
		knew = knew && i >= 0
		fresh = fresh && i >= 0 && l.claims[i].fresh
	}
	return knew, fresh
}

// asKnown is the followed epoch as this process may vouch by it: while what was lost is put back
// into the store, one that holds all of it need not wait for that once the others have
// given what it may lack. Who asks the store has to.
func (l *lossState) asKnown(e Epoch) Epoch {
	if e.Lost != 0 && e.Shared && l.vouches && l.known != nil && e.ID == l.followed.ID {
		e.Born, e.CompleteSince = min(e.Born, l.known.born), min(e.CompleteSince, l.known.since)
	}
	return e
}

// cameFrom says whether e came by a loss from the epoch of that id.
func cameFrom(e Epoch, id string) bool {
	return id != "" && strings.Contains(" "+e.From+" ", " "+id+" ")
}

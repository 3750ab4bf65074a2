package revocation

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"
)

// These stand beside the feed's reasons for a gap.
const (
	gapEvicted = "the store has evicted keys"
	gapUntold  = "the store does not tell of what this process has written"
	gapUndone  = "the store has in force what this process knows to be undone"
	gapShut    = "the store takes no revocations: the process that began its epoch has not read it"
)

// finding is a loss that is to be told to the store.
type finding struct {
	reason  string
	seen    string // the epoch that was found wanting; empty: none was there
	evicted string // as the epoch notes it; empty: that is not the reason
	// forgot: the followed epoch had been read, and the feed has lost its place in it. If it
	// comes back, it may have less than was read.
	forgot bool
}

// lossState is what a mirror knows of the life of its store. It is guarded by the
// mirror's mu.
//
// The mirror follows one epoch. Another one that came from it by a loss takes its
// place, and then what is held is put back. Any other state of the store is a finding:
// lose.lua makes an epoch of it that came from the followed one.
type lossState struct {
	followed Epoch // ID empty: none yet
	pending  Epoch // as the last scan told it
	level    bool  // all of the followed epoch was read, and no gap found since
	// untouched: the followed epoch is one that this process began on what was left of the
	// one that it followed before, and has not opened: nobody was told anything in it.
	untouched bool
	begun     claim     // what that epoch says of itself when it begins
	shutSince time.Time // level in an epoch that is shut; zero: it is not
	// reading is how long it took to read the followed epoch to its end; 0: that was not done yet.
	reading  time.Duration
	wasLevel bool // level when the followed epoch was found wanting
	sign     time.Time
	// levelSince is when the mirror became level, or had put back all in that epoch; levelSent
	// when the last read was sent that found it level.
	levelSince, levelSent time.Time
	reads                 reads     // that found it level since
	upTo                  time.Time // as of the last of them that is beyond doubt, when it ceased to be
	// Of the epoch that was followed before: fresh, as in a claim; and early, that of all that
	// is held others can lack only what is recent.
	fresh, early bool
	giving       giving
	// vouches: known is fresh, so that it counts as soon as others have put back what is recent.
	vouches bool
	silent  bool   // a read was not answered in time since the last level one
	gap     string // told by the feed, and the epoch after it not yet
	// known is the claim that the mirror could make as of the last level read; nil:
	// none.
	known   *claim
	claims  []claim // of epochs before the followed one, newest first
	found   *finding
	putBack bool // what is held is to be merged into the followed epoch
	// survived is what the store has kept, as far as the feed was read since the last gap.
	survived *survivors
	// put is when this process had gone through all that it holds and something was missing;
	// zero: it has not, in this epoch. passes counts that.
	put    time.Time
	passes int
	// noticed is when this process saw first that the followed epoch came of a loss.
	noticed time.Time
}

// gap is told by the feed that something is missing. The store is told of it, unless the
// epoch, which the feed reports next, shows that somebody else has done so.
func (m *Mirror) gap(reason string) {
	m.mu.Lock()
	m.loss.survived = &survivors{}
	m.heardN = 0                       // the feed is told from its beginning,
	if m.feed.at == (feedPosition{}) { // unless it was being read already; its mu is held here
		m.unkept = false
	}
	m.notLevel()
	if reason == gapNoEpoch { // no epoch is told next
		m.find(finding{reason: reason, forgot: true})
	} else {
		m.loss.gap = reason
		if reason != gapEpoch { // of another epoch it is told next what to believe
			m.doubt(true)
		}
	}
	m.mu.Unlock()
	m.tellDoubt(reason)
}

// notLevel ends what the mirror knew all of, and notes whether it knew it up to now:
// not if Redis fell silent before, or the mirror was stopped. The caller holds mu.
func (m *Mirror) notLevel() {
	l := &m.loss
	if l.level {
		now := m.cfg.Now()
		l.wasLevel = !m.wasSilent()
		l.upTo = l.reads.before(now)
		l.early = l.wasLevel && !l.putBack && now.Sub(l.levelSince) >= recentFor
		l.level = false
	}
}

// find notes a loss for mend. The caller holds mu.
func (m *Mirror) find(f finding) {
	if m.loss.found == nil {
		m.feed.hurry()
	}
	f.forgot = f.forgot || m.loss.found != nil && m.loss.found.forgot
	m.loss.found = &f
	m.doubt(true)
	m.wakeUp()
}

// epoch takes the epoch as a scan found it.
func (m *Mirror) epoch(e Epoch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &m.loss
	reason, was := l.gap, l.pending.ID
	l.pending, l.gap = e, ""
	l.survived = l.survived.under(e)
	if l.followed.ID == "" {
		l.followed, l.noticed = e, m.cfg.Now()
	}
	switch {
	case e.ID == l.followed.ID && reason != "" && reason != gapEpoch:
		m.find(finding{reason: reason, seen: e.ID})
	case !m.adopt(e):
		m.find(finding{reason: gapEpoch, seen: e.ID, forgot: reason == gapEpoch && was == l.followed.ID})
	}
	if e.Lost != 0 {
		m.wakeUp()
	}
}

// noEpoch takes it that a scan, sent then, found no epoch. The feed says that it is gone only
// if it had read it; one that this process began may go before.
func (m *Mirror) noEpoch(sentAt time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := &m.loss; l.followed.ID != "" && l.found == nil && !sentAt.Before(l.noticed) {
		m.notLevel()
		m.find(finding{reason: gapNoEpoch, forgot: true})
	}
}

// adopt follows e if it is the followed epoch or came from it by a loss. The caller
// holds mu.
func (m *Mirror) adopt(e Epoch) bool {
	l := &m.loss
	switch {
	case e.ID == l.followed.ID && l.found != nil:
		l.followed = e
		return true // nobody has seen to it yet
	case e.ID == l.followed.ID:
		l.followed = e
	case cameFrom(e, l.followed.ID):
		m.notLevel()
		// What was acknowledged before the notice, and not read, may be lost by now if that was long ago.
		toItsEnd := l.wasLevel && m.sinceSign() <= m.feed.cfg.Deadline+silence || l.untouched
		silent := !l.wasLevel && m.wasSilent()
		m.sortRecent()
		if !toItsEnd || silent {
			l.fresh, l.early = false, false
		}
		if silent && l.untouched && l.known != nil {
			// What was acknowledged just before it began, and not read, may have been lost with it.
			l.known = &claim{born: max(l.known.born, l.begun.born), since: max(l.known.since, l.begun.since)}
		}
		if l.known != nil && toItsEnd {
			// One that knew less than others may would keep them from saying so.
			whole := l.followed.Lost == 0 || l.known.since < l.followed.Lost
			l.claims = append([]claim{{l.followed.ID, l.known.born, l.known.since, l.fresh && whole}}, l.claims...)
			l.claims = l.claims[:min(len(l.claims), 16)]
		}
		knew, fresh := l.knew(e.Need)
		l.vouches = toItsEnd && knew && fresh
		if !toItsEnd || !knew {
			l.known = nil
		}
		l.untouched = e.Shut && m.began(e) && strings.HasPrefix(e.From+" ", l.followed.ID+" ")
		l.begun = claim{born: e.Born, since: e.CompleteSince}
		if l.known == nil && l.untouched && e.Lost != 0 {
			l.known = &claim{born: e.Born, since: e.CompleteSince}
		}
		l.shutSince, l.reading = time.Time{}, 0
		l.followed, l.putBack, l.found, l.wasLevel, l.noticed = e, true, nil, false, m.cfg.Now()
		l.put, l.passes = time.Time{}, 0
		m.stats.losses++
		m.cfg.Log.Warn("revocations were lost and are put back", "epoch", e.ID, "level", l.known != nil)
		m.wakeUp()
		m.wakeOpener()
	default:
		return false
	}
	m.doubt(false)
	// At once when it vouches for less; for more only when all up to there is read.
	v := *m.view.Load()
	if v.epoch.ID == e.ID {
		e = l.asKnown(e)
	}
	born, since := max(v.epoch.Born, e.Born), max(v.epoch.CompleteSince, e.CompleteSince)
	v.epoch = e
	v.epoch.Born, v.epoch.CompleteSince = born, since
	m.view.Store(&v)
	return true
}

// owes says whether this process has yet to tell the store of a loss, or to put back what
// it holds. A position noted before that would be one after the loss: a life that begins
// there would take what was lost for what the store has.
func (l *lossState) owes() bool { return l.found != nil || l.putBack }

// level takes the feed's word that all was read that there was at sentAt.
func (m *Mirror) level(caughtUp bool, sentAt time.Time) {
	m.mu.Lock()
	l := &m.loss
	if caughtUp && l.sign.Before(sentAt) {
		l.sign = sentAt
	}
	if !caughtUp || l.pending.ID == "" || l.pending.ID != l.followed.ID {
		m.mu.Unlock()
		return
	}
	if l.level || l.found == nil { // to read what is left of an epoch is not to know all of it
		if !l.level {
			l.levelSince, l.reads = m.cfg.Now(), reads{}
		}
		l.level, l.silent, l.levelSent = true, false, sentAt
		l.reads.note(sentAt)
	}
	if l.level && l.reading == 0 {
		l.reading = max(m.cfg.Now().Sub(l.noticed), 1)
	}
	if l.followed.Shut {
		m.wakeOpener()
	}
	m.survivorsRead(sentAt)
	v := *m.view.Load()
	v.level, v.sent = true, reading{sentAt}
	mended := false
	if !v.doubt {
		e := l.asKnown(l.pending)
		mended = v.epoch.CompleteSince > e.CompleteSince
		v.epoch = e
		if l.known == nil {
			l.known = &claim{born: v.epoch.Born, since: v.epoch.CompleteSince}
		}
		l.known = &claim{born: min(l.known.born, v.epoch.Born), since: min(l.known.since, v.epoch.CompleteSince)}
	}
	m.view.Store(&v)
	shown := m.forgetOwn(sentAt)
	if !shown {
		m.find(finding{reason: gapUntold, seen: l.followed.ID})
	}
	m.mu.Unlock()
	if !shown {
		m.tellDoubt(gapUntold)
	}
	if mended {
		m.tellDoubt("the store vouches for older tokens again")
	}
}

// failed takes note of a read that was not answered as it should. A definite end is
// a sign of life, or of death: nobody else is served either. Silence is not.
func (m *Mirror) failed(err error) {
	var timeout net.Error
	m.mu.Lock()
	defer m.mu.Unlock()
	l, now := &m.loss, m.cfg.Now()
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() ||
		(reading{l.sign}).since(now) > m.feed.cfg.Deadline+silence {
		l.silent = true
	}
	l.sign = now
}

// doubt sets whether the epoch is believed. The caller holds mu.
func (m *Mirror) doubt(is bool) {
	v := *m.view.Load()
	v.doubt = is
	m.view.Store(&v)
}

func (m *Mirror) tellDoubt(reason string) {
	if m.cfg.Doubt != nil {
		m.cfg.Doubt(reason)
	}
}

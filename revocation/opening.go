package revocation

import (
	"context"
	"strings"
	"time"
)

const (
	// openPatience is how long a process that has read an epoch to its end waits for the one
	// that is to open it, before it begins another.
	openPatience = 2 * time.Second
	// openReading is how much longer it waits at most, because it took as long itself to read.
	openReading = 10 * time.Second
	openWithin  = time.Second // for the script
)

// began says whether this process began that epoch: the id says so (lose.lua).
func (m *Mirror) began(e Epoch) bool { return strings.HasSuffix(e.ID, m.name) }

// opening opens the epochs that this process has begun once it has read them, and replaces
// those that nobody opens. It does not wait for what is put back: writers wait for it.
func (m *Mirror) opening(ctx context.Context) {
	tick := time.NewTicker(mendEvery)
	defer tick.Stop()
	var warned time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.opens:
		case <-tick.C:
		}
		m.attend(ctx, &warned)
	}
}

// attend does what others wait for. warned is when that failed last and was logged.
func (m *Mirror) attend(ctx context.Context, warned *time.Time) {
	if err := m.openShut(ctx); err != nil && ctx.Err() == nil && time.Since(*warned) > warnEvery {
		*warned = time.Now()
		m.cfg.Log.Warn("the revocation store takes no revocations yet: it could not be told that it was read", "error", err)
	}
	_ = m.share(ctx) // putting back, at the same time, tells of a store that cannot be reached
}

// openShut opens the followed epoch if that is due, or finds that somebody else should have.
func (m *Mirror) openShut(ctx context.Context) error {
	m.mu.Lock()
	l := &m.loss
	e, now := l.followed, m.cfg.Now()
	shut, mine := e.Shut && l.level && l.found == nil, m.began(e)
	switch {
	case !shut:
		l.shutSince = time.Time{}
	case l.shutSince.IsZero():
		l.shutSince = now
	}
	late := shut && !mine && now.Sub(l.shutSince) >= openPatience+min(l.reading, openReading)
	if late {
		m.find(finding{reason: gapShut, seen: e.ID})
	}
	if shut && mine {
		l.untouched = false // before it is asked for: the answer may not come
	}
	m.mu.Unlock()
	if late {
		m.cfg.Log.Warn("revocations may have been lost", "reason", gapShut, "epoch", e.ID)
		m.tellDoubt(gapShut)
	}
	if !shut || !mine {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	is, err := m.cfg.Store.open(ctx, e.ID)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if is.ID == l.followed.ID {
		l.followed.Shut = is.Shut // a scan that is under way may say otherwise for a moment
	}
	return nil
}

// wakeOpener lets opening look again.
func (m *Mirror) wakeOpener() {
	select {
	case m.opens <- struct{}{}:
	default:
	}
}

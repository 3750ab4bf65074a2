package revocation

import (
	"context"
	"errors"
	"time"
)

const (
	// mergeBatch is the smallest batch, but for the last. Whoever has more to put back asks for
	// the turn.
	mergeBatch = 64
	// readPatience is how long the feed may take to say what has survived, or what was
	// put back; after that everything is put back, or taken to be there.
	readPatience = 5 * time.Second
	// mergePasses bounds how often a process goes through what it holds because the store
	// has lost what was put back, or evicts it.
	mergePasses = 4
)

// errOtherEpoch says that another epoch has begun while something was put back.
var errOtherEpoch = errors.New("another epoch has begun")

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
		if done, err := m.mergeAll(ctx, e.ID, noticed); err != nil || !done {
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
		m.loss.put, m.loss.passes = time.Time{}, 0
		if due {
			m.loss.levelSince = m.cfg.Now() // the feed has yet to tell the others of it
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
//
// It is false, too, when something was put back that the feed has not told of yet. The store may
// lose that again, under the same epoch, and nobody would see it: others have not put
// it back because it was there. So the process reads the feed to its end and looks once
// more. Once nothing was missing, whatever gets lost afterwards was read.
func (m *Mirror) mergeAll(ctx context.Context, id string, noticed time.Time) (done bool, err error) {
	out, err := m.mergeSome(ctx, id, false, nil) // from now on the others wait
	given := false
	if err == nil {
		given, err = m.giveRecent(ctx, id)
	}
	if err != nil || out.busy || !given {
		return false, err
	}
	m.mu.Lock()
	put, passes := m.loss.put, m.loss.passes+1
	m.mu.Unlock()
	if !m.readAgain(id, put) {
		if !put.IsZero() {
			noticed = put
		}
		late := m.cfg.Now().Sub(noticed) >= readPatience
		if !late || !put.IsZero() {
			return late, nil
		}
	}
	many := 0
	m.eachLacking(id, func(held) bool { many++; return many <= mergeBatch })
	if many > mergeBatch {
		if out, err := m.mergeSome(ctx, id, true, nil); err != nil || out.busy {
			return false, err
		}
	}
	changed, err := m.mergeLacking(ctx, id)
	if err != nil || changed == 0 || passes == mergePasses {
		return err == nil, err
	}
	m.mu.Lock()
	if m.loss.followed.ID == id {
		m.loss.put, m.loss.passes = m.cfg.Now(), passes
	}
	m.mu.Unlock()
	m.feed.scanNext()
	return false, nil
}

// mergeLacking goes once through what is held and has not survived. It returns how much
// of it was missing.
func (m *Mirror) mergeLacking(ctx context.Context, id string) (changed uint64, err error) {
	batch := make([]held, 0, mergeMost)
	flush := func() bool {
		var out merged
		out, err = m.mergeSome(ctx, id, false, batch)
		changed += out.changed
		batch = batch[:0]
		return err == nil
	}
	m.eachLacking(id, func(h held) bool {
		batch = append(batch, h)
		return len(batch) < m.pace.size() || flush()
	})
	if err == nil && len(batch) > 0 {
		flush()
	}
	return changed, err
}

// mergeSome puts back a batch, when enough time has passed since the one before. turn asks
// for the turn to put back more than one.
func (m *Mirror) mergeSome(ctx context.Context, id string, turn bool, batch []held) (out merged, err error) {
	for try := range mergeTries {
		if try > 0 && !pause(ctx, mergePause) || !m.pace.wait(ctx) {
			return out, ctx.Err()
		}
		began := time.Now()
		once, cancel := context.WithTimeout(ctx, mendWithin)
		out, err = m.cfg.Store.merge(once, id, m.name, turn, batch)
		cancel()
		if err != nil {
			continue
		}
		m.pace.took(len(batch), time.Since(began), time.Now())
		m.mu.Lock()
		m.stats.merged += out.changed
		m.mu.Unlock()
		if out.epoch.ID != id {
			return out, errOtherEpoch
		}
		return out, ctx.Err()
	}
	return out, err
}

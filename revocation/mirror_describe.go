package revocation

import (
	"context"
	"time"
)

// describeAgain is the pause after an attempt to describe that failed.
const describeAgain = time.Second

// describe gives entries their words again after this process has put back what it
// holds. That is after the mending, and beside it: only lists wait for it. It also looks
// once when the process begins: its last life may have ended before it was done.
func (m *Mirror) describe(ctx context.Context) {
	for v := m.view.Load(); !v.level; v = m.view.Load() {
		if !pause(ctx, mendEvery) {
			return
		}
	}
	if m.view.Load().epoch.From != "" {
		m.wantWords()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.words:
		}
		for warned := false; ; warned = true {
			count, err := m.describeAll(ctx)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				m.cfg.Log.Info("revocations that were put back have their words from the journal", "entries", count)
				break
			}
			if !warned {
				m.cfg.Log.Warn("revocations that were put back have not got their words from the journal yet", "error", err)
			}
			if !pause(ctx, describeAgain) {
				return
			}
		}
	}
}

// wantWords lets describe look.
func (m *Mirror) wantWords() {
	select {
	case m.words <- struct{}{}:
	default:
	}
}

// describeAll tells the store what the journal knows of each entry. It returns of how
// many the store did not know it.
func (m *Mirror) describeAll(ctx context.Context) (count uint64, err error) {
	batch := make([]Kept, 0, mergeBatch)
	flush := func() bool {
		began := time.Now()
		once, cancel := context.WithTimeout(ctx, mendWithin)
		defer cancel()
		var some uint64
		if some, err = m.cfg.Store.describe(once, batch); err != nil {
			return false
		}
		count += some
		batch = batch[:0]
		return pause(ctx, min(time.Since(began), mergePause)) // others get half of Redis's time
	}
	failed := m.cfg.Journal.Records(func(k Kept) bool {
		if k.Detail == nil && (k.Cut == 0 || k.Kind.CutOff()) {
			return true // nothing is known that was not put back
		}
		batch = append(batch, k)
		return len(batch) < mergeBatch || flush()
	})
	if err == nil && failed == nil && len(batch) > 0 {
		flush()
	}
	if err == nil {
		err = failed
	}
	if err == nil {
		err = ctx.Err()
	}
	return count, err
}

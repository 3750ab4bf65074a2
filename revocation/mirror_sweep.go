package revocation

import (
	"context"
	"time"

	"tollgate/revocation/table"
)

const (
	sweepEvery  = time.Second / 32
	sweepShards = 2                          // of each table at once, a fifth of a millisecond at ten million entries
	sweepSteps  = table.Shards / sweepShards // in a round, of about a minute
	// sweepLate is how long after its end an entry is kept: the process's clock may
	// be put right.
	sweepLate = time.Minute
	keepEvery = 20 * time.Millisecond // how long records wait for the journal together
)

// sweep forgets what is over, a little at a time.
func (m *Mirror) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for round := 0; ; round++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.sweepOnce(round%sweepSteps == 0)
		}
	}
}

// sweepOnce does one step; all does the whole of what is dated, too.
func (m *Mirror) sweepOnce(all bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.view.Load()
	// By Redis's time too, as far as it is known: a clock here that runs ahead by an
	// hour for a minute must not take anything that is still in force. The latest
	// store time moves when something is written, and only then is there more to hold.
	elapsed := max(m.cfg.Now().Sub(v.sent.at), 0)
	known := time.UnixMicro(v.epoch.Clock).Add(elapsed)
	end := m.cfg.Now().Round(0)
	if known.Before(end) {
		end = known
	}
	if end = end.Add(-sweepLate); end.Unix() <= 0 || !v.level {
		return
	}
	now := uint32(min(end.Unix(), int64(table.Forever)-1))
	for _, k := range Kinds() {
		if k.CutOff() {
			m.cuts(k).Sweep(now, sweepShards)
		} else {
			m.named(k).Sweep(now, sweepShards)
		}
	}
	if !all {
		return
	}
	m.forgetBelow()
	for d, e := range m.dated {
		if e.expires <= now && e.expires != table.Forever {
			delete(m.dated, d)
		}
	}
}

// keep gives the journal what the feed has told. What it cannot take it is given
// again: the journal then lags, and says so itself.
func (m *Mirror) keep(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m.keepOnce(ctx)
	}
}

// mostUnkept bounds what waits for a journal that takes nothing.
const mostUnkept = 1 << 20

// keepOnce gives the journal what was told since, and then how far that is, unless
// something was dropped: then a restart has to read the feed from its beginning, however
// much the journal takes afterwards.
func (m *Mirror) keepOnce(ctx context.Context) {
	m.mu.Lock()
	unkept := m.unkept // first: a gap ends it, and moves the position back
	m.mu.Unlock()
	at := m.Position() // all up to there has been told
	if unkept {
		at = Position{}
	}
	m.mu.Lock()
	told := m.told
	m.told = nil
	if m.untoldBefore(at.ID) || m.loss.owes() { // the next life must look for it, or put it back, too
		at = Position{}
	}
	m.mu.Unlock()
	if len(told) > 0 {
		if err := m.cfg.Journal.Append(ctx, told); err != nil {
			m.cfg.Log.Warn("revocations could not be written to the journal", "records", len(told), "error", err)
			m.mu.Lock()
			if m.told = append(told, m.told...); len(m.told) > m.unkeptMost {
				m.told, m.unkept = nil, true
				m.cfg.Journal.Mark(Position{})
			}
			m.mu.Unlock()
			return
		}
	}
	if at.Epoch != "" {
		m.cfg.Journal.Mark(at)
	}
}

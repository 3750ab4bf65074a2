package revocation

import (
	"errors"
	"fmt"
	"time"
)

// MirrorStatus is what a mirror says of itself.
type MirrorStatus struct {
	Level   bool          // the feed was read to its end once: checks are answered
	N       uint64        // sequence of the last record that was applied
	Nonce   string        // of that record
	ID      int64         // store time (µs) at which it was written
	Stale   time.Duration // age of what is known
	Entries int           // held, ended ones that were not swept yet included
	Bytes   int           // of memory, for the entries
	Epoch   Epoch         // by which tokens are vouched for
	Doubt   bool          // the store was found wanting, and no epoch says so yet
	Losses  uint64        // that this process has noticed, or heard of
	Merged  uint64        // entries that this process has put back
	// Propagation counts records by how long they took from the store to here, while
	// the mirror was level: by the time of day here, so clocks that differ count in.
	Propagation Propagation
}

// PropagationBounds are the upper bounds of the buckets of a Propagation.
func PropagationBounds() []time.Duration {
	const ms = time.Millisecond
	return []time.Duration{ms, 2 * ms, 5 * ms, 10 * ms, 20 * ms, 50 * ms, 100 * ms, 200 * ms, 500 * ms, time.Second, 5 * time.Second}
}

// Propagation is a histogram.
type Propagation struct {
	Buckets [12]uint64 // by PropagationBounds, not summed up; the last has no bound
	Sum     time.Duration
	Count   uint64
}

// mirrorStats is guarded by the mirror's mu.
type mirrorStats struct {
	losses, merged uint64
	propagation    Propagation
}

// applied counts records that were applied at now.
func (s *mirrorStats) applied(records []Record, now time.Time, level bool) {
	if !level {
		return
	}
	bounds := PropagationBounds()
	for i := range records {
		took := max(now.Sub(time.UnixMicro(records[i].At)), 0)
		if took > time.Hour {
			continue // told again
		}
		b := 0
		for b < len(bounds) && took > bounds[b] {
			b++
		}
		s.propagation.Buckets[b]++
		s.propagation.Count++
		s.propagation.Sum += took
	}
}

// Status returns the mirror's figures.
func (m *Mirror) Status() MirrorStatus {
	var out MirrorStatus
	for _, k := range Kinds() {
		if k.CutOff() {
			out.Entries += m.cuts(k).Len()
			out.Bytes += m.cuts(k).Bytes()
		} else {
			out.Entries += m.named(k).Len()
			out.Bytes += m.named(k).Bytes()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// Epoch and sequence of one moment. Whoever is told of a record by Heard may ask at
	// once, before the feed says that it is there.
	v := m.view.Load()
	out.Level, out.Epoch, out.Doubt, out.Stale = v.level, v.epoch, v.doubt, v.sent.since(m.cfg.Now())
	at := m.feed.done.Load()
	if m.heardN > at.n {
		at = &m.heardAt
	}
	out.N, out.Nonce, out.ID = at.n, at.nonce, at.id
	out.Losses, out.Merged, out.Propagation = m.stats.losses, m.stats.merged, m.stats.propagation
	return out
}

// Ready returns nil when the mirror is loaded and tokens born now are vouched for,
// and otherwise a sentence that says what is missing. While a loss is being mended
// it is nil: every process of the store is as far, and log-ins work.
func (m *Mirror) Ready() error {
	switch v := m.view.Load(); {
	case !v.level && m.cfg.Replicas > 0:
		return fmt.Errorf("the revocations are not loaded yet, or fewer than %d replicas confirm that Redis is still the primary (TOLLGATE_REDIS_MIN_REPLICAS_ACK)", m.cfg.Replicas)
	case !v.level:
		return errors.New("the revocations are not loaded yet")
	case v.doubt:
		return errors.New("the revocation store has lost something, and could not be told so yet")
	}
	return nil
}

package revocation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Memory is a store in the memory of one process: for tests, and for a gateway
// that is alone and may forget. It means by every word what Redis means; its
// first and only epoch begins with it.
type Memory struct {
	settings Settings
	now      func() time.Time

	mu      sync.RWMutex // guards what follows
	epoch   Epoch
	entries map[Digest]*memoryEntry
	sweepAt int // number of entries at which the ended ones are removed
}

var _ Store = (*Memory)(nil)

// memoryEntry is an entry with its end, which Redis keeps as the key's TTL.
type memoryEntry struct {
	entry
	cut int64 // µs of the greatest statement in force; 0: none
	end int64 // unix ms, with leeway; 0: never
}

func (e *memoryEntry) ended(wall int64) bool { return e.end != 0 && e.end*1000 <= wall }

// sweepLeast is the least number of entries worth a sweep.
const sweepLeast = 1024

// NewMemory returns an empty store. A nil now means time.Now. Settings that are
// not valid show at the first Revoke, as ErrInvalid.
func NewMemory(s Settings, now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	m := &Memory{settings: s.withDefaults(), now: now, entries: map[Digest]*memoryEntry{}, sweepAt: sweepLeast}
	born := m.tick()
	m.epoch.ID, m.epoch.Born = nonce(16), born
	return m
}

// wall returns the time of day in µs.
func (m *Memory) wall() int64 { return m.now().UnixMicro() }

// tick takes the next store time. The caller holds mu, or is the only one.
func (m *Memory) tick() int64 {
	m.epoch.Clock = max(m.wall(), m.epoch.Clock+1)
	return m.epoch.Clock
}

// Now takes the next store time.
func (m *Memory) Now(ctx context.Context) (int64, error) {
	if err := alive(ctx); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tick(), nil
}

// Epoch returns the store's epoch.
func (m *Memory) Epoch(ctx context.Context) (Epoch, error) {
	if err := alive(ctx); err != nil {
		return Epoch{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	e := m.epoch
	e.Clock = max(e.Clock, m.wall())
	return e, nil
}

// Check says what is known of t.
func (m *Memory) Check(ctx context.Context, t *Token) Verdict {
	if t == nil {
		return unreachable(errors.New("check of no token"))
	}
	if err := alive(ctx); err != nil {
		return unreachable(err)
	}
	probes := t.probes(make([]probe, 0, maxProbes), m.settings.Own)
	cuts := make([]int64, len(probes))
	m.mu.RLock()
	defer m.mu.RUnlock()
	wall := m.wall()
	for i, p := range probes {
		if e := m.entries[p.digest]; e != nil && !e.ended(wall) {
			cuts[i] = e.cut
		}
	}
	return judge(t, m.epoch, probes, cuts)
}

// alive gives a call whose context has ended the answer that Redis would give.
func alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

package keystore

import (
	"context"
	"slices"
	"sync"

	"tollgate/keys/ring"
)

// Memory keeps a ring in this process and loses it with it. The zero value is
// an empty store.
type Memory struct {
	mu     sync.Mutex // owns stored
	stored ring.Ring  // Version 0: nothing
}

var _ ring.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{} }

// Load returns the ring, or ring.ErrEmpty.
func (m *Memory) Load(ctx context.Context) (ring.Ring, error) {
	if err := ctx.Err(); err != nil {
		return ring.Ring{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stored.Version == 0 {
		return ring.Ring{}, ring.ErrEmpty
	}
	return copied(m.stored), nil
}

// Swap writes to in place of version from; ring.ErrConflict when there is
// another version.
func (m *Memory) Swap(ctx context.Context, from uint64, to ring.Ring) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := check(from, to); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stored.Version != from {
		return ring.ErrConflict
	}
	m.stored = copied(to)
	return nil
}

func copied(r ring.Ring) ring.Ring {
	r.Keys = slices.Clone(r.Keys)
	return r
}

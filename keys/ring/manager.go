package ring

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/singleflight"

	"tollgate/keys"
)

// Manager holds the ring of one issuer for one process. Its methods are safe for
// concurrent use.
type Manager struct {
	cfg      Config
	current  atomic.Pointer[snapshot]  // never nil after Open
	gate     chan struct{}             // holds one value while nobody talks to the store
	confirm  singleflight.Group        // joins the signers that wait for a confirmation
	spare    map[keys.Algorithm][]Pair // made for a ring that was not written; whoever has the gate owns it
	unsteady atomic.Bool               // it was logged that this clock is not the store's
	waiting  atomic.Pointer[[]string]  // whom the last takeover that was due waits for
}

func newManager(cfg Config) *Manager {
	m := &Manager{cfg: cfg.filled(), gate: make(chan struct{}, 1), spare: make(map[keys.Algorithm][]Pair)}
	m.gate <- struct{}{}
	return m
}

// Open loads the ring of the issuer, or creates it when there is none, and does
// what is due. It fails when the store cannot be reached or holds a ring that
// breaks the rules; it does not wait for a store to come back.
func Open(ctx context.Context, cfg Config) (*Manager, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("key ring: %w", err)
	}
	m := newManager(cfg)
	if _, err := m.step(ctx, m.advance); err != nil {
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	return m, nil
}

// Set returns the keys that verifiers may use now. It takes no lock and may be
// called for each request.
func (m *Manager) Set() *keys.Set { return m.current.Load().set }

// Ring returns the ring as last seen, without its private halves. The keys are
// shared with other callers and must not be changed.
func (m *Manager) Ring() Ring { return m.current.Load().public }

// Rotate lets the pending keys take over now, on every instance; see
// Ring.Rotate. When another instance rotated in the same moment, that counts and
// is not done twice. It returns the public ring and what changed.
func (m *Manager) Rotate(ctx context.Context, force bool) (Ring, []Change, error) {
	changes, err := m.step(ctx, m.rotation(force))
	if err != nil {
		return Ring{}, nil, fmt.Errorf("rotate keys: %w", err)
	}
	return m.Ring(), changes, nil
}

// Retire takes one key out of use; see Ring.Retire.
func (m *Manager) Retire(ctx context.Context, kid string) (Ring, []Change, error) {
	changes, err := m.step(ctx, m.careful(on(kid, Ring.Retire)))
	if err != nil {
		return Ring{}, nil, fmt.Errorf("retire key: %w", err)
	}
	return m.Ring(), changes, nil
}

// Revoke takes one key out of the set at once and for good; see Ring.Revoke. It
// says nothing to verifiers that hold the set: whoever calls it also writes a
// revocation of kind "key".
func (m *Manager) Revoke(ctx context.Context, kid string) (Ring, []Change, error) {
	changes, err := m.step(ctx, on(kid, Ring.Revoke))
	if err != nil {
		return Ring{}, nil, fmt.Errorf("revoke key: %w", err)
	}
	return m.Ring(), changes, nil
}

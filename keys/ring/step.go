package ring

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// transition is one step of a ring; advance, or one of those by hand.
type transition func(ctx context.Context, r Ring, now time.Time, s Settings) (Ring, []Change, error)

// on turns a transition of one key into one of the ring.
func on(kid string, f func(Ring, string, time.Time, Settings) (Ring, []Change, error)) transition {
	return func(_ context.Context, r Ring, now time.Time, s Settings) (Ring, []Change, error) {
		return f(r, kid, now, s)
	}
}

// maxTries bounds the compare-and-swap loop. Each try that fails means that
// another instance succeeded, and there are few of those.
const maxTries = 10

// step reads the ring, mends what the store lost, applies a transition and
// writes the result, again when another instance was faster. It returns what
// changed since this process last looked.
func (m *Manager) step(ctx context.Context, apply transition) ([]Change, error) {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.ConfirmWithin)
	defer cancel()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-m.gate:
		defer func() { m.gate <- struct{}{} }()
	}
	before := m.current.Load()
	for range maxTries {
		err := m.try(ctx, apply)
		if errors.Is(err, ErrConflict) {
			err = pause(ctx)
		} else if err == nil {
			return m.since(before), nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w, %d times in a row", ErrConflict, maxTries)
}

// try is one round of step. The gate is held.
func (m *Manager) try(ctx context.Context, apply transition) error {
	sent := m.cfg.Now()
	read, err := m.cfg.Store.Load(ctx)
	if errors.Is(err, ErrEmpty) {
		read = Ring{Issuer: m.cfg.Issuer}
	} else if err != nil {
		return fmt.Errorf("load key ring: %w", err)
	}
	if read.Issuer != m.cfg.Issuer {
		return fmt.Errorf("load key ring: it belongs to the issuer %q, not to %q", read.Issuer, m.cfg.Issuer)
	}
	base, mended := m.mend(read)
	settings, keep := m.generating(ctx)
	next, _, err := apply(ctx, base, m.cfg.Now(), settings)
	if err == nil && next.Version != read.Version {
		err = m.write(ctx, read, next)
		// After any other failure it is not known whether they are in the store.
		keep(errors.Is(err, ErrConflict))
		return err
	}
	keep(true)
	if mended {
		return err // the loop mends it; nothing is taken from a store that lost something
	}
	// Also when the step was refused: the ring that was read is the store's.
	return errors.Join(err, m.adopt(read, read, sent))
}

// mend joins what this process holds into a ring that has forgotten some of it.
func (m *Manager) mend(read Ring) (Ring, bool) {
	cur, now := m.current.Load(), m.cfg.Now()
	if cur == nil || !cur.ring.loses(read, cur.confirmed, now, m.cfg.Settings) {
		return read, false
	}
	m.cfg.Log.Warn("the key store lost the ring: giving it back", "version_read", read.Version, "version_held", cur.ring.Version)
	return Merge(cur.ring, read, now, m.cfg.Settings), true
}

// write swaps the next ring in for the one that was read and takes it over.
func (m *Manager) write(ctx context.Context, read, next Ring) error {
	// Checked before it is written, so that a fault stays in this process.
	if err := next.Validate(); err != nil {
		return fmt.Errorf("next key ring: %w", err)
	}
	sent := m.cfg.Now()
	if err := m.cfg.Store.Swap(ctx, read.Version, next); err != nil {
		return fmt.Errorf("store key ring: %w", err)
	}
	return m.adopt(read, next, sent)
}

// adopt makes a ring of the store the current one, confirmed at the moment at
// which it was asked for. Changes are told against what this process held, or
// against what the store had when it held nothing.
func (m *Manager) adopt(read, r Ring, sent time.Time) error {
	cur := m.current.Load()
	if cur != nil && cur.ring.same(r) {
		m.current.Store(&snapshot{held: cur.held, confirmed: sent})
		return nil
	}
	h, err := hold(r, m.cfg.Settings, m.cfg.External)
	if err != nil {
		return err
	}
	m.current.Store(&snapshot{held: h, confirmed: sent})
	was := read
	if cur != nil {
		was = cur.ring
	} else {
		m.cfg.Log.Info("key ring opened", "issuer", r.Issuer, "version", r.Version, "keys", len(r.Keys))
	}
	changes := Diff(was, r, sent.UTC().Round(0))
	for _, c := range changes {
		m.cfg.Log.Info("key changed", "kid", c.ID, "alg", c.Algorithm, "from", c.From, "to", c.To, "version", r.Version)
	}
	if len(changes) > 0 {
		m.cfg.OnChange(h.public, changes)
	}
	return nil
}

// since returns what differs between a former snapshot and the current one.
func (m *Manager) since(before *snapshot) []Change {
	var was Ring
	if before != nil {
		was = before.ring
	}
	now := m.current.Load()
	return Diff(was, now.ring, now.confirmed.UTC().Round(0))
}

// pause waits a moment of random length, so that instances that collided do not
// collide again.
func pause(ctx context.Context) error {
	t := time.NewTimer(5*time.Millisecond + rand.N(20*time.Millisecond)) //nolint:gosec // jitter, no secret
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

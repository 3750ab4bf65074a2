package revocation

import (
	"context"
	"errors"
	"fmt"
)

// writing is the key under which a context carries the *Kept that a write of the
// mirror's own fills in.
type writing struct{}

// Revoke writes through the store. The mirror refuses what it names before Revoke
// returns. ErrUnavailable also when a journal could not take it: then it stands in
// Redis, and asking again is safe.
func (m *Mirror) Revoke(ctx context.Context, o Order) (Revocation, error) {
	rev, err := m.write(ctx, func(ctx context.Context) (Revocation, error) { return m.cfg.Store.Revoke(ctx, o) })
	if err == nil && !m.stands(ctx, rev) {
		return Revocation{}, fmt.Errorf("revoke: %w: %w", ErrUnavailable, ErrShut)
	}
	return rev, err
}

// stands says whether what the store says to have revoked is held. It is not where the store has
// lost an undo that this process knows of: what stood before that is no new statement for the
// store, and would be taken back when that is put back.
func (m *Mirror) stands(ctx context.Context, rev Revocation) bool {
	d, _, _ := parseID(rev.ID)
	held := func() bool { cut, _ := m.lookUp(&probe{rev.Kind, d}); return cut != 0 }
	if rev.Kind.CutOff() || held() {
		return true
	}
	switch now, err := m.Get(ctx, rev.ID); {
	case err == nil && !now.InForce(), errors.Is(err, ErrNotFound), held():
		return true // undone by somebody since, or over
	case err != nil:
		return false // asking again is safe
	}
	m.mu.Lock()
	news := m.loss.found == nil && !m.loss.putBack && m.loss.followed.ID != "" && m.loss.followed.Lost == 0
	if news {
		m.find(finding{reason: gapUndone, seen: m.loss.followed.ID})
	}
	m.mu.Unlock()
	if news {
		m.tellDoubt(gapUndone)
	}
	return false
}

// Undo writes through the store, like Revoke.
func (m *Mirror) Undo(ctx context.Context, id string) (Revocation, error) {
	return m.write(ctx, func(ctx context.Context) (Revocation, error) { return m.cfg.Store.Undo(ctx, id) })
}

// write does what changes an entry, and puts what is then in force into the journal.
// The store tells the mirror itself, see Mirror.wrote.
func (m *Mirror) write(ctx context.Context, do func(context.Context) (Revocation, error)) (Revocation, error) {
	var told Kept
	rev, err := do(context.WithValue(ctx, writing{}, &told))
	if err != nil || m.cfg.Journal == nil {
		return rev, err
	}
	if err := m.cfg.Journal.Append(ctx, []Kept{told}); err != nil {
		return Revocation{}, &Unconfirmed{Known: "written, but not to the journal", Err: err}
	}
	return rev, nil
}

// Get asks the store.
func (m *Mirror) Get(ctx context.Context, id string) (Revocation, error) {
	return m.cfg.Store.Get(ctx, id)
}

// List asks the store.
func (m *Mirror) List(ctx context.Context, f Filter) (Page, error) { return m.cfg.Store.List(ctx, f) }

// Now takes the next store time.
func (m *Mirror) Now(ctx context.Context) (int64, error) { return m.cfg.Store.Now(ctx) }

// Epoch asks the store.
func (m *Mirror) Epoch(ctx context.Context) (Epoch, error) { return m.cfg.Store.Epoch(ctx) }

// Recover makes the store vouch for every token again; see Redis.Recover. Cut-offs
// that it makes hold here, and stand in the journal, before it returns.
func (m *Mirror) Recover(ctx context.Context, how Recovery) error {
	return m.cfg.Store.recoverBy(ctx, how, m.Revoke)
}

package ring

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tollgate/keys"
)

// advance is Ring.Advance for a Manager: what is due by itself, but no key takes
// over before every live edge has the set that it is in.
func (m *Manager) advance(ctx context.Context, r Ring, now time.Time, s Settings) (Ring, []Change, error) {
	next, changes, err := m.due(ctx, r, now, s)
	return m.steady(ctx, r, next, changes, err)
}

// due is advance by whatever this process's clock says.
func (m *Manager) due(ctx context.Context, r Ring, now time.Time, s Settings) (Ring, []Change, error) {
	since, due := r.takeoverDue(now, s)
	if !due {
		m.waiting.Store(nil)
		return r.Advance(now, s)
	}
	waiting := m.lacking(ctx, r)
	was := m.waiting.Swap(&waiting)
	if len(waiting) == 0 {
		return r.Advance(now, s)
	}
	log := m.cfg.Log.With("waiting_for", waiting, "due", since)
	if now.Sub(since) >= m.cfg.ReadyWithin {
		log.Error("a key takes over although not every live edge has it: they refuse its tokens")
		return r.Advance(now, s)
	}
	if was == nil || !slices.Equal(*was, waiting) {
		log.Warn("the next key waits until every live edge has it")
	}
	return r.advance(now, s, true)
}

// takeoverDue reports since when a pending key could take over by the clock.
func (r Ring) takeoverDue(now time.Time, s Settings) (since time.Time, due bool) {
	if !slices.ContainsFunc(r.Keys, func(k Key) bool { return k.State == Active }) {
		return time.Time{}, false // there is nothing to sign with: no time to wait
	}
	for _, alg := range s.Algorithms {
		at, ever := s.takeover(r.find(alg, Active), r.find(alg, Pending))
		if ever && !now.Before(at) && (!due || at.Before(since)) {
			since, due = at, true
		}
	}
	return since, due
}

// lacking returns the live edges that do not have the set of a ring.
func (m *Manager) lacking(ctx context.Context, r Ring) []string {
	if m.cfg.Ready == nil {
		return nil
	}
	hash, err := r.hash()
	var ok bool
	var waiting []string
	if err == nil {
		ok, waiting, err = m.cfg.Ready(ctx, hash)
	}
	switch {
	case err != nil:
		m.cfg.Log.Warn("it is not known which edges have the key set", "error", err)
		return []string{"unknown"}
	case ok:
		return nil
	case len(waiting) == 0:
		return []string{"unknown"}
	}
	return waiting
}

// Waiting returns whom the takeover that is due waits for; nothing when none is
// due or nobody holds it up.
func (m *Manager) Waiting() []string {
	if w := m.waiting.Load(); w != nil {
		return slices.Clone(*w)
	}
	return nil
}

// Lacking asks which live edges do not have the present key set.
func (m *Manager) Lacking(ctx context.Context) []string { return m.lacking(ctx, m.Ring()) }

// Settings returns the numbers that the ring goes by. TokenLife includes what an
// instance may lag behind.
func (m *Manager) Settings() Settings { return m.cfg.Settings }

// Now is the time by the clock that the ring goes by.
func (m *Manager) Now() time.Time { return m.cfg.Now() }

// careful refuses a step by hand that makes another key sign while a live edge
// lacks it.
func (m *Manager) careful(apply transition) transition {
	return func(ctx context.Context, r Ring, now time.Time, s Settings) (Ring, []Change, error) {
		next, changes, err := apply(ctx, r, now, s)
		if err != nil || !slices.ContainsFunc(changes, func(c Change) bool { return c.From == Pending && c.To == Active }) {
			return next, changes, err
		}
		if waiting := m.lacking(ctx, r); len(waiting) > 0 {
			return r, nil, fmt.Errorf("%w: live edges do not have it: %s", ErrNotYetPublished, strings.Join(waiting, ", "))
		}
		return next, changes, nil
	}
}

// rotation is Ring.Rotate for one call by hand, which may try several times:
// when every key that was to be succeeded has been, another instance did it.
func (m *Manager) rotation(force bool) transition {
	var first *Ring
	rotate := func(_ context.Context, r Ring, now time.Time, s Settings) (Ring, []Change, error) {
		if first == nil {
			first = &r
		}
		done := r.Version != first.Version && !slices.ContainsFunc(first.Keys, func(k Key) bool {
			i := slices.IndexFunc(r.Keys, func(o Key) bool { return o.ID == k.ID })
			return k.State == Active && s.configured(k.Algorithm) && i >= 0 && r.Keys[i].State == Active
		})
		if done {
			return r, nil, nil
		}
		return r.Rotate(now, s, force)
	}
	if force {
		return rotate
	}
	return m.careful(rotate)
}

// hash names the set of a ring.
func (r Ring) hash() (string, error) {
	set, err := r.PublicSet()
	if err != nil {
		return "", err
	}
	doc, err := set.JWKS()
	if err != nil {
		return "", err
	}
	return keys.DocumentHash(doc), nil
}

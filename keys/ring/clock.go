package ring

import (
	"context"
	"time"
)

// clockSlack is how far the clocks of two instances may be apart: before one of them
// takes the other's letting go of a retired key for a loss, and before an instance
// whose clock is off leaves the ring to the others.
const clockSlack = time.Minute

// steady withholds what an instance would do by itself by a clock that the store's
// contradicts: it would take keys out of the set whose tokens are alive, and let keys
// sign that verifiers cannot have. What is due is done by another instance, or when
// the clock is right. The first ring of all has nothing to lose.
func (m *Manager) steady(ctx context.Context, from, next Ring, changes []Change, err error) (Ring, []Change, error) {
	if err != nil || next.Version == from.Version || len(from.Keys) == 0 || m.cfg.Skew == nil {
		return next, changes, err
	}
	skew, err := m.cfg.Skew(ctx)
	if err == nil && skew.Abs() <= clockSlack {
		m.unsteady.Store(false)
		return next, changes, nil
	}
	if !m.unsteady.Swap(true) {
		m.cfg.Log.Error("no key is moved by this clock: it is not that of the key store", "ahead", skew, "error", err)
	}
	return from, nil, nil
}

package ring

import (
	"context"
	"time"
)

// Run looks at the store every Poll, takes over what other instances did and
// does what is due, until ctx ends; then it returns nil. A store that cannot be
// reached is tried again: the ring that is held goes on verifying, and signs
// until its confirmation runs out.
func (m *Manager) Run(ctx context.Context) error {
	tick := time.NewTicker(m.cfg.Poll)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := m.step(ctx, m.advance)
		if ctx.Err() != nil {
			return nil
		}
		switch {
		case err != nil && !failing:
			m.cfg.Log.Error("key ring cannot be confirmed", "error", err)
		case err == nil && failing:
			m.cfg.Log.Info("key ring is confirmed again")
		}
		failing = err != nil
	}
}

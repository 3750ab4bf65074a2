//go:build chaos

package main

import (
	"net/http"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestChaosLookup: edges that ask Redis for each request. They know nothing by
// themselves, so that what Redis has lost only the issuer's mirror can put back.
func TestChaosLookup(t *testing.T) {
	t.Parallel()
	r := testkit.MustStartRedis(t)
	w := mustWitness(t, mustFleet(t, plan{Redis: r, Edges: 2, Edge: func(int) []string { return []string{"TOLLGATE_REVOCATION_MODE=lookup"} }}), 2)
	w.mustAckMore(50)
	w.during("killed and restarted", func() {
		r.MustKill()
		time.Sleep(maxStale)
		r.MustRestart()
	})
	w.during("hung", func() {
		r.MustPause()
		time.Sleep(maxStale)
		r.MustContinue()
	})
	w.mustAckMore(50)
	w.during("FLUSHALL", func() { r.MustDo("flushall") })
	w.finish()
}

// TestChaosAllow: routes that let pass what is not known to be revoked while Redis
// cannot be reached. What is known stays refused, and a loss is no absence.
func TestChaosAllow(t *testing.T) {
	t.Parallel()
	r := testkit.MustStartRedis(t)
	f := mustFleet(t, plan{Redis: r, Edges: 2, All: []string{"TOLLGATE_REVOCATION_ON_UNAVAILABLE=allow"}})
	w := mustWitness(t, f, 2)
	w.strict.Store(true)
	w.mustAckMore(50)
	w.during("Redis is away", func() {
		r.MustKill()
		time.Sleep(2 * maxStale)
		for _, e := range f.Edges {
			for _, h := range w.keep {
				if status := w.call(e, h); status != http.StatusOK {
					t.Errorf("with Redis away: %d", status)
				}
			}
		}
		w.mustHold("while Redis is away", 0)
		r.MustRestart()
	})
	w.during("FLUSHALL", func() { r.MustDo("flushall") })
	w.mu.Lock()
	refused := w.refused
	w.mu.Unlock()
	if refused == 0 {
		t.Error("tokens from before a loss passed before it was mended")
	}
	w.finish()
}

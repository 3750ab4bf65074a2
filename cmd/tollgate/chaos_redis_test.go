//go:build chaos

package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// full says how often something is done, in the nightly run and in every other.
func full(nightlyCount, count int) int {
	if nightly {
		return nightlyCount
	}
	return count
}

// TestChaosKilled: redis-server is killed with SIGKILL at random instants and
// started again with its append-only file.
func TestChaosKilled(t *testing.T) {
	t.Parallel()
	r := testkit.MustStartRedis(t)
	w := mustWitness(t, mustFleet(t, plan{Redis: r}), 4)
	for range full(20, 2) {
		w.mustAckMore(full(500, 100) + rand.IntN(20))
		w.during("killed and restarted", func() {
			time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
			r.MustKill()
			time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
			r.MustRestart()
		})
	}
	w.mustAckMore(100)
	w.finish()
}

// TestChaosEmptied: everything that Redis held is gone: with a restart, by FLUSHALL, by one
// after another so that what was begun is lost before anybody has read it, and with the end
// of the append-only file.
func TestChaosEmptied(t *testing.T) {
	t.Parallel()
	r := testkit.MustStartRedis(t)
	w := mustWitness(t, mustFleet(t, plan{Redis: r}), 4)
	for _, fault := range []struct {
		what string
		do   func()
	}{
		{"restarted empty", r.MustRestartEmpty},
		{"FLUSHALL", func() { r.MustDo("flushall") }},
		{"FLUSHALL again and again", func() {
			for range 20 {
				time.Sleep(rand.N(300 * time.Millisecond))
				r.MustDo("flushall")
			}
		}},
		{"tail of the AOF cut off", func() { t.Logf("of %d bytes", r.MustCutTail(20_000)) }},
		{"half of the AOF cut off", func() { t.Logf("of %d bytes", r.MustCutTail(200_000)) }},
	} {
		w.mustAckMore(150)
		w.during(fault.what, fault.do)
	}
	w.mustAckMore(100)
	w.finish()
}

//go:build chaos

package main

import (
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestChaosLine: what a network does to the way between an edge and Redis. The other
// edges do not notice.
func TestChaosLine(t *testing.T) {
	t.Parallel()
	f := mustFleet(t, plan{Redis: testkit.MustStartRedis(t)})
	w := mustWitness(t, f, 4)
	one := f.Lines[f.Edges[0]]
	beyond := maxStale + time.Second
	w.mustAckMore(50)
	w.during("the open connections of one edge freeze", func() {
		one.Strand()
		time.Sleep(beyond)
		one.Heal()
	})
	w.during("everything of one edge freezes", func() {
		one.Freeze()
		time.Sleep(beyond)
		one.Heal()
	})
	w.during("one edge is cut off", func() {
		one.Refuse()
		time.Sleep(beyond)
		one.Heal()
	})
	w.during("250 ms there and 250 ms back", func() {
		one.Delay(250 * time.Millisecond)
		time.Sleep(beyond)
		one.Heal()
	})
	w.during("500 ms there and 500 ms back", func() {
		one.Delay(500 * time.Millisecond)
		time.Sleep(beyond)
		one.Heal()
	})
	w.during("drops of 40 bytes", func() {
		one.Drip(40, 20*time.Millisecond)
		time.Sleep(beyond)
		one.Heal()
	})
	w.during("everything of everybody freezes", func() {
		for _, line := range f.Lines {
			line.Freeze()
		}
		time.Sleep(beyond)
		for _, line := range f.Lines {
			line.Heal()
		}
	})
	w.mustAckMore(50)
	w.finish()
}

// TestChaosHungRedis: redis-server is stopped for a while: it accepts and says nothing.
func TestChaosHungRedis(t *testing.T) {
	t.Parallel()
	r := testkit.MustStartRedis(t)
	w := mustWitness(t, mustFleet(t, plan{Redis: r}), 4)
	w.mustAckMore(50)
	w.during("redis-server hangs", func() {
		r.MustPause()
		time.Sleep(maxStale + time.Second)
		r.MustContinue()
	})
	w.mustAckMore(50)
	w.finish()
}

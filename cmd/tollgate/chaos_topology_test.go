//go:build chaos

package main

import (
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestChaosCluster: the primary of the slot of revocations is killed, in a cluster of
// three primaries with a replica each.
func TestChaosCluster(t *testing.T) {
	t.Parallel()
	c := testkit.MustStartCluster(t)
	w := mustWitness(t, mustFleet(t, plan{URL: c.URL(), Edges: 2}), 3)
	for range full(3, 1) {
		w.mustAckMore(50)
		w.during("a primary of the cluster is killed", func() {
			old := c.MustPrimaryFor("tg:{rev}:epoch")
			old.MustKill()
			c.MustPrimaryFor("tg:{rev}:epoch")
			w.mustAckMore(20)
			old.MustRestart()
			c.MustSettle()
		})
	}
	w.finish()
}

// TestChaosSentinel: the primary is cut off from everybody for ten seconds, and comes
// back as a replica. With a confirmation by a replica nothing that was acknowledged
// was on the wrong side.
func TestChaosSentinel(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{"by the primary alone": nil, "by a replica too": {"TOLLGATE_REDIS_MIN_REPLICAS_ACK=1"}} {
		t.Run(name, func(t *testing.T) {
			if settings == nil && !nightly {
				t.Skip("TestChaosSplit shows more of it; make nightly runs this")
			}
			s := testkit.MustStartProxiedSentinel(t)
			w := mustWitness(t, mustFleet(t, plan{URL: s.URL(), Edges: 2, All: settings}), 3)
			w.mustAckMore(50)
			w.during("the primary is cut off", func() {
				old := s.MustPrimary()
				heal := s.MustPartition(old)
				began := time.Now()
				s.MustAwaitOther(old)
				w.mustAckMore(20)
				t.Logf("writes go on after %s", time.Since(began).Round(time.Millisecond))
				time.Sleep(time.Until(began.Add(10 * time.Second)))
				heal()
				s.MustSettle()
			})
			w.finish()
		})
	}
}

//go:build chaos

package revocation_test

import (
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// unrest writes and follows through everything that disturb does. What was
// acknowledged is in the store and was told, or the follower has spoken of a loss:
// replication does not wait, so a primary that dies may take the latest statements
// with it.
func unrest(t *testing.T, on topology, disturb func(t *testing.T, w *writer)) {
	t.Helper()
	store := mustOpen(t, on.MustClient(t), revocationtest.Settings())
	f := follow(t, on.MustClient(t), func(c *revocation.FeedConfig) { c.Deadline = time.Second })
	w := write(t, store, "w")
	w.mustAckMore(t, 100)
	disturb(t, w)
	w.mustAckMore(t, 100)
	w.stop()
	f.awaitTold(w.acked[len(w.acked)-1])
	f.awaitLevel()
	lost := 0
	for _, r := range w.acked {
		if v := store.Check(t.Context(), &revocation.Token{Issuer: r.Issuer, JTI: "j", SID: r.Value}); v.State != revocation.Revoked {
			lost++
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t.Logf("%d acknowledged, %d of them lost, gaps %q", len(w.acked), lost, f.gaps)
	if lost > 0 && len(f.gaps) == 0 {
		t.Errorf("%d acknowledged statements were lost, and nobody noticed", lost)
	}
	for _, r := range w.acked { // what was told once is known, whatever the store lost
		if v := store.Check(t.Context(), &revocation.Token{Issuer: r.Issuer, JTI: "j", SID: r.Value}); v.State == revocation.Revoked && f.cut(r) == 0 {
			t.Errorf("%s is in the store and was not told", r.Value)
		}
	}
}

func TestChaosCluster(t *testing.T) {
	t.Parallel()
	c := testkit.MustStartCluster(t)
	unrest(t, c, func(t *testing.T, w *writer) {
		for range 3 {
			primary := c.MustPrimaryFor("{rev}")
			replica := c.MustReplicaOf(primary)
			primary.MustKill()
			w.mustAckMore(t, 100)
			primary.MustRestart()
			c.MustSettle()
			c.MustHandOver(primary, "{rev}")
			w.mustAckMore(t, 100)
			primary.MustPause() // it still takes itself for the primary when it continues
			w.mustAckMore(t, 100)
			primary.MustContinue()
			c.MustSettle()
			if got := c.MustPrimaryFor("{rev}"); got != replica {
				t.Fatalf("%s is the primary", got.Addr)
			}
		}
	})
}

// TestChaosSentinel: a failover that is asked for while the primary is well loses
// statements, too: Sentinels promote the replica first and tell clients last, and
// nothing stops the old primary meanwhile. The follower speaks of it.
func TestChaosSentinel(t *testing.T) {
	t.Parallel()
	s := testkit.MustStartSentinel(t)
	unrest(t, s, func(t *testing.T, w *writer) {
		for range 3 {
			primary := s.MustPrimary()
			primary.MustKill()
			w.mustAckMore(t, 100)
			primary.MustRestart()
			s.MustSettle()
			primary = s.MustFailover()
			w.mustAckMore(t, 100)
			s.MustSettle()
			primary.MustPause()
			w.mustAckMore(t, 100)
			primary.MustContinue()
			s.MustSettle()
		}
	})
}

// TestChaosPartition: the primary is cut off from everybody and does not know. The
// others go on; when it is back it is a replica, and what it has is not news.
func TestChaosPartition(t *testing.T) {
	t.Parallel()
	s := testkit.MustStartProxiedSentinel(t)
	unrest(t, s, func(t *testing.T, w *writer) {
		for range 2 {
			primary := s.MustPrimary()
			heal := s.MustPartition(primary)
			s.MustAwaitOther(primary)
			w.mustAckMore(t, 100)
			heal()
			s.MustSettle()
			w.mustAckMore(t, 100)
		}
	})
}

// wantRefused checks that the store refuses all of these.
func wantRefused(t *testing.T, store *revocation.Redis, revs []revocation.Revocation) {
	t.Helper()
	for _, r := range revs {
		v := store.Check(t.Context(), &revocation.Token{Issuer: r.Issuer, JTI: "j", SID: r.Value, Subject: "u"})
		if v.State != revocation.Revoked {
			t.Fatalf("%s, which was acknowledged: %+v", r.Value, v)
		}
	}
}

// TestFailoverLosesNothing: the primary dies with its replicas in step. What was
// acknowledged stays, writing and following go on by themselves, nobody speaks of a
// loss.
func TestFailoverLosesNothing(t *testing.T) {
	t.Parallel()
	end := func(t *testing.T, on topology, primary func() *testkit.RedisServer, down, up func(*testkit.RedisServer)) {
		store, f, before := scene(t, on, primary)
		old := primary()
		down(old)
		w := write(t, store, "after")
		w.mustAckMore(t, 50)
		w.stop()
		f.awaitTold(w.acked...)
		f.awaitLevel()
		f.wantGaps()
		wantRefused(t, store, before)
		wantRefused(t, store, w.acked)
		up(old) // comes back as a replica, behind the others
		on.MustSettle()
		f.awaitTold(mustRevoke(t, store, revocation.KindSession, "last"))
		f.wantGaps()
	}
	kill, restart := (*testkit.RedisServer).MustKill, (*testkit.RedisServer).MustRestart
	t.Run("cluster", func(t *testing.T) {
		c := testkit.MustStartCluster(t)
		primary := func() *testkit.RedisServer { return c.MustPrimaryFor("{rev}") }
		end(t, c, primary, kill, restart)
		c.MustEmpty()
		end(t, c, primary, (*testkit.RedisServer).MustPause, (*testkit.RedisServer).MustContinue)
	})
	t.Run("sentinel", func(t *testing.T) {
		s := testkit.MustStartSentinel(t)
		end(t, s, s.MustPrimary, kill, restart)
	})
}

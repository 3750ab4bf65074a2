//go:build chaos

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// mustTrio starts a primary with two replicas, which may have another clock.
func mustTrio(t *testing.T, off time.Duration) (primary, next, third *testkit.RedisServer) {
	t.Helper()
	start := func() *testkit.RedisServer { return testkit.MustStartRedis(t, "--repl-diskless-sync-delay", "0") }
	primary, third = start(), start()
	if off == 0 {
		next = start()
	} else {
		next = testkit.MustStartRedisAt(t, off, "--repl-diskless-sync-delay", "0")
	}
	next.MustReplicate(primary)
	third.MustReplicate(primary)
	return primary, next, third
}

// TestChaosFailover: another server takes over, in the ways in which that goes wrong.
func TestChaosFailover(t *testing.T) {
	t.Parallel()
	t.Run("to a replica that had just synced", func(t *testing.T) {
		old, next, _ := mustTrio(t, 0)
		f := mustFleet(t, plan{Redis: old})
		w := mustWitness(t, f, 4)
		w.mustAckMore(100)
		next.MustReplicate(nil) // it knows nothing of what follows
		w.mustAckMore(50)
		w.during("failover", func() {
			next.MustReplicate(old)
			old.MustKill()
			next.MustReplicate(nil)
			f.lead(next, f.all()...)
		})
		w.mustAckMore(50)
		w.finish()
	})
	t.Run("to a replica that lacks the latest", func(t *testing.T) {
		old, next, _ := mustTrio(t, 0)
		f := mustFleet(t, plan{Redis: old})
		w := mustWitness(t, f, 4)
		w.mustAckMore(100)
		next.MustReplicate(nil)
		w.mustAckMore(50)
		w.during("failover", func() {
			old.MustKill()
			f.lead(next, f.all()...)
		})
		w.mustAckMore(50)
		w.finish()
	})
	for i := range full(6, 1) {
		t.Run(fmt.Sprint("to a replica that an empty primary has wiped ", i), func(t *testing.T) {
			old, next, _ := mustTrio(t, 0)
			f := mustFleet(t, plan{Redis: old})
			w := mustWitness(t, f, 4)
			w.mustAckMore(100)
			// What was begun on the emptied one may be lost before it was noticed, begun, read,
			// opened or put back.
			look, sync := rand.N(150*time.Millisecond), rand.N(150*time.Millisecond)
			t.Logf("emptied for %s, and then with its replica for %s", look, sync)
			w.during("failover", func() {
				old.MustRestartEmpty()
				time.Sleep(look)
				next.MustReplicate(old)
				time.Sleep(sync)
				old.MustKill()
				next.MustReplicate(nil)
				f.lead(next, f.all()...)
			})
			w.mustAckMore(50)
			w.finish()
		})
	}
}

// TestChaosClockOfRedis: the new primary's clock is off by three seconds. Store time
// does not go back, so that a log-in after a cut-off passes and one before it does not.
func TestChaosClockOfRedis(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"behind": -3 * time.Second, "ahead": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			old, next, _ := mustTrio(t, off)
			f := mustFleet(t, plan{Redis: old})
			w := mustWitness(t, f, 2)
			f.Home.mustAddUser("eve", adaPassword) // whose own sessions nobody else uses
			w.mustAckMore(50)
			before := f.Home.mustLogin("eve", adaPassword)
			w.during("failover", func() {
				old.MustKill()
				next.MustReplicate(nil)
				f.lead(next, f.all()...)
			})
			r := f.Home.mustSend("POST", f.Home.Public+"/api/logout/", map[string]string{"all": "1"}, bearer(before.Access)...)
			after := f.Home.mustLogin("eve", adaPassword)
			if r.Status != 200 {
				t.Fatalf("log out: %d %s", r.Status, r.Body)
			}
			for _, e := range f.Edges {
				e.wantEnded(before.Access)
				if r := e.call(after.Access); r.Status != 200 {
					t.Errorf("the log-in after the cut-off: %d %s", r.Status, r.Body)
				}
			}
			w.mustAckMore(50)
			w.finish()
		})
	}
}

// TestChaosSplit: the primary and a part of the fleet are on one side, its replicas
// with a new primary and the others on the other side, for ten seconds.
func TestChaosSplit(t *testing.T) {
	t.Parallel()
	split := time.Duration(full(10, 6)) * time.Second
	run := func(t *testing.T, settings ...string) (w *witness, heal func()) {
		old, next, third := mustTrio(t, 0)
		f := mustFleet(t, plan{Redis: old, All: settings})
		w = mustWitness(t, f, 4)
		w.mustAckMore(50)
		next.MustReplicate(nil)
		third.MustReplicate(next)
		f.lead(next, f.Edges[1:]...)
		return w, func() {
			old.MustReplicate(next)
			f.lead(next, f.Home, f.Edges[0])
		}
	}
	t.Run("by the primary alone", func(t *testing.T) {
		w, heal := run(t)
		w.apart.Store(true) // the other side cannot know: docs/guarantees.md
		w.during("split", func() {
			time.Sleep(split)
			heal()
		})
		t.Logf("%d acknowledged on the side that was lost", len(w.later))
		w.together()
		w.mustHold("together", 0)
		w.mustAckMore(50)
		w.finish()
	})
	t.Run("by a replica too", func(t *testing.T) {
		w, heal := run(t, "TOLLGATE_REDIS_MIN_REPLICAS_ACK=1")
		w.during("split", func() {
			time.Sleep(split)
			at := w.count()
			heal()
			t.Logf("%d acknowledged while the fleet was split", at-50)
		})
		w.mustAckMore(50)
		w.finish()
		if strings.Contains(w.f.Home.logs.String(), "revocations were lost") {
			t.Log("the issuer's process noticed a loss of what was not acknowledged")
		}
	})
}

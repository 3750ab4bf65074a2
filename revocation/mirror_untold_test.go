package revocation_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// writers is a fleet whose feeds are read over a line of their own, while what is
// written goes to the server directly.
func writers(t *testing.T, addr string) (fleet, *testkit.Proxy) {
	t.Helper()
	line := testkit.MustProxy(t, addr)
	f := fleet{kit: kit{client: testkit.MustClient(t, addr)}, t: t}
	mustOpen(t, f.client, revocationtest.Settings())
	for range 3 {
		over := testkit.MustClient(t, line.Addr)
		f.all = append(f.all, mirror(t, f.client, func(c *revocation.MirrorConfig) { c.Client = over }))
	}
	f.awaitLevel()
	return f, line
}

// TestRollbackOfWhatNobodyHasRead: the server acknowledges a revocation and comes back
// without it before any feed has told of it, under the epoch and at the sequence that
// every feed knows. Only the writer can notice, and does.
func TestRollbackOfWhatNobodyHasRead(t *testing.T) {
	t.Parallel()
	for _, kind := range []revocation.Kind{revocation.KindJTI, revocation.KindSubject} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := testkit.MustStartRedis(t, "--appendfsync", "always") // what is acknowledged is in the file
			f, line := writers(t, s.Addr)
			tok, other := f.all[0].born("unread"), f.all[0].born("other")
			value := "unread"
			if kind == revocation.KindSubject {
				value = tok.Subject
			}
			before := f.epoch()["id"]
			old := f.aof()
			line.Refuse()
			line.Cut()
			mustRevoke(t, f.all[0], kind, value)
			s.MustKill()
			for file, data := range old {
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s.MustRestart()
			line.Heal()
			for _, c := range f.all {
				c.awaitState("what the server has forgotten", tok, revocation.Revoked)
			}
			f.awaitMended(before)
			fresh := mirror(t, f.client)
			fresh.awaitLevel()
			fresh.wantState("to one that was not there", tok, revocation.Revoked)
			for _, c := range append(f.all, fresh) {
				c.awaitState("what was not revoked", other, revocation.Clear)
			}
			if got := f.all[0].Status().Losses; got != 1 {
				t.Errorf("%d losses were found", got)
			}
		})
	}
}

// TestOwnWritesAreNoLoss: whatever this process writes and the feed then tells, the
// same thing twice, undone and done again, of a life that is nearly over, while others
// write it too: no loss is found.
func TestOwnWritesAreNoLoss(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		f := newFleet(t, k)
		before := f.epoch()["id"]
		for range 30 {
			for _, c := range f.all {
				rev := mustRevoke(t, c, revocation.KindJTI, "same")
				mustRevoke(t, c, revocation.KindSubject, "same")
				if _, err := c.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "short", ExpiresAt: time.Now().Add(time.Millisecond)}); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if _, err := c.Undo(t.Context(), rev.ID); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		f.awaitLevel()
		time.Sleep(3 * block)
		f.awaitLevel()
		if got := f.epoch()["id"]; got != before {
			t.Errorf("epoch %s, was %s; %s", got, before, f.all[0].detail())
		}
	})
}

// TestMendedUnderAClockFarBehind: the next server's clock is a minute behind that of
// the one that is gone, so that store time stands nearly still. What was lost is
// mended as soon as ever.
func TestMendedUnderAClockFarBehind(t *testing.T) {
	t.Parallel()
	first, second := testkit.MustStartRedisAt(t, time.Minute), testkit.MustStartRedis(t)
	line := testkit.MustProxy(t, first.Addr)
	f := newFleet(t, kit{client: testkit.MustClient(t, line.Addr)})
	what := f.teach()
	line.Retarget(second.Addr)
	f.awaitMended(what.epoch)
	f.wantKnown("mended", what)
	f.wantStore(what)
}

// TestHeardIsApplied: whoever is told of a record finds at once that the mirror is there,
// and never a mirror that is there without it: reports of edges are made of that.
func TestHeardIsApplied(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		mustOpen(t, k.client, revocationtest.Settings())
		var c *copier
		c = newMirror(t, k.client, func(cfg *revocation.MirrorConfig) {
			heard := cfg.Heard
			cfg.Heard = func(records []revocation.Record) {
				if s := c.Status(); s.N < records[len(records)-1].N {
					t.Errorf("told of %d at %d", records[len(records)-1].N, s.N)
				}
				heard(records)
			}
		})
		c.run()
		c.awaitLevel()
		for i := range 20 {
			name := fmt.Sprint(i)
			tok := c.born(name)
			rev := mustRevoke(t, mustOpen(t, k.client, revocationtest.Settings()), revocation.KindJTI, name)
			testkit.MustAwait(t, "there", func() bool { return c.Status().N >= rev.Seq })
			c.wantState("at its record", tok, revocation.Revoked)
		}
	})
}

package revocation_test

import (
	"errors"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestNobodyWasLevel: mirrors that Redis was silent to before the loss do not know
// what it took meanwhile. They put back what they hold, and nothing more is vouched
// for until somebody decides.
func TestNobodyWasLevel(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]revocation.Recovery{
		"accept the loss": {Actor: "admin"},
		"end all":         {EndAll: true, Issuers: []string{revocationtest.Settings().Own}, Actor: "admin", Reason: "lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.MustStartRedis(t)
			direct := testkit.MustClient(t, s.Addr)
			store := mustOpen(t, direct, revocationtest.Settings())
			proxy := testkit.MustProxy(t, s.Addr)
			c := mirror(t, testkit.MustClient(t, proxy.Addr))
			c.awaitLevel()
			known, missed, other := c.born("known"), c.born("missed"), c.born("other")
			mustRevoke(t, c, revocation.KindJTI, "known")
			c.awaitLevel()
			proxy.Freeze()
			mustRevoke(t, store, revocation.KindJTI, "missed")
			time.Sleep(2500 * time.Millisecond) // longer than a read's deadline
			loser{kit{client: direct}, t, store}.do("flushall")
			proxy.Thaw()
			testkit.MustAwait(t, "the loss", func() bool { return c.Status().Epoch.Lost != 0 }, c.detail)
			time.Sleep(4 * time.Second) // the window is over
			c.wantState("known", known, revocation.Revoked)
			for what, tok := range map[string]*revocation.Token{"missed": missed, "other": other} {
				if v := c.Check(t.Context(), tok); v.State != revocation.Unknown || v.Cause != revocation.CauseLost {
					t.Errorf("%s: %+v", what, v)
				}
			}
			c.wantState("born after", c.born("young"), revocation.Clear)
			if v := store.Check(t.Context(), known); v.State != revocation.Revoked {
				t.Errorf("put back: %+v", v)
			}

			if err := c.Recover(t.Context(), how); err != nil {
				t.Fatal(err)
			}
			want := revocation.Clear
			if how.EndAll {
				want = revocation.Revoked
				c.wantState("at once", other, want)
			}
			c.awaitState("missed", missed, want)
			c.awaitState("other", other, want)
			c.wantState("known", known, revocation.Revoked)
			c.wantState("born after", c.born("youngest"), revocation.Clear)
			e := kit{client: direct}.hash(t, store.EpochKey())
			if e["lost"] != "" || e["complete_since"] != "0" || e["born"] != "0" || e["recovered"] == "" {
				t.Errorf("epoch %v", e)
			}
		})
	}
}

// TestRecoverNeedsAnIssuer: end-all without anybody to end changes nothing.
func TestRecoverNeedsAnIssuer(t *testing.T) {
	onBothLive(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		before := k.hash(t, s.EpochKey())
		for _, how := range []revocation.Recovery{{EndAll: true}, {Actor: string(make([]byte, revocation.MaxText+1))}} {
			if err := s.Recover(t.Context(), how); !errors.Is(err, revocation.ErrInvalid) {
				t.Errorf("%v", err)
			}
		}
		if got := k.hash(t, s.EpochKey()); got["recovered"] != "" || got["born"] != before["born"] {
			t.Errorf("epoch %v", got)
		}
	})
}

// TestDefiniteEndIsNoSilence: a connection that is cut and refused for a while is an
// end that others met, too: who was level before it can put all back.
func TestDefiniteEndIsNoSilence(t *testing.T) {
	t.Parallel()
	s := testkit.MustStartRedis(t)
	direct := testkit.MustClient(t, s.Addr)
	mustOpen(t, direct, revocationtest.Settings())
	proxy := testkit.MustProxy(t, s.Addr)
	c := mirror(t, testkit.MustClient(t, proxy.Addr))
	c.awaitLevel()
	other, gone := c.born("other"), c.born("gone")
	mustRevoke(t, c, revocation.KindJTI, "gone")
	c.awaitLevel()
	proxy.Refuse()
	proxy.Cut()
	loser{kit{client: direct}, t, c.store}.do("flushall")
	time.Sleep(3 * block)
	proxy.Heal()
	testkit.MustAwait(t, "the loss", func() bool { return c.Status().Losses == 1 }, c.detail)
	c.awaitState("clear again", other, revocation.Clear)
	c.wantState("revoked", gone, revocation.Revoked)
	if fresh := mirror(t, direct); true {
		fresh.awaitLevel()
		fresh.wantState("put back", gone, revocation.Revoked)
	}
}

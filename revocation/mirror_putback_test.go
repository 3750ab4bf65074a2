package revocation_test

import (
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestPutBackIsLostAgain: what a process puts back is lost a second time, under the new
// epoch and before any feed has told of it: nobody can see that anything is missing. The
// process looks again before it says that all is there.
func TestPutBackIsLostAgain(t *testing.T) {
	t.Parallel()
	s := testkit.MustStartRedis(t)
	k := kit{client: testkit.MustClient(t, s.Addr)}
	mustOpen(t, k.client, revocationtest.Settings())
	line := testkit.MustProxy(t, s.Addr)
	writes := testkit.MustClient(t, s.Addr)
	c := mirror(t, writes, func(c *revocation.MirrorConfig) { c.Client = testkit.MustClient(t, line.Addr) })
	c.awaitLevel()
	tok, other := c.born("lost"), c.born("other")
	l := loser{k, t, c.store}
	first := l.keep()
	mustRevoke(t, c, revocation.KindJTI, "lost")
	c.awaitLevel() // it is no write any more of which the feed has yet to tell

	var again atomic.Int32
	writes.AddHook(testkit.Hook(func(do func() error, cmds ...redis.Cmder) error {
		args := cmds[0].Args()
		if entries := len(args) > 5 && args[2] == 3; !entries || again.Add(1) > 1 {
			return do()
		}
		line.Refuse()
		line.Cut()
		second := l.keep()
		err := do()
		second()
		line.Heal()
		return err
	}))
	first()
	testkit.MustAwait(t, "mended", func() bool {
		e := k.hash(t, c.store.EpochKey())
		return again.Load() > 0 && e["from"] != "" && e["lost"] == "" && e["complete_since"] == "0"
	}, c.detail)
	if v := c.store.Check(t.Context(), tok); v.State != revocation.Revoked {
		t.Errorf("store: %+v", v)
	}
	fresh := mirror(t, k.client)
	fresh.awaitLevel()
	fresh.wantState("to one that was not there", tok, revocation.Revoked)
	c.awaitState("not revoked", other, revocation.Clear)
}

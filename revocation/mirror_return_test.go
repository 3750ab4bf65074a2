package revocation_test

import (
	"fmt"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestFollowedEpochReturnsWithLess: for a moment another server answers, one with an
// epoch of its own that takes no writes, so that nobody can tell it of the loss; then
// the first one is back, with the epoch that all followed and without its latest
// revocations. All have forgotten their positions by then. What was lost is put back.
func TestFollowedEpochReturnsWithLess(t *testing.T) {
	t.Parallel()
	a := testkit.MustStartRedis(t, "--appendfsync", "always") // what is acknowledged is in the file
	b := testkit.MustStartRedis(t)
	line := testkit.MustProxy(t, a.Addr)
	f := newFleet(t, kit{client: testkit.MustClient(t, line.Addr)})
	mustRevoke(t, f.all[0], revocation.KindJTI, "kept")
	old := f.aof()
	what := f.teach()

	mustOpen(t, testkit.MustClient(t, b.Addr), revocationtest.Settings())
	b.MustDo("config", "set", "min-replicas-to-write", "1")
	line.Retarget(b.Addr)
	for i, c := range f.all {
		testkit.MustAwait(t, fmt.Sprint("in doubt: mirror ", i), func() bool { return c.Status().Doubt }, c.detail)
	}
	a.MustKill()
	f.restore(old)
	a.MustRestart()
	line.Retarget(a.Addr)

	f.awaitMended(what.epoch)
	f.wantKnown("mended", what)
	f.wantStore(what)
}

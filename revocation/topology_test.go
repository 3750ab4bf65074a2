package revocation_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation/revocationtest"
)

// topology is what the two kits of testkit have in common.
type topology interface {
	MustClient(tb testing.TB) redis.UniversalClient
	MustEmpty()
	MustSettle()
}

func TestOnACluster(t *testing.T) {
	t.Parallel()
	c := testkit.MustStartCluster(t)
	conform(t, c)
}

func TestOnSentinel(t *testing.T) {
	t.Parallel()
	s := testkit.MustStartSentinel(t)
	conform(t, s)
}

// conform runs the suite on one topology; each of its tests finds it empty.
func conform(t *testing.T, on topology) {
	t.Helper()
	revocationtest.Run(t, func(t *testing.T) revocationtest.Harness {
		on.MustEmpty()
		client := on.MustClient(t)
		h := redisHarness(t, client, on.MustClient(t))
		h.Advance = time.Sleep
		h.Lose = func(*testing.T) { on.MustEmpty() }
		h.Break = func(*testing.T) { _ = client.Close() } // the topology serves the next test
		return h
	})
}

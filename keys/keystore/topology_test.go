package keystore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

// TestTopologies: rings are kept and compared on a Redis Cluster and behind
// Sentinels as on one server, and outlive the primary that had them.
func TestTopologies(t *testing.T) {
	run := func(t *testing.T, client redis.UniversalClient, primary func() *testkit.RedisServer) {
		s := mustRedis(t, client, keystore.Options{Prefix: "t:", Issuer: issuer, Sealer: mustSealer(t, 1)})
		if _, err := s.Load(t.Context()); !errors.Is(err, ring.ErrEmpty) {
			t.Fatalf("an empty store: %v", err)
		}
		one := mustRing(t, settings)
		mustSwap(t, s, 0, one)
		mustEqual(t, mustLoad(t, s), one)
		two := one
		two.Version = 2
		if err := s.Swap(t.Context(), 7, two); err == nil {
			t.Error("version 2 was written over version 7, which is not there")
		}
		mustSwap(t, s, 1, two)

		old := primary()
		old.MustSync()
		old.MustKill()
		for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			r, err := s.Load(t.Context())
			if err == nil {
				mustEqual(t, r, two)
				break
			}
			if errors.Is(err, ring.ErrEmpty) || time.Now().After(end) {
				t.Fatalf("after the failover: %v", err)
			}
			if c, ok := client.(*redis.ClusterClient); ok {
				c.ReloadState(t.Context()) // as the program's clients do
			}
		}
		three := two
		three.Version = 3
		mustSwap(t, s, 2, three)
	}
	t.Run("cluster", func(t *testing.T) {
		c := testkit.MustStartCluster(t)
		run(t, c.MustClient(t), func() *testkit.RedisServer { return c.MustPrimaryFor(redisKey) })
	})
	t.Run("sentinel", func(t *testing.T) {
		s := testkit.MustStartSentinel(t)
		run(t, s.MustClient(t), s.MustPrimary)
	})
}

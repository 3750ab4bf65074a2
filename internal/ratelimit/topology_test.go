package ratelimit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/ratelimit"
	"tollgate/internal/testkit"
)

// TestTopologies: two edges share their counts on a Redis Cluster and behind
// Sentinels, whatever slot a key falls into.
func TestTopologies(t *testing.T) {
	run := func(t *testing.T, client func(testing.TB) redis.UniversalClient) {
		one, other := ratelimit.NewRedis(client(t), "tg:"), ratelimit.NewRedis(client(t), "tg:")
		rate := ratelimit.Rate{Limit: 1, Per: time.Hour, Burst: 2}
		for i := range 30 {
			key := fmt.Sprint("subject ", i)
			for call, l := range []*ratelimit.Limiter{one, other, one} {
				if d := l.Allow(t.Context(), key, rate); d.Local || d.Allowed != (call < 2) {
					t.Fatalf("%s, call %d: %+v", key, call, d)
				}
			}
		}
	}
	t.Run("cluster", func(t *testing.T) { run(t, testkit.MustStartCluster(t).MustClient) })
	t.Run("sentinel", func(t *testing.T) { run(t, testkit.MustStartSentinel(t).MustClient) })
}

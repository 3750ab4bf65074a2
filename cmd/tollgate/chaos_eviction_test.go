//go:build chaos

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestChaosEviction: Redis is full and evicts what it likes, against our advice. What
// went cannot be known: until it is put back, tokens from before are refused by 503.
func TestChaosEviction(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"allkeys-lru", "volatile-ttl"} {
		t.Run(policy, func(t *testing.T) {
			r := testkit.MustStartRedis(t, "--maxmemory", "24mb", "--maxmemory-policy", policy)
			client := testkit.MustClient(t, r.Addr)
			f := mustFleet(t, plan{Redis: r, All: []string{"TOLLGATE_REDIS_ALLOW_EVICTION=true", "TOLLGATE_KEY_STORE=file:" + t.TempDir()}})
			w := mustWitness(t, f, 4)
			w.mustAckMore(150)
			w.during("memory is full", func() {
				// Junk without an end: volatile-ttl has to take what is ours.
				junk := strings.Repeat("x", 16<<10)
				for i := range 2500 {
					_ = client.Set(t.Context(), fmt.Sprint("junk:", i), junk, 0).Err()
				}
				time.Sleep(maxStale)
				evicted := client.InfoMap(t.Context(), "stats").Val()["Stats"]["evicted_keys"]
				t.Logf("%s keys were evicted", evicted)
				if evicted == "0" {
					t.Error("nothing was evicted: nothing was shown")
				}
				for i := range 2500 {
					_ = client.Del(t.Context(), fmt.Sprint("junk:", i)).Err()
				}
			})
			w.mustAckMore(50)
			w.finish()
		})
	}
}

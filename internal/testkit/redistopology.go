package testkit

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// await waits until something holds of a topology.
func await(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for end := time.Now().Add(topologyPatience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	tb.Fatalf("waited %s until %s", topologyPatience, what)
}

func addrs(servers []*RedisServer) []string {
	out := make([]string, len(servers))
	for i, s := range servers {
		out[i] = s.Addr
	}
	return out
}

// mustUniversal returns a client for the options' addresses, closed with the test,
// with the settings that the program gives its own.
func mustUniversal(tb testing.TB, o *redis.UniversalOptions) redis.UniversalClient {
	tb.Helper()
	o.ContextTimeoutEnabled, o.DisableIdentity, o.DialerRetries, o.MaxRetries = true, true, 1, -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = 2*time.Second, 2*time.Second, 2*time.Second
	c := redis.NewUniversalClient(o)
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

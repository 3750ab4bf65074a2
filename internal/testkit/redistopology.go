package testkit

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// await waits until something holds of a topology.
func await(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	MustAwaitWithin(tb, topologyPatience, what, holds)
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

// MustSync waits until every replica of the server has acknowledged all that the
// server has written.
func (s *RedisServer) MustSync() {
	s.tb.Helper()
	await(s.tb, "the replicas have everything", func() bool {
		info, err := s.ask("info", "replication")
		if err != nil {
			return false
		}
		_, rest, _ := strings.Cut(info, "master_repl_offset:")
		offset, _, _ := strings.Cut(rest, "\r\n")
		replicas := strings.Count(info, ",state=")
		return replicas > 0 && strings.Count(info, ",state=online,offset="+offset+",") == replicas
	})
}

// MustReplicate makes the server a replica of another, or with nil a primary, and
// waits until it is. Its clients stay connected.
func (s *RedisServer) MustReplicate(primary *RedisServer) {
	s.tb.Helper()
	host, port := "no", "one"
	if primary != nil {
		host, port = "127.0.0.1", portOf(primary.Addr)
	}
	if err := s.do("replicaof", host, port); err != nil {
		s.tb.Fatalf("replicaof: %v", err)
	}
	await(s.tb, "the role has changed", s.inStep)
}

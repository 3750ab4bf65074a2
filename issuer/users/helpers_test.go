package users

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

const prefix = "t:"

// box is a running Redis. expire lets everything with a TTL expire.
type box struct {
	client redis.UniversalClient
	expire func(t *testing.T)
}

// onEach runs a test of the store on miniredis and on a redis-server.
func onEach(t *testing.T, test func(t *testing.T, b box)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		m, client := testkit.MustMini(t)
		test(t, box{client, func(*testing.T) { m.FastForward(claimLife + time.Second) }})
	})
	t.Run("redis-server", func(t *testing.T) {
		client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
		test(t, box{client, func(t *testing.T) { mustExpire(t, client) }})
	})
}

// onTopologies runs a test on a Redis Cluster and behind Sentinels.
func onTopologies(t *testing.T, test func(t *testing.T, client redis.UniversalClient)) {
	t.Helper()
	t.Run("cluster", func(t *testing.T) { test(t, testkit.MustStartCluster(t).MustClient(t)) })
	t.Run("sentinel", func(t *testing.T) { test(t, testkit.MustStartSentinel(t).MustClient(t)) })
}

func mustExpire(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	var left []string
	for _, key := range mustKeys(t, client) {
		if client.PTTL(t.Context(), key).Val() > 0 {
			client.PExpire(t.Context(), key, time.Millisecond)
			left = append(left, key)
		}
	}
	testkit.MustAwait(t, "keys expired", func() bool {
		return len(left) == 0 || client.Exists(t.Context(), left[0]).Val() == 0
	})
}

func mustKeys(t *testing.T, client redis.UniversalClient) []string {
	t.Helper()
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatalf("KEYS: %v", err)
	}
	return keys
}

// cheap returns a hasher that computes in no time, for tests of everything else.
func cheap() *Hasher {
	h := NewHasher(64)
	h.compute = func(password, salt []byte, _, _ uint32, _ uint8, n uint32) []byte {
		sum := digest(string(password) + "\x00" + string(salt))
		return []byte(sum)[:n]
	}
	return h
}

func mustAdd(t *testing.T, r *Redis, n New) User {
	t.Helper()
	u, err := r.Add(t.Context(), n)
	if err != nil {
		t.Fatalf("Add(%v): %v", n, err)
	}
	return u
}

// mustCut returns a client of the same server that is cut.
func mustCut(t *testing.T, client redis.UniversalClient, h testkit.Cut) redis.UniversalClient {
	t.Helper()
	c := testkit.MustClient(t, client.(*redis.Client).Options().Addr)
	c.Ping(t.Context()) // connects: the handshake is no command of ours
	c.AddHook(h.Hook())
	return c
}

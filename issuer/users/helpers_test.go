package users

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
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
	mustEventually(t, "keys expired", func() bool {
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

func mustEventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited 10s until %s", what)
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

// errCut is what every command returns after the cut.
var errCut = &net.OpError{Op: "read", Err: errors.New("cut")}

// cut is a connection that dies: it lets left commands through and fails the rest,
// or with once the next one only. With deaf, the first that fails was executed all
// the same and only its answer is lost.
type cut struct {
	left       atomic.Int64
	deaf, once bool
}

func (c *cut) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *cut) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return c.pass(func() error { return next(ctx, cmd) }, cmd)
	}
}

func (c *cut) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return c.pass(func() error { return next(ctx, cmds) }, cmds...)
	}
}

func (c *cut) pass(do func() error, cmds ...redis.Cmder) error {
	left := c.left.Add(-1)
	if left >= 0 || (c.once && left < -1) {
		return do()
	}
	if c.deaf && left == -1 {
		_ = do()
	}
	for _, cmd := range cmds {
		cmd.SetErr(errCut)
	}
	return errCut
}

// mustCut returns a client of the same server that is cut after n commands.
func mustCut(t *testing.T, client redis.UniversalClient, n int, h *cut) redis.UniversalClient {
	t.Helper()
	c := testkit.MustClient(t, client.(*redis.Client).Options().Addr)
	c.Ping(t.Context()) // connects: the handshake is no command of ours
	h.left.Store(int64(n))
	c.AddHook(h)
	return c
}

package issuerkit

import (
	"context"
	"testing"

	"tollgate/internal/testkit"

	"github.com/redis/go-redis/v9"
)

// MustRestart starts the closed Redis again, with what it held, and waits until
// whichever connection a request is given works: those that rest, and one more. A
// client that saw its dials fail goes on failing for a moment after the restart.
func (k *Kit) MustRestart(tb testing.TB) {
	tb.Helper()
	must(tb, k.Mini.Restart())
	c, ok := k.Redis.(*redis.Client)
	if !ok {
		tb.Fatalf("the client is a %T", k.Redis)
	}
	testkit.MustAwait(tb, "Redis", func() bool { return allWork(tb.Context(), c) })
}

// allWork takes the connections that rest and a new one, and asks each.
func allWork(ctx context.Context, c *redis.Client) bool {
	held := make([]*redis.Conn, c.PoolStats().IdleConns+1)
	good := true
	for i := range held {
		held[i] = c.Conn()
		good = held[i].Ping(ctx).Err() == nil && good
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	return good
}

package testkit

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// MustMini starts a miniredis and returns it with a client; both end with the
// test. Its keys expire only by FastForward. Its port is MustFreePort's, so that
// whoever closes it and restarts it finds the port free still.
func MustMini(tb testing.TB) (*miniredis.Miniredis, redis.UniversalClient) {
	tb.Helper()
	m := miniredis.NewMiniRedis()
	err := m.StartAddr(MustFreeAddr(tb))
	for range 5 { // another process may have taken it
		if err == nil {
			break
		}
		err = m.StartAddr(MustFreeAddr(tb))
	}
	if err != nil {
		tb.Fatalf("start miniredis: %v", err)
	}
	tb.Cleanup(m.Close)
	return m, MustClient(tb, m.Addr())
}

// MustClient returns a client for a standalone server, closed with the test,
// with the settings of the request path but for what is changed.
func MustClient(tb testing.TB, addr string, change ...func(*redis.Options)) redis.UniversalClient {
	tb.Helper()
	o := &redis.Options{
		Addr: addr, ContextTimeoutEnabled: true, DisableIdentity: true,
		DialerRetries: 1, MaxRetries: -1,
	}
	for _, f := range change {
		f(o)
	}
	c := redis.NewClient(o)
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

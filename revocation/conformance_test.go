package revocation_test

import (
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// clock is a time of day that moves only when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

func TestMemory(t *testing.T) {
	t.Parallel()
	revocationtest.Run(t, func(t *testing.T) revocationtest.Harness {
		c := newClock()
		m := revocation.NewMemory(revocationtest.Settings(), c.Now)
		return revocationtest.Harness{Store: m, Another: m, Virtual: true, Advance: func(d time.Duration) { c.Advance(d) }}
	})
}

func TestMiniredis(t *testing.T) {
	t.Parallel()
	revocationtest.Run(t, func(t *testing.T) revocationtest.Harness {
		m, client := testkit.MustMini(t)
		h := redisHarness(t, client, client)
		h.Virtual, h.Advance = true, miniAdvance(m)
		h.Break = func(*testing.T) { m.Close() }
		return h
	})
}

func TestRedis(t *testing.T) {
	t.Parallel()
	revocationtest.Run(t, func(t *testing.T) revocationtest.Harness {
		s := testkit.MustStartRedis(t)
		h := redisHarness(t, testkit.MustClient(t, s.Addr), testkit.MustClient(t, s.Addr))
		h.Advance = time.Sleep
		h.Break = func(*testing.T) { s.MustKill() }
		return h
	})
}

// miniAdvance freezes miniredis's clock and returns what moves it.
func miniAdvance(m *miniredis.Miniredis) func(time.Duration) {
	c := newClock()
	m.SetTime(c.Now())
	return func(d time.Duration) {
		m.FastForward(d)
		m.SetTime(c.Advance(d))
	}
}

func redisHarness(t *testing.T, client, second redis.UniversalClient) revocationtest.Harness {
	t.Helper()
	store := mustOpen(t, client, revocationtest.Settings())
	return revocationtest.Harness{
		Store:   store,
		Another: mustOpen(t, second, revocationtest.Settings()),
		TTL: func(t *testing.T, d revocation.Digest) time.Duration {
			left, err := client.PTTL(t.Context(), store.EntryKey(d)).Result()
			if err != nil || left == -2 {
				t.Fatalf("PTTL: %v, %v", left, err)
			}
			return left
		},
		Lose: func(t *testing.T) {
			if err := client.FlushAll(t.Context()).Err(); err != nil { //nolint:forbidigo // the test's own server: the loss is what is tested
				t.Fatalf("FLUSHALL: %v", err)
			}
		},
		Admit: func(t *testing.T) { mustAdmit(t, store) },
	}
}

func mustAdmit(t *testing.T, store *revocation.Redis) {
	t.Helper()
	if err := store.Admit(t.Context()); err != nil {
		t.Fatalf("admit: %v", err)
	}
}

func mustOpen(t *testing.T, client redis.UniversalClient, s revocation.Settings) *revocation.Redis {
	t.Helper()
	store, err := revocation.NewRedis(client, "tg:", s)
	if err != nil {
		t.Fatalf("new store: %v", err)
	}
	if err := store.Open(t.Context()); err != nil {
		t.Fatalf("open: %v", err)
	}
	return store
}

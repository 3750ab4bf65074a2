package revocation_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// heardOf is another process's store, whose writes the mirror hears of before the
// suite goes on.
type heardOf struct {
	revocation.Store
	c *copier
}

func (h heardOf) Revoke(ctx context.Context, o revocation.Order) (revocation.Revocation, error) {
	r, err := h.Store.Revoke(ctx, o)
	await(h.c.t, "heard of", func() bool { return err != nil || h.c.Status().N >= r.Seq }, h.c.detail)
	return r, err
}

func (h heardOf) Undo(ctx context.Context, id string) (revocation.Revocation, error) {
	r, err := h.Store.Undo(ctx, id)
	await(h.c.t, "heard of", func() bool { return err != nil || h.c.Status().N >= r.Seq }, h.c.detail)
	return r, err
}

func mirrorHarness(t *testing.T, client redis.UniversalClient, change ...func(*revocation.MirrorConfig)) (revocationtest.Harness, *copier) {
	t.Helper()
	h := redisHarness(t, client, client)
	c := mirror(t, client, change...)
	c.awaitLevelOnce()
	h.Store, h.Another, h.Lose = c.Mirror, heardOf{h.Another, c}, nil
	return h, c
}

// awaitLevelOnce waits until checks are answered, by a clock that may stand.
func (c *copier) awaitLevelOnce() {
	c.t.Helper()
	await(c.t, "level", func() bool { return c.Ready() == nil }, c.detail)
}

// TestMirrorIsAStore: what every store means, a mirror means, its own writes at once.
func TestMirrorIsAStore(t *testing.T) {
	t.Run("miniredis", func(t *testing.T) {
		revocationtest.Run(t, func(t *testing.T) revocationtest.Harness {
			m, client := testkit.MustMini(t)
			c := newClock()
			m.SetTime(c.Now())
			h, _ := mirrorHarness(t, client, func(cfg *revocation.MirrorConfig) { cfg.Now = c.Now })
			h.Virtual, h.Stale = true, 100*365*24*time.Hour
			h.Advance = func(d time.Duration) {
				m.FastForward(d)
				m.SetTime(c.Advance(d))
			}
			h.Break = func(*testing.T) { m.Close() }
			return h
		})
	})
	t.Run("redis-server", func(t *testing.T) {
		revocationtest.Run(t, func(t *testing.T) revocationtest.Harness {
			s := testkit.MustStartRedis(t)
			h, _ := mirrorHarness(t, testkit.MustClient(t, s.Addr))
			h.Advance, h.Stale = time.Sleep, 10*time.Second
			h.Break = func(*testing.T) { s.MustKill() }
			return h
		})
	})
}

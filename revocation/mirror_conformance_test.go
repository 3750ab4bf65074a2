package revocation_test

import (
	"context"
	"slices"
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
	testkit.MustAwait(h.c.t, "heard of", func() bool { return err != nil || h.c.Status().N >= r.Seq }, h.c.detail)
	return r, err
}

func (h heardOf) Undo(ctx context.Context, id string) (revocation.Revocation, error) {
	r, err := h.Store.Undo(ctx, id)
	testkit.MustAwait(h.c.t, "heard of", func() bool { return err != nil || h.c.Status().N >= r.Seq }, h.c.detail)
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

// awaitMended waits until a loss was noticed and all is vouched for again, and so many
// entries are listed with their words.
func (c *copier) awaitMended(entries int) {
	c.t.Helper()
	testkit.MustAwait(c.t, "mended", func() bool {
		s := c.Status()
		return s.Losses > 0 && s.Epoch.Lost == 0 && s.Epoch.CompleteSince == 0
	}, c.detail)
	testkit.MustAwait(c.t, "described", func() bool {
		p, err := c.List(context.Background(), revocation.Filter{Limit: 100})
		return err == nil && len(p.Items) == entries && !slices.ContainsFunc(p.Items, func(r revocation.Revocation) bool { return r.Issuer == "" })
	}, c.detail)
}

// awaitLevelOnce waits until checks are answered, by a clock that may stand.
func (c *copier) awaitLevelOnce() {
	c.t.Helper()
	testkit.MustAwait(c.t, "level", func() bool { return c.Ready() == nil }, c.detail)
}

// TestMirrorIsAStore: what every store means, a mirror means, its own writes at once.
func TestMirrorIsAStore(t *testing.T) {
	t.Parallel()
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
			client, journal := testkit.MustClient(t, s.Addr), mustOpenJournal(t, journalPath(t))
			h, c := mirrorHarness(t, client, func(cfg *revocation.MirrorConfig) { cfg.Journal = journal })
			h.Advance, h.Stale = time.Sleep, 10*time.Second
			h.Break = func(*testing.T) { s.MustKill() }
			h.Mend = func(t *testing.T) {
				had := c.Status().Entries
				loser{kit{client: client}, t, c.store}.do("flushall")
				c.awaitMended(had)
			}
			return h
		})
	})
}

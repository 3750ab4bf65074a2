package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

func TestNewFeedRefuses(t *testing.T) {
	m, client := testkit.MustMini(t)
	deaf := redis.NewClient(&redis.Options{Addr: m.Addr()})
	t.Cleanup(func() { _ = deaf.Close() })
	deafCluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{m.Addr()}})
	t.Cleanup(func() { _ = deafCluster.Close() })
	for name, change := range map[string]func(*revocation.FeedConfig){
		"no client":           func(c *revocation.FeedConfig) { c.Client = nil },
		"deadlines off":       func(c *revocation.FeedConfig) { c.Client = deaf },
		"cluster's, off":      func(c *revocation.FeedConfig) { c.Client = deafCluster },
		"nobody to apply":     func(c *revocation.FeedConfig) { c.Apply = nil },
		"braces":              func(c *revocation.FeedConfig) { c.Prefix = "a{b}" },
		"block below 0":       func(c *revocation.FeedConfig) { c.Block = -1 },
		"block too short":     func(c *revocation.FeedConfig) { c.Block = time.Microsecond },
		"deadline below 0":    func(c *revocation.FeedConfig) { c.Deadline = -1 },
		"deadline too short":  func(c *revocation.FeedConfig) { c.Block, c.Deadline = time.Second, time.Second },
		"deadline of default": func(c *revocation.FeedConfig) { c.Deadline = revocation.DefaultBlock },
	} {
		cfg := revocation.FeedConfig{Client: client, Apply: func([]revocation.Record) {}}
		if _, err := revocation.NewFeed(cfg); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if _, err := revocation.NewFeed(cfg); !errors.Is(err, revocation.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFollow: what was written before and what is written meanwhile is applied in
// order, each record once, as it stands in the feed.
func TestFollow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		jti := mustRevoke(t, s, revocation.KindJTI, "j")
		first := mustRevoke(t, s, revocation.KindSubject, "u")
		f := follow(t, k.client)
		f.awaitTold(jti, first)
		f.awaitLevel()

		second := mustRevoke(t, s, revocation.KindSubject, "u")
		f.awaitTold(second)
		mustUndo(t, s, second.ID)
		f.awaitTold(first, mustUndo(t, s, jti.ID))
		for i := range 20 {
			mustRevoke(t, s, revocation.KindKey, fmt.Sprint("k", i))
		}
		key := mustRevoke(t, s, revocation.KindKey, "last")
		f.awaitTold(key)
		f.awaitLevel()

		feed := k.feed(t, s)
		e, err := s.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.stop()
		f.wantGaps()
		if len(f.all) != len(feed) || f.feed.N() != uint64(len(feed)) {
			t.Fatalf("%d records applied, n %d, the feed has %d", len(f.all), f.feed.N(), len(feed))
		}
		for i, r := range f.all {
			want := record{feed[i].id, feed[i].nonce, feed[i].prev, r.Digest.String(), string(r.Kind), int64(r.N), r.Cut, r.ExpiresAt, r.At}
			if feed[i] != want {
				t.Errorf("applied %+v, written %+v", r, feed[i])
			}
		}
		if f.epoch.ID != e.ID || f.epoch.Born != e.Born || f.epoch.CompleteSince != e.CompleteSince || f.epoch.N != e.N {
			t.Errorf("epoch %+v, want %+v", f.epoch, e)
		}
	})
}

// TestSentBefore: what Level says of a read is when it was sent, not when the
// answer came: all that was written before that is known. What a wait tells does not
// make it later.
func TestSentBefore(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		const delay = 50 * time.Millisecond
		s := mustOpen(t, k.client, revocationtest.Settings())
		proxy := testkit.MustProxy(t, k.addr())
		proxy.Delay(delay)
		var told atomic.Int32
		f := follow(t, testkit.MustClient(t, proxy.Addr), func(c *revocation.FeedConfig) {
			c.Block, c.Deadline = 2*delay, 20*time.Second
			level := c.Level
			c.Level = func(is bool, sent time.Time) {
				level(is, sent)
				if told.Add(1); time.Since(sent) < delay {
					t.Errorf("level %v as of %s ago, and the answer took longer", is, time.Since(sent))
				}
			}
		})
		for i := range 10 {
			f.awaitTold(mustRevoke(t, s, revocation.KindJTI, fmt.Sprint(i)))
		}
		f.await("more levels", func() bool { return told.Load() > 3 })
		f.stop()
	})
}

// TestQuietFeed: with nothing to tell, knowledge is no older than Block and a read.
func TestQuietFeed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		mustOpen(t, k.client, revocationtest.Settings())
		f := follow(t, k.client)
		late := 0
		for range 5 {
			f.awaitLevel()
			f.mu.Lock()
			sent := f.sent
			f.mu.Unlock()
			f.await("the next", func() bool { return f.sent.After(sent) })
			f.mu.Lock()
			if d := f.sent.Sub(sent); d > 10*block {
				t.Logf("%s between two reads", d)
				late++
			}
			f.mu.Unlock()
		}
		if late > 2 { // a busy machine stands still now and then
			t.Errorf("%d of 5 reads came late", late)
		}
		f.wantGaps()
	})
}

// TestWaitForAStore: a store without an epoch is not a loss, as long as nothing
// was read from it. It is not level either.
func TestWaitForAStore(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		f := follow(t, k.client)
		f.await("several reads", func() bool { return f.said > 3 })
		if !f.sent.IsZero() {
			t.Error("level with a store that has no epoch")
		}
		s := mustOpen(t, k.client, revocationtest.Settings())
		f.awaitLevel()
		r := mustRevoke(t, s, revocation.KindJTI, "j")
		f.awaitTold(r)
		f.wantGaps()
	})
}

// TestPages: a feed of several pages is read whole and in order; not level before.
func TestPages(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		for _, more := range []int{4999, 1, 1, 5000} { // one page, and a record less and more; two and a record more
			s := mustOpen(t, k.client, revocationtest.Settings())
			mustFill(t, k.client, s, more)
			f := follow(t, k.client, func(c *revocation.FeedConfig) { c.Deadline = 10 * time.Second })
			e, err := s.Epoch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f.await("level", func() bool {
				if f.level && len(f.all) < int(e.N) {
					t.Errorf("level after %d of %d", len(f.all), e.N)
				}
				return f.level
			})
			f.stop()
			f.wantGaps()
			for i, r := range f.all {
				if r.N != uint64(i+1) {
					t.Fatalf("record %d has n %d", i, r.N)
				}
			}
		}
	})
}

// TestHundredThousand: a long feed, written to while it is read.
func TestHundredThousand(t *testing.T) {
	t.Parallel()
	client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
	s := mustOpen(t, client, revocationtest.Settings())
	mustFill(t, client, s, 100_000)
	start := time.Now()
	f := follow(t, client, func(c *revocation.FeedConfig) { c.Deadline = 10 * time.Second })
	for i := range 50 {
		mustRevoke(t, s, revocation.KindJTI, fmt.Sprint(i))
	}
	last := mustRevoke(t, s, revocation.KindKey, "last")
	f.awaitTold(last)
	f.awaitLevel()
	t.Logf("level after %s", time.Since(start))
	f.stop()
	f.wantGaps()
	if len(f.last) != 100_051 || len(f.all) != 100_051 {
		t.Errorf("%d records of %d digests", len(f.all), len(f.last))
	}
}

// TestRunEnds: within the wait that is under way, and at once between two.
func TestRunEnds(t *testing.T) {
	for name, addr := range map[string]string{"waiting": testkit.MustStartRedis(t).Addr, "nobody there": "127.0.0.1:1"} {
		client := testkit.MustClient(t, addr)
		if name == "waiting" {
			mustOpen(t, client, revocationtest.Settings())
		}
		f := follow(t, client)
		if name == "waiting" {
			f.awaitLevel()
		}
		start := time.Now()
		if f.stop(); time.Since(start) > 10*time.Second {
			t.Errorf("%s: took %s", name, time.Since(start))
		}
	}
	feed, err := revocation.NewFeed(revocation.FeedConfig{Client: testkit.MustClient(t, "127.0.0.1:1"), Apply: func([]revocation.Record) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := feed.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := feed.CatchUp(t.Context()); !errors.Is(err, revocation.ErrUnavailable) {
		t.Errorf("catch up before anything was read: %v", err)
	}
}

// TestFollowInACluster: every read stays in its slot, and goes to the slot's node.
func TestFollowInACluster(t *testing.T) {
	t.Parallel()
	server := testkit.MustStartRedis(t, "--cluster-enabled", "yes")
	if err := testkit.MustClient(t, server.Addr).Do(t.Context(), "cluster", "addslotsrange", 0, 16383).Err(); err != nil {
		t.Fatalf("take all slots: %v", err)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.Addr}, ContextTimeoutEnabled: true, DisableIdentity: true, MaxRedirects: -1})
	t.Cleanup(func() { _ = client.Close() })
	f := follow(t, client) // before there is a cluster
	testkit.MustAwait(t, "the cluster", func() bool { return client.Set(t.Context(), "up", "1", 0).Err() == nil })
	s := mustOpen(t, client, revocationtest.Settings())
	for i := range 10 {
		f.awaitTold(mustRevoke(t, s, revocation.KindSession, fmt.Sprint(i)))
	}
	f.awaitLevel()
	f.wantGaps()
}

// TestAppliedIsSaidAfterwards: a feed does not say that it is at a record before the
// record was applied. Whoever waits for this process goes by it.
func TestAppliedIsSaidAfterwards(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		for i := range 3 {
			mustRevoke(t, s, revocation.KindJTI, fmt.Sprint("before ", i))
		}
		var feed atomic.Pointer[revocation.Feed]
		f := follow(t, k.client, func(c *revocation.FeedConfig) {
			apply := c.Apply
			c.Apply = func(records []revocation.Record) {
				if at := feed.Load(); at != nil && at.N() >= records[0].N {
					t.Errorf("at %d before %d was applied", at.N(), records[0].N)
				}
				apply(records)
			}
		})
		feed.Store(f.feed)
		f.awaitLevel()
		for i := range 5 {
			f.awaitTold(mustRevoke(t, s, revocation.KindJTI, fmt.Sprint("later ", i)))
		}
		testkit.MustAwait(t, "said afterwards", func() bool { return f.feed.N() == 8 })
	})
}

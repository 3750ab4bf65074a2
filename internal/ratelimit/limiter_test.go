package ratelimit_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/ratelimit"
	"tollgate/internal/testkit"
)

// onBoth runs a test on miniredis and on a real redis-server.
func onBoth(t *testing.T, test func(t *testing.T, client func() redis.UniversalClient)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		m, _ := testkit.MustMini(t)
		test(t, func() redis.UniversalClient { return testkit.MustClient(t, m.Addr()) })
	})
	t.Run("redis-server", func(t *testing.T) {
		server := testkit.MustStartRedis(t)
		test(t, func() redis.UniversalClient { return testkit.MustClient(t, server.Addr) })
	})
}

// wantSame counts one call in Redis and, at the instant of which Redis tells, here.
func wantSame(t *testing.T, shared *ratelimit.Limiter, local *ratelimit.Local, key string, rate ratelimit.Rate) {
	t.Helper()
	got, now, err := shared.Shared(t.Context(), key, rate)
	if err != nil {
		t.Fatalf("ask Redis: %v", err)
	}
	want := local.Allow(key, rate, now)
	if want.Local = false; got != want {
		t.Fatalf("%s at %d, %+v: Redis %+v, local %+v", key, now, rate, got, want)
	}
}

// TestScriptAndLocalAgree: on the same instants they give the same decisions, on a
// clock that jumps both ways too.
func TestScriptAndLocalAgree(t *testing.T) {
	rates := []ratelimit.Rate{
		{Limit: 3, Per: time.Second}, {Limit: 50, Per: time.Second, Burst: 7}, {Limit: 10, Per: time.Minute, Burst: 1},
		{Limit: 1_000_000, Per: time.Second, Burst: 2}, {Limit: 1, Per: 365 * 24 * time.Hour, Burst: 30},
	}
	t.Run("miniredis", func(t *testing.T) {
		m, client := testkit.MustMini(t)
		shared, local := ratelimit.NewRedis(client, "tg:"), &ratelimit.Local{}
		random, now := rand.New(rand.NewPCG(3, 4)), time.Now()
		for i := range 3000 {
			rate := rates[i%len(rates)]
			now = now.Add(time.Duration(random.Int64N(2*rate.Interval())) * time.Microsecond / time.Duration(len(rates)))
			if random.IntN(100) == 0 {
				now = now.Add(time.Duration(random.IntN(7200)-3600) * time.Second)
			}
			m.SetTime(now)
			wantSame(t, shared, local, fmt.Sprint("k", i%len(rates)), rate)
			if random.IntN(20) == 0 { // the same key under another rate
				wantSame(t, shared, local, "k0", rates[1])
			}
		}
	})
	t.Run("redis-server", func(t *testing.T) {
		client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
		shared, local := ratelimit.NewRedis(client, "tg:"), &ratelimit.Local{}
		fast := ratelimit.Rate{Limit: 4000, Per: time.Second, Burst: 5} // recovers between calls, sometimes
		for i := range 3000 {
			wantSame(t, shared, local, "fast", fast)
			wantSame(t, shared, local, fmt.Sprint("k", i%len(rates)), rates[i%len(rates)])
		}
	})
}

// TestExactAcrossEdges: what one edge let through the others count.
func TestExactAcrossEdges(t *testing.T) {
	onBoth(t, func(t *testing.T, client func() redis.UniversalClient) {
		rate := ratelimit.Rate{Limit: 1, Per: time.Hour, Burst: 40}
		var let atomic.Int64
		var callers sync.WaitGroup
		for range 4 {
			edge := ratelimit.NewRedis(client(), "tg:")
			for range 2 {
				callers.Go(func() {
					for range 25 {
						d := edge.Allow(t.Context(), "subject", rate)
						if d.Local {
							t.Error("counted locally while Redis answers")
						}
						if d.Allowed {
							let.Add(1)
						}
					}
				})
			}
		}
		if callers.Wait(); let.Load() != 40 {
			t.Errorf("%d were let through", let.Load())
		}
		if d := ratelimit.NewRedis(client(), "other:").Allow(t.Context(), "subject", rate); d.Remaining != 39 {
			t.Errorf("under another prefix: %+v", d)
		}
	})
}

func TestKeyEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, client func() redis.UniversalClient) {
		c := client()
		l := ratelimit.NewRedis(c, "tg:")
		key := l.RedisKey("k")
		for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 2 * time.Minute} { // the third is refused
			l.Allow(t.Context(), "k", ratelimit.Rate{Limit: 1, Per: time.Minute, Burst: 2})
			if ttl, err := c.PTTL(t.Context(), key).Result(); err != nil || ttl > want || ttl < want-5*time.Second {
				t.Errorf("after call %d the key ends in %s, want %s, %v", i, ttl, want, err)
			}
		}
		if len(key) != len("tg:rl:{}")+32 {
			t.Errorf("key %q", key)
		}
		if err := c.Set(t.Context(), key, "not ours", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if d := l.Allow(t.Context(), "k", ratelimit.Rate{Limit: 1, Per: time.Minute}); !d.Allowed || d.Local {
			t.Errorf("beside a stranger's value: %+v", d)
		}
	})
}

func TestNoLimit(t *testing.T) {
	m, client := testkit.MustMini(t)
	l := ratelimit.NewRedis(client, "tg:")
	for range 100 {
		if d := l.Allow(t.Context(), "k", ratelimit.Rate{}); d != (ratelimit.Decision{Allowed: true, Remaining: math.MaxInt}) {
			t.Fatalf("%+v", d)
		}
	}
	if keys := m.Keys(); len(keys) != 0 {
		t.Errorf("Redis holds %q", keys)
	}
}

func BenchmarkAllow(b *testing.B) {
	rate := ratelimit.Rate{Limit: 1000, Per: time.Second}
	run := func(b *testing.B, l *ratelimit.Limiter) {
		for b.Loop() {
			l.Allow(context.Background(), "route\x00subject", rate)
		}
	}
	b.Run("redis", func(b *testing.B) {
		run(b, ratelimit.NewRedis(testkit.MustClient(b, testkit.MustStartRedis(b).Addr), "tg:"))
	})
	b.Run("local", func(b *testing.B) {
		l := ratelimit.NewRedis(testkit.MustClient(b, "127.0.0.1:1"), "tg:")
		l.SetClock(func() time.Duration { return 1 })
		run(b, l)
	})
}

// TestPeek: looking says what counting would, and changes nothing.
func TestPeek(t *testing.T) {
	rate := ratelimit.Rate{Limit: 2, Per: time.Hour}
	look := func(t *testing.T, l *ratelimit.Limiter) {
		t.Helper()
		for n := range 3 {
			for range 5 {
				if d := l.Peek(t.Context(), "key", rate); d.Allowed != (n < 2) || (d.RetryAfter > 0) != (n == 2) {
					t.Errorf("after %d calls: %+v", n, d)
				}
			}
			if d := l.Allow(t.Context(), "key", rate); d.Allowed != (n < 2) {
				t.Errorf("call %d: %+v", n, d)
			}
		}
	}
	onBoth(t, func(t *testing.T, client func() redis.UniversalClient) { look(t, ratelimit.NewRedis(client(), "tg:")) })
	t.Run("away", func(t *testing.T) {
		m, client := testkit.MustMini(t)
		m.Close()
		look(t, ratelimit.NewRedis(client, "tg:"))
	})
}

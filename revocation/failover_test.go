package revocation_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// scene is a store with a follower and 50 statements that every replica has.
func scene(t *testing.T, on topology, primary func() *testkit.RedisServer) (*revocation.Redis, *follower, []revocation.Revocation) {
	t.Helper()
	store := mustOpen(t, on.MustClient(t), revocationtest.Settings())
	f := follow(t, on.MustClient(t), func(c *revocation.FeedConfig) { c.Deadline = time.Second })
	var before []revocation.Revocation
	for i := range 50 {
		before = append(before, mustRevoke(t, store, revocation.KindSession, fmt.Sprint("before", i)))
	}
	f.awaitTold(before...)
	primary().MustSync()
	return store, f, before
}

// TestHandOverFailsNoRequest: a cluster hands a slot over in agreement. Nothing is
// lost, and neither a statement nor a check fails.
func TestHandOverFailsNoRequest(t *testing.T) {
	t.Parallel()
	c := testkit.MustStartCluster(t)
	store, f, _ := scene(t, c, func() *testkit.RedisServer { return c.MustPrimaryFor("{rev}") })
	var failed atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	var last revocation.Revocation
	work.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			r, err := store.Revoke(t.Context(), revocation.Order{Kind: revocation.KindSession, Value: fmt.Sprint("s", i)})
			if v := store.Check(t.Context(), &revocation.Token{JTI: "j", SID: fmt.Sprint("s", i)}); err != nil || v.State != revocation.Revoked {
				failed.Add(1)
				t.Errorf("during the hand-over: %v, %+v", err, v)
			}
			last = r
		}
	})
	c.MustHandOver(c.MustReplicaOf(c.MustPrimaryFor("{rev}")), "{rev}")
	c.MustSettle()
	cancel()
	work.Wait()
	if failed.Load() == 0 {
		f.awaitTold(last)
	}
	f.wantGaps()
}

// TestFeedLeavesAReplica: behind one address another server becomes the primary and
// the first its replica, whose connections stay. The feed does not take a replica's
// silence for news, and goes where the address leads now.
func TestFeedLeavesAReplica(t *testing.T) {
	t.Parallel()
	first, second := testkit.MustStartRedis(t, "--repl-diskless-sync-delay", "0"), testkit.MustStartRedis(t, "--repl-diskless-sync-delay", "0")
	second.MustReplicate(first)
	var addr atomic.Pointer[string]
	addr.Store(&first.Addr)
	client := redis.NewClient(&redis.Options{
		ContextTimeoutEnabled: true, DisableIdentity: true, DialerRetries: 1, MaxRetries: -1,
		Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, *addr.Load())
		},
	})
	t.Cleanup(func() { _ = client.Close() })
	store := mustOpen(t, testkit.MustClient(t, first.Addr), revocationtest.Settings())
	f := follow(t, client)
	f.awaitTold(mustRevoke(t, store, revocation.KindSession, "one"))
	first.MustSync()

	second.MustReplicate(nil)
	first.MustReplicate(second)
	testkit.MustAwait(t, "a replica's silence is no news", func() bool { return f.staleness() >= 5*block })
	addr.Store(&second.Addr)
	store = mustOpen(t, testkit.MustClient(t, second.Addr), revocationtest.Settings())
	f.awaitTold(mustRevoke(t, store, revocation.KindSession, "two"))
	f.awaitLevel()
	f.wantGaps()
}

// staleness is the age of what f knows.
func (f *follower) staleness() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.sent)
}

// TestFeedWithoutRole: a user that may not ask for the role follows all the same.
func TestFeedWithoutRole(t *testing.T) {
	t.Parallel()
	client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
	store := mustOpen(t, client, revocationtest.Settings())
	if err := client.Do(t.Context(), "acl", "setuser", "default", "-role").Err(); err != nil {
		t.Fatal(err)
	}
	f := follow(t, client)
	f.awaitTold(mustRevoke(t, store, revocation.KindSession, "one"))
	f.wantGaps()
}

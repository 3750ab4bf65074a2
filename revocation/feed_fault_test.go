package revocation_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// mustProxied starts a redis-server, a store that reaches it straight, and a
// follower that reaches it through a proxy.
func mustProxied(t *testing.T) (*testkit.RedisServer, *revocation.Redis, *testkit.Proxy, *follower) {
	t.Helper()
	server := testkit.MustStartRedis(t, "--appendfsync", "always")
	s := mustOpen(t, testkit.MustClient(t, server.Addr), revocationtest.Settings())
	mustRevoke(t, s, revocation.KindSession, "before")
	p := testkit.MustProxy(t, server.Addr)
	f := follow(t, testkit.MustClient(t, p.Addr))
	f.awaitLevel()
	return server, s, p, f
}

// TestFaultsOfTheLine: while it lasts, what is known gets older; afterwards all is
// known, and nothing counts as lost.
func TestFaultsOfTheLine(t *testing.T) {
	for name, tt := range map[string]struct {
		begin, end func(*testkit.RedisServer, *testkit.Proxy)
		heals      bool // the feed overcomes it while it lasts
	}{
		"frozen":   {begin: func(_ *testkit.RedisServer, p *testkit.Proxy) { p.Freeze() }},
		"refused":  {begin: func(_ *testkit.RedisServer, p *testkit.Proxy) { p.Refuse() }},
		"stranded": {begin: func(_ *testkit.RedisServer, p *testkit.Proxy) { p.Strand() }, heals: true},
		"cut":      {begin: func(_ *testkit.RedisServer, p *testkit.Proxy) { p.Cut() }, heals: true},
		"late":     {begin: func(_ *testkit.RedisServer, p *testkit.Proxy) { p.Delay(block / 4) }, heals: true},
		"too late": {begin: func(_ *testkit.RedisServer, p *testkit.Proxy) { p.Delay(20 * block) }},
		"dripping": {begin: func(_ *testkit.RedisServer, p *testkit.Proxy) { p.Drip(50, time.Millisecond) }, heals: true},
		"stopped": {
			begin: func(s *testkit.RedisServer, _ *testkit.Proxy) { s.MustPause() },
			end:   func(s *testkit.RedisServer, _ *testkit.Proxy) { s.MustContinue() },
		},
		"killed": {
			begin: func(s *testkit.RedisServer, _ *testkit.Proxy) { s.MustKill() },
			end:   func(s *testkit.RedisServer, _ *testkit.Proxy) { s.MustRestart() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, s, p, f := mustProxied(t)
			began := time.Now()
			tt.begin(server, p)
			if !tt.heals {
				time.Sleep(5 * block)
				f.mu.Lock()
				if age := time.Since(f.sent); age < 4*block || f.sent.After(began.Add(block)) {
					t.Errorf("in the midst of it a read of %s ago was answered", age)
				}
				f.mu.Unlock()
			}
			if tt.end != nil {
				tt.end(server, p)
			}
			f.awaitTold(mustRevoke(t, s, revocation.KindJTI, "in the midst"))
			if !tt.heals {
				t.Fatal("unreachable") // replaced below
			}
		})
	}
}

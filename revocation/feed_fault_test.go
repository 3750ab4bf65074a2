package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// network is a redis-server, a store that reaches it straight, and a follower that
// reaches it through a proxy.
type network struct {
	server *testkit.RedisServer
	store  *revocation.Redis
	proxy  *testkit.Proxy
	f      *follower
}

func mustNetwork(t *testing.T) network {
	t.Helper()
	n := network{server: testkit.MustStartRedis(t, "--appendfsync", "always")}
	n.store = mustOpen(t, testkit.MustClient(t, n.server.Addr), revocationtest.Settings())
	mustRevoke(t, n.store, revocation.KindSession, "before")
	n.proxy = testkit.MustProxy(t, n.server.Addr)
	n.f = follow(t, testkit.MustClient(t, n.proxy.Addr))
	n.f.awaitLevel()
	return n
}

// TestFaultsThatAreOvercome: the feed goes on by itself while they last.
func TestFaultsThatAreOvercome(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*testkit.Proxy){
		"stranded": (*testkit.Proxy).Strand,
		"cut":      (*testkit.Proxy).Cut,
		"late":     func(p *testkit.Proxy) { p.Delay(block / 4) },
		"dripping": func(p *testkit.Proxy) { p.Drip(50, time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			n := mustNetwork(t)
			begin(n.proxy)
			n.f.awaitTold(mustRevoke(t, n.store, revocation.KindJTI, "meanwhile"))
			n.f.awaitLevel()
			n.f.wantGaps()
		})
	}
}

// TestFaultsThatAreNot: while they last, what is known gets older and nobody is
// told otherwise; afterwards all is known, and nothing counts as lost.
func TestFaultsThatAreNot(t *testing.T) {
	t.Parallel()
	heal := func(n network) { n.proxy.Heal() }
	for name, tt := range map[string]struct {
		begin, end func(network)
		storeAway  bool
	}{
		"frozen":   {func(n network) { n.proxy.Freeze() }, heal, false},
		"refused":  {func(n network) { n.proxy.Refuse() }, heal, false},
		"too late": {func(n network) { n.proxy.Delay(20 * block) }, heal, false},
		"too slow": {func(n network) { n.proxy.Drip(1, 20*time.Millisecond) }, heal, false},
		"stopped":  {func(n network) { n.server.MustPause() }, func(n network) { n.server.MustContinue() }, true},
		"killed":   {func(n network) { n.server.MustKill() }, func(n network) { n.server.MustRestart() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			n := mustNetwork(t)
			tt.begin(n)
			began := time.Now()
			var revs []revocation.Revocation
			if !tt.storeAway {
				revs = append(revs, mustRevoke(t, n.store, revocation.KindJTI, "meanwhile"))
			}
			time.Sleep(6 * block)
			n.f.mu.Lock()
			if n.f.sent.After(began.Add(block)) || len(n.f.all) != 1 && !tt.storeAway && name != "too late" {
				t.Errorf("meanwhile a read was answered, sent %s after it began; %d records", n.f.sent.Sub(began), len(n.f.all))
			}
			n.f.mu.Unlock()
			tt.end(n)
			revs = append(revs, mustRevoke(t, n.store, revocation.KindJTI, "after"))
			n.f.awaitTold(revs...)
			n.f.awaitLevel()
			n.f.wantGaps()
		})
	}
}

// TestSlowLine: when a page does not arrive before the deadline, smaller ones are
// asked for.
func TestSlowLine(t *testing.T) {
	t.Parallel()
	server := testkit.MustStartRedis(t)
	client := testkit.MustClient(t, server.Addr)
	s := mustOpen(t, client, revocationtest.Settings())
	mustFill(t, client, s, 1_500)
	p := testkit.MustProxy(t, server.Addr)
	p.Drip(640, 10*time.Millisecond) // 64 kB/s, and a record takes 170 bytes
	f := follow(t, testkit.MustClient(t, p.Addr), func(c *revocation.FeedConfig) { c.Deadline = 10 * block })
	f.awaitLevel()
	f.wantGaps()
	if f.feed.N() != 1_500 {
		t.Errorf("level at %d", f.feed.N())
	}
}

// TestOvertakenByTrim: a process that was away for longer than the feed reaches
// back learns all that is in force all the same.
func TestOvertakenByTrim(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		settings := revocation.Settings{AccessLife: 20 * time.Millisecond, SessionLife: time.Hour, Own: "i"}
		s := mustOpen(t, k.client, settings)
		p := testkit.MustProxy(t, k.addr())
		f := follow(t, testkit.MustClient(t, p.Addr))
		f.awaitTold(mustRevoke(t, s, revocation.KindJTI, "seen"))
		f.awaitLevel()
		p.Refuse()
		var long []revocation.Revocation
		for i := range 5 {
			long = append(long, mustRevoke(t, s, revocation.KindSession, fmt.Sprint("s", i)))
		}
		undone := mustUndo(t, s, mustRevoke(t, s, revocation.KindSession, "undone").ID)
		k.advance(2100 * time.Millisecond)
		for i := range 10 {
			long = append(long, mustRevoke(t, s, revocation.KindSession, fmt.Sprint("later", i)))
		}
		if first := k.feed(t, s)[0]; first.n <= int64(f.feed.N())+1 {
			t.Fatalf("the feed begins at %d, the follower is at %d", first.n, f.feed.N())
		}
		p.Heal()
		f.awaitTold(append(long, undone)...)
		f.awaitLevel()
		f.wantGaps()
	})
}

// TestCatchUp: on a connection of its own, while Run hangs on a dead one; and
// never at the same time as Run tells something.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	n := mustNetwork(t)
	slow := follow(t, testkit.MustClient(t, n.proxy.Addr), func(c *revocation.FeedConfig) { c.Block, c.Deadline = time.Minute, 2*time.Minute })
	slow.await("level", func() bool { return slow.level })
	time.Sleep(block) // until it waits
	n.proxy.Strand()
	r := mustRevoke(t, n.store, revocation.KindJTI, "meanwhile")
	before := time.Now()
	soon, done := context.WithTimeout(t.Context(), 20*time.Second)
	defer done()
	if err := slow.feed.CatchUp(soon); err != nil { // the pool's own connections are dead
		t.Fatal(err)
	}
	slow.mu.Lock()
	if slow.cut(r) == 0 || !slow.level || slow.sent.Before(before) {
		t.Errorf("cut %d, level %v, sent %s before", slow.cut(r), slow.level, before.Sub(slow.sent))
	}
	slow.mu.Unlock()
	n.proxy.Heal() // what the wait was told is known already, and is not told again
	slow.awaitTold(mustRevoke(t, n.store, revocation.KindJTI, "after"))
	slow.mu.Lock()
	for i, r := range slow.all {
		if r.N != uint64(i+1) {
			t.Errorf("record %d has n %d", i, r.N)
		}
	}
	slow.mu.Unlock()
	slow.wantGaps()

	n.proxy.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), block)
	defer cancel()
	if err := slow.feed.CatchUp(ctx); !errors.Is(err, revocation.ErrUnavailable) {
		t.Errorf("on a frozen line: %v", err)
	}
	n.proxy.Heal()
	var stopped sync.WaitGroup
	stopped.Go(slow.stop)
	time.Sleep(block)
	mustRevoke(t, n.store, revocation.KindJTI, "last") // ends the wait of a minute
	stopped.Wait()
}

// TestReadersAtOnce: however many read, each record is told once and in order.
func TestReadersAtOnce(t *testing.T) {
	t.Parallel()
	n := mustNetwork(t)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if err := n.f.feed.CatchUp(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 200 {
		mustRevoke(t, n.store, revocation.KindJTI, fmt.Sprint(i))
	}
	n.f.awaitTold(mustRevoke(t, n.store, revocation.KindKey, "last"))
	cancel()
	readers.Wait()
	n.f.stop()
	n.f.wantGaps()
	for i, r := range n.f.all {
		if r.N != uint64(i+1) {
			t.Fatalf("record %d has n %d", i, r.N)
		}
	}
}

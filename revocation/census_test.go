package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// mustMiniAt starts a miniredis and returns what moves its clock.
func mustMiniAt(t *testing.T) (func(time.Duration), redis.UniversalClient) {
	t.Helper()
	m, client := testkit.MustMini(t)
	return miniAdvance(m), client
}

// wait revokes a jti, telling the edges that it is waited for, and waits.
func wait(t *testing.T, s *revocation.Redis, c *revocation.Census, jti string, atMost time.Duration) (live, applied int) {
	t.Helper()
	r, err := s.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: jti, Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), atMost)
	defer cancel()
	live, applied, err = c.Wait(ctx, r.Seq, r.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	return live, applied
}

// waitBut waits in vain for one edge, over and over until the others are in time: a
// busy machine may make them late as well.
func waitBut(t *testing.T, s *revocation.Redis, c *revocation.Census, jti string) {
	t.Helper()
	testkit.MustAwait(t, jti+": all but one of three", func() bool {
		live, applied := wait(t, s, c, jti, 3*block)
		if live > 3 || applied > 2 {
			t.Errorf("%s: %d live, %d applied", jti, live, applied)
		}
		return live == 3 && applied >= 2
	})
}

// TestWait: three edges that follow the feed. A wait ends when the last of them has
// applied the record; before it does, the wait goes on to its end and says so.
func TestWait(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		s, c := mustOpen(t, k.client, revocationtest.Settings()), mustCensus(t, k.client)
		if live, applied := wait(t, s, c, "nobody", time.Minute); live != 0 || applied != 0 {
			t.Errorf("nobody is there: %d live, %d applied", live, applied)
		}
		var edges []*following
		for i := range 3 {
			edges = append(edges, mustFollow(t, k.client, fmt.Sprint("edge-", i)))
		}
		begun := time.Now()
		for i := range 10 {
			jti := fmt.Sprint("j", i)
			if live, applied := wait(t, s, c, jti, time.Minute); live != 3 || applied != 3 {
				t.Fatalf("%d live, %d applied", live, applied)
			}
			d := revocation.DigestOf(revocationtest.Settings().Own, revocation.KindJTI, jti)
			for _, e := range edges {
				e.follower.mu.Lock()
				if e.follower.last[d].Cut == 0 {
					t.Errorf("%s is said to have applied what it has not", e.Name())
				}
				e.follower.mu.Unlock()
			}
		}
		t.Logf("a revocation that waits for three edges takes %s", time.Since(begun)/10)
		if live, applied := wait(t, s, c, "j0", time.Minute); live != 3 || applied != 3 {
			t.Errorf("of what stands already: %d live, %d applied", live, applied)
		}
		edges[1].paused.Store(true)
		waitBut(t, s, c, "one is late")
		if err := edges[1].Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		if live, applied := wait(t, s, c, "after it has left", time.Minute); live != 2 || applied != 2 {
			t.Errorf("one has left: %d live, %d applied", live, applied)
		}
		loading := mustEdge(t, k.client, "loading")
		loading.mustRegister(t)
		waitBut(t, s, c, "one loads")
	})
}

// TestWaitAcrossALoss: after a loss the first edge that is back is not taken for all
// of them, and a wait for a record of an epoch that is over ends.
func TestWaitAcrossALoss(t *testing.T) {
	m, client := mustMiniAt(t)
	s, c := mustOpen(t, client, revocationtest.Settings()), mustCensus(t, client)
	first, second := mustEdge(t, client, "first"), mustEdge(t, client, "second")
	old := mustRevoke(t, s, revocation.KindJTI, "before")
	first.mustRegister(t)
	second.mustRegister(t)
	if err := client.FlushAll(t.Context()).Err(); err != nil { //nolint:forbidigo // the test's own server: the loss is what is tested
		t.Fatal(err)
	}
	mustAdmit(t, s)
	r := mustRevoke(t, s, revocation.KindJTI, "after")
	first.say(r.Seq, r.Epoch)
	first.mustRegister(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*block)
	defer cancel()
	if live, applied, err := c.Wait(ctx, r.Seq, r.Epoch); live != 1 || applied != 1 || err != nil || ctx.Err() == nil {
		t.Errorf("%d live, %d applied, %v; over in time: %v", live, applied, err, ctx.Err())
	}
	if _, applied, err := c.Wait(t.Context(), old.Seq, old.Epoch); applied != 0 || err != nil {
		t.Errorf("a record of another epoch: %d applied, %v", applied, err)
	}
	second.say(r.Seq, r.Epoch)
	second.mustRegister(t)
	m(4 * time.Second) // store time is a little ahead of the clock that stands still
	if live, applied, err := c.Wait(t.Context(), r.Seq, r.Epoch); live != 2 || applied != 2 || err != nil {
		t.Errorf("%d live, %d applied, %v", live, applied, err)
	}
}

// TestWaitOnADeadStore: what was counted last is the answer, and nothing is made up
// when there was none.
func TestWaitOnADeadStore(t *testing.T) {
	server := testkit.MustStartRedis(t)
	proxy := testkit.MustProxy(t, server.Addr)
	client := testkit.MustClient(t, server.Addr)
	s, c := mustOpen(t, client, revocationtest.Settings()), mustCensus(t, testkit.MustClient(t, proxy.Addr))
	mustEdge(t, client, "loading").mustRegister(t)
	r := mustRevoke(t, s, revocation.KindJTI, "j")
	counted := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-counted
		cancel()
	}()
	wantCount(t, c, r.Seq, r.Epoch, 1, 0)
	time.AfterFunc(10*block, func() { proxy.Freeze(); close(counted) })
	if live, applied, err := c.Wait(ctx, r.Seq, r.Epoch); live != 1 || applied != 0 || err != nil {
		t.Errorf("%d live, %d applied, %v", live, applied, err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), block)
	defer cancel()
	if _, _, err := c.Wait(ctx, r.Seq, r.Epoch); !errors.Is(err, revocation.ErrUnavailable) {
		t.Errorf("without any count: %v", err)
	}
}

// TestRunMends: an edge whose store was away reports again by itself, and one that
// has left does not.
func TestRunMends(t *testing.T) {
	server := testkit.MustStartRedis(t)
	proxy := testkit.MustProxy(t, server.Addr)
	client := testkit.MustClient(t, server.Addr)
	mustOpen(t, client, revocationtest.Settings())
	c, e := mustCensus(t, client), mustEdge(t, testkit.MustClient(t, proxy.Addr), "host")
	e.mustRegister(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	proxy.Refuse()
	e.say(1, "e")
	e.Applied(1) // lost
	proxy.Heal()
	for late := time.After(20 * time.Second); ; {
		if _, applied, err := c.Count(t.Context(), 1, "e"); err != nil {
			t.Fatal(err)
		} else if applied == 1 {
			break
		}
		select {
		case <-late:
			t.Fatal("no report")
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := e.Deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.Applied(2)
	time.Sleep(block)
	wantCount(t, c, 1, "e", 0, 0)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// BenchmarkEdges has the costs of 300 edges in Redis's time: one report, one count,
// one list.
func BenchmarkEdges(b *testing.B) {
	client := testkit.MustClient(b, testkit.MustStartRedis(b).Addr)
	s, err := revocation.NewRedis(client, "tg:", revocationtest.Settings())
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	var edges []*revocation.Registrar
	for i := range 300 {
		r, err := revocation.NewRegistrar(revocation.RegistrarConfig{Client: client, Prefix: "tg:", Name: fmt.Sprint("edge-", i), Report: func() revocation.EdgeReport {
			return revocation.EdgeReport{N: 1, Epoch: "e", KeySet: "0123456789abcdef", Routes: "0123456789abcdef"}
		}})
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Register(b.Context()); err != nil {
			b.Fatal(err)
		}
		edges = append(edges, r)
	}
	c, err := revocation.NewCensus(client, "tg:")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("report", func(b *testing.B) {
		var i int
		for b.Loop() {
			i++
			if err := edges[i%len(edges)].Register(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if _, applied, err := c.Count(b.Context(), 1, "e"); err != nil || applied != 300 {
				b.Fatal(applied, err)
			}
		}
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if list, err := c.Edges(b.Context()); err != nil || len(list) != 300 {
				b.Fatal(len(list), err)
			}
		}
	})
}

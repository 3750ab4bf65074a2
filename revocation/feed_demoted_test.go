package revocation_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// pair is a server that has a replica, which can take its place.
type pair struct {
	t                *testing.T
	old, next        redis.UniversalClient
	oldAddr, newAddr string
	store            *revocation.Redis // on the old one
}

func newPair(t *testing.T) *pair {
	t.Helper()
	first, second := startPrimary(t), startPrimary(t)
	p := &pair{t: t, old: testkit.MustClient(t, first.Addr), next: testkit.MustClient(t, second.Addr), oldAddr: first.Addr, newAddr: second.Addr}
	p.store = mustOpen(t, p.old, revocationtest.Settings())
	mustRevoke(t, p.store, revocation.KindKey, "before")
	p.follow(p.next, first.Addr)
	return p
}

// follow makes a server the replica of another and waits until it has what that has.
func (p *pair) follow(c redis.UniversalClient, addr string) {
	host, port, _ := strings.Cut(addr, ":")
	if err := c.SlaveOf(context.Background(), host, port).Err(); err != nil {
		p.t.Error(err)
	}
	testkit.MustAwait(p.t, "synchronised", func() bool {
		return strings.Contains(c.Info(p.t.Context(), "replication").Val(), "master_link_status:up")
	})
}

// swap makes the replica the primary, and the primary its replica, when it has so many
// records. It returns the time.
func (p *pair) swap(records int64) time.Time {
	testkit.MustAwait(p.t, "the replica has all", func() bool { return p.next.XLen(p.t.Context(), p.store.FeedKey()).Val() == records })
	if err := p.next.SlaveOf(context.Background(), "no", "one").Err(); err != nil {
		p.t.Error(err)
	}
	p.follow(p.old, p.newAddr)
	return time.Now()
}

// within takes what comes from a channel, which must be soon.
func within[T any](t *testing.T, what string, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: not within 30s", what)
	}
	return v
}

// TestWaitOnADemotedServer: a server that was made a replica between two waits answers
// the second one with what its new primary lets it have. That is told, but it is no
// reason to take what is known for fresh: there may be more that it does not have.
func TestWaitOnADemotedServer(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	var demote sync.Once
	demoted := make(chan time.Time, 1)
	f := follow(t, testkit.MustClient(t, p.oldAddr), func(c *revocation.FeedConfig) {
		c.Block, c.Deadline = time.Minute, 2*time.Minute // no scan on the way
		apply := c.Apply
		c.Apply = func(records []revocation.Record) {
			apply(records)
			if records[0].N == 2 { // by a wait; the next one is not sent before this returns
				demote.Do(func() {
					defer close(demoted)
					demoted <- p.swap(2)
				})
			}
		}
	})
	t.Cleanup(func() { p.old.Do(context.Background(), "client", "kill", "type", "normal") }) // ends the wait
	f.await("level", func() bool { return f.level })
	mustRevoke(t, p.store, revocation.KindKey, "the last of the old primary")
	at := within(t, "demoted", demoted)
	f.awaitTold(mustRevoke(t, mustOpen(t, p.next, revocationtest.Settings()), revocation.KindKey, "of the new one"))
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.sent.Before(at) {
		t.Errorf("known as of %s after the server was made a replica", f.sent.Sub(at))
	}
}

// TestDemotedInTheMiddleOfAWait: from then on nothing that the server says makes what is
// known fresher.
func TestDemotedInTheMiddleOfAWait(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	refused := make(chan struct{})
	once := sync.OnceFunc(func() { close(refused) })
	f := follow(t, testkit.MustClient(t, p.oldAddr), func(c *revocation.FeedConfig) {
		c.Failed = func(err error) {
			if strings.Contains(err.Error(), "a replica answered") {
				once()
			}
		}
	})
	f.awaitLevel()
	at := p.swap(1)
	within(t, "a scan that is refused", refused)
	next := mustOpen(t, p.next, revocationtest.Settings())
	for i := range 10 {
		mustRevoke(t, next, revocation.KindKey, fmt.Sprint(i))
		time.Sleep(block / 3)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.sent.Before(at) {
		t.Errorf("known as of %s after the server was made a replica", f.sent.Sub(at))
	}
}

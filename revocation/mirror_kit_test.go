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

// copier is a process with a mirror.
type copier struct {
	*revocation.Mirror
	t     *testing.T
	store *revocation.Redis
	stop  func() // ends Run and waits for it

	mu     sync.Mutex
	doubts []string
	heard  int
}

// mirror starts a mirror of the store under "tg:".
func mirror(t *testing.T, client redis.UniversalClient, change ...func(*revocation.MirrorConfig)) *copier {
	t.Helper()
	c := newMirror(t, client, change...)
	c.run()
	return c
}

// newMirror makes a mirror that does not run yet.
func newMirror(t *testing.T, client redis.UniversalClient, change ...func(*revocation.MirrorConfig)) *copier {
	t.Helper()
	c := &copier{t: t, stop: func() {}}
	var err error
	if c.store, err = revocation.NewRedis(client, "tg:", revocationtest.Settings()); err != nil {
		t.Fatal(err)
	}
	cfg := revocation.MirrorConfig{
		Store: c.store, Client: client, Prefix: "tg:", Settings: revocationtest.Settings(), MaxStale: 3 * block,
		Heard: func(r []revocation.Record) { c.note(func() { c.heard += len(r) }) },
		Doubt: func(reason string) { c.note(func() { c.doubts = append(c.doubts, reason) }) },
	}
	for _, ch := range change {
		ch(&cfg)
	}
	if c.Mirror, err = revocation.NewMirror(cfg); err != nil {
		t.Fatalf("new mirror: %v", err)
	}
	return c
}

func (c *copier) note(take func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	take()
}

func (c *copier) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Mirror.Run(ctx) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Errorf("run: %v", err)
		}
	})
	c.t.Cleanup(c.stop)
}

// awaitLevel waits for what the store holds now.
func (c *copier) awaitLevel() {
	c.t.Helper()
	from := time.Now()
	testkit.MustAwait(c.t, "level", func() bool {
		s := c.Status()
		return s.Level && time.Now().Add(-s.Stale).After(from)
	}, c.detail)
}

func (c *copier) detail() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%+v, doubts %q", c.Status(), c.doubts)
}

// born returns a token that revocations of jti, its session and its subject name.
func (c *copier) born(jti string) *revocation.Token {
	c.t.Helper()
	at, err := c.Now(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return &revocation.Token{
		Issuer: revocationtest.Settings().Own, Own: true, JTI: jti, SID: "s-" + jti, Subject: "u-" + jti, KeyID: "key-1",
		Born: at, IssuedAt: at / 1e6,
	}
}

// awaitState waits until a check says so.
func (c *copier) awaitState(what string, tok *revocation.Token, want revocation.State) {
	c.t.Helper()
	testkit.MustAwait(c.t, what+" to be "+want.String(), func() bool { return c.Check(c.t.Context(), tok).State == want }, c.detail)
}

func (c *copier) wantState(what string, tok *revocation.Token, want revocation.State) {
	c.t.Helper()
	if v := c.Check(c.t.Context(), tok); v.State != want {
		c.t.Errorf("%s: %+v, want %s; %s", what, v, want, c.detail())
	}
}

// onBothLive runs a test on miniredis and on a real redis-server, with clocks that
// go.
func onBothLive(t *testing.T, test func(t *testing.T, k kit)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		_, client := testkit.MustMini(t)
		test(t, kit{client: client})
	})
	t.Run("redis-server", func(t *testing.T) {
		test(t, kit{client: testkit.MustClient(t, testkit.MustStartRedis(t).Addr)})
	})
}

// fleet is three processes with a mirror each.
type fleet struct {
	kit
	t   *testing.T
	all []*copier
}

func newFleet(t *testing.T, k kit) fleet {
	t.Helper()
	mustOpen(t, k.client, revocationtest.Settings())
	f := fleet{kit: k, t: t}
	for range 3 {
		f.all = append(f.all, mirror(t, k.client))
	}
	f.awaitLevel()
	return f
}

func (f fleet) awaitLevel() {
	f.t.Helper()
	for _, c := range f.all {
		c.awaitLevel()
	}
}

// epoch is the epoch's hash.
func (f fleet) epoch() map[string]string {
	f.t.Helper()
	return f.hash(f.t, f.all[0].store.EpochKey())
}

// awaitMended waits until the store has another epoch than before and vouches for all
// again, and every mirror has heard so.
func (f fleet) awaitMended(before string) {
	f.t.Helper()
	testkit.MustAwait(f.t, "mended, and every mirror at the epoch", func() bool {
		e := f.epoch()
		if e["id"] == before || e["id"] == "" || e["lost"] != "" || e["complete_since"] != "0" {
			return false
		}
		for _, c := range f.all {
			if m := c.Status().Epoch; m.ID != e["id"] || m.CompleteSince != 0 || m.Lost != 0 {
				return false
			}
		}
		return true
	}, func() string { return fmt.Sprint(f.epoch()) }, f.all[0].detail, f.all[1].detail, f.all[2].detail)
}

func fieldsOf(list string) []string { return strings.Fields(list) }

package revocation_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

func TestNewRedisRefuses(t *testing.T) {
	_, client := testkit.MustMini(t)
	for name, err := range map[string]error{
		"no client": second(revocation.NewRedis(nil, "", revocation.Settings{})),
		"braces":    second(revocation.NewRedis(client, "a{b}", revocation.Settings{})),
		"settings":  second(revocation.NewRedis(client, "", revocation.Settings{Leeway: -1})),
	} {
		if !errors.Is(err, revocation.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ *revocation.Redis, err error) error { return err }

func TestKeysAreInOneSlot(t *testing.T) {
	_, client := testkit.MustMini(t)
	for _, prefix := range []string{"", "tg:", "x"} {
		s, err := revocation.NewRedis(client, prefix, revocation.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{s.EpochKey(), s.FeedKey(), s.EntryKey(revocation.Digest{})} {
			if !strings.HasPrefix(key, prefix+"{rev}:") {
				t.Errorf("key %q", key)
			}
		}
	}
}

// TestOpen: which epochs vouch for tokens from before them.
func TestOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		mustEpoch := func(s *revocation.Redis) revocation.Epoch {
			e, err := s.Epoch(t.Context())
			if err != nil {
				t.Fatalf("epoch: %v", err)
			}
			return e
		}
		s := mustOpen(t, k.client, revocationtest.Settings())
		first := mustEpoch(s)
		if first.CompleteSince != 0 {
			t.Fatalf("the very first epoch: %+v", first)
		}
		mustOpen(t, k.client, revocationtest.Settings())
		if err := s.Open(t.Context()); err != nil || mustEpoch(s).ID != first.ID {
			t.Fatalf("opened again: %+v, %v", mustEpoch(s), err)
		}

		r := mustRevoke(t, s, revocation.KindJTI, "j")
		last := k.feed(t, s)[0]
		k.client.Del(t.Context(), s.EpochKey()) // the epoch alone is gone
		fresh := mustOpen(t, k.client, revocationtest.Settings())
		e := mustEpoch(fresh)
		if e.ID == first.ID || e.CompleteSince != e.Born || e.N != r.Seq {
			t.Fatalf("with a feed from before: %+v", e)
		}
		if _, err := fresh.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "j2"}); !errors.Is(err, revocation.ErrUnavailable) {
			t.Fatalf("revoked before anybody has read what is left: %v", err)
		}
		if n := len(k.feed(t, s)); n != 1 {
			t.Fatalf("%d records", n)
		}
		mustAdmit(t, fresh)
		mustRevoke(t, fresh, revocation.KindJTI, "j2")
		if feed := k.feed(t, s); len(feed) != 2 || feed[1].prev != last.nonce || feed[1].n != last.n+1 {
			t.Fatalf("feed %+v", feed)
		}

		k.client.FlushAll(t.Context()) //nolint:forbidigo // the test's own server: everything is gone, and this process knows
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e := mustEpoch(s); e.CompleteSince != e.Born {
			t.Fatalf("after a loss: %+v", e)
		}
	})
}

// TestStoreTimeSurvivesTheServer: a server that forgot the clock, and whose own
// is behind, does not take store time back.
func TestStoreTimeSurvivesTheServer(t *testing.T) {
	m, client := testkit.MustMini(t)
	m.SetTime(time.Now())
	s := mustOpen(t, client, revocationtest.Settings())
	before, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, forget := range map[string]func(){
		"the clock alone": func() { client.HSet(t.Context(), s.EpochKey(), "clock", "1") },
		"everything":      func() { m.FlushAll() },
	} {
		forget()
		m.SetTime(time.UnixMicro(before).Add(-3 * time.Second))
		after, err := s.Now(t.Context())
		if err != nil || after <= before {
			t.Errorf("%s: store time %d after %d, %v", name, after, before, err)
		}
		mustAdmit(t, s)
		r := mustRevoke(t, s, revocation.KindSubject, "u")
		if r.RevokedAt.UnixMicro() <= after {
			t.Errorf("%s: cut-off at %d after a birth at %d", name, r.RevokedAt.UnixMicro(), after)
		}
	}
}

// TestStrangersAtOurKeys: what is not ours at our names is never taken for
// "nothing is revoked".
func TestStrangersAtOurKeys(t *testing.T) {
	digest := revocation.DigestOf("i", revocation.KindJTI, "j")
	tests := map[string]func(context.Context, redis.UniversalClient, *revocation.Redis) error{
		"entry of another type": func(ctx context.Context, c redis.UniversalClient, s *revocation.Redis) error {
			return c.Set(ctx, s.EntryKey(digest), "x", 0).Err()
		},
		"entry of another kind": func(ctx context.Context, c redis.UniversalClient, s *revocation.Redis) error {
			return c.HSet(ctx, s.EntryKey(digest), "k", "session", "cut", "1").Err()
		},
		"entry of no kind": func(ctx context.Context, c redis.UniversalClient, s *revocation.Redis) error {
			return c.HSet(ctx, s.EntryKey(digest), "cut", "1").Err()
		},
		"entry with a cut that is no number": func(ctx context.Context, c redis.UniversalClient, s *revocation.Redis) error {
			return c.HSet(ctx, s.EntryKey(digest), "k", "jti", "cut", "1.7e15").Err()
		},
		"epoch of another type": func(ctx context.Context, c redis.UniversalClient, s *revocation.Redis) error {
			c.Del(ctx, s.EpochKey())
			return c.Set(ctx, s.EpochKey(), "x", 0).Err()
		},
		"epoch with a birth that is no number": func(ctx context.Context, c redis.UniversalClient, s *revocation.Redis) error {
			return c.HSet(ctx, s.EpochKey(), "born", "-1").Err()
		},
	}
	for name, put := range tests {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, k kit) {
				s := mustOpen(t, k.client, revocation.Settings{Own: "i"})
				if err := put(t.Context(), k.client, s); err != nil {
					t.Fatal(err)
				}
				v := s.Check(t.Context(), &revocation.Token{JTI: "j"})
				if v.State != revocation.Unknown || v.Cause != revocation.CauseBroken || v.Err == nil { // never what "allow" covers
					t.Errorf("verdict %+v", v)
				}
			})
		})
	}
}

func TestScriptsAreSentAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocation.Settings{Own: "i"})
		r := mustRevoke(t, s, revocation.KindJTI, "j")
		if err := k.client.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if v := s.Check(t.Context(), &revocation.Token{JTI: "j"}); v.State != revocation.Revoked {
			t.Errorf("verdict %+v", v)
		}
		mustUndo(t, s, r.ID)
	})
}

// TestHungServer: connections stay, answers do not come.
func TestHungServer(t *testing.T) {
	server := testkit.MustStartRedis(t)
	s := mustOpen(t, testkit.MustClient(t, server.Addr), revocation.Settings{Own: "i"})
	server.MustPause()
	t.Cleanup(server.MustContinue)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	v := s.Check(ctx, &revocation.Token{JTI: "j"})
	if took := time.Since(start); v.State != revocation.Unknown || v.Cause != revocation.CauseUnreachable || took > 2500*time.Millisecond { // the client alone would wait longer
		t.Errorf("verdict %+v after %s", v, took)
	}
}

// TestServerThatCannotWrite: a full server and a replica answer writes with
// errors. Nothing is half written; what a full one knows is still refused, while a
// replica's word counts neither way: what it has may be undone by now.
func TestServerThatCannotWrite(t *testing.T) {
	for name, command := range map[string][]any{
		"full":    {"config", "set", "maxmemory", "1"},
		"replica": {"replicaof", "127.0.0.1", strconv.Itoa(testkit.MustFreePort(t))},
	} {
		t.Run(name, func(t *testing.T) {
			server := testkit.MustStartRedis(t)
			k := kit{client: testkit.MustClient(t, server.Addr)}
			s := mustOpen(t, k.client, revocation.Settings{Own: "i"})
			r := mustRevoke(t, s, revocation.KindJTI, "j")
			if err := k.client.Do(t.Context(), command...).Err(); err != nil {
				t.Fatal(err)
			}
			before := k.hash(t, s.EpochKey())
			if _, err := s.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "k"}); !errors.Is(err, revocation.ErrUnavailable) {
				t.Errorf("revoke: %v", err)
			}
			if _, err := s.Undo(t.Context(), r.ID); !errors.Is(err, revocation.ErrUnavailable) {
				t.Errorf("undo: %v", err)
			}
			if after := k.hash(t, s.EpochKey()); after["n"] != before["n"] || len(k.feed(t, s)) != 1 {
				t.Errorf("epoch %v, was %v", after, before)
			}
			revoked, unrevoked := revocation.Revoked, revocation.Clear
			if name == "replica" {
				revoked, unrevoked = revocation.Unknown, revocation.Unknown
			}
			if v := s.Check(t.Context(), &revocation.Token{JTI: "j"}); v.State != revoked {
				t.Errorf("verdict %+v", v)
			}
			if v := s.Check(t.Context(), &revocation.Token{JTI: "k"}); v.State != unrevoked {
				t.Errorf("verdict %+v", v)
			}
		})
	}
}

// TestCluster: a server in cluster mode refuses scripts that leave their slot.
func TestCluster(t *testing.T) {
	t.Parallel()
	server := testkit.MustStartRedis(t, "--cluster-enabled", "yes")
	node := testkit.MustClient(t, server.Addr)
	if err := node.Do(t.Context(), "cluster", "addslotsrange", 0, 16383).Err(); err != nil {
		t.Fatalf("take all slots: %v", err)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.Addr}, ContextTimeoutEnabled: true, DisableIdentity: true})
	t.Cleanup(func() { _ = client.Close() })
	testkit.MustAwait(t, "the cluster", func() bool { return client.Set(t.Context(), "up", "1", 0).Err() == nil })
	s := mustOpen(t, client, revocation.Settings{AccessLife: time.Millisecond, Own: "i"})
	for range 20 { // long-lived entries, so that trim reaches for them
		mustRevoke(t, s, revocation.KindSubject, "u")
		mustRevoke(t, s, revocation.KindSession, nonce(t, s))
		time.Sleep(2 * time.Millisecond)
	}
	k := kit{client: client}
	k.wantChain(t, s, k.feed(t, s))
	if k.hash(t, s.EpochKey())["trimmed"] == "0" {
		t.Error("nothing was trimmed")
	}
	p, err := s.List(t.Context(), revocation.Filter{})
	if err != nil || len(p.Items) != 40 {
		t.Fatalf("%d listed, %v", len(p.Items), err)
	}
	mustUndo(t, s, p.Items[0].ID)
	if v := s.Check(t.Context(), &revocation.Token{JTI: "j", SID: "s", Subject: "u", IssuedAt: 1}); v.Kind != revocation.KindSubject {
		t.Errorf("verdict %+v", v)
	}
}

// nonce returns a text that no other call returns.
func nonce(t *testing.T, s revocation.Store) string {
	t.Helper()
	now, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(now, 10)
}

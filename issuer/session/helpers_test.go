package session

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

const (
	prefix = "t:"
	issuer = "https://issuer.example"
)

// ordinary is what most tests run with.
func ordinary() Settings {
	return Settings{
		AccessTTL: 5 * time.Minute, RefreshTTL: 24 * time.Hour, MaxTTL: 720 * time.Hour,
		Grace: 5 * time.Second, Leeway: 10 * time.Second, Rotate: true,
	}
}

// box is a session store on a running Redis, with the revocations beside it.
type box struct {
	*Store
	rev *revocation.Redis
}

// onEach runs a test on miniredis and on a redis-server.
func onEach(t *testing.T, s Settings, test func(t *testing.T, b box)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		_, client := testkit.MustMini(t)
		test(t, mustBox(t, client, s))
	})
	t.Run("redis-server", func(t *testing.T) {
		test(t, mustBox(t, testkit.MustClient(t, testkit.MustStartRedis(t).Addr), s))
	})
}

func mustBox(t testing.TB, client redis.UniversalClient, s Settings) box {
	t.Helper()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	rev, err := revocation.NewRedis(client, "r:", revocation.Settings{
		Leeway: s.Leeway, AccessLife: s.AccessTTL, SessionLife: s.MaxTTL, Own: issuer,
	})
	if err == nil {
		err = rev.Open(t.Context())
	}
	if err != nil {
		t.Fatalf("open revocations: %v", err)
	}
	b := box{NewStore(client, prefix, issuer, s, rev), rev}
	b.settle = 0
	return b
}

// with returns a store on the same Redis with other settings.
func (b box) with(change func(*Settings)) box {
	s := b.settings
	change(&s)
	b.Store = NewStore(b.client, prefix, issuer, s, b.rev)
	b.settle = 0
	return b
}

func (b box) mustBirth(t testing.TB) int64 {
	t.Helper()
	birth, err := b.rev.Now(t.Context())
	if err != nil {
		t.Fatalf("store time: %v", err)
	}
	return birth
}

func (b box) mustStart(t testing.TB, subject string) Pair {
	t.Helper()
	p, err := b.Start(t.Context(), Start{Birth: b.mustBirth(t), Subject: subject, Username: "name of " + subject})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	return p
}

func (b box) mustRotate(t testing.TB, p Pair, opts ...Option) Pair {
	t.Helper()
	next, err := b.refresh(t, p, opts...)
	if err != nil {
		t.Fatalf("Rotate of generation %d: %v", p.Generation, err)
	}
	return next
}

// mustDeliver rotates and marks the answer as delivered.
func (b box) mustDeliver(t testing.TB, p Pair) Pair {
	t.Helper()
	next := b.mustRotate(t, p)
	if err := b.Delivered(t.Context(), next.SID, next.Generation); err != nil {
		t.Fatalf("Delivered: %v", err)
	}
	return next
}

// refresh presents a pair's refresh token.
func (b box) refresh(t testing.TB, p Pair, opts ...Option) (Pair, error) {
	t.Helper()
	return b.Rotate(t.Context(), p.SID, p.Generation, p.Refresh.JTI, opts...)
}

// verdict is what an edge finds about a pair's access token.
func (b box) verdict(t testing.TB, p Pair) revocation.Verdict {
	t.Helper()
	birth, ok := Birth(p.SID)
	if !ok {
		t.Fatalf("%q carries no birth", p.SID)
	}
	return b.rev.Check(t.Context(), &revocation.Token{
		Issuer: issuer, JTI: p.Access.JTI, SID: p.SID, Subject: p.Subject, Born: birth, IssuedAt: p.Access.IssuedAt.Unix(), Own: true,
	})
}

// mustState reads a session's record as it is, without completing anything.
func (b box) mustState(t testing.TB, sid string) string {
	t.Helper()
	state, err := b.state(t.Context(), sid)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func (b box) fields(t testing.TB, sid string) map[string]string {
	t.Helper()
	return b.client.HGetAll(t.Context(), b.names.session(sid)).Val()
}

// mustAge makes a session older by whole seconds, as if the clock had gone on.
func (b box) mustAge(t testing.TB, sid string, d time.Duration) {
	t.Helper()
	key := b.names.session(sid)
	for field, unit := range map[string]time.Duration{
		"created": time.Second, "used": time.Second, "ri": time.Second, "rx": time.Second, "ai": time.Second, "ax": time.Second,
		"pri": time.Second, "prx": time.Second, "pai": time.Second, "pax": time.Second, "ends": time.Second, "at": time.Millisecond,
	} {
		text, err := b.client.HGet(t.Context(), key, field).Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		n, perr := strconv.ParseInt(text, 10, 64)
		if err := errors.Join(err, perr, b.client.HSet(t.Context(), key, field, n-int64(d/unit)).Err()); err != nil {
			t.Fatalf("age %s: %v", field, err)
		}
	}
	ttl := b.client.TTL(t.Context(), key).Val() - d
	if err := b.client.Expire(t.Context(), key, max(ttl, time.Second)).Err(); err != nil {
		t.Fatal(err)
	}
}

// mustForget removes a record, as a failover that lost it does.
func (b box) mustForget(t testing.TB, sid string) {
	t.Helper()
	if err := b.client.Del(t.Context(), b.names.session(sid)).Err(); err != nil {
		t.Fatal(err)
	}
}

// onTopologies runs a test on a Redis Cluster and behind Sentinels.
func onTopologies(t *testing.T, s Settings, test func(t *testing.T, b box)) {
	t.Helper()
	t.Run("cluster", func(t *testing.T) { test(t, mustBox(t, testkit.MustStartCluster(t).MustClient(t), s)) })
	t.Run("sentinel", func(t *testing.T) { test(t, mustBox(t, testkit.MustStartSentinel(t).MustClient(t), s)) })
}

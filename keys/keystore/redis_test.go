package keystore_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"crypto/x509"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

func mustRedis(tb testing.TB, c redis.UniversalClient, o keystore.Options) *keystore.Redis {
	tb.Helper()
	s, err := keystore.NewRedis(c, o)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

const redisKey = "t:ring:" + issuer

func TestRedisWantsASealer(t *testing.T) {
	_, c := testkit.MustMini(t)
	if _, err := keystore.NewRedis(c, keystore.Options{Issuer: issuer}); !errors.Is(err, keystore.ErrUnsealed) {
		t.Errorf("without a sealer: %v", err)
	}
	if _, err := keystore.NewRedis(c, keystore.Options{Sealer: mustSealer(t, 1)}); err == nil {
		t.Error("a store of no issuer was made")
	}
}

// onBoth runs a test on miniredis and on a real server.
func onBoth(t *testing.T, f func(t *testing.T, c redis.UniversalClient)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		_, c := testkit.MustMini(t)
		f(t, c)
	})
	t.Run("redis", func(t *testing.T) { f(t, testkit.MustClient(t, testkit.MustStartRedis(t).Addr)) })
}

func TestRedisKeepsOneKeyForGood(t *testing.T) {
	onBoth(t, func(t *testing.T, c redis.UniversalClient) {
		s := mustRedis(t, c, keystore.Options{Prefix: "t:", Issuer: issuer, Sealer: mustSealer(t, 1)})
		mustSwap(t, s, 0, mustRing(t, settings))
		names, err := c.Keys(t.Context(), "*").Result()
		if err != nil || len(names) != 1 || names[0] != redisKey {
			t.Errorf("keys %v, %v", names, err)
		}
		if ttl, err := c.TTL(t.Context(), redisKey).Result(); err != nil || ttl != -1 {
			t.Errorf("TTL %v, %v", ttl, err)
		}
	})
}

func TestRedisSealedHasNoPrivateKey(t *testing.T) {
	onBoth(t, func(t *testing.T, c redis.UniversalClient) {
		r := mustRing(t, settings)
		found := func(o keystore.Options) bool {
			o.Prefix, o.Issuer = "t:", issuer
			mustSwap(t, mustRedis(t, c, o), 0, r)
			all, err := c.HGetAll(t.Context(), redisKey).Result()
			if err != nil {
				t.Fatal(err)
			}
			c.Del(t.Context(), redisKey)
			der, err := x509.MarshalPKCS8PrivateKey(r.Keys[0].Private)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains(all["ring"], base64.StdEncoding.EncodeToString(der))
		}
		if !found(keystore.Options{AllowUnsealed: true}) {
			t.Error("the search does not find an unsealed key: the test is worth nothing")
		}
		if found(keystore.Options{Sealer: mustSealer(t, 1)}) {
			t.Error("a sealed ring has its private key in the clear")
		}
		if found(keystore.Options{Sealer: mustSealer(t, 1), AllowUnsealed: true}) {
			t.Error("AllowUnsealed switched the sealer off")
		}
	})
}

func TestRedisRefusesAForeignRing(t *testing.T) {
	sealed := keystore.Options{Prefix: "t:", Issuer: issuer, Sealer: mustSealer(t, 1)}
	one, err := mustRing(t, settings), error(nil)
	for name, c := range map[string]struct {
		spoil func(ctx context.Context, c redis.UniversalClient) error
		as    keystore.Options
		want  error
	}{
		"another sealing key": {nil, keystore.Options{Prefix: "t:", Issuer: issuer, Sealer: mustSealer(t, 2)}, keystore.ErrSealed},
		"no sealing key":      {nil, keystore.Options{Prefix: "t:", Issuer: issuer, AllowUnsealed: true}, keystore.ErrSealed},
		"moved to another prefix": {func(ctx context.Context, c redis.UniversalClient) error {
			return c.Rename(ctx, redisKey, "u:ring:"+issuer).Err()
		}, keystore.Options{Prefix: "u:", Issuer: issuer, Sealer: sealed.Sealer}, keystore.ErrSealed},
		"moved to another issuer": {func(ctx context.Context, c redis.UniversalClient) error {
			return c.Rename(ctx, redisKey, "t:ring:other").Err()
		}, keystore.Options{Prefix: "t:", Issuer: "other", Sealer: sealed.Sealer}, nil},
		"another version outside": {func(ctx context.Context, c redis.UniversalClient) error {
			return c.HSet(ctx, redisKey, "version", "9").Err()
		}, sealed, nil},
		"another version in the envelope": {func(ctx context.Context, c redis.UniversalClient) error {
			return replace(ctx, c, `"version":1`, `"version":9`)
		}, sealed, keystore.ErrSealed},
		"one bit": {func(ctx context.Context, c redis.UniversalClient) error {
			return replace(ctx, c, `"sealed":"`, `"sealed":"AAAA`)
		}, sealed, keystore.ErrSealed},
		"another format": {func(ctx context.Context, c redis.UniversalClient) error {
			return replace(ctx, c, `"format":1`, `"format":2`)
		}, sealed, nil},
		"no version": {func(ctx context.Context, c redis.UniversalClient) error {
			return c.HDel(ctx, redisKey, "version").Err()
		}, sealed, nil},
		"no JSON": {func(ctx context.Context, c redis.UniversalClient) error {
			return c.HSet(ctx, redisKey, "ring", "{").Err()
		}, sealed, nil},
		"another type": {func(ctx context.Context, c redis.UniversalClient) error {
			return errors.Join(c.Del(ctx, redisKey).Err(), c.Set(ctx, redisKey, "x", 0).Err())
		}, sealed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := testkit.MustMini(t)
			mustSwap(t, mustRedis(t, client, sealed), 0, one)
			if c.spoil != nil {
				if err = c.spoil(t.Context(), client); err != nil {
					t.Fatal(err)
				}
			}
			r, err := mustRedis(t, client, c.as).Load(t.Context())
			if err == nil || errors.Is(err, ring.ErrEmpty) {
				t.Fatalf("loaded version %d, %v", r.Version, err)
			}
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func replace(ctx context.Context, c redis.UniversalClient, old, with string) error {
	data, err := c.HGet(ctx, redisKey, "ring").Result()
	if err != nil {
		return err
	}
	if !strings.Contains(data, old) {
		return errors.New("the envelope has no " + old)
	}
	return c.HSet(ctx, redisKey, "ring", strings.Replace(data, old, with, 1)).Err()
}

// TestRedisTakesNoUnsealedRing holds that whoever can write to Redis, but does
// not have the sealing key, cannot give the issuer a key.
func TestRedisTakesNoUnsealedRing(t *testing.T) {
	_, c := testkit.MustMini(t)
	r := mustRing(t, settings)
	mustSwap(t, mustRedis(t, c, keystore.Options{Prefix: "t:", Issuer: issuer, AllowUnsealed: true}), 0, r)
	o := keystore.Options{Prefix: "t:", Issuer: issuer, Sealer: mustSealer(t, 1)}
	if _, err := mustRedis(t, c, o).Load(t.Context()); !errors.Is(err, keystore.ErrUnsealed) {
		t.Errorf("an unsealed ring: %v", err)
	}
	// With leave it is read once more and sealed by the next write.
	o.AllowUnsealed = true
	s := mustRedis(t, c, o)
	mustEqual(t, mustLoad(t, s), r)
	r.Version = 2
	mustSwap(t, s, 1, r)
	o.AllowUnsealed = false
	mustEqual(t, mustLoad(t, mustRedis(t, c, o)), r)
}

func TestRedisChangesItsSealingKey(t *testing.T) {
	_, c := testkit.MustMini(t)
	open := func(fill ...byte) *keystore.Redis {
		return mustRedis(t, c, keystore.Options{Prefix: "t:", Issuer: issuer, Sealer: mustSealer(t, fill...)})
	}
	r := mustRing(t, settings)
	mustSwap(t, open(1), 0, r)
	mustEqual(t, mustLoad(t, open(2, 1)), r) // the new one first, the old one still opens
	r.Version = 2
	mustSwap(t, open(2, 1), 1, r)
	mustEqual(t, mustLoad(t, open(2)), r)
	if _, err := open(1).Load(t.Context()); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("the old key opens what the new one sealed: %v", err)
	}
}

func TestRedisAwayIsAnErrorOfItsOwn(t *testing.T) {
	srv := testkit.MustStartRedis(t)
	s := mustRedis(t, testkit.MustClient(t, srv.Addr), keystore.Options{Issuer: issuer, Sealer: mustSealer(t, 1)})
	r := mustRing(t, settings)
	mustSwap(t, s, 0, r)
	srv.MustPause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Load(ctx); err == nil || errors.Is(err, ring.ErrEmpty) {
		t.Errorf("a server that hangs: %v", err)
	}
	srv.MustContinue()
	srv.MustKill()
	if _, err := s.Load(t.Context()); err == nil || errors.Is(err, ring.ErrEmpty) {
		t.Errorf("no server: %v", err)
	}
	if err := s.Swap(t.Context(), 1, ring.Ring{Issuer: issuer, Version: 2, Keys: r.Keys}); err == nil || errors.Is(err, ring.ErrConflict) {
		t.Errorf("no server: %v", err)
	}
}

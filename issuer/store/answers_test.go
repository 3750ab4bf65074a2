package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/store"
)

const shared = "the secret of all processes"

func onEachAnswers(t *testing.T, test func(t *testing.T, client redis.UniversalClient)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		_, client := testkit.MustMini(t)
		test(t, client)
	})
	t.Run("redis-server", func(t *testing.T) {
		test(t, testkit.MustClient(t, testkit.MustStartRedis(t).Addr))
	})
}

func attempt(key, request string) store.Attempt {
	return store.Attempt{Actor: "admin", Key: key, Request: sha256.Sum256([]byte(request)), Within: time.Minute}
}

func mustBegin(t *testing.T, s *store.Answers, a store.Attempt) *store.Place {
	t.Helper()
	place, before, err := s.Begin(t.Context(), a)
	if err != nil || before != nil || place == nil {
		t.Fatalf("begin: %v, %+v, %v", place, before, err)
	}
	return place
}

// TestAnswers: one request runs, the next gets its answer, another one is refused.
func TestAnswers(t *testing.T) {
	onEachAnswers(t, func(t *testing.T, client redis.UniversalClient) {
		s := store.NewAnswers(client, "t:", shared)
		place := mustBegin(t, s, attempt("k", "a"))
		if _, _, err := s.Begin(t.Context(), attempt("k", "a")); !errors.Is(err, store.ErrRunning) {
			t.Errorf("while it runs: %v", err)
		}
		if _, _, err := s.Begin(t.Context(), attempt("k", "b")); !errors.Is(err, store.ErrReused) {
			t.Errorf("another one while it runs: %v", err)
		}
		want := store.Answer{Status: 201, Type: "application/json", Body: []byte(`{"secret":"shown once"}`)}
		if kept, err := place.Keep(t.Context(), want); err != nil || !kept {
			t.Fatalf("keep: %v, %v", kept, err)
		}
		// Another process of the same secret has it too.
		place, before, err := store.NewAnswers(client, "t:", shared).Begin(t.Context(), attempt("k", "a"))
		if err != nil || place != nil || before == nil {
			t.Fatalf("again: %v, %v, %v", place, before, err)
		}
		if diff := cmp.Diff(want, *before); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, _, err := s.Begin(t.Context(), attempt("k", "b")); !errors.Is(err, store.ErrReused) {
			t.Errorf("another one: %v", err)
		}
		// Other keys, other people's and those under another secret are others.
		mustBegin(t, s, attempt("K", "a"))
		other := attempt("k", "a")
		other.Actor = "somebody"
		mustBegin(t, s, other)
		split := attempt("k", "a")
		split.Actor, split.Key = "adm", "ink"
		mustBegin(t, s, split)
		mustBegin(t, store.NewAnswers(client, "t:", "x"), attempt("k", "a"))
	})
}

// TestAnswersInRedis: what is there is bounded in time, and shows neither the key nor
// the answer nor a digest of the request.
func TestAnswersInRedis(t *testing.T) {
	onEachAnswers(t, func(t *testing.T, client redis.UniversalClient) {
		s := store.NewAnswers(client, "t:", shared)
		look := func(low, high time.Duration) {
			t.Helper()
			keys, err := client.Keys(t.Context(), "*").Result()
			if err != nil || len(keys) != 1 || !strings.HasPrefix(keys[0], "t:answer:{") {
				t.Fatalf("keys %v, %v", keys, err)
			}
			value, err := client.Get(t.Context(), keys[0]).Result()
			if err != nil {
				t.Fatal(err)
			}
			digest := sha256.Sum256([]byte("password=hunter2"))
			for _, secret := range []string{"the-key", "shown once", "hunter2", string(digest[:]), "status"} {
				if strings.Contains(keys[0]+value, secret) {
					t.Errorf("it shows %q: %s %q", secret, keys[0], value)
				}
			}
			if ttl := client.PTTL(t.Context(), keys[0]).Val(); ttl <= low || ttl > high {
				t.Errorf("lives %s, want at most %s", ttl, high)
			}
		}
		place := mustBegin(t, s, attempt("the-key", "password=hunter2"))
		look(30*time.Second, time.Minute)
		if _, err := place.Keep(t.Context(), store.Answer{Status: 201, Body: []byte("shown once")}); err != nil {
			t.Fatal(err)
		}
		look(23*time.Hour, store.AnswerLife)
		if err := client.Set(t.Context(), client.Keys(t.Context(), "*").Val()[0], "forged", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if place, before, err := s.Begin(t.Context(), attempt("the-key", "password=hunter2")); err == nil || place != nil || before != nil {
			t.Errorf("what nobody sealed is taken: %v, %v, %v", place, before, err)
		}
	})
}

// TestAPlaceGivenBack: a request that failed may be tried again, and one that has lost
// its place puts nothing over the answer of another.
func TestAPlaceGivenBack(t *testing.T) {
	onEachAnswers(t, func(t *testing.T, client redis.UniversalClient) {
		s := store.NewAnswers(client, "t:", shared)
		if err := mustBegin(t, s, attempt("k", "a")).Free(t.Context()); err != nil {
			t.Fatal(err)
		}
		slow := mustBegin(t, s, attempt("k", "b"))
		if err := client.Del(t.Context(), client.Keys(t.Context(), "*").Val()[0]).Err(); err != nil { // as its TTL does
			t.Fatal(err)
		}
		second := mustBegin(t, s, attempt("k", "b"))
		if kept, err := slow.Keep(t.Context(), store.Answer{Status: 200}); err != nil || kept {
			t.Errorf("it took the place of another: %v, %v", kept, err)
		}
		if err := slow.Free(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kept, err := second.Keep(t.Context(), store.Answer{Status: 204}); err != nil || !kept {
			t.Errorf("the place was taken away: %v, %v", kept, err)
		}
	})
}

// TestOneOfMany: of many at the same time one runs.
func TestOneOfMany(t *testing.T) {
	onEachAnswers(t, func(t *testing.T, client redis.UniversalClient) {
		s := store.NewAnswers(client, "t:", shared)
		var ran, waited atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				place, _, err := s.Begin(context.WithoutCancel(t.Context()), attempt("k", "a"))
				switch {
				case err == nil && place != nil:
					ran.Add(1)
				case errors.Is(err, store.ErrRunning):
					waited.Add(1)
				}
			})
		}
		wg.Wait()
		if ran.Load() != 1 || waited.Load() != 19 {
			t.Errorf("%d ran, %d waited", ran.Load(), waited.Load())
		}
	})
}

// TestAnswersWithoutRedis: nobody can say, which is neither of the other answers.
func TestAnswersWithoutRedis(t *testing.T) {
	mini, client := testkit.MustMini(t)
	s := store.NewAnswers(client, "t:", shared)
	place := mustBegin(t, s, attempt("k", "a"))
	mini.SetError("LOADING")
	if _, _, err := s.Begin(t.Context(), attempt("k", "a")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("begin: %v", err)
	}
	if _, err := place.Keep(t.Context(), store.Answer{Status: 200}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("keep: %v", err)
	}
	if err := place.Free(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("free: %v", err)
	}
}

package ring_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

const issuer = "https://issuer.example"

// begin is the bubble time of testing/synctest, so that both kinds of test agree.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return begin.Add(d) }

// hourly rotates every hour, is published 15 minutes before, and signs tokens of
// 10 minutes.
func hourly(algs ...keys.Algorithm) ring.Settings {
	return ring.Settings{Algorithms: algs, RotateEvery: time.Hour, Prepublish: 15 * time.Minute, TokenLife: 10 * time.Minute}
}

func mustAdvance(tb testing.TB, r ring.Ring, now time.Time, s ring.Settings) ring.Ring {
	tb.Helper()
	out, _, err := r.Advance(now, s)
	if err != nil {
		tb.Fatalf("advance: %v", err)
	}
	mustHold(tb, out)
	return out
}

// mustHold is the invariant checker.
func mustHold(tb testing.TB, r ring.Ring) {
	tb.Helper()
	if err := r.Validate(); err != nil {
		tb.Fatalf("version %d: %v", r.Version, err)
	}
	set, err := r.PublicSet()
	if err != nil {
		tb.Fatalf("version %d: %v", r.Version, err)
	}
	for _, k := range r.Keys {
		if _, published := set.Key(k.ID); published != (k.State != ring.Revoked) {
			tb.Fatalf("version %d: %s key %s is published: %v", r.Version, k.State, k.ID, published)
		}
	}
}

// only returns the one key of an algorithm in a state.
func only(tb testing.TB, r ring.Ring, alg keys.Algorithm, state ring.State) ring.Key {
	tb.Helper()
	var found []ring.Key
	for _, k := range r.Keys {
		if k.Algorithm == alg && k.State == state {
			found = append(found, k)
		}
	}
	if len(found) != 1 {
		tb.Fatalf("version %d has %d %s %s keys", r.Version, len(found), state, alg)
	}
	return found[0]
}

func byID(r ring.Ring, id string) (ring.Key, bool) {
	for _, k := range r.Keys {
		if k.ID == id {
			return k, true
		}
	}
	return ring.Key{}, false
}

// shaky is a store that a test can take away, empty, roll back and get ahead of.
type shaky struct {
	mu     sync.Mutex // owns all below
	store  *keystore.Memory
	err    error                // what every call answers
	before func(ring.Ring)      // called once, before the next Swap
	calls  map[string]int       // by method
	past   map[uint64]ring.Ring // everything that was ever stored
}

func newShaky() *shaky {
	return &shaky{store: keystore.NewMemory(), calls: map[string]int{}, past: map[uint64]ring.Ring{}}
}

func (s *shaky) enter(name string) (*keystore.Memory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[name]++
	return s.store, s.err
}

func (s *shaky) Load(ctx context.Context) (ring.Ring, error) {
	m, err := s.enter("load")
	if err != nil {
		return ring.Ring{}, err
	}
	return m.Load(ctx)
}

func (s *shaky) Swap(ctx context.Context, from uint64, to ring.Ring) error {
	s.mu.Lock()
	before := s.before
	s.before = nil
	s.mu.Unlock()
	if before != nil {
		before(to)
	}
	m, err := s.enter("swap")
	if err != nil {
		return err
	}
	if err := m.Swap(ctx, from, to); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past[to.Version] = to
	return nil
}

// fail makes every call answer err; nil ends that.
func (s *shaky) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// put replaces what is stored, whatever it is; a ring of version 0 empties it.
func (s *shaky) put(tb testing.TB, r ring.Ring) {
	tb.Helper()
	m := keystore.NewMemory()
	if r.Version > 0 {
		if err := m.Swap(tb.Context(), 0, r); err != nil {
			tb.Fatal(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = m
}

func (s *shaky) mustLoad(tb testing.TB) ring.Ring {
	tb.Helper()
	r, err := s.Load(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	mustHold(tb, r)
	return r
}

func (s *shaky) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[name]
}

package keystore_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/keys"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
)

const issuer = "https://issuer.example"

// each runs a test on every store, each one empty, sealed and not.
func each(t *testing.T, f func(t *testing.T, s ring.Store)) {
	t.Helper()
	sealer := mustSealer(t, 1)
	onRedis := func(t *testing.T, mini bool, o keystore.Options) ring.Store {
		o.Prefix, o.Issuer = "t:", issuer
		if mini {
			_, client := testkit.MustMini(t)
			return mustRedis(t, client, o)
		}
		return mustRedis(t, testkit.MustClient(t, testkit.MustStartRedis(t).Addr), o)
	}
	for name, open := range map[string]func(t *testing.T) ring.Store{
		"memory": func(*testing.T) ring.Store { return keystore.NewMemory() },
		"file": func(t *testing.T) ring.Store {
			return keystore.NewFile(t.TempDir()+"/new [dir]", keystore.FileOptions{})
		},
		"file sealed": func(t *testing.T) ring.Store {
			return keystore.NewFile(t.TempDir(), keystore.FileOptions{Issuer: issuer, Sealer: sealer})
		},
		"miniredis":    func(t *testing.T) ring.Store { return onRedis(t, true, keystore.Options{AllowUnsealed: true}) },
		"redis":        func(t *testing.T) ring.Store { return onRedis(t, false, keystore.Options{AllowUnsealed: true}) },
		"redis sealed": func(t *testing.T) ring.Store { return onRedis(t, false, keystore.Options{Sealer: sealer}) },
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

func mustSealer(tb testing.TB, fill ...byte) *keystore.Sealer {
	tb.Helper()
	var ks [][]byte
	for _, b := range fill {
		k := make([]byte, keystore.SealingKeyBytes)
		k[0] = b
		ks = append(ks, k)
	}
	s, err := keystore.NewSealer(ks)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// settings are those of an issuer that has had every algorithm but RSA, whose
// keys take long to make; see TestKeepsEveryKeyType for those.
var settings = ring.Settings{Algorithms: []keys.Algorithm{keys.ES256, keys.EdDSA}, Prepublish: time.Minute, TokenLife: time.Hour}

var start = time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)

// mustRing returns a ring of version 1 with active and pending keys.
func mustRing(tb testing.TB, s ring.Settings) ring.Ring {
	tb.Helper()
	r, _, err := ring.Ring{Issuer: issuer}.Advance(start, s)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func mustSwap(t *testing.T, s ring.Store, from uint64, to ring.Ring) {
	t.Helper()
	if err := s.Swap(t.Context(), from, to); err != nil {
		t.Fatalf("swap %d for %d: %v", from, to.Version, err)
	}
}

func mustLoad(t *testing.T, s ring.Store) ring.Ring {
	t.Helper()
	r, err := s.Load(t.Context())
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return r
}

// mustEqual compares two rings to the last private key.
func mustEqual(t *testing.T, got, want ring.Ring) {
	t.Helper()
	if got.Issuer != want.Issuer || got.Version != want.Version || len(got.Keys) != len(want.Keys) {
		t.Fatalf("got %s version %d with %d keys, want %s version %d with %d",
			got.Issuer, got.Version, len(got.Keys), want.Issuer, want.Version, len(want.Keys))
	}
	for i, w := range want.Keys {
		g := got.Keys[i]
		if !equalKeys(g.Public, w.Public) || !equalKeys(g.Private, w.Private) {
			t.Errorf("key %d: other key material", i)
		}
		g.Public, g.Private, w.Public, w.Private = nil, nil, nil, nil
		if g != w {
			t.Errorf("key %d is %+v, want %+v", i, g, w)
		}
	}
}

func equalKeys(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case interface{ Equal(crypto.PrivateKey) bool }:
		return x.Equal(b)
	case interface{ Equal(crypto.PublicKey) bool }:
		return x.Equal(b)
	}
	return false
}

func TestKeepsWhatItIsGiven(t *testing.T) {
	each(t, func(t *testing.T, s ring.Store) {
		if _, err := s.Load(t.Context()); !errors.Is(err, ring.ErrEmpty) {
			t.Fatalf("an empty store: %v", err)
		}
		one := mustRing(t, settings)
		mustSwap(t, s, 0, one)
		mustEqual(t, mustLoad(t, s), one)
		// A ring with every state, several versions later.
		two, _, err := one.Rotate(start.Add(time.Hour), settings, false)
		if err != nil {
			t.Fatal(err)
		}
		if two, _, err = two.Revoke(two.Keys[2].ID, start.Add(2*time.Hour), settings); err != nil {
			t.Fatal(err)
		}
		two.Version = 1 << 60 // above what a double holds
		mustSwap(t, s, one.Version, two)
		mustEqual(t, mustLoad(t, s), two)
		three := two
		three.Version++
		mustSwap(t, s, two.Version, three)
		mustEqual(t, mustLoad(t, s), three)
	})
}

func TestKeepsEveryKeyType(t *testing.T) {
	all := settings
	all.Algorithms = []keys.Algorithm{keys.ES256, keys.ES384, keys.ES512, keys.RS256, keys.PS512, keys.EdDSA}
	r := mustRing(t, all)
	each(t, func(t *testing.T, s ring.Store) {
		mustSwap(t, s, 0, r)
		mustEqual(t, mustLoad(t, s), r)
	})
}

func TestSwapComparesVersions(t *testing.T) {
	each(t, func(t *testing.T, s ring.Store) {
		one := mustRing(t, settings)
		five := mustRing(t, settings)
		five.Version = 5
		if err := s.Swap(t.Context(), 3, five); !errors.Is(err, ring.ErrConflict) {
			t.Errorf("version 3 of an empty store: %v", err)
		}
		if _, err := s.Load(t.Context()); !errors.Is(err, ring.ErrEmpty) {
			t.Errorf("a lost swap wrote: %v", err)
		}
		mustSwap(t, s, 0, one)
		for _, from := range []uint64{0, 2, 4} {
			if err := s.Swap(t.Context(), from, five); !errors.Is(err, ring.ErrConflict) {
				t.Errorf("version %d instead of 1: %v", from, err)
			}
		}
		for _, from := range []uint64{5, 6} {
			if err := s.Swap(t.Context(), from, five); err == nil || errors.Is(err, ring.ErrConflict) {
				t.Errorf("version 5 after version %d: %v", from, err)
			}
		}
		mustEqual(t, mustLoad(t, s), one)
	})
}

func TestSwapRefusesABrokenRing(t *testing.T) {
	each(t, func(t *testing.T, s ring.Store) {
		bad := mustRing(t, settings)
		bad.Keys[0].State, bad.Keys[0].Retired = ring.Retired, start
		bad.Keys[0].PublishedUntil = start.Add(time.Hour)
		if err := s.Swap(t.Context(), 0, bad); err == nil {
			t.Error("a retired key was stored with its private half")
		}
		if _, err := s.Load(t.Context()); !errors.Is(err, ring.ErrEmpty) {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestStoreSharesNothing(t *testing.T) {
	each(t, func(t *testing.T, s ring.Store) {
		r := mustRing(t, settings)
		want := r
		want.Keys = append([]ring.Key(nil), r.Keys...)
		mustSwap(t, s, 0, r)
		r.Keys[0].State = ring.Revoked
		got := mustLoad(t, s)
		got.Keys[1].State = ring.Revoked
		mustEqual(t, mustLoad(t, s), want)
	})
}

func TestOneOfManyWins(t *testing.T) {
	each(t, func(t *testing.T, s ring.Store) {
		r := mustRing(t, settings)
		mustSwap(t, s, 0, r)
		for round := range 5 {
			from := r.Version + uint64(round)
			var wins, others atomic.Int32
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					to := r
					to.Version = from + 1
					switch err := s.Swap(t.Context(), from, to); {
					case err == nil:
						wins.Add(1)
					case !errors.Is(err, ring.ErrConflict):
						others.Add(1)
						t.Errorf("swap: %v", err)
					}
				})
			}
			wg.Wait()
			if wins.Load() != 1 {
				t.Fatalf("round %d: %d of 8 writers won", round, wins.Load())
			}
		}
	})
}

func TestEndedContext(t *testing.T) {
	each(t, func(t *testing.T, s ring.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Load(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("load: %v", err)
		}
		if err := s.Swap(ctx, 0, mustRing(t, settings)); !errors.Is(err, context.Canceled) {
			t.Errorf("swap: %v", err)
		}
	})
}

// TestManagersShareARing runs what the stores are for: several instances on one
// store create one ring, and what one of them does the others follow.
func TestManagersShareARing(t *testing.T) {
	each(t, func(t *testing.T, s ring.Store) {
		cfg := ring.Config{Store: s, Issuer: issuer, Settings: settings}
		var ms [3]*ring.Manager
		var wg sync.WaitGroup
		for i := range ms {
			wg.Go(func() {
				var err error
				if ms[i], err = ring.Open(t.Context(), cfg); err != nil {
					t.Errorf("open: %v", err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		var revoked []string
		for i := range 6 {
			m := ms[i%len(ms)]
			kid := m.Ring().Keys[0].ID
			if i > 2 { // revoke what signs now
				for _, k := range m.Ring().Keys {
					if k.State == ring.Active {
						kid = k.ID
					}
				}
			}
			if _, _, err := m.Revoke(t.Context(), kid); err != nil {
				t.Fatalf("revoke: %v", err)
			}
			revoked = append(revoked, kid)
		}
		r := mustLoad(t, s)
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		for _, kid := range revoked {
			for _, k := range r.Keys {
				if k.ID == kid && k.State != ring.Revoked {
					t.Errorf("key %s is %s", kid, k.State)
				}
			}
		}
		for i, m := range ms {
			if _, _, err := m.Retire(t.Context(), "no such key"); !errors.Is(err, ring.ErrUnknownKey) {
				t.Errorf("retire an unknown key: %v", err)
			}
			if got := m.Ring().Version; got != r.Version { // asking confirmed the ring
				t.Errorf("instance %d has version %d of %d", i, got, r.Version)
			}
			if _, _, err := m.Sign(t.Context(), []byte(fmt.Sprint(i)), "JWT"); err != nil {
				t.Errorf("sign: %v", err)
			}
		}
	})
}

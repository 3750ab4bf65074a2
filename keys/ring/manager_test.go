package ring_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

func config(s ring.Store) ring.Config {
	return ring.Config{Store: s, Issuer: issuer, Settings: hourly(keys.ES256)}
}

func mustOpen(tb testing.TB, cfg ring.Config) *ring.Manager {
	tb.Helper()
	m, err := ring.Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	return m
}

// run starts the loop of each manager, to be ended before the bubble ends.
func run(t *testing.T, ms ...*ring.Manager) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, m := range ms {
		wg.Go(func() {
			if err := m.Run(ctx); err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

func TestOpenCreatesOneRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newShaky()
		var ms [8]*ring.Manager
		var wg sync.WaitGroup
		for i := range ms {
			wg.Go(func() { ms[i] = mustOpen(t, config(st)) })
		}
		wg.Wait()
		r := st.mustLoad(t)
		if r.Version != 1 || len(r.Keys) != 2 {
			t.Errorf("version %d with %d keys", r.Version, len(r.Keys))
		}
		for i, m := range ms {
			if got := m.Ring(); got.Version != 1 || got.Keys[0].ID != r.Keys[0].ID {
				t.Errorf("instance %d has another ring", i)
			}
			if m.Set().Len() != 2 {
				t.Errorf("instance %d publishes %d keys", i, m.Set().Len())
			}
			for _, k := range m.Ring().Keys {
				if k.Private != nil {
					t.Error("Ring hands out a private key")
				}
			}
		}
	})
}

func TestOpenFails(t *testing.T) {
	good := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), hourly(keys.ES256))
	away := errors.New("store away")
	for name, c := range map[string]struct {
		spoil func(*ring.Config, *shaky)
		want  error
	}{
		"no store":           {func(c *ring.Config, _ *shaky) { c.Store = nil }, nil},
		"no issuer":          {func(c *ring.Config, _ *shaky) { c.Issuer = "" }, nil},
		"no algorithm":       {func(c *ring.Config, _ *shaky) { c.Settings.Algorithms = nil }, nil},
		"negative poll":      {func(c *ring.Config, _ *shaky) { c.Poll = -1 }, nil},
		"store away":         {func(_ *ring.Config, s *shaky) { s.fail(away) }, away},
		"another's ring":     {func(c *ring.Config, s *shaky) { s.put(t, good); c.Issuer = "https://other" }, nil},
		"always in conflict": {func(_ *ring.Config, s *shaky) { s.before = s.always(t) }, ring.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			st := newShaky()
			cfg := config(st)
			c.spoil(&cfg, st)
			if m, err := ring.Open(t.Context(), cfg); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, %v", m, err)
			}
		})
	}
}

// always is faster than every swap: it stores another version first, without
// the pending key, so that there is always something to do.
func (s *shaky) always(t *testing.T) func(ring.Ring) {
	version := uint64(100)
	var f func(ring.Ring)
	f = func(to ring.Ring) {
		version += 10
		to.Version, to.Keys = version, to.Keys[:1]
		s.put(t, to)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.before = f
	}
	return f
}

func TestInstancesFollowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newShaky()
		var told [][]ring.Change
		cfg := config(st)
		cfg.OnChange = func(_ ring.Ring, cs []ring.Change) { told = append(told, cs) }
		mustOpen(t, cfg)
		if len(told) != 1 || len(told[0]) != 2 {
			t.Errorf("making a ring told %v", told)
		}
		a := mustOpen(t, config(st))
		told = nil
		cfg.OnChange = func(r ring.Ring, cs []ring.Change) {
			for _, k := range r.Keys {
				if k.Private != nil {
					t.Error("OnChange hands out a private key")
				}
			}
			told = append(told, cs)
		}
		b := mustOpen(t, cfg)
		if len(told) != 0 {
			t.Errorf("opening a ring that was there told %v", told)
		}
		defer run(t, b)()
		r, changes, err := a.Rotate(t.Context(), true)
		if err != nil || len(changes) != 3 || r.Version != 2 {
			t.Fatalf("rotate: %v, %v", changes, err)
		}
		time.Sleep(1500 * time.Millisecond) // one poll later
		synctest.Wait()
		if b.Ring().Version != 2 || len(told) != 1 || len(told[0]) != 3 {
			t.Errorf("version %d, told %v", b.Ring().Version, told)
		}
		kid := only(t, r, keys.ES256, ring.Active).ID
		if _, _, err := a.Revoke(t.Context(), kid); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
		if _, ok := b.Set().Key(kid); ok {
			t.Error("the other instance still has the revoked key")
		}
	})
}

func TestManagerByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mustOpen(t, config(newShaky()))
		if _, _, err := m.Rotate(t.Context(), false); !errors.Is(err, ring.ErrNotYetPublished) {
			t.Errorf("rotate at once: %v", err)
		}
		kid := only(t, m.Ring(), keys.ES256, ring.Active).ID
		if _, _, err := m.Retire(t.Context(), kid); !errors.Is(err, ring.ErrNotYetPublished) {
			t.Errorf("retire at once: %v", err)
		}
		for _, f := range []func(context.Context, string) (ring.Ring, []ring.Change, error){m.Retire, m.Revoke} {
			if _, _, err := f(t.Context(), "nobody"); !errors.Is(err, ring.ErrUnknownKey) {
				t.Errorf("an unknown key: %v", err)
			}
		}
		time.Sleep(20 * time.Minute)
		r, changes, err := m.Retire(t.Context(), kid)
		if err != nil || len(changes) != 3 {
			t.Fatalf("retire: %v, %v", changes, err)
		}
		// The tokens that other instances sign until they notice are covered too.
		k := only(t, r, keys.ES256, ring.Retired)
		if d := k.PublishedUntil.Sub(k.Retired); d != 10*time.Minute+5*time.Second {
			t.Errorf("published for %s", d)
		}
	})
}

// TestTwoRotateAtOnce holds that two orders to rotate, in the same moment on two
// instances, rotate once.
func TestTwoRotateAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newShaky()
		a, b := mustOpen(t, config(st)), mustOpen(t, config(st))
		st.before = func(ring.Ring) {
			if _, _, err := b.Rotate(t.Context(), true); err != nil {
				t.Errorf("the other: %v", err)
			}
		}
		r, changes, err := a.Rotate(t.Context(), true)
		if err != nil || r.Version != 2 || len(changes) != 3 {
			t.Errorf("version %d, %v, %v", r.Version, changes, err)
		}
	})
}

// TestStoreIsGivenTheRingBack empties the store, or rolls it back, under running
// instances, and lets a new one start on what is left.
func TestStoreIsGivenTheRingBack(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, st *shaky){
		"emptied":     func(t *testing.T, st *shaky) { st.put(t, ring.Ring{}) },
		"rolled back": func(t *testing.T, st *shaky) { st.put(t, st.past[1]) },
		"rolled back and gone on": func(t *testing.T, st *shaky) {
			st.put(t, st.past[1])
			c := mustOpen(t, config(st))
			for range 5 {
				if _, _, err := c.Rotate(t.Context(), true); err != nil {
					t.Fatal(err)
				}
			}
		},
		"emptied and begun anew": func(t *testing.T, st *shaky) {
			st.put(t, ring.Ring{})
			mustOpen(t, config(st))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newShaky()
				a, b := mustOpen(t, config(st)), mustOpen(t, config(st))
				defer run(t, a, b)()
				revoked := only(t, a.Ring(), keys.ES256, ring.Active).ID
				if _, _, err := a.Revoke(t.Context(), revoked); err != nil {
					t.Fatal(err)
				}
				signed := only(t, a.Ring(), keys.ES256, ring.Active).ID
				time.Sleep(3 * time.Second)
				held := a.Ring().Version
				lose(t, st)
				time.Sleep(3 * time.Second)
				r := st.mustLoad(t)
				if r.Version <= held {
					t.Errorf("version %d after %d", r.Version, held)
				}
				if k, ok := byID(r, revoked); !ok || k.State != ring.Revoked {
					t.Errorf("the revoked key is %q", k.State)
				}
				for i, m := range []*ring.Manager{a, b} {
					if m.Ring().Version != r.Version {
						t.Errorf("instance %d has version %d of %d", i, m.Ring().Version, r.Version)
					}
					if _, ok := m.Set().Key(signed); !ok {
						t.Errorf("instance %d refuses the tokens signed before", i)
					}
				}
			})
		})
	}
}

// TestLoopSurvivesAnOutage also looks at the log: one line for its beginning and
// one for its end, and no key.
func TestLoopSurvivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		st := newShaky()
		cfg := config(st)
		cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		m := mustOpen(t, cfg)
		stop := run(t, m)
		time.Sleep(time.Minute)
		st.fail(errors.New("no route"))
		time.Sleep(time.Minute)
		if m.Set().Len() != 2 {
			t.Error("an outage took the keys away")
		}
		st.fail(nil)
		time.Sleep(time.Minute)
		stop()
		if got := log.String(); strings.Count(got, "no route") != 1 || strings.Count(got, "confirmed again") != 1 {
			t.Errorf("log:\n%s", got)
		}
	})
}

// TestBrokenRingIsNotTakenOver lets someone else put nonsense into the store.
func TestBrokenRingIsNotTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newShaky()
		mustOpen(t, config(st))
		good := st.mustLoad(t)
		bad := good
		bad.Version = 7
		bad.Keys = append([]ring.Key(nil), good.Keys...)
		bad.Keys[1].Private = good.Keys[0].Private
		if _, err := ring.Open(t.Context(), config(&fixed{bad})); err == nil {
			t.Error("a broken ring was opened")
		}
		cfg := config(&fixed{good})
		m := mustOpen(t, cfg)
		cfg.Store.(*fixed).ring = bad
		time.Sleep(time.Minute)
		if _, _, err := m.Sign(t.Context(), nil, "JWT"); !errors.Is(err, ring.ErrUnconfirmed) {
			t.Errorf("signed: %v", err)
		}
		if m.Ring().Version != 1 {
			t.Error("a broken ring was taken over")
		}
	})
}

// fixed is a store that holds a ring which no store would take.
type fixed struct{ ring ring.Ring }

func (f *fixed) Load(context.Context) (ring.Ring, error)       { return f.ring, nil }
func (f *fixed) Swap(context.Context, uint64, ring.Ring) error { return errors.New("read only") }

// TestDays runs three instances for two days of rotations every hour, with
// outages, losses and revocations, and holds that every token alive verifies on
// every instance that reaches the store.
func TestDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newShaky()
		var ms [3]*ring.Manager
		for i := range ms {
			cfg := config(st)
			cfg.Poll, cfg.ConfirmWithin = 10*time.Second, 30*time.Second
			cfg.Settings.TokenLife = 20 * time.Minute
			ms[i] = mustOpen(t, cfg)
		}
		defer run(t, ms[:]...)()
		tokens := map[string]time.Time{} // kid to the end of its last token
		revoked := map[string]bool{}
		version := uint64(0)
		for minute := range 2 * 24 * 60 {
			switch {
			case minute%311 == 0:
				st.fail(errors.New("away"))
			case minute%311 == 4:
				st.fail(nil)
			case minute%457 == 0:
				st.put(t, st.past[max(1, ms[0].Ring().Version-3)])
			case minute%733 == 0:
				kid := only(t, ms[1].Ring(), keys.ES256, ring.Active).ID
				if _, _, err := ms[1].Revoke(t.Context(), kid); err != nil {
					t.Fatalf("minute %d: %v", minute, err)
				}
				revoked[kid] = true
			}
			time.Sleep(time.Minute)
			_, kid, err := ms[minute%3].Sign(t.Context(), []byte(fmt.Sprint(minute)), "JWT")
			if err != nil && !errors.Is(err, ring.ErrUnconfirmed) {
				t.Fatal(err)
			}
			if err == nil {
				if revoked[kid] {
					t.Fatalf("minute %d: signed with a revoked key", minute)
				}
				tokens[kid] = time.Now().Add(20 * time.Minute)
			}
			for kid, end := range tokens {
				for i, m := range ms {
					if _, ok := m.Set().Key(kid); !ok && time.Now().Before(end) && !revoked[kid] {
						t.Fatalf("minute %d: instance %d refuses key %s, %s before its last token ends", minute, i, kid, time.Until(end))
					}
				}
			}
			if v := ms[0].Ring().Version; v < version {
				t.Fatalf("minute %d: version %d after %d", minute, v, version)
			} else {
				version = v
			}
		}
		if len(tokens) < 45 {
			t.Errorf("only %d keys signed in two days", len(tokens))
		}
	})
}

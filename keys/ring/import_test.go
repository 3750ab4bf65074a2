package ring_test

import (
	"errors"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

func mustPair(t *testing.T, alg keys.Algorithm) ring.Pair {
	t.Helper()
	p, err := ring.InProcess{}.Generate(t.Context(), alg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestImport(t *testing.T) {
	s := hourly(keys.ES256, keys.EdDSA)
	full := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	for _, c := range []struct {
		name  string
		into  ring.Ring
		as    ring.State
		state ring.State // of the imported key afterwards
		was   ring.State // of the key that was active
	}{
		{"pending", full, ring.Pending, ring.Pending, ring.Active},
		{"active", full, ring.Active, ring.Active, ring.Retired},
		{"active, first of all", ring.Ring{Issuer: issuer}, ring.Active, ring.Active, ""},
		{"pending, first of all", ring.Ring{Issuer: issuer}, ring.Pending, ring.Active, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			pair := mustPair(t, keys.ES256)
			r, changes, err := c.into.Import("", pair, keys.ES256, c.as, at(time.Minute), s)
			if err != nil || len(changes) == 0 || r.Version != c.into.Version+1 {
				t.Fatalf("version %d, %v, %v", r.Version, changes, err)
			}
			mustHold(t, r)
			pub, _ := keys.NewKey(pair.Public, keys.ES256)
			if k, ok := byID(r, pub.ID()); !ok || k.State != c.state {
				t.Errorf("the key is %q", k.State)
			}
			only(t, r, keys.ES256, ring.Pending)
			if c.was != "" {
				if k, _ := byID(r, only(t, c.into, keys.ES256, ring.Active).ID); k.State != c.was {
					t.Errorf("the key that signed is %q", k.State)
				}
			}
			if next := mustAdvance(t, r, at(2*time.Minute), s); c.was == "" && len(next.Keys) < 3 {
				t.Errorf("%d keys after the next step", len(next.Keys))
			}
		})
	}
}

func TestImportRefuses(t *testing.T) {
	s := hourly(keys.ES256)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	dead := only(t, r, keys.ES256, ring.Active)
	private := dead.Private
	r, _, err := r.Revoke(dead.ID, at(time.Minute), s)
	if err != nil {
		t.Fatal(err)
	}
	good := mustPair(t, keys.ES256)
	for name, c := range map[string]struct {
		id   string
		pair ring.Pair
		alg  keys.Algorithm
		as   ring.State
		want error
	}{
		"a revoked key":                 {"", ring.Pair{Public: dead.Public, Private: private}, keys.ES256, ring.Pending, ring.ErrExists},
		"a revoked key by another name": {"mine", ring.Pair{Public: dead.Public, Private: private}, keys.ES256, ring.Active, ring.ErrExists},
		"an id that is taken":           {dead.ID, good, keys.ES256, ring.Pending, ring.ErrExists},
		"another algorithm":             {"", mustPair(t, keys.EdDSA), keys.EdDSA, ring.Pending, ring.ErrNotConfigured},
		"a key that does not fit":       {"", mustPair(t, keys.ES384), keys.ES256, ring.Pending, keys.ErrKeyMismatch},
		"retired":                       {"", good, keys.ES256, ring.Retired, nil},
	} {
		next, _, err := r.Import(c.id, c.pair, c.alg, c.as, at(2*time.Minute), s)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || next.Version != r.Version {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestImportBesideRunningInstances: they take over what a command put into the
// store, with the id that the key had elsewhere.
func TestImportBesideRunningInstances(t *testing.T) {
	st := newShaky()
	m := mustOpen(t, config(st))
	first := only(t, m.Ring(), keys.ES256, ring.Active).ID
	r, changes, err := ring.Import(t.Context(), config(st), "2026-01", mustPair(t, keys.ES256), keys.ES256, ring.Active)
	if err != nil || len(changes) != 2 {
		t.Fatalf("%v %v", changes, err)
	}
	for _, k := range r.Keys {
		if k.Private != nil {
			t.Error("Import hands out a private key")
		}
	}
	if err := m.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, kid, err := m.Sign(t.Context(), []byte(`{}`), ""); err != nil || kid != "2026-01" {
		t.Errorf("%s signs: %v", kid, err)
	}
	if _, has := m.Set().Key(first); !has {
		t.Error("the key that signed before is not published any more")
	}
	if _, _, err := ring.Import(t.Context(), ring.Config{}, "", mustPair(t, keys.ES256), keys.ES256, ring.Active); err == nil {
		t.Error("imported into nothing")
	}
}

func TestReseal(t *testing.T) {
	st := newShaky()
	if _, err := ring.Reseal(t.Context(), config(st)); !errors.Is(err, ring.ErrEmpty) {
		t.Errorf("an empty store: %v", err)
	}
	m := mustOpen(t, config(st))
	was := m.Ring()
	r, err := ring.Reseal(t.Context(), config(st))
	if err != nil || r.Version != was.Version+1 || len(ring.Diff(was, r, at(0))) != 0 {
		t.Errorf("version %d: %v", r.Version, err)
	}
	if err := m.Refresh(t.Context()); err != nil || m.Ring().Version != r.Version {
		t.Errorf("the instance has version %d: %v", m.Ring().Version, err)
	}
}

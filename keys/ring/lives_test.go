package ring_test

import (
	"errors"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// TestShorterLivesLater: what was issued under longer settings is not cut short by
// an instance, or a command, whose settings have shorter tokens.
func TestShorterLivesLater(t *testing.T) {
	long, short := hourly(keys.ES256), hourly(keys.ES256)
	long.TokenLife = 30 * 24 * time.Hour
	steps := map[string]func(ring.Ring, time.Time) (ring.Ring, []ring.Change, error){
		"by itself": func(r ring.Ring, now time.Time) (ring.Ring, []ring.Change, error) { return r.Advance(now, short) },
		"rotated":   func(r ring.Ring, now time.Time) (ring.Ring, []ring.Change, error) { return r.Rotate(now, short, false) },
		"retired": func(r ring.Ring, now time.Time) (ring.Ring, []ring.Change, error) {
			return r.Retire(only(t, r, keys.ES256, ring.Active).ID, now, short)
		},
		"succeeded by an import": func(r ring.Ring, now time.Time) (ring.Ring, []ring.Change, error) {
			return r.Import("", mustPair(t, keys.ES256), keys.ES256, ring.Active, now, short)
		},
		"merged": func(r ring.Ring, now time.Time) (ring.Ring, []ring.Change, error) {
			other := mustAdvance(t, ring.Ring{Issuer: issuer}, now, short)
			other.Version = r.Version + 5
			return ring.Merge(r, other, now, short), nil, nil
		},
		"dismissed": func(r ring.Ring, now time.Time) (ring.Ring, []ring.Change, error) {
			s := short
			s.Algorithms = []keys.Algorithm{keys.EdDSA}
			r = mustAdvance(t, r, now.Add(-2*s.Prepublish), s)
			return r.Advance(now, s)
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			r := mustAdvance(t, ring.Ring{Issuer: issuer}, begin, long)
			signed := only(t, r, keys.ES256, ring.Active)
			r = mustAdvance(t, r, at(30*time.Minute), short) // restarted with the shorter life
			if l := r.Timeline(at(time.Hour-1), short)[0]; !l.TokensUntil.Equal(at(time.Hour-1).Add(long.TokenLife)) || !l.PublishedUntil.Equal(at(time.Hour).Add(long.TokenLife)) {
				t.Errorf("foretold: tokens until %s, published until %s", l.TokensUntil, l.PublishedUntil)
			}
			r, _, err := step(r, at(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if k, _ := byID(r, signed.ID); k.State != ring.Retired || !k.PublishedUntil.Equal(at(time.Hour).Add(long.TokenLife)) {
				t.Errorf("%s, published until %s", k.State, k.PublishedUntil)
			}
			// The keys that follow have signed short-lived tokens alone.
			if r, _, err = r.Rotate(at(2*time.Hour), short, true); err != nil {
				t.Fatal(err)
			}
			for _, k := range r.Keys {
				if k.State == ring.Retired && k.ID != signed.ID && !k.PublishedUntil.Equal(at(2*time.Hour).Add(short.TokenLife)) && name != "merged" {
					t.Errorf("a later key is published until %s", k.PublishedUntil)
				}
			}
		})
	}
}

// TestLongerLivesLater: an instance that starts with longer-lived tokens says so in
// the ring before it signs one, in a version of its own; another that has shorter ones
// does not take it back.
func TestLongerLivesLater(t *testing.T) {
	long, short := hourly(keys.ES256), hourly(keys.ES256)
	long.TokenLife = 48 * time.Hour
	store := newShaky()
	a := mustOpen(t, ring.Config{Store: store, Issuer: issuer, Settings: short, ConfirmWithin: time.Second})
	version := a.Ring().Version
	b := mustOpen(t, ring.Config{Store: store, Issuer: issuer, Settings: long, ConfirmWithin: time.Second})
	if err := a.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := store.mustLoad(t)
	if k := only(t, got, keys.ES256, ring.Active); got.Version != version+1 || k.TokenLife != 48*time.Hour+time.Second {
		t.Errorf("version %d after %d, tokens live %s", got.Version, version, k.TokenLife)
	}
	if a.Ring().Version != got.Version || b.Ring().Version != got.Version {
		t.Errorf("held: %d and %d", a.Ring().Version, b.Ring().Version)
	}
}

// TestSetIsNeverLongerThanEdgesRead: with keys that turn much faster than tokens die,
// rotation waits; nothing that may be presented falls out of the set.
func TestSetIsNeverLongerThanEdgesRead(t *testing.T) {
	s := ring.Settings{Algorithms: []keys.Algorithm{keys.ES256, keys.EdDSA}, RotateEvery: time.Minute, TokenLife: 2 * time.Hour}
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, begin, s)
	full := 0
	for minute := range 300 {
		now := at(time.Duration(minute+1) * time.Minute)
		r = mustAdvance(t, r, now, s)
		set, err := r.PublicSet()
		if err != nil {
			t.Fatal(err)
		}
		doc, err := set.JWKS()
		if err != nil {
			t.Fatal(err)
		}
		read, faults := keys.ParseJWKS(doc, nil)
		if len(faults) > 0 || read.Len() != set.Len() {
			t.Fatalf("minute %d: an edge reads %d of %d keys: %v", minute, read.Len(), set.Len(), faults)
		}
		if set.Len() < keys.MaxKeys {
			continue
		}
		full++
		active := only(t, r, keys.ES256, ring.Active)
		if _, changes, err := r.Rotate(now, s, true); !errors.Is(err, ring.ErrFull) || len(changes) > 0 {
			t.Fatalf("a rotation by force: %v %v", changes, err)
		}
		if _, _, err := r.Retire(active.ID, now, s); !errors.Is(err, ring.ErrFull) {
			t.Fatalf("a retirement: %v", err)
		}
		if _, _, err := r.Import("", mustPair(t, keys.ES256), keys.ES256, ring.Active, now, s); !errors.Is(err, ring.ErrFull) {
			t.Fatalf("an import as active: %v", err)
		}
		if _, _, err := r.Import("", mustPair(t, keys.ES256), keys.ES256, ring.Pending, now, s); err != nil {
			t.Fatalf("an import as pending: %v", err)
		}
		dead, _, err := r.Revoke(active.ID, now, s) // the emergency always goes
		if err != nil {
			t.Fatal(err)
		}
		if set, err := dead.PublicSet(); err != nil || set.Len() != keys.MaxKeys {
			t.Fatalf("after a revocation %d keys, %v", set.Len(), err)
		}
	}
	if full < 10 {
		t.Errorf("the set was full for %d minutes: nothing was shown", full)
	}
	var latest time.Time
	for _, k := range r.Keys {
		if k.State == ring.Active && k.Activated.After(latest) {
			latest = k.Activated
		}
	}
	if latest.Before(at(3 * time.Hour)) {
		t.Errorf("rotation did not go on: the last key signs since %s", latest)
	}
}

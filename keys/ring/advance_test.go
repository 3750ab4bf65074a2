package ring_test

import (
	"crypto/rsa"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

func TestGenerateMakesSoundKeys(t *testing.T) {
	for _, alg := range keys.Algorithms() {
		priv, err := ring.Generate(alg)
		if err != nil {
			t.Errorf("%s: %v", alg, err)
			continue
		}
		if _, err := keys.NewKey(priv.Public(), alg); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if r, ok := priv.(*rsa.PrivateKey); ok && r.N.BitLen() < 2048 {
			t.Errorf("%s: %d bits", alg, r.N.BitLen())
		}
	}
	for range 300 { // one of 64 would
		priv, err := ring.Generate(keys.EdDSA)
		if err != nil {
			t.Fatal(err)
		}
		public, err := keys.NewKey(priv.Public(), keys.EdDSA)
		if err != nil || strings.HasPrefix(public.ID(), "-") {
			t.Fatalf("%v, %v", public.ID(), err)
		}
	}
	for _, alg := range []keys.Algorithm{keys.HS256, "none", ""} {
		if _, err := ring.Generate(alg); err == nil {
			t.Errorf("%q: a key was made", alg)
		}
	}
}

func TestEmptyRingSignsAtOnce(t *testing.T) {
	s := hourly(keys.ES256, keys.EdDSA)
	r, changes, err := ring.Ring{Issuer: issuer}.Advance(at(0), s)
	if err != nil {
		t.Fatal(err)
	}
	mustHold(t, r)
	if r.Version != 1 || len(changes) != 4 {
		t.Errorf("version %d after %v", r.Version, changes)
	}
	for _, alg := range s.Algorithms {
		a, p := only(t, r, alg, ring.Active), only(t, r, alg, ring.Pending)
		if !a.Activated.Equal(at(0)) || !a.Created.Equal(at(0)) || !p.Activated.IsZero() {
			t.Errorf("%s: active %+v, pending %+v", alg, a, p)
		}
	}
	set, err := r.PublicSet()
	if err != nil {
		t.Fatal(err)
	}
	if first := set.Keys()[0]; set.Len() != 4 || first.ID() != only(t, r, keys.ES256, ring.Active).ID {
		t.Errorf("%d keys published, %s first", set.Len(), first.ID())
	}
}

// TestLifeOfAKey follows one key from its making to its end.
func TestLifeOfAKey(t *testing.T) {
	s := hourly(keys.ES256)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	id := only(t, r, keys.ES256, ring.Pending).ID
	for _, step := range []struct {
		at    time.Duration
		state ring.State // "" for gone
		ver   uint64
	}{
		{0, ring.Pending, 1},
		{15 * time.Minute, ring.Pending, 1},
		{time.Hour - time.Second, ring.Pending, 1},
		{time.Hour, ring.Active, 2},
		{70*time.Minute - time.Second, ring.Active, 2},
		{70 * time.Minute, ring.Active, 3}, // its predecessor is gone
		{2*time.Hour - time.Second, ring.Active, 3},
		{2 * time.Hour, ring.Retired, 4},
		{2*time.Hour + 10*time.Minute - time.Second, ring.Retired, 4},
		{2*time.Hour + 10*time.Minute, "", 5},
	} {
		r = mustAdvance(t, r, at(step.at), s)
		k, _ := byID(r, id)
		if k.State != step.state || r.Version != step.ver {
			t.Fatalf("after %s: %q in version %d, want %q in %d", step.at, k.State, r.Version, step.state, step.ver)
		}
		only(t, r, keys.ES256, ring.Active)
		only(t, r, keys.ES256, ring.Pending)
		if again, changes, _ := r.Advance(at(step.at), s); len(changes) != 0 || again.Version != r.Version {
			t.Fatalf("after %s: done twice it changes %v", step.at, changes)
		}
	}
}

func TestAdvanceDoesNotChangeItsReceiver(t *testing.T) {
	s := hourly(keys.ES256)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	before := fmt.Sprint(r.Public())
	mustAdvance(t, r, at(time.Hour), s)
	if _, _, err := r.Revoke(r.Keys[0].ID, at(time.Hour), s); err != nil {
		t.Fatal(err)
	}
	mustHold(t, r)
	if after := fmt.Sprint(r.Public()); after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
}

func TestAdvanceWaitsForPublication(t *testing.T) {
	s := hourly(keys.ES256)
	s.RotateEvery = time.Minute // shorter than Prepublish
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	first := only(t, r, keys.ES256, ring.Active).ID
	r = mustAdvance(t, r, at(15*time.Minute-time.Second), s)
	if only(t, r, keys.ES256, ring.Active).ID != first {
		t.Fatal("a key signs before every verifier has it")
	}
	r = mustAdvance(t, r, at(15*time.Minute), s)
	if only(t, r, keys.ES256, ring.Active).ID == first {
		t.Fatal("no rotation although it is due")
	}
}

func TestRotateEveryZeroIsByHand(t *testing.T) {
	s := hourly(keys.ES256)
	s.RotateEvery = 0
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	if r = mustAdvance(t, r, at(10*365*24*time.Hour), s); r.Version != 1 {
		t.Errorf("version %d", r.Version)
	}
}

// TestChangeOfAlgorithm holds that a new algorithm signs only when its key was
// published, and the old one until then.
func TestChangeOfAlgorithm(t *testing.T) {
	es, ed := hourly(keys.ES256), hourly(keys.EdDSA)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), es)
	r = mustAdvance(t, r, at(45*time.Minute), ed)
	only(t, r, keys.ES256, ring.Active)
	first := only(t, r, keys.EdDSA, ring.Pending)
	r = mustAdvance(t, r, at(time.Hour-time.Second), ed)
	only(t, r, keys.ES256, ring.Active)
	r = mustAdvance(t, r, at(time.Hour), ed)
	if k := only(t, r, keys.EdDSA, ring.Active); k.ID != first.ID {
		t.Errorf("key %s signs, not %s", k.ID, first.ID)
	}
	only(t, r, keys.EdDSA, ring.Pending)
	only(t, r, keys.ES256, ring.Retired)
	if len(r.Keys) != 3 {
		t.Errorf("%d keys: the pending key of the old algorithm is still there", len(r.Keys))
	}
	if r = mustAdvance(t, r, at(70*time.Minute), ed); len(r.Keys) != 2 {
		t.Errorf("%d keys after the old tokens are dead", len(r.Keys))
	}
}

// TestInstancesThatDisagree runs two instances with different settings on one
// ring, as in a rolling upgrade: the new algorithm gets through, and nobody
// undoes the other's work every second.
func TestInstancesThatDisagree(t *testing.T) {
	es, ed := hourly(keys.ES256), hourly(keys.EdDSA)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), es)
	now := 40 * time.Minute
	for range 15 * 60 {
		r = mustAdvance(t, mustAdvance(t, r, at(now), es), at(now), ed)
		now += time.Second
	}
	if r = mustAdvance(t, r, at(now), ed); r.Version > 4 {
		t.Errorf("version %d within 15 minutes", r.Version)
	}
	only(t, r, keys.EdDSA, ring.Active)
}

func TestSettingsValidate(t *testing.T) {
	good := hourly(keys.ES256, keys.RS256)
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*ring.Settings){
		"no algorithm":        func(s *ring.Settings) { s.Algorithms = nil },
		"symmetric":           func(s *ring.Settings) { s.Algorithms = []keys.Algorithm{keys.HS256} },
		"unknown":             func(s *ring.Settings) { s.Algorithms = []keys.Algorithm{"none"} },
		"twice":               func(s *ring.Settings) { s.Algorithms = []keys.Algorithm{keys.ES256, keys.ES256} },
		"negative rotation":   func(s *ring.Settings) { s.RotateEvery = -1 },
		"negative prepublish": func(s *ring.Settings) { s.Prepublish = -1 },
		"no token life":       func(s *ring.Settings) { s.TokenLife = 0 },
	} {
		s := good
		spoil(&s)
		r := ring.Ring{Issuer: issuer}
		if _, _, err := r.Advance(at(0), s); err == nil {
			t.Errorf("%s: advanced", name)
		}
		if _, _, err := r.Rotate(at(0), s, true); err == nil {
			t.Errorf("%s: rotated", name)
		}
		if _, _, err := r.Retire("x", at(0), s); err == nil {
			t.Errorf("%s: retired", name)
		}
		if _, _, err := r.Revoke("x", at(0), s); err == nil {
			t.Errorf("%s: revoked", name)
		}
	}
}

package ring_test

import (
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// history returns a ring at four points of its life: made, after one rotation,
// after another, and after its active key was revoked.
func history(t *testing.T, s ring.Settings) [4]ring.Ring {
	t.Helper()
	var h [4]ring.Ring
	h[0] = mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	h[1] = mustAdvance(t, h[0], at(time.Hour), s)
	h[2] = mustAdvance(t, h[1], at(2*time.Hour), s)
	var err error
	if h[3], _, err = h[2].Revoke(only(t, h[2], keys.ES256, ring.Active).ID, at(2*time.Hour), s); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestMergeWithThePast gives a newer ring what an older version of it said.
func TestMergeWithThePast(t *testing.T) {
	s := hourly(keys.ES256)
	h := history(t, s)
	now := at(2*time.Hour + time.Minute)
	for i, newer := range h {
		for j, older := range h[:i] {
			for _, pair := range [][2]ring.Ring{{newer, older}, {older, newer}} {
				m := ring.Merge(pair[0], pair[1], now, s)
				mustHold(t, m)
				if m.Version != newer.Version+1 {
					t.Errorf("%d and %d: version %d after %d", i, j, m.Version, newer.Version)
				}
				for _, k := range newer.Keys {
					if got, _ := byID(m, k.ID); got.State != k.State {
						t.Errorf("%d and %d: a key that is %s became %q", i, j, k.State, got.State)
					}
				}
				for _, k := range older.Keys {
					got, ok := byID(m, k.ID)
					if _, known := byID(newer, k.ID); !known && ok && got.Private != nil {
						t.Errorf("%d and %d: a key that was gone is %s again", i, j, got.State)
					}
				}
			}
		}
	}
}

// TestMergeWithAnotherLine joins two rings that were changed apart from each
// other: a store lost the last step, and someone took another one from there.
func TestMergeWithAnotherLine(t *testing.T) {
	s := hourly(keys.ES256)
	h := history(t, s)
	now := at(2*time.Hour + time.Minute)
	held := h[3] // the key that was active in h[2] is revoked here
	revoked := only(t, h[2], keys.ES256, ring.Active).ID
	apart, _, err := h[2].Rotate(now, s, true)
	if err != nil {
		t.Fatal(err)
	}
	apart.Version += 5
	m := ring.Merge(held, apart, now, s)
	mustHold(t, m)
	if m.Version != apart.Version+1 {
		t.Errorf("version %d after %d", m.Version, apart.Version)
	}
	if k, _ := byID(m, revoked); k.State != ring.Revoked {
		t.Errorf("the revoked key is %q", k.State)
	}
	// Tokens of both lines live on.
	set, err := m.PublicSet()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []ring.Ring{held, apart} {
		for _, k := range r.Keys {
			if _, ok := set.Key(k.ID); !ok && (k.State == ring.Active || k.State == ring.Retired) && k.ID != revoked {
				t.Errorf("%s key %s of version %d is not published", k.State, k.ID, r.Version)
			}
		}
	}
}

// TestMergeOfTwoBeginnings joins the ring that was held with the one that a new
// instance made in an emptied store.
func TestMergeOfTwoBeginnings(t *testing.T) {
	s := hourly(keys.ES256, keys.EdDSA)
	held := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	held = mustAdvance(t, held, at(time.Hour), s)
	fresh := mustAdvance(t, ring.Ring{Issuer: issuer}, at(time.Hour+time.Minute), s)
	now := at(time.Hour + 2*time.Minute)
	m := ring.Merge(held, fresh, now, s)
	mustHold(t, m)
	for _, alg := range s.Algorithms {
		if got, want := only(t, m, alg, ring.Active).ID, only(t, held, alg, ring.Active).ID; got != want {
			t.Errorf("%s: %s signs, which verifiers do not know", alg, got)
		}
		if got, want := only(t, m, alg, ring.Pending).ID, only(t, held, alg, ring.Pending).ID; got != want {
			t.Errorf("%s: %s is pending, not %s", alg, got, want)
		}
		k, _ := byID(m, only(t, fresh, alg, ring.Active).ID)
		if k.State != ring.Retired || k.Private != nil || !k.PublishedUntil.Equal(now.Add(s.TokenLife)) {
			t.Errorf("%s: the key that the new instance signed with is %+v", alg, k)
		}
	}
}

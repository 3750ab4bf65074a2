package ring_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

func TestRotateByHand(t *testing.T) {
	s := hourly(keys.ES256, keys.EdDSA)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	same, changes, err := r.Rotate(at(10*time.Minute), s, false)
	if !errors.Is(err, ring.ErrNotYetPublished) || len(changes) != 0 || same.Version != r.Version {
		t.Fatalf("too early: version %d, %v, %v", same.Version, changes, err)
	}
	if want := at(15 * time.Minute).Format(time.RFC3339); !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not say %s", err, want)
	}
	for name, c := range map[string]struct {
		at    time.Duration
		force bool
	}{"in time": {15 * time.Minute, false}, "by force": {time.Minute, true}} {
		next, changes, err := r.Rotate(at(c.at), s, c.force)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		mustHold(t, next)
		for _, alg := range s.Algorithms {
			was, is := only(t, r, alg, ring.Pending), only(t, next, alg, ring.Active)
			old, gone := only(t, r, alg, ring.Active), only(t, next, alg, ring.Retired)
			if was.ID != is.ID || old.ID != gone.ID {
				t.Errorf("%s: %s became active, %s retired", name, is.ID, gone.ID)
			}
			if want := at(c.at).Add(s.TokenLife); !gone.PublishedUntil.Equal(want) {
				t.Errorf("%s: published until %s, want %s", name, gone.PublishedUntil, want)
			}
			only(t, next, alg, ring.Pending)
		}
		if next.Version != r.Version+1 || len(changes) != 6 {
			t.Errorf("%s: version %d, %v", name, next.Version, changes)
		}
	}
}

func TestRevoke(t *testing.T) {
	s := hourly(keys.ES256, keys.EdDSA)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	r = mustAdvance(t, r, at(time.Hour), s)
	for _, state := range []ring.State{ring.Pending, ring.Active, ring.Retired} {
		t.Run(string(state), func(t *testing.T) {
			k := only(t, r, keys.ES256, state)
			now := at(time.Hour + time.Minute) // the pending key is one minute old
			next, changes, err := r.Revoke(k.ID, now, s)
			if err != nil {
				t.Fatal(err)
			}
			mustHold(t, next)
			got, _ := byID(next, k.ID)
			if got.State != ring.Revoked || !got.Revoked.Equal(now) || got.Private != nil {
				t.Errorf("%+v", got)
			}
			active, pending := only(t, next, keys.ES256, ring.Active), only(t, next, keys.ES256, ring.Pending)
			if was := only(t, r, keys.ES256, ring.Pending); state == ring.Active && active.ID != was.ID {
				t.Errorf("the pending key did not take over: %s", active.ID)
			}
			if pending.ID == k.ID || active.ID == k.ID {
				t.Error("the revoked key is in use")
			}
			if want := map[ring.State]int{ring.Pending: 2, ring.Active: 3, ring.Retired: 1}[state]; len(changes) != want {
				t.Errorf("changes %v", changes)
			}
			again, changes, err := next.Revoke(k.ID, now, s)
			if err != nil || len(changes) != 0 || again.Version != next.Version {
				t.Errorf("revoked twice: %v, %v", changes, err)
			}
			// It never comes back and never leaves.
			late := mustAdvance(t, next, now.Add(10*365*24*time.Hour), s)
			if got, ok := byID(late, k.ID); !ok || got.State != ring.Revoked {
				t.Error("the revoked key was forgotten")
			}
		})
	}
	if _, _, err := r.Revoke("nobody", at(time.Hour), s); !errors.Is(err, ring.ErrUnknownKey) {
		t.Errorf("an unknown key: %v", err)
	}
}

// TestRevokeEverything holds that there is always something to sign with.
func TestRevokeEverything(t *testing.T) {
	s := hourly(keys.EdDSA)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	for range 20 {
		var err error
		if r, _, err = r.Revoke(only(t, r, keys.EdDSA, ring.Active).ID, at(0), s); err != nil {
			t.Fatal(err)
		}
		mustHold(t, r)
		if r, _, err = r.Revoke(only(t, r, keys.EdDSA, ring.Pending).ID, at(0), s); err != nil {
			t.Fatal(err)
		}
		mustHold(t, r)
	}
	// The last key of an algorithm that is no longer configured, too.
	es := hourly(keys.ES256)
	r = mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), es)
	r, _, err := r.Revoke(only(t, r, keys.ES256, ring.Pending).ID, at(0), s)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err = r.Revoke(only(t, r, keys.ES256, ring.Active).ID, at(0), s); err != nil {
		t.Fatal(err)
	}
	mustHold(t, r)
	only(t, mustAdvance(t, r, at(0), s), keys.EdDSA, ring.Active)
}

func TestRetire(t *testing.T) {
	s := hourly(keys.ES256)
	r := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	active, pending := only(t, r, keys.ES256, ring.Active), only(t, r, keys.ES256, ring.Pending)

	if _, _, err := r.Retire(active.ID, at(time.Minute), s); !errors.Is(err, ring.ErrNotYetPublished) {
		t.Errorf("before the successor was published: %v", err)
	}
	next, _, err := r.Retire(active.ID, at(15*time.Minute), s)
	if err != nil {
		t.Fatal(err)
	}
	mustHold(t, next)
	if only(t, next, keys.ES256, ring.Active).ID != pending.ID || only(t, next, keys.ES256, ring.Retired).ID != active.ID {
		t.Error("the pending key did not take over")
	}
	if _, changes, err := next.Retire(active.ID, at(16*time.Minute), s); err != nil || len(changes) != 0 {
		t.Errorf("retired twice: %v, %v", changes, err)
	}

	next, _, err = r.Retire(pending.ID, at(time.Minute), s)
	if err != nil {
		t.Fatal(err)
	}
	mustHold(t, next)
	if only(t, next, keys.ES256, ring.Active).ID != active.ID || only(t, next, keys.ES256, ring.Pending).ID == pending.ID {
		t.Error("retiring the pending key changed the active one or made no new one")
	}

	if _, _, err := r.Retire("nobody", at(0), s); !errors.Is(err, ring.ErrUnknownKey) {
		t.Errorf("an unknown key: %v", err)
	}

	// An algorithm that is no longer configured needs no successor while another
	// signs, and its own while none does.
	ed := hourly(keys.EdDSA)
	if _, _, err := r.Retire(active.ID, at(time.Minute), ed); !errors.Is(err, ring.ErrNotYetPublished) {
		t.Errorf("the only key that signs: %v", err)
	}
	both := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), hourly(keys.ES256, keys.EdDSA))
	if next, _, err = both.Retire(only(t, both, keys.ES256, ring.Active).ID, at(time.Minute), ed); err != nil {
		t.Fatal(err)
	}
	mustHold(t, next)
	only(t, next, keys.ES256, ring.Retired)
}

func TestValidateFindsWhatIsBroken(t *testing.T) {
	s := hourly(keys.ES256)
	good := mustAdvance(t, mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s), at(time.Hour), s) // retired, active, pending
	other := mustAdvance(t, ring.Ring{Issuer: issuer}, at(0), s)
	if good.Keys[0].State != ring.Retired || good.Keys[1].State != ring.Active || good.Keys[2].State != ring.Pending {
		t.Fatalf("%v", good.Public())
	}
	for name, spoil := range map[string]func(r *ring.Ring){
		"no issuer":                 func(r *ring.Ring) { r.Issuer = "" },
		"two of one id":             func(r *ring.Ring) { r.Keys = append(r.Keys, r.Keys[0]) },
		"two active":                func(r *ring.Ring) { r.Keys = append(r.Keys, other.Keys[0]) },
		"two pending":               func(r *ring.Ring) { r.Keys = append(r.Keys, other.Keys[1]) },
		"none active":               func(r *ring.Ring) { r.Keys = r.Keys[2:] },
		"retired with private half": func(r *ring.Ring) { r.Keys[0].Private = r.Keys[1].Private },
		"active without":            func(r *ring.Ring) { r.Keys[1].Private = nil },
		"pending without":           func(r *ring.Ring) { r.Keys[2].Private = nil },
		"another private half":      func(r *ring.Ring) { r.Keys[1].Private = other.Keys[0].Private },
		"another algorithm":         func(r *ring.Ring) { r.Keys[1].Algorithm = keys.ES384 },
		"no public half":            func(r *ring.Ring) { r.Keys[0].Public = nil },
		"no id":                     func(r *ring.Ring) { r.Keys[0].ID = "" },
		"unknown state":             func(r *ring.Ring) { r.Keys[0].State = "lost" },
		"never made":                func(r *ring.Ring) { r.Keys[0].Created = time.Time{} },
		"never activated":           func(r *ring.Ring) { r.Keys[1].Activated = time.Time{} },
		"published until before":    func(r *ring.Ring) { r.Keys[0].PublishedUntil = at(0) },
		"revoked without a time":    func(r *ring.Ring) { r.Keys[0].State = ring.Revoked },
		"a secret": func(r *ring.Ring) {
			r.Keys[0].Algorithm, r.Keys[0].Public = keys.HS256, make([]byte, 32)
		},
	} {
		r := good
		r.Keys = append([]ring.Key(nil), good.Keys...)
		spoil(&r)
		if err := r.Validate(); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	mustHold(t, good)
}

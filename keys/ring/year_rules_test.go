package ring_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// check holds every rule.
func (y *year) check() {
	stored, err := y.store.Load(y.t.Context())
	if errors.Is(err, ring.ErrEmpty) {
		return // nobody was there to give it back yet
	} else if err != nil {
		y.t.Fatal(err)
	}
	y.checkStored(stored)
	for n, i := range y.issuers {
		if i.m == nil || i.paused {
			continue
		}
		y.checkInstance(n, i, stored)
		y.sign(n, i)
	}
	y.checkTokens()
	for n, e := range y.edges {
		if e.keys == nil {
			continue
		}
		if p := e.keys.Published(issuer); p != nil {
			for _, k := range y.read(p.JWKS).Keys() {
				if y.revoked[k.ID()] && e.cutAt.IsZero() {
					y.t.Fatalf("edge %d publishes the revoked key %s", n, k.ID())
				}
			}
		}
	}
}

// checkStored: the ring is sound, has no private half that should be gone, and
// forgets no revoked key.
func (y *year) checkStored(stored ring.Ring) {
	mustHold(y.t, stored) // Validate: a retired or revoked key with a private half is a fault
	for _, k := range stored.Keys {
		if k.State == ring.Retired || k.State == ring.Revoked {
			if _, known := y.moved[k.ID]; !known {
				y.moved[k.ID] = time.Now()
				if k.State == ring.Retired {
					y.takeovers++
				}
			}
		}
	}
	somebody := slices.ContainsFunc(y.issuers[:], func(i *instance) bool { return i.m != nil && !i.paused && !i.cut })
	if y.outage || !somebody {
		return
	}
	for kid := range y.revoked {
		if k, ok := byID(stored, kid); !ok || k.State != ring.Revoked {
			y.t.Fatalf("the revoked key %s is %q", kid, k.State)
		}
	}
	if stored.Version < y.version {
		y.t.Fatalf("version %d after %d", stored.Version, y.version)
	}
	y.version = stored.Version
}

// checkInstance: one ring, whose version never falls.
func (y *year) checkInstance(n int, i *instance, stored ring.Ring) {
	r := i.m.Ring()
	if r.Version < i.version {
		y.t.Fatalf("instance %d: version %d after %d", n, r.Version, i.version)
	}
	i.version = r.Version
	for _, k := range r.Keys {
		if k.Private != nil {
			y.t.Fatalf("instance %d shows a private key", n)
		}
	}
	if y.outage || i.cut {
		return
	}
	// Others may have had their turn after it; and a write may seem to have failed.
	for range 5 {
		if i.m.Refresh(y.t.Context()) == nil {
			break
		}
	}
	want, err := y.store.Load(y.t.Context())
	if err != nil {
		y.t.Fatal(err)
	}
	if got := i.m.Ring(); got.Version != want.Version || len(ring.Diff(got, want, time.Now())) > 0 {
		y.t.Fatalf("instance %d has version %d, the store %d (was %d)", n, got.Version, want.Version, stored.Version)
	}
}

// sign asks an instance for a token, and holds that nobody who is entitled to it
// lacks the key.
func (y *year) sign(n int, i *instance) {
	_, kid, err := i.m.Sign(y.t.Context(), []byte(`{}`), "JWT")
	if err != nil {
		if !errors.Is(err, ring.ErrUnconfirmed) || !y.outage && !i.cut {
			y.t.Fatalf("instance %d: %v", n, err)
		}
		y.refused++
		return
	}
	y.signed++
	now := time.Now()
	at, over := y.moved[kid]
	if over && now.Sub(at) > yearConfirm {
		y.t.Fatalf("instance %d signs with %s, which was retired or revoked %s ago", n, kid, now.Sub(at))
	}
	if over && y.revoked[kid] {
		return // within ConfirmWithin; the token is refused everywhere
	}
	y.tokens = append(y.tokens, token{kid, now.Add(yearTokenLife)})
	if now.Before(y.early[kid]) {
		return
	}
	for m, c := range y.others {
		if _, has := c.set.Key(kid); !has && c.set != nil && now.Before(c.until) && (c.obeys || !now.Before(y.hidden[kid])) {
			y.t.Fatalf("instance %d signs with %s, which verifier %d does not have (obeys: %v)", n, kid, m, c.obeys)
		}
	}
}

// checkTokens: no token is refused before it expires, unless its key was revoked.
func (y *year) checkTokens() {
	now := time.Now()
	y.tokens = slices.DeleteFunc(y.tokens, func(tok token) bool { return !now.Before(tok.exp) || y.revoked[tok.kid] })
	seen := map[string]bool{}
	for _, tok := range y.tokens {
		if seen[tok.kid] {
			continue
		}
		seen[tok.kid] = true
		for n, c := range y.others {
			if _, has := c.set.Key(tok.kid); !has && c.set != nil && now.Before(c.until) && !now.Before(y.early[tok.kid]) && (c.obeys || !now.Before(y.hidden[tok.kid])) {
				y.t.Fatalf("verifier %d refuses a token of %s, which lives until %s", n, tok.kid, tok.exp)
			}
		}
		for n, e := range y.edges {
			if !e.serving() {
				continue
			}
			set := e.keys.Issuers()[0].Keys.(interface {
				Await(context.Context, string) *keys.Set
			}).Await(y.t.Context(), tok.kid)
			if _, has := set.Key(tok.kid); !has && set != nil && !now.Before(y.early[tok.kid]) && !e.excused(tok.kid) {
				y.t.Fatalf("edge %d refuses a token of %s, which lives until %s", n, tok.kid, tok.exp)
			}
		}
	}
}

// read reads a published document, each one once.
func (y *year) read(doc []byte) *keys.Set {
	if y.lastDoc == string(doc) {
		return y.lastSet
	}
	set, faults := keys.ParseJWKS(doc, nil)
	if len(faults) > 0 {
		y.t.Fatalf("the set has faults: %v", faults)
	}
	y.wantNoPrivate(doc)
	y.lastDoc, y.lastSet = string(doc), set
	return set
}

// wantNoPrivate: a published document has public members alone.
func (y *year) wantNoPrivate(doc []byte) {
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(doc, &set); err != nil {
		y.t.Fatal(err)
	}
	for _, k := range set.Keys {
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if _, there := k[name]; there {
				y.t.Fatalf("%v is published with %q", k["kid"], name)
			}
		}
	}
}

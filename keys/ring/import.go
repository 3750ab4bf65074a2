package ring

import (
	"context"
	"crypto"
	"fmt"
	"slices"
	"time"

	"tollgate/keys"
)

// Import brings a key that was made elsewhere into the ring, as Pending or
// Active. A pending one takes the place of the pending key of its algorithm,
// which has signed nothing. An active one signs at once, and the key that signed
// until now is retired: verifiers that have not fetched the set since refuse its
// tokens until they do. The first key of an empty ring is active in any case.
//
// An empty id is the thumbprint. ErrExists when the ring knows the id or the key,
// a revoked one above all; ErrNotConfigured when the algorithm is not one of s; ErrFull
// when an active one has no place.
func (r Ring) Import(id string, pair Pair, alg keys.Algorithm, as State, now time.Time, s Settings) (Ring, []Change, error) {
	d, err := r.draft(now, s)
	if err != nil {
		return r, nil, err
	}
	if as != Pending && as != Active {
		return r, nil, fmt.Errorf("a key is imported as %s or %s, not as %q", Pending, Active, string(as))
	}
	if !s.configured(alg) {
		return r, nil, fmt.Errorf("%w: %s", ErrNotConfigured, alg)
	}
	pub, err := keys.NewKey(pair.Public, alg)
	if err != nil {
		return r, nil, err
	}
	if id == "" {
		id = pub.ID()
	}
	if known := d.known(id, pair.Public); known != nil {
		return r, nil, fmt.Errorf("%w: it is there as %s key %s", ErrExists, known.State, known.ID)
	}
	k := Key{ID: id, Algorithm: alg, State: Pending, Created: d.now, Private: pair.Private, Reference: pair.Reference, Public: pair.Public}
	if as == Active {
		if err := d.needRoom(); err != nil {
			return r, nil, err
		}
		if active := d.find(alg, Active); active != nil {
			active.retire(d.now, s)
		}
		k.activate(d.now, d.s)
	} else {
		d.ring.Keys = slices.DeleteFunc(d.ring.Keys, func(o Key) bool { return o.Algorithm == alg && o.State == Pending })
	}
	d.ring.Keys = append(d.ring.Keys, k)
	// The first key of an empty ring.
	if err := d.bootstrap(); err != nil {
		return r, nil, err
	}
	if err := d.replenish(alg); err != nil {
		return r, nil, err
	}
	return d.done()
}

// known returns the key of that id or material, or nil.
func (d *draft) known(id string, pub crypto.PublicKey) *Key {
	same, _ := pub.(interface{ Equal(crypto.PublicKey) bool })
	for i, k := range d.ring.Keys {
		if k.ID == id || same != nil && same.Equal(k.Public) {
			return &d.ring.Keys[i]
		}
	}
	return nil
}

// Reseal returns the same ring in a new version, so that the store writes it, and
// with it seals it, anew.
func (r Ring) Reseal() Ring {
	r = r.clone()
	r.Version++
	return r
}

// Import is Ring.Import on the store of cfg, for a command that runs beside the
// instances: they take it over within their Poll. It returns the public ring.
func Import(ctx context.Context, cfg Config, id string, pair Pair, alg keys.Algorithm, as State) (Ring, []Change, error) {
	return apply(ctx, cfg, "import a key", func(_ context.Context, r Ring, now time.Time, s Settings) (Ring, []Change, error) {
		return r.Import(id, pair, alg, as, now, s)
	})
}

// Reseal writes the ring in the store of cfg anew, under the first sealing key.
// ErrEmpty when there is none.
func Reseal(ctx context.Context, cfg Config) (Ring, error) {
	r, _, err := apply(ctx, cfg, "reseal the ring", func(_ context.Context, r Ring, _ time.Time, _ Settings) (Ring, []Change, error) {
		if r.Version == 0 {
			return r, nil, ErrEmpty
		}
		return r.Reseal(), nil, nil
	})
	return r, err
}

// apply takes one step on a store without a Manager that goes on.
func apply(ctx context.Context, cfg Config, what string, t transition) (Ring, []Change, error) {
	if err := cfg.Validate(); err != nil {
		return Ring{}, nil, fmt.Errorf("%s: %w", what, err)
	}
	m := newManager(cfg)
	var changes []Change
	_, err := m.step(ctx, func(ctx context.Context, r Ring, now time.Time, s Settings) (next Ring, _ []Change, err error) {
		next, changes, err = t(ctx, r, now, s)
		return next, changes, err
	})
	if err != nil {
		return Ring{}, nil, fmt.Errorf("%s: %w", what, err)
	}
	return m.Ring(), changes, nil
}

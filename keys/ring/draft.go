package ring

import (
	"fmt"
	"slices"
	"time"

	"tollgate/keys"
)

// draft is a ring in the middle of a transition: a private copy with the time
// and the settings of the step.
type draft struct {
	from Ring
	ring Ring
	now  time.Time
	s    Settings
	// covered says that a key was found to need publishing for longer.
	covered bool
}

func (r Ring) draft(now time.Time, s Settings) (*draft, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("key ring settings: %w", err)
	}
	// Without its monotonic reading a time is the same after a round trip through
	// the store.
	return &draft{from: r, ring: r.clone(), now: now.UTC().Round(0), s: s}, nil
}

// draftFor is draft for a step that is about one key, which it returns, too. The
// pointer is good until a key is added or removed.
func (r Ring) draftFor(id string, now time.Time, s Settings) (*draft, *Key, error) {
	d, err := r.draft(now, s)
	if err != nil {
		return nil, nil, err
	}
	k := d.byID(id)
	if k == nil {
		return nil, nil, fmt.Errorf("%w: %q", ErrUnknownKey, id)
	}
	return d, k, nil
}

// done ends the step: a ring that changed has the next version.
func (d *draft) done() (Ring, []Change, error) {
	changes := Diff(d.from, d.ring, d.now)
	if len(changes) > 0 || d.covered {
		d.ring.Version++
	}
	return d.ring, changes, nil
}

// find returns the key of an algorithm in a state, or nil. The pointer is good
// until a key is added or removed.
func (d *draft) find(alg keys.Algorithm, state State) *Key {
	i := slices.IndexFunc(d.ring.Keys, func(k Key) bool { return k.Algorithm == alg && k.State == state })
	if i < 0 {
		return nil
	}
	return &d.ring.Keys[i]
}

func (d *draft) byID(id string) *Key {
	i := slices.IndexFunc(d.ring.Keys, func(k Key) bool { return k.ID == id })
	if i < 0 {
		return nil
	}
	return &d.ring.Keys[i]
}

func (d *draft) hasActive() bool {
	return slices.ContainsFunc(d.ring.Keys, func(k Key) bool { return k.State == Active })
}

// add makes a new key in the given state, pending or active.
func (d *draft) add(alg keys.Algorithm, state State) error {
	generate := d.s.Generate
	if generate == nil {
		generate = generatePair
	}
	// A pair that was kept from a step which failed may be in the ring after all.
	for range 3 {
		pair, err := generate(alg)
		if err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		pub, err := keys.NewKey(pair.Public, alg)
		if err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		if d.known(pub.ID(), pair.Public) != nil {
			continue
		}
		k := Key{ID: pub.ID(), Algorithm: alg, State: Pending, Created: d.now, Private: pair.Private, Reference: pair.Reference, Public: pair.Public}
		if state == Active {
			k.activate(d.now, d.s)
		}
		d.ring.Keys = append(d.ring.Keys, k)
		return nil
	}
	return fmt.Errorf("make a key: %w", ErrExists)
}

// replenish makes sure that a configured algorithm has a pending key.
func (d *draft) replenish(alg keys.Algorithm) error {
	if !d.s.configured(alg) || d.find(alg, Pending) != nil {
		return nil
	}
	return d.add(alg, Pending)
}

// needRipe returns ErrNotYetPublished, with the time, for a key that is not.
func (d *draft) needRipe(k *Key) error {
	if ripe := d.s.RipeAt(*k); d.now.Before(ripe) {
		return fmt.Errorf("%w: %s key %s may sign from %s", ErrNotYetPublished, k.Algorithm, k.ID, ripe.Format(time.RFC3339))
	}
	return nil
}

// needRoom returns ErrFull when the set takes no more key, which each takeover
// brings: what comes after keys.MaxKeys no edge reads, and its tokens would be
// refused.
func (d *draft) needRoom() error {
	n := 0
	for _, k := range d.ring.Keys {
		if k.State != Revoked {
			n++
		}
	}
	if n < keys.MaxKeys {
		return nil
	}
	return fmt.Errorf("%w: %d keys are published, retired ones until their tokens are dead", ErrFull, n)
}

func (k *Key) activate(now time.Time, s Settings) {
	k.State, k.Activated, k.TokenLife = Active, now, s.life(*k)
}

// retire ends the signing of a key and forgets its private half.
func (k *Key) retire(now time.Time, s Settings) {
	k.State, k.Retired, k.PublishedUntil, k.Private = Retired, now, now.Add(s.life(*k)), nil
}

func (k *Key) revoke(now time.Time) {
	k.State, k.Revoked, k.PublishedUntil, k.Private = Revoked, now, now, nil
}

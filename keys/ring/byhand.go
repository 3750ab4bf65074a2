package ring

import (
	"errors"
	"fmt"
	"time"
)

// Rotate lets the pending key of every configured algorithm take over now. It
// fails with ErrNotYetPublished, and changes nothing, when one of them was not
// published for Prepublish; force does it all the same, and verifiers that have
// not fetched the set since will refuse new tokens until they do. ErrFull when the
// set has keys.MaxKeys members: revoking a key makes room.
func (r Ring) Rotate(now time.Time, s Settings, force bool) (Ring, []Change, error) {
	d, err := r.draft(now, s)
	if err != nil {
		return r, nil, err
	}
	for _, alg := range s.Algorithms {
		if err := d.replenish(alg); err != nil {
			return r, nil, err
		}
		pending := d.find(alg, Pending)
		if err := d.needRipe(pending); err != nil && !force {
			return r, nil, err
		}
		if err := d.needRoom(); err != nil {
			return r, nil, err
		}
		d.succeed(d.find(alg, Active), pending)
		if err := d.replenish(alg); err != nil {
			return r, nil, err
		}
	}
	return d.done()
}

// Retire takes one key out of use: it signs no more, but is published until its
// tokens are dead. For an active key the pending one of its algorithm takes
// over, under the same condition as in Rotate. A key that is retired or revoked
// already is left as it is. ErrUnknownKey when the ring has no such key.
func (r Ring) Retire(id string, now time.Time, s Settings) (Ring, []Change, error) {
	d, k, err := r.draftFor(id, now, s)
	if err != nil {
		return r, nil, err
	}
	alg := k.Algorithm
	switch k.State {
	case Pending:
		k.retire(d.now, s)
	case Active:
		k.retire(d.now, s)
		if s.configured(alg) || !d.hasActive() {
			next := d.find(alg, Pending)
			if next == nil {
				return r, nil, fmt.Errorf("%w: there is no pending %s key", ErrNotYetPublished, alg)
			}
			if err := errors.Join(d.needRipe(next), d.needRoom()); err != nil {
				return r, nil, err
			}
			next.activate(d.now, d.s)
		}
	default:
		return r, nil, nil
	}
	if err := d.replenish(alg); err != nil {
		return r, nil, err
	}
	return d.done()
}

// Revoke takes one key out of the set at once and for good. The pending key of
// its algorithm is active in the same step, however short it was published: a
// ring that cannot sign would be worse. Revoking a revoked key changes nothing.
// ErrUnknownKey when the ring has no such key.
//
// Verifiers that cache the set trust the key until they fetch again; that is
// what a revocation of kind "key" in the feed is for.
func (r Ring) Revoke(id string, now time.Time, s Settings) (Ring, []Change, error) {
	d, k, err := r.draftFor(id, now, s)
	if err != nil {
		return r, nil, err
	}
	alg, was := k.Algorithm, k.State
	if was == Revoked {
		return r, nil, nil
	}
	k.revoke(d.now)
	if was == Active {
		if next := d.find(alg, Pending); next != nil {
			next.activate(d.now, d.s)
		} else if s.configured(alg) {
			if err := d.add(alg, Active); err != nil {
				return r, nil, err
			}
		}
		if err := d.bootstrap(); err != nil {
			return r, nil, err
		}
	}
	if err := d.replenish(alg); err != nil {
		return r, nil, err
	}
	return d.done()
}

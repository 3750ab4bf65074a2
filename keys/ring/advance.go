package ring

import (
	"slices"
	"time"

	"tollgate/keys"
)

// Advance does everything that is due by itself and returns the new ring with
// what changed; no change means the same version. Done twice at one time, the
// second does nothing.
//
// An empty ring gets an active key of every algorithm at once, since no verifier
// has a set yet that could lack it. From then on a pending key becomes active
// when it was published for Prepublish and ServedAge and the active one has signed for
// RotateEvery (or there is none, for an algorithm that is new); the active one
// is retired in the same step, and retired ones leave when they are due.
//
// A key signs on past its time while the set has keys.MaxKeys members.
//
// An algorithm that is no longer configured signs on until every configured one
// has an active key, and is then retired.
func (r Ring) Advance(now time.Time, s Settings) (Ring, []Change, error) {
	return r.advance(now, s, false)
}

// advance is Advance; with hold no pending key takes over.
func (r Ring) advance(now time.Time, s Settings, hold bool) (Ring, []Change, error) {
	d, err := r.draft(now, s)
	if err != nil {
		return r, nil, err
	}
	d.expire()
	d.cover()
	if err := d.bootstrap(); err != nil {
		return r, nil, err
	}
	for _, alg := range s.Algorithms {
		active, pending := d.find(alg, Active), d.find(alg, Pending)
		if !hold && d.takesOver(active, pending) && d.needRoom() == nil {
			d.succeed(active, pending)
		}
		if err := d.replenish(alg); err != nil {
			return r, nil, err
		}
	}
	d.dismiss()
	return d.done()
}

// expire lets go of the retired keys whose last token is dead.
func (d *draft) expire() {
	d.ring.Keys = slices.DeleteFunc(d.ring.Keys, func(k Key) bool {
		return k.State == Retired && !d.now.Before(k.PublishedUntil)
	})
}

// cover notes with each active key how long the tokens live that this instance
// signs with it. It is in the store before the first of them is signed.
func (d *draft) cover() {
	for i := range d.ring.Keys {
		if k := &d.ring.Keys[i]; k.State == Active && k.TokenLife < d.s.TokenLife {
			k.TokenLife, d.covered = d.s.TokenLife, true
		}
	}
}

// bootstrap gives a ring without any active key something to sign with.
func (d *draft) bootstrap() error {
	if d.hasActive() {
		return nil
	}
	if len(d.ring.Keys) == 0 {
		for _, alg := range d.s.Algorithms {
			if err := d.add(alg, Active); err != nil {
				return err
			}
		}
		return nil
	}
	// Everything was revoked or lost. A pending key is at least in the sets that
	// verifiers fetched last; the first algorithm's is what they expect.
	for _, alg := range append(slices.Clone(d.s.Algorithms), keys.Algorithms()...) {
		if p := d.find(alg, Pending); p != nil {
			p.activate(d.now, d.s)
			return nil
		}
	}
	return d.add(d.s.Algorithms[0], Active)
}

// takesOver reports whether the pending key of an algorithm should sign now.
func (d *draft) takesOver(active, pending *Key) bool {
	at, ever := d.s.takeover(active, pending)
	return ever && !d.now.Before(at)
}

// succeed retires the active key, if there is one, and activates the pending.
func (d *draft) succeed(active, pending *Key) {
	if active != nil {
		active.retire(d.now, d.s)
	}
	pending.activate(d.now, d.s)
}

// dismiss ends the keys of algorithms that are no longer configured. It leaves
// alone what is younger than twice the time that a key is published before it
// signs: during a rolling upgrade another instance may have made it, and the two
// would undo each other's work.
func (d *draft) dismiss() {
	for _, alg := range d.s.Algorithms {
		if d.find(alg, Active) == nil {
			return
		}
	}
	stale := func(k *Key, since time.Time) bool {
		return !d.s.configured(k.Algorithm) && !d.now.Before(since.Add(2*(d.s.Prepublish+d.s.ServedAge)))
	}
	d.ring.Keys = slices.DeleteFunc(d.ring.Keys, func(k Key) bool { return k.State == Pending && stale(&k, k.Created) })
	for i := range d.ring.Keys {
		if k := &d.ring.Keys[i]; k.State == Active && stale(k, k.Activated) {
			k.retire(d.now, d.s)
		}
	}
}

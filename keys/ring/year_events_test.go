package ring_test

import (
	"errors"
	"testing/synctest"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// happen lets one thing happen, or two, or none.
func (y *year) happen() {
	i, e := y.issuers[y.rnd.IntN(len(y.issuers))], y.edges[y.rnd.IntN(len(y.edges))]
	switch y.rnd.IntN(24) {
	case 0, 1:
		i.m = nil
	case 2:
		i.paused = true
	case 3:
		i.cut = true
	case 4:
		e.crash()
	case 5:
		e.lose(time.Time{}, time.Now())
	case 6:
		e.lose(time.Now(), time.Time{})
	case 7:
		y.outage = y.rnd.IntN(3) == 0
	case 8:
		y.lose()
	case 9, 10:
		y.byHand()
	case 11:
		y.revoke()
	case 12:
		y.change()
	default: // things mend
		y.outage = false
		i.cut, i.paused = false, false
		e.mend()
	}
	for _, i := range y.issuers {
		if i.m == nil && y.rnd.IntN(3) > 0 {
			i.start()
		}
	}
	for _, e := range y.edges {
		if e.keys == nil && y.rnd.IntN(3) > 0 {
			e.start()
		}
	}
}

// worker returns an instance that can do something, or nil.
func (y *year) worker() *instance {
	for _, n := range y.rnd.Perm(len(y.issuers)) {
		if i := y.issuers[n]; i.m != nil && !i.paused && !i.cut && !y.outage {
			return i
		}
	}
	return nil
}

// lose empties the store or rolls it back. Somebody has to be there who knows what
// was in it: a ring that nobody holds is gone.
func (y *year) lose() {
	i := y.worker()
	if i == nil || i.m.Refresh(y.t.Context()) != nil {
		return
	}
	old := ring.Ring{}
	if y.rnd.IntN(2) == 0 {
		for back := range uint64(5) {
			if r, there := y.store.past[y.version-min(y.version, back+1)]; there {
				old = r
			}
		}
	}
	y.store.put(y.t, old)
	i.look()
}

// byHand rotates, now and then without waiting.
func (y *year) byHand() {
	i := y.worker()
	if i == nil {
		return
	}
	force := y.rnd.IntN(4) == 0
	r, _, err := i.m.Rotate(y.t.Context(), force)
	if err != nil {
		if !errors.Is(err, ring.ErrNotYetPublished) && !errors.Is(err, errCut) {
			y.t.Fatalf("rotate: %v", err)
		}
		// It may have been written all the same.
		y.everyActive(y.store.mustLoad(y.t), force)
		return
	}
	y.everyActive(r, force)
}

// everyActive excuses verifiers for a while that lack what signs because somebody
// said so.
func (y *year) everyActive(r ring.Ring, force bool) {
	until := time.Now().Add(yearPrepublish + y.s.ServedAge)
	for _, k := range r.Keys {
		if k.State != ring.Active {
			continue
		}
		y.hidden[k.ID] = until
		if force {
			y.early[k.ID] = until
		}
	}
}

// revoke kills a key, and tells the edges as the feed does.
func (y *year) revoke() {
	i := y.worker()
	if i == nil || y.rnd.IntN(4) > 0 {
		return
	}
	ks := i.m.Ring().Keys
	kid := ks[y.rnd.IntN(len(ks))].ID
	if _, _, err := i.m.Revoke(y.t.Context(), kid); err != nil && !errors.Is(err, errCut) && !errors.Is(err, ring.ErrUnknownKey) {
		y.t.Fatalf("revoke: %v", err)
	}
	stored := y.store.mustLoad(y.t)
	if k, ok := byID(stored, kid); !ok || k.State != ring.Revoked {
		return // it was not written, and said so
	}
	y.revoked[kid] = true
	y.everyActive(stored, true)
	for _, e := range y.edges {
		if e.keys != nil { // one that is cut off hears of it when it is back, before it lets anybody through
			e.keys.Withdraw(issuer, kid)
			synctest.Wait() // one after the other, or a seed would not say what happens
		}
	}
}

// change restarts the instances one after the other with other algorithms.
func (y *year) change() {
	if y.rnd.IntN(6) > 0 {
		return
	}
	y.s.Algorithms = [][]keys.Algorithm{{keys.ES256}, {keys.EdDSA}, {keys.ES256, keys.EdDSA}, {keys.EdDSA, keys.ES384}}[y.rnd.IntN(4)]
	for _, i := range y.issuers {
		i.m = nil
	}
	if y.worker() == nil {
		y.issuers[0].start()
	}
}

// everybodyLooks lets all do what they do by themselves, in any order.
func (y *year) everybodyLooks() {
	var all []func()
	for _, i := range y.issuers {
		all = append(all, i.look)
	}
	for _, e := range y.edges {
		all = append(all, e.look)
	}
	for _, c := range y.others {
		all = append(all, c.look)
	}
	y.rnd.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	for _, look := range all {
		look()
	}
}

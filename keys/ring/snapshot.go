package ring

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tollgate/keys"
)

// held is a ring with all that is derived from it. It is never changed.
type held struct {
	ring    Ring
	public  Ring
	set     *keys.Set
	hash    string // keys.DocumentHash of the set
	signers signers
}

// snapshot is a held ring and when it was last known to be the store's: the
// moment at which the read that said so was sent. It is never changed.
type snapshot struct {
	*held
	confirmed time.Time
}

// hold checks a ring and derives what requests need.
func hold(r Ring, s Settings, external Signer) (*held, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("key ring version %d: %w", r.Version, err)
	}
	set, err := r.PublicSet()
	if err != nil {
		return nil, fmt.Errorf("key ring version %d: %w", r.Version, err)
	}
	doc, err := set.JWKS()
	if err != nil {
		return nil, fmt.Errorf("key ring version %d: %w", r.Version, err)
	}
	by, err := newSigners(r, s, external)
	if err != nil {
		return nil, fmt.Errorf("key ring version %d: %w", r.Version, err)
	}
	return &held{ring: r, public: r.Public(), set: set, hash: keys.DocumentHash(doc), signers: by}, nil
}

// signing returns the key to sign with: the active one of the first algorithm
// that has one, else (none of the configured ones is published long enough yet)
// the active key that was made last.
func (r Ring) signing(s Settings) Key {
	var active []Key
	for _, k := range r.Keys {
		if k.State == Active {
			active = append(active, k)
		}
	}
	place := func(k Key) int {
		if i := slices.Index(s.Algorithms, k.Algorithm); i >= 0 {
			return i
		}
		return len(s.Algorithms)
	}
	slices.SortStableFunc(active, func(a, b Key) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), b.Activated.Compare(a.Activated))
	})
	if len(active) == 0 {
		return Key{}
	}
	return active[0]
}

// elapsed is the time between two readings of one clock: the larger of what the
// monotonic and the wall clock say, because the first stands still while the
// machine sleeps and the second can be set back.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

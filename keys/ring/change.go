package ring

import (
	"time"

	"tollgate/keys"
)

// Change is one key that came, moved or went.
type Change struct {
	ID        string
	Algorithm keys.Algorithm
	From      State // "" for a new key
	To        State // "" for a key that is gone
	At        time.Time
}

// Diff returns what differs in state between two rings: the keys of to in their
// order, then the keys that are gone.
func Diff(from, to Ring, at time.Time) []Change {
	before := make(map[string]Key, len(from.Keys))
	for _, k := range from.Keys {
		before[k.ID] = k
	}
	var out []Change
	for _, k := range to.Keys {
		if was := before[k.ID].State; was != k.State {
			out = append(out, Change{ID: k.ID, Algorithm: k.Algorithm, From: was, To: k.State, At: at})
		}
		delete(before, k.ID)
	}
	for _, k := range from.Keys {
		if _, gone := before[k.ID]; gone {
			out = append(out, Change{ID: k.ID, Algorithm: k.Algorithm, From: k.State, At: at})
		}
	}
	return out
}

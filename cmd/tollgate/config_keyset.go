package main

import (
	"fmt"
	"time"

	"tollgate/keys"
)

// keySet warns of keys that turn so much faster than tokens die that the set gets as
// long as verifiers read: from there on a key signs for longer than it was told.
func (r *rules) keySet() {
	k, life := r.c.Keys, max(r.c.accessLife(), r.c.Tokens.RefreshTTL.Value)+r.c.Tokens.Leeway.Value+confirmWithin
	algorithms := time.Duration(len(k.SigningAlg.Value))
	if !r.c.Roles.Issuer.Value || k.RotateEvery.Value <= 0 || algorithms == 0 || r.faulty["TOLLGATE_KEY_ROTATE_EVERY"] {
		return
	}
	// Beside the retired keys, which are published for a token's life, one signs and
	// one is pending.
	if algorithms*(life/k.RotateEvery.Value+3) <= keys.MaxKeys {
		return
	}
	least := (life/max(keys.MaxKeys/algorithms-3, 1) + time.Minute).Truncate(time.Minute)
	r.warn("TOLLGATE_KEY_ROTATE_EVERY", fmt.Sprintf(
		"is too short for tokens that live %s: a set has %d keys at most, and a key signs until an old one is gone. From %s on there is room", life, keys.MaxKeys, least))
}

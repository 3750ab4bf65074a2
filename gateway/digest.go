package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// MaxStale returns the smallest and the greatest max_stale of the routes that look at
// tokens. Where none does, both are otherwise.
func (t *Table) MaxStale(otherwise time.Duration) (least, most time.Duration) {
	asked := false
	for _, r := range t.routes {
		switch {
		case r.Mode == None:
		case !asked:
			asked, least, most = true, r.Policy.MaxStale, r.Policy.MaxStale
		default:
			least, most = min(least, r.Policy.MaxStale), max(most, r.Policy.MaxStale)
		}
	}
	if !asked {
		return otherwise, otherwise
	}
	return least, most
}

// Hash names what the table says, in 16 hex digits: two edges with the same one
// decide alike.
func (t *Table) Hash() string {
	h := sha256.New()
	for _, r := range t.routes {
		_ = json.NewEncoder(h).Encode(r.Describe()) // plain texts and numbers, into a hash
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

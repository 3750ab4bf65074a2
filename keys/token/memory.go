package token

import (
	"crypto/sha256"

	"github.com/maypok86/otter/v2"
	"tollgate/keys"
)

// digest is the full SHA-256 of a token as it came: whoever has another string has
// another digest, so what is remembered of one is never said of another.
type digest [sha256.Size]byte

// digestOf hashes on the stack: an ordinary token leaves no garbage.
func digestOf(raw string) digest {
	var buf [2048]byte
	return sha256.Sum256(append(buf[:0], raw...))
}

// memory remembers what holds of a token on every route and at any time: this very
// key signed these claims. It holds no failure, so that a flood of bad tokens
// neither evicts good ones nor costs more than their checks. What depends on the
// clock, the issuer's settings, the route and the revocations is asked each time.
//
// It is bounded in bytes, and lets a token in for good only when it is asked for
// more often than those that would have to leave (W-TinyLFU). Tokens that have
// expired leave the same way: nobody asks for them again. (The library's expiry by
// time would need a goroutine of its own.)
type memory struct {
	cache *otter.Cache[digest, *Identity]
	// Concurrent misses of one token wait for one check of its signature.
	joined checks
}

// newMemory returns a memory of about so many bytes; nil, which remembers
// nothing, for 0.
func newMemory(bytes int64) (*memory, error) {
	if bytes == 0 {
		return nil, nil
	}
	cache, err := otter.New(&otter.Options[digest, *Identity]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(_ digest, id *Identity) uint32 { return id.weight() },
	})
	if err != nil {
		return nil, err
	}
	return &memory{cache: cache}, nil
}

// find returns what is remembered of a token; nil when nothing is.
func (m *memory) find(d digest) *Identity {
	if m == nil {
		return nil
	}
	id, _ := m.cache.GetIfPresent(d)
	return id
}

// verify calls check for a signature, once for all who ask at the same time, and
// remembers that it held. The shared result is used only by those who asked with the
// same key and issuer; one who came with a newer key set checks for itself.
func (m *memory) verify(d digest, key *keys.Key, issuer *Issuer, check func() (*Identity, *Refusal)) (*Identity, *Refusal) {
	if m == nil {
		return check()
	}
	id, refusal := m.joined.do(d, key, issuer, check)
	if refusal != nil {
		return nil, refusal
	}
	m.cache.SetIfAbsent(d, id)
	return id, nil
}

// replace remembers a token as the settings of its issuer now have it: else it would be
// read again each time. Whoever still has older settings may come last; then the next
// one reads it again.
func (m *memory) replace(d digest, id *Identity) { m.cache.Set(d, id) }

// forget drops what is remembered of a token that does not hold any more.
func (m *memory) forget(d digest) { m.cache.Invalidate(d) }

// size returns how many tokens are remembered, and the bytes that they count for.
func (m *memory) size() (tokens int, bytes uint64) {
	if m == nil {
		return 0, 0
	}
	return m.cache.EstimatedSize(), m.cache.WeightedSize()
}

// weight is about what a remembered identity takes: the token, its decoded claims,
// and what points into them.
func (id *Identity) weight() uint32 {
	const fixed, claim, word = 900, 56, 16
	n := fixed + len(id.signed)*7/4 + len(id.claims)*claim + (len(id.scopes)+len(id.audience))*word
	return uint32(min(n, 1<<20))
}

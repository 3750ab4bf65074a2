package ratelimit

import (
	"crypto/sha256"
	"encoding/hex"
)

// Redis keys of this package.
//
//	name                   type    TTL
//	<prefix>rl:{<digest>}  STRING  until the tat has come: from then on the key says
//	                               nothing that its absence does not
//
// The value is the tat in µs of Redis's own clock, as decimal text.

// digest names what is counted: the first 16 bytes of a SHA-256. Keys come from
// tokens and addresses; behind a digest their length and bytes do not matter.
type digest [16]byte

func digestOf(key string) digest {
	sum := sha256.Sum256([]byte(key))
	return digest(sum[:len(digest{})])
}

func redisKey(prefix string, d digest) string {
	return prefix + "rl:{" + hex.EncodeToString(d[:]) + "}"
}

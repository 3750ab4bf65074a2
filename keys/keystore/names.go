package keystore

// The Redis schema of this package. It is one key, read and written by one
// command or script each, so it needs no hash tag.
//
//	<prefix>ring:<issuer>   HASH, no TTL: a ring lives as long as its issuer.
//	    version             decimal, compared by swap.lua
//	    ring                the envelope (see envelope.go)
const (
	fieldVersion = "version"
	fieldRing    = "ring"
)

func ringKey(prefix, issuer string) string { return prefix + "ring:" + issuer }

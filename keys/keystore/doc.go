// Package keystore is where a key ring is kept: in Redis, in a directory, or in
// memory. Each store is a ring.Store and passes one conformance suite: a ring is
// read whole, and written whole by compare-and-swap on its version.
//
// Private halves are PKCS #8. With a Sealer the ring is sealed with AES-256-GCM;
// prefix, issuer and version are bound to it, so that a sealed ring can be
// neither moved to another place nor passed off as another version. A store that
// has a Sealer refuses a ring that is not sealed: whoever can write to Redis
// could otherwise hand the issuer a key of their own.
//
// It must not know what a key's states mean or when they change (keys/ring), nor
// where its keys and URLs are configured (cmd).
package keystore

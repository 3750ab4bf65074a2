package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Every Redis key of the records. Ids are digested, so that no character of theirs
// can move a key to another slot. Clients are kept until somebody removes them; all
// else has a TTL.
//
//	<prefix>client:{<digest of id>}      HASH    one client; fields below; no TTL
//	<prefix>client:{<digest of id>}:old  STRING  hash of the secret before the last; TTL: what is left of the overlap
//	<prefix>clients                      ZSET    score 0, ids in order; no TTL; without ids there is none
//	<prefix>once:{<digest>}              STRING  "1" for an id that may come once; TTL: as long as it could come again
type names struct{ prefix string }

func (n names) client(id string) string    { return n.prefix + "client:{" + digest(id) + "}" }
func (n names) oldSecret(id string) string { return n.client(id) + ":old" }
func (n names) clients() string            { return n.prefix + "clients" }

// once joins by a character that none of the parts has.
func (n names) once(parts ...string) string {
	return n.prefix + "once:{" + digest(strings.Join(parts, "\x00")) + "}"
}

// Fields of a client's record. Lists are joined by blanks, which no member has;
// times are unix milliseconds by Redis's clock.
const (
	fieldID        = "id"
	fieldName      = "name"
	fieldGrants    = "grants"
	fieldScopes    = "scopes"
	fieldAudiences = "audiences"
	fieldAccessTTL = "access_ttl" // whole seconds; 0: the server's
	fieldAlgorithm = "alg"        // of the signatures of its tokens; empty: the server's first
	fieldDisabled  = "disabled"   // "1" or "0"
	fieldNoIntro   = "no_intro"   // "1": it may not introspect; "0", or absent in older records
	fieldSecret    = "secret"     // SHA-256 in hexadecimal; absent with a JWKS
	fieldJWKS      = "jwks"       // JWK Set; absent with a secret
	fieldCreated   = "created"
	fieldRotated   = "rotated"   // the last rotation of the secret
	fieldOldUntil  = "old_until" // end of the overlap after it
)

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

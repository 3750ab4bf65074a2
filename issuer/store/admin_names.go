package store

// Every Redis key of the admin tokens and of the audit log. Those of the audit log
// are in one slot: an action and its outcome are written by scripts that touch both.
//
//	<prefix>admin:{<id>}            HASH    one admin token; fields below; no TTL, unless it expires or was revoked: then 30 days more
//	<prefix>admins                  ZSET    ids, by when the record goes (unix ms; +inf: never); no TTL
//	<prefix>{audit}:actions         STREAM  admin actions, intents and outcomes; no TTL, trimmed by length and age
//	<prefix>{audit}:events          STREAM  everything else; no TTL, trimmed by length and age
//	<prefix>{audit}:open            ZSET    ids of intents without an outcome, by their time (unix ms); trimmed by age
type adminNames struct{ prefix string }

func (n adminNames) token(id string) string { return n.prefix + "admin:{" + id + "}" }
func (n adminNames) tokens() string         { return n.prefix + "admins" }
func (n adminNames) actions() string        { return n.prefix + "{audit}:actions" }
func (n adminNames) events() string         { return n.prefix + "{audit}:events" }
func (n adminNames) open() string           { return n.prefix + "{audit}:open" }

// Fields of an admin token's record; times are unix milliseconds by Redis's clock.
const (
	fieldRole      = "role"
	fieldHash      = "hash"       // SHA-256 of the whole token, hexadecimal
	fieldExpires   = "expires"    // 0: never
	fieldUsed      = "used"       // the last use, to the minute
	fieldBy        = "created_by" // who created it
	fieldRevoked   = "revoked"    // absent: it was not
	fieldRevokedBy = "revoked_by"
)

package users

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Every Redis key of this package. None of them expires, but for a record during
// the minute of its creation and what is kept of users of another back end: users
// stay until somebody removes them. Names and
// ids are digested, so that no character of theirs can move a key to another slot.
//
//	<prefix>user:{<digest of id>}        HASH    one user; fields below; TTL 60 s until confirmed, then none
//	<prefix>username:{<digest of name>}  STRING  "<claim>:<id>"; no TTL
//	<prefix>useremail:{<digest of email>} STRING "<claim>[.<stamp>]:<id>", the address in lower case; no TTL
//	<prefix>users:names                  ZSET    score 0, member "<name> NUL <claim>:<id>", in order; no TTL
//	<prefix>users:next                   STRING  the last integer id given or seen; no TTL
//	<prefix>users:costs                  SET     costs of imported hashes, "pbkdf2_sha256,260000,0,0"; no TTL
//	<prefix>user:kept:{<digest of id>}   STRING  JSON of a user of another back end; TTL: the longest session
//	<prefix>users:byid:{<digest of URL>} STRING  "1" once a back end gave a user by id; no TTL
type names struct{ prefix string }

func (n names) user(id string) string       { return n.prefix + "user:{" + digest(id) + "}" }
func (n names) username(name string) string { return n.prefix + "username:{" + digest(name) + "}" }
func (n names) email(email string) string {
	return n.prefix + "useremail:{" + digest(fold(email)) + "}"
}
func (n names) kept(id string) string  { return n.prefix + "user:kept:{" + digest(id) + "}" }
func (n names) byID(url string) string { return n.prefix + "users:byid:{" + digest(url) + "}" }
func (n names) costs() string          { return n.prefix + "users:costs" }
func (n names) list() string           { return n.prefix + "users:names" }
func (n names) next() string           { return n.prefix + "users:next" }

// Fields of a user's record. Flags are "1" or "0"; times are store time in
// microseconds.
const (
	fieldID         = "id"
	fieldUsername   = "username"
	fieldEmail      = "email"
	fieldAttributes = "attributes" // JSON object
	fieldActive     = "is_active"
	fieldStaff      = "is_staff"
	fieldSuperuser  = "is_superuser"
	fieldMustChange = "must_change"
	fieldPassword   = "password" // PHC string, an imported hash as it was, or "!" for none
	fieldLastLogin  = "last_login"
	fieldChanged    = "password_changed"
	fieldCreated    = "created"
	fieldClaim      = "claim"   // nonce that the name repeats
	fieldPending    = "pending" // "1" until the creation is confirmed
)

// claimLife bounds how long an unfinished creation holds its id.
const claimLife = time.Minute

// unusable stands for a password that nobody has, as in Django.
const unusable = "!"

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

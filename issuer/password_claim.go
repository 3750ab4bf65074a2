package issuer

import (
	"crypto/sha256"
	"fmt"
	"strconv"

	"tollgate/issuer/users"
	"tollgate/keys/token"
)

// passwordClaim ties a token to the password that its session began with. SimpleJWT's
// CHECK_REVOKE_TOKEN puts a digest of the password's hash there; ours is a digest of
// the moment at which the password was set: nothing that helps to guess it, and
// another hash of the same password changes nothing.
const passwordClaim = "hash_password"

// passwordVersion is the claim's value: 32 hexadecimal digits in capitals.
func passwordVersion(u users.User) string {
	version := int64(0)
	if !u.PasswordChanged.IsZero() {
		version = u.PasswordChanged.UnixMicro()
	}
	sum := sha256.Sum256([]byte("password version\x00" + u.ID + "\x00" + strconv.FormatInt(version, 10)))
	return fmt.Sprintf("%X", sum[:16])
}

// samePassword reports whether the user's password is that of the token. A token
// without the claim, from before it was asked for, has none.
func (s ClaimSettings) samePassword(id *token.Identity, u users.User) bool {
	if !s.Password {
		return true
	}
	have, _ := id.Text(passwordClaim)
	return have == passwordVersion(u)
}

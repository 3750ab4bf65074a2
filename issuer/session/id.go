package session

import (
	"crypto/rand"
	"encoding/hex"

	"tollgate/revocation"
)

// NewID returns a fresh sid that carries the session's birth:
// base64url(8 bytes birth, big-endian ‖ 16 random bytes).
func NewID(birth int64) string { return revocation.NewSessionID(birth) }

// Birth returns the birth (store time in µs) that a sid carries, and false for what
// NewID did not make.
func Birth(sid string) (int64, bool) { return revocation.Birth(sid) }

// newJTI returns 32 hexadecimal digits, the form that SimpleJWT gives a jti.
func newJTI() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}

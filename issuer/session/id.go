package session

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

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

// newUUID returns a random UUID (RFC 9562 section 5.4), the form that drf-jwt gives a
// jti.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

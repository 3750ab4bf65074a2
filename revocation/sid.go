package revocation

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
)

// A session identifier carries its session's birth, so that a cut-off can be
// compared with a token that was minted long after its log-in, without a look at
// the session's record: base64url(8 bytes of birth, big-endian ‖ 16 random bytes).
const sessionIDBytes = 8 + 16

var sessionIDEncoding = base64.RawURLEncoding.Strict()

// NewSessionID returns a fresh identifier (sid) of a session born at the given
// store time in microseconds.
func NewSessionID(birth int64) string {
	var b [sessionIDBytes]byte
	binary.BigEndian.PutUint64(b[:8], uint64(birth))
	_, _ = rand.Read(b[8:]) // never fails: crypto/rand ends the process instead
	return sessionIDEncoding.EncodeToString(b[:])
}

// Birth returns the birth that a session identifier carries, in microseconds of
// store time. It reports false for anything that NewSessionID does not return.
func Birth(sid string) (int64, bool) {
	if len(sid) != sessionIDEncoding.EncodedLen(sessionIDBytes) {
		return 0, false
	}
	b, err := sessionIDEncoding.DecodeString(sid)
	if err != nil || len(b) != sessionIDBytes {
		return 0, false
	}
	birth := int64(binary.BigEndian.Uint64(b))
	return birth, birth > 0
}

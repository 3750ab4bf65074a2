package telemetry

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
)

const (
	requestIDHeader  = "X-Request-Id" // canonical form
	maxClientIDBytes = 64
)

// newRequestID returns 16 random bytes in hex; unique, and no secret, so that the
// runtime's own generator serves. Ours is always fresh: a client's
// own id is neither unique nor trustworthy.
func newRequestID() string {
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64()) //nolint:gosec // an id, no secret
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()) //nolint:gosec // an id, no secret
	var text [32]byte
	hex.Encode(text[:], id[:])
	return string(text[:])
}

// clientRequestID returns the client's X-Request-Id when it is one value of
// ^[A-Za-z0-9._-]{1,64}$, else nothing: anything else could forge log lines.
func clientRequestID(h http.Header) string {
	v := h[requestIDHeader]
	if len(v) != 1 || v[0] == "" || len(v[0]) > maxClientIDBytes {
		return ""
	}
	for i := range len(v[0]) {
		switch c := v[0][i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '_', c == '-':
		default:
			return ""
		}
	}
	return v[0]
}

package keys

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"
)

// Published is a set in the form in which it is served. It is not changed after
// it was made.
type Published struct {
	// JWKS is the document.
	JWKS []byte
	// ETag is its strong validator with the quotes (RFC 9110 section 8.8.3): the
	// same keys have the same one on every instance.
	ETag string
	// MaxAge is how long a verifier may keep it; whole seconds are sent.
	MaxAge time.Duration
}

// Publish prepares a set for Handler. A negative maxAge is an error, zero makes
// every verifier ask again each time.
func Publish(s *Set, maxAge time.Duration) (*Published, error) {
	if maxAge < 0 {
		return nil, errors.New("publish keys: negative max-age")
	}
	doc, err := s.JWKS()
	if err != nil {
		return nil, err
	}
	return Document(doc, maxAge), nil
}

// Document prepares another public JSON document for Handler, such as one that says
// where the keys are.
func Document(doc []byte, maxAge time.Duration) *Published {
	sum := sha256.Sum256(doc)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	return &Published{JWKS: doc, ETag: tag, MaxAge: maxAge}
}

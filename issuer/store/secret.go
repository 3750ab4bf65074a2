package store

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
)

// secretPrefix tells programs that search code for secrets what they have found.
const secretPrefix = "tgs_"

// newSecret returns 256 random bits that need no escaping anywhere, and what is
// kept of them.
func newSecret() (secret, hash string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	secret = secretPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	return secret, hashSecret(secret)
}

func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// newID returns an id for a client whose author has none in mind.
func newID() string {
	var b [9]byte
	_, _ = rand.Read(b[:])
	return "client-" + hex.EncodeToString(b[:])
}

// HasSecret reports whether the secret is the client's present one, or the one
// before within its overlap. It takes the same time for every answer; a nil client
// has none.
func (c *Client) HasSecret(secret string) bool {
	given := []byte(hashSecret(secret))
	var held, old string
	if c != nil {
		held, old = c.secret, c.old
	}
	return same(given, held)|same(given, old) == 1
}

// same compares with what no hash is when nothing is held.
func same(given []byte, held string) int {
	there := 1
	if len(held) != len(given) {
		held, there = hex.EncodeToString(make([]byte, sha256.Size)), 0
	}
	return subtle.ConstantTimeCompare(given, []byte(held)) & there
}

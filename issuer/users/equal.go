package users

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // within PBKDF2, where collisions do not matter, to check what Django stored
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// bcryptBytes is what bcrypt reads of a password; the rest never counted.
const bcryptBytes = 72

// equal computes the hash of a password as it was stored and compares, in a time
// that does not depend on how much of it is right. Its error says that the library
// refused to compute, never what.
func (h *Hasher) equal(s stored, password string) (bool, error) {
	c, n := s.cost, len(s.sum)
	var sum []byte
	var err error
	switch c.algorithm {
	case argon2ID:
		sum = h.compute([]byte(password), s.salt, c.work, c.memory, uint8(c.lanes), uint32(n))
	case argon2I:
		sum = argon2.Key([]byte(password), s.salt, c.work, c.memory, uint8(c.lanes), uint32(n))
	case pbkdf2SHA256:
		sum, err = pbkdf2.Key(sha256.New, password, s.salt, int(c.work), n)
	case pbkdf2SHA1:
		sum, err = pbkdf2.Key(sha1.New, password, s.salt, int(c.work), n)
	case scryptName:
		sum, err = scrypt.Key([]byte(password), s.salt, int(c.work), int(c.memory), int(c.lanes), n)
	case bcryptSHA256:
		digest := sha256.Sum256([]byte(password)) // so that nothing of a long one is lost
		return equalBcrypt(s.bcrypt, []byte(hex.EncodeToString(digest[:])))
	case bcryptPlain:
		return equalBcrypt(s.bcrypt, []byte(password)[:min(len(password), bcryptBytes)])
	default:
		err = errHash
	}
	if err != nil {
		return false, fmt.Errorf("users: compute %s: %w", c.algorithm, err)
	}
	return subtle.ConstantTimeCompare(sum, s.sum) == 1, nil
}

func equalBcrypt(hash, password []byte) (bool, error) {
	err := bcrypt.CompareHashAndPassword(hash, password)
	if err == nil || errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return err == nil, nil
	}
	return false, fmt.Errorf("users: compute bcrypt: %w", errHash)
}

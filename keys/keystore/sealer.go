package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
)

// SealingKeyBytes is the length of a sealing key: AES-256.
const SealingKeyBytes = 32

// Sealer seals rings with AES-256-GCM under random nonces. Several keys let the
// sealing key itself be changed: the first seals, all of them open. It is safe
// for concurrent use.
type Sealer struct {
	ciphers []cipher.AEAD
}

// NewSealer needs at least one key, each of exactly SealingKeyBytes bytes of
// good randomness (no passwords: nothing here slows a guesser down).
func NewSealer(keys [][]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("no sealing key")
	}
	s := &Sealer{}
	for i, k := range keys {
		if len(k) != SealingKeyBytes {
			return nil, fmt.Errorf("sealing key %d has %d bytes, not %d", i+1, len(k), SealingKeyBytes)
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, fmt.Errorf("sealing key %d: %w", i+1, err)
		}
		// Random nonces are safe for 2^32 messages; a ring is written a few times a
		// month.
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("sealing key %d: %w", i+1, err)
		}
		s.ciphers = append(s.ciphers, aead)
	}
	return s, nil
}

// seal returns nonce, ciphertext and tag.
func (s *Sealer) seal(plain, bound []byte) []byte {
	return s.ciphers[0].Seal(nil, nil, plain, bound) //nolint:gosec // NewGCMWithRandomNonce: the nonce is its own
}

// open tries each key. That the right key was there but the binding differs
// cannot be told from a wrong key.
func (s *Sealer) open(sealed, bound []byte) ([]byte, error) {
	for _, c := range s.ciphers {
		if plain, err := c.Open(nil, nil, sealed, bound); err == nil {
			return plain, nil
		}
	}
	return nil, fmt.Errorf("%w: wrong sealing key, or it was changed or moved", ErrSealed)
}

// binding is the associated data of a sealed ring: each part with its length
// before it, so that no two places have the same.
func binding(prefix, issuer string, version uint64) []byte {
	b := []byte("tollgate key ring")
	for _, s := range []string{prefix, issuer} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return binary.BigEndian.AppendUint64(b, version)
}

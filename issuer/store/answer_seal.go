package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
)

// record is what is sealed: the digest too, for it is that of a body which may hold
// a password, and a plain one could be tried out against a dictionary.
type record struct {
	Request []byte  `json:"request"`
	Answer  *Answer `json:"answer,omitempty"` // nil while the request runs
}

// sealed closes and opens the record of one idempotency key.
type sealed struct{ aead cipher.AEAD }

// sealOf derives the name and the key of a record. Both the processes' secret and the
// client's key go into it: who reads Redis knows neither, and who has one of the two
// lacks the other.
func sealOf(secret []byte, actor, key string) (sealed, []byte, error) {
	h := hmac.New(sha256.New, secret)
	fmt.Fprintf(h, "tollgate answer\x00%d\x00%s\x00%s", len(actor), actor, key)
	root := h.Sum(nil)
	out, err := hkdf.Expand(sha256.New, root, "tollgate answer: name and seal", 64)
	if err != nil {
		return sealed{}, nil, fmt.Errorf("store: derive a seal: %w", err)
	}
	block, err := aes.NewCipher(out[32:])
	if err != nil {
		return sealed{}, nil, fmt.Errorf("store: seal: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealed{}, nil, fmt.Errorf("store: seal: %w", err)
	}
	return sealed{aead}, out[:32], nil
}

func (s sealed) close(r record) (string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("store: encode an answer: %w", err)
	}
	return string(s.aead.Seal(nil, nil, text, nil)), nil //nolint:gosec // NewGCMWithRandomNonce makes a nonce for each
}

var errSeal = errors.New("store: an answer cannot be opened")

func (s sealed) open(text string) (record, error) {
	var r record
	plain, err := s.aead.Open(nil, nil, []byte(text), nil)
	if err != nil {
		return r, errSeal // the library's error says no more
	}
	if err := json.Unmarshal(plain, &r); err != nil {
		return r, fmt.Errorf("%w: %w", errSeal, err)
	}
	return r, nil
}

package keys

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Why a key is refused, or a signature.
var (
	// ErrSignature says that a signature is not this key's over this input.
	ErrSignature = errors.New("signature does not verify")
	// ErrWeakKey says that the key is sound in form, but no basis for trust:
	// too short, too long, a bad exponent, a point off its curve, a generator
	// known to be broken.
	ErrWeakKey = errors.New("weak key")
	// ErrKeyMismatch says that key and algorithm do not belong together.
	ErrKeyMismatch = errors.New("key does not fit the algorithm")
)

// MaxIDLength is the longest key id that is accepted, in characters.
const MaxIDLength = 128

// Key is one public key bound to one algorithm under one id. It never changes
// after it was made and may be shared between goroutines.
type Key struct {
	id     string
	alg    Algorithm
	public any
	check  func(signingInput, signature []byte) error
}

// NewKey binds a public key to an algorithm under its RFC 7638 thumbprint
// (SHA-256, base64url). It accepts *ecdsa.PublicKey, *rsa.PublicKey and
// ed25519.PublicKey; see NewKeyWithID for what is refused.
func NewKey(pub crypto.PublicKey, alg Algorithm) (*Key, error) {
	if alg.Symmetric() {
		// The thumbprint of a secret is a hash of it that anyone may read.
		return nil, fmt.Errorf("%w: a symmetric key needs an id of its own", ErrKeyMismatch)
	}
	k, err := bind(pub, alg)
	if err != nil {
		return nil, err
	}
	if k.id, err = thumbprint(k.public); err != nil {
		return nil, err
	}
	return k, nil
}

// NewKeyWithID binds a public key to an algorithm under a given id. With HS256
// the key is a secret of at least 32 bytes as []byte (RFC 7518 section 3.2).
//
// It fails with ErrKeyMismatch when the key's type or curve is not the
// algorithm's (private keys included), with ErrWeakKey for RSA moduli outside
// 2048 to 8192 bits, even or tiny exponents, points off the curve and short
// secrets, and for ids that are empty, longer than MaxIDLength characters, not
// UTF-8 or with control characters.
func NewKeyWithID(id string, pub any, alg Algorithm) (*Key, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	k, err := bind(pub, alg)
	if err != nil {
		return nil, err
	}
	k.id = id
	return k, nil
}

// bind copies and checks the material and readies the verifier.
func bind(pub any, alg Algorithm) (*Key, error) {
	material, err := own(pub, alg)
	if err != nil {
		return nil, err
	}
	check, err := verifier(material, alg)
	if err != nil {
		return nil, err
	}
	return &Key{alg: alg, public: material, check: check}, nil
}

func checkID(id string) error {
	switch {
	case id == "":
		return errors.New("key id is empty")
	case !utf8.ValidString(id):
		return errors.New("key id is not UTF-8")
	case utf8.RuneCountInString(id) > MaxIDLength:
		return fmt.Errorf("key id is longer than %d characters", MaxIDLength)
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return errors.New("key id has a control character")
		}
	}
	return nil
}

// ID returns the key's id ("kid").
func (k *Key) ID() string { return k.id }

// Algorithm returns the only algorithm that this key verifies.
func (k *Key) Algorithm() Algorithm { return k.alg }

// Public returns the key material: *ecdsa.PublicKey, *rsa.PublicKey,
// ed25519.PublicKey, or []byte for HS256. It must not be changed.
func (k *Key) Public() any { return k.public }

// Same reports whether both keys are the same material bound to the same
// algorithm, whatever they are called. Nil is the same only as nil.
func (k *Key) Same(o *Key) bool {
	if k == nil || o == nil {
		return k == o
	}
	return k.alg == o.alg && sameMaterial(k.public, o.public)
}

func sameMaterial(a, b any) bool {
	if secret, ok := a.([]byte); ok {
		other, ok := b.([]byte)
		return ok && bytes.Equal(secret, other)
	}
	// Every public key of the standard library has this method.
	e, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && e.Equal(b)
}

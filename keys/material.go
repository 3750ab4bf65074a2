package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math/big"
	"slices"
)

// Bounds on RSA moduli, in bits. Below the lower one is NIST SP 800-131A's
// "disallowed" (RFC 7518 section 3.3 asks for 2048 too); above the upper one a
// stranger's key would buy itself milliseconds of our time per request.
const (
	MinRSABits = 2048
	MaxRSABits = 8192
)

// MinSecretBytes is the shortest HS256 secret: RFC 7518 section 3.2 asks for at
// least the size of the hash.
const MinSecretBytes = 32

// own returns a checked copy of the material, so that a Key cannot change under
// whoever holds it.
func own(pub any, alg Algorithm) (any, error) {
	switch alg.family() {
	case familyEC:
		return ownEC(pub, alg)
	case familyRSA, familyPSS:
		return ownRSA(pub, alg)
	case familyEd25519:
		k, ok := pub.(ed25519.PublicKey)
		if !ok {
			return nil, fmt.Errorf("%w: %s needs an Ed25519 public key, not %T", ErrKeyMismatch, alg, pub)
		}
		if len(k) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: an Ed25519 key has %d bytes, not %d", ErrWeakKey, ed25519.PublicKeySize, len(k))
		}
		return slices.Clone(k), nil
	case familyHMAC:
		k, ok := pub.([]byte)
		if !ok {
			return nil, fmt.Errorf("%w: %s needs a secret, not %T", ErrKeyMismatch, alg, pub)
		}
		if len(k) < MinSecretBytes {
			return nil, fmt.Errorf("%w: an %s secret has at least %d bytes", ErrWeakKey, alg, MinSecretBytes)
		}
		return slices.Clone(k), nil
	}
	return nil, fmt.Errorf("%w: unknown algorithm %q", ErrKeyMismatch, string(alg))
}

// curve is the one curve of an ECDSA algorithm: RFC 7518 section 3.4 pairs them,
// while jwx verifies ES256 with any curve.
func (a Algorithm) curve() elliptic.Curve {
	switch a {
	case ES256:
		return elliptic.P256()
	case ES384:
		return elliptic.P384()
	case ES512:
		return elliptic.P521()
	}
	return nil
}

func ownEC(pub any, alg Algorithm) (any, error) {
	k, ok := pub.(*ecdsa.PublicKey)
	if !ok || k == nil {
		return nil, fmt.Errorf("%w: %s needs an ECDSA public key, not %T", ErrKeyMismatch, alg, pub)
	}
	if k.Curve != alg.curve() {
		return nil, fmt.Errorf("%w: %s needs curve %s", ErrKeyMismatch, alg, alg.curve().Params().Name)
	}
	// Encoding and decoding both check that the point is on the curve.
	point, err := k.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWeakKey, err)
	}
	c, err := ecdsa.ParseUncompressedPublicKey(k.Curve, point)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWeakKey, err)
	}
	return c, nil
}

func ownRSA(pub any, alg Algorithm) (any, error) {
	k, ok := pub.(*rsa.PublicKey)
	if !ok || k == nil || k.N == nil {
		return nil, fmt.Errorf("%w: %s needs an RSA public key, not %T", ErrKeyMismatch, alg, pub)
	}
	switch bits := k.N.BitLen(); {
	case k.N.Sign() <= 0 || bits < MinRSABits:
		return nil, fmt.Errorf("%w: an RSA modulus of %d bits is below %d", ErrWeakKey, bits, MinRSABits)
	case bits > MaxRSABits:
		return nil, fmt.Errorf("%w: an RSA modulus of %d bits is above %d", ErrWeakKey, bits, MaxRSABits)
	case k.N.Bit(0) == 0:
		return nil, fmt.Errorf("%w: an RSA modulus is odd", ErrWeakKey)
	case k.E < 3 || k.E&1 == 0 || k.E > 1<<31-1:
		return nil, fmt.Errorf("%w: RSA exponent %d", ErrWeakKey, k.E)
	case roca(k.N):
		return nil, fmt.Errorf("%w: the RSA modulus comes from a generator with CVE-2017-15361", ErrWeakKey)
	}
	return &rsa.PublicKey{N: new(big.Int).Set(k.N), E: k.E}, nil
}

package keys

import (
	"crypto"
	"fmt"
)

// Algorithm is a JWS algorithm name of RFC 7518 section 3.1 or RFC 8037 section
// 3.1, in exactly the letters of the registry.
type Algorithm string

// The algorithms that tollgate knows. HS256 verifies the tokens of a legacy
// issuer and is neither signed with nor published.
const (
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	EdDSA Algorithm = "EdDSA"
	HS256 Algorithm = "HS256"
)

// Algorithms returns every algorithm that can be signed with and published: all
// but HS256. The slice is the caller's.
func Algorithms() []Algorithm {
	return []Algorithm{ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512, EdDSA}
}

// ParseAlgorithm returns the algorithm of that name. Names are compared exactly:
// RFC 7515 section 4.1.1 makes "alg" case-sensitive, and "none" is no algorithm.
func ParseAlgorithm(s string) (Algorithm, error) {
	a := Algorithm(s)
	if a.family() == familyUnknown {
		return "", fmt.Errorf("unknown algorithm %q", s)
	}
	return a, nil
}

// Symmetric reports whether whoever can verify with a key of this algorithm can
// also sign with it.
func (a Algorithm) Symmetric() bool { return a.family() == familyHMAC }

// family is the kind of key that an algorithm works with.
type family uint8

const (
	familyUnknown family = iota
	familyEC
	familyRSA // PKCS #1 v1.5
	familyPSS
	familyEd25519
	familyHMAC
)

func (a Algorithm) family() family {
	switch a {
	case ES256, ES384, ES512:
		return familyEC
	case RS256, RS384, RS512:
		return familyRSA
	case PS256, PS384, PS512:
		return familyPSS
	case EdDSA:
		return familyEd25519
	case HS256:
		return familyHMAC
	}
	return familyUnknown
}

// Hash is the digest that an algorithm signs; zero for EdDSA, which takes the
// message itself (RFC 8032 section 5.1).
func (a Algorithm) Hash() crypto.Hash { return a.hash() }

// hash is the digest of an algorithm; zero for EdDSA, which takes the message.
func (a Algorithm) hash() crypto.Hash {
	switch a {
	case ES256, RS256, PS256, HS256:
		return crypto.SHA256
	case ES384, RS384, PS384:
		return crypto.SHA384
	case ES512, RS512, PS512:
		return crypto.SHA512
	}
	return 0
}

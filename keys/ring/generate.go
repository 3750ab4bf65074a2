package ring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"

	"tollgate/keys"
)

// rsaBits is the size of the RSA keys that are made: NIST SP 800-57 holds 2048
// good until 2030, each further kilobit costs every verifier, and our keys live
// for weeks. Longer ones can be imported.
const rsaBits = 2048

// Generate makes a key pair for an algorithm: the curve that RFC 7518 section
// 3.4 pairs with it, Ed25519 for EdDSA, RSA with 2048 bits. Its id does not begin with
// a hyphen. HS256 is an error.
func Generate(alg keys.Algorithm) (crypto.Signer, error) {
	for {
		private, err := generate(alg)
		if err != nil {
			return nil, err
		}
		public, err := keys.NewKey(private.Public(), alg)
		if err != nil {
			return nil, fmt.Errorf("generate a key: %w", err)
		}
		// Commands would take an id that begins with a hyphen for flags; one of 64 does.
		if !strings.HasPrefix(public.ID(), "-") {
			return private, nil
		}
	}
}

func generate(alg keys.Algorithm) (crypto.Signer, error) {
	switch alg {
	case keys.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case keys.ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case keys.ES512:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case keys.RS256, keys.RS384, keys.RS512, keys.PS256, keys.PS384, keys.PS512:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case keys.EdDSA:
		_, priv, err := ed25519.GenerateKey(rand.Reader)
		return priv, err
	}
	return nil, fmt.Errorf("no key can be generated for algorithm %q", string(alg))
}

package keys

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Verify checks the signature over the signing input (RFC 7515 section 5.2: the
// header and payload segments and the dot between them) with this key and its
// one algorithm. It returns nil or ErrSignature, and says nothing about claims.
func (k *Key) Verify(signingInput, signature []byte) error {
	if k == nil || k.check(signingInput, signature) != nil {
		return ErrSignature
	}
	return nil
}

// verifier readies the check of one signature: the algorithm is fixed here, so
// nothing that a token says can choose it.
func verifier(material any, alg Algorithm) (func(input, signature []byte) error, error) {
	switch alg.family() {
	case familyPSS:
		return pss(material.(*rsa.PublicKey), alg), nil
	case familyRSA:
		return pkcs1(material.(*rsa.PublicKey), alg)
	case familyEC:
		return ecdsaOf(material.(*ecdsa.PublicKey), alg), nil
	}
	v, err := jws.NewVerifier(jwa.SignatureAlgorithm(alg))
	if err != nil {
		return nil, fmt.Errorf("verifier for %s: %w", alg, err)
	}
	return func(input, signature []byte) error { return v.Verify(input, signature, material) }, nil
}

// pss does not go through jwx, which takes a salt of any length: RFC 7518
// section 3.5 wants the length of the hash (Wycheproof json_web_signature
// tc281 to tc286).
func pss(pub *rsa.PublicKey, alg Algorithm) func(input, signature []byte) error {
	hash := alg.hash()
	return func(input, signature []byte) error {
		h := hash.New()
		h.Write(input)
		opts := rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		return rsa.VerifyPSS(pub, hash, h.Sum(nil), signature, &opts)
	}
}

package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"tollgate/keys"
)

// privateJWK reads one private JWK (RFC 7517 section 4), or a set of one.
func privateJWK(data []byte) (Private, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(data, &set) == nil && set.Keys != nil {
		if len(set.Keys) != 1 {
			return Private{}, fmt.Errorf("the JWK Set has %d keys, not one", len(set.Keys))
		}
		data = set.Keys[0]
	}
	var names struct {
		ID  string `json:"kid"`
		Alg string `json:"alg"`
		Use string `json:"use"`
		D   string `json:"d"`
	}
	if err := json.Unmarshal(data, &names); err != nil {
		return Private{}, errors.New("the JWK is not JSON as RFC 7517 has it")
	}
	if names.D == "" {
		return Private{}, fmt.Errorf("%w: the JWK is not a private one", ErrNoKey)
	}
	if names.Use != "" && names.Use != "sig" {
		return Private{}, fmt.Errorf("the JWK is for use %q, not for signatures", names.Use)
	}
	p := Private{ID: names.ID}
	if names.Alg != "" {
		var err error
		if p.Algorithm, err = keys.ParseAlgorithm(names.Alg); err != nil {
			return Private{}, err
		}
	}
	parsed, err := jwk.ParseKey(data)
	if err != nil {
		return Private{}, errors.New("the JWK cannot be read")
	}
	var raw any
	if err := parsed.Raw(&raw); err != nil {
		return Private{}, errors.New("the JWK cannot be read")
	}
	if p.Signer, err = whole(raw); err != nil {
		return Private{}, err
	}
	return p, nil
}

// whole holds that the private half of a JWK is that of its public one: a JWK
// spells both out, and jwx takes them as they come. (RSA: see check.)
func whole(raw any) (crypto.Signer, error) {
	mismatch := fmt.Errorf("%w: the JWK's private half is another key's", keys.ErrWeakKey)
	switch k := raw.(type) {
	case *ecdsa.PrivateKey:
		d, err := k.Bytes()
		if err != nil {
			return nil, mismatch
		}
		own, err := ecdsa.ParseRawPrivateKey(k.Curve, d)
		if err != nil || !own.PublicKey.Equal(&k.PublicKey) {
			return nil, mismatch
		}
		return own, nil
	case ed25519.PrivateKey:
		if len(k) != ed25519.PrivateKeySize || !ed25519.NewKeyFromSeed(k.Seed()).Equal(k) {
			return nil, mismatch
		}
		return k, nil
	case crypto.Signer:
		return k, nil
	}
	return nil, fmt.Errorf("%w: a JWK of type %T cannot sign", keys.ErrKeyMismatch, raw)
}

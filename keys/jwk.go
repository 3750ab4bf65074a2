package keys

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// thumbprint returns the RFC 7638 thumbprint of a public key: SHA-256 over the
// required members in lexical order, base64url.
func thumbprint(material any) (string, error) {
	j, err := jwk.FromRaw(material)
	if err != nil {
		return "", fmt.Errorf("make a JWK: %w", err)
	}
	sum, err := j.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("JWK thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// published is all that ever leaves as a JWK. It is a struct and not jwx's own
// marshalling, so that a private member has nowhere to go: jwx prints "d" of a
// private key and "k" of a secret without being asked.
type published struct {
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
	Use       string `json:"use"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	N         string `json:"n,omitempty"`
	E         string `json:"e,omitempty"`
}

// JWKS returns the set as a JWK Set (RFC 7517 section 5) in the order of the
// set: each key with kty, kid, alg, use "sig" and its public members. Symmetric
// keys are left out. The same set always gives the same bytes.
func (s *Set) JWKS() ([]byte, error) {
	doc := struct {
		Keys []published `json:"keys"`
	}{Keys: []published{}}
	for _, k := range s.Keys() {
		if k.alg.Symmetric() {
			continue
		}
		p, err := k.published()
		if err != nil {
			return nil, fmt.Errorf("publish key %q: %w", k.id, err)
		}
		doc.Keys = append(doc.Keys, p)
	}
	return json.Marshal(doc)
}

// JWK returns the key as one JWK (RFC 7517 section 4) with the members that JWKS
// gives it. A symmetric key has none that may be seen, which is an error.
func (k *Key) JWK() ([]byte, error) {
	p, err := k.published()
	if err != nil {
		return nil, fmt.Errorf("publish key %q: %w", k.id, err)
	}
	return json.Marshal(p)
}

func (k *Key) published() (published, error) {
	p := published{ID: k.id, Algorithm: string(k.alg), Use: "sig"}
	raw, err := jwk.FromRaw(k.public)
	if err != nil {
		return p, fmt.Errorf("make a JWK: %w", err)
	}
	p.Type = raw.KeyType().String()
	b64 := base64.RawURLEncoding.EncodeToString
	switch j := raw.(type) {
	case jwk.ECDSAPublicKey:
		p.Curve, p.X, p.Y = j.Crv().String(), b64(j.X()), b64(j.Y())
	case jwk.RSAPublicKey:
		p.N, p.E = b64(j.N()), b64(j.E())
	case jwk.OKPPublicKey:
		p.Curve, p.X = j.Crv().String(), b64(j.X())
	default:
		return p, fmt.Errorf("%w: no public JWK for %T", ErrKeyMismatch, k.public)
	}
	return p, nil
}

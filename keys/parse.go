package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// parseJWK reads one member of a JWK Set.
func parseJWK(data []byte, algorithms []Algorithm) (*Key, error) {
	members, err := object(data)
	if err != nil {
		return nil, err
	}
	id, named, err := text(members, "kid")
	if err != nil {
		return nil, err
	}
	if named {
		if err := checkID(id); err != nil {
			return nil, err
		}
	}
	alg, err := usable(members, algorithms)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", id, err)
	}
	pub, err := material(members)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", id, err)
	}
	var k *Key
	if named {
		k, err = NewKeyWithID(id, pub, alg)
	} else {
		k, err = NewKey(pub, alg)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", id, err)
	}
	return k, nil
}

// usable checks that the members are a public key for signatures, and returns
// the algorithm that it is bound to.
func usable(members map[string]json.RawMessage, algorithms []Algorithm) (Algorithm, error) {
	for _, name := range privateMembers() {
		if _, there := members[name]; there {
			return "", fmt.Errorf("has the private member %q", name)
		}
	}
	use, named, err := text(members, "use")
	if err != nil {
		return "", err
	}
	if named && use != "sig" { // RFC 7517 section 4.2
		return "", fmt.Errorf("is for use %q, not for signatures", use)
	}
	if raw, there := members["key_ops"]; there { // RFC 7517 section 4.3
		var ops []string
		if err := json.Unmarshal(raw, &ops); err != nil {
			return "", fmt.Errorf("read key_ops: %w", err)
		}
		if !slices.Contains(ops, "verify") {
			return "", errors.New(`key_ops has no "verify"`)
		}
	}
	alg, err := algorithmOf(members, algorithms)
	if err != nil {
		return "", err
	}
	if alg.Symmetric() {
		return "", fmt.Errorf("%s is a symmetric algorithm", alg)
	}
	if len(algorithms) > 0 && !slices.Contains(algorithms, alg) {
		return "", fmt.Errorf("%s is not an algorithm of this issuer", alg)
	}
	return alg, nil
}

// privateMembers are the members of RFC 7518 sections 6.2.2, 6.3.2 and 6.4 and
// RFC 8037 section 2 that must never be in a published key. A key whose private
// half was published is anyone's key.
func privateMembers() []string { return []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} }

// algorithmOf returns the key's "alg", or the one that its type implies.
func algorithmOf(members map[string]json.RawMessage, algorithms []Algorithm) (Algorithm, error) {
	name, named, err := text(members, "alg")
	if err != nil {
		return "", err
	}
	if named {
		return ParseAlgorithm(name)
	}
	kty, _, err := text(members, "kty")
	if err != nil {
		return "", err
	}
	if kty == "RSA" {
		for _, a := range algorithms {
			if f := a.family(); f == familyRSA || f == familyPSS {
				return a, nil
			}
		}
		return RS256, nil
	}
	crv, _, err := text(members, "crv")
	if err != nil {
		return "", err
	}
	switch kty + " " + crv {
	case "EC P-256":
		return ES256, nil
	case "EC P-384":
		return ES384, nil
	case "EC P-521":
		return ES512, nil
	case "OKP Ed25519":
		return EdDSA, nil
	}
	return "", fmt.Errorf("key type %q with curve %q is not known", kty, crv)
}

// material decodes the public key. jwx is shown the members of the key type and
// no others, so that a certificate or an unknown member cannot spoil a key.
func material(members map[string]json.RawMessage) (any, error) {
	kty, _, err := text(members, "kty")
	if err != nil {
		return nil, err
	}
	var wanted []string
	switch kty {
	case "EC":
		wanted = []string{"crv", "x", "y"}
	case "RSA":
		wanted = []string{"n", "e"}
	case "OKP":
		wanted = []string{"crv", "x"}
	default:
		return nil, fmt.Errorf("key type %q is not known", kty)
	}
	only := map[string]string{"kty": kty}
	for _, name := range wanted {
		value, there, err := text(members, name)
		if err != nil {
			return nil, err
		}
		if !there || value == "" {
			return nil, fmt.Errorf("member %q is missing", name)
		}
		only[name] = value
	}
	doc, err := json.Marshal(only)
	if err != nil {
		return nil, fmt.Errorf("write the JWK again: %w", err)
	}
	return decode(doc)
}

func decode(doc []byte) (any, error) {
	j, err := jwk.ParseKey(doc)
	if err != nil {
		return nil, fmt.Errorf("read the JWK: %w", err)
	}
	// jwx cuts a longer exponent down to its low bits without a word.
	if r, ok := j.(jwk.RSAPublicKey); ok && len(bytes.TrimLeft(r.E(), "\x00")) > 4 {
		return nil, fmt.Errorf("%w: the RSA exponent has more than 32 bits", ErrWeakKey)
	}
	var pub any
	if err := j.Raw(&pub); err != nil {
		return nil, fmt.Errorf("read the JWK: %w", err)
	}
	return pub, nil
}

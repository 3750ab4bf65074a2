package keys

import (
	"encoding/json"
	"errors"
	"fmt"
)

// MaxKeys is the number of members that ParseJWKS looks at. Servers publish a
// handful; a document with thousands would only cost time.
const MaxKeys = 100

// ParseJWKS reads a JWK Set (RFC 7517 section 5) and returns the keys of it that
// can verify signatures. It never fails as a whole because of one member: a key
// that is faulty, weak, private, symmetric, not for signatures or of a type that
// is not known is left out, each with an error that names it; so one ML-DSA key
// does not take the others down. The set is never nil; a document that is no JWK
// Set gives an empty one and one error.
//
// algorithms is what the issuer may use; a key of another algorithm is left out.
// Empty means all of them. A key without "alg" gets the one that fits it: by its
// curve, or for RSA the first RSA algorithm in algorithms (RS256 when empty). A
// key without "kid" gets its thumbprint as id.
//
// The same key listed twice counts once. Different keys under one kid are all
// left out: nobody could say which of them a token means.
func ParseJWKS(data []byte, algorithms []Algorithm) (*Set, []error) {
	empty := &Set{}
	doc, err := object(data)
	if err != nil {
		return empty, []error{fmt.Errorf("JWK Set: %w", err)}
	}
	var members []json.RawMessage
	raw, there := doc["keys"]
	if !there || raw[0] != '[' {
		return empty, []error{errors.New(`JWK Set: no array "keys"`)}
	}
	if err := json.Unmarshal(raw, &members); err != nil {
		return empty, []error{fmt.Errorf("JWK Set: %w", err)}
	}
	var errs []error
	if len(members) > MaxKeys {
		errs = append(errs, fmt.Errorf("JWK Set: %d keys, only the first %d are looked at", len(members), MaxKeys))
		members = members[:MaxKeys]
	}
	var found []*Key
	for i, m := range members {
		k, err := parseJWK(m, algorithms)
		if err != nil {
			errs = append(errs, fmt.Errorf("JWK Set: key %d: %w", i, err))
			continue
		}
		found = append(found, k)
	}
	found, more := distinct(found)
	errs = append(errs, more...)
	s, err := NewSet(found...)
	if err != nil {
		return empty, append(errs, fmt.Errorf("JWK Set: %w", err))
	}
	return s, errs
}

// distinct leaves one key for each id, or none where different keys share it.
func distinct(found []*Key) (kept []*Key, errs []error) {
	first := make(map[string]*Key, len(found))
	ambiguous := make(map[string]bool)
	for _, k := range found {
		if f := first[k.id]; f == nil {
			first[k.id] = k
		} else if !f.Same(k) {
			ambiguous[k.id] = true
		}
	}
	for _, k := range found {
		switch {
		case ambiguous[k.id]:
			errs = append(errs, fmt.Errorf("JWK Set: key %q (%s): another key has the same id", k.id, k.alg))
		case first[k.id] != k:
			errs = append(errs, fmt.Errorf("JWK Set: key %q is there twice", k.id))
		default:
			kept = append(kept, k)
		}
	}
	return kept, errs
}

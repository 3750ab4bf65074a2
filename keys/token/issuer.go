package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tollgate/keys"
)

// KeySource holds the current keys of one issuer. Set is called on every
// request: it returns a snapshot and never waits.
type KeySource interface {
	Set() *keys.Set
}

// StaticKeys is a KeySource that never changes.
type StaticKeys struct{ keys *keys.Set }

// NewStaticKeys returns a KeySource that holds set for ever.
func NewStaticKeys(set *keys.Set) StaticKeys { return StaticKeys{set} }

// Set returns the keys.
func (s StaticKeys) Set() *keys.Set { return s.keys }

// Issuer is one issuer whose tokens are believed. Its keys vouch for its own iss
// and for no other's (RFC 8725 section 3.8).
type Issuer struct {
	// Name is the exact iss.
	Name string
	// Keys are the issuer's; required.
	Keys KeySource
	// Own marks the issuer that is this system: its tokens must say their type
	// and are never older than the revocation store.
	Own bool
	// Audiences of which a token must name one; empty: aud is not looked at.
	Audiences []string
	// Algorithms that are accepted of this issuer; empty: those of its keys.
	Algorithms []keys.Algorithm
	// Types of the header (typ), lower case; empty: jwt and at+jwt. A token
	// without typ passes.
	Types []string
	// Leeway for exp, nbf and iat; at most the verifier's, which is also the
	// default for 0.
	Leeway time.Duration
	// MaxLifetime is the longest life (exp - iat) of a token by its type; the
	// entry "" serves for the types not named. 0 or absent: no cap.
	MaxLifetime map[string]time.Duration
	// SubjectClaim is where the subject stands; empty: sub.
	SubjectClaim string
}

// Validate reports what is wrong with the issuer, all at once.
func (i *Issuer) Validate() error {
	var faults []error
	if i.Name == "" {
		faults = append(faults, errors.New("an issuer without a name"))
	}
	if i.Keys == nil {
		faults = append(faults, fmt.Errorf("issuer %q has no source of keys", i.Name))
	}
	if i.Leeway < 0 {
		faults = append(faults, fmt.Errorf("issuer %q has a negative leeway", i.Name))
	}
	return errors.Join(faults...)
}

// keyOf returns the one key that may have signed a token with this header: kid
// names the key, the key fixes the algorithm (RFC 8725 section 3.1).
func (i *Issuer) keyOf(h header) (*keys.Key, *Refusal) {
	if h.kid == "" {
		return nil, refuse(ReasonUnknownKey, "the header has no kid")
	}
	key, found := i.Keys.Set().Key(h.kid)
	if !found {
		return nil, refuse(ReasonUnknownKey, "the issuer has no such key")
	}
	if h.alg != key.Algorithm() || len(i.Algorithms) > 0 && !slices.Contains(i.Algorithms, h.alg) {
		return nil, refuse(ReasonAlgorithm, "the header's alg is not that of the key")
	}
	return key, nil
}

func (i *Issuer) subjectClaim() string {
	if i.SubjectClaim == "" {
		return "sub"
	}
	return i.SubjectClaim
}

func (i *Issuer) acceptsTyp(typ string) bool {
	if typ == "" {
		return true
	}
	if len(i.Types) == 0 {
		return typ == "jwt" || typ == "at+jwt"
	}
	return slices.ContainsFunc(i.Types, func(t string) bool { return strings.EqualFold(t, typ) })
}

func (i *Issuer) lifetime(tokenType string) time.Duration {
	if d, found := i.MaxLifetime[tokenType]; found {
		return d
	}
	return i.MaxLifetime[""]
}

package token

import (
	"context"
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

// KeyAwaiter is a KeySource that can look for a key it does not have. Await
// returns the newest set; it bounds its own wait, and asks the issuer no more
// often than its settings allow however many tokens name unknown keys.
type KeyAwaiter interface {
	KeySource
	Await(ctx context.Context, kid string) *keys.Set
}

// Legacy excuses an issuer from what its tokens lack. Each switch is a weakness
// that somebody has to want.
type Legacy struct {
	// NoKID: a token without kid is tried against the issuer's single key.
	NoKID bool
	// NoIssuer: a token without iss is taken for this issuer's. One issuer at most
	// may have it.
	NoIssuer bool
	// NoAudience: a token without aud passes although audiences are asked for.
	NoAudience bool
	// NoJTI: a token without jti passes; it can be revoked as a whole only.
	NoJTI bool
	// NoTokenType: a token of any or no token_type counts as an access token.
	NoTokenType bool
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
	// RefuseAudience refuses a token that names any audience, where Audiences is empty:
	// drf-jwt's rule, the opposite of SimpleJWT's.
	RefuseAudience bool
	// Algorithms that are accepted of this issuer; empty: those of its keys.
	Algorithms []keys.Algorithm
	// Types of the header (typ), lower case; empty: jwt and at+jwt. A token
	// without typ passes.
	Types []string
	// Leeway for exp, nbf and iat; at most the verifier's, which is also the
	// default for 0.
	Leeway time.Duration
	// NoLeeway is a leeway of 0, whatever Leeway says.
	NoLeeway bool
	// MaxLifetime is the longest life (exp - iat) of a token by its type; the
	// entry "" serves for the types not named. 0 or absent: no cap.
	MaxLifetime map[string]time.Duration
	// SubjectClaim is where the subject stands; empty: sub.
	SubjectClaim string
	// Legacy excuses the issuer from what its tokens lack.
	Legacy Legacy
	// RefuseBeforeStore refuses tokens that were issued before the revocation
	// store began: nobody can say what was revoked then.
	RefuseBeforeStore bool
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
func (i *Issuer) keyOf(ctx context.Context, h header) (*keys.Key, *Refusal) {
	key, refusal := i.named(ctx, h.kid)
	if refusal != nil {
		return nil, refusal
	}
	if h.alg != key.Algorithm() || !i.allows(h.alg) {
		return nil, refuse(ReasonAlgorithm, "the header's alg is not that of the key")
	}
	return key, nil
}

func (i *Issuer) allows(alg keys.Algorithm) bool {
	return len(i.Algorithms) == 0 || slices.Contains(i.Algorithms, alg)
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

// named returns the key of a kid. The keys that are at hand decide first; only a
// kid that is not among them can make anybody wait.
func (i *Issuer) named(ctx context.Context, kid string) (*keys.Key, *Refusal) {
	set := i.Keys.Set()
	if kid == "" {
		if !i.Legacy.NoKID {
			return nil, refuse(ReasonUnknownKey, "the header has no kid")
		}
		if awaiter, ok := i.Keys.(KeyAwaiter); ok && set.Len() == 0 {
			if set = awaiter.Await(ctx, ""); set.Len() == 0 {
				return nil, refuse(ReasonUnavailable, "the issuer's keys could not be fetched")
			}
		}
		if set.Len() != 1 {
			return nil, refuse(ReasonUnknownKey, "the header has no kid, and the issuer has not exactly one key")
		}
		return set.Keys()[0], nil
	}
	if key, found := set.Key(kid); found {
		return key, nil
	}
	if awaiter, ok := i.Keys.(KeyAwaiter); ok {
		set = awaiter.Await(ctx, kid)
		if key, found := set.Key(kid); found {
			return key, nil
		}
		if set.Len() == 0 {
			return nil, refuse(ReasonUnavailable, "the issuer's keys could not be fetched")
		}
	}
	return nil, refuse(ReasonUnknownKey, "the issuer has no such key")
}

package token

import (
	"slices"
	"time"

	"tollgate/revocation"
)

// Unavailable says what happens to a token of which nobody can say whether it is
// revoked.
type Unavailable uint8

// The choices of [Policy.OnUnavailable].
const (
	Deny  Unavailable = iota // refuse with the reason unavailable (503): the default
	Allow                    // let through while the store cannot be reached
)

// Policy is what one route asks of a token. The zero value asks for an access
// token of any audience and refuses when the store cannot answer.
type Policy struct {
	// Audiences of which the token must name one; empty: whatever the issuer's
	// own setting asks for.
	Audiences []string
	// TokenTypes that are accepted; empty: access.
	TokenTypes []string
	// Scopes that the token must all have.
	Scopes []string
	// Claims that the token must have.
	Claims []ClaimRule
	// OnUnavailable decides when the store cannot be reached. A store that lost
	// something, or is not loaded yet, is always Deny.
	OnUnavailable Unavailable
	// Uncertain is told of each token that Allow lets through although nobody could
	// say whether it is revoked; nil: nobody.
	Uncertain func(revocation.Verdict)
	// MaxStale is the age up to which an answer about revocation counts.
	MaxStale time.Duration
}

func (p *Policy) accepts(tokenType string) bool {
	if len(p.TokenTypes) == 0 {
		return tokenType == "access"
	}
	return slices.Contains(p.TokenTypes, tokenType)
}

func anyOf(have, want []string) bool {
	return slices.ContainsFunc(have, func(s string) bool { return slices.Contains(want, s) })
}

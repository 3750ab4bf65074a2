package token

import "fmt"

// Reason says why a request was not let through. The set is closed: each reason
// is a metric label and a word in the log line.
type Reason string

// The reasons. Missing, Origin and Rate are found before or after a token is
// looked at, by the gateway; the others are found here.
const (
	ReasonMissing     Reason = "missing"       // no credential
	ReasonMalformed   Reason = "malformed"     // not a token that we would ever sign or accept
	ReasonAlgorithm   Reason = "algorithm"     // not the algorithm of the key, RFC 8725 section 3.1
	ReasonUnknownKey  Reason = "unknown_key"   // the issuer has no such key
	ReasonSignature   Reason = "signature"     // the key did not sign this
	ReasonExpired     Reason = "expired"       // exp has passed, RFC 7519 section 4.1.4
	ReasonNotYetValid Reason = "not_yet_valid" // nbf or iat lies ahead, RFC 7519 sections 4.1.5, 4.1.6
	ReasonIssuer      Reason = "issuer"        // an issuer that is not trusted, RFC 7519 section 4.1.1
	ReasonAudience    Reason = "audience"      // meant for somebody else, RFC 7519 section 4.1.3
	ReasonTokenType   Reason = "token_type"    // a refresh token used as an access token, and the like
	ReasonLifetime    Reason = "lifetime"      // lives longer than its issuer is allowed to promise
	ReasonRevoked     Reason = "revoked"       // a revocation covers it
	ReasonScope       Reason = "scope"         // valid, but without a scope that the route asks for
	ReasonClaim       Reason = "claim"         // valid, but without a claim that the route asks for
	ReasonOrigin      Reason = "origin"        // a cookie sent from a foreign origin
	ReasonRate        Reason = "rate"          // over the rate of the route
	ReasonUnavailable Reason = "unavailable"   // nobody can say whether it is revoked
)

// Reasons lists every reason, in the order of the documentation; the order in
// which a token can meet them is that of the package comment.
func Reasons() []Reason {
	return []Reason{ReasonMissing, ReasonMalformed, ReasonAlgorithm, ReasonUnknownKey, ReasonSignature, ReasonExpired, ReasonNotYetValid, ReasonIssuer, ReasonAudience,
		ReasonTokenType, ReasonLifetime, ReasonRevoked, ReasonScope, ReasonClaim, ReasonOrigin, ReasonRate, ReasonUnavailable}
}

// Fault narrows a reason down to the check that failed, as a fixed sentence
// without a word from the token. It is fit for a log line, and the surfaces with
// a tradition of their own (SimpleJWT) choose their wording by it.
type Fault string

// Faults that somebody branches on.
const (
	FaultNoExpiry  Fault = "claim exp is missing"
	FaultNoID      Fault = "claim jti is missing"
	FaultNoType    Fault = "claim token_type is missing"
	FaultWrongType Fault = "the token type is not accepted here"
	FaultNoSubject Fault = "the subject is not a string of 1 to 255 bytes without control characters"
)

// Refusal is the error of [Verifier.Authenticate]. It never holds the token nor
// a text that was taken from an unverified one.
type Refusal struct {
	Reason Reason
	Fault  Fault
	// Token is set when the signature was good and the claims have their form:
	// what was refused is then known to be the issuer's, and its sub and jti may
	// be logged.
	Token *Identity
	// Err is the cause of an Unavailable refusal. For the log, never for a client.
	Err error
}

// Error returns the reason and the fault.
func (r *Refusal) Error() string { return fmt.Sprintf("token refused: %s: %s", r.Reason, r.Fault) }

// Unwrap returns the cause of an Unavailable refusal.
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(reason Reason, fault Fault) *Refusal { return &Refusal{Reason: reason, Fault: fault} }

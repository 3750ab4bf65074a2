package problem

import (
	"net/http"
	"slices"
	"strings"

	"tollgate/keys/token"
)

// Profile is a library whose front ends are served: its bodies, statuses and reading
// of the Authorization header. The zero value means SimpleJWT.
type Profile string

// The profiles.
const (
	SimpleJWT Profile = "simplejwt" // djangorestframework-simplejwt 5.5
	DRF       Profile = "drf-jwt"   // drf-jwt 1.19
)

// Profiles lists the profiles.
func Profiles() []Profile { return []Profile{SimpleJWT, DRF} }

// OfToken is the package's OfToken in the profile's shape: the statuses and bodies of
// its pages. The challenge and the reason for the log are the same in each.
func (p Profile) OfToken(r *token.Refusal, types, scopes []string) *Refusal {
	out := OfToken(r, types, scopes)
	if p != DRF || out.Status != http.StatusUnauthorized || r.Reason == token.ReasonMissing {
		return out // these are Django REST framework's own, or unknown to either
	}
	out.body = refusalBody{Detail: DRFMessage(r)}
	switch r.Reason {
	case token.ReasonRevoked:
		out.Status = http.StatusForbidden // a PermissionDenied there
	case token.ReasonLifetime:
		out.body.Reason = r.Reason
	}
	return out
}

// DRFMessage is drf-jwt's wording for a token that is not valid.
func DRFMessage(r *token.Refusal) string {
	switch r.Reason {
	case token.ReasonExpired:
		return "Token has expired."
	case token.ReasonRevoked:
		return "Token is blacklisted."
	case token.ReasonSignature:
		return "Error decoding token."
	case token.ReasonMalformed:
		switch r.Fault {
		case token.FaultNoSubject:
			return "Invalid payload."
		case token.FaultNoID, token.FaultNoExpiry:
			return "Invalid token."
		}
		return "Error decoding token."
	}
	return "Invalid token."
}

// Bearer takes the one token of an Authorization header as the profile reads it. It
// returns "" when there is none, and other when the header is somebody else's.
//
// drf-jwt takes the right scheme without exactly one token behind one blank for no
// header at all, and with another scheme it does not look at cookies: so other
// authenticators get their turn.
func (p Profile) Bearer(h http.Header, schemes []string) (raw string, other bool, refusal *Refusal) {
	if p != DRF {
		raw, refusal = Bearer(h, schemes)
		return raw, false, refusal
	}
	values := h["Authorization"]
	switch len(values) {
	case 0:
		return "", false, nil
	case 1:
	default:
		return "", false, Twice()
	}
	words := strings.FieldsFunc(values[0], func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) == 0 {
		return "", false, nil
	}
	if !slices.ContainsFunc(schemes, func(s string) bool { return strings.EqualFold(s, words[0]) }) {
		return "", true, nil
	}
	if len(words) != 2 || strings.Trim(values[0], " \t") != words[0]+" "+words[1] {
		return "", false, nil
	}
	return words[1], false, nil
}

// Lenient reports whether the profile takes a refusal of a carrier for an absent one:
// whatever is not exactly one token.
func (p Profile) Lenient(r *Refusal) bool {
	return p == DRF && r.Status == http.StatusUnauthorized && r.Fault == faultBadHeader
}

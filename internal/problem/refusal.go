package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"tollgate/keys/token"
)

// Refusal is the answer to a request whose credential was not accepted, in the
// shape of SimpleJWT, which the front ends in use branch on. The refusals that
// SimpleJWT does not know carry one more member, reason.
type Refusal struct {
	Status int
	// Reason for the log line and the metric.
	Reason token.Reason
	// Fault narrows the reason down, for the log line.
	Fault token.Fault
	// Challenge is the WWW-Authenticate header; empty: none.
	Challenge string
	// Scheme stands in the challenge in the place of Bearer: the first of those that are
	// taken, as SimpleJWT and drf-jwt have it. Empty: Bearer.
	Scheme string
	// RetryAfter in seconds; 0: none.
	RetryAfter int

	body refusalBody
}

type refusalBody struct {
	Detail   string           `json:"detail"`
	Code     string           `json:"code,omitempty"`
	Messages []refusalMessage `json:"messages,omitempty"`
	Reason   token.Reason     `json:"reason,omitempty"`
}

type refusalMessage struct {
	Class   string `json:"token_class"`
	Type    string `json:"token_type"`
	Message string `json:"message"`
}

// RFC 6750 section 3: no error code when the request had no credential; one
// fixed sentence otherwise, so that the challenge tells nothing that the body
// does not.
const (
	challenge        = bearerScheme + ` realm="api"`
	challengeInvalid = challenge + `, error="invalid_token", error_description="The access token is missing, expired, revoked or otherwise not valid."`
)

// Missing is the answer to a request without a credential.
func Missing() *Refusal {
	return &Refusal{
		Status: http.StatusUnauthorized, Reason: token.ReasonMissing, Fault: "no credential", Challenge: challenge,
		body: refusalBody{Detail: "Authentication credentials were not provided."},
	}
}

const faultBadHeader token.Fault = "the Authorization header is not a scheme and one token"

// BadHeader is the answer to the right scheme with not exactly one token.
func BadHeader() *Refusal {
	return &Refusal{
		Status: http.StatusUnauthorized, Reason: token.ReasonMalformed, Fault: faultBadHeader,
		Challenge: challenge,
		body: refusalBody{
			Detail: "Authorization header must contain two space-delimited values", Code: "bad_authorization_header",
		},
	}
}

// Twice is the answer to a request whose credential comes twice by one carrier
// (RFC 6750 section 3.1, invalid_request).
func Twice() *Refusal {
	return &Refusal{
		Status: http.StatusBadRequest, Reason: token.ReasonMalformed, Fault: "the credential was sent twice",
		body: refusalBody{Detail: "The credential was sent more than once."},
	}
}

// OfToken translates a refusal of keys/token. Types are the token types that are
// accepted (empty: access), scopes those that are asked for.
func OfToken(r *token.Refusal, types, scopes []string) *Refusal {
	out := &Refusal{Reason: r.Reason, Fault: r.Fault, Status: http.StatusUnauthorized, Challenge: challengeInvalid}
	switch r.Reason {
	case token.ReasonMissing:
		return Missing()
	case token.ReasonUnavailable:
		out.Status, out.Challenge, out.RetryAfter = http.StatusServiceUnavailable, "", 1
		out.body = refusalBody{Detail: "It cannot be told at the moment whether the token is still valid. Try again.", Reason: r.Reason}
		return out
	case token.ReasonScope, token.ReasonClaim, token.ReasonOrigin:
		out.Status = http.StatusForbidden
		out.Challenge = challenge + `, error="insufficient_scope"`
		if r.Reason == token.ReasonScope {
			out.Challenge += `, scope="` + strings.Join(scopes, " ") + `"`
		}
		out.body = refusalBody{Detail: "You do not have permission to perform this action.", Reason: r.Reason}
		return out
	}
	out.body = refusalBody{Detail: "Given token not valid for any token type", Code: "token_not_valid"}
	if len(types) == 0 {
		types = []string{"access"}
	}
	for _, t := range types {
		out.body.Messages = append(out.body.Messages, refusalMessage{Class: class(t), Type: t, Message: Message(r)})
	}
	if r.Reason == token.ReasonRevoked || r.Reason == token.ReasonLifetime {
		out.body.Reason = r.Reason
	}
	return out
}

// Message is SimpleJWT's wording (5.5) for a token that is not valid.
func Message(r *token.Refusal) string {
	switch {
	case r.Reason == token.ReasonExpired:
		return "Token is expired"
	case r.Reason == token.ReasonRevoked:
		return "Token is blacklisted"
	case r.Fault == token.FaultNoType:
		return "Token has no type"
	case r.Reason == token.ReasonTokenType:
		return "Token has wrong type"
	case r.Fault == token.FaultNoID:
		return "Token has no id"
	case r.Fault == token.FaultNoExpiry:
		return "Token has no 'exp' claim"
	}
	return "Token is invalid"
}

// class is the name of SimpleJWT's class for a token type.
func class(tokenType string) string {
	switch tokenType {
	case "access":
		return "AccessToken"
	case "refresh":
		return "RefreshToken"
	case "sliding":
		return "SlidingToken"
	}
	return "Token"
}

// Write sends the refusal. Nobody may keep it: RFC 9111 section 5.2.2.5.
func (r *Refusal) Write(w http.ResponseWriter) {
	body, err := json.Marshal(r.body)
	if err != nil { // three strings cannot fail to encode
		body = []byte(`{}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	if r.Challenge != "" {
		h.Set("WWW-Authenticate", inScheme(r.Challenge, r.Scheme))
	}
	if r.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(r.RetryAfter))
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(body)
}

const bearerScheme = "Bearer"

func inScheme(challenge, scheme string) string {
	if scheme == "" || scheme == bearerScheme {
		return challenge
	}
	return scheme + strings.TrimPrefix(challenge, bearerScheme)
}

// Challenge is the WWW-Authenticate header of a 401 of Django REST framework that says
// nothing of a token, for the first of schemes; none: Bearer.
func Challenge(schemes []string) string {
	if len(schemes) == 0 {
		return challenge
	}
	return inScheme(challenge, schemes[0])
}

// WriteDetail sends {"detail": …}, the body of every other fault of a surface
// that speaks like Django REST framework.
func WriteDetail(w http.ResponseWriter, status int, detail string) {
	body, err := json.Marshal(refusalBody{Detail: detail})
	if err != nil {
		body = []byte(`{}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Throttled is the answer to a caller over its rate, in Django REST framework's
// words.
func Throttled(seconds int) *Refusal {
	seconds = max(seconds, 1)
	return &Refusal{
		Status: http.StatusTooManyRequests, Reason: token.ReasonRate, Fault: "over the rate of the route", RetryAfter: seconds,
		body: refusalBody{
			Detail: "Request was throttled. Expected available in " + strconv.Itoa(seconds) + " seconds.", Reason: token.ReasonRate,
		},
	}
}

// ForeignOrigin is the answer to a request that a page of another origin made
// with the user's cookie.
func ForeignOrigin() *Refusal {
	return &Refusal{
		Status: http.StatusForbidden, Reason: token.ReasonOrigin, Fault: "a cookie sent from a foreign origin",
		body: refusalBody{Detail: "Cross-origin requests with a cookie are not accepted here.", Reason: token.ReasonOrigin},
	}
}

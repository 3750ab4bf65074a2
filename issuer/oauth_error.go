package issuer

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// Error codes: RFC 6749 section 5.2, RFC 8693 section 2.2.2 (invalid_target), and
// those of RFC 6749 section 4.1.2.1 for what section 5.2 has no word for.
const (
	invalidRequest       = "invalid_request"
	invalidClient        = "invalid_client"
	invalidGrant         = "invalid_grant"
	unauthorizedClient   = "unauthorized_client"
	unsupportedGrantType = "unsupported_grant_type"
	invalidScope         = "invalid_scope"
	invalidTarget        = "invalid_target"
	serverError          = "server_error"
	temporarily          = "temporarily_unavailable"
)

// oauthError is a refusal of the OAuth endpoints. Descriptions are fixed sentences
// of the characters of RFC 6749 section 5.2, without a word from the request.
type oauthError struct {
	status      int
	code        string
	description string
	reason      token.Reason
	retryAfter  time.Duration
}

func (e *oauthError) Error() string { return e.code + ": " + e.description }

func badRequest(code, description string) *oauthError {
	return &oauthError{status: http.StatusBadRequest, code: code, description: description}
}

// noClient is the one answer to everything that is wrong with a client's
// credentials: whether the id, the secret or the key was it is not for guessers.
func noClient() *oauthError {
	return &oauthError{status: http.StatusUnauthorized, code: invalidClient, description: "The client did not authenticate, or is not known."}
}

// oauth wraps a handler of the OAuth endpoints in what they have in common: their
// errors are those of RFC 6749 section 5.2, whatever went wrong.
func oauth(h func(i *Issuer, c *call) error) func(i *Issuer, c *call) error {
	return func(i *Issuer, c *call) error {
		c.w.Header().Set("Pragma", "no-cache") // RFC 6749 section 5.1, for caches of HTTP/1.0
		err := h(i, c)
		if err == nil {
			c.record.Decision = telemetry.Allow
			return nil
		}
		if errors.Is(err, errClientGone) {
			return err
		}
		o := i.oauthErrorOf(c, err)
		header := c.w.Header()
		if o.status == http.StatusUnauthorized {
			// RFC 9110 section 15.5.2: each 401 has a challenge.
			header.Set("WWW-Authenticate", `Basic realm="oauth", charset="UTF-8"`)
		}
		if o.retryAfter > 0 {
			header.Set("Retry-After", strconv.Itoa(int((o.retryAfter+time.Second-1)/time.Second)))
		}
		return &fault{status: o.status, reason: o.reason, detail: o.Error(),
			body: map[string]string{"error": o.code, "error_description": o.description}}
	}
}

func (i *Issuer) oauthErrorOf(c *call, err error) *oauthError {
	if o, ok := errors.AsType[*oauthError](err); ok {
		return o
	}
	if f, ok := errors.AsType[*fault](err); ok && f.status < 500 && f.reason == "" { // of the body
		return &oauthError{status: f.status, code: invalidRequest, description: "The body could not be read."}
	}
	if isUnavailable(err) {
		i.notServed(c, err)
		return &oauthError{
			status: http.StatusServiceUnavailable, code: temporarily, description: "The service is not available at the moment. Try again.",
			reason: token.ReasonUnavailable, retryAfter: time.Second,
		}
	}
	i.Log.Error("a row failed", "route", c.record.Route, "request_id", c.record.RequestID, "error", err)
	return &oauthError{status: http.StatusInternalServerError, code: serverError, description: "A server error occurred."}
}

func isUnavailable(err error) bool {
	for _, sentinel := range []error{session.ErrUnavailable, users.ErrUnavailable, users.ErrBusy, store.ErrUnavailable, revocation.ErrUnavailable, ErrUnavailable} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

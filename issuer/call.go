package issuer

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// call is one request to a row.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	record *telemetry.Record
	// caller is set on rows with the bearer authenticator.
	caller *token.Identity
	// presented is the caller's token as it came, and carrier the cookie that held it;
	// empty: the header did.
	presented, carrier string
	// cookie says that the token came in a cookie, not in the body.
	cookie bool
}

// reply sends JSON that nobody may keep.
func (c *call) reply(status int, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(encoded)))
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept") // beside what the listener has said of Origin
	c.w.WriteHeader(status)
	_, err = c.w.Write(encoded)
	if err != nil {
		c.record.Error = "the client left before the answer"
		return errClientGone
	}
	return nil
}

var errClientGone = errors.New("issuer: the client is gone")

// fault is an answer other than success: a status and a body.
type fault struct {
	status    int
	body      any
	challenge bool // WWW-Authenticate, on every 401 as Django REST framework has it
	reason    token.Reason
	detail    string // for the log line
}

func (f *fault) Error() string { return f.detail }

// detail is the body of a fault, with its members in Django REST framework's order.
type detail struct {
	Detail string `json:"detail"`
	Code   string `json:"code,omitempty"`
}

// notValid is the answer to a token in a body that is not accepted.
func notValid(reason token.Reason, message string) *fault {
	return &fault{http.StatusUnauthorized, detail{message, "token_not_valid"}, true, reason, message}
}

// unauthorized is the answer to somebody who may not have tokens. None of the
// refusal reasons is the cause: there is no token that was refused.
func unauthorized(message string) *fault {
	return &fault{http.StatusUnauthorized, map[string]string{"detail": message}, true, "", message}
}

// answer sends what a handler returned as an error. An error that nobody
// expected is a bare 500; its text goes to the log alone.
func (i *Issuer) answer(c *call, err error) {
	if errors.Is(err, errClientGone) {
		return
	}
	var f *fault
	switch {
	case errors.As(err, &f):
	case errors.Is(err, users.ErrBusy):
		f = i.unavailable(c, err, "Too many log-ins at the moment. Try again.")
	case errors.Is(err, session.ErrUnavailable), errors.Is(err, users.ErrUnavailable), errors.Is(err, revocation.ErrUnavailable),
		errors.Is(err, statuslist.ErrUnavailable), errors.Is(err, ErrUnavailable):
		f = i.unavailable(c, err, "The service is not available at the moment. Try again.")
	default:
		i.Log.Error("a row failed", "route", c.record.Route, "request_id", c.record.RequestID, "error", err)
		f = &fault{status: http.StatusInternalServerError, body: map[string]string{"detail": "A server error occurred."}, detail: "internal error"}
	}
	c.record.Reason, c.record.Error = string(f.reason), f.detail
	c.record.Decision = telemetry.Deny
	if f.status >= 500 {
		c.record.Decision = telemetry.Error
	}
	h := c.w.Header()
	if f.challenge {
		h.Set("WWW-Authenticate", problem.Challenge(i.Schemes))
	}
	if f.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	_ = c.reply(f.status, f.body)
}

func (i *Issuer) unavailable(c *call, err error, detail string) *fault {
	i.notServed(c, err)
	return &fault{http.StatusServiceUnavailable, map[string]string{"detail": detail, "reason": string(token.ReasonUnavailable)},
		false, token.ReasonUnavailable, detail}
}

// notServed logs why a row is 503. How long it waited for Redis, and how long it may,
// tells a Redis (or a machine) that is too slow from one that is not there.
func (i *Issuer) notServed(c *call, err error) {
	waited, most := store.Waited(c.r.Context())
	i.Log.Warn("a row could not be served", "route", c.record.Route, "request_id", c.record.RequestID,
		"waited_for_redis_ms", waited.Milliseconds(), "limit_ms", most.Milliseconds(), "error", err)
}

// identify finds out who calls a row with the bearer authenticator.
func (i *Issuer) identify(c *call) *problem.Refusal {
	raw, refusal := problem.Bearer(c.r.Header, i.Schemes)
	if raw == "" && refusal == nil && i.Cookies.Access != "" {
		raw, refusal = problem.Cookie(c.r.Header, i.Cookies.Access)
	}
	if refusal != nil {
		return refusal
	}
	if raw == "" {
		return problem.Missing()
	}
	return i.recognise(c, raw, problem.SimpleJWT)
}

// recognise authenticates the caller by an access or sliding token of ours; a refusal
// has the profile's shape.
func (i *Issuer) recognise(c *call, raw string, p problem.Profile) *problem.Refusal {
	policy := &token.Policy{TokenTypes: []string{accessType, slidingType}, MaxStale: i.MaxStale}
	id, err := i.Verifier.Authenticate(c.r.Context(), raw, policy, i.Revocations)
	switch {
	case err != nil:
	case id.Has("client_id"):
		// It was made for a client, with less than a log-in has: it must not end the
		// user's sessions or log in on his behalf.
		id, err = nil, &token.Refusal{Reason: token.ReasonClaim, Fault: "the token was issued to a client and is not a log-in", Token: id}
	case p == problem.DRF && i.strangeAudience(id):
		id, err = nil, &token.Refusal{Reason: token.ReasonAudience, Fault: "the token names an audience, and there is none here", Token: id}
	}
	if err == nil {
		c.caller, c.presented = id, raw
		i.noteToken(c, id)
		return nil
	}
	var refused *token.Refusal
	if !errors.As(err, &refused) {
		refused = &token.Refusal{Reason: token.ReasonUnavailable, Fault: "the token could not be checked", Err: err}
	}
	if refused.Err != nil {
		i.Log.Warn("a token could not be checked", "route", c.record.Route, "request_id", c.record.RequestID, "fault", refused.Fault, "error", refused.Err)
	}
	i.noteToken(c, refused.Token)
	return p.OfToken(refused, []string{accessType}, nil) // the words are SimpleJWT's, which takes these alone
}

// noteToken writes what is known of a token whose signature was good.
func (i *Issuer) noteToken(c *call, id *token.Identity) {
	if id != nil {
		c.record.Subject, c.record.JTI, c.record.KeyID, c.record.Actor = id.Subject, id.JTI, id.KeyID, id.Actor
	}
}

// check authenticates a token that came in a body, of one of the given types.
func (i *Issuer) check(c *call, raw string, types ...string) (*token.Identity, *token.Refusal, error) {
	id, err := i.Verifier.Authenticate(c.r.Context(), raw, &token.Policy{TokenTypes: types, MaxStale: i.MaxStale}, i.Revocations)
	if err == nil {
		i.noteToken(c, id)
		return id, nil, nil
	}
	var refused *token.Refusal
	if !errors.As(err, &refused) {
		return nil, nil, err
	}
	i.noteToken(c, refused.Token)
	if refused.Reason == token.ReasonUnavailable {
		return nil, refused, errors.Join(revocation.ErrUnavailable, refused)
	}
	return nil, refused, notValid(refused.Reason, problem.Message(refused))
}

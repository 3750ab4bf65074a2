package issuer

import (
	"context"
	"net/http"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// endImpersonation ends what impersonate began, for whoever holds the token: in the
// body, the header or the cookie, and takes it out of the cookie. One that is over
// already is no fault.
func (i *Issuer) endImpersonation(c *call, p problem.Profile) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	presented, err := i.impersonations(c, body)
	if err != nil {
		return err
	}
	ended := 0
	for _, raw := range presented {
		id, over, err := i.impersonation(c, raw, p)
		if err != nil {
			return err
		}
		if id == nil { // the caller's own, beside the one that is meant
			continue
		}
		if ended++; over {
			continue
		}
		if err := i.end(c, id, telemetry.SourceLogout); err != nil {
			return err
		}
		i.audit(c, "impersonation ended", "impersonation.end", id.SID, i.named(c.r.Context(), id.Actor), i.named(c.r.Context(), id.Subject))
	}
	if ended == 0 {
		return drfFault("", "There is no impersonation to end.")
	}
	i.Cookies.expire(c.w.Header(), i.Cookies.Impersonation)
	c.record.Decision = telemetry.Allow
	return c.reply(http.StatusOK, struct{}{})
}

// impersonations are the tokens that may be meant: the one of the body alone, or those
// of header and cookie.
func (i *Issuer) impersonations(c *call, body fields) ([]string, error) {
	if _, sent := body["token"]; sent {
		return body.texts("token")
	}
	var out []string
	raw, refusal := problem.Bearer(c.r.Header, i.Schemes)
	if raw != "" {
		out = append(out, raw)
	}
	if refusal == nil && i.Cookies.Impersonation != "" {
		raw, refusal = problem.Cookie(c.r.Header, i.Cookies.Impersonation)
		if raw != "" {
			out = append(out, raw)
		}
	}
	if refusal != nil {
		return nil, &fault{status: http.StatusBadRequest, reason: token.ReasonMalformed, detail: string(refusal.Fault),
			body: map[string]string{"detail": "The credential is malformed, or was sent more than once."}}
	}
	return out, nil
}

// impersonation authenticates one token. The identity is nil for a good one with which
// nobody acts as another; over says that there is nothing left to end.
func (i *Issuer) impersonation(c *call, raw string, p problem.Profile) (id *token.Identity, over bool, err error) {
	id, refused, err := i.check(c, raw, accessType)
	if refused != nil && refused.Token != nil && (refused.Reason == token.ReasonRevoked || refused.Reason == token.ReasonExpired) {
		id, over, err = refused.Token, true, nil
	}
	switch {
	case err == nil && id.Actor == "":
		return nil, false, nil
	case err != nil && p == problem.DRF && refused != nil && refused.Reason != token.ReasonUnavailable:
		err = drfFault(refused.Reason, problem.DRFMessage(refused))
	}
	return id, over, err
}

// person is a user's id and name.
type person struct{ id, name string }

// named finds a user's name for the log; the id stands in where there is none.
func (i *Issuer) named(ctx context.Context, id string) person {
	if u, err := i.Users.ByID(ctx, id); err == nil {
		return person{id, u.Username}
	}
	return person{id, id}
}

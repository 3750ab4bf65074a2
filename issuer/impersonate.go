package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

// longestImpersonation is the life of a token with which somebody acts as another
// user; an access token's, where that is shorter. It cannot be refreshed.
const longestImpersonation = 15 * time.Minute

// The claims that say who acts (RFC 8693 section 4.1), and from which log-in.
const (
	actorClaim    = "act"
	actorSIDClaim = "act_sid"
)

// impersonate hands out a token with which the caller acts as another user. It names
// both, is refused as soon as the log-in of either is ended, and is no way to more
// than the caller has: not to a superuser, nor to a third user.
func (i *Issuer) impersonate(c *call, p problem.Profile) error {
	ctx := c.r.Context()
	// Before any record is read: a cut-off that falls in between covers the session.
	birth, err := i.Revocations.Now(ctx)
	if err != nil {
		return err
	}
	actorName, err := i.mayImpersonate(ctx, c.caller)
	if err != nil {
		return err
	}
	body, err := c.readFields()
	if err != nil {
		return err
	}
	u, err := i.impersonated(ctx, body)
	if err != nil {
		return err
	}
	if u.ID == c.caller.Subject || u.IsSuperuser {
		return forbidden("a superuser, or the caller")
	}
	if !u.IsActive {
		return drfFault("", userDisabled)
	}
	more := moreClaims{}
	if p == problem.DRF {
		more = i.drfClaims(u, nil)
	}
	more[actorClaim] = map[string]string{"sub": c.caller.Subject}
	if c.caller.SID != "" {
		more[actorSIDClaim] = c.caller.SID
	}
	if err := i.fitsWith(u, more); err != nil {
		return err
	}
	pair, err := i.Sessions.StartSolo(ctx, session.Start{
		Birth: birth, Subject: u.ID, Username: u.Username, Address: address(c), Agent: c.r.UserAgent(),
	}, session.Solo{Life: longestImpersonation, UUID: p == problem.DRF, Actor: c.caller.Subject, ActorSID: c.caller.SID})
	if err != nil {
		return i.notImpersonated(err, p)
	}
	raw, err := i.sign(ctx, c, u, pair, accessType, pair.Access, more)
	if err != nil {
		return err
	}
	i.Metrics.Issued(telemetry.TokenImpersonation, telemetry.GrantImpersonation)
	i.audit(c, "impersonation began", "impersonation.begin", pair.SID, person{c.caller.Subject, actorName}, person{u.ID, u.Username})
	c.record.Decision, c.record.Subject, c.record.Actor, c.record.JTI = telemetry.Allow, u.ID, c.caller.Subject, pair.Access.JTI
	i.Cookies.write(c.w.Header(), i.Cookies.Impersonation, raw, pair.Access)
	if i.Cookies.hides(i.Cookies.Impersonation) {
		raw = ""
	}
	if p == problem.DRF {
		return c.reply(http.StatusCreated, tokens{Token: raw, User: i.userObject(u)})
	}
	return c.reply(http.StatusOK, tokens{Access: raw, User: i.userObject(u)})
}

// mayImpersonate says whether the caller may act as others, and returns his name: a
// superuser, or the holder of a token with the claim that is configured. Who acts as
// another already may not.
func (i *Issuer) mayImpersonate(ctx context.Context, caller *token.Identity) (string, error) {
	if caller.Has(actorClaim) {
		return "", forbidden("impersonation from an impersonation")
	}
	claimed := i.ImpersonateClaim != nil && i.ImpersonateClaim.Holds(caller)
	u, err := i.Users.ByID(ctx, caller.Subject)
	switch {
	case errors.Is(err, users.ErrNotFound) && claimed: // a program
		return caller.Subject, nil
	case errors.Is(err, users.ErrNotFound):
		return "", forbidden("the caller is no user")
	case err != nil:
		return "", fmt.Errorf("the caller: %w", err)
	case !u.IsActive, !u.IsSuperuser && !claimed:
		return "", forbidden("the caller may not impersonate")
	}
	return u.Username, nil
}

// impersonated reads the user whom the body names by his id, with the words of Django
// REST framework's PrimaryKeyRelatedField.
func (i *Issuer) impersonated(ctx context.Context, body fields) (users.User, error) {
	v, sent := body["user"]
	id, message := "", ""
	switch v := v.(type) {
	case nil:
		message = "This field is required."
		if sent {
			message = "This field may not be null."
		}
	case string:
		if id = v; id == "" {
			message = "This field may not be null."
		}
	case json.Number:
		id = v.String()
	default:
		message = fmt.Sprintf("Incorrect type. Expected pk value, received %s.", pythonType(v))
	}
	if message != "" {
		return users.User{}, userFault(message)
	}
	u, err := i.Users.ByID(ctx, id)
	if errors.Is(err, users.ErrNotFound) {
		return u, userFault(fmt.Sprintf("Invalid pk %q - object does not exist.", clipped(id)))
	}
	return u, err
}

func clipped(id string) string {
	if runes := []rune(id); len(runes) > 64 {
		return string(runes[:64]) + "…"
	}
	return id
}

func userFault(message string) *fault {
	return &fault{status: http.StatusBadRequest, detail: "user refused", body: map[string][]string{"user": {message}}}
}

// notImpersonated words that the log-in of either user has ended meanwhile, or has no
// time left: the caller's token is then as good as revoked.
func (i *Issuer) notImpersonated(err error, p problem.Profile) error {
	if !errors.Is(err, session.ErrEnded) && !errors.Is(err, session.ErrLost) && !errors.Is(err, session.ErrExpired) {
		return err
	}
	if p == problem.DRF {
		f := drfFault(token.ReasonRevoked, "")
		f.status, f.body, f.detail = http.StatusForbidden, map[string]string{"detail": "Token is blacklisted."}, err.Error()
		return f
	}
	return notValid(token.ReasonRevoked, blacklisted)
}
